"""Corrections on their way: who was told what, by which version of which record, and who has not said that they have it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import orjson

from hub.core.records import Key
from hub.security.vault import Vault
from hub.store import notices as store_notices
from hub.store.engine import SqlStore
from hub.store.notices import Sent, Told
from hub.store.sql import Sql

REMINDER = "reminder"
"""A notice that a duty is due: it corrects nothing."""


def open_notices(store: SqlStore, vault: Vault, now: datetime, *, answered: bool = False) -> list[dict[str, Any]]:
    """Every correction whose receiver has not acknowledged it, the oldest first; ``answered``: the others too."""
    with store.read() as sql:
        found = store_notices.corrections(sql, answered=answered)
        rows = [row for row in _rows(sql, vault, found) if row["says"] != REMINDER]
    for row in rows:
        waits = row["state"] in store_notices.UNANSWERED
        row["waiting_hours"] = int((now - row["created"]).total_seconds() // 3600) if waits else None
        del row["created"]
    return rows


def messages_about(store: SqlStore, vault: Vault, key: Key) -> list[dict[str, Any]] | None:
    """Every message that told of one record: receiver, purpose, version told, version now; None: no such record."""
    with store.read() as sql:
        number = store_notices.record_id(sql, key)
        if number is None:
            return None
        rows = list(_rows(sql, vault, store_notices.messages_about(sql, number)))
    for row in rows:
        del row["created"]
    return rows


def _rows(sql: Sql, vault: Vault, found: Iterable[Sent]) -> Iterator[dict[str, Any]]:
    messages = list(found)
    told: dict[int, list[Told]] = {}
    for one in store_notices.told_by(sql, [message.id for message in messages]):
        told.setdefault(one.message, []).append(one)
    for message in messages:
        says, corrects = _says(message, vault)
        yield {
            "message_no": message.no,
            "channel": message.channel,
            "to": message.to,
            "kind": message.kind,
            "says": says,
            "corrects": corrects,
            "purpose": message.what or message.kind,
            "state": message.state,
            "created_at": message.created_at.isoformat(),
            "sent_at": message.sent_at.isoformat() if message.sent_at else None,
            "received_at": message.received_at.isoformat() if message.received_at else None,
            "receipt_no": message.receipt_no,
            "attempts": message.attempts,
            "last": message.last,
            "records": [_told(one) for one in told.get(message.id, ())],
            "created": message.created_at,
        }


def _told(one: Told) -> dict[str, Any]:
    """A record as a message told of it; ``stale``: what was told is not what stands now."""
    return {
        "unit": one.key.unit,
        "stream": one.key.stream,
        "key": one.key.no,
        "version": one.version,
        "now": one.now,
        "stale": one.version != one.now or one.state != "applied",
    }


def _says(message: Sent, vault: Vault) -> tuple[str, str | None]:
    """(what it says, the number it is about): a notice by its own word, the others by their kind."""
    if message.kind != "notice":
        return message.kind, message.about
    body = orjson.loads(vault.open_blob(message.no, message.body))["body"]
    return str(body.get("kind")), body.get("corrects")
