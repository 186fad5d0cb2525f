"""What the read side asks about messages: reports, duties, the outbox, issues, the schedule.

Every function takes the ``Sql`` of ``store.read()`` and gives NamedTuples; bodies come out sealed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from hub.core.records import Key
from hub.core.values import link_form
from hub.store.engine import SqlStore
from hub.store.sql import Row, Sql
from hub.store.times import from_us, opt_from_us, to_us


class OwedView(NamedTuple):
    """A report or a duty as it stands."""

    id: int
    no: str
    what: str
    to: str
    slot: str
    state: str
    live: bool
    opened_at: datetime
    due: datetime | None
    closed_at: datetime | None
    closed_by: str
    how: str
    facts: str  # JSON
    body: bytes | None
    household: str | None  # uid


class CauseView(NamedTuple):
    """A record that causes an owed thing."""

    key: Key
    kind: str
    at: datetime


class ParcelView(NamedTuple):
    """One message on its way, without its body."""

    owed: int
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


class IssueView(NamedTuple):
    """Something a person should act on."""

    uid: str
    code: str
    subject: str
    since: datetime
    remedy: str


class ScheduleView(NamedTuple):
    """One polled stream."""

    unit: str
    stream: str
    next_due: datetime
    heard_at: datetime | None
    missed: int
    failures: int
    last: str


class FeedbackView(NamedTuple):
    """A record of `report_feedback`: facts as stored."""

    key: Key
    at: datetime
    facts: str


_OWED = (
    'o.id, o.no, o.what, o."to", o.slot, o.state, o.live, o.opened_at, o.due, o.closed_at, o.closed_by, o.how, o.facts, '
    "o.body, h.uid"
)
_OWED_FROM = "FROM owed o LEFT JOIN household h ON h.id = o.household_id"


def owed(sql: Sql, letter: str, *, after: int = 0, limit: int = 500) -> list[OwedView]:
    """Up to ``limit`` reports (letter M) or duties (letter D), in the order they were opened."""
    text = f"SELECT {_OWED} {_OWED_FROM} WHERE o.id > ? AND o.what LIKE ? ORDER BY o.id LIMIT ?"
    return [_owed(row) for row in sql.rows(text, (after, f"{letter}%", limit)) if row[2][1:2].isdigit()]


def owed_by_no(sql: Sql, no: str) -> OwedView | None:
    """A report or duty by its number, however it was typed."""
    row = sql.one(f"SELECT {_OWED} {_OWED_FROM} WHERE o.no = ?", (link_form(no),))
    return None if row is None else _owed(row)


def _owed(row: Row) -> OwedView:
    number, no, what, to, slot, state, live, opened, due, closed, closed_by, how, facts, body, household = row
    return OwedView(
        number, no, what, to, slot, state, bool(live), from_us(opened), opt_from_us(due), opt_from_us(closed),
        closed_by, how, facts, None if body is None else bytes(body), household,
    )  # fmt: skip


def causes(sql: Sql, numbers: Iterable[int]) -> dict[int, list[CauseView]]:
    """The records behind owed things, the earliest first."""
    text = (
        "SELECT c.owed_id, r.unit, r.stream, r.no, r.kind, r.at FROM owed_cause c JOIN record r ON r.id = c.record_id "
        "WHERE c.owed_id {in} ORDER BY c.owed_id, r.at, r.unit, r.stream, r.no"
    )
    found: dict[int, list[CauseView]] = {}
    for number, unit, stream, no, kind, at in sql.rows_in(text, numbers):
        found.setdefault(number, []).append(CauseView(Key(unit, stream, no), kind, from_us(at)))
    return found


def outcomes(sql: Sql, rows: Iterable[OwedView]) -> dict[str, str]:
    """The record that ended a duty (as ``closed_by`` names it) → the outcome that the unit gave in it."""
    wanted = {row.closed_by.split("/", 2)[2] for row in rows if "/duty_answer/" in row.closed_by}
    text = "SELECT unit, stream, no, facts FROM record WHERE kind = 'duty_answer' AND no {in}"
    found = ((f"{u}/{s}/{no}", orjson.loads(facts).get("outcome")) for u, s, no, facts in sql.rows_in(text, wanted))
    return {key: str(outcome) for key, outcome in found if outcome}


def related_owed(sql: Sql, what: str) -> list[OwedView]:
    """Every owed thing of one kind that hangs on a report: addendum, answer, cancellation …"""
    text = f"SELECT {_OWED} {_OWED_FROM} WHERE o.what = ? ORDER BY o.id"
    return [_owed(row) for row in sql.rows(text, (what,))]


def parcels(sql: Sql, numbers: Iterable[int]) -> dict[int, list[ParcelView]]:
    """The messages of owed things, in the order they were made."""
    text = (
        'SELECT owed_id, no, channel, "to", kind, state, attempts, created_at, sent_at, received_at, receipt_no, last '
        "FROM parcel WHERE owed_id {in} ORDER BY id"
    )
    found: dict[int, list[ParcelView]] = {}
    for number, no, channel, to, kind, state, attempts, created, sent, received, receipt, last in sql.rows_in(
        text, numbers
    ):
        view = ParcelView(
            number, no, channel, to, kind, state, attempts, from_us(created), opt_from_us(sent), opt_from_us(received),
            receipt, last,
        )  # fmt: skip
        found.setdefault(number, []).append(view)
    return found


def feedback(sql: Sql) -> list[FeedbackView]:
    """Every current record that moves a report's ladder, in order of time."""
    text = (
        "SELECT unit, stream, no, at, facts FROM record WHERE kind = 'report_feedback' AND state = 'applied' "
        "ORDER BY at, id"
    )
    return [FeedbackView(Key(unit, stream, no), from_us(at), facts) for unit, stream, no, at, facts in sql.rows(text)]


