"""What people decided about a household, what its family objects to, and how often each unit departs from the records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from statistics import median
from typing import Any

from hub.core.assess import amended, course
from hub.core.clocks import Moment
from hub.core.decisions import Told, told_of
from hub.core.records import Case, Concern, Event
from hub.core.rules import Policy
from hub.security.vault import Vault
from hub.store.cases import read_cases, read_silences
from hub.store.engine import SqlStore
from hub.store.sql import Sql

KINDS = frozenset({"override", "objection", "objection_answer"})
HASTY_MINUTES = 5
"""A second signature given sooner after the first than this was hardly a look of its own."""
OFTEN = 5
"""So many signatures or decisions before a unit's habit is named."""
MISFIT = 0.2
"""Share of a unit's lit households decided otherwise, from which the rules (or the unit's records) do not fit its work."""


def texts_of(sql: Sql, vault: Vault, events: Iterable[Event]) -> dict[str, Mapping[str, str]]:
    """The sealed words of the station's records, by record number."""
    wanted = [event.key.no for event in events if event.kind in KINDS]
    rows = sql.rows_in(
        "SELECT r.no, v.uid, v.body FROM record r JOIN version v ON v.record_id = r.id AND v.number = r.version"
        " WHERE r.unit = 'station' AND r.no {in}",
        wanted,
    )
    return {str(no): vault.open_body(uid, bytes(body))["texts"] for no, uid, body in rows}


def overrides(
    case: Case, concerns: Iterable[Concern], notes: Iterable[str], texts: Mapping[str, Mapping[str, str]]
) -> list[dict[str, Any]]:
    """Every override and release, oldest first, with what became of it."""
    return [_override(told, texts) for told in told_of(case.events, list(concerns), list(notes))]


def _override(told: Told, texts: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    facts, ended = told.event.facts, told.ended
    because = ended.closing_key if ended is not None else None
    return {
        "no": told.event.key.no,
        "light": told.light.name if told.light is not None else None,
        "direction": told.direction,
        "state": told.state,
        "at": told.event.at.isoformat(),
        "until": _iso(facts.get("until")),
        "recheck": _iso(facts.get("recheck")),
        "by": facts.get("by"),
        "unit": facts.get("unit"),
        "reason": texts.get(told.event.key.no, {}).get("reason"),
        "ended_at": _iso(ended.until) if ended is not None else None,
        "ended_by": ended.closed_by if ended is not None else None,
        "ended_because_of": because and {"unit": because.unit, "stream": because.stream, "key": because.no},
    }


def _iso(value: Any) -> str | None:
    return value.isoformat() if hasattr(value, "isoformat") else None


def objections(case: Case, texts: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """What the family objects to, and what was answered; nothing of it ever goes away."""
    answers = [event for event in case.events if event.kind == "objection_answer"]
    return [
        _objection(event, [a for a in answers if a.facts.get("objection_no") == event.key.no], texts)
        for event in case.events
        if event.kind == "objection"
    ]


def _objection(event: Event, answers: list[Event], texts: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    return {
        "no": event.key.no,
        "at": event.at.isoformat(),
        "about": event.facts.get("about"),
        "of_unit": event.facts.get("of_unit"),
        "taken_by": event.facts.get("by"),
        "statement": texts.get(event.key.no, {}).get("statement"),
        "state": "answered" if answers else "open",
        "answers": [
            {
                "at": answer.at.isoformat(),
                "decision": answer.facts.get("decision"),
                "by": answer.facts.get("by"),
                "unit": answer.facts.get("unit"),
                "answer": texts.get(answer.key.no, {}).get("answer"),
            }
            for answer in answers
        ],
    }


def custody(events: Iterable[Event]) -> dict[str, Any] | None:
    """Who has the file now: the newest hand-over on the timeline; None: it was never handed over."""
    handed = [event for event in events if event.kind == "handover"]
    if not handed:
        return None
    last = max(handed, key=lambda event: (event.at, event.updated_at))
    facts = last.facts
    return {
        "file_no": last.key.no,
        "state": facts.get("state"),
        "with": facts.get("receiver"),
        "at": last.at.isoformat(),
        "since": last.updated_at.isoformat(),
    }


# -- rates -------------------------------------------------------------------------------------------------------------


class _Habit:
    """How one unit decides."""

    def __init__(self) -> None:
        self.up = self.down = self.waiting = self.overtaken = 0
        self.seconds: list[float] = []  # minutes between the first signature and this unit's second one

    def count(self, told: Told) -> None:
        self.up += told.direction == "up"
        self.down += told.direction == "down"
        self.waiting += told.state == "waiting"
        self.overtaken += told.ended is not None and told.ended.closed_by == "new_concern_above"

    def row(self, unit: str, lit: int) -> dict[str, Any]:
        decided = self.up + self.down
        minutes = median(self.seconds) if self.seconds else None
        signs = []
        if minutes is not None and len(self.seconds) >= OFTEN and minutes < HASTY_MINUTES:
            signs.append("rubber_stamp")
        if decided >= OFTEN and lit and decided / lit > MISFIT:
            signs.append("misfit")
        return {
            "unit": unit,
            "lit_households": lit,
            "up": self.up,
            "down": self.down,
            "waiting": self.waiting,
            "rate_up": round(self.up / lit, 4) if lit else None,
            "rate_down": round(self.down / lit, 4) if lit else None,
            "ended_by_new_concern": self.overtaken,
            "second_signatures": len(self.seconds),
            "second_signature_minutes": minutes,
            "signs": signs,
        }


def rates(store: SqlStore, policy: Policy, now: datetime) -> list[dict[str, Any]]:
    """Per unit: decisions up and down against the lit households it has records on, and what became of them."""
    habits: dict[str, _Habit] = {}
    with store.read() as sql:
        silences = read_silences(sql)
        for (number,) in sql.rows(
            "SELECT DISTINCT e.household_id FROM event_place e JOIN record r ON r.id = e.record_id"
            " WHERE r.kind = 'override' AND r.state = 'applied' ORDER BY e.household_id"
        ):
            case = amended(read_cases(sql, [int(number)], (), {}).cases[int(number)])
            went = course(case, policy, Moment(now, silences))
            _count(habits, list(told_of(case.events, went.concerns, went.notes)), went.concerns)
        lit = {
            str(unit): int(count)
            for unit, count in sql.rows(
                "SELECT r.unit, COUNT(DISTINCT e.household_id) FROM event_place e JOIN record r ON r.id = e.record_id"
                " JOIN household h ON h.id = e.household_id WHERE h.light >= 2 GROUP BY r.unit"
            )
        }
    return [habits.get(unit, _Habit()).row(unit, lit.get(unit, 0)) for unit in sorted({*habits, *lit} - {"station"})]


def _count(habits: dict[str, _Habit], told: list[Told], concerns: Iterable[Concern]) -> None:
    by_key = {one.event.key: one for one in told}
    for one in told:
        habits.setdefault(str(one.event.facts.get("unit") or "unknown"), _Habit()).count(one)
    for concern in concerns:
        signed = [by_key[key].event for key in concern.events if key in by_key] if concern.rule == "P2" else []
        for second in signed[1:]:
            habit = habits[str(second.facts.get("unit") or "unknown")]
            habit.seconds.append((second.at - signed[0].at).total_seconds() / 60)
