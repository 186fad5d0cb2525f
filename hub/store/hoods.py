"""The neighbourhood of fresh records: every current record that ``place`` has to see with them.

A fixed point: records that share a deciding index value (old or new) with one already found, stand on the same
household, name the same person or carry the same number. Mostly nothing is known and two look-ups end it.

The index table keeps the first eight bytes of a value: enough to find, and ``place`` compares whole values. What a name
and a number decide together is found by the number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from hub.core.hood import REVIEW, Entry, Home, Index, Mention, Neighbourhood
from hub.core.records import Facts, Key, Party
from hub.core.values import link_form
from hub.core.words import KINDS
from hub.store import rulings
from hub.store.index_bytes import PARTIES, UNLISTED, look_up
from hub.store.loaded import Loaded, PartyOf, RecordRow
from hub.store.sql import Sql
from hub.store.times import from_day, from_us

GENERIC = 40
"""A value of a REVIEW index carried by more persons than this says nothing."""
CROWDED = 2_000
"""A value of a deciding index shared by more records than this is a placeholder somebody typed."""
MOST = 20_000
"""Entries of one neighbourhood; beyond it nothing more is followed (a history load brings its own neighbours)."""
ROUNDS = 12


class FreshRecord(NamedTuple):
    """A record whose current version changed in this batch; ``gone``: retracted or rejected now."""

    record_id: int
    key: Key
    kind: str
    at: datetime
    facts: Facts
    related: tuple[str, ...]
    parties: tuple[Party, ...]
    indexes: tuple[tuple[Index, ...], ...]
    gone: bool
    as_stored: bool = False  # its persons are those the store has (only facts changed: a late older version)


class Hood(NamedTuple):
    """What was read: the neighbourhood, and the store's ids behind its keys."""

    neighbourhood: Neighbourhood
    record_ids: Mapping[Key, int]
    loaded: Loaded
    rewritten: frozenset[int]  # records whose parties this commit writes anew
    stored: frozenset[int]  # records that were here before this batch


_PASSED = frozenset(REVIEW) | UNLISTED


