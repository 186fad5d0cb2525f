"""A case → the marks of its timeline: what happens when, in the exact order of S1.

Within one instant: first what older records close (phase 0), then what opens (1), then what the same record closes (2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import NamedTuple

from hub.core.clocks import closing, day_of, end_of_day, opening
from hub.core.known import Known, known
from hub.core.records import Case, Event, Key
from hub.core.rules import Policy
from hub.core.states import Interval, intervals
from hub.core.timeline import Derived
from hub.core.visits import Visit, visit_of

TURNS, OLDER, OPENS, SAME = -1, 0, 1, 2
_FIRST, _LAST = opening(date.min), end_of_day(date.max)
_ORDER = itemgetter(0, 1, 2, 3)
_new = tuple.__new__  # Mark(…) in half the time; every event makes one


class Open(NamedTuple):
    """An event opens (or joins) concerns of these rules."""

    event: Event
    derived: Derived
    rules: tuple[tuple[str, str, str], ...]  # (rule, slot that keeps it apart, only_if)


class Begin(NamedTuple):
    """A recorded state begins."""

    interval: Interval


class End(NamedTuple):
    """A recorded state ends."""

    interval: Interval


class Close(NamedTuple):
    """A record closes: ``closer`` is a word of the policy's closers."""

    closer: str
    event: Event


class Met(NamedTuple):
    """A calm visit starts to count towards the end of an observation."""

    visit: Visit


class Decide(NamedTuple):
    """A person's override or release (core.decisions)."""

    event: Event


class Turn(NamedTuple):
    """Another edition of the policy comes into force: counts and ways down are its own from now on."""

    policy: Policy


Act = Open | Begin | End | Close | Met | Decide | Turn


class Mark(NamedTuple):
    """One thing that happens at ``at``; sorted by the first four fields."""

    at: datetime
    phase: int
    age: datetime  # of the record: older ones first
    order: tuple[str, str, str, int]
    act: Act


def marks_of(case: Case, policy: Policy, read: Known | None = None) -> list[Mark]:
    """Every mark of an amended case in order. ``read``: its events, if the caller has read them."""
    read = read or known(case.events)
    events, derived = read.events, read.derived
    incidents = read.incidents(policy.numbers["incident_hours"])
    groups = {event.key: group for group in incidents for event in group if len(group) > 1}
    found: list[Mark] = []
    for event in events:
        kind, facts = event.kind, derived[event.key]
        group = groups.get(event.key) or (event,)
        if len(group) > 1 and kind == "admonition_issued":
            facts = _with_call(facts, group, derived)
        edition = policy.at(event.at) if policy.later else policy
        _openings(found, event, facts, group, derived, case, edition)
        if kind in edition.closers:
            found += _closings(event, facts, edition)
        elif kind == "override":
            found.append(Mark(event.at, SAME, event.updated_at, (*event.key, 9), Decide(event)))
        visit = visit_of(event, facts) if facts.reached else None
        if visit is not None and visit.calm:
            found.append(_mark(visit.counts_from, event, Met(visit), 8))
    for interval in () if policy.states.keys().isdisjoint(read.kinds) else intervals(events, policy):
        event = interval.event
        found.append(Mark(interval.since, OPENS, event.at, (*event.key, 1), Begin(interval)))
        if interval.until is not None:
            found.append(_mark(interval.until, event, End(interval), 2))
    if found:
        found += [
            Mark(edition.since, TURNS, edition.since, ("", "", "", 0), Turn(edition))
            for edition in policy.later
            if edition.since is not None
        ]
    if len(found) > 1:
        found.sort(key=_ORDER)
    return found


def _mark(at: datetime, event: Event, act: Act, order: int) -> Mark:
    return Mark(at, OLDER if event.at < at else SAME, event.at, (*event.key, order), act)


