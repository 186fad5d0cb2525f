"""Feeds that a reader asks for after the last entry it has: light changes, messages addressed to a unit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from hub.core.records import Light, StreamKey
from hub.store.sql import Sql
from hub.store.times import from_us, opt_from_us


class ChangeView(NamedTuple):
    """One transition of one household."""

    no: str
    household: str
    registered: str | None
    community: str | None
    was: Light
    light: Light
    since: datetime | None
    reason: str


class MessageView(NamedTuple):
    """One message, body sealed under its number."""

    no: str
    channel: str
    kind: str
    state: str
    created_at: datetime
    body: bytes


def light_changes(sql: Sql, after: str, limit: int, communities: Sequence[str] = ()) -> list[ChangeView]:
    """Changes after the one numbered ``after`` (empty: from the first), oldest first."""
    row = sql.one("SELECT id FROM light_change WHERE no = ?", (after,)) if after else None
    place = f" AND c.community IN ({', '.join('?' * len(communities))})" if communities else ""
    text = (
        "SELECT c.no, h.uid, h.registered, c.community, c.was, c.light, c.since, c.reason FROM light_change c "
        f"JOIN household h ON h.id = c.household_id WHERE c.id > ?{place} ORDER BY c.id LIMIT ?"
    )
    rows = sql.rows(text, (row[0] if row else 0, *communities, limit))
    return [
        ChangeView(no, household, registered, community, Light(was), Light(light), opt_from_us(since), reason)
        for no, household, registered, community, was, light, since, reason in rows
    ]


def messages_to(sql: Sql, unit: str, after: str, limit: int) -> list[MessageView]:
    """Messages to one unit after the one numbered ``after``, oldest first; withdrawn ones are not among them."""
    row = sql.one("SELECT MAX(id) FROM parcel WHERE no = ?", (after,)) if after else None
    rows = sql.rows(
        'SELECT no, channel, kind, state, created_at, body FROM parcel WHERE "to" = ? AND id > ? '
        "AND state <> 'withdrawn' AND channel = 'first' ORDER BY id LIMIT ?",
        (unit, (row[0] or 0) if row else 0, limit),
    )
    return [
        MessageView(no, channel, kind, state, from_us(at), bytes(body)) for no, channel, kind, state, at, body in rows
    ]


def page_stream(sql: Sql, uid: str) -> StreamKey | None:
    """Whose page this is; None: no such page."""
    row = sql.one("SELECT unit, stream FROM page WHERE uid = ?", (uid,))
    return None if row is None else StreamKey(str(row[0]), str(row[1]))


def told_to(sql: Sql, unit: str) -> set[str]:
    """Numbers of the reports whose delay was told to a unit (the ladder's escalation)."""
    rows = sql.rows("""SELECT facts FROM owed WHERE what = 'escalation' AND "to" = ?""", (unit,))
    return {str(orjson.loads(facts).get("report_no")) for (facts,) in rows}
