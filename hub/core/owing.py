"""What duties and reports are computed from: one case's ground, and the rows that follow one another on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from hub.core.book import Book, Rule, book_of, last_second
from hub.core.clocks import Calendar, Moment, closing
from hub.core.incident import amend, incidents
from hub.core.records import Case, Closing, Concern, Course, Event, Key, Owed, Standing
from hub.core.timeline import Derived, derive


class Ground(NamedTuple):
    """One case at one moment, with what the duty rules ask for again and again, read once."""

    case: Case
    course: Course
    moment: Moment
    calendar: Calendar
    book: Book
    events: tuple[Event, ...]  # up to the moment
    derived: Mapping[Key, Derived]
    by_key: Mapping[Key, Event]
    concern_of: Mapping[Key, Concern]  # the gravest concern an event opened or joined
    rules_of: Mapping[Key, frozenset[str]]  # every rule an event opened or joined
    numbers: Mapping[str, Standing]  # duty number → what it names
    answers: Mapping[tuple[str, str, str], tuple[Event, ...]]  # (what, to, slot) → duty answers
    incidents: tuple[tuple[Event, ...], ...]  # events that are one incident (A6), each event in exactly one
    incident_of: Mapping[Key, int]
    reporting: Mapping[Key, tuple[str, ...]]  # the M rules of a record, in table order; only records that have one
    is_signal: Callable[[Event, Derived], bool]
    acting: Callable[[str], str]  # the unit of the ten that has a unit's duties


def ground(case: Case, course: Course, policy: Any, moment: Moment) -> Ground:
    """Read the case once. Events after the moment are left out (and remembered by it)."""
    events = amend(e for e in case.events if moment.passed(e.at))
    concern_of: dict[Key, Concern] = {}
    rules_of: dict[Key, frozenset[str]] = {}
    for concern in sorted(course.concerns, key=lambda c: (c.light, c.since)):
        concern_of.update(dict.fromkeys(concern.events, concern))
        rules_of.update({key: rules_of.get(key, frozenset()) | {concern.rule} for key in concern.events})
    numbers = {s.no: s for s in case.duties}
    answers: dict[tuple[str, str, str], list[Event]] = {}
    for event in events:
        if event.kind == "duty_answer":
            named = numbers.get(str(event.facts.get("duty_no")))
            if named is not None:
                answers.setdefault((named.owed.what, named.owed.to, named.owed.slot), []).append(event)
    derived = {e.key: derive(e) for e in events}
    groups = tuple(tuple(group) for group in incidents(events))
    found = {e.key: policy.report_rules(e, derived[e.key]) for e in events}
    return Ground(
        case,
        course,
        moment,
        policy.calendar,
        book_of(policy),
        events,
        derived,
        {e.key: e for e in events},
        concern_of,
        rules_of,
        numbers,
        {name: tuple(given) for name, given in answers.items()},
        groups,
        {event.key: n for n, group in enumerate(groups) for event in group},
        {key: rules for key, rules in found.items() if rules},
        policy.is_signal,
        policy.acting,
    )


def owe(
    g: Ground, rule: Rule, to: str, slot: str, causes: Iterable[Key], opened: datetime, due: datetime | None,
    *, cause: Key | None = None, light_rule: str = "", closed: Closing | None = None, repeat: str = "", **facts: object,
) -> Owed:  # fmt: skip
    """One row of a duty. ``cause`` is the record that is named for it; ``light_rule`` the rule of its concern.

    A duty answer that names the row closes or accepts it, unless its own records closed it before. Open rows remember
    their due date, so that the household is judged again when it is overdue.
    """
    keys = frozenset(causes)
    cause = cause or min(keys, default=None)
    concern = g.concern_of.get(cause) if cause else None
    light_rule = light_rule or (concern.rule if concern else "")
    state, answered = _answered(g, rule.id, to, slot, keys)
    if answered is not None and (closed is None or closed.how == "ended" or answered.at < closed.at):
        closed = answered if closed is None or answered.at <= closed.at else closed
    if closed is None and due is not None:
        g.moment.passed(due)
    told: dict[str, object] = {
        "cause": {
            "rule": light_rule,
            **({"unit": cause.unit, "stream": cause.stream, "key": cause.no} if cause else {}),
        },
        "rule": light_rule,
        "reason": g.book.reasons.get(light_rule, "special" if not light_rule else "concern"),
        **{name: value for name, value in facts.items() if value is not None},
    }
    if repeat:
        told["repeat"] = repeat
    if state and closed is None:
        told["state"] = state
    live = any(g.by_key[key].live for key in keys if key in g.by_key)
    return Owed(rule.id, to, slot, keys, opened, due, closed, told, live, g.case.household)


def _answered(g: Ground, what: str, to: str, slot: str, causes: frozenset[Key]) -> tuple[str, Closing | None]:
    """What the unit answered: the state of the newest answer, and the closing if it is done or returned."""
    state, closed = "", None
    for event in sorted(g.answers.get((what, to, slot), ()), key=lambda e: (done_at(e), e.updated_at)):
        named = g.numbers[str(event.facts.get("duty_no"))]
        if not named.owed.causes & causes:
            continue
        state = str(event.facts.get("status"))
        closed = Closing(done_at(event), event.key, state) if state in ("done", "returned") else None
    return ("accepted" if state == "accepted" else ""), closed


def done_at(event: Event) -> datetime:
    """When a record closes something: a date without time is the last moment of its day (S1)."""
    when = event.facts.get("from" if event.kind == "shelter" else "at")
    return last_second(closing(when)) if hasattr(when, "year") else event.at  # type: ignore[arg-type]


def first_after(opened: datetime, found: Iterable[Event], but: Iterable[Key] = (), how: str = "done") -> Closing | None:
    """The closing by the earliest of some records not before ``opened``, the causes themselves left out."""
    not_these = frozenset(but)
    done = [(done_at(e), e.key) for e in found if e.key not in not_these and done_at(e) >= opened]
    return Closing(*min(done), how) if done else None


def ending(until: datetime | None, g: Ground) -> Closing | None:
    """The closing by a date: what was owed only while something held is over."""
    return Closing(until, None, "ended") if until is not None and g.moment.passed(until) else None


def earlier(*closings: Closing | None) -> Closing | None:
    """Whichever came first; a record before a date at one instant."""
    found = [c for c in closings if c is not None]
    return min(found, key=lambda c: (c.at, c.by is None), default=None)


def of_kind(g: Ground, kind: str, unit: str = "") -> list[Event]:
    """Events of one kind (and unit), oldest first."""
    return [e for e in g.events if e.kind == kind and (not unit or e.key.unit == unit)]


def visits(g: Ground, unit: str, what: str) -> list[Event]:
    """Visits of a unit that met somebody; one that names another duty by its number counts for that one only."""
    found = []
    for event in of_kind(g, "visit_recorded", unit):
        named = g.numbers.get(str(event.facts.get("duty_no")))
        if g.derived[event.key].reached and (named is None or named.owed.what == what):
            found.append(event)
    return sorted(found, key=done_at)


def chain(
    g: Ground, rule: Rule, to: str, start: datetime, until: datetime | None, done: Sequence[Event],
    causes: Any, *, prefix: str = "", terms: Any = None, last: int | None = None,
) -> list[Owed]:  # fmt: skip
    """Rows that follow one another: one open at a time, each due from the closing of the one before.

    ``causes(opened, closed)`` gives (keys, named cause, light rule) of a row; ``terms(n, opened)`` the due date of the
    n-th (else the table's); ``last`` the number of rows after which it is complete; ``until`` ends an open row.
    """
    rows: list[Owed] = []
    opened, n = start, 1
    left = [e for e in done if done_at(e) >= start]
    while last is None or n <= last:
        due = terms(n, opened) if terms else rule.term(n).due(opened, g.calendar)
        by = next((Closing(done_at(e), e.key, "done") for e in left if done_at(e) >= opened), None)
        closed = earlier(by, ending(until, g) if until is not None else None)
        keys, cause, light_rule = causes(opened, closed.at if closed else None)
        row = owe(
            g, rule, to, f"{prefix}{n}", keys, opened, due, cause=cause, light_rule=light_rule, closed=closed,
            repeat=rule.term(n + 1).text if len(rule.terms) > 1 else "",
        )  # fmt: skip
        rows.append(row)
        if row.closed is None or row.closed.how == "ended":
            break
        opened, n = row.closed.at, n + 1
        left = [e for e in left if e.key != row.closed.by and done_at(e) > opened]
    return rows
