"""What the read side asks of a snapshot: households, their people, their records, what was heard.

Every function takes the ``Sql`` of ``store.read()`` and gives NamedTuples; bodies come out sealed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import NamedTuple

from hub.core.freight import DAYS, stream_of
from hub.core.records import Key, Light, StreamKey
from hub.store.sql import Row, Sql
from hub.store.times import from_day, from_us, opt_from_us, to_us

BATCH = 500
"""Households or records opened at a time: an export of any size stays flat in memory."""


class HouseholdView(NamedTuple):
    """A household and the light it stands at."""

    id: int
    uid: str
    registered: str | None
    community: str | None
    provisional: bool
    light: Light
    since: datetime | None
    judged_at: datetime | None
    valid_until: datetime | None
    assessment: str | None  # JSON as apply stored it


class MemberView(NamedTuple):
    """Who belongs to a household."""

    household: int
    person: int
    uid: str
    role: str
    born: date | None
    since: date | None
    until: date | None


class BodyView(NamedTuple):
    """A sealed body in which a person is named: ``idx`` among the record's parties."""

    person: int
    idx: int
    version: str  # uid, associated data of the seal
    body: bytes


class EventView(NamedTuple):
    """The newest version of one record."""

    id: int
    uid: str
    key: Key
    kind: str
    version: int
    at: datetime
    recorded_at: datetime
    facts: str  # JSON of core.timeline's codec
    retracted: bool
    live: bool


class HeardView(NamedTuple):
    """A stream, when it was last heard and since when it is silent."""

    stream: StreamKey
    heard_at: datetime | None
    silent_since: datetime | None


_HOUSEHOLD = (
    "h.id, h.uid, h.registered, h.community, h.provisional, h.light, h.since, h.judged_at, h.valid_until, h.assessment"
)
_LIVING = (
    "h.successor_id IS NULL AND (EXISTS (SELECT 1 FROM event_place e WHERE e.household_id = h.id) "
    "OR EXISTS (SELECT 1 FROM membership m WHERE m.household_id = h.id))"
)
"""Listed: not closed with a link to a successor, and with a current record or a member (S25)."""


def households(
    sql: Sql, *, community: str | None = None, light: Light | None = None, after: int = 0, limit: int = BATCH
) -> list[HouseholdView]:
    """Up to ``limit`` living households in order of id, from the one after ``after``."""
    where, params = [_LIVING, "h.id > ?"], [after]
    extra: list[object] = []
    if community is not None:
        where.append("h.community = ?")
        extra.append(community)
    if light is not None:
        where.append("h.light = ?")
        extra.append(int(light))
    text = f"SELECT {_HOUSEHOLD} FROM household h WHERE {' AND '.join(where)} ORDER BY h.id LIMIT ?"
    return [_household(row) for row in sql.rows(text, (*params, *extra, limit))]


def all_households(
    sql: Sql, *, community: str | None = None, light: Light | None = None
) -> Iterator[list[HouseholdView]]:
    """Every living household, in batches."""
    after = 0
    while found := households(sql, community=community, light=light, after=after):
        yield found
        after = found[-1].id


def find_households(sql: Sql, name: str) -> list[HouseholdView]:
    """Households with this uid, this registered number, or this beginning of a uid; closed ones by full uid only."""
    exact = sql.rows(f"SELECT {_HOUSEHOLD} FROM household h WHERE h.uid = ? OR h.registered = ?", (name, name))
    if exact:
        return [_household(row) for row in exact]
    text = f"SELECT {_HOUSEHOLD} FROM household h WHERE h.uid >= ? AND h.uid < ? AND {_LIVING} LIMIT 5"
    return [_household(row) for row in sql.rows(text, (name, name + "\x7f"))]


def successor(sql: Sql, household: int) -> str | None:
    """The uid of the household that took this one's records, if it was closed."""
    text = "SELECT s.uid FROM household h JOIN household s ON s.id = h.successor_id WHERE h.id = ?"
    row = sql.one(text, (household,))
    return str(row[0]) if row else None


def _household(row: Row) -> HouseholdView:
    number, uid, registered, community, provisional, light, since, judged, valid, assessment = row
    return HouseholdView(
        number, uid, registered, community, bool(provisional), Light(light),
        opt_from_us(since), opt_from_us(judged), opt_from_us(valid), assessment,
    )  # fmt: skip


def members(sql: Sql, wanted: Iterable[int]) -> dict[int, list[MemberView]]:
    """Members by household, in the order they joined."""
    found: dict[int, list[MemberView]] = {}
    text = (
        "SELECT m.household_id, m.person_id, p.uid, m.role, m.born, m.since, m.until FROM membership m "
        "JOIN person p ON p.id = m.person_id WHERE m.household_id {in} ORDER BY m.household_id, m.since, m.person_id, m.n"
    )
    for household, person, uid, role, born, since, until in sql.rows_in(text, wanted):
        view = MemberView(household, person, uid, role, from_day(born), from_day(since), from_day(until))
        found.setdefault(household, []).append(view)
    return found


