"""The neighbourhood of fresh records: every current record that ``place`` has to see with them.

A fixed point: records that share a deciding index value (old or new) with one already found, stand on the same
household, name the same person or carry the same number. Mostly nothing is known and two look-ups end it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from hub.core.hood import REVIEW, Entry, Home, Index, Mention, Neighbourhood
from hub.core.records import Facts, Key, Party
from hub.core.timeline import facts_from_json
from hub.core.values import link_form
from hub.core.words import KINDS
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


_PartyRow = tuple[int, str, int | None, int | None, str | None, str | None, bytes]
"""idx, role, person, birth day, capacity, sex, packed indexes."""


class Hood(NamedTuple):
    """What was read: the neighbourhood, and the store's ids behind its keys."""

    neighbourhood: Neighbourhood
    record_ids: Mapping[Key, int]
    places: Mapping[int, Mapping[int, str]]  # record → household → why, as stored
    persons: Mapping[tuple[int, int], int | None]  # (record, idx) → person, as stored


def pack(indexes: Iterable[Index]) -> bytes:
    """Blind indexes of one party as the party row keeps them."""
    return b"".join(index.kind.encode() + b"\0" + index.value for index in indexes)


def unpack(packed: bytes) -> tuple[Index, ...]:
    """The inverse of ``pack``."""
    found: list[Index] = []
    start = 0
    while start < len(packed):
        end = packed.index(b"\0", start)
        found.append(Index(packed[start:end].decode(), packed[end + 1 : end + 17]))
        start = end + 17
    return tuple(found)


class _Search:
    """The fixed point in the making."""

    def __init__(self, sql: Sql, fresh: Sequence[FreshRecord], known: frozenset[int]) -> None:
        self.sql = sql
        self.fresh = {record.record_id: record for record in fresh}
        self.known = known
        self.generic: set[bytes] = set()
        self.records: set[int] = set()
        self.values: set[bytes] = set()
        self.numbers: set[str] = set()
        self.persons: set[int] = set()
        self.households: set[int] = set()
        self.places: dict[int, dict[int, str]] = {}
        self.parties: dict[int, list[_PartyRow]] = {}

    def run(self) -> None:
        """Follow links until nothing new is found."""
        values, numbers = self._own_links()
        frontier = set(self.fresh) | self._by_household(self._registered())
        for _ in range(ROUNDS):
            frontier |= self._by_value(values) | self._by_number(numbers)
            frontier -= self.records
            if not frontier or len(self.records) > MOST:
                break
            self.records |= frontier
            values, numbers, persons, households = self._links_of(frontier)
            frontier = self._by_person(persons) | self._by_household(households)

    def _own_links(self) -> tuple[set[bytes], set[str]]:
        values: set[bytes] = set()
        numbers: set[str] = set()
        for record in self.fresh.values():
            if not record.gone:
                values.update(v for indexes in record.indexes for kind, v in indexes if kind not in REVIEW)
                numbers.add(link_form(record.key.no))
                numbers.update(link_form(no) for no in record.related)
        return values, numbers

    def _registered(self) -> set[int]:
        """Households that fresh rows of the register name by the register's own number."""
        named = {
            r.facts.get("household_no") for r in self.fresh.values() if r.kind == "household_member" and not r.gone
        }
        rows = self.sql.rows_in("SELECT id FROM household WHERE registered {in}", [no for no in named if no])
        return {int(household) for (household,) in rows}

    def _by_value(self, values: Iterable[bytes]) -> set[int]:
        asked = [value for value in values if value not in self.values]
        self.values.update(asked)
        holders: dict[bytes, list[int]] = {}
        for value, record_id in self.sql.rows_in("SELECT value, record_id FROM blind_index WHERE value {in}", asked):
            holders.setdefault(bytes(value), []).append(int(record_id))
        self.generic.update(value for value, records in holders.items() if len(records) > CROWDED)
        return {record for value, records in holders.items() if value not in self.generic for record in records}

    def similar(self) -> dict[bytes, tuple[int, ...]]:
        """Stored persons that share a REVIEW value with a fresh record."""
        asked = {
            value
            for record in self.fresh.values()
            if not record.gone
            for indexes in record.indexes
            for kind, value in indexes
            if kind in REVIEW
        }
        found: dict[bytes, set[int]] = {}
        for value, person in self.sql.rows_in(
            "SELECT b.value, p.person_id FROM blind_index b JOIN party p ON p.record_id = b.record_id AND p.idx = b.idx"
            " WHERE p.person_id IS NOT NULL AND b.value {in}",
            asked,
        ):
            found.setdefault(bytes(value), set()).add(int(person))
        return {value: tuple(sorted(persons)) for value, persons in found.items() if len(persons) <= GENERIC}

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
        return {int(r) for (r,) in self.sql.rows_in("SELECT record_id FROM event_place WHERE household_id {in}", asked)}

    def _links_of(self, records: set[int]) -> tuple[set[bytes], set[str], set[int], set[int]]:
        """Deciding values, numbers, persons and households of stored records; also keeps their rows."""
        stored = [r for r in records if r not in self.fresh or r in self.known]
        values: set[bytes] = set()
        persons: set[int] = set()
        for record_id, idx, role, person, born, capacity, sex, packed in self.sql.rows_in(
            "SELECT record_id, idx, role, person_id, born, capacity, sex, indexes FROM party WHERE record_id {in}",
            stored,
        ):
            row = (int(idx), role, person, born, capacity, sex, bytes(packed))
            self.parties.setdefault(int(record_id), []).append(row)
            if person is not None:
                persons.add(int(person))
            values.update(value for kind, value in unpack(bytes(packed)) if kind not in REVIEW)
        households: set[int] = set()
        for record_id, household, why in self.sql.rows_in(
            "SELECT record_id, household_id, why FROM event_place WHERE record_id {in}", stored
        ):
            self.places.setdefault(int(record_id), {})[int(household)] = why
            households.add(int(household))
        numbers = {str(no) for (no,) in self.sql.rows_in("SELECT no FROM number WHERE record_id {in}", stored)}
        return values, numbers, persons, households


