"""Edges as people see them: the state each last told, or that it has not been heard."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hub.store import edges
from hub.store.sql import Sql

SILENT = timedelta(minutes=5)
"""Without a word for so long an edge is silent; it speaks every 30 seconds."""


def edge_rows(sql: Sql, now: datetime) -> dict[str, dict[str, Any]]:
    """Connector → its edge: state (invited, revoked, silent, or what it told), key, counts, times."""
    return {view.connector: _row(view, now) for view in edges.edges(sql)}


def _row(view: edges.EdgeView, now: datetime) -> dict[str, Any]:
    told = view.told
    heard = view.heard_at or view.joined_at
    if view.state != edges.ACTIVE:
        state = (
            view.state if view.state == edges.REVOKED or view.code_until is None or view.code_until > now else "expired"
        )
    elif heard is None or now - heard > SILENT:
        state = "silent"
    else:
        state = str(told.get("state") or "joined")
    return {
        "connector": view.connector,
        "state": state,
        "code": told.get("code") or "",
        "key_id": view.key_id,
        "joined_at": _iso(view.joined_at),
        "heard_at": _iso(view.heard_at),
        "revoked_at": _iso(view.revoked_at),
        "waiting": told.get("waiting"),
        "held": told.get("held") or {},
        "bytes": told.get("bytes"),
        "limit": told.get("limit"),
        "oldest": told.get("oldest") or None,
        "skew": told.get("skew"),
        "sent": told.get("sent") or {},
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
