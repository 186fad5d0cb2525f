"""Who is meant and which household, by what the rows say and what people ruled (identity.md): plain, and from scratch each time.

A **row** names its people as ``{"role", "person", …}``; whose they are is the row's ``family``: ``(home, group)``. Group 0
are the registered people of that home, named by their ID numbers. The other groups are couples in no register, named by
name and telephone. A row with ``lone`` names people of whom nothing certain is known: each such row's people are its own.

A **ruling** is what a reviewer said, about labels that stood for persons or households at that time: ``same`` (two persons
are one), ``home`` (two households are one), ``is`` (the person of a row is that one, whatever the row says), ``alone`` (the
person of a row is not whom it says), ``apart`` (is not that one).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from tests.reference.incidents import Key, key
from tests.reference.people import Row

Label = tuple[Any, ...]


class Ruling(NamedTuple):
    """What a reviewer said, under the number the hub gave it.

    It rests on the mentions that then stood for whom it names: when each of them is taken back or split off, on nothing.
    """

    no: str
    what: str
    a: Label  # of ``is``, ``alone`` and ``apart``: the row's key and the role
    b: Label = ()
    a_rests_on: frozenset[Label] = frozenset()
    b_rests_on: frozenset[Label] = frozenset()


class Joined:
    """Labels put together, two at a time."""

    def __init__(self) -> None:
        self.up: dict[Label, Label] = {}

    def root(self, label: Label) -> Label:
        while label in self.up:
            label = self.up[label]
        return label

    def join(self, a: Label, b: Label) -> None:
        a, b = sorted((self.root(a), self.root(b)), key=repr)
        if a != b:
            self.up[b] = a


class Meant:
    """Persons and households of these rows under these rulings; rows in the order in which they were first heard of."""

    def __init__(self, rows: Iterable[Row], rulings: Iterable[Ruling]) -> None:
        self.rows = list(rows)
        order = [spot(row, who) for row in self.rows for who in row["people"]]
        here = set(order)
        named = {spot(row, who): (row, who) for row in self.rows for who in row["people"]}
        self.rulings: list[Ruling] = []
        stand_in: dict[tuple[str, str], Label] = {}  # which mention stands for whom a ruling names now
        self.detached: dict[Label, Label] = {}
        for one, *on_either_side in reversed(list(self._resting(rulings, here))):
            # the newest word on a mention holds; older ones say nothing of it any more
            if all(on & (here | {()}) for on in on_either_side) and not (
                one.what in ("is", "alone") and one.a not in here
            ):
                self.rulings.insert(0, one)
                for side, on in zip(("a", "b"), on_either_side, strict=True):
                    if () not in on:
                        stand_in[one.no, side] = next(where for where in order if where in on & here)
                if one.what in ("is", "alone"):
                    self.detached[one.a] = (one.what, one.no, *one.a)
                    here = here - {one.a}
        self.rulings = [
            one._replace(**{
                side: self.label(*named[stand_in[one.no, side]]) for side in ("a", "b") if (one.no, side) in stand_in
            })
            for one in self.rulings
        ]  # fmt: skip
        self.persons, self.homes = Joined(), Joined()
        for one in self.rulings:
            if one.what == "same":
                self.persons.join(one.a, one.b)
            if one.what == "is":
                self.persons.join(self.detached[one.a], one.b)
        self._live_together()

    @staticmethod
    def _resting(rulings: Iterable[Ruling], here: set[Label]) -> Iterable[tuple[Ruling, set[Label], set[Label]]]:
        """Each ruling and the mentions that either side rests on, ``()`` for one that needs none.

        A mention that was somebody only by an ``is`` whose somebody is gone stands for nobody in what was ruled since.
        """
        lost: set[Label] = set()
        for one in rulings:
            a = set(one.a_rests_on) - lost if one.a_rests_on else {()}
            b = set(one.b_rests_on) - lost if one.b_rests_on else {()}
            if one.what in ("is", "alone"):
                lost = lost - {one.a}
                if not b & (here | {()}):
                    lost = lost | {one.a}
            yield one, a, b

    def label(self, row: Row, who: Row) -> Label:
        """What names this person, before any ruling about two."""
        if (key(row), who["role"]) in self.detached:
            return self.detached[key(row), who["role"]]
        if row["lone"]:
            return ("lone", key(row), who["person"])
        home, group = row["family"]
        return ("number", home, who["person"]) if group == 0 else ("name", home, group, who["person"])

    def person(self, row: Row, who: Row) -> Label:
        return self.persons.root(self.label(row, who))

    def _live_together(self) -> None:
        """A registered person lives in their home; those whom one row names as a family live where the others do."""
        for row in self.rows:
            roots = [self.person(row, who) for who in row["people"]]
            for one in roots:
                self.homes.join(one, roots[0])
        for label in {self.label(row, who) for row in self.rows for who in row["people"]} | set(self._labels()):
            if label[0] == "number":
                self.homes.join(self.persons.root(label), ("home", label[1]))
        for one in self.rulings:
            if one.what == "home":
                self.homes.join(*(self.node(label) for label in (one.a, one.b)))

    def _labels(self) -> Iterable[Label]:
        for one in self.rulings:
            yield from (label for label in (one.a, one.b) if label and label[0] == "number")

    def node(self, label: Label) -> Label:
        return label if label[0] == "home" else self.persons.root(label)

    def household(self, row: Row) -> Label:
        return self.homes.root(self.person(row, row["people"][0]))

    # -- what names a person or a household to a reviewer ---------------------------------------------------------------

    def name_of_person(self, root: Label) -> Label:
        """The ID number before others, else as the oldest row calls them."""
        found = [self.label(row, who) for row in self.rows for who in row["people"] if self.person(row, who) == root]
        found += [label for label in self._labels() if self.persons.root(label) == root]
        return next((label for label in found if label[0] == "number"), found[0])

    def name_of_household(self, root: Label) -> Label:
        """The register's number, else its oldest row's first person."""
        row = next(row for row in self.rows if self.household(row) == root)
        home = self.registered(root)
        return ("home", home) if home is not None else self.label(row, row["people"][0])

    def registered(self, root: Label) -> int | None:
        """The home of the register that a household is."""
        homes = sorted(self.register_of(root))
        return homes[0] if homes else None

    def register_of(self, root: Label) -> set[int]:
        numbers = {n[1] for n in [*self.homes.up, root] if n[0] == "home" and self.homes.root(n) == root}
        return {int(n) for n in numbers}

    def mentions_of(self, label: Label) -> frozenset[Label]:
        """Where a person is named; nowhere in particular if the register knows them."""
        root = self.persons.root(label)
        if self.name_of_person(root)[0] == "number":
            return frozenset()
        return frozenset(spot(row, who) for row in self.rows for who in row["people"] if self.person(row, who) == root)

    def mentions_at(self, label: Label) -> frozenset[Label]:
        """Where anybody of a household is named, unless it is the register's."""
        root = self.homes.root(self.node(label))
        if self.register_of(root):
            return frozenset()
        return frozenset(spot(row, who) for row in self.rows if self.household(row) == root for who in row["people"])

    def households(self) -> dict[Label, list[Row]]:
        """Every household with its rows, in which each person is who they are."""
        found: dict[Label, list[Row]] = {}
        for row in self.rows:
            people = [{**who, "person": self.person(row, who)} for who in row["people"]]
            found.setdefault(self.household(row), []).append({**row, "people": people})
        return found

    # -- what a reviewer of sound mind does not say ----------------------------------------------------------------------

    def is_clear(self) -> bool:
        """No person of two ID numbers, no household of two registered homes, nobody joined whom somebody kept apart."""
        numbers: dict[Label, set[Label]] = {}
        for label in {*self.persons.up, *self.persons.up.values()}:
            if label[0] == "number":
                numbers.setdefault(self.persons.root(label), set()).add(label)
        kept = all(
            self.person(row, who) != self.persons.root(one.b)
            for one in self.rulings if one.what == "apart"
            for row in self.rows for who in row["people"] if (key(row), who["role"]) == one.a
        )  # fmt: skip
        roots = {self.homes.root(label) for label in [*self.homes.up, *self.homes.up.values()]}
        return kept and all(len(found) == 1 for found in numbers.values()) and all(
            len(self.register_of(root)) < 2 for root in roots
        )  # fmt: skip


def spot(row: Row, who: Row) -> tuple[Key, str]:
    return key(row), who["role"]
