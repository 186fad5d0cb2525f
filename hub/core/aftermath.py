"""What follows a mandatory report that stands: requests to cancel, escalations, answers, addenda, D11 (policy section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from hub.core.ladder import Ladder, Rung, answer_due, rungs
from hub.core.owing import Ground, earlier, first_after, of_kind, owe
from hub.core.records import Assessment, Closing, Event, Key, Owed, Report
from hub.core.reminders import told_of
from hub.core.settle import cancellation

POLICE = "police"
UNKNOWN = "victim:unknown"
ORDER = "R3"
"""The concern of a protection order."""


def request(g: Ground, report: Report, ladder: Ladder) -> Iterator[Owed]:
    """Its records no longer ask for it: a request to cancel, and the coordinator is told; over when the police grant it.

    Where another household has the record now and owes the report, ``settle`` drops the request.
    """
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


def ended(g: Ground, report: Report, ladder: Ladder) -> Iterator[Owed]:
    """A report whose records no longer ask for it ends when the police say so."""
    if ladder.cancelled is None:
        return
    slot = UNKNOWN if report.victim is None else f"victim:{report.victim}"
    closed = Closing(ladder.cancelled.at, ladder.cancelled.by, "cancelled")
    yield Owed(report.rule, POLICE, slot, report.causes, report.opened_at, None, closed, {}, True, g.case.household)


def _runs_here(g: Ground, report: Report, ladder: Ladder) -> bool:
    """Whether the clocks run on this household: the victim's, where the police's feedback is (S24, S29)."""
    if ladder.steps or report.victim is None or not g.case.members:
        return True
    return any(m.person == report.victim for m in g.case.members)


def follow(g: Ground, policy: Any, report: Report, ladder: Ladder) -> Iterator[Owed]:
    if not _runs_here(g, report, ladder):
        return
    events = [g.by_key[k] for k in sorted(report.causes) if k in g.by_key]
    urgent = any(e.facts.get("immediate_danger") is True for e in events)
    steps = rungs(ladder, report.opened_at, policy.ladder, g.calendar, urgent=urgent)
    for rung in steps:
        yield from _escalations(g, report, rung)
    yield from _answers(g, policy, report, ladder)
    yield from _addenda(g, report, ladder)
    for duty in _supervision(g, report, ladder, steps):
        yield duty
        yield from told_of(g, duty)


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


def is_followed_at_once(found: Assessment) -> bool:
    """Whether a report that is opened now has an addendum as soon as it has its number: of an order in force."""
    return any(concern.rule == ORDER for concern in found.concerns)


def _new_facts(g: Ground, report: Report, found: datetime) -> Iterator[tuple[Event, str]]:
    for concern in g.course.concerns:
        order = g.by_key.get(concern.events[0]) if concern.rule == ORDER and concern.events else None
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
        due = rule.due(1, opened, g.calendar)
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
