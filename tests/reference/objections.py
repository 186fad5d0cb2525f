"""What the family says against the light, a record or a decision: taken down, answered, and by itself without effect.

An objection moves no light and no duty; whoever answers it *upheld* still has to send the record anew or take it back, and
the light follows that. What it owes is an answer: D29, by the coordinator, in ten working days.
"""

from __future__ import annotations

from datetime import datetime

from tests.reference.days import closes_at, day, working_days_later
from tests.reference.people import Row


def unanswered(rows: list[Row], as_of: datetime) -> list[tuple[str, str, datetime]]:
    """The answers that are owed: only one that names the objection, given no earlier than it was raised, ends its D29."""
    found = []
    for row in rows:
        if row["stream"] == "objection" and row["at"] <= as_of:
            given = [
                closes_at(other["facts"]["at"]) for other in rows
                if other["stream"] == "objection_answer" and other["at"] <= as_of
                and other["facts"]["objection_no"] == row["no"]
            ]  # fmt: skip
            if not any(at >= row["at"] for at in given):
                found.append(("D29", "coordinator", closes_at(working_days_later(day(row["at"]), 10))))
    return found
