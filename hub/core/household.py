"""Who lived with whom, and when: registered homes with their dated rows, and homes that records' ties put together.

A node is a registered home, or one person's time outside the register (before, between, after its rows), or a record
that names nobody. Ties join nodes, strongest first, and never join two registered homes, former spouses, or somebody
with the registered home they have left (A8, S24, S31). No step depends on the order of entries.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from hub.core.hood import Entry
from hub.core.persons import find

EVER = date.max
"""The day of the last known stay."""
_DAY = timedelta(days=1)


class Row(NamedTuple):
    """One row of the register or the family file: days inclusive, None: unrecorded or still."""

    number: str
    since: date | None
    until: date | None
    role: str
    named: str  # the record's own number, to order rows that say the same


def row_of(entry: Entry) -> Row | None:
    """The membership that ``entry`` registers; None: it registers none."""
    facts = entry.facts
    number = facts.get("household_no")
    if entry.kind != "household_member" or not number:
        return None
    return Row(
        str(number), _day(facts.get("from")), _day(facts.get("until")), str(facts.get("role") or ""), entry.key.no
    )


def _day(value: object) -> date | None:
    if not isinstance(value, date):
        return None
    return date(value.year, value.month, value.day)


def settle_rows(rows: Iterable[Row]) -> list[Row]:
    """One person's rows by day. An end that one register recorded also ends an older open row of the same home."""
    found = sorted(rows, key=lambda row: (row.since or date.min, row.number, row.until or EVER, row.named))
    ends: dict[str, date] = {}
    for row in found:
        if row.until is not None:
            ends[row.number] = max(row.until, ends.get(row.number, date.min))
    return [_ended(row, ends.get(row.number)) for row in found]


def _ended(row: Row, end: date | None) -> Row:
    if row.until is None and end is not None and (row.since or date.min) <= end:
        return row._replace(until=end)
    return row


class Homes:
    """The union of nodes. Persons 0 … ``persons`` - 1 are their own first node; other nodes are made when asked for."""

    def __init__(self, persons: int) -> None:
        self.parent = list(range(persons))
        self.person: list[int | None] = list(range(persons))  # whose time outside the register a node is
        self.rows: dict[int, list[Row]] = {}
        self.registered: dict[str, int] = {}
        self.number: dict[int, str] = {}  # root → registered number
        self._registered_nodes: set[int] = set()
        self._size: dict[int, int] = {}  # root → persons, where not one
        self._apart: dict[int, set[int]] = {}  # root → roots it may never be joined with
        self._gaps: dict[tuple[int, int], int] = {}

    def node(self, person: int | None = None) -> int:
        """A new node."""
        self.parent.append(len(self.parent))
        self.person.append(person)
        return len(self.parent) - 1

    def home(self, number: str) -> int:
        """The node of a registered home."""
        found = self.registered.get(number)
        if found is None:
            found = self.registered[number] = self.node()
            self.number[found] = number
            self._registered_nodes.add(found)
            self._size[found] = 2
        return found

    def enter(self, rows: dict[int, list[Row]]) -> None:
        """Take the register: the rows of every person in it."""
        self.rows = {person: settle_rows(given) for person, given in rows.items()}
        for given in self.rows.values():
            for row in given:
                self.home(row.number)

    def root(self, person: int, day: date) -> int:
        """The home a person lived in on ``day``."""
        return find(self.parent, self.stay(person, day))

    def stay(self, person: int, day: date) -> int:
        """The node of a person on ``day``: of several valid rows the one that began last, else outside the register."""
        rows = self.rows.get(person)
        if rows is None:
            return person
        valid = [r for r in rows if (r.since or date.min) <= day <= (r.until or EVER)]
        if valid:
            began = max(r.since or date.min for r in valid)
            return self.registered[min(r.number for r in valid if (r.since or date.min) == began)]
        return self._outside(person, sum((r.since or date.min) <= day for r in rows))

    def _outside(self, person: int, before: int) -> int:
        """A time outside the register after ``before`` rows; only the register brings back who has left a home."""
        if not before:
            return person
        node = self._gaps.get((person, before))
        if node is None:
            node = self._gaps[person, before] = self.node(person)
            for row in self.rows[person][:before]:
                self.part(node, self.registered[row.number])
        return node

    def first_home(self, person: int, day: date) -> int | None:
        """The registered home that a person who is in none yet on ``day`` enters first."""
        rows = self.rows.get(person)
        if not rows or rows[0].since is None or rows[0].since <= day:
            return None
        return self.registered[rows[0].number]

    def stays_from(self, person: int, day: date) -> set[int]:
        """Every node of a person from ``day`` on."""
        turns = {day, EVER}
        for row in self.rows.get(person, ()):
            turns |= {row.since or day, row.until + _DAY if row.until and row.until < EVER else EVER}
        return {self.stay(person, turn) for turn in turns if turn >= day}

    def stays_ever(self, person: int) -> set[int]:
        """Every node of a person."""
        return self.stays_from(person, date.min)

    def is_registered(self, node: int) -> bool:
        """True for the node of a registered home itself (not for a relative's node joined to one)."""
        return node in self._registered_nodes

    def part(self, a: int, b: int) -> None:
        """Two nodes that may never be one home."""
        a, b = find(self.parent, a), find(self.parent, b)
        if a != b:
            self._apart.setdefault(a, set()).add(b)
            self._apart.setdefault(b, set()).add(a)

    def join(self, a: int, b: int, *, weak: bool = False) -> bool:
        """Make two nodes one home if nothing forbids it; a ``weak`` tie does not join two homes of several persons."""
        a, b = find(self.parent, a), find(self.parent, b)
        if a == b:
            return True
        sizes = self._size.get(a, 1), self._size.get(b, 1)
        if (a in self.number and b in self.number) or b in self._apart.get(a, ()) or (weak and min(sizes) > 1):
            return False
        if sizes[0] < sizes[1]:
            a, b = b, a
        self.parent[b] = a
        self._size[a] = sum(sizes)
        if b in self.number:
            self.number[a] = self.number.pop(b)
        for other in self._apart.pop(b, ()):
            self._apart[other].discard(b)
            self.part(a, other)
        return True
