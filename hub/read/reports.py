"""Mandatory reports and duties as they stand. A report is shown without its reporter, always."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from hub.core.ladder import TABLE
from hub.core.message import without_reporter
from hub.core.settle import is_duty, is_report
from hub.core.words import STATION
from hub.security.vault import Vault
from hub.store import ledger
from hub.store.engine import SqlStore
from hub.store.ledger import FeedbackView, OwedView, ParcelView
from hub.store.sql import Sql

LIVING = ("open", "accepted")
UNRECEIVED = ("queued", "sent")
"""Steps of a report before its receipt: its own due date is the receipt's."""


class Around(NamedTuple):
    """What hangs on reports, by their numbers."""

    feedback: Mapping[str, Sequence[FeedbackView]]
    addenda: Mapping[str, Sequence[Mapping[str, Any]]]
    answers: Mapping[str, Sequence[ParcelView]]  # to the reporting units
    late: Mapping[str, Sequence[Mapping[str, Any]]] = {}  # steps that are late now, and who was told


def reports(store: SqlStore, vault: Vault) -> Iterator[dict[str, Any]]:
    """Every report in the order it was made: its body without reporter, where it stands, steps and addenda."""
    with store.read() as sql:
        around = _around(sql)
        for batch in _batches(sql, "M"):
            sent = ledger.parcels(sql, ledger.numbers_of(batch))
            for row in batch:
                yield report(row, vault, around, sent.get(row.id, ()))


def find_report(store: SqlStore, vault: Vault, no: str) -> dict[str, Any] | None:
    """One report by its number; None: there is none."""
    with store.read() as sql:
        row = ledger.owed_by_no(sql, no)
        if row is None or not is_report(row.what):
            return None
        return report(row, vault, _around(sql), ledger.parcels(sql, [row.id]).get(row.id, ()))


def reporter_for_police(store: SqlStore, vault: Vault, no: str) -> Mapping[str, Any]:
    """Who reported, for the sheet that is handed to the police and for nothing else; empty: nobody is named."""
    with store.read() as sql:
        row = ledger.owed_by_no(sql, no)
    if row is None or not is_report(row.what) or row.body is None:
        return {}
    return orjson.loads(vault.open_blob(row.no, row.body)).get("reporter") or {}


def report(row: OwedView, vault: Vault, around: Around, sent: Sequence[ParcelView]) -> dict[str, Any]:
    """One report as `export reports` and `reports show --json` give it."""
    body = orjson.loads(vault.open_blob(row.no, row.body)) if row.body else {"report_no": row.no, "rule": row.what}
    steps = _steps(row, around, sent)
    step = _stands(row, steps)
    cancelled = next((one["at"] for one in reversed(steps) if one["step"] == "cancelled"), None)
    if cancelled is None and row.state == "cancelled" and row.closed_at is not None:
        cancelled = row.closed_at.isoformat()
    return {
        **without_reporter(body),
        "household": row.household,
        "step": step,
        "due": row.due.isoformat() if row.due and step in UNRECEIVED else None,
        "cancelled_at": cancelled,
        "steps": steps,
        "late": list(around.late.get(row.no, ())),
        "addenda": list(around.addenda.get(row.no, ())),
        "messages": [_message(parcel) for parcel in sent],
    }


def _stands(row: OwedView, steps: Sequence[Mapping[str, Any]]) -> str:
    """Where it stands: as the line keeps it; before the police spoke, and once they cancelled, by the steps climbed."""
    climbed = "queued"
    for step in steps:
        if step["step"] == "sent":
            climbed = "sent" if climbed == "queued" else climbed
        else:
            climbed = TABLE[climbed].get(step["step"], climbed)
    if climbed == "cancelled" or row.state in ("open", "queued", "sent"):
        return climbed
    return row.state


def _steps(row: OwedView, around: Around, sent: Sequence[ParcelView]) -> list[dict[str, Any]]:
    """Every step climbed, in order of time: by the hub, by a receipt, by a record of the police or of the station."""
    found: list[tuple[datetime, dict[str, Any]]] = [(row.opened_at, {"step": "queued", "by": STATION})]
    records = [(record, orjson.loads(record.facts)) for record in around.feedback.get(row.no, ())]
    has_receipt = any(facts.get("step") == "received" for _, facts in records)
    for parcel in sent:
        if parcel.kind == "mandatory_report" and parcel.sent_at:
            found.append((parcel.sent_at, {"step": "sent", "by": STATION, "channel": parcel.channel}))
        if parcel.kind == "mandatory_report" and parcel.received_at and not has_receipt:
            found.append((parcel.received_at, {"step": "received", "by": parcel.to, "receipt_no": parcel.receipt_no}))
    found += [
        (answer.received_at, {"step": "answered", "by": answer.to, "receipt_no": answer.receipt_no})
        for answer in around.answers.get(row.no, ())
        if answer.received_at
    ]
    for record, facts in records:
        said_by = facts.get("by") or (row.to if record.key.unit == STATION else record.key.unit)
        extra = {name: facts[name] for name in ("receipt_no", "until", "case_no") if facts.get(name)}
        found.append((record.at, {"step": str(facts.get("step")), "by": said_by, **extra}))
    found.sort(key=lambda item: item[0])
    return [{"step": step.pop("step"), "at": at.isoformat(), **step} for at, step in found]


