"""The bodies of everything that goes out, built from what is owed and the opened records. Pure; rendered once.

A mandatory report is sent bare, everything else in an envelope (contract, "Messages"). The reporter stands in the
report to the police and nowhere else; a shelter's and a protected person's address stand nowhere at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.core.records import Owed, Person
from hub.core.report_body import (
    PARTY_FIELDS,
    REPORT_FIELDS,
    Body,
    Opened,
    evidence,
    fields_of,
    iso,
    json_ready,
    report,
)

__all__ = [
    "FULL_REASON",
    "PARTY_FIELDS",
    "REPORT_FIELDS",
    "Body",
    "Opened",
    "addendum",
    "answer",
    "cancellation",
    "canonical",
    "duty",
    "envelope",
    "escalation",
    "evidence",
    "json_ready",
    "light_change",
    "member_fields",
    "notice",
    "report",
    "report_copy",
    "told",
    "without_reporter",
]

FULL_REASON = frozenset({"police", "court", "procuratorate", "coordinator"})
"""Who is told the rule itself; to every other unit the reason is a family of reasons (policy section 7)."""


def without_reporter(body: Body) -> Body:
    """What `export reports` and `reports show` may show: the reporter leaves the hub only in the message to the police."""
    return {name: value for name, value in body.items() if name != "reporter"}


def report_copy(body: Body, fields: Sequence[str]) -> Body:
    """The copy for the reporting unit's own supervising department: without narrative and reporter (2020 opinion 5).

    Of each person it has what the receiver's manifest names (``fields``), and what is coded: age, capacity, relation.
    """
    hidden = frozenset(PARTY_FIELDS) - frozenset(_allowed(fields)) - {"capacity"}

    def shown(value: Any) -> Any:
        if isinstance(value, list):
            return [shown(one) for one in value]
        return {n: v for n, v in value.items() if n not in hidden} if isinstance(value, Mapping) else value

    kept = {name: value for name, value in body.items() if name not in ("narrative", "reporter")}
    return {name: shown(value) if name in ("victim", "alleged", "parties") else value for name, value in kept.items()}


def duty(owed: Owed, duty_no: str, household: str | None, *, state: str = "open", members: Iterable[Body] = ()) -> Body:
    """A referral or follow-up. ``members`` come from ``member_fields``; the reason is a rule or a family of reasons."""
    facts = owed.facts
    return {
        "duty_no": duty_no,
        "duty": owed.what,
        "household": household,
        "members": list(members),
        "reason": facts.get("rule") if owed.to in FULL_REASON and facts.get("rule") else facts.get("reason"),
        "due": None if owed.due is None else iso(owed.due),
        "repeat": facts.get("repeat"),
        "state": state,
    }


def member_fields(persons: Iterable[Person], fields: Sequence[str], protected: Iterable[str] = ()) -> list[Body]:
    """Of each person only what the receiver's manifest names with its legal basis; never a protected person's address."""
    hidden = frozenset(protected)
    allowed = _allowed(fields)
    told = []
    for person in persons:
        names = [f for f in allowed if f != "address" or person.role not in hidden]
        told.append({"role": person.role, **fields_of(person, names)})
    return told


def _allowed(fields: Sequence[str]) -> list[str]:
    return [f for f in PARTY_FIELDS if f in fields or (f == "born" and "birth_date" in fields)]


def light_change(
    change_no: str, household_no: str | None, household: str, community: str | None,
    light: str, was: str, since: datetime | None, reason: str,
) -> Body:  # fmt: skip
    """One entry of the change feed: no name, no narrative, ``reason`` a family of reasons."""
    return {
        "change_no": change_no,
        "household_no": household_no,
        "household": household,
        "community": community,
        "light": light,
        "was": was,
        "since": None if since is None else iso(since),
        "reason": reason,
    }


def answer(owed: Owed, report_no: str, note: str = "") -> Body:
    """What the police decided, to the unit that reported; again when the case goes to prosecution."""
    return {
        "report_no": report_no,
        "step": owed.facts.get("step"),
        "at": iso(owed.opened),
        "note": note or None,
    }


def addendum(owed: Owed, report_no: str, number: int, created_at: datetime) -> Body:
    """Addendum ``number`` (from 1) of a report: coded facts that other units added while it waits."""
    return {
        "report_no": report_no,
        "addendum": number,
        "facts": json_ready(owed.facts.get("facts", [])),
        "created_at": iso(created_at),
    }


def cancellation(owed: Owed, report_no: str, created_at: datetime) -> Body:
    """A request to the police to cancel a report; only their acknowledgement ends it."""
    return {
        "report_no": report_no,
        "by_unit": owed.facts.get("by_unit"),
        "why": owed.facts.get("why"),
        "created_at": iso(created_at),
    }


def escalation(owed: Owed, report_no: str = "", duty_no: str = "") -> Body:
    """A step of the ladder or a duty is late, or a unit gave a duty back (and why): which, since when. No matter, no names."""
    facts = owed.facts
    body = {
        "report_no": report_no or facts.get("report_no"),
        "duty_no": duty_no or facts.get("duty_no"),
        "duty": facts.get("duty"),
        "unit": facts.get("of"),
        "step": facts.get("step") or facts.get("stage"),
        "due": json_ready(facts.get("late_since")) or iso(owed.opened),
    }
    return {**body, "why": facts["why"]} if facts.get("why") else body


def told(
    owed: Owed, created_at: datetime, *, report_no: str = "", number: int = 1, note: str = "", duty_no: str = ""
) -> Body:
    """The body of any message that follows a report or a duty, by its kind; raises ``KeyError`` for another kind.

    ``report_no`` and ``duty_no`` name what it follows; ``number`` counts the addenda of a report, from 1.
    """
    no = report_no or str(owed.facts.get("report_no") or "")
    makers: dict[str, Callable[[], Body]] = {
        "answer": lambda: answer(owed, no, note),
        "addendum": lambda: addendum(owed, no, number, created_at),
        "cancellation": lambda: cancellation(owed, no, created_at),
        "escalation": lambda: escalation(owed, no, duty_no),
        "notice": lambda: _notice(owed, no, duty_no, created_at),
    }
    return makers[owed.what]()


def _notice(owed: Owed, report_no: str, duty_no: str, created_at: datetime) -> Body:
    """Told to the coordinator with a request to cancel; or a reminder to the unit whose duty it is."""
    kind = str(owed.facts.get("kind") or "corrected")
    if kind == "reminder":
        return notice(duty_no or str(owed.facts.get("duty_no") or ""), kind, escalation(owed, "", duty_no))
    return notice(report_no, kind, cancellation(owed, report_no, created_at))


def notice(corrects: str, kind: str, body: Body) -> Body:
    """Something sent before no longer holds: ``kind`` retracted, corrected or moved."""
    return {"corrects": corrects, "kind": kind, "body": body}


def envelope(kind: str, message_no: str, unit: str, addressee: str, created_at: datetime, body: Body) -> Body:
    """Around every message but a mandatory report. ``message_no`` is the idempotency key."""
    return {
        "type": kind,
        "message_no": message_no,
        "unit": unit,
        "addressee": addressee,
        "created_at": iso(created_at),
        "body": body,
    }


def canonical(body: Mapping[str, Any]) -> bytes:
    """The bytes of a body: UTF-8 JSON with sorted keys, so that the same body is the same bytes for ever."""
    return json.dumps(json_ready(body), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
