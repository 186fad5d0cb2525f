"""Rows of one commit, each read once: records, parties, places, members; kept in step with what the commit writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hub.core.hood import Index
from hub.core.records import Event, Facts, Key, Member, Party
from hub.core.timeline import facts_from_json
from hub.store.index_bytes import unpack
from hub.store.sql import Sql
from hub.store.times import from_day, from_us


class RecordRow(NamedTuple):
    """A record's current version as its row says it."""

    id: int
    key: Key
    version: int
    kind: str
    at: int
    facts: str
    related: str
    live: bool
    updated_at: int
    received_at: int
    state: str

    def linked(self) -> tuple[str, ...]:
        """Numbers the record names."""
        return tuple(self.related.split(";")) if self.related else ()


class PartyOf(NamedTuple):
    """One person on a record as its row says it."""

    idx: int
    role: str
    person: int | None
    born: int | None
    capacity: str | None
    sex: str | None
    indexes: tuple[Index, ...]

    def party(self) -> Party:
        """As the rules see it."""
        return Party(self.role, self.person, from_day(self.born), self.capacity, self.sex)


class Loaded:
    """What this commit has read and written of the archive, by the store's own numbers.

    A record of ``new_records`` or a household of ``new_homes`` was made by this commit: nothing older can name it.
    """

    def __init__(self, sql: Sql) -> None:
        self.sql = sql
        self.new_records: set[int] = set()
        self.new_homes: set[int] = set()
        self.places: dict[int, dict[int, str]] = {}  # record → household → why
        self.homes: dict[int, dict[int, str]] = {}  # household → record → why
        self.parties: dict[int, list[PartyOf]] = {}
        self._records: dict[int, RecordRow] = {}
        self._facts: dict[int, Facts] = {}
        self._members: dict[int, tuple[Member, ...]] = {}

    def records(self, numbers: Iterable[int]) -> list[RecordRow]:
        """The rows of these records, in the order asked."""
        wanted = list(numbers)
        missing = [number for number in wanted if number not in self._records]
        for row in self.sql.rows_in(
            "SELECT id, unit, stream, no, version, kind, at, facts, related, live, updated_at, received_at, state"
            " FROM record WHERE id {in}",
            missing,
        ):
            self._records[row[0]] = RecordRow(row[0], Key(row[1], row[2], row[3]), *row[4:])
        return [self._records[number] for number in wanted if number in self._records]

    def facts(self, row: RecordRow) -> Facts:
        """The record's facts, decoded once."""
        found = self._facts.get(row.id)
        if found is None:
            found = self._facts[row.id] = facts_from_json(row.facts)
        return found

    def event(self, row: RecordRow) -> Event:
        """The event of a record; its parties must have been read."""
        parties = tuple([found.party() for found in self.parties.get(row.id, ())])
        return Event(
            row.key, row.version, row.kind, from_us(row.at), self.facts(row), parties, row.linked(), bool(row.live),
            from_us(row.updated_at), from_us(row.received_at),
        )  # fmt: skip

    def forget_records(self) -> None:
        """Rows of records were changed in bulk: read them again."""
        self._records.clear()

    def read_parties(self, records: Iterable[int]) -> None:
        """Fill ``parties`` for these records."""
        missing = [number for number in records if number not in self.parties and number not in self.new_records]
        for number in missing:
            self.parties[number] = []
        for record, idx, role, person, born, capacity, sex, indexes in self.sql.rows_in(
            "SELECT record_id, idx, role, person_id, born, capacity, sex, indexes FROM party WHERE record_id {in}"
            " ORDER BY record_id, idx",
            missing,
        ):
            self.parties[record].append(PartyOf(idx, role, person, born, capacity, sex, unpack(indexes)))

    def read_places(self, records: Iterable[int]) -> None:
        """Fill ``places`` for these records."""
        missing = [number for number in records if number not in self.places]
        for number in missing:
            self.places[number] = {}
        asked = [number for number in missing if number not in self.new_records]
        for record, household, why in self.sql.rows_in(
            "SELECT record_id, household_id, why FROM event_place WHERE record_id {in}", asked
        ):
            self.places[record][household] = why

    def read_homes(self, households: Iterable[int]) -> None:
        """Fill ``homes`` for these households."""
        missing = [number for number in households if number not in self.homes]
        for number in missing:
            self.homes[number] = {}
        asked = [number for number in missing if number not in self.new_homes]
        for record, household, why in self.sql.rows_in(
            "SELECT record_id, household_id, why FROM event_place WHERE household_id {in}", asked
        ):
            self.homes[household][record] = why

    def move(self, record: int, now: Mapping[int, str]) -> bool:
        """A record counts on these households from now on; whether they are others than before."""
        before = self.places[record]
        if before == now:
            return False
        drop = [household for household in before if household not in now]
        add = [household for household in now if household not in before]
        for household in drop:
            self.homes.get(household, {}).pop(record, None)
        for household, why in now.items():
            if household in self.homes or household in self.new_homes:
                self.homes.setdefault(household, {})[record] = why
        self.places[record] = dict(now)
        return bool(drop or add)

    def members(self, households: Iterable[int]) -> dict[int, tuple[Member, ...]]:
        """Memberships of these households."""
        wanted = list(households)
        missing = [n for n in wanted if n not in self._members and n not in self.new_homes]
        found: dict[int, list[Member]] = {}
        for household, person, role, born, capacity, since, until in self.sql.rows_in(
            "SELECT household_id, person_id, role, born, capacity, since, until FROM membership WHERE household_id {in}"
            " ORDER BY household_id, n",
            missing,
        ):
            member = Member(person, role, from_day(born), capacity, from_day(since), from_day(until))
            found.setdefault(household, []).append(member)
        for number in missing:
            self._members[number] = tuple(found.get(number, ()))
        return {number: self._members.get(number, ()) for number in wanted}

    def now_members(self, members: Mapping[int, tuple[Member, ...]]) -> None:
        """Memberships as this commit wrote them."""
        self._members.update(members)
