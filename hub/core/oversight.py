"""Duties that watch whether somebody acts: D20–D27 (policy section 7) and D25 of section 5."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from hub.core.book import Rule, book_of, compiled
from hub.core.clocks import Moment, opening, start_of_day
from hub.core.owing import Ground, done_at, first_after, of_kind, owe
from hub.core.records import Closing, Event, Key, Owed
from hub.core.referrals import by_incident
from hub.core.timeline import INJURY_RANKS

ACTIONS = ("admonition_issued", "security_penalty", "criminal_case_filed")
CRIME_INJURY = INJURY_RANKS["minor"]
CLASSIFIED: Final[tuple[str, ...]] = (
    "police_call", "admonition_issued", "mediation", "security_penalty", "criminal_case_filed", "procuratorial_action",
)  # fmt: skip
"""Kinds with a field that the policy cannot do without (D24)."""
BOUND: Final[frozenset[str]] = frozenset(
    {"justice", "civil_affairs", "education", "health", "womens_federation", "youth_league", "community_grid"}
)
"""Units with a duty of their own to decide on reporting (2015 opinion 5)."""


def d21(g: Ground, rule: Rule) -> Iterator[Owed]:
    """Calls without letter, penalty or case within 72 hours; violence again after a letter without penalty or case."""
    limit = timedelta(hours=int(rule.raw["hours"]))
    acted = [e for kind in ACTIONS for e in of_kind(g, kind)]
    supervised = of_kind(g, "procuratorial_action", "procuratorate")
    letters = [e.at for e in of_kind(g, "admonition_issued")]
    harder = [e for e in acted if e.kind != "admonition_issued"]
    for first, keys in by_incident(g, lambda e: g.derived[e.key].dv_call or g.derived[e.key].r6):
        called = first.facts.get("called_at")
        start = opening(called) if isinstance(called, date) else first.at
        if letters and any(letter.date() < first.at.date() for letter in letters):
            by = next((e for e in sorted(harder, key=lambda e: e.at) if e.at.date() >= first.at.date()), None)
            closed = Closing(max(by.at, first.at), by.key, "done") if by else first_after(first.at, supervised, keys)
            yield owe(g, rule, "procuratorate", "again", keys, first.at, first.at, cause=first.key, closed=closed)
        elif not (acted and any(_acts_in_time(e, start, limit) for e in acted)) and g.moment.passed(start + limit):
            opened = start + limit
            yield owe(
                g, rule, "procuratorate", "month", keys, opened, rule.due(1, opened, g.calendar),
                cause=first.key, closed=first_after(opened, supervised, keys),
            )  # fmt: skip


def _acts_in_time(action: Event, called: datetime, limit: timedelta) -> bool:
    return action.at.date() >= called.date() and action.at <= called + limit


def d22(g: Ground, rule: Rule) -> Iterator[Owed]:
    """Three calls in 90 days without any change of light, or five in a year: case review. A call counts once in each."""
    fewest = min(int(rule.raw["calls"]), int(rule.raw["calls_year"]))
    if len(of_kind(g, "police_call")) < fewest:
        return
    calls = [min(es, key=lambda e: (e.at, e.key)) for es in _calls(g)]
    calls.sort(key=lambda e: (e.at, e.key))
    changes = sorted(s.since for s in g.course.spans)
    windows = (
        ("many", int(rule.raw["calls"]), int(rule.raw["days"]), True),
        ("year", int(rule.raw["calls_year"]), 365, False),
    )
    done = of_kind(g, "review_concluded")
    for slot, count, days, unchanged in windows:
        run: list[Event] = []
        for call in calls:
            run = [e for e in run if (call.at.date() - e.at.date()).days <= days]
            if unchanged:
                run = [e for e in run if not any(e.at < change <= call.at for change in changes)]
            run.append(call)
            if len(run) < count:
                continue
            due = rule.due(1, call.at, g.calendar)
            keys = [e.key for e in run]
            yield owe(
                g,
                rule,
                "coordinator",
                slot,
                keys,
                call.at,
                due,
                cause=call.key,
                closed=first_after(call.at, done, keys),
            )
            run = []


def _calls(g: Ground) -> list[list[Event]]:
    """Calls to 110, repeated calls of one event together."""
    groups = ([e for e in group if e.kind == "police_call"] for group in g.incidents)
    return [group for group in groups if group]


def d23(g: Ground, rule: Rule) -> Iterator[Owed]:
    """Crime-level violence against a capable adult, found by a unit other than the police: its head decides."""
    for event in g.events:
        unit = g.acting(event.key.unit)
        if event.key in g.reporting or unit not in BOUND or not _is_crime_level(g, event):
            continue
        due = rule.due(1, event.at, g.calendar)
        yield owe(g, rule, f"head:{unit}", "1", {event.key}, event.at, due, cause=event.key)


def _is_crime_level(g: Ground, event: Event) -> bool:
    known = g.derived[event.key]
    lethal = event.facts.get("lethal_items")
    grave = (known.injury_rank or 0) >= CRIME_INJURY and (known.suspicion or known.sexual or known.harm)
    return known.victim_capacity == "full" and (grave or (isinstance(lethal, int) and lethal >= 1))


def d24(g: Ground, rule: Rule) -> Iterator[Owed]:
    """A field the policy needs is unrecorded: classify. Closed only by a newer version that carries it (A4)."""
    for event in g.events:
        for name in _needed(g, event):
            value = _recorded(g, event, name)
            if value is not None and event.version <= 1:
                continue  # it came with the first version: never owed
            due = rule.due(1, event.at, g.calendar)
            closed = Closing(max(event.updated_at, event.at), event.key, "done") if value is not None else None
            to = g.acting(event.key.unit)
            row = owe(g, rule, to, name, {event.key}, event.at, due, cause=event.key, closed=closed, field=name)
            if value is None and row.closed is not None:  # an answer without the field does not close it
                row = row._replace(closed=None)
            yield row


def _recorded(g: Ground, event: Event, name: str) -> object:
    """The field, or what stands for it: a relation says whether a case is within the family."""
    value = event.facts.get(name)
    return g.derived[event.key].family if value is None and name == "within_family" else value


def _needed(g: Ground, event: Event) -> tuple[str, ...]:
    """Which fields this record cannot be judged without."""
    known = g.derived[event.key]
    if event.kind == "police_call":
        return () if known.r6 else ("intensity",)
    if event.kind == "admonition_issued":
        return ("violence",)
    if event.kind == "mediation":
        return ("violence",) if event.facts.get("origin") == "transferred" else ()
    if event.kind == "security_penalty":
        return ("domestic_violence",)
    if event.kind == "criminal_case_filed":
        return ("within_family",) if known.violent_charge else ()
    is_action = event.kind == "procuratorial_action" and known.violent_charge
    return ("within_family",) if is_action and _opens(event) else ()


def _opens(action: Event) -> bool:
    return action.facts.get("action") in ("arrest_approved", "prosecuted", "filing_supervised")


def d25(g: Ground, rule: Rule) -> Iterator[Owed]:
    """Owed but not made: no code says suspicion, but the injury or the words do. A private task, never a report."""
    for event in g.events:
        unit = g.acting(event.key.unit)
        if unit not in BOUND or not _looks_owed(g, event):
            continue
        due = rule.due(1, event.at, g.calendar)
        first = owe(g, rule, f"head:{unit}", "1", {event.key}, event.at, due, cause=event.key)
        yield first
        if g.moment.passed(due) and (first.closed is None or first.closed.at > due):
            next_due = rule.due(1, due, g.calendar)
            yield owe(g, rule, str(rule.raw["then_to"]), "2", {event.key}, due, next_due, cause=event.key)


def _looks_owed(g: Ground, event: Event) -> bool:
    known = g.derived[event.key]
    if known.suspicion or known.sexual or known.harm or known.situation is not None or event.key in g.reporting:
        return False
    if known.victim is None or not (known.victim_minor or known.victim_capacity in ("none", "limited")):
        return False
    hurt = (known.injury_rank or 0) >= CRIME_INJURY and known.family is not False
    return hurt or event.facts.get("words_of_harm") is True


def d27(g: Ground, rule: Rule) -> Iterator[Owed]:
    """Evidence asked of the court: decide and collect within 7 days."""
    for event in g.events:
        asked = event.facts.get("evidence_asked_on")
        if not isinstance(asked, date):
            continue
        start = opening(asked)
        closed = None
        if event.facts.get("evidence_result") is not None:
            closed = Closing(max(event.updated_at, start), event.key, "done")
        due = rule.due(1, start, g.calendar)
        yield owe(g, rule, "court", "1", {event.key}, start, due, cause=event.key, closed=closed)


# -- not of a household ------------------------------------------------------------------------------------------------


def district_duties(
    activities: Sequence[Event], communities: Iterable[str], policy: Any, moment: Moment, since: datetime
) -> list[Owed]:
    """D20: a month without a class or a meeting, a quarter without training, since the hub began (``since``).

    For each community the running month and quarter and those before it that stayed empty, back to ``since``. The
    cause is no record but the period itself: ``Key("station", "period", "310101001001/class/2026-08")``.
    """
    rule = book_of(policy).duties.get("D20")
    if rule is None:
        return []
    owed: list[Owed] = []
    for community in communities:
        for kind, months in (("class", 1), ("meeting", 1), ("training", 3)):
            start = _period_start(since, months)
            while moment.passed(start):
                owed.append(_activity_duty(rule, community, kind, months, start, activities, policy, moment))
                start = _next_period(start, months)
    return owed


def _activity_duty(
    rule: Rule, community: str, kind: str, months: int, start: datetime,
    activities: Sequence[Event], policy: Any, moment: Moment,
) -> Owed:  # fmt: skip
    end = _next_period(start, months)
    due = compiled("month_end" if months == 1 else "quarter_end").due(start, policy.calendar)
    held = [
        e
        for e in activities
        if e.facts.get("kind") == kind and start <= e.at < end and e.facts.get("community") in (None, community)
    ]
    held = [e for e in held if kind != "training" or e.key.unit in ("police", "womens_federation", "community_grid")]
    first = min(held, key=lambda e: (e.at, e.key), default=None)
    closed = Closing(done_at(first), first.key, "done") if first else None
    if closed is None:
        moment.passed(due)
    key = Key("station", "period", f"{community}/{kind}/{start:%Y-%m}")
    cause = {"rule": "", "unit": key.unit, "stream": key.stream, "key": key.no}
    facts = {
        "cause": cause,
        "rule": "",
        "reason": "special",
        "stage": kind,
        "community": community,
        "copy": "coordinator",
    }
    return Owed(rule.id, "community_grid", key.no, frozenset({key}), start, due, closed, facts)


def _period_start(at: datetime, months: int) -> datetime:
    first = at.date().replace(day=1)
    return start_of_day(first.replace(month=first.month - (first.month - 1) % months))


def _next_period(start: datetime, months: int) -> datetime:
    year, month = divmod(start.month - 1 + months, 12)
    return start.replace(year=start.year + year, month=month + 1)


def unreadable(key: Key, received_at: datetime, policy: Any, *, resolved_at: datetime | None = None) -> list[Owed]:
    """D26 for one quarantined row that ``words_of_harm.triage`` finds urgent: coordinator and the unit's head, 1 hour.

    ``key`` names the row (``Key(unit, stream, "row:<quarantine uid>")`` if it has no readable number); ``resolved_at``
    is when it was redriven or discarded.
    """
    rule = book_of(policy).duties.get("D26")
    if rule is None:
        return []
    closed = Closing(resolved_at, None, "done") if resolved_at else None
    cause = {"rule": "", "unit": key.unit, "stream": key.stream, "key": key.no}
    facts = {"cause": cause, "rule": "", "reason": "concern"}
    due = rule.term(1).due(received_at, policy.calendar)
    return [
        Owed("D26", to, f"{key.unit}/{key.stream}/{key.no}", frozenset({key}), received_at, due, closed, facts)
        for to in ("coordinator", f"head:{policy.acting(key.unit)}")
    ]
