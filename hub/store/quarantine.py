"""What the read side asks about rows that wait: groups of the same mistake, single items, their sealed originals."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from hub.core.records import StreamKey
from hub.store.refusals import EMERGENCY
from hub.store.sql import Row, Sql
from hub.store.times import from_us, opt_from_us, to_us


class Fingerprint(NamedTuple):
    """The same mistake in the same column of the same stream, spelled alike."""

    code: str
    unit: str
    stream: str
    field: str
    shape: str


class GroupView(NamedTuple):
    """Waiting rows of one fingerprint."""

    fingerprint: Fingerprint
    rows: int
    urgent: int  # of them speak of violence or of a child in danger
    times: int  # appearances, repeats included
    first_at: datetime
    last_at: datetime


class QuarantineView(NamedTuple):
    """One quarantined row, without its original."""

    uid: str
    page: str
    row: int
    fingerprint: Fingerprint
    no: str | None
    remedy: str
    state: str
    mode: str
    urgent: bool
    times: int
    at: datetime
    last_at: datetime
    closed_at: datetime | None
    closed_by: str

    @property
    def stream(self) -> StreamKey:
        """Where it came in."""
        return StreamKey(self.fingerprint.unit, self.fingerprint.stream)


class Choice(NamedTuple):
    """Which rows are meant: all conditions hold together; nothing given means all that wait."""

    uid: str = ""  # or its beginning
    code: str = ""
    page: str = ""
    stream: StreamKey | None = None
    since: datetime | None = None  # first seen then or later
    until: datetime | None = None  # first seen then or earlier
    group: Fingerprint | None = None
    urgent: bool = False
    closed: bool = False  # also rows that wait no longer


_ITEM = (
    "q.uid, p.uid, q.row, q.code, q.unit, q.stream, q.field, q.shape, q.no, q.remedy, q.state, q.mode, q.harm, q.times, "
    "q.at, q.last_at, q.closed_at, q.closed_by FROM quarantine q JOIN page p ON p.id = q.page_id"
)


def groups(sql: Sql) -> list[GroupView]:
    """Waiting rows by fingerprint: urgent ones first, then the most."""
    rows = sql.rows(
        "SELECT code, unit, stream, field, shape, COUNT(*), SUM(CASE WHEN harm AND mode = 'live' THEN 1 ELSE 0 END),"
        " SUM(times), MIN(at), MAX(last_at) FROM quarantine WHERE state = 'open'"
        " GROUP BY code, unit, stream, field, shape ORDER BY 7 DESC, 6 DESC, 1, 2, 3, 4, 5"
    )
    return [
        GroupView(Fingerprint(*row[:5]), int(row[5]), int(row[6]), int(row[7]), from_us(row[8]), from_us(row[9]))
        for row in rows
    ]


def chosen(sql: Sql, choice: Choice, limit: int = 1_000_000) -> list[QuarantineView]:
    """Rows of a choice: urgent ones first, then in order of arrival."""
    where, params = _condition(choice)
    text = f"SELECT {_ITEM}{where} ORDER BY q.harm DESC, q.id LIMIT ?"
    return [_item(row) for row in sql.rows(text, (*params, limit))]


def _condition(choice: Choice) -> tuple[str, list[object]]:
    parts: list[str] = [] if choice.closed else ["q.state = 'open'"]
    params: list[object] = []
    given: list[tuple[str, tuple[object, ...]]] = []
    if choice.uid:
        given.append(("q.uid >= ? AND q.uid < ?", (choice.uid, choice.uid + "\x7f")))
    if choice.code:
        given.append(("q.code = ?", (choice.code,)))
    if choice.page:
        given.append(("p.uid = ?", (choice.page,)))
    if choice.stream:
        given.append(("q.unit = ? AND q.stream = ?", choice.stream))
    if choice.since:
        given.append(("q.at >= ?", (to_us(choice.since),)))
    if choice.until:
        given.append(("q.at <= ?", (to_us(choice.until),)))
    if choice.group:
        given.append(("q.code = ? AND q.unit = ? AND q.stream = ? AND q.field = ? AND q.shape = ?", choice.group))
    if choice.urgent:
        given.append(("q.harm AND q.mode = 'live'", ()))
    for part, values in given:
        parts.append(part)
        params += values
    return (f" WHERE {' AND '.join(parts)}" if parts else ""), params


def _item(row: Row) -> QuarantineView:
    uid, page, number, code, unit, stream, field, shape, no, remedy, state, mode, harm, times, at, last, over, by = row
    return QuarantineView(
        uid, page, int(number), Fingerprint(code, unit, stream, field, shape), no, remedy, state, mode,
        bool(harm) and mode == "live", int(times), from_us(at), from_us(last), opt_from_us(over), by,
    )  # fmt: skip


def originals(sql: Sql, uids: Iterable[str]) -> dict[str, bytes]:
    """Sealed originals by uid."""
    rows = sql.rows_in("SELECT uid, original FROM quarantine WHERE uid {in}", uids)
    return {str(uid): bytes(original) for uid, original in rows}


def emergencies(sql: Sql) -> tuple[int, datetime | None]:
    """Unreadable rows that speak of harm and that nobody has read yet: how many, and since when."""
    row = sql.one("SELECT COUNT(*), MIN(at) FROM review_item WHERE kind = ? AND state = 'open'", (EMERGENCY,))
    assert row is not None
    return int(row[0]), opt_from_us(row[1])
