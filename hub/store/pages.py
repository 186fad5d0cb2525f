"""Pages: what came in, what is pending, what became of every row."""

from __future__ import annotations

from typing import Any

import orjson

from hub.core.freight import Page
from hub.core.records import StreamKey
from hub.store.engine import SqlStore
from hub.store.sql import Sql, insert_text
from hub.store.times import from_us, to_us

COUNTS = ("applied", "unchanged", "quarantined", "rejected")

_COLUMNS = (
    "uid", "unit", "stream", "mode", "door", "state", "urgent", "rows", "first_row", "received", "applied",
    "unchanged", "quarantined", "rejected", "received_at", "idempotency_key", "digest", "source", "body",
)  # fmt: skip


def insert_page(sql: Sql, page: Page, sealed: bytes, urgent: bool) -> bool:
    """A landed page; everything it received is pending. False: its uid or idempotency key stands already."""
    changed = sql.run(
        insert_text("page", _COLUMNS) + " ON CONFLICT DO NOTHING",
        (
            page.uid, *page.stream, page.mode, page.door, "landed", urgent, page.rows, page.first_row, page.rows,
            0, 0, 0, 0, to_us(page.received_at), page.idempotency_key, page.digest, page.source, sealed,
        ),
    )  # fmt: skip
    return changed == 1


def forget_page(sql: Sql, uid: str) -> None:
    """A page whose commit is still open after all."""
    sql.run("DELETE FROM page WHERE uid = ?", (uid,))


def earlier_page(sql: Sql, page: Page) -> tuple[str, str] | None:
    """(uid, digest) of a page landed before under the same uid or the same idempotency key of the unit."""
    found = sql.one("SELECT uid, digest FROM page WHERE uid = ?", (page.uid,))
    if found is None and page.idempotency_key is not None:
        found = sql.one(
            "SELECT uid, digest FROM page WHERE unit = ? AND idempotency_key = ?",
            (page.stream.unit, page.idempotency_key),
        )
    return None if found is None else (str(found[0]), str(found[1]))


def numbers(sql: Sql, uid: str) -> list[str]:
    """The record numbers of a page's rows, once it is applied, in their order."""
    found = sql.rows(
        "SELECT r.no FROM page p JOIN version v ON v.page_id = p.id JOIN record r ON r.id = v.record_id"
        " WHERE p.uid = ? ORDER BY v.row, v.id",
        (uid,),
    )
    return [str(no) for (no,) in found]


def move_cursor(sql: Sql, page: Page) -> bool:
    """Move the cursor of the feed that the page's lease is for, if it still holds; False: stale."""
    held = page.lease
    assert held is not None
    unit, _, feed = held.what.removeprefix("stream:").partition("/")
    changed = sql.run(
        "UPDATE schedule SET cursor = COALESCE(?, cursor), heard_at = ?"
        " WHERE unit = ? AND stream = ? AND fence = ? AND lease_owner = ?",
        (page.cursor, to_us(page.received_at), unit, feed, held.fence, held.owner),
    )
    return changed == 1


def page_state(store: SqlStore, uid: str) -> str | None:
    """landed, applied, or None: no such page."""
    with store.read() as sql:
        found = sql.one("SELECT state FROM page WHERE uid = ?", (uid,))
    return None if found is None else str(found[0])


def next_landed(sql: Sql, records: int, skip: frozenset[int] = frozenset()) -> list[tuple[int, Page]]:
    """(id, page with sealed body) of pages to apply next: urgent first, then by arrival; at most ``records`` rows.

    A page with more rows than that comes alone; pages of ``skip`` are in work already or held back.
    """
    heads = sql.rows(
        "SELECT id, rows FROM page WHERE state = 'landed' ORDER BY urgent DESC, id LIMIT ?", (500 + len(skip),)
    )
    chosen: list[int] = []
    total = 0
    for number, rows in heads:
        if number in skip:
            continue
        if chosen and total + rows > records:
            break
        chosen.append(int(number))
        total += rows
    return pages_by_id(sql, chosen)