def _openings(
    found: list[Mark], event: Event, facts: Derived, group: Sequence[Event], derived: Mapping[Key, Derived],
    case: Case, policy: Policy,
) -> None:  # fmt: skip
    """What the event opens, by its time; tension comes last within its instant, for it asks whether nothing is open."""
    rules: list[tuple[str, str, str]] = []
    late: list[tuple[str, str, str]] = []
    for rule, test, apart, only_if in policy.openings.get(event.kind, ()):
        if test(event.facts, facts, event.key) and (not rules or all(rule != known for known, _, _ in rules)):
            slot = _slot(apart, event, group, derived, case, policy) if apart else ""
            (late if only_if else rules).append((rule, slot, only_if))
    if rules or event.kind in policy.counted or event.kind == "visit_recorded":
        at = _opens_at(event, rules, group) if event.kind == "admonition_issued" else event.at
        age = _FIRST if event.kind in policy.counted and _often(event, facts, policy) else event.at
        found.append(_new(Mark, (at, OPENS, age, (*event.key, 0), _new(Open, (event, facts, tuple(rules))))))
    if late:
        found.append(Mark(event.at, OPENS, _LAST, (*event.key, 0), Open(event, facts, tuple(late))))


def _often(event: Event, facts: Derived, policy: Policy) -> bool:
    """Recorded as often: it opens at once, so the others of its instant join it, whatever their numbers (S18)."""
    return any(
        often.at_once is not None and event.kind in often.kinds and often.at_once(event.facts, facts, event.key)
        for often in policy.often
    )


def _opens_at(event: Event, rules: Sequence[tuple[str, str, str]], group: Sequence[Event]) -> datetime:
    """The event's time; a letter without time of day joins the fierce call of its own day when that call was (S17)."""
    if not any(rule == "R6" for rule, _, _ in rules):
        return event.at
    calls = [e.at for e in group if e.kind == "police_call" and e.at.date() == event.at.date()]
    return max(event.at, *calls) if calls else event.at


def _with_call(facts: Derived, group: Sequence[Event], derived: Mapping[Key, Derived]) -> Derived:
    """A letter has the fierce facts of the call it belongs to (A1)."""
    return facts._replace(r6=any(derived[event.key].r6 for event in group))


def _slot(
    apart: str, event: Event, group: Sequence[Event], derived: Mapping[Key, Derived], case: Case, policy: Policy
) -> str:
    """What keeps concerns of one rule separate: ``dv`` for calls of that category, or the report an O5 stands under.

    A report exists, or will exist because a live record falls under an M rule; its slot is then its number, or the
    first record of the incident. Empty: no report.
    """
    if apart == "dv_call":
        return "dv" if derived[event.key].dv_call else ""
    for report in reversed(case.reports):
        if event.key in report.causes:
            return report.no
    mates = {mate.key for mate in group}
    for report in reversed(case.reports):
        if not report.causes.isdisjoint(mates):
            return report.no
    if any(mate.live and policy.report_rules(mate, derived[mate.key]) for mate in group):
        return "/".join(min(mates))
    return ""


def _closings(event: Event, derived: Derived, policy: Policy) -> list[Mark]:
    found = []
    for closer in policy.closers.get(event.kind, ()):
        if closer.test(event.facts, derived, event.key):
            if closer.at == ("broken_on",):
                at = broken_at(event)
                phase = SAME if at == event.at else OPENS
                found.append(Mark(at, phase, event.at, (*event.key, 5), Close(closer.id, event)))
                continue
            recorded = next((when for name in closer.at if isinstance(when := event.facts.get(name), date)), None)
            at = closing(recorded) if recorded is not None else event.updated_at
            found.append(_mark(max(at, event.at), event, Close(closer.id, event), 4))
    return found


def broken_at(event: Event) -> datetime:
    """When an agreement was broken or reopened: ``closed_on`` if later than the resolution, else ``updated_at`` (S4).

    Never before the resolution itself: reopened in the afternoon of the day it was resolved on, it ends with that day.
    """
    resolved, closed = event.facts.get("resolved_on"), event.facts.get("closed_on")
    begun = max(closing(resolved), event.at) if isinstance(resolved, date) else event.at
    if isinstance(closed, date) and (not isinstance(resolved, date) or day_of(closed) > day_of(resolved)):
        return max(opening(closed), begun)
    return max(event.updated_at, begun)
