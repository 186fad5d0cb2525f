"""Which persons are one home: the register entered, former spouses kept apart, ties joined strongest first.

Answers A8 ("live or lived as family or in cohabitation"), S24 (registered apart) and S31 (parted by divorce) for all
records of a neighbourhood at once. Ties are put in an order of their own first, so order of arrival cannot matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hub.core.hood import Entry
from hub.core.household import Homes, Row, row_of
from hub.core.kinship import NEAREST, UNRECORDED, Parting, Reading, parting
from hub.core.persons import People


class _Tied(NamedTuple):
    """A tie with its order: strength, then the child's own latest records, the registered side, the wife's side."""

    order: tuple[object, ...]
    a: int
    b: int
    weak: bool


class Together:
    """The homes of a neighbourhood, and what was read on the way to them."""

    def __init__(
        self,
        entries: Sequence[Entry],
        readings: Sequence[Reading],
        people: People,
        joined: Sequence[tuple[int, int]] = (),
    ) -> None:
        self.entries = entries
        self.readings = readings
        self.homes = Homes(people.total)
        self.persons: list[list[int]] = []  # by entry, by position
        start = 0
        for entry in entries:
            self.persons.append(people.of[start : start + len(entry.mentions)])
            start += len(entry.mentions)
        self.register: list[Row | None] = [row_of(e) if e.kind == "household_member" else None for e in entries]
        self.partings: dict[tuple[int, int], Parting] = {}
        self.wives: set[int] = set()  # second-named spouses of a divorce: children of nobody's own records go there
        self.roles: dict[int, str] = {}  # person → role of the strongest tie
        self._enter_register()
        self._find_partings()
        self._keep_apart()
        if joined:
            self._join_as_ruled(joined)
        self._join()

    def _keep_apart(self) -> None:
        for (a, b), parted in self.partings.items():
            day = parted.at.date()
            for x in self.homes.stays_from(a, day):
                for y in self.homes.stays_from(b, day):
                    self.homes.part(x, y)

    def _join(self) -> None:
        tied: list[_Tied] = []
        for number, (entry, reading) in enumerate(zip(self.entries, self.readings, strict=True)):
            if reading.ties:
                self._collect(number, entry, reading, tied)
        tied.sort(key=lambda tie: tie.order)
        for tie in tied:
            self.homes.join(tie.a, tie.b, weak=tie.weak)

    def _join_as_ruled(self, joined: Sequence[tuple[int, int]]) -> None:
        """Mentions, by position among all, that people ruled to be of one household: on the days of their records."""
        spots = [
            (person, e.at.date()) for e, persons in zip(self.entries, self.persons, strict=True) for person in persons
        ]
        for a, b in joined:
            self.homes.join(self.homes.stay(*spots[a]), self.homes.stay(*spots[b]))

    def _enter_register(self) -> None:
        rows: dict[int, list[Row]] = {}
        for row, persons in zip(self.register, self.persons, strict=True):
            if row is not None:
                self.homes.home(row.number)
                for person in persons:
                    rows.setdefault(person, []).append(row)
        self.homes.enter(rows)

    def _find_partings(self) -> None:
        """Couples that parted and have not, by a later record, taken up life together again."""
        together: dict[tuple[int, int], list[Entry]] = {}
        for entry, reading, persons in zip(self.entries, self.readings, self.persons, strict=True):
            parted = parting(entry, bool(reading.former))
            pairs = reading.former or [(tie.a, tie.b) for tie in reading.ties if tie.rank == NEAREST]
            for a, b in pairs:
                pair = _pair(persons[a], persons[b])
                if parted is None:
                    if entry.facts.get("relation") == "cohabitant":
                        together.setdefault(pair, []).append(entry)
                    continue
                if parted.legal:
                    self.wives.add(persons[b])
                self.partings[pair] = _later(self.partings.get(pair), parted)
        for pair, entries in together.items():
            if pair in self.partings and any(entry.at > self.partings[pair].at for entry in entries):
                del self.partings[pair]
        self.partings = {pair: parted for pair, parted in self.partings.items() if pair[0] != pair[1]}

    def _collect(self, number: int, entry: Entry, reading: Reading, tied: list[_Tied]) -> None:
        persons, homes = self.persons[number], self.homes
        day = entry.at.date()
        ago = -entry.at.timestamp()
        for tie in reading.ties:
            a, b = persons[tie.a], persons[tie.b]
            if a == b:
                continue
            if tie.role_a:
                self._note_role(a, tie.role_a)
                self._note_role(b, tie.role_b)
            x, y = homes.stay(a, day), homes.stay(b, day)
            one_registered = homes.is_registered(x) != homes.is_registered(y)
            order = (tie.rank, not tie.own, ago if tie.own else 0.0, not one_registered,
                     a not in self.wives and b not in self.wives, ago, entry.key, tie.a, tie.b)  # fmt: skip
            tied.append(_Tied(order, x, y, tie.rank == UNRECORDED))
            entered = homes.first_home(a, day)
            if entered is not None and entered == homes.first_home(b, day):
                tied.append(_Tied((*order, 1), x, entered, False))  # the register took them in together, later

    def _note_role(self, person: int, role: str) -> None:
        known = self.roles.get(person)
        if known is None or (_STRENGTH[role], role) < (_STRENGTH[known], known):
            self.roles[person] = role


_STRENGTH = {"spouse": 0, "cohabitant": 0, "child": 1, "parent": 1, "guardian": 2, "grandchild": 3, "grandparent": 3,
             "sibling": 3, "kin": 4}  # fmt: skip


def _pair(a: int, b: int) -> tuple[int, int]:
    return (a, b) if a < b else (b, a)


def _later(known: Parting | None, other: Parting) -> Parting:
    """A certificate or decree outranks a mere word; the last certificate counts, and the first word."""
    if known is None or known.legal != other.legal:
        return other if known is None or other.legal else known
    return max(known, other) if known.legal else min(known, other)
