"""Who is told that a duty comes due, is overdue, or was given back (policy section 7)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from hub.core.owing import Ground
from hub.core.records import Closing, Owed


def told_of(g: Ground, row: Owed) -> Iterator[Owed]:
    """Reminders to the unit at half time and at due, and what the coordinator hears of a live duty."""
    if row.live and row.closed is None:
        yield from _reminders(g, row)
    elif row.live and row.closed is not None and row.closed.how == "returned" and row.to != "coordinator":
        yield _refused(g, row, row.closed)


def _refused(g: Ground, row: Owed, closed: Closing) -> Owed:
    """A unit gave a duty back: the coordinator is told at once, so that no refusal is the end unseen."""
    answer = g.by_key[closed.by].facts if closed.by in g.by_key else {}
    facts: dict[str, object] = {
        "duty": row.what, "duty_no": answer.get("duty_no"), "of": row.to, "kind": "refused", "why": answer.get("outcome"),
        "late_since": closed.at.isoformat(timespec="seconds"),
    }  # fmt: skip
    return _told(row, facts, "escalation", "coordinator", "returned", closed.at)


def _reminders(g: Ground, row: Owed) -> Iterator[Owed]:
    """Reminders at half time and at due, and the coordinator is told when it is overdue (policy section 7).

    What came too late to be reminded of in time goes to the coordinator alone; what is due at once reminds nobody.
    """
    due, opened = row.due, row.opened
    if due is None or due <= opened:
        return
    known = max([g.by_key[k].received_at for k in row.causes if k in g.by_key], default=opened)
    half = opened + (due - opened) / 2
    overdue = g.moment.passed(due)
    reminds = known <= half and g.moment.passed(half)
    if not (reminds or overdue):
        return
    base: dict[str, object] = {
        "duty": row.what, "duty_no": g.number_of(row), "of": row.to, "kind": "reminder",
        "stage": "", "late_since": due.isoformat(timespec="seconds"),
    }  # fmt: skip
    if reminds:
        yield _told(row, base, "notice", row.to, "half", half, Closing(due, None, "ended") if overdue else None)
    if overdue:
        if known <= due:
            yield _told(row, base, "notice", row.to, "due", due)
        if row.to != "coordinator":
            yield _told(row, base, "escalation", "coordinator", "overdue", due)


def _told(
    row: Owed, facts: dict[str, object], what: str, to: str, stage: str, at: datetime, closed: Closing | None = None
) -> Owed:
    slot = f"{row.what}:{row.to}:{row.slot}:{stage}"
    return Owed(what, to, slot, row.causes, at, None, closed, {**facts, "stage": stage}, row.live, row.household)