class _Search:
    """The fixed point in the making."""

    def __init__(
        self, loaded: Loaded, fresh: Sequence[FreshRecord], known: frozenset[int], back: rulings.Ruled | None
    ) -> None:
        self.loaded = loaded
        self.sql = loaded.sql
        self.fresh = {record.record_id: record for record in fresh}
        self.known = known
        self.generic: set[bytes] = set()
        self.records: set[int] = set()
        self.values: set[bytes] = set()
        self.numbers: set[str] = set()
        self.persons: set[int] = set()
        self.households: set[int] = set()
        self.decisions = rulings.standing(self.sql)
        self.back = back or rulings.Ruled()

    def run(self) -> None:
        """Follow links until nothing new is found."""
        values, numbers = self._own_links()
        frontier = set(self.fresh) | self._by_household(self._registered()) | self._by_given_back()
        for _ in range(ROUNDS):
            frontier |= self._by_value(values) | self._by_number(numbers)
            frontier -= self.records
            if not frontier or len(self.records) > MOST:
                break
            self.records |= frontier
            values, numbers, persons, households = self._links_of(frontier)
            ruled = {record for one in self.decisions if one.records & frontier for record in one.records}
            frontier = self._by_person(persons) | self._by_household(households) | ruled

    def _own_links(self) -> tuple[set[bytes], set[str]]:
        values: set[bytes] = set()
        numbers: set[str] = set()
        for record in self.fresh.values():
            if not record.gone:
                values.update([v for indexes in record.indexes for kind, v in indexes if kind not in _PASSED])
                numbers.add(link_form(record.key.no))
                numbers.update([link_form(no) for no in record.related])
        return values, numbers

    def _registered(self) -> set[int]:
        """Households that fresh rows of the register name by the register's own number."""
        named = {
            r.facts.get("household_no") for r in self.fresh.values() if r.kind == "household_member" and not r.gone
        }
        rows = self.sql.rows_in("SELECT id FROM household WHERE registered {in}", [no for no in named if no])
        return {int(household) for (household,) in rows}

    def _by_given_back(self) -> set[int]:
        """Who bears by now a number that is given back: one number never stands for two."""
        homes, persons = set(self.back.homes.values()), set(self.back.persons.values())
        return self._by_household(homes) | self._by_person(persons)

    def _by_value(self, values: Iterable[bytes]) -> set[int]:
        asked = {look_up(value): value for value in values if value not in self.values}
        self.values.update(asked.values())
        holders: dict[int, list[int]] = {}
        for value, party in self.sql.rows_in("SELECT value, party FROM blind_index WHERE value {in}", sorted(asked)):
            holders.setdefault(value, []).append(party // PARTIES)
        crowded = {value for value, records in holders.items() if len(records) > CROWDED}
        self.generic.update(asked[value] for value in crowded)
        return {record for value, records in holders.items() if value not in crowded for record in records}

    def similar(self) -> dict[bytes, tuple[int, ...]]:
        """Stored persons that share a REVIEW value with a person whom a fresh record names without an ID number."""
        asked = {
            look_up(value): value
            for record in self.fresh.values()
            if not record.gone
            for indexes in self._indexes_of(record)
            if not any(kind == "id" for kind, _ in indexes)
            for kind, value in indexes
            if kind in REVIEW
        }
        spots: dict[int, list[int]] = {}
        for value, party in self.sql.rows_in("SELECT value, party FROM blind_index WHERE value {in}", sorted(asked)):
            spots.setdefault(party, []).append(value)
        self.loaded.read_parties({party // PARTIES for party in spots})
        found: dict[bytes, set[int]] = {}
        for party, values in spots.items():
            rows = self.loaded.parties.get(party // PARTIES, ())
            person = next((row.person for row in rows if row.idx == party % PARTIES), None)
            for value in values:
                if person is not None:
                    found.setdefault(asked[value], set()).add(person)
        return {value: tuple(sorted(persons)) for value, persons in found.items() if len(persons) <= GENERIC}

    def _indexes_of(self, record: FreshRecord) -> Sequence[tuple[Index, ...]]:
        if not record.as_stored:
            return record.indexes
        return [row.indexes for row in self.loaded.parties.get(record.record_id, ())]

    def _by_number(self, numbers: Iterable[str]) -> set[int]:
        asked = [no for no in numbers if no not in self.numbers]
        self.numbers.update(asked)
        return {int(r) for (r,) in self.sql.rows_in("SELECT record_id FROM number WHERE no {in}", asked)}

    def _by_person(self, persons: Iterable[int]) -> set[int]:
        asked = [person for person in persons if person not in self.persons]
        self.persons.update(asked)
        return {int(r) for (r,) in self.sql.rows_in("SELECT record_id FROM party WHERE person_id {in}", asked)}

    def _by_household(self, households: Iterable[int]) -> set[int]:
        asked = [household for household in households if household not in self.households]
        self.households.update(asked)
        self.loaded.read_homes(asked)
        return {record for household in asked for record in self.loaded.homes[household]}

    def _links_of(self, records: set[int]) -> tuple[set[bytes], set[str], set[int], set[int]]:
        """Deciding values, numbers, persons and households of stored records; also reads their rows."""
        stored = [r for r in records if r not in self.fresh or r in self.known]
        values: set[bytes] = set()
        persons: set[int] = set()
        households: set[int] = set()
        self.loaded.read_parties(stored)
        self.loaded.read_places(stored)
        for record in stored:
            households.update(self.loaded.places[record])
            for row in self.loaded.parties[record]:
                if row.person is not None:
                    persons.add(row.person)
                values.update([value for kind, value in row.indexes if kind not in _PASSED])
        numbers = {str(no) for (no,) in self.sql.rows_in("SELECT no FROM number WHERE record_id {in}", stored)}
        return values, numbers, persons, households


def read_hood(
    loaded: Loaded, fresh: Sequence[FreshRecord], known: frozenset[int], back: rulings.Ruled | None = None
) -> Hood:
    """The neighbourhood of ``fresh``; ``known`` are those of them that were stored before this batch.

    ``back``: what decisions that are taken back in this batch give back.

    Read before the fresh records' own rows are rewritten, so that old index values are followed too.
    """
    search = _Search(loaded, fresh, known, back)
    search.run()
    loaded.read_places(search.fresh)
    entries, record_ids = _entries(search)
    left = {
        record.key: tuple(sorted(loaded.places[record.record_id])) for record in search.fresh.values() if record.gone
    }
    keys = {number: key for key, number in record_ids.items()}
    ruled = tuple(found for one in search.decisions if (found := one.ruling(keys)) is not None)
    hood = Neighbourhood(tuple(entries), _homes(search), left, frozenset(search.generic), search.similar(), ruled)
    if back is not None and (back.persons or back.homes):
        hood = hood._replace(
            back_persons={(keys[n], idx): person for (n, idx), person in back.persons.items() if n in keys},
            back_homes={keys[n]: home for n, home in back.homes.items() if n in keys},
            homes={**hood.homes, **_stored_homes(search.sql, back.homes.values())},
        )
    rewritten = frozenset(record.record_id for record in search.fresh.values() if not record.as_stored)
    return Hood(hood, record_ids, loaded, rewritten, known)


def _entries(search: _Search) -> tuple[list[Entry], dict[Key, int]]:
    others = [r for r in search.records if r not in search.fresh]
    entries: list[Entry] = []
    record_ids: dict[Key, int] = {}
    for row in search.loaded.records(others):
        if row.state != "applied" or (row.kind in KINDS and KINDS[row.kind].subject != "people"):
            continue
        record_ids[row.key] = row.id
        entries.append(_stored_entry(search.loaded, row))
    for record in search.fresh.values():
        record_ids[record.key] = record.record_id
        if not record.gone:
            entries.append(_fresh_entry(record, search.loaded))
    return entries, record_ids


def _stored_entry(loaded: Loaded, row: RecordRow) -> Entry:
    mentions = _stored_mentions(loaded, row.id)
    households = tuple(sorted(loaded.places[row.id]))
    return Entry(row.key, row.kind, from_us(row.at), loaded.facts(row), row.linked(), mentions, households, False)


def _stored_mentions(loaded: Loaded, record_id: int) -> tuple[Mention, ...]:
    return tuple(
        Mention(row.idx, row.role, row.person, row.indexes, from_day(row.born), row.capacity, row.sex)
        for row in loaded.parties.get(record_id, ())
    )


def _fresh_entry(record: FreshRecord, loaded: Loaded) -> Entry:
    households = tuple(sorted(loaded.places[record.record_id]))
    if record.as_stored:
        mentions = _stored_mentions(loaded, record.record_id)
        return Entry(record.key, record.kind, record.at, record.facts, record.related, mentions, households, True)
    before = {row.idx: row for row in loaded.parties.get(record.record_id, ())}
    mentions = tuple(
        [
            Mention(idx, party.role, _same_person(before.get(idx), party.role, indexes), indexes, party.born,
                    party.capacity, party.sex)
            for idx, (party, indexes) in enumerate(zip(record.parties, record.indexes, strict=True))
        ]
    )  # fmt: skip
    return Entry(record.key, record.kind, record.at, record.facts, record.related, mentions, households, True)


def _same_person(before: PartyOf | None, role: str, indexes: tuple[Index, ...]) -> int | None:
    """The person a corrected record named here before, if nothing speaks against it: same role, no new identity."""
    if before is None or before.role != role:
        return None
    old = {value for kind, value in before.indexes if kind not in REVIEW}
    new = {value for kind, value in indexes if kind not in REVIEW}
    return before.person if not old - new or old & new else None


def _homes(search: _Search) -> dict[int, Home]:
    places = search.loaded.places
    wanted = {household for record in search.records for household in places.get(record, ())} | search.households
    return _stored_homes(search.sql, wanted)


def _stored_homes(sql: Sql, wanted: Iterable[int]) -> dict[int, Home]:
    return {
        int(number): Home(registered, bool(provisional), community)
        for number, registered, provisional, community in sql.rows_in(
            "SELECT id, registered, provisional, community FROM household WHERE id {in}", wanted
        )
    }
