"""A small archive for tests of ``place``: it builds neighbourhoods as the line must, and stores what comes out.

Names, phones and numbers are invented words; an "index" here is the word itself, as bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from hub.core.hood import REVIEW, Entry, Home, Index, Mention, Neighbourhood, Placing
from hub.core.place import place
from hub.core.records import SHANGHAI, Key, Member
from hub.core.values import link_form


class P(NamedTuple):
    """A person as a record names them."""

    role: str
    name: str = ""
    id: str = ""
    phone: str = ""
    born: date | None = None
    sex: str | None = None
    capacity: str | None = None
    masked: str = ""


def at(text: str) -> datetime:
    """An instant of the day ``2026-03-01`` or the minute ``2026-03-01 20:15``, in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def record(
    no: str,
    kind: str,
    when: str,
    /,
    *people: P,
    unit: str = "police",
    stream: str = "s",
    related: tuple[str, ...] = (),
    **facts: object,
) -> Entry:
    """A fresh record that was never placed."""
    mentions = tuple(
        Mention(i, p.role, None, _indexes(p, (no, *related)), p.born, p.capacity, p.sex) for i, p in enumerate(people)
    )
    return Entry(Key(unit, stream, no), kind, at(when), facts, related, mentions, (), True)


def _indexes(p: P, numbers: Iterable[str]) -> tuple[Index, ...]:
    found = []
    if p.id:
        found.append(Index("id", f"id {p.id}".encode()))
    if p.name and p.phone:
        found.append(Index("name_phone", f"np {p.name} {p.phone}".encode()))
    if p.name and p.born:
        found.append(Index("name_born_area", f"nb {p.name} {p.born}".encode()))
    if p.name:
        found += [Index("name_number", f"nn {p.name} {number}".encode()) for number in numbers]
    if p.phone:
        found.append(Index("phone", f"p {p.phone}".encode()))
    if p.masked:
        found.append(Index("masked", f"m {p.masked}".encode()))
    return tuple(found)


def row(
    home: str,
    member: str,
    person: P,
    since: date | None = None,
    until: date | None = None,
    role: str = "spouse",
    **facts: object,
) -> Entry:
    """A row of the grid's register."""
    return record(
        f"{home}/{member}",
        "household_member",
        str(since or "2015-01-01"),
        person._replace(role="member"),
        unit="community_grid",
        stream="household",
        household_no=home,
        role=role,
        **{"from": since},
        until=until,
        **facts,
    )


def call(
    no: str,
    when: str,
    a: P,
    b: P | None = None,
    relation: str | None = "spouse",
    related: tuple[str, ...] = (),
    category: str = "domestic_violence",
    **facts: object,
) -> Entry:
    """A call to the police about two parties (or one)."""
    people = [a._replace(role="party_a"), *([b._replace(role="party_b")] if b else [])]
    return record(no, "police_call", when, *people, related=related, category=category, relation=relation, **facts)


@dataclass
class Archive:
    """Current records with their placement; ``feed`` and ``retract`` are one batch each."""

    entries: dict[Key, Entry] = field(default_factory=dict)
    homes: dict[int, Home] = field(default_factory=dict)
    successors: dict[int, int] = field(default_factory=dict)
    aliases: dict[int, int] = field(default_factory=dict)
    persons: int = 0
    households: int = 0
    members: dict[int, tuple[Member, ...]] = field(default_factory=dict)

    def feed(self, *fresh: Entry) -> Placing:
        """New records, or newer versions of known ones."""
        old = [self.entries[e.key] for e in fresh if e.key in self.entries]
        given = []
        for entry in fresh:
            before = self.entries.get(entry.key)
            if before is not None:
                person = {m.idx: m.person for m in before.mentions}
                mentions = tuple(m._replace(person=person.get(m.idx)) for m in entry.mentions)
                entry = entry._replace(households=before.households, mentions=mentions)
            given.append(entry)
        return self._apply(self._around(given, old), {})

    def retract(self, key: Key) -> Placing:
        """The record was wrong: it is no longer among the current ones."""
        gone = self.entries.pop(key)
        return self._apply(self._around([], [gone]), {key: gone.households})

    def _around(self, fresh: list[Entry], old: list[Entry]) -> list[Entry]:
        """Fresh records and everything linked to them, old or new, to a fixed point."""
        keys = {e.key for e in fresh}
        rest = {key: e for key, e in self.entries.items() if key not in keys}
        found = [*fresh]
        frontier = [*fresh, *old]
        numbers = {home.registered: number for number, home in self.homes.items() if home.registered}
        while frontier:
            links = {link for e in frontier for link in _links(e, numbers)}
            frontier = [e for e in rest.values() if not links.isdisjoint(_links(e, numbers))]
            for entry in frontier:
                del rest[entry.key]
            found += frontier
        return found

    def _apply(self, entries: list[Entry], left: dict[Key, tuple[int, ...]]) -> Placing:
        placing = place(Neighbourhood(tuple(entries), self.homes, left))
        new_person = {p: self.persons - p for p in sorted(set(placing.persons.values())) if p < 0}
        self.persons += len(new_person)
        new_home = {h: self.households - h for h in placing.homes if h < 0}
        self.households += len(new_home)
        self.homes |= {new_home.get(h, h): home for h, home in placing.homes.items()}
        self.successors |= {h: new_home.get(to, to) for h, to in placing.successors.items()}
        self.aliases |= {p: new_person.get(to, to) for p, to in placing.aliases.items()}
        for entry in entries:
            places = tuple(new_home.get(h, h) for h, _ in placing.households[entry.key])
            mentions = tuple(
                m._replace(person=new_person.get(p, p))
                for m in entry.mentions
                for p in [placing.persons[entry.key, m.idx]]
            )
            self.entries[entry.key] = entry._replace(households=places, mentions=mentions, fresh=False)
        self.members |= {
            new_home.get(h, h): tuple(m._replace(person=new_person.get(m.person, m.person)) for m in members)
            for h, members in placing.members.items()
        }
        return placing

    def where(self, no: str) -> set[int]:
        """Households on which the record with this number counts."""
        (entry,) = [e for e in self.entries.values() if e.key.no == no]
        return set(entry.households)

    def listed(self) -> set[int]:
        """Households on which anything counts."""
        return {h for e in self.entries.values() for h in e.households}

    def partition(self) -> tuple[frozenset[frozenset[tuple[Key, int]]], frozenset[frozenset[Key]]]:
        """Persons as sets of mentions, households as sets of records: what must not depend on history."""
        persons: dict[int | None, set[tuple[Key, int]]] = {}
        homes: dict[int, set[Key]] = {}
        for e in self.entries.values():
            for m in e.mentions:
                persons.setdefault(m.person, set()).add((e.key, m.idx))
            for h in e.households:
                homes.setdefault(h, set()).add(e.key)
        return frozenset(map(frozenset, persons.values())), frozenset(map(frozenset, homes.values()))


def _links(entry: Entry, registered: dict[str | None, int]) -> set[object]:
    links: set[object] = {i for m in entry.mentions for i in m.indexes if i.kind not in REVIEW}
    links |= {("person", m.person) for m in entry.mentions if m.person is not None}
    links |= {("home", h) for h in entry.households}
    links |= {("no", link_form(no)) for no in (entry.key.no, *entry.related)}
    number = entry.facts.get("household_no")
    if number:
        links |= {("register", number), ("home", registered.get(str(number), -1))}
    return links


def whys(placing: Placing, no: str) -> list[str]:
    """Why codes of a record's households, in order."""
    return [why for key, places in placing.households.items() if key.no == no for _, why in places]
