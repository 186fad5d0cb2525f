"""Mandatory reports M1–M7 and everything that follows one: answers, copies, addenda, requests to cancel, escalations.

One report per found incident and victim (A6): a second record of the incident is a source more, its unit gets an answer
of its own. Nobody but the police ends a report. The ladder is in ``ladder.py``; here it makes what is owed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from hub.core.clocks import Moment
from hub.core.ladder import Ladder, Rung, answer_due, fold, rungs, steps_of
from hub.core.owing import Ground, earlier, first_after, ground, of_kind, owe
from hub.core.records import Case, Closing, Course, Event, Key, Owed, Report
from hub.core.settle import cancellation

UNKNOWN = "victim:unknown"
HIGH_URGENCY_AGE = 14
POLICE = "police"


class Found(NamedTuple):
    """Records of one incident that must be reported about one victim."""

    slot: str
    events: tuple[Event, ...]  # the leading one first

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
    ladders = {r.no: fold(steps_of(r.no, g.events, moment), policy.ladder["extended"]) for r in standing}
    out: list[Owed] = []
    kept: set[str] = set()
    for found in findings(g):
        for part, report in _split(found, standing, ladders):
            out += _report(g, policy, part, report, ladders)
            if report is not None:
                kept.add(report.no)
    for report in standing:
        ladder = ladders[report.no]
        if report.no not in kept:
            out += _request(g, report, ladder)
            out += _ended(g, report, ladder)
        out += _follow(g, policy, report, ladder)
    return out


def findings(g: Ground) -> Iterator[Found]:
    """Per incident and victim: an unknown victim is the one known victim of the incident, if there is one."""
    for group in g.incidents:
        events = sorted((e for e in group if e.key in g.reporting), key=lambda e: (e.received_at, e.at, e.key))
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
        yield Owed("report_copy", unit, found.slot, mine, opened, None, closed, told, live, g.case.household)


def facts_of(g: Ground, found: Found, report: Report | None = None) -> dict[str, object]:
    """Coded facts of the report's body: rule, the other rules, kind, urgency, situation, and why on the safer side."""
    leading = found.events[0]
    named = [rule for e in found.events for rule in g.reporting[e.key]]
    rule = report.rule if report else g.reporting[leading.key][0]
    known = [g.derived[e.key] for e in found.events]
    unknown = all(d.victim_age is None and d.victim_capacity == "unknown" for d in known)
    victim = found.slot.removeprefix("victim:")
    facts: dict[str, object] = {
        "rule": rule,
        "victim": int(victim) if victim.lstrip("-").isdigit() else None,
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


# -- what follows a report that stands ---------------------------------------------------------------------------------


def _request(g: Ground, report: Report, ladder: Ladder) -> Iterator[Owed]:
    """Its records no longer ask for it: a request to cancel, and the coordinator is told; over when the police grant it."""
    if report.causes & g.case.moved:
        return  # another household has the record now
    there = [g.by_key[k] for k in sorted(report.causes) if k in g.by_key]
    unit = min(report.causes, default=Key("", "", "")).unit
    why = "corrected" if there else "retracted"
    live = any(e.live for e in there) or not there
    for one in cancellation(report.no, report.rule, report.causes, unit, why, report.opened_at, live=live):
        one = one._replace(household=g.case.household)
        if ladder.cancelled is not None:
            yield one._replace(closed=Closing(ladder.cancelled.at, ladder.cancelled.by, "granted"))
        elif not report.cancelled:
            yield one


def _ended(g: Ground, report: Report, ladder: Ladder) -> Iterator[Owed]:
    """A report whose records no longer ask for it ends when the police say so."""
    if ladder.cancelled is None or report.causes & g.case.moved:
        return
    slot = UNKNOWN if report.victim is None else f"victim:{report.victim}"
    closed = Closing(ladder.cancelled.at, ladder.cancelled.by, "cancelled")
    yield Owed(report.rule, POLICE, slot, report.causes, report.opened_at, None, closed, {}, True, g.case.household)


def _runs_here(g: Ground, report: Report, ladder: Ladder) -> bool:
    """Whether the clocks run on this household: the victim's, where the police's feedback is (S24, S29)."""
    if ladder.steps or report.victim is None or not g.case.members:
        return True
    return any(m.person == report.victim for m in g.case.members)


def _follow(g: Ground, policy: Any, report: Report, ladder: Ladder) -> Iterator[Owed]:
    if not _runs_here(g, report, ladder):
        return
    events = [g.by_key[k] for k in sorted(report.causes) if k in g.by_key]
    urgent = any(e.facts.get("immediate_danger") is True for e in events)
    steps = rungs(ladder, report.opened_at, policy.ladder, g.calendar, urgent=urgent)
    for rung in steps:
        yield from _escalations(g, report, rung)
    yield from _answers(g, policy, report, ladder)
    yield from _addenda(g, report, ladder)
    yield from _supervision(g, report, ladder, steps)


def _told(
    g: Ground, report: Report, what: str, to: str, slot: str, opened: datetime,
    due: datetime | None = None, closed: Closing | None = None, **facts: object,
) -> Owed:  # fmt: skip
    return Owed(
        what, to, f"{report.no}:{slot}", report.causes, opened, due, closed, {"report_no": report.no, **facts}, True,
        g.case.household,
    )  # fmt: skip


def _escalations(g: Ground, report: Report, rung: Rung) -> Iterator[Owed]:
    """Whoever must be told that a step is late; closed when it is reached after all."""
    late = rung.reached.at > rung.due if rung.reached is not None else g.moment.passed(rung.due)
    if not late:
        return
    closed = Closing(rung.reached.at, rung.reached.by, "reached") if rung.reached else None
    for word in g.book.late.get(rung.step.removesuffix("_again"), ()):
        to, _, channel = word.partition("/")
        slot = f"{rung.step}/{channel}" if channel else rung.step
        yield _told(
            g, report, "escalation", to, slot, rung.due, None, closed, step=rung.step, channel=channel or "first"
        )


def _answers(g: Ground, policy: Any, report: Report, ladder: Ladder) -> Iterator[Owed]:
    """The police's decision, to each unit that reported; once more before the case goes to prosecution."""
    units = sorted({k.unit for k in report.causes} | {k.unit for k in _sources(g, report)})
    for step in (ladder.decision, ladder.prosecution):
        if step is None:
            continue
        by = next((s for s in ladder.steps if s.step == "answered" and s.at >= step.at), None)
        closed = Closing(by.at, by.by, "done") if by else None
        due = answer_due(step.at, policy.ladder["answered"], g.calendar)
        if closed is None:
            g.moment.passed(due)
        for unit in units:
            yield _told(g, report, "answer", unit, step.step, step.at, due, closed, step=step.step)


def _sources(g: Ground, report: Report) -> list[Key]:
    """Records of the same incident that must be reported too."""
    groups = {g.incident_of[k] for k in report.causes if k in g.incident_of}
    return [e.key for n in groups for e in g.incidents[n] if e.key in g.reporting]


def _addenda(g: Ground, report: Report, ladder: Ladder) -> Iterator[Owed]:
    """New facts while the report waits: an order in force, earlier events, weapon, child present, a second source."""
    over = ladder.decision.at if ladder.decision else None
    found = next((min(e.at for e in es) for es in [[g.by_key[k] for k in report.causes if k in g.by_key]] if es), None)
    if found is None:
        return
    for event, code in _new_facts(g, report, found):
        known_at = max(event.received_at, report.opened_at)
        if over is not None and known_at > over:
            continue
        fact = {"code": code, "unit": event.key.unit, "at": event.at.isoformat(timespec="seconds")}
        slot = f"{code}:{event.key.unit}/{event.key.stream}/{event.key.no}"
        one = _told(g, report, "addendum", POLICE, slot, known_at, facts=[fact])
        yield one._replace(live=event.live, causes=report.causes)


def _new_facts(g: Ground, report: Report, found: datetime) -> Iterator[tuple[Event, str]]:
    for concern in g.course.concerns:
        order = g.by_key.get(concern.events[0]) if concern.rule == "R3" and concern.events else None
        if order is not None and (concern.until is None or concern.until > found):
            yield order, "order_in_force"
    sources = set(_sources(g, report))
    reporters = {k.unit for k in report.causes if k in g.by_key and g.by_key[k].received_at <= report.opened_at}
    for event in g.events:
        if event.received_at <= report.opened_at or event.key.unit == POLICE:
            continue
        if event.key in sources and event.key.unit not in reporters and reporters:
            yield event, "source"
        elif event.key in sources or event.key in report.causes:
            continue
        for name in ("weapon", "minor_present"):
            if event.facts.get(name) is True and g.incident_of[event.key] in {
                g.incident_of.get(k) for k in report.causes
            }:
                yield event, name
        if event.at < found and (g.derived[event.key].suspicion or g.derived[event.key].sexual):
            yield event, "earlier_event"


def _supervision(g: Ground, report: Report, ladder: Ladder, steps: Iterable[Rung]) -> Iterator[Owed]:
    """D11: decided not substantiated although a minor was hurt, or no decision in time."""
    rule = g.book.duties.get("D11")
    if rule is None:
        return
    actions = of_kind(g, "procuratorial_action", "procuratorate")
    cause = min(report.causes, default=None)

    def row(slot: str, opened: datetime, over: Closing | None) -> Owed:
        due = rule.term(1).due(opened, g.calendar)
        closed = earlier(first_after(opened, actions), over)
        one = owe(
            g, rule, "procuratorate", f"{report.no}:{slot}", report.causes, opened, due, cause=cause,
            light_rule=report.rule, closed=closed, report_no=report.no,
        )  # fmt: skip
        return one._replace(live=True)

    if ladder.decision and ladder.decision.step == "not_substantiated" and _hurt_minor(g, report):
        yield row("not_substantiated", ladder.decision.at, None)
    for rung in steps:
        late = rung.step == "decided" and (rung.reached.at > rung.due if rung.reached else g.moment.passed(rung.due))
        if late:
            yield row("overdue", rung.due, Closing(rung.reached.at, rung.reached.by, "ended") if rung.reached else None)


def _hurt_minor(g: Ground, report: Report) -> bool:
    groups = {g.incident_of[k] for k in report.causes if k in g.incident_of}
    known = [g.derived[e.key] for n in groups for e in g.incidents[n]]
    return any((d.injury_rank or 0) >= 1 for d in known) and any(d.victim_minor for d in known)