def read_hood(sql: Sql, fresh: Sequence[FreshRecord], known: frozenset[int]) -> Hood:
    """The neighbourhood of ``fresh``; ``known`` are those of them that were stored before this batch.

    Read before the fresh records' own rows are rewritten, so that old index values are followed too.
    """
    search = _Search(sql, fresh, known)
    search.run()
    entries, record_ids = _entries(sql, search)
    left = {
        record.key: tuple(sorted(search.places.get(record.record_id, ())))
        for record in search.fresh.values()
        if record.gone
    }
    persons = {(r, row[0]): row[2] for r, rows in search.parties.items() for row in rows}
    hood = Neighbourhood(tuple(entries), _homes(sql, search), left, frozenset(search.generic), search.similar())
    return Hood(hood, record_ids, search.places, persons)


def _entries(sql: Sql, search: _Search) -> tuple[list[Entry], dict[Key, int]]:
    others = [r for r in search.records if r not in search.fresh]
    entries: list[Entry] = []
    record_ids: dict[Key, int] = {}
    for record_id, unit, stream, no, kind, at, facts, related in sql.rows_in(
        "SELECT id, unit, stream, no, kind, at, facts, related FROM record WHERE state = 'applied' AND id {in}", others
    ):
        if kind in KINDS and KINDS[kind].subject != "people":
            continue
        key = Key(unit, stream, no)
        number = int(record_id)
        record_ids[key] = number
        mentions = _stored_mentions(search, number)
        households = tuple(sorted(search.places.get(number, ())))
        linked = tuple(related.split(";")) if related else ()
        entries.append(Entry(key, kind, from_us(at), facts_from_json(facts), linked, mentions, households, False))
    for record in search.fresh.values():
        record_ids[record.key] = record.record_id
        if not record.gone:
            entries.append(_fresh_entry(record, search))
    return entries, record_ids


def _stored_mentions(search: _Search, record_id: int) -> tuple[Mention, ...]:
    rows = sorted(search.parties.get(record_id, ()), key=lambda row: row[0])
    return tuple(
        Mention(idx, role, person, unpack(packed), from_day(born), capacity, sex)
        for idx, role, person, born, capacity, sex, packed in rows
    )


def _fresh_entry(record: FreshRecord, search: _Search) -> Entry:
    if record.as_stored:
        households = tuple(sorted(search.places.get(record.record_id, ())))
        mentions = _stored_mentions(search, record.record_id)
        return Entry(record.key, record.kind, record.at, record.facts, record.related, mentions, households, True)
    before = {row[0]: row for row in search.parties.get(record.record_id, ())}
    mentions = tuple(
        Mention(idx, party.role, _same_person(before.get(idx), party.role, indexes), indexes, party.born,
                party.capacity, party.sex)
        for idx, (party, indexes) in enumerate(zip(record.parties, record.indexes, strict=True))
    )  # fmt: skip
    households = tuple(sorted(search.places.get(record.record_id, ())))
    return Entry(record.key, record.kind, record.at, record.facts, record.related, mentions, households, True)


def _same_person(before: _PartyRow | None, role: str, indexes: tuple[Index, ...]) -> int | None:
    """The person a corrected record named here before, if nothing speaks against it: same role, no new identity."""
    if before is None or before[1] != role:
        return None
    old = {value for kind, value in unpack(before[6]) if kind not in REVIEW}
    new = {value for kind, value in indexes if kind not in REVIEW}
    return before[2] if not old - new or old & new else None


def _homes(sql: Sql, search: _Search) -> dict[int, Home]:
    wanted = {household for places in search.places.values() for household in places} | search.households
    return {
        int(number): Home(registered, bool(provisional), community)
        for number, registered, provisional, community in sql.rows_in(
            "SELECT id, registered, provisional, community FROM household WHERE id {in}", wanted
        )
    }
