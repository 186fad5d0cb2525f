"""Rows that wait for a fix, and what becomes of them: seen again, redriven, discarded, superseded.

One row is one item, however often its bytes come. Every page it came in counts it; when the item is settled, all of
those receipts follow: the first page counts what became of it, the others what a repeat of that is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from hub.core.records import Key, StreamKey
from hub.store.numbers import new_uid
from hub.store.sql import Sql
from hub.store.times import to_us

EMERGENCY = "emergency"
"""Kind of the review list's first entries: unreadable rows that speak of violence or of a child in danger."""
SUPERSEDED = "version.superseded"

_COLUMNS = (
    "uid", "page_id", "row", "unit", "stream", "no", "code", "field", "remedy", "state", "mode", "at", "original",
    "digest", "shape", "harm", "updated_at", "times", "last_at", "closed_by",
)  # fmt: skip
_STANDING = ("open", "discarded", "superseded")
"""States whose decision holds for the same bytes when they come once more."""
_REPEAT = {"applied": "unchanged", "unchanged": "unchanged", "rejected": "rejected", "quarantined": "quarantined"}
"""What became of a row → what its repeats are counted as."""

Line = dict[str, Any]


class RefusedRow(NamedTuple):
    """One row of one page that was refused for the first time."""

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
    digest: bytes
    shape: str
    harm: bool
    updated_at: int | None
    closed_by: str = ""  # uid of a newer version that is known already


class Item(NamedTuple):
    """A quarantined row that is known: which, and its state."""

    id: int
    uid: str
    state: str


class Waiting(NamedTuple):
    """An open item that a newer version of its record may close."""

    uid: str
    key: Key
    updated_at: int | None


class Settled(NamedTuple):
    """What became of an item: state of the item, status of its row, and the receipt's line."""

    uid: str
    state: str  # open (refused again), redriven, discarded, superseded
    status: str  # applied, unchanged, rejected, quarantined
    line: Mapping[str, Any]  # beside the status: event, or code, field and remedy
    shape: str = ""


def known_refusals(sql: Sql, digests: Iterable[bytes]) -> dict[bytes, Item]:
    """Items whose decision stands for these bytes: an open one before a closed one, the latest first."""
    found: dict[bytes, Item] = {}
    for digest, number, uid, state in sql.rows_in(
        "SELECT digest, id, uid, state FROM quarantine WHERE digest {in} ORDER BY id", digests
    ):
        spot = bytes(digest)
        if state in _STANDING and (spot not in found or found[spot].state != "open"):
            found[spot] = Item(int(number), str(uid), str(state))
    return found


def still_open(sql: Sql, uids: Iterable[str]) -> frozenset[str]:
    """Those of the items that wait."""
    return frozenset(
        str(uid) for (uid,) in sql.rows_in("SELECT uid FROM quarantine WHERE state = 'open' AND uid {in}", uids)
    )


def waits(sql: Sql, stream: StreamKey) -> bool:
    """Whether any row of a stream that has a number waits."""
    text = "SELECT 1 FROM quarantine WHERE state = 'open' AND unit = ? AND stream = ? AND no IS NOT NULL LIMIT 1"
    return sql.one(text, stream) is not None


def waiting_for(sql: Sql, stream: StreamKey, numbers: Iterable[str]) -> list[Waiting]:
    """Open items of a stream with these numbers."""
    rows = sql.rows_in(
        "SELECT uid, no, updated_at FROM quarantine WHERE state = 'open' AND unit = ? AND stream = ? AND no {in}",
        numbers,
        stream,
    )
    return [Waiting(str(uid), Key(*stream, str(no)), updated) for uid, no, updated in rows]


def newer_known(sql: Sql, rows: Sequence[tuple[Key, int]]) -> dict[Key, str]:
    """Keys (with a row's time of update, microseconds) of which a newer version is stored: the record's uid."""
    by_stream: dict[StreamKey, dict[str, int]] = {}
    for key, updated_at in rows:
        numbers = by_stream.setdefault(StreamKey(key.unit, key.stream), {})
        numbers[key.no] = max(updated_at, numbers.get(key.no, updated_at))
    found: dict[Key, str] = {}
    for stream, numbers in by_stream.items():
        for no, uid, updated_at in sql.rows_in(
            "SELECT no, uid, updated_at FROM record WHERE unit = ? AND stream = ? AND no {in}", numbers, stream
        ):
            if int(updated_at) > numbers[no]:
                found[Key(*stream, no)] = str(uid)
    return found


