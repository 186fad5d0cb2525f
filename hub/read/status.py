"""`hub status`: is everything heard, applied, sent and answered, and if not, who acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.core.records import Light, StreamKey
from hub.read.edges import edge_rows
from hub.settings import ConnectorConfig, Settings
from hub.store import ledger, pages, quarantine, snapshot
from hub.store.engine import SqlStore
from hub.store.sql import Sql
from hub.store.times import to_us

_CREDENTIALS = ("peer.refused", "peer.unauthorized", "peer.credentials")
COLOURS = (Light.red, Light.orange, Light.yellow, Light.green)


def status(
    store: SqlStore, settings: Settings, units: Mapping[str, str], streams: Mapping[str, Sequence[str]], now: datetime
) -> dict[str, Any]:
    """Everything `hub status --json` says (contract.md); ``units`` and ``streams`` are by connector name."""
    with store.read() as sql:
        reports, duties = _two(ledger.open_reports(sql)), _two(ledger.open_duties(sql, to_us(now)))
        return {
            "as_of": now.isoformat(),
            "emergencies": _emergencies(sql),
            "counts": pages.accounting(sql),
            "lights": _lights(sql, settings.communities),
            "connectors": _connectors(sql, settings, units, streams, now),
            "outbox": _outbox(sql, now),
            "reports": reports,
            "duties": duties,
            "issues": _issues(sql, settings),
            "node": next((owner for what, owner, _ in ledger.nodes(sql) if what == "writer"), None),
            "keys": sorted(settings.keys),
        }


def _emergencies(sql: Sql) -> dict[str, Any]:
    """Unreadable rows that speak of violence or of a child in danger: the first thing anybody should see."""
    count, since = quarantine.emergencies(sql)
    return {"open": count, "since": since.isoformat() if since else None}


def _lights(sql: Sql, communities: Sequence[str]) -> dict[str, dict[str, int]]:
    """Lit households by community; one the hub serves is listed even when nothing burns there."""
    found = {community: {colour.name: 0 for colour in COLOURS} for community in communities}
    for community, light, count in ledger.lights(sql):
        counts = found.setdefault(community or "unknown", {colour.name: 0 for colour in COLOURS})
        counts[Light(light).name] = count
    return dict(sorted(found.items()))


def _connectors(
    sql: Sql, settings: Settings, units: Mapping[str, str], streams: Mapping[str, Sequence[str]], now: datetime
) -> list[dict[str, Any]]:
    heard = snapshot.heard(sql)
    scheduled = {StreamKey(row.unit, row.stream): row for row in ledger.schedule(sql)}
    known = edge_rows(sql, now)
    told = []
    for name in sorted(streams):
        config = settings.connectors.get(name)
        rows = [_stream(StreamKey(units[name], stream), config, scheduled, heard, now) for stream in streams[name]]
        state, who = _state(config, [scheduled.get(StreamKey(units[name], stream)) for stream in streams[name]], rows)
        told.append({"name": name, "state": state, "who_acts": who, "streams": rows, "edge": known.get(name)})
    return told


def _stream(
    key: StreamKey,
    config: ConnectorConfig | None,
    scheduled: Mapping[StreamKey, ledger.ScheduleView],
    heard: Mapping[StreamKey, snapshot.HeardView],
    now: datetime,
) -> dict[str, Any]:
    """One stream: last heard, next read, reads missed, and whether it is fresh (None: nobody waits for it)."""
    row, view = scheduled.get(key), heard.get(key)
    stream = config.streams.get(key.stream) if config else None
    freshness = stream.freshness if stream else None
    last = view.heard_at if view else None
    return {
        "stream": key.stream,
        "transport": stream.transport if stream else "push",
        "last": last.isoformat() if last else None,
        "next": row.next_due.isoformat() if row and config and config.enabled else None,
        "missed": row.missed if row else 0,
        "fresh": None if freshness is None or last is None else now - last <= freshness,
        "silent_since": view.silent_since.isoformat() if view and view.silent_since else None,
        "result": row.last if row else "",
    }


def _state(
    config: ConnectorConfig | None, scheduled: Sequence[ledger.ScheduleView | None], rows: Sequence[Mapping[str, Any]]
) -> tuple[str, str]:
    """(state, who acts): disabled, ready, retrying, failing (a credential or a person) or stale."""
    if config is None or not config.enabled:
        return "disabled", "nobody"
    failing = [row for row in scheduled if row is not None and row.failures]
    if any(row.last.startswith(_CREDENTIALS) for row in failing):
        return "failing", "it"
    if any(row.failures > 3 for row in failing):
        return "failing", "department"
    if failing:
        return "retrying", "nobody"
    return ("stale", "department") if any(row["fresh"] is False for row in rows) else ("ready", "nobody")


def _outbox(sql: Sql, now: datetime) -> dict[str, int]:
    """Messages by state; overdue: not received although what they carry was due."""
    states = ledger.outbox(sql)
    return {
        **{state: states.get(state, 0) for state in ("queued", "sent", "received", "refused")},
        "overdue": ledger.overdue_parcels(sql, to_us(now)),
    }


def _two(counts: tuple[int, int]) -> dict[str, int]:
    return {"open": counts[0], "overdue": counts[1]}


def _issues(sql: Sql, settings: Settings) -> list[dict[str, Any]]:
    """Open issues; loudest of all, that mandatory reports have nobody to go to."""
    told: list[dict[str, Any]] = [
        {
            "id": issue.uid,
            "cause": issue.code,
            "subject": issue.subject,
            "since": issue.since.isoformat(),
            "remedy": issue.remedy,
        }
        for issue in ledger.issues(sql)
    ]
    police = settings.connectors.get("police")
    anybody = any(config.enabled for config in settings.connectors.values())
    if anybody and not (police and police.enabled and "mandatory_report" in police.deliver):
        told.insert(
            0,
            {
                "id": "configuration",
                "cause": "report.no_receiver",
                "subject": "police",
                "since": None,
                "remedy": "enable police and set [deliver.mandatory_report]; until then print reports with "
                "`hub reports show NO --print` and hand them over by the second channel",
            },
        )
    return told
