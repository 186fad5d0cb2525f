"""Originals of what was taken: each row's own, sealed inside its version's body, page by page as they came in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from hub.core.records import StreamKey
from hub.store.sql import Row, Sql
from hub.store.times import from_us, to_us

_TAKEN = "SELECT id, uid, row, live, body, reporter FROM version"


class TakenPage(NamedTuple):
    """A page whose rows were taken."""

    id: int
    stream: StreamKey
    received_at: datetime


class Taken(NamedTuple):
    """Pages whose rows were taken, and how many rows of them have an original."""

    pages: list[TakenPage]
    rows: int


class TakenRow(NamedTuple):
    """One version as a department sent it; its original lies in the reporter's compartment where one is told."""

    id: int
    uid: str
    row: int
    live: bool
    body: bytes
    reporter: bytes | None


def taken_pages(
    sql: Sql, unit: str | None = None, stream: str | None = None, since: datetime | None = None
) -> list[TakenPage]:
    """Pages of departments that left a version, in order of arrival."""
    where, params = ["p.door NOT IN ('answer', 'station', 'replay')"], list[object]()
    for condition, value in (("p.unit = ?", unit), ("p.stream = ?", stream)):
        if value is not None:
            where.append(condition)
            params.append(value)
    if since is not None:
        where.append("p.received_at >= ?")
        params.append(to_us(since))
    rows = sql.rows(
        "SELECT p.id, p.unit, p.stream, p.received_at FROM page p WHERE EXISTS"
        f" (SELECT 1 FROM version v WHERE v.page_id = p.id) AND {' AND '.join(where)} ORDER BY p.id",
        params,
    )
    return [TakenPage(int(number), StreamKey(unit, stream), from_us(at)) for number, unit, stream, at in rows]


def taken_rows(sql: Sql, page: int) -> list[TakenRow]:
    """The versions of a page, in order of its rows; a rejected one keeps no original."""
    return _rows(sql.rows(f"{_TAKEN} WHERE page_id = ? AND rejected = '' ORDER BY row, id", (page,)))


def _rows(rows: Iterable[Row]) -> list[TakenRow]:
    return [
        TakenRow(int(number), uid, int(row), bool(live), bytes(body), None if reporter is None else bytes(reporter))
        for number, uid, row, live, body, reporter in rows
    ]


class RawPage(NamedTuple):
    """Rows that came in at once, as far as somebody wants to see them again: versions, and items of the quarantine."""

    stream: StreamKey
    received_at: datetime
    mode: str
    versions: list[TakenRow]
    waiting: dict[str, bytes]  # uid → sealed original


def raw_pages(sql: Sql, unit: str, stream: str | None, since: datetime | None) -> Iterator[RawPage]:
    """What a unit sent (by page and time), and everything else on the households it touches, in order of arrival.

    Rows of a unit's that wait in quarantine are among them; rows about standing numbers (answers) are not.
    """
    own = [page.id for page in taken_pages(sql, unit, stream, since)]
    records = {int(r) for (r,) in sql.rows_in("SELECT record_id FROM version WHERE page_id {in}", own)}
    homes = {int(h) for (h,) in sql.rows_in("SELECT household_id FROM event_place WHERE record_id {in}", records)}
    records |= {int(r) for (r,) in sql.rows_in("SELECT record_id FROM event_place WHERE household_id {in}", homes)}
    versions: dict[int, list[int]] = {}
    for page, number in sql.rows_in("SELECT page_id, id FROM version WHERE rejected = '' AND record_id {in}", records):
        versions.setdefault(int(page), []).append(int(number))
    waiting: dict[int, list[str]] = {}
    for page, uid, name in sql.rows(
        "SELECT page_id, uid, stream FROM quarantine WHERE state = 'open' AND mode <> 'shadow' AND unit = ?", (unit,)
    ):
        if stream in (None, name):
            waiting.setdefault(int(page), []).append(str(uid))
    heads = sql.rows_in(
        "SELECT id, unit, stream, received_at, mode FROM page WHERE door NOT IN ('answer', 'station', 'replay')"
        " AND stream NOT IN ('report_feedback', 'duty_answer') AND id {in}",
        {*versions, *waiting},
    )
    for page, of, name, received, mode in sorted(heads):
        rows = _rows(sql.rows_in(f"{_TAKEN} WHERE id {{in}} ORDER BY row, id", versions.get(int(page), [])))
        held = sql.rows_in("SELECT uid, original FROM quarantine WHERE uid {in}", waiting.get(int(page), []))
        sealed = {str(uid): bytes(original) for uid, original in held}
        yield RawPage(StreamKey(of, name), from_us(received), mode, rows, sealed)


def count_taken(sql: Sql, pages: list[int]) -> int:
    """How many rows of these pages have an original."""
    rows = sql.rows_in("SELECT COUNT(*) FROM version WHERE rejected = '' AND page_id {in}", pages)
    return sum(int(count) for (count,) in rows)