def _message(parcel: ParcelView) -> dict[str, Any]:
    return {
        "message_no": parcel.no,
        "channel": parcel.channel,
        "kind": parcel.kind,
        "to": parcel.to,
        "state": parcel.state,
        "attempts": parcel.attempts,
        "receipt_no": parcel.receipt_no,
        "last": parcel.last,
    }


def _around(sql: Sql) -> Around:
    answers = {row.id: str(orjson.loads(row.facts).get("report_no")) for row in ledger.related_owed(sql, "answer")}
    told: dict[str, list[ParcelView]] = {}
    for number, found in ledger.parcels(sql, answers).items():
        told.setdefault(answers[number], []).extend(found)
    return Around(_feedback_by_report(sql), _addenda_by_report(sql), told, _late_by_report(sql))


def _late_by_report(sql: Sql) -> dict[str, list[dict[str, Any]]]:
    """Steps that are late and not reached yet, by report: since when, and who was told."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in ledger.related_owed(sql, "escalation"):
        facts = orjson.loads(row.facts)
        step = facts.get("step")  # an escalation of a duty has none
        if row.closed_at is not None or row.state in ("review", "cancelled") or not step:
            continue
        late = {"step": step, "since": row.opened_at.isoformat(), "told": []}
        told = found.setdefault(str(facts.get("report_no")), {}).setdefault(step, late)["told"]
        if row.to not in told:
            told.append(row.to)
    return {no: sorted(steps.values(), key=lambda late: str(late["since"])) for no, steps in found.items()}


def _feedback_by_report(sql: Sql) -> dict[str, list[FeedbackView]]:
    found: dict[str, list[FeedbackView]] = {}
    for record in ledger.feedback(sql):
        found.setdefault(str(orjson.loads(record.facts).get("report_no")), []).append(record)
    return found


def _addenda_by_report(sql: Sql) -> dict[str, list[dict[str, Any]]]:
    """Addenda by report, numbered from 1 in the order they were made."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in ledger.related_owed(sql, "addendum"):
        facts = orjson.loads(row.facts)
        listed = found.setdefault(str(facts.get("report_no")), [])
        listed.append(
            {
                "addendum": len(listed) + 1,
                "facts": facts.get("facts", []),
                "created_at": row.opened_at.isoformat(),
                "withdrawn": row.state == "cancelled",
            }
        )
    return found


def duties(store: SqlStore, now: datetime) -> Iterator[dict[str, Any]]:
    """Every duty in the order it was opened, as `export duties` gives it."""
    with store.read() as sql:
        for batch in _batches(sql, "D"):
            causes, said = ledger.causes(sql, ledger.numbers_of(batch)), ledger.outcomes(sql, batch)
            for row in batch:
                yield duty(row, causes.get(row.id, ()), now, said)


def find_duty(store: SqlStore, no: str, now: datetime) -> dict[str, Any] | None:
    """One duty by its number; None: there is none."""
    with store.read() as sql:
        row = ledger.owed_by_no(sql, no)
        if row is None or not is_duty(row.what):
            return None
        return duty(row, ledger.causes(sql, [row.id]).get(row.id, ()), now, ledger.outcomes(sql, [row]))


def duty(row: OwedView, causes: Iterable[ledger.CauseView], now: datetime, said: Mapping[str, str]) -> dict[str, Any]:
    """One duty: what, whose, why, until when, how it stands; ``said``: outcomes by the record that ended it."""
    facts = orjson.loads(row.facts)
    causes = list(causes)
    first = next(iter(causes), None)
    cause = facts.get("cause") or {
        "rule": facts.get("rule"),
        **({"unit": first.key.unit, "stream": first.key.stream, "key": first.key.no} if first else {}),
    }
    return {
        "duty": row.what,
        "duty_no": row.no,
        "unit": row.to,
        "addressee": facts.get("addressee") or row.to,
        "household": row.household,
        "cause": {name: cause.get(name) for name in ("rule", "unit", "stream", "key")},
        "records": [
            {"unit": c.key.unit, "stream": c.key.stream, "key": c.key.no, "at": c.at.isoformat()} for c in causes
        ],
        "due": row.due.isoformat() if row.due else None,
        "overdue": row.state in LIVING and row.due is not None and row.due < now,
        "state": row.state,
        "outcome": said.get(row.closed_by) or facts.get("outcome") or row.how or None,
        "opened_at": row.opened_at.isoformat(),
        "closed_at": row.closed_at.isoformat() if row.closed_at else None,
        "reason": facts.get("reason"),
        "repeat": facts.get("repeat"),
    }


def _batches(sql: Sql, letter: str) -> Iterator[list[OwedView]]:
    after = 0
    while batch := ledger.owed(sql, letter, after=after):
        yield batch
        after = batch[-1].id
