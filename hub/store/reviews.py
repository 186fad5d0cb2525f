"""The review list: what a person should look at. Keys and ids only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from hub.core.records import Key
from hub.store.refusals import EMERGENCY
from hub.store.snapshot import places
from hub.store.sql import Row, Sql
from hub.store.times import from_us

KINDS = (EMERGENCY, "identity", "backfill")
"""In the order in which they are to be looked at."""


class ReviewView(NamedTuple):
    """One open item."""

    uid: str
    kind: str
    at: datetime
    key: Key | None  # of the record; of a row nobody could read: its number, if it has one
    position: int  # of the person among the record's parties
    why: str
    households: tuple[str, ...]
    candidates: tuple[str, ...]  # persons (uids); what would be owed; the quarantined row


def open_items(sql: Sql, kind: str = "") -> list[ReviewView]:
    """Open items: cries for help first, then doubtful persons, then history that waits for adoption; the oldest first."""
    rows = sql.rows(
        "SELECT i.uid, i.kind, i.at, i.record_id, i.idx, i.why, i.candidates, r.unit, r.stream, r.no FROM review_item i"
        " LEFT JOIN record r ON r.id = i.record_id WHERE i.state = 'open' ORDER BY i.at, i.id"
    )
    wanted = [row for row in rows if row[1] == kind or (not kind and row[1] in KINDS)]
    homes = places(sql, {int(row[3]) for row in wanted if row[3]})
    persons = _persons(
        sql, (number for row in wanted if row[1] == "identity" for number in row[6].split(",") if number)
    )
    held = _held(sql, (row[6] for row in wanted if row[1] == EMERGENCY))
    found = [_item(row, homes, persons, held) for row in wanted]
    return sorted(found, key=lambda item: KINDS.index(item.kind))


def _item(row: Row, homes: dict[int, list[str]], persons: dict[str, str], held: dict[str, Key | None]) -> ReviewView:
    uid, kind, at, record, idx, why, candidates, unit, stream, no = row
    key = held.get(candidates) if kind == EMERGENCY else Key(unit, stream, no) if unit is not None else None
    told = [part.strip() for part in str(candidates).split(",") if part.strip()]
    if kind == "identity":
        told = [persons[number] for number in told if number in persons]
    return ReviewView(
        uid, kind, from_us(at), key, int(idx), why, tuple(homes.get(int(record), ())), tuple(told)
    )  # fmt: skip


def _persons(sql: Sql, numbers: Iterable[str]) -> dict[str, str]:
    rows = sql.rows_in("SELECT id, uid FROM person WHERE id {in}", {int(number) for number in numbers})
    return {str(number): str(uid) for number, uid in rows}


def _held(sql: Sql, uids: Iterable[str]) -> dict[str, Key | None]:
    rows = sql.rows_in("SELECT uid, unit, stream, no FROM quarantine WHERE uid {in}", set(uids))
    return {str(uid): Key(unit, stream, no or "") for uid, unit, stream, no in rows}