def bodies_of(sql: Sql, persons: Iterable[int]) -> list[BodyView]:
    """Bodies of the current records that name these persons, the newest first."""
    text = (
        "SELECT p.person_id, p.idx, v.uid, v.body FROM party p JOIN record r ON r.id = p.record_id "
        "JOIN version v ON v.record_id = r.id AND v.number = r.version "
        "WHERE r.state = 'applied' AND p.person_id {in} ORDER BY r.updated_at DESC, r.id DESC"
    )
    return [BodyView(*row) for row in sql.rows_in(text, persons)]


_EVENT = "r.id, r.uid, r.unit, r.stream, r.no, r.kind, r.version, r.at, r.received_at, r.facts, r.state, r.live"


def events(sql: Sql, *, after: int = 0, limit: int = BATCH) -> list[EventView]:
    """Up to ``limit`` records that were ever applied, retracted ones too, in order of arrival."""
    text = f"SELECT {_EVENT} FROM record r WHERE r.id > ? AND r.state <> 'rejected' ORDER BY r.id LIMIT ?"
    return [_event(row) for row in sql.rows(text, (after, limit))]


def events_of(sql: Sql, household: int) -> list[EventView]:
    """The current records of one household, in order of time."""
    text = (
        f"SELECT {_EVENT} FROM event_place e JOIN record r ON r.id = e.record_id "
        "WHERE e.household_id = ? AND r.state = 'applied' ORDER BY r.at, r.unit, r.stream, r.no"
    )
    return [_event(row) for row in sql.rows(text, (household,))]


def _event(row: Row) -> EventView:
    number, uid, unit, stream, no, kind, version, at, received, facts, state, live = row
    return EventView(
        number, uid, Key(unit, stream, no), kind, version, from_us(at), from_us(received), facts,
        state == "retracted", bool(live),
    )  # fmt: skip


def places(sql: Sql, records: Iterable[int]) -> dict[int, list[str]]:
    """Household uids by record."""
    text = (
        "SELECT e.record_id, h.uid FROM event_place e JOIN household h ON h.id = e.household_id "
        "WHERE e.record_id {in} ORDER BY e.record_id, h.id"
    )
    return _grouped(sql.rows_in(text, records))


def persons(sql: Sql, records: Iterable[int]) -> dict[int, list[str]]:
    """Person uids by record, in the order of its parties."""
    text = (
        "SELECT q.record_id, p.uid FROM party q JOIN person p ON p.id = q.person_id "
        "WHERE q.record_id {in} ORDER BY q.record_id, q.idx"
    )
    return _grouped(sql.rows_in(text, records))


def _grouped(rows: Iterable[Row]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for record, uid in rows:
        listed = found.setdefault(record, [])
        if uid not in listed:
            listed.append(uid)
    return found


def heard(sql: Sql, until: datetime | None = None) -> dict[StreamKey, HeardView]:
    """Every stream that was ever heard or scheduled: last answer by poll, else last page by any other door.

    ``until``: only what had been heard by then.
    """
    at: dict[StreamKey, int | None] = {}
    limit = None if until is None else to_us(until)
    text = (
        "SELECT unit, stream, MAX(received_at) FROM page WHERE door NOT IN ('answer', 'station', 'redrive', 'replay') "
        "{when}GROUP BY unit, stream"
    )
    pages = (
        sql.rows(text.format(when=""))
        if limit is None
        else sql.rows(text.format(when="AND received_at <= ? "), (limit,))
    )
    for unit, stream, when in pages:
        at[StreamKey(unit, stream)] = when
    parts: dict[StreamKey, list[int | None]] = {}
    for unit, stream, when in sql.rows("SELECT unit, stream, heard_at FROM schedule"):
        key, part = stream_of(StreamKey(unit, stream))
        known = when if limit is None or when is None or when <= limit else None
        if part and part != DAYS:
            parts.setdefault(key, []).append(known)
        elif not part:
            at[key] = max(filter(None, (known, at.get(key))), default=None)
    for key, each in parts.items():  # a stream is heard when all of its parts were
        at[key] = None if None in each else min(filter(None, each))
    silent = {
        StreamKey(unit, stream): since
        for unit, stream, since in sql.rows("SELECT unit, stream, since FROM silence WHERE until IS NULL")
    }
    return {
        key: HeardView(key, opt_from_us(at.get(key)), opt_from_us(silent.get(key))) for key in sorted({*at, *silent})
    }