def pages_by_id(sql: Sql, ids: list[int]) -> list[tuple[int, Page]]:
    """(id, page with sealed body), in the order of ``ids``."""
    rows = sql.rows_in(
        "SELECT id, uid, unit, stream, mode, door, body, rows, first_row, received_at, idempotency_key, digest, source"
        " FROM page WHERE id {in}",
        ids,
    )
    found = {
        int(r[0]): Page(
            uid=r[1],
            stream=StreamKey(r[2], r[3]),
            mode=r[4],
            door=r[5],
            body=bytes(r[6] or b""),
            rows=r[7],
            first_row=r[8],
            received_at=from_us(r[9]),
            idempotency_key=r[10],
            digest=r[11],
            source=r[12],
        )
        for r in rows
    }
    return [(i, found[i]) for i in ids if i in found]


def close_page(sql: Sql, page_id: int, counts: dict[str, int], lines: list[dict[str, Any]], at: int) -> bool:
    """landed → applied with its counts and receipt; the raw body goes away. False: it was applied before."""
    changed = sql.run(
        "UPDATE page SET state = 'applied', applied = ?, unchanged = ?, quarantined = ?, rejected = ?, applied_at = ?,"
        " body = NULL, receipt = ? WHERE id = ? AND state = 'landed'",
        (*(counts.get(name, 0) for name in COUNTS), at, orjson.dumps(lines).decode(), page_id),
    )
    return changed == 1


def receipt(sql: Sql, uid: str, *, all_rows: bool = False) -> dict[str, Any] | None:
    """The receipt of a page as it stands now (contract.md); None: no such page.

    ``rows`` lists every row that is not plainly applied, or all of them with ``all_rows``.
    """
    found = sql.one(
        "SELECT id, unit, state, received, applied, unchanged, quarantined, rejected, receipt FROM page WHERE uid = ?",
        (uid,),
    )
    if found is None:
        return None
    number, unit, state, received, *counts, stored = found
    answer: dict[str, Any] = {"batch": uid, "unit": unit, "received": received}
    answer.update(zip(COUNTS, counts, strict=True))
    answer["pending"] = received - sum(counts) if state == "landed" else 0
    lines: list[dict[str, Any]] = orjson.loads(stored) if stored else []
    if all_rows:
        told = {line["row"] for line in lines}
        plain = sql.rows(
            "SELECT v.row, r.uid FROM version v JOIN record r ON r.id = v.record_id WHERE v.page_id = ?", (number,)
        )
        lines = lines + [{"row": row, "status": "applied", "event": event} for row, event in plain if row not in told]
        lines.sort(key=lambda line: line["row"])
    answer["rows"] = lines
    return answer


def accounting(sql: Sql) -> dict[str, int]:
    """received = applied + unchanged + quarantined + rejected + pending, over all pages of departments.

    Left out are the hub's own pages, pages of rows that were counted when they came, and shadow pages, which store nothing.
    """
    row = sql.one(
        "SELECT COALESCE(SUM(received), 0), COALESCE(SUM(applied), 0), COALESCE(SUM(unchanged), 0),"
        " COALESCE(SUM(quarantined), 0), COALESCE(SUM(rejected), 0),"
        " COALESCE(SUM(CASE WHEN state = 'landed' THEN received ELSE 0 END), 0)"
        " FROM page WHERE door NOT IN ('answer', 'station', 'redrive', 'replay') AND mode <> 'shadow'"
    )
    assert row is not None
    return {name: int(value) for name, value in zip(("received", *COUNTS, "pending"), row, strict=True)}


def pending(sql: Sql) -> int:
    """How many pages wait to be applied."""
    row = sql.one("SELECT COUNT(*) FROM page WHERE state = 'landed'")
    assert row is not None
    return int(row[0])
