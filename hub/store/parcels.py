"""The outbox: one row per message and channel, committed with its cause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from hub.store.sql import Sql
from hub.store.times import to_us

NO_DESTINATION = "no_destination"


class NewParcel(NamedTuple):
    """A message to put into the outbox; ``body`` is sealed under its number."""

    no: str
    channel: str
    owed_id: int | None
    to: str  # the unit that carries it
    kind: str
    urgent: bool
    body: bytes
    last: str = ""


class ParcelRow(NamedTuple):
    """A message as ``deliver`` reads it."""

    id: int
    no: str
    channel: str
    owed_id: int | None
    to: str
    kind: str
    urgent: bool
    state: str
    body: bytes
    rendered: bytes | None
    attempts: int
    created_at: int


def insert_parcels(sql: Sql, parcels: Sequence[NewParcel], at: datetime) -> None:
    """New messages, due at once."""
    now = to_us(at)
    sql.insert(
        "parcel",
        (
            "no",
            "channel",
            "owed_id",
            "to",
            "kind",
            "urgent",
            "state",
            "body",
            "attempts",
            "next_at",
            "created_at",
            "last",
        ),
        [(p.no, p.channel, p.owed_id, p.to, p.kind, p.urgent, "queued", p.body, 0, now, now, p.last) for p in parcels],
    )


def withdraw_unsent(sql: Sql, owed: Iterable[int]) -> None:
    """Messages that surely never left, for their bytes were never fixed: gone."""
    sql.run_in(
        "UPDATE parcel SET state = 'withdrawn' WHERE state = 'queued' AND rendered IS NULL AND owed_id {in}",
        owed,
    )


def replace_unsent(sql: Sql, bodies: Mapping[int, bytes]) -> set[int]:
    """Another body for the unsent first message of an owed thing; the ids of those that had one."""
    return {
        owed_id
        for owed_id, body in bodies.items()
        if sql.run(
            "UPDATE parcel SET body = ? WHERE owed_id = ? AND state = 'queued' AND rendered IS NULL"
            " AND no = (SELECT no FROM owed WHERE id = ?)",
            (body, owed_id, owed_id),
        )
    }


def read_parcel(sql: Sql, number: int) -> ParcelRow | None:
    """One message by its id."""
    r = sql.one(
        'SELECT id, no, channel, owed_id, "to", kind, urgent, state, body, rendered, attempts, created_at'
        " FROM parcel WHERE id = ?",
        (number,),
    )
    if r is None:
        return None
    return ParcelRow(
        int(r[0]), r[1], r[2], None if r[3] is None else int(r[3]), r[4], r[5], bool(r[6]), r[7], bytes(r[8]),
        None if r[9] is None else bytes(r[9]), r[10], r[11],
    )  # fmt: skip


def keep_rendered(sql: Sql, number: int, rendered: bytes) -> bytes | None:
    """Fix the bytes before the first send; those that stand (somebody may have been first), None: withdrawn."""
    sql.run("UPDATE parcel SET rendered = ? WHERE id = ? AND rendered IS NULL AND state = 'queued'", (rendered, number))
    found = sql.one("SELECT rendered FROM parcel WHERE id = ? AND state IN ('queued', 'sent')", (number,))
    return None if found is None or found[0] is None else bytes(found[0])


def record_attempt(
    sql: Sql, number: int, state: str, last: str, next_at: datetime, now: datetime, receipt_no: str | None
) -> bool:
    """One attempt and its result; False: the message was settled by other means meanwhile, only the attempt counts."""
    at = to_us(now)
    sent = at if state in ("sent", "received") else None
    received = at if state == "received" else None
    changed = sql.run(
        "UPDATE parcel SET state = ?, attempts = attempts + 1, last = ?, next_at = ?, sent_at = COALESCE(sent_at, ?),"
        " received_at = COALESCE(received_at, ?), receipt_no = COALESCE(?, receipt_no), lease_owner = NULL,"
        " lease_until = NULL WHERE id = ? AND state = 'queued'",
        (state, last, to_us(next_at), sent, received, receipt_no, number),
    )
    if not changed:
        sql.run(
            "UPDATE parcel SET attempts = attempts + 1, lease_owner = NULL, lease_until = NULL WHERE id = ?", (number,)
        )
    return changed == 1


def mark_received(sql: Sql, receipts: Iterable[tuple[str, str | None, datetime]]) -> None:
    """Receipts that came in by another door: (message number, receipt number, when)."""
    sql.many(
        "UPDATE parcel SET state = 'received', received_at = ?, receipt_no = COALESCE(?, receipt_no)"
        " WHERE no = ? AND state IN ('queued', 'sent', 'refused')",
        [(to_us(at), receipt_no, no) for no, receipt_no, at in receipts],
    )


def owed_of_messages(sql: Sql, numbers: Iterable[str]) -> dict[str, int | None]:
    """Message number → the owed thing it carries (None: a light change)."""
    return {
        str(no): None if owed is None else int(owed)
        for no, owed in sql.rows_in("SELECT no, owed_id FROM parcel WHERE no {in}", numbers)
    }


class Waiting(NamedTuple):
    """A message that waits for its unit to fetch it."""

    id: int
    no: str
    kind: str
    channel: str


def waiting_for(sql: Sql, unit: str, no: str = "") -> list[Waiting]:
    """Messages to one unit that are not delivered, urgent and oldest first; ``no``: this one alone."""
    more, params = (" AND no = ?", (unit, no)) if no else ("", (unit,))
    rows = sql.rows(
        f"SELECT id, no, kind, channel FROM parcel WHERE \"to\" = ? AND state = 'queued'{more}"
        " ORDER BY urgent DESC, id LIMIT 500",
        params,
    )
    return [Waiting(int(number), text, kind, channel) for number, text, kind, channel in rows]
