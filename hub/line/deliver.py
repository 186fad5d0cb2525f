"""Deliver: one attempt. Sent outside any transaction; then attempt, state and whatever came back, in one commit.

Nothing is dropped: what a receiver refuses stays in the outbox as ``refused`` with an issue, what it cannot take now is
tried again, what it has is answered for by a record that comes in like any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from hub.core.errors import HubError
from hub.core.freight import Answer, Page, Parcel
from hub.core.records import Owed, StreamKey
from hub.core.words import STATION
from hub.line.fetch import retry_delay
from hub.line.land import store_page
from hub.line.letters import DUTY, REPORT, way_missing
from hub.line.ports import Vault, Worker
from hub.store.engine import SqlStore
from hub.store.numbers import new_uid
from hub.store.parcels import NO_DESTINATION, ParcelRow, keep_rendered, read_parcel, record_attempt
from hub.store.standing import StandingRow, standing_by_id
from hub.store.times import from_us
from hub.store.tx import Tx

__all__ = ["Retry", "deliver", "fixed_bytes"]

PATIENCE = 5
"""Attempts without success before a receiver in trouble becomes an issue."""
ANSWER_STREAM = {REPORT: "report_feedback", DUTY: "duty_answer"}
"""Where records that came along with an answer are landed."""
Jitter = Callable[[int, timedelta, timedelta], float]
"""(attempts so far, base, longest) → seconds until the next one."""


class Retry(NamedTuple):
    """How attempts are spaced; jitter comes from outside, so that a test can fix it."""

    base: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(minutes=5)
    jitter: Jitter = retry_delay


def deliver(
    store: SqlStore, vault: Vault, parcel_id: int, worker: Worker | None, now: datetime, retry: Retry | None = None
) -> Answer:
    """One attempt at a claimed parcel; ``worker`` None: nobody carries this unit's messages.

    Raises RetryError when the archive is busy: what was sent is then sent again under the same number, byte for byte.
    """
    with store.read() as sql:
        row = read_parcel(sql, parcel_id)
        owed = standing_by_id(sql, row.owed_id) if row is not None and row.owed_id is not None else None
    if row is None or row.state != "queued":
        return Answer("refused", detail="settled")
    answer = _attempt(store, vault, row, owed, worker)
    if answer is None:
        return Answer("refused", detail="withdrawn")
    store.write_together(lambda tx: _record(tx, vault, row, answer, now, retry or Retry()))
    return answer


def _attempt(
    store: SqlStore, vault: Vault, row: ParcelRow, owed: StandingRow | None, worker: Worker | None
) -> Answer | None:
    """What came of it; None: withdrawn meanwhile. A connector that cannot render now is asked again later."""
    if worker is None:
        return Answer("later", detail=NO_DESTINATION)
    if row.rendered is None:
        made = _made(vault, row, owed, worker)
        if isinstance(made, Answer):
            return made
        row = row._replace(rendered=_kept(store, vault, row, made))
    return None if row.rendered is None else _send(worker, row, vault.open_blob(row.no, row.rendered))


def _made(vault: Vault, row: ParcelRow, owed: StandingRow | None, worker: Worker) -> bytes | Answer:
    """The message as its unit reads it, or what keeps its connector from writing it: nothing of theirs stops the outbox."""
    body: Mapping[str, Any] = orjson.loads(vault.open_blob(row.no, row.body))
    try:
        return worker.render(owed.owed() if owed is not None else _change(row), body)
    except HubError as error:
        return Answer("later", detail=error.code, after=getattr(error, "after", None))
    except Exception as error:  # foreign code in the hub's own process: as in ``_send``
        return Answer("later", detail=f"connector.{type(error).__name__}")


def _kept(store: SqlStore, vault: Vault, row: ParcelRow, made: bytes) -> bytes | None:
    """The sealed bytes that are sent, fixed before the first attempt; None: withdrawn meanwhile."""
    sealed = vault.seal_blob(row.no, made)
    return store.claim_together(lambda sql: keep_rendered(sql, row.id, sealed), durable=True)


def fixed_bytes(store: SqlStore, vault: Vault, parcel_id: int, worker: Worker) -> bytes | None:
    """The bytes of a message that its unit fetches, fixed now if they were not.

    None: settled or withdrawn meanwhile, or its connector cannot write it now.
    """
    with store.read() as sql:
        row = read_parcel(sql, parcel_id)
        owed = standing_by_id(sql, row.owed_id) if row is not None and row.owed_id is not None else None
    if row is None or row.state != "queued":
        return None
    kept = row.rendered
    if kept is None:
        made = _made(vault, row, owed, worker)
        kept = None if isinstance(made, Answer) else _kept(store, vault, row, made)
    return None if kept is None else vault.open_blob(row.no, kept)


def _change(row: ParcelRow) -> Owed:
    """A light change has no owed row: what `render` is told of it."""
    return Owed(row.kind, row.to, row.no, frozenset(), from_us(row.created_at), None)


def _send(worker: Worker, row: ParcelRow, rendered: bytes) -> Answer:
    parcel = Parcel(row.no, row.to, row.kind, rendered, row.attempts, row.channel)
    try:
        return worker.send(parcel)
    except Exception as error:  # foreign code: whatever it raises, the message stays
        return Answer("later", detail=f"connector.{type(error).__name__}")


STATES = {"sent": "sent", "received": "received", "later": "queued", "refused": "refused"}
"""Step of an answer → state of the parcel."""


def _record(tx: Tx, vault: Vault, row: ParcelRow, answer: Answer, now: datetime, retry: Retry) -> None:
    state = STATES[answer.step]
    wait = timedelta(seconds=max(answer.after or 0.0, retry.jitter(row.attempts, retry.base, retry.longest)))
    record_attempt(tx, row.id, state, answer.detail, now + wait, now, answer.number)
    if state in ("sent", "received") and row.kind == REPORT:
        tx.run("UPDATE owed SET state = 'sent' WHERE id = ? AND state = 'queued'", (row.owed_id,))
    if answer.step == "received" and row.owed_id is not None:
        _land(tx, vault, _receipt(row, answer, now))
    if answer.rows:
        _land(tx, vault, _feedback(row, answer, now))
    subject = f"{row.to}.{row.kind}"
    if answer.step == "refused":
        tx.open_issue("delivery.refused", row.no, now, "read why it was refused, repair, and retry the message")
    elif answer.detail == NO_DESTINATION:
        tx.open_issue("delivery.missing", subject, now, way_missing(row.to, row.kind, row.channel))
    elif answer.step == "later" and row.attempts + 1 >= PATIENCE:
        tx.open_issue("delivery.late", subject, now, "see whether the receiver can be reached")
    elif answer.step in ("sent", "received"):
        tx.close_issues(("delivery.late", "delivery.missing"), subject, now)


def _land(tx: Tx, vault: Vault, page: Page) -> None:
    store_page(tx, page, vault.seal_blob(page.uid, page.body), urgent=True)


def _receipt(row: ParcelRow, answer: Answer, now: datetime) -> Page:
    """A receipt number is a record of the hub's own: feedback about a report, a receipt of any other message."""
    told = {"no": f"{row.no}:received", "updated_at": now.isoformat(), "at": now.isoformat()}
    if answer.number:
        told["receipt_no"] = answer.number
    if row.kind == REPORT:
        return _station_page("report_feedback", {**told, "report_no": row.no, "step": "received"}, now)
    return _station_page("receipt", {**told, "message_no": row.no}, now)


def _station_page(stream: str, told: Mapping[str, Any], now: datetime) -> Page:
    return _page(StreamKey(STATION, stream), [told], now)


def _feedback(row: ParcelRow, answer: Answer, now: datetime) -> Page:
    """Records that came with the answer, as a page of the unit that sent them."""
    return _page(StreamKey(row.to, ANSWER_STREAM.get(row.kind, "duty_answer")), list(answer.rows), now)


def _page(stream: StreamKey, rows: list[Mapping[str, Any]], now: datetime) -> Page:
    body = orjson.dumps(rows)
    return Page(
        uid=new_uid(),
        stream=stream,
        mode="live",
        door="answer",
        body=body,
        rows=len(rows),
        first_row=0,
        received_at=now,
        digest=hashlib.sha256(body).hexdigest(),
    )
