"""How many records each stream sent, window by window."""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.core.records import StreamKey
from hub.store.sql import Sql
from hub.store.times import to_us

__all__ = ["volumes"]


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