def save_refused(sql: Sql, rows: Sequence[RefusedRow], at: datetime) -> None:
    """New quarantined rows; those that speak of harm stand on the review list in the same commit."""
    now = to_us(at)
    sql.insert(
        "quarantine",
        _COLUMNS,
        [
            (r.uid, r.page_id, r.row, *r.stream, r.no, r.code, r.field, r.remedy,
             "superseded" if r.closed_by else "open", r.mode, now, r.original, r.digest, r.shape, r.harm, r.updated_at,
             1, now, r.closed_by)
            for r in rows
        ],
    )  # fmt: skip
    sql.insert(
        "review_item",
        ("uid", "kind", "record_id", "idx", "candidates", "why", "state", "at"),
        [
            (new_uid(), EMERGENCY, 0, 0, r.uid, r.code, "open", now)
            for r in rows
            if r.harm and r.mode == "live" and not r.closed_by
        ],
    )


def see_again(sql: Sql, sightings: Sequence[tuple[str, int, int]], at: datetime) -> None:
    """Known items that came once more: (uid, page, row)."""
    if not sightings:
        return
    ids = {
        str(uid): int(number)
        for uid, number in sql.rows_in(
            "SELECT uid, id FROM quarantine WHERE uid {in}", {uid for uid, _, _ in sightings}
        )
    }
    now = to_us(at)
    sql.insert(
        "quarantine_again", ("page_id", "row", "quarantine_id"), [(page, row, ids[uid]) for uid, page, row in sightings]
    )
    sql.many(
        "UPDATE quarantine SET times = times + 1, last_at = ? WHERE id = ?",
        [(now, ids[uid]) for uid, _, _ in sightings],
    )


def settle(sql: Sql, results: Sequence[Settled], at: datetime) -> int:
    """Open items and what became of them; every receipt they stand on follows. How many were open."""
    spots = _spots(sql, [found.uid for found in results])
    by_page: dict[int, list[tuple[int, str, Line]]] = {}
    settled = [found for found in results if found.uid in spots]
    for found in settled:
        for n, (page, row) in enumerate(spots[found.uid]):
            status = found.status if n == 0 else _REPEAT[found.status]
            by_page.setdefault(page, []).append((row, status, {**found.line, "status": status}))
    for page, moved in by_page.items():
        _move_counts(sql, page, [status for _, status, _ in moved])
        _amend_receipt(sql, page, {row: line for row, _, line in moved})
    _close(sql, [found for found in settled if found.state != "open"], to_us(at))
    sql.many(
        "UPDATE quarantine SET code = ?, field = ?, remedy = ?, shape = ? WHERE uid = ?",
        [
            (f.line["code"], f.line["field"], f.line["remedy"], f.shape, f.uid) for f in settled if f.state == "open"
        ],
    )  # fmt: skip
    return len(settled)


def _close(sql: Sql, found: Sequence[Settled], now: int) -> None:
    sql.many(
        "UPDATE quarantine SET state = ?, closed_at = ?, closed_by = ? WHERE uid = ?",
        [(f.state, now, str(f.line.get("event", "")), f.uid) for f in found],
    )
    sql.run_in(
        "UPDATE review_item SET state = 'done' WHERE kind = ? AND state = 'open' AND candidates {in}",
        [f.uid for f in found],
        (EMERGENCY,),
    )


def _spots(sql: Sql, uids: Sequence[str]) -> dict[str, list[tuple[int, int]]]:
    """Open item → (page, row) of its first coming and of every repeat."""
    rows = sql.rows_in("SELECT id, uid, page_id, row FROM quarantine WHERE state = 'open' AND uid {in}", uids)
    named = {int(number): str(uid) for number, uid, _, _ in rows}
    found = {str(uid): [(int(page), int(row))] for _, uid, page, row in rows}
    for number, page, row in sql.rows_in(
        "SELECT quarantine_id, page_id, row FROM quarantine_again WHERE quarantine_id {in} ORDER BY page_id, row", named
    ):
        found[named[int(number)]].append((int(page), int(row)))
    return found


def _move_counts(sql: Sql, page: int, statuses: Sequence[str]) -> None:
    count = {status: statuses.count(status) for status in ("applied", "unchanged", "rejected")}
    moved = sum(count.values())
    sql.run(
        "UPDATE page SET quarantined = quarantined - ?, applied = applied + ?, unchanged = unchanged + ?,"
        " rejected = rejected + ? WHERE id = ?",
        (moved, *count.values(), page),
    )


def _amend_receipt(sql: Sql, page: int, lines: Mapping[int, Line]) -> None:
    found = sql.one("SELECT receipt FROM page WHERE id = ?", (page,))
    if found is None or found[0] is None:
        return
    told = [{"row": one["row"], **lines.get(one["row"], one)} for one in orjson.loads(found[0])]
    sql.run("UPDATE page SET receipt = ? WHERE id = ?", (orjson.dumps(told).decode(), page))