def issues(sql: Sql) -> list[IssueView]:
    """Open issues, the oldest first."""
    rows = sql.rows("SELECT uid, code, subject, since, remedy FROM issue WHERE closed_at IS NULL ORDER BY since, id")
    return [IssueView(uid, code, subject, from_us(since), remedy) for uid, code, subject, since, remedy in rows]


def schedule(sql: Sql) -> list[ScheduleView]:
    """Every feed: polled streams, their parts, and what compares them by days."""
    rows = sql.rows(
        "SELECT unit, stream, next_due, heard_at, missed, failures, last FROM schedule ORDER BY unit, stream"
    )
    return [
        ScheduleView(unit, stream, from_us(due), opt_from_us(heard), missed, failures, last)
        for unit, stream, due, heard, missed, failures, last in rows
    ]


def outbox(sql: Sql) -> dict[str, int]:
    """Messages by state."""
    return {state: int(count) for state, count in sql.rows("SELECT state, COUNT(*) FROM parcel GROUP BY state")}


def lights(sql: Sql) -> list[tuple[str | None, int, int]]:
    """(community, light, how many) of the living households that are lit."""
    return [
        (community, int(light), int(count))
        for community, light, count in sql.rows(
            "SELECT community, light, COUNT(*) FROM household WHERE successor_id IS NULL AND light > 0 "
            "GROUP BY community, light"
        )
    ]


def nodes(sql: Sql) -> list[tuple[str, str | None, datetime | None]]:
    """(lease, owner, until) of the writer and of every node."""
    return [
        (what, owner, opt_from_us(until)) for what, owner, until in sql.rows('SELECT what, owner, "until" FROM lease')
    ]


def due_households(sql: Sql, now_us: int) -> int:
    """How many households are shown with a light whose time has run out."""
    row = sql.one("SELECT COUNT(*) FROM household WHERE valid_until IS NOT NULL AND valid_until <= ?", (now_us,))
    assert row is not None
    return int(row[0])


def numbers_of(rows: Sequence[OwedView]) -> list[int]:
    """The ids of some owed things."""
    return [row.id for row in rows]


def overdue_parcels(sql: Sql, now_us: int) -> int:
    """How many messages have no receipt although what they carry was due."""
    row = sql.one(
        "SELECT COUNT(*) FROM parcel p JOIN owed o ON o.id = p.owed_id "
        "WHERE p.state IN ('queued', 'sent') AND o.closed_at IS NULL AND o.due IS NOT NULL AND o.due < ?",
        (now_us,),
    )
    assert row is not None
    return int(row[0])


def open_reports(sql: Sql) -> tuple[int, int]:
    """(open, overdue) reports; overdue: a step is late, so that somebody was told (an escalation stands)."""
    rows = sql.rows("SELECT no FROM owed WHERE what LIKE ? AND state NOT IN ('answered', 'cancelled')", ("M%",))
    late = sql.rows("SELECT facts FROM owed WHERE what = 'escalation' AND state = 'open'")
    told = {orjson.loads(facts).get("report_no") for (facts,) in late}
    numbers = {str(no) for (no,) in rows}
    return len(numbers), len(numbers & told)


def open_duties(sql: Sql, now_us: int) -> tuple[int, int]:
    """(open, overdue) duties."""
    row = sql.one(
        "SELECT COUNT(*), COALESCE(SUM(CASE WHEN due IS NOT NULL AND due < ? THEN 1 ELSE 0 END), 0) FROM owed "
        "WHERE what LIKE ? AND state IN ('open', 'accepted')",
        (now_us, "D%"),
    )
    assert row is not None
    return int(row[0]), int(row[1])


def open_of(sql: Sql, households: Iterable[str]) -> dict[str, int]:
    """How many reports and duties stand open on these households (uids)."""
    rows = sql.rows_in(
        "SELECT o.what FROM owed o JOIN household h ON h.id = o.household_id"
        " WHERE o.closed_at IS NULL AND o.state <> 'cancelled' AND h.uid {in}",
        households,
    )
    numbered = [str(what) for (what,) in rows if what[1:2].isdigit()]
    return {name: sum(what[0] == letter for what in numbered) for name, letter in (("reports", "M"), ("duties", "D"))}


def hasten(store: SqlStore, no: str, now: datetime) -> int:
    """Make the queued messages of an owed thing due at once: one conditional UPDATE; how many."""
    with store.claim() as sql:
        return sql.run(
            "UPDATE parcel SET next_at = ? WHERE state = 'queued' AND owed_id = (SELECT id FROM owed WHERE no = ?)",
            (to_us(now), no),
        )
