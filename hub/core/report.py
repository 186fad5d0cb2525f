"""Mandatory reports M1–M7 and everything that follows one: answers, copies, addenda, requests to cancel, escalations.

One report per found incident and victim (A6): a second record of the incident is a source more, its unit gets an answer
of its own. Nobody but the police ends a report. The ladder is in ``ladder.py``; here it makes what is owed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from hub.core.aftermath import POLICE, UNKNOWN, ended, follow, request
from hub.core.clocks import Moment
from hub.core.ladder import Ladder, fold, rungs, steps_of
from hub.core.owing import Ground, ground
from hub.core.records import Case, Closing, Course, Event, Key, Owed, Report

HIGH_URGENCY_AGE = 14


class Found(NamedTuple):
    """Records of one incident that must be reported about one victim."""

    slot: str
    events: tuple[Event, ...]  # the leading one first

    @property
    def victim(self) -> int | None:
        """The person, if the records say whom it concerns."""
        known = self.slot.removeprefix("victim:")
        return int(known) if known.lstrip("-").isdigit() else None

    @property
    def keys(self) -> frozenset[Key]:
        return frozenset(e.key for e in self.events)


def owed(case: Case, course: Course, policy: Any, moment: Moment, *, read: Ground | None = None) -> list[Owed]:
    """Everything owed because of the M rules: reports by (rule, police, victim), and what follows the standing ones.

    ``case.reports`` are the reports whose feedback is among ``case.events``; their clocks run here. ``read`` is the
    ground if the caller has it already.
    """
    g = read or ground(case, course, policy, moment)
    if not g.reporting and not case.reports:
        return []
    standing = [r for r in case.reports if moment.passed(r.opened_at)]
    ladders = {r.no: fold(steps_of(r.no, g.events, moment, r.answers), policy.ladder["extended"]) for r in standing}
    out: list[Owed] = []
    owing: dict[str, Found] = {}  # report → the records that owe it now
    for found in findings(g):
        for part, report in _split(found, standing, ladders):
            out += _report(g, policy, part, report, ladders)
            if report is not None:
                owing[report.no] = part
    for report in standing:
        ladder = ladders[report.no]
        if mine := owing.get(report.no):
            report = report._replace(victim=mine.victim, causes=mine.keys)
        else:
            out += request(g, report, ladder)
            out += ended(g, report, ladder)
        out += follow(g, policy, report, ladder)
    return out


def findings(g: Ground) -> Iterator[Found]:
    """Per incident and victim: an unknown victim is the one known victim of the incident, if there is one.

    The record that leads is the first live one received: history that was loaded reports nothing by itself.
    """
    for group in g.incidents:
        events = sorted(
            (e for e in group if e.key in g.reporting), key=lambda e: (not e.live, e.received_at, e.at, e.key)
        )
        if not events:
            continue
        victims = {e.key: _victim(g, e) for e in events}
        known = [v for e in events if (v := victims[e.key]) is not None]
        for victim in dict.fromkeys(known):
            mine = [e for e in events if victims[e.key] == victim or (victims[e.key] is None and victim == known[0])]
            yield Found(f"victim:{victim}", tuple(mine))
        if not known:
            yield Found(UNKNOWN, tuple(events))


def _victim(g: Ground, event: Event) -> int | None:
    party = g.derived[event.key].victim
    return None if party is None else party.person


def _split(
    found: Found, standing: Sequence[Report], ladders: dict[str, Ladder]
) -> Iterator[tuple[Found, Report | None]]:
    """The finding with the report that stands for it; two reports made before a number linked them stay two."""
    alive = [r for r in standing if r.causes & found.keys and not _is_cancelled(r, ladders)]
    alive = [r for r in alive if _same_victim(r, found)] or alive
    alive.sort(key=lambda r: (r.opened_at, r.no))
    if len(alive) < 2:
        ended = [r for r in standing if r.causes & found.keys and _is_cancelled(r, ladders)]
        yield found, next(iter(alive or ended[-1:]), None)
        return
    elsewhere: set[Key] = set()
    for report in alive[1:]:
        mine = tuple(e for e in found.events if e.key in report.causes and e.key not in elsewhere)
        if mine:
            elsewhere |= {e.key for e in mine}
            yield found._replace(events=mine), report
    rest = tuple(e for e in found.events if e.key not in elsewhere)
    if rest:
        yield found._replace(events=rest), alive[0]


def _same_victim(report: Report, found: Found) -> bool:
    return report.victim is None or found.slot in (UNKNOWN, f"victim:{report.victim}")


def _is_cancelled(report: Report, ladders: dict[str, Ladder]) -> bool:
    return report.cancelled or ladders[report.no].cancelled is not None


def _report(g: Ground, policy: Any, found: Found, report: Report | None, ladders: dict[str, Ladder]) -> Iterator[Owed]:
    facts = facts_of(g, found, report)
    events, leading = found.events, found.events[0]
    closed = None
    if report is not None and _is_cancelled(report, ladders):
        ended = ladders[report.no].cancelled
        at = ended.at if ended else report.opened_at
        if not any(e.received_at > at for e in events):
            closed = Closing(at, ended.by if ended else None, "cancelled")
        report = None
    urgent = facts["urgency"] == "immediate"
    opened_at = report.opened_at if report else max(leading.received_at, leading.at)
    due = opened_at + policy.ladder["received_urgent" if urgent else "received"]
    if report is not None:
        state = ladders[report.no].state
        if state != "queued":
            facts["state"] = state
    elif closed is None:  # it is made now: its first deadlines are the next moments to look again
        for rung in rungs(Ladder("queued", ()), opened_at, policy.ladder, g.calendar, urgent=urgent):
            g.moment.passed(rung.due)
    live = any(e.live for e in events)
    rule, opened = str(facts["rule"]), min(e.at for e in events)
    yield Owed(rule, POLICE, found.slot, found.keys, opened, due, closed, facts, live, g.case.household)
    for unit in dict.fromkeys(e.key.unit for e in events):
        told = {"rule": rule, "of_unit": unit, **({"report_no": report.no} if report else {})}
        mine = frozenset(e.key for e in events if e.key.unit == unit)
        found_live = any(e.live for e in events if e.key.unit == unit)
        yield Owed("report_copy", unit, found.slot, mine, opened, None, closed, told, found_live, g.case.household)


def facts_of(g: Ground, found: Found, report: Report | None = None) -> dict[str, object]:
    """Coded facts of the report's body: rule, the other rules, kind, urgency, situation, and why on the safer side."""
    leading = found.events[0]
    named = [rule for e in found.events for rule in g.reporting[e.key]]
    rule = report.rule if report else g.reporting[leading.key][0]
    known = [g.derived[e.key] for e in found.events]
    unknown = all(d.victim_age is None and d.victim_capacity == "unknown" for d in known)
    facts: dict[str, object] = {
        "rule": rule,
        "victim": found.victim,
        "also": sorted({r for r in named if r != rule}),
        "kind": _kind(known),
        "urgency": _urgency(found.events, known),
        "situation": next((d.situation for d in known if d.situation), None),
        "units": sorted({e.key.unit for e in found.events}),
        "cause": {"rule": rule, "unit": leading.key.unit, "stream": leading.key.stream, "key": leading.key.no},
        "reason": "concern",
    }
    if unknown and rule != "M1":
        facts["why"] = "age_and_capacity_unknown"
    return facts


def _kind(known: Sequence[Any]) -> str:
    if any(d.sexual for d in known):
        return "sexual_assault"
    if any(d.suspicion for d in known):
        return "dv"
    return "harm" if any(d.harm for d in known) else "situation"


def _urgency(events: Sequence[Event], known: Sequence[Any]) -> str:
    """Immediate danger · minor under 14 or sexual assault · other (policy section 5)."""
    if any(e.facts.get("immediate_danger") is True for e in events):
        return "immediate"
    young = any(d.victim_age is not None and d.victim_age < HIGH_URGENCY_AGE for d in known)
    return "high" if young or any(d.sexual for d in known) else "normal"
