"""The daily queue: what is owed, in the order in which it is to be done, and why each entry stands where it stands.

The order is data of the policy (`[[queue]]`, `[workload]`): by clause, then by how recent the last event is, then by
what has been overdue longest and is due first. It is total: no two entries share a place, whatever order they come in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hub.core.clocks import days_between
from hub.core.records import SHANGHAI, Light

NEVER = datetime(9999, 12, 31, tzinfo=SHANGHAI)
"""Stands for a due date that there is not: it sorts last."""


class Item(NamedTuple):
    """One thing owed: a duty, a report on its ladder, or an answer that waits to be acknowledged."""

    no: str
    what: str  # D1 …, M1 …
    to: str  # a unit, coordinator or head:<unit>
    due: datetime | None
    state: str
    worker: str = ""  # number of whoever accepted it, else of the household's responsible worker; "": nobody


class Entry(NamedTuple):
    """One household with what is owed there, or (``household`` None) one thing that concerns no household."""

    household: str | None
    community: str | None
    light: Light
    last_event: datetime | None
    items: tuple[Item, ...]

    @property
    def name(self) -> str:
        """The household, else the number of what is owed."""
        return self.household or self.items[0].no


class Rank(NamedTuple):
    """One row of the table of ranks."""

    id: str
    title: str
    lights: frozenset[str]
    what: frozenset[str]
    clause: str
    law: str

    def fits(self, entry: Entry) -> bool:
        """Whether the entry belongs here; a row that names neither light nor duty takes everything."""
        return (not self.lights or entry.light.name in self.lights) and (
            not self.what or any(item.what in self.what for item in entry.items)
        )


class Order(NamedTuple):
    """The policy's order of work."""

    ranks: tuple[Rank, ...]
    recent_days: tuple[int, ...]


class Place(NamedTuple):
    """An entry at its place, from 1, with what put it there."""

    n: int
    entry: Entry
    rank: Rank
    days: int | None  # since the last event; None: there is none
    first: Item | None  # what is due first (overdue longest); None: nothing has a date
    overdue: timedelta | None  # of ``first``, if it is
    before_next: str  # what decides against the next: rank, recent, overdue, due, number; last: there is none


LEFT_OVER = Rank("other", "", frozenset(), frozenset(), "", "")
"""Where a policy without a row for everything puts the rest."""


def order_of(raw: Mapping[str, Any]) -> Order:
    """The order of a policy document; one without `[[queue]]` ranks nothing."""
    ranks = tuple(
        Rank(
            row["id"], str(row.get("title", "")), frozenset(row.get("light", ())), frozenset(row.get("what", ())),
            str(row.get("clause", "")), str(row.get("law", "")),
        )
        for row in raw.get("queue", ())
    )  # fmt: skip
    return Order((*ranks, LEFT_OVER), tuple(sorted(raw.get("workload", {}).get("recent_days", ()))))


def entries_of(items: Iterable[tuple[str | None, Item]]) -> dict[str, list[Item]]:
    """What is owed, gathered by household (uid); each thing of no household stands alone under its own number."""
    found: dict[str, list[Item]] = {}
    for household, item in items:
        found.setdefault(household or item.no, []).append(item)
    return found


def queue(entries: Iterable[Entry], order: Order, at: datetime) -> list[Place]:
    """Every entry at its place, ``at`` the moment of asking."""
    keyed = sorted(((_key(entry, order, at), entry) for entry in entries), key=lambda pair: pair[0])
    return [
        _place(n, key, entry, order, at, keyed[n][0] if n < len(keyed) else None)
        for n, (key, entry) in enumerate(keyed, 1)
    ]


Key = tuple[int, int, datetime, str]
"""(rank, band of days since the last event, first due date, name): the whole order, smallest first."""


def _key(entry: Entry, order: Order, at: datetime) -> Key:
    rank = next(n for n, row in enumerate(order.ranks) if row.fits(entry))
    first = _first(entry)
    return rank, _band(_days(entry, at), order.recent_days), (first.due if first else None) or NEVER, entry.name


def _first(entry: Entry) -> Item | None:
    dated = [item for item in entry.items if item.due is not None]
    return min(dated, key=lambda item: (item.due or NEVER, item.no), default=None)


def _days(entry: Entry, at: datetime) -> int | None:
    return None if entry.last_event is None else max(0, days_between(entry.last_event, at))


def _band(days: int | None, recent: Sequence[int]) -> int:
    """How recent the last event is: 0 for the first number of days, and so on; none at all comes last."""
    if days is None:
        return len(recent) + 1
    return sum(days > most for most in recent)


def _place(n: int, key: Key, entry: Entry, order: Order, at: datetime, following: Key | None) -> Place:
    first = _first(entry)
    overdue = at - first.due if first is not None and first.due is not None and first.due < at else None
    return Place(n, entry, order.ranks[key[0]], _days(entry, at), first, overdue, _decides(key, following, at))


def _decides(key: Key, following: Key | None, at: datetime) -> str:
    if following is None:
        return "last"
    words = ("rank", "recent", "overdue" if key[2] < at else "due", "number")
    return next(word for word, mine, its in zip(words, key, following, strict=True) if mine != its)


class Load(NamedTuple):
    """What one worker carries; ``no`` "" stands for households and duties that are nobody's."""

    no: str
    unit: str
    kind: str
    on_team: bool
    households: int  # of the lights that count, for which they are responsible or whose duty they accepted
    lights: Mapping[str, int]
    duties: int
    overdue: int
    heavy: bool  # more than the policy says one person can carry


def load(
    worker: tuple[str, str, str, bool],
    lights: Iterable[Light],
    duties: Iterable[Item],
    raw: Mapping[str, Any],
    at: datetime,
) -> Load:
    """The load of one worker (number, unit, kind, on the team): lights of their households and their open duties."""
    told = raw.get("workload", {})
    counted = [light.name for light in lights if light.name in told.get("lights", ("red", "orange"))]
    owed = list(duties)
    late = sum(item.due is not None and item.due < at for item in owed)
    by_light = {name: counted.count(name) for name in sorted(set(counted), key=lambda name: -Light[name])}
    heavy = bool(worker[0]) and "most" in told and len(counted) > int(told["most"])
    return Load(*worker, len(counted), by_light, len(owed), late, heavy)
