"""What was known before: versions by the time they came in, and where records stood before they moved.

``record.placed`` keeps where a record stood until it moved (``until:household,household;…``, microseconds and ids), so
that a question about the past finds records that were retracted or moved since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from hub.core.records import Key, Light
from hub.core.timeline import facts_from_json
from hub.store.sql import Sql
from hub.store.times import from_us, opt_from_us, to_us


class VersionView(NamedTuple):
    """One version of a record as it came in; the body is sealed under ``uid``."""

    record: int
    key: Key
    kind: str
    number: int
    uid: str
    updated_at: datetime
    received_at: datetime
    deleted: bool
    rejected: bool
    at: datetime
    live: bool
    facts: str
    body: bytes


def stood(until: int, before: Iterable[int]) -> str:
    """One entry of ``record.placed``: where a record stood until it moved."""
    return f"{until}:{','.join(str(number) for number in sorted(before))};"


def records_at(sql: Sql, household: int, at: datetime) -> set[int]:
    """Records that stood on a household at a moment of the hub's own history."""
    now = {int(r) for (r,) in sql.rows("SELECT record_id FROM event_place WHERE household_id = ?", (household,))}
    moved = sql.rows_in("SELECT id, placed FROM record WHERE placed <> '' AND id {in}", now)
    moved += sql.rows("SELECT id, placed FROM record WHERE placed LIKE ?", (f"%{household}%",))
    moment = to_us(at)
    for record, placed in moved:
        was = _places_at(str(placed), moment)
        if was is not None:
            (now.add if household in was else now.discard)(int(record))
    return now


def _places_at(placed: str, at: int) -> set[int] | None:
    """Where a record stood at ``at``; None: where it stands now."""
    for entry in placed.split(";"):
        until, _, homes = entry.partition(":")
        if until and at < int(until):
            return {int(home) for home in homes.split(",") if home}
    return None


def versions_until(sql: Sql, records: Iterable[int], at: datetime) -> dict[int, list[VersionView]]:
    """Every version of these records that had come in by ``at``, in order of arrival."""
    found: dict[int, list[VersionView]] = {}
    text = (
        "SELECT v.record_id, r.unit, r.stream, r.no, r.kind, v.number, v.uid, v.updated_at, v.received_at, v.deleted,"
        " v.rejected, v.at, v.live, v.facts, v.body, v.replaced_by FROM version v JOIN record r ON r.id = v.record_id"
        " LEFT JOIN page p ON p.id = v.page_id AND p.door = 'replay'"
        " WHERE v.received_at <= ? AND (p.applied_at IS NULL OR p.applied_at <= ?) AND v.record_id {in}"
        " ORDER BY v.record_id, v.number"
    )
    replaced: dict[int, set[tuple[int, int]]] = {}
    for row in sql.rows_in(text, records, (to_us(at), to_us(at))):
        record, unit, stream, no, kind, number, uid, updated, received, deleted, rejected, when, live, facts, body = (
            row[:15]
        )
        if row[15]:
            replaced.setdefault(int(record), set()).add((int(number), int(row[15])))
        view = VersionView(
            int(record), Key(unit, stream, no), kind, number, uid, from_us(updated), from_us(received), bool(deleted),
            bool(rejected), from_us(when), bool(live), facts, bytes(body),
        )  # fmt: skip
        found.setdefault(view.record, []).append(view)
    for record, pairs in replaced.items():
        numbers = {version.number for version in found[record]}
        gone = {old for old, new in pairs if new in numbers}
        found[record] = [version for version in found[record] if version.number not in gone]
    return found


def current_numbers(sql: Sql, records: Iterable[int]) -> dict[int, int]:
    """The number of each record's current version."""
    rows = sql.rows_in("SELECT id, version FROM record WHERE id {in}", records)
    return {int(record): int(version) for record, version in rows}


def closed_at(sql: Sql, numbers: Iterable[str]) -> Mapping[str, datetime | None]:
    """When owed things ended, by number."""
    rows = sql.rows_in("SELECT no, closed_at FROM owed WHERE no {in}", numbers)
    return {str(no): opt_from_us(at) for no, at in rows}


class Recorded(NamedTuple):
    """The light as the hub wrote it down at the time."""

    light: Light
    at: datetime
    rule: str


def recorded_light(sql: Sql, household: int, at: datetime) -> Recorded | None:
    """The last transition written by ``at``; None: it had never been lit."""
    row = sql.one(
        "SELECT light, at, rule FROM light_change WHERE household_id = ? AND at <= ? ORDER BY id DESC LIMIT 1",
        (household, to_us(at)),
    )
    return None if row is None else Recorded(Light(row[0]), from_us(row[1]), str(row[2]))


def why_here(sql: Sql, household: int) -> dict[int, str]:
    """Record → the word for why it counts on this household."""
    rows = sql.rows("SELECT record_id, why FROM event_place WHERE household_id = ?", (household,))
    return {int(record): str(why) for record, why in rows}


def open_links(sql: Sql, records: Iterable[int]) -> dict[int, list[str]]:
    """Record → why a person should still look at who is meant."""
    found: dict[int, list[str]] = {}
    for record, why in sql.rows_in(
        "SELECT record_id, why FROM review_item WHERE kind = 'identity' AND state = 'open' AND record_id {in}", records
    ):
        found.setdefault(int(record), []).append(str(why))
    return found


class Offered(NamedTuple):
    """A household's file that was sealed for another district and is not accepted yet."""

    no: str
    receiver: str
    receipt: str


def offered(sql: Sql, household: int) -> Offered | None:
    """The newest file of a household that is on its way."""
    for no, facts in sql.rows(
        "SELECT r.no, r.facts FROM record r JOIN event_place e ON e.record_id = r.id"
        " WHERE e.household_id = ? AND r.kind = 'handover' AND r.state = 'applied' ORDER BY r.at DESC",
        (household,),
    ):
        told = facts_from_json(facts)
        if told.get("state") == "offered":
            return Offered(str(no), str(told.get("receiver")), str(told.get("receipt")))
    return None


def handover(sql: Sql, no: str) -> bool:
    """Whether a file of this number was made or taken here."""
    return sql.one("SELECT id FROM record WHERE kind = 'handover' AND no = ?", (no,)) is not None


def numbers_taken(sql: Sql, keys: Iterable[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    """Which of these numbers a record has already."""
    wanted = set(keys)
    rows = sql.rows_in("SELECT unit, stream, no FROM record WHERE no {in}", {no for _, _, no in wanted})
    return {(str(u), str(s), str(n)) for u, s, n in rows} & wanted


def households_of(sql: Sql, keys: Iterable[tuple[str, str, str]]) -> list[str]:
    """Uids of the households on which these records stand, the one with most of them first."""
    wanted = set(keys)
    rows = sql.rows_in(
        "SELECT r.unit, r.stream, r.no, h.uid FROM record r JOIN event_place e ON e.record_id = r.id"
        " JOIN household h ON h.id = e.household_id WHERE r.no {in}",
        {no for _, _, no in wanted},
    )
    count = Counter(str(uid) for unit, stream, no, uid in rows if (str(unit), str(stream), str(no)) in wanted)
    return [uid for uid, _ in count.most_common()]
