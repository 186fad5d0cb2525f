"""Originals of what was taken: each row's own, sealed inside its version's body, page by page as they came in."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from hub.core.records import StreamKey
from hub.store.sql import Sql
from hub.store.times import from_us, to_us


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
        "SELECT p.id, p.unit, p.stream, p.received_at FROM page p WHERE EXISTS"  # noqa: S608 (our conditions)
        f" (SELECT 1 FROM version v WHERE v.page_id = p.id) AND {' AND '.join(where)} ORDER BY p.id",
        params,
    )
    return [TakenPage(int(number), StreamKey(unit, stream), from_us(at)) for number, unit, stream, at in rows]


def taken_rows(sql: Sql, page: int) -> list[TakenRow]:
    """The versions of a page, in order of its rows; a rejected one keeps no original."""
    rows = sql.rows(
        "SELECT id, uid, row, live, body, reporter FROM version WHERE page_id = ? AND rejected = '' ORDER BY row, id",
        (page,),
    )
    return [
        TakenRow(int(number), uid, int(row), bool(live), bytes(body), None if reporter is None else bytes(reporter))
        for number, uid, row, live, body, reporter in rows
    ]


def count_taken(sql: Sql, pages: list[int]) -> int:
    """How many rows of these pages have an original."""
    rows = sql.rows_in("SELECT COUNT(*) FROM version WHERE rejected = '' AND page_id {in}", pages)
    return sum(int(count) for (count,) in rows)
