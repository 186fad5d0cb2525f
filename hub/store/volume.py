"""How many records each stream sent and each community had, window by window."""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.core.records import StreamKey
from hub.store.sql import Sql
from hub.store.times import from_us, opt_from_us, to_us

__all__ = ["THIN", "THIN_PLACE", "community_volumes", "received_since", "thin_at", "volumes"]

THIN, THIN_PLACE = "stream.thin", "community.thin"
"""Issues: a stream (``unit.stream``), a community, that has far fewer records than it used to."""


def volumes(sql: Sql, now: datetime, window: timedelta, count: int) -> dict[StreamKey, list[int]]:
    """Stream → records received live from its department in the last ``count`` windows, newest first.

    Only windows since the stream's first page are listed: what was never sent is no drop.
    """
    at, length = to_us(now), window // timedelta(microseconds=1)
    first = {
        StreamKey(unit, stream): int(received)
        for unit, stream, received in sql.rows(
            "SELECT unit, stream, MIN(received_at) FROM page WHERE mode = 'live' AND door IN ('poll','push','file')"
            " GROUP BY unit, stream",
            (),
        )
    }
    found = {key: [0] * min(count, (at - began) // length) for key, began in first.items()}
    rows = sql.rows(
        "SELECT unit, stream, (? - received_at) / ?, SUM(rows) FROM page WHERE mode = 'live'"
        " AND door IN ('poll','push','file') AND received_at > ? AND received_at <= ? GROUP BY 1, 2, 3",
        (at, length, at - count * length, at),
    )
    for unit, stream, index, total in rows:
        windows = found[StreamKey(unit, stream)]
        if index < len(windows):
            windows[int(index)] = int(total)
    return found


def received_since(sql: Sql, stream: StreamKey, now: datetime, span: timedelta) -> tuple[int, datetime | None]:
    """How many rows that were not there before a stream sent live in the last ``span``, and when its first page came."""
    row = sql.one(
        "SELECT COALESCE(SUM(CASE WHEN received_at > ? THEN rows - unchanged ELSE 0 END), 0), MIN(received_at) FROM page"
        " WHERE unit = ? AND stream = ? AND received_at <= ? AND mode = 'live' AND door IN ('poll','push','file')",
        (to_us(now - span), *stream, to_us(now)),
    )
    assert row is not None
    return int(row[0]), opt_from_us(row[1])


def community_volumes(sql: Sql, now: datetime, window: timedelta, count: int) -> dict[str, list[int]]:
    """Community → records of its households that came live in the last ``count`` windows, newest first.

    Counted by each record's first version; only windows since the hub's first live page are listed.
    """
    at, length = to_us(now), window // timedelta(microseconds=1)
    first = sql.one("SELECT MIN(received_at) FROM page WHERE mode = 'live' AND door IN ('poll','push','file')")
    known = 0 if first is None or first[0] is None else min(count, (at - int(first[0])) // length)
    rows = sql.rows(
        "SELECT h.community, (? - p.received_at) / ?, COUNT(DISTINCT v.record_id) FROM page p"
        " JOIN version v ON v.page_id = p.id AND v.number = 1 JOIN event_place e ON e.record_id = v.record_id"
        " JOIN household h ON h.id = e.household_id WHERE p.mode = 'live' AND p.door IN ('poll','push','file')"
        " AND p.received_at > ? AND p.received_at <= ? AND h.community IS NOT NULL GROUP BY 1, 2",
        (at, length, at - count * length, at),
    )
    found: dict[str, list[int]] = {}
    for community, index, total in rows:
        windows = found.setdefault(str(community), [0] * known)
        if index < known:
            windows[int(index)] = int(total)
    return found


def thin_at(sql: Sql, at: datetime) -> dict[str, datetime]:
    """What had far fewer records than before at that time: stream (``unit.stream``) or community → since when."""
    rows = sql.rows(
        "SELECT subject, since FROM issue WHERE code IN (?, ?) AND since <= ? AND (closed_at IS NULL OR closed_at > ?)"
        " ORDER BY since, subject",
        (THIN, THIN_PLACE, to_us(at), to_us(at)),
    )
    return {str(subject): from_us(since) for subject, since in rows}
