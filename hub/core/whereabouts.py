"""Where every record belongs: the households of its persons at its time, and why (A8, S24, S25, S31)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from hub.core.hood import Entry
from hub.core.household import EVER, Homes
from hub.core.kinship import Parting, read
from hub.core.persons import People, find
from hub.core.rulings import NOT_JOINED, Joined
from hub.core.together import Together
from hub.core.values import link_form

WHY = (
    "together",
    "home",
    "victim_side",
    "alleged_side",
    "party_side",
    "register",
    "number",
    "ruled",
    "successor",
    "provisional",
)
"""Why a record counts on a household. together: all its persons lived there · home: its one person did · …_side: they
lived apart, this is where one side lived · register: a row of the register · number: linked by number only · ruled: a
person's decision alone ·
successor: the household before a divorce had it · provisional: nothing certain is known of its persons."""


class Whereabouts(NamedTuple):
    """Homes by root node of ``homes``; ``places`` in the order of the entries, the nearest home of each first."""

    homes: Homes
    places: list[list[tuple[int, str]]]
    sure: set[int]  # roots where somebody certain was placed
    roles: dict[int, str]  # person → role of the strongest tie


def locate(entries: Sequence[Entry], people: People, joined: Joined = NOT_JOINED) -> Whereabouts:
    """Find the households of ``entries`` among each other; ``joined``: what people ruled to be of one household."""
    search = _Search(entries, people, joined)
    search.place_by_persons()
    search.place_by_numbers()
    search.link_former_homes()
    return Whereabouts(search.homes, search.places, search.sure, search.together.roles)


class _Search:
    def __init__(self, entries: Sequence[Entry], people: People, joined: Joined = NOT_JOINED) -> None:
        self.entries = entries
        self.people = people
        self.readings = [read(entry) for entry in entries]
        self.together = Together(entries, self.readings, people, joined.mentions)
        self.ruled = {pair for a, b in joined.entries for pair in ((a, b), (b, a))}
        self.homes = self.together.homes
        self.persons = self.together.persons
        self.known_roots: set[int] = set()  # homes where somebody known lives
        self.sure: set[int] = set()
        self.places: list[list[tuple[int, str]]] = []
        self.unplaced: list[int] = []

    def place_by_persons(self) -> None:
        """Put each record where its persons lived at its time; what names nobody certain waits for its numbers."""
        homes = self.homes
        self.known_roots = {find(homes.parent, n) for n, who in enumerate(homes.person) if who in self.people.known}
        self.known_roots.update(homes.number)
        for number in range(len(self.entries)):
            row = self.together.register[number]
            if row is not None:
                root = find(self.homes.parent, self.homes.registered[row.number])
                self.sure.add(root)
                self.places.append([(root, "register")])
                continue
            self.places.append(self._by_persons(number))
            if not self.places[-1]:
                self.unplaced.append(number)

    def _by_persons(self, number: int) -> list[tuple[int, str]]:
        sides = self.readings[number].sides
        day = self._day(self.entries[number])
        found: dict[int, str] = {}
        named = 0
        for position, why in sides:
            root = self._certain_root(self.persons[number][position], day)
            if root is not None:
                found.setdefault(root, why)
                named += 1
        self.sure.update(found)
        if len(found) == 1:
            (root,) = found
            return [(root, "home" if named == 1 else "together")]
        return list(found.items())

    def _day(self, entry: Entry) -> date:
        """The day that decides: of a state of the household (special category) its last one, else the event's."""
        if entry.kind == "special_household":
            until = entry.facts.get("until")
            return date(until.year, until.month, until.day) if isinstance(until, date) else EVER
        return entry.at.date()

    def _certain_root(self, person: int, day: date) -> int | None:
        """Where a person certainly lived: known by themselves, or by a tie to somebody known, or the same either way."""
        people, homes = self.people, self.homes
        if person in people.known:
            return homes.root(person, day)
        root = homes.root(person, day)
        if root in self.known_roots:
            return root
        roots = {homes.root(candidate, day) for candidate in people.unsure.get(person, ())}
        return roots.pop() if len(roots) == 1 else None

    def place_by_numbers(self) -> None:
        """Records of nobody certain: the households of records linked by number, else a provisional one of their own."""
        if not self.unplaced:
            return
        waiting = set(self.unplaced)
        own = {number: self._own_node(number) for number in self.unplaced}
        links = [*_links(self.entries, waiting), *(pair for pair in sorted(self.ruled) if pair[0] in waiting)]
        for a, b in links:
            if b in waiting:
                self.homes.join(own[a], own[b])
        certain: dict[int, list[int]] = {}  # root of waiting records → records linked to them by number
        for a, b in links:
            if b not in waiting:
                certain.setdefault(find(self.homes.parent, own[a]), []).append(b)
        for number in self.unplaced:
            root = find(self.homes.parent, own[number])
            linked = {
                home: "ruled" if (number, other) in self.ruled else "number"
                for other in certain.get(root, ())
                for home, _ in self.places[other]
            }
            self.places[number] = list(linked.items()) or [(root, "provisional")]

    def _own_node(self, number: int) -> int:
        sides = self.readings[number].sides
        if not sides:
            return self.homes.node()
        return self.homes.stay(self.persons[number][sides[0][0]], self.entries[number].at.date())

    def link_former_homes(self) -> None:
        """What a couple's household had before they parted counts where each of them lives now (S31, section 4)."""
        if not self.together.partings:
            return
        natural = [dict(places) for places in self.places]
        by_root: dict[int, list[int]] = {}
        for number, places in enumerate(natural):
            for root in places:
                by_root.setdefault(root, []).append(number)
        acquainted = self._acquainted()
        for (a, b), parted in self.together.partings.items():
            now = [self.homes.root(a, EVER), self.homes.root(b, EVER)]
            if now[0] == now[1]:
                continue
            family = _family(acquainted, a, b, parted)
            nodes = self.homes.stays_ever(a) | self.homes.stays_ever(b)
            numbers = {n for node in nodes for n in by_root.get(find(self.homes.parent, node), ())}
            for number in numbers:
                if self._was_theirs(number, a, b, parted, family, natural[number]):
                    self._link(number, now, natural[number])

    def _acquainted(self) -> dict[int, list[tuple[int, Entry]]]:
        known: dict[int, list[tuple[int, Entry]]] = {}
        for entry, reading, persons in zip(self.entries, self.readings, self.persons, strict=True):
            for tie in reading.ties:
                known.setdefault(persons[tie.a], []).append((persons[tie.b], entry))
                known.setdefault(persons[tie.b], []).append((persons[tie.a], entry))
        return known

    def _was_theirs(
        self, number: int, a: int, b: int, parted: Parting, family: frozenset[int], natural: dict[int, str]
    ) -> bool:
        entry = self.entries[number]
        if self.together.register[number] is not None or entry.kind == "special_household":
            return False
        x, y = self.homes.stay(a, entry.at.date()), self.homes.stay(b, entry.at.date())
        if self.homes.is_registered(x) and self.homes.is_registered(y):
            return x == y and find(self.homes.parent, x) in natural
        return entry.at < parted.at and not family.isdisjoint(self.persons[number])

    def _link(self, number: int, now: list[int], natural: dict[int, str]) -> None:
        places = dict(self.places[number])
        if all(root in natural for root in now):
            places |= dict.fromkeys(now, "successor")
        else:
            for root in now:
                places.setdefault(root, "successor")
        self.places[number] = list(places.items())


def _family(known: dict[int, list[tuple[int, Entry]]], a: int, b: int, parted: Parting) -> frozenset[int]:
    """Who was one household with the couple before they parted; nobody if no record shows them together then."""
    found, pending = {a}, [a]
    while pending:
        for other, entry in known.get(pending.pop(), ()):
            if entry.at < parted.at and other not in found:
                found.add(other)
                pending.append(other)
    return frozenset(found) if b in found else frozenset()


def _links(entries: Sequence[Entry], waiting: set[int]) -> Iterable[tuple[int, int]]:
    """Records that a number links: a waiting one, and another (one names the other, or both name a third)."""
    own: dict[str, list[int]] = {}
    named: dict[str, list[int]] = {}
    for number, entry in enumerate(entries):
        own.setdefault(link_form(entry.key.no), []).append(number)
        for no in entry.related:
            named.setdefault(link_form(no), []).append(number)
    for no, naming in named.items():
        linked = [*naming, *own.get(no, ())]
        first = next((n for n in linked if n in waiting), None)
        if first is not None:
            yield from ((first, n) for n in linked if n != first)
