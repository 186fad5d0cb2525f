"""`hub status`: is everything heard, applied, sent and answered, and if not, who acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.core.records import Light
from hub.read.connectors import Installed, connector_states
from hub.settings import Settings
from hub.store import ledger, pages, quarantine
from hub.store.engine import SqlStore
from hub.store.sql import Sql
from hub.store.times import to_us

COLOURS = (Light.red, Light.orange, Light.yellow, Light.green)


def status(
    store: SqlStore,
    settings: Settings,
    installed: Mapping[str, Installed],
    now: datetime,
    processes: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Everything `hub status --json` says (contract.md); ``installed`` and ``processes`` are by connector name."""
    with store.read() as sql:
        reports, duties = _two(ledger.open_reports(sql)), _two(ledger.open_duties(sql, to_us(now)))
        return {
            "as_of": now.isoformat(),
            "emergencies": _emergencies(sql),
            "counts": pages.accounting(sql),
            "lights": _lights(sql, settings.communities),
            "connectors": connector_states(sql, settings, installed, now, processes),
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
