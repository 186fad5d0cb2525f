"""The state of every connector, who acts next, and what its streams met last: `hub status`, `hub connectors list | show`.

Durable facts come from the archive (results of reads, open issues); what only the running daemon knows (a process that is
just being started, its number) is handed in as ``processes``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hub.core.freight import DAYS, stream_of
from hub.core.lifecycle import STATES, shown
from hub.core.records import StreamKey
from hub.read.days import day_rows, summed
from hub.read.edges import edge_rows
from hub.settings import ConnectorConfig, Settings
from hub.store import ledger, snapshot
from hub.store.edges import BY_EDGE
from hub.store.sql import Sql

__all__ = ["Installed", "connector_states"]

_BY_ISSUE = {"connector.held": "held", "connector.refused": "refused"}
"""Open issue about a connector → state of its process, where no daemon can be asked."""


class Installed(NamedTuple):
    """One installed connector: its unit, and its streams with how long each may be silent (None: nobody waits)."""

    unit: str
    promises: Mapping[str, timedelta | None]


def connector_states(
    sql: Sql,
    settings: Settings,
    installed: Mapping[str, Installed],
    now: datetime,
    processes: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """Every installed connector by name; ``processes`` is the daemon's own view (``state``, ``pid``, ``starts``)."""
    heard = snapshot.heard(sql)
    scheduled = _feeds(ledger.schedule(sql))
    issues = {issue.subject: _BY_ISSUE[issue.code] for issue in ledger.issues(sql) if issue.code in _BY_ISSUE}
    edges, days = edge_rows(sql, now), day_rows(sql, None, now)
    told = []
    for name in sorted(installed):
        unit, promises = installed[name]
        config = settings.connectors.get(name)
        rows = [
            {
                **_stream(StreamKey(unit, stream), config, promise, scheduled, heard, now),
                "reconciled": summed(days.get(StreamKey(unit, stream), ())),
            }
            for stream, promise in promises.items()
        ]
        process = (processes or {}).get(name, {"state": issues.get(name, "ready")})
        told.append({"name": name, **_state(config, process, rows), "streams": rows, "edge": edges.get(name)})
    return told


def _stream(
    key: StreamKey,
    config: ConnectorConfig | None,
    promise: timedelta | None,
    scheduled: Mapping[StreamKey, Sequence[ledger.ScheduleView]],
    heard: Mapping[StreamKey, snapshot.HeardView],
    now: datetime,
) -> dict[str, Any]:
    """One stream: last heard, next read, reads missed, and whether it is fresh (None: nobody waits for it)."""
    feeds, view = scheduled.get(key, ()), heard.get(key)
    stream = config.streams.get(key.stream) if config else None
    last = view.heard_at if view else None
    due = (
        min((row.next_due for row in feeds if row.last != BY_EDGE), default=None) if config and config.enabled else None
    )
    return {
        "stream": key.stream,
        "transport": stream.transport if stream else "push",
        "last": last.isoformat() if last else None,
        "next": due.isoformat() if due else None,
        "missed": sum(row.missed for row in feeds),
        "fresh": None if promise is None or last is None else now - last <= promise,
        "silent_since": view.silent_since.isoformat() if view and view.silent_since else None,
        "failures": max((row.failures for row in feeds), default=0),
        "result": next((row.last for row in feeds if row.last), ""),
        "partitions": [_part(row) for row in feeds if stream_of(StreamKey(row.unit, row.stream))[1]],
    }


def _part(row: ledger.ScheduleView) -> dict[str, Any]:
    """One part of a stream, read by itself."""
    return {
        "partition": stream_of(StreamKey(row.unit, row.stream))[1],
        "last": row.heard_at.isoformat() if row.heard_at else None,
        "next": row.next_due.isoformat(),
        "failures": row.failures,
        "result": row.last,
    }


def _feeds(rows: Sequence[ledger.ScheduleView]) -> dict[StreamKey, list[ledger.ScheduleView]]:
    """Stream → its feeds, without what compares it with its source."""
    found: dict[StreamKey, list[ledger.ScheduleView]] = {}
    for row in rows:
        stream, part = stream_of(StreamKey(row.unit, row.stream))
        if part != DAYS:
            found.setdefault(stream, []).append(row)
    return found


def _state(config: ConnectorConfig | None, process: Mapping[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """``state``, ``who_acts``, what it means and what to do; a source that is silent is its department's to mend."""
    enabled = config is not None and config.enabled
    of_process = str(process.get("state", "ready"))
    if not enabled and of_process != "draining":
        of_process = "disabled"
    read = {row["stream"] for row in rows if row["failures"]} & set(config.streams if config else ())
    state = shown(of_process, [row["result"] for row in rows if row["stream"] in read])
    words = STATES[state]
    silent = state == "ready" and any(row["fresh"] is False for row in rows)
    return {
        "state": state,
        "who_acts": "department" if silent else words.who,
        "means": "its source is silent beyond its promise" if silent else words.english,
        "todo": "ask the unit whether its system runs" if silent else words.todo,
        "pid": process.get("pid"),
        "starts": process.get("starts", 0),
    }
