"""The events of one case read once: in order of time, corrected by each other, with what follows from each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hub.core.incident import incidents
from hub.core.records import Event, Key
from hub.core.timeline import Derived, derive

Groups = tuple[tuple[Event, ...], ...]


class Known(NamedTuple):
    """Events of a case, oldest first; ``kinds`` has them by kind, ``groups`` by the hours within which numbers link."""

    events: tuple[Event, ...]
    derived: dict[Key, Derived]
    kinds: dict[str, list[Event]]
    groups: dict[int, Groups]

    def incidents(self, hours: int) -> Groups:
        """Events that are one incident (A6), each event in exactly one group; found once."""
        found = self.groups.get(hours)
        if found is None:
            found = self.groups[hours] = tuple(incidents(self.events, hours))
        return found

    def of_kinds(self, kinds: frozenset[str]) -> list[Event]:
        """Events of any of these kinds, in order."""
        return [event for event in self.events if event.kind in kinds]


def known(events: tuple[Event, ...]) -> Known:
    """The events of an amended case."""
    derived: dict[Key, Derived] = {}
    kinds: dict[str, list[Event]] = {}
    for event in events:
        derived[event.key] = derive(event)
        same = kinds.get(event.kind)
        if same is None:
            kinds[event.kind] = [event]
        else:
            same.append(event)
    return Known(events, derived, kinds, {})


def in_order(events: Iterable[Event]) -> Iterable[Event]:
    """By time, then by key; the same object if they are so already, which is the common case."""
    before = None
    for event in events:
        if before is not None and (event.at < before.at or (event.at == before.at and event.key < before.key)):
            return sorted(events, key=lambda e: (e.at, e.key))
        before = event
    return events
