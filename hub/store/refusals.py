"""Rows that wait for a fix, and what becomes of them when they come once more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from hub.core.records import StreamKey
from hub.store.sql import Sql
from hub.store.times import to_us

_COLUMNS = (
    "uid", "page_id", "row", "unit", "stream", "no", "code", "field", "remedy", "state", "mode", "at", "original",
)  # fmt: skip


class RefusedRow(NamedTuple):
    """One quarantined row of one page."""

    uid: str
    page_id: int
    row: int
    stream: StreamKey
    no: str | None
    code: str
    field: str
    remedy: str
    mode: str
    original: bytes


def save_refused(sql: Sql, rows: Sequence[RefusedRow], at: datetime) -> None:
    """New quarantined rows."""
    now = to_us(at)
    sql.insert(
        "quarantine",
        _COLUMNS,
        [
            (r.uid, r.page_id, r.row, *r.stream, r.no, r.code, r.field, r.remedy, "open", r.mode, now, r.original)
            for r in rows
        ],
    )


def settle_redriven(sql: Sql, results: Iterable[tuple[str, str, str, str]]) -> None:
    """Rows that came once more: (quarantine uid, status now, event uid, code). Receipts show the present.

    A row that was applied, unchanged or rejected leaves the quarantine and its first page's count moves with it; one
    that is refused again keeps its place under the new code.
    """
    for uid, status, event, code in results:
        found = sql.one("SELECT page_id, row FROM quarantine WHERE uid = ? AND state = 'open'", (uid,))
        if found is None:
            continue
        if status == "quarantined":
            sql.run("UPDATE quarantine SET code = ? WHERE uid = ?", (code, uid))
            _amend_receipt(sql, int(found[0]), int(found[1]), {"status": status, "code": code})
            continue
        sql.run("UPDATE quarantine SET state = 'redriven' WHERE uid = ?", (uid,))
        _move_count(sql, int(found[0]), status)
        _amend_receipt(sql, int(found[0]), int(found[1]), {"status": status, "event": event})


def discard(sql: Sql, uid: str) -> bool:
    """A row that will never be taken: it counts as rejected from now on. False: it does not wait."""
    found = sql.one("SELECT page_id, row FROM quarantine WHERE uid = ? AND state = 'open'", (uid,))
    if found is None:
        return False
    sql.run("UPDATE quarantine SET state = 'discarded' WHERE uid = ?", (uid,))
    _move_count(sql, int(found[0]), "rejected")
    _amend_receipt(sql, int(found[0]), int(found[1]), {"status": "rejected"})
    return True


def _move_count(sql: Sql, page_id: int, status: str) -> None:
    assert status in ("applied", "unchanged", "rejected")
    sql.run(f"UPDATE page SET quarantined = quarantined - 1, {status} = {status} + 1 WHERE id = ?", (page_id,))  # noqa: S608


def _amend_receipt(sql: Sql, page_id: int, row: int, line: dict[str, str]) -> None:
    found = sql.one("SELECT receipt FROM page WHERE id = ?", (page_id,))
    if found is None or found[0] is None:
        return
    lines = orjson.loads(found[0])
    kept = [{"row": row, **line} if one["row"] == row else one for one in lines]
    sql.run("UPDATE page SET receipt = ? WHERE id = ?", (orjson.dumps(kept).decode(), page_id))


def open_refused(sql: Sql, uids: Iterable[str]) -> list[tuple[str, int, StreamKey, str, bytes]]:
    """(uid, row, stream, mode, sealed original) of rows that wait, in order of arrival."""
    return [
        (str(uid), int(row), StreamKey(unit, stream), str(mode), bytes(original))
        for uid, row, unit, stream, mode, original in sql.rows_in(
            "SELECT uid, row, unit, stream, mode, original FROM quarantine WHERE state = 'open' AND uid {in} ORDER BY id",
            uids,
        )
    ]
