"""Which records speak of one incident (A6), and what one record corrects in another (S17).

Two records are one incident when numbers link them and the victim is the same, or unknown in one. A link by
``related_no`` holds only within 24 hours; a letter, penalty or forensic result that names its call is linked for good.
Two that name the same third number are linked too. Without a linking number never.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import combinations
from typing import Final

from hub.core.records import Event, Facts
from hub.core.timeline import INJURY_RANKS, victim_of
from hub.core.values import link_form

NAMES_ITS_CALL: Final = frozenset({"admonition_issued", "security_penalty", "forensic_result"})
"""Kinds with a column 接警编号: their link to that call has no time limit."""
LINK_HOURS: Final = 24


def incidents(events: Sequence[Event], hours: int = LINK_HOURS) -> list[tuple[Event, ...]]:
    """Every event in exactly one group; groups and their events in the order of ``events``."""
    if not any(event.related for event in events):
        return [(event,) for event in events]
    group = list(range(len(events)))
    victims: list[set[int]] = [_known_victim(event) for event in events]
    for first, second in _links(events, timedelta(hours=hours)):
        a, b = _root(group, first), _root(group, second)
        if a != b and len(victims[a] | victims[b]) <= 1:
            low, high = min(a, b), max(a, b)
            group[high] = low
            victims[low] |= victims[high]
    found: dict[int, list[Event]] = {}
    for index, event in enumerate(events):
        found.setdefault(_root(group, index), []).append(event)
    return [tuple(members) for members in found.values()]


def _known_victim(event: Event) -> set[int]:
    victim = victim_of(event)
    return set() if victim is None or victim.person is None else {victim.person}


def _root(group: list[int], index: int) -> int:
    while group[index] != index:
        group[index] = group[group[index]]
        index = group[index]
    return index


def _links(events: Sequence[Event], within: timedelta) -> list[tuple[int, int]]:
    """Pairs of positions that a number links, the lasting ones first, then in order of the timeline."""
    own: dict[str, list[int]] = {}
    named: dict[str, list[int]] = {}
    for index, event in enumerate(events):
        for number in event.related:
            named.setdefault(link_form(number), []).append(index)
    for index, event in enumerate(events):
        number = link_form(event.key.no)
        if number in named:
            own.setdefault(number, []).append(index)
    lasting: set[tuple[int, int]] = set()
    near: set[tuple[int, int]] = set()
    for number, namers in named.items():
        owners = own.get(number, [])
        for a, b in [*((n, o) for n in namers for o in owners if n != o), *combinations(namers, 2)]:
            pair = (min(a, b), max(a, b))
            if _is_lasting(events[a], events[b], b in owners):
                lasting.add(pair)
            elif abs(events[a].at - events[b].at) <= within:
                near.add(pair)
    return sorted(lasting) + sorted(near - lasting)


def _is_lasting(namer: Event, other: Event, is_owner: bool) -> bool:
    if namer.kind not in NAMES_ITS_CALL:
        return False
    return other.kind == "police_call" if is_owner else other.kind in NAMES_ITS_CALL


def amend(events: Iterable[Event]) -> tuple[Event, ...]:
    """The events with what forensic results correct: an injury above none is the injury of the call they name (S17)."""
    events = tuple(events)
    found: dict[str, str] = {}
    for event in events:
        if event.kind == "forensic_result" and INJURY_RANKS.get(str(event.facts.get("injury")), 0) > 0:
            for number in event.related:
                found[link_form(number)] = str(event.facts["injury"])
    if not found:
        return events
    return tuple(
        event._replace(facts=_with_injury(event.facts, found[link_form(event.key.no)]))
        if event.kind == "police_call" and link_form(event.key.no) in found
        else event
        for event in events
    )


def _with_injury(facts: Facts, injury: str) -> Facts:
    return {**facts, "injury": injury}
