"""`hub quarantine`: what waits, grouped by mistake, in words; a single row with its original opened."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from hub.core.problems import text_of
from hub.security.vault import Vault
from hub.store import quarantine
from hub.store.quarantine import Fingerprint, GroupView, QuarantineView
from hub.store.sql import Sql

WITHHELD = "withheld"
"""Stands for a value that says who reported."""


def group_name(fingerprint: Fingerprint) -> str:
    """A short name of a group, the same on every hub and on every day; made of codes and shapes only."""
    return hashlib.sha256("\0".join(fingerprint).encode()).hexdigest()[:8]


def groups(sql: Sql) -> list[dict[str, Any]]:
    """Every group as `hub quarantine list --json` tells it; urgent ones first."""
    return [told(group) for group in quarantine.groups(sql)]


def told(group: GroupView) -> dict[str, Any]:
    """One group, with what its code means and what to do."""
    code, unit, stream, field, shape = group.fingerprint
    words = text_of(code)
    return {
        "group": group_name(group.fingerprint),
        "code": code,
        "unit": unit,
        "stream": stream,
        "field": field,
        "shape": shape,
        "count": group.rows,
        "urgent": group.urgent,
        "times": group.times,
        "since": group.first_at.isoformat(),
        "last": group.last_at.isoformat(),
        "title": words.english,
        "title_zh": words.chinese,
        "remedy": words.remedy,
        "remedy_zh": words.remedy_zh,
    }


def fingerprint_named(sql: Sql, name: str) -> Fingerprint | None:
    """The group of that name; None: nothing of it waits."""
    return next((g.fingerprint for g in quarantine.groups(sql) if group_name(g.fingerprint) == name), None)


def row_told(row: QuarantineView) -> dict[str, Any]:
    """One row, without its original: nothing personal but its own number."""
    code, unit, stream, field, shape = row.fingerprint
    return {
        "id": row.uid,
        "batch": row.page,
        "row": row.row,
        "unit": unit,
        "stream": stream,
        "key": row.no,
        "code": code,
        "field": field,
        "shape": shape,
        "group": group_name(row.fingerprint),
        "urgent": row.urgent,
        "remedy": row.remedy,
        "state": row.state,
        "mode": row.mode,
        "times": row.times,
        "at": row.at.isoformat(),
        "last": row.last_at.isoformat(),
        "closed_at": row.closed_at.isoformat() if row.closed_at else None,
        "superseded_by": row.closed_by or None if row.state == "superseded" else None,
    }


def opened(
    sql: Sql, vault: Vault, rows: Sequence[QuarantineView], hidden: Callable[[str, str], Callable[[str], bool]]
) -> list[dict[str, Any]]:
    """Rows with their originals: personal data, for whoever mends them. ``hidden``: unit and stream → whether a column
    says who reported, which is withheld here too.
    """
    sealed = quarantine.originals(sql, [row.uid for row in rows])
    found = []
    for row in rows:
        _, unit, stream, *_ = row.fingerprint
        is_hidden = hidden(unit, stream)
        original = _original(vault, row.uid, sealed[row.uid])
        shown = {name: WITHHELD if value and is_hidden(name) else value for name, value in original.items()}
        found.append({**row_told(row), "original": shown})
    return found


def _original(vault: Vault, uid: str, sealed: bytes) -> dict[str, Any]:
    found = orjson.loads(vault.open_blob(uid, sealed) or b"{}")
    return found if isinstance(found, dict) else {"value": json.dumps(found, ensure_ascii=False)}
