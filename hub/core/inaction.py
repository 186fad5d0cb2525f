"""What should have been done and was not (D21), and many calls without change (D22): as data, and in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from hub.core.records import Key, Owed

Say = Callable[[str], str]

WATCHED = ("D21", "D22")

SENTENCES = {
    "D21/month": "Owed and not done: {calls}; within {hours} hours no admonition letter, penalty or case was recorded.",
    "D21/again": "Owed and not done: violence again after an admonition letter, without penalty or case: {calls}.",
    "D22/many": "Many calls, no change: {count} calls within {days} days and the light stayed as it was: {calls}.",
    "D22/year": "Many calls: {count} within a year: {calls}.",
}
"""(duty, why it is owed) → what is told; numbers are the policy's."""


def found(owed: Iterable[Owed], times: Mapping[Key, datetime], raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each D21 and D22 of a household, the open ones first: calls, numbers of the rule, since when, until when."""
    rules = {row["id"]: row for row in raw.get("duty", ())}
    rows = [_row(one, times, rules[one.what]) for one in owed if one.what in WATCHED and one.what in rules]
    return sorted(rows, key=lambda row: (row["state"] != "open", row["since"], row["duty"], row["why"]))


def _row(one: Owed, times: Mapping[Key, datetime], rule: Mapping[str, Any]) -> dict[str, Any]:
    calls = sorted((key for key in one.causes), key=lambda key: (times.get(key, one.opened), key))
    return {
        "duty": one.what,
        "why": one.slot,
        "state": "open" if one.closed is None else "closed",
        "since": one.opened.isoformat(),
        "due": one.due.isoformat() if one.due else None,
        "closed_at": one.closed.at.isoformat() if one.closed else None,
        "unit": one.to,
        "calls": [
            {"unit": key.unit, "stream": key.stream, "key": key.no, "at": at.isoformat() if (at := times.get(key)) else None}
            for key in calls
        ],
        "count": len(calls),
        "hours": rule.get("hours"),
        "days": rule.get("days"),
        "clause": rule.get("clause", ""),
        "law": rule.get("law", ""),
    }  # fmt: skip


def sentence(row: Mapping[str, Any], say: Say) -> str:
    """One of them for people: what was not done, by which rule, and who looks into it until when."""
    calls = say(", ").join(f"{call['key']} ({(call['at'] or '')[:10]})" for call in row["calls"])
    told = say(SENTENCES[f"{row['duty']}/{row['why']}"])
    text = told.format(calls=calls, hours=row["hours"], days=row["days"], count=row["count"])
    if row["state"] == "closed":
        return text + say(" Looked into: {at}.").format(at=row["closed_at"][:10])
    due = say(" {unit} looks into it until {due}.").format(unit=say(row["unit"]), due=(row["due"] or "—")[:10])
    return text + due
