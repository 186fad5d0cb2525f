"""What went out and what came back: every message with its receiver, its purpose and the records it told of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from hub.core.records import Key
from hub.store.sql import Row, Sql
from hub.store.times import from_us, opt_from_us

CORRECTING = ("notice", "cancellation", "addendum")
"""Kinds of message that say: what you were told before is no longer the whole truth."""
UNANSWERED = ("queued", "sent", "refused")


class Sent(NamedTuple):
    """One message, its body still sealed."""

    id: int
    no: str
    channel: str
    to: str
    kind: str
    state: str
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    received_at: datetime | None
    receipt_no: str | None
    last: str
    body: bytes
    owed: int | None
    what: str | None  # the purpose: rule of a report, name of a duty, kind of a message
    about: str | None  # number of the owed thing


_TEXT = (
    'SELECT p.id, p.no, p.channel, p."to", p.kind, p.state, p.attempts, p.created_at, p.sent_at, p.received_at,'
    " p.receipt_no, p.last, p.body, p.owed_id, o.what, o.no FROM parcel p LEFT JOIN owed o ON o.id = p.owed_id"
)


def corrections(sql: Sql, *, answered: bool = False) -> list[Sent]:
    """Notices, requests to cancel and addenda; ``answered``: also those whose receiver has acknowledged."""
    kinds = ", ".join("?" * len(CORRECTING))
    states = "" if answered else f" AND p.state IN ({', '.join('?' * len(UNANSWERED))})"
    params = (*CORRECTING, *(() if answered else UNANSWERED))
    return [_sent(row) for row in sql.rows(f"{_TEXT} WHERE p.kind IN ({kinds}){states} ORDER BY p.id", params)]


def messages_about(sql: Sql, record: int) -> list[Sent]:
    """Every message that told of one record, in the order they were made; light changes tell of none."""
    rows = sql.rows(
        f"{_TEXT} WHERE p.owed_id IN (SELECT owed_id FROM owed_cause WHERE record_id = ?) ORDER BY p.id", (record,)
    )
    return [_sent(row) for row in rows]


def record_id(sql: Sql, key: Key) -> int | None:
    """The id of a record by its key, retracted ones too."""
    row = sql.one("SELECT id FROM record WHERE unit = ? AND stream = ? AND no = ?", key)
    return None if row is None else int(row[0])


class Told(NamedTuple):
    """A record that a message told of, and which version it told; ``now``: the version that stands today."""

    message: int
    key: Key
    version: int | None
    now: int
    state: str  # of the record: applied, retracted, rejected


def told_by(sql: Sql, messages: Iterable[int]) -> list[Told]:
    """What messages told of: of each record the newest version known when the message was made."""
    text = (
        "SELECT p.id, r.unit, r.stream, r.no, (SELECT v.number FROM version v WHERE v.record_id = r.id"
        " AND v.received_at <= p.created_at ORDER BY v.updated_at DESC, v.number DESC LIMIT 1), r.version, r.state"
        " FROM parcel p JOIN owed_cause c ON c.owed_id = p.owed_id JOIN record r ON r.id = c.record_id"
        " WHERE p.id {in} ORDER BY p.id, r.unit, r.stream, r.no"
    )
    return [
        Told(int(message), Key(unit, stream, no), version, int(now), str(state))
        for message, unit, stream, no, version, now, state in sql.rows_in(text, messages)
    ]


def _sent(row: Row) -> Sent:
    number, no, channel, to, kind, state, attempts, created, sent, received, receipt, last, body, owed, what, about = (
        row
    )
    return Sent(
        int(number), no, channel, to, kind, state, attempts, from_us(created), opt_from_us(sent), opt_from_us(received),
        receipt, last, bytes(body), owed, what, about,
    )  # fmt: skip
