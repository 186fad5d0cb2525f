"""What duties and reports are computed from: one case's ground, and the rows that follow one another on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from hub.core.book import Book, Rule, book_of, last_second
from hub.core.clocks import Calendar, Moment, closing
from hub.core.incident import LINK_HOURS, amend
from hub.core.known import Groups, Known, known
from hub.core.records import Case, Closing, Concern, Course, Event, Key, Owed, Standing
from hub.core.rules import REPORTING_KINDS
from hub.core.timeline import Derived


class Ground:
    """One case at one moment, with what the duty rules ask for again and again, read once."""

    __slots__ = (
        "_incident_of", "_rules_of", "_standing", "acting", "answers", "book", "by_key", "calendar", "case", "concern_of", "course",
        "derived", "events", "incidents", "is_signal", "kinds", "moment", "numbers", "reporting",
    )  # fmt: skip

    def __init__(self, case: Case, course: Course, policy: Any, moment: Moment, read: Known) -> None:
        self.case, self.course, self.moment = case, course, moment
        self.calendar: Calendar = policy.calendar
        self.book: Book = book_of(policy.current(moment) if policy.later else policy)
        self.events = read.events  # up to the moment
        self.kinds: Mapping[str, Sequence[Event]] = read.kinds
        self.derived: Mapping[Key, Derived] = read.derived
        self.by_key = {event.key: event for event in read.events}
        self.concern_of: dict[Key | None, Concern] = _gravest(
            course.concerns
        )  # the gravest concern an event opened or joined
        self.numbers = {s.no: s for s in case.duties}  # duty number → what it names
        self.answers = _answers(self) if "duty_answer" in read.kinds else {}
        self.incidents: Groups = read.incidents(LINK_HOURS)
        self.reporting = _reporting(read, policy)  # the M rules of a record, in table order; only records that have one
        self.is_signal: Callable[[Event, Derived], bool] = policy.is_signal
        self.acting: Callable[[str], str] = policy.acting  # the unit of the ten that has a unit's duties
        self._incident_of: dict[Key, int] | None = None
        self._rules_of: dict[Key, set[str]] | None = None
        self._standing: dict[tuple[str, str, str], list[Standing]] | None = None

    @property
    def incident_of(self) -> Mapping[Key, int]:
        """Event → its place among ``incidents``."""
        if self._incident_of is None:
            self._incident_of = {event.key: n for n, group in enumerate(self.incidents) for event in group}
        return self._incident_of

    def number_of(self, row: Owed) -> str | None:
        """The number under which a duty stands already; None if it does not."""
        if not self.case.duties:
            return None
        if self._standing is None:
            self._standing = {}
            for stands in self.case.duties:
                if stands.state in ("open", "accepted"):
                    self._standing.setdefault(stands.owed[:3], []).append(stands)
        for stands in self._standing.get(row[:3], ()):
            if not stands.owed.causes.isdisjoint(row.causes):
                return stands.no
        return None

    def rules_of(self, key: Key) -> Iterable[str]:
        """Every rule an event opened or joined."""
        if self._rules_of is None:
            self._rules_of = {}
            for concern in self.course.concerns:
                for event in concern.events:
                    self._rules_of.setdefault(event, set()).add(concern.rule)
        return self._rules_of.get(key, ())


def ground(case: Case, course: Course, policy: Any, moment: Moment, read: Known | None = None) -> Ground:
    """The case up to the moment; later events are left out (and remembered by it). ``read``: the case, if in order."""
    if read is None or (read.events and not moment.passed(read.events[-1].at)):
        read = known(amend(event for event in case.events if moment.passed(event.at)))
    return Ground(case, course, policy, moment, read)


def _gravest(concerns: Sequence[Concern]) -> dict[Key | None, Concern]:
    found: dict[Key | None, Concern] = {}
    for concern in concerns if len(concerns) < 2 else sorted(concerns, key=lambda c: (c.light, c.since)):
        for key in concern.events:
            found[key] = concern
    return found


def _answers(g: Ground) -> dict[tuple[str, str, str], list[Event]]:
    """(what, to, slot) → duty answers."""
    answers: dict[tuple[str, str, str], list[Event]] = {}
    for event in g.kinds["duty_answer"]:
        named = g.numbers.get(str(event.facts.get("duty_no")))
        if named is not None:
            answers.setdefault((named.owed.what, named.owed.to, named.owed.slot), []).append(event)
    return answers


def _reporting(read: Known, policy: Any) -> dict[Key, tuple[str, ...]]:
    if REPORTING_KINDS.isdisjoint(read.kinds):
        return {}
    found = {e.key: policy.report_rules(e, read.derived[e.key]) for e in read.of_kinds(REPORTING_KINDS)}
    return {key: rules for key, rules in found.items() if rules}


class Apart:
    """Tells rows of one name apart that a record causes both of: settling takes what shares a name and a cause for one."""

    def __init__(self) -> None:
        self._before: list[tuple[int, datetime, frozenset[Key]]] = []

    def prefix(self, keys: Iterable[Key], opened: datetime) -> str:
        """What a slot begins with: "" for the first, "2/" for the next that one of these records causes at another time."""
        causes = frozenset(keys)
        shared = [(n, at) for n, at, known in self._before if not known.isdisjoint(causes)]
        same = next((n for n, at in shared if at == opened), 0)
        count = same or 1 + max((n for n, _ in shared), default=0)
        self._before.append((count, opened, causes))
        return f"{count}/" if count > 1 else ""


def owe(
    g: Ground, rule: Rule, to: str, slot: str, causes: Iterable[Key], opened: datetime, due: datetime | None,
    *, cause: Key | None = None, light_rule: str = "", closed: Closing | None = None, repeat: str = "", **facts: object,
) -> Owed:  # fmt: skip
    """One row of a duty. ``cause`` is the record that is named for it; ``light_rule`` the rule of its concern.

    A duty answer that names the row closes or accepts it, unless its own records closed it before. Open rows remember
    their due date, so that the household is judged again when it is overdue.
    """
    keys = frozenset(causes)
    if cause is None:
        cause = min(keys, default=None)
    if not light_rule and cause in g.concern_of:
        light_rule = g.concern_of[cause].rule
    state = ""
    if g.answers:
        state, answered = _answered(g, rule.id, to, slot, keys)
        if answered is not None and (closed is None or closed.how == "ended" or answered.at < closed.at):
            closed = answered if closed is None or answered.at <= closed.at else closed
    if closed is None and due is not None:
        g.moment.passed(due)
    told: dict[str, object] = {
        "cause": {"rule": light_rule, "unit": cause.unit, "stream": cause.stream, "key": cause.no}
        if cause is not None
        else {"rule": light_rule},
        "rule": light_rule,
        "reason": g.book.reasons.get(light_rule, "concern" if light_rule else "special"),
    }
    if facts:
        told.update((name, value) for name, value in facts.items() if value is not None)
    if repeat:
        told["repeat"] = repeat
    if state and closed is None:
        told["state"] = state
    live = False
    for key in keys:
        if key in g.by_key and g.by_key[key].live:
            live = True  # one of its records may have side effects
            break
    return tuple.__new__(  # as Owed(…) does, in half the time: some ten are made for every case
        Owed, (rule.id, to, slot, keys, opened, due, closed, told, live, g.case.household)
    )


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
    return last_second(closing(when)) if isinstance(when, date) else event.at


def first_after(opened: datetime, found: Sequence[Event], but: Iterable[Key] = (), how: str = "done") -> Closing | None:
    """The closing by the earliest of some records not before ``opened``, the causes themselves left out."""
    if not found:
        return None
    not_these = frozenset(but)
    done = [(done_at(e), e.key) for e in found if e.key not in not_these and done_at(e) >= opened]
    return Closing(*min(done), how) if done else None


def ending(until: datetime | None, g: Ground) -> Closing | None:
    """The closing by a date: what was owed only while something held is over."""
    return Closing(until, None, "ended") if until is not None and g.moment.passed(until) else None


def earlier(*closings: Closing | None) -> Closing | None:
    """Whichever came first; a record before a date at one instant."""
    found = [c for c in closings if c is not None]
    if len(found) < 2:
        return found[0] if found else None
    return min(found, key=lambda c: (c.at, c.by is None))


def of_kind(g: Ground, kind: str, unit: str = "") -> Sequence[Event]:
    """Events of one kind (and unit), oldest first."""
    found = g.kinds.get(kind, ())
    return found if not unit or not found else [e for e in found if e.key.unit == unit]


def visits(g: Ground, unit: str, what: str) -> list[Event]:
    """Visits of a unit that met somebody; one that names another duty by its number counts for that one only."""
    if "visit_recorded" not in g.kinds:
        return []
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
    n-th (else the table's); ``last`` the number of rows after which it is complete; ``until`` ends an open row. What was
    done in the very instant that began it (the visit that found the violence, or ended the observation) is no follow-up.
    """
    rows: list[Owed] = []
    opened, n = start, 1
    left = [e for e in done if done_at(e) > start] if done else []
    while last is None or n <= last:
        due = terms(n, opened) if terms else rule.due(n, opened, g.calendar)
        visit = next((e for e in left if done_at(e) >= opened), None) if left else None
        closed = Closing(done_at(visit), visit.key, "done") if visit is not None else None
        if until is not None:
            closed = earlier(closed, ending(until, g))
        keys, cause, light_rule = causes(opened, closed.at if closed is not None else None)
        repeat = rule.term(n + 1).text if len(rule.terms) > 1 else ""
        row = owe(
            g,
            rule,
            to,
            f"{prefix}{n}",
            keys,
            opened,
            due,
            cause=cause,
            light_rule=light_rule,
            closed=closed,
            repeat=repeat,
        )
        rows.append(row)
        if row.closed is None or row.closed.how == "ended":
            break
        opened, n = row.closed.at, n + 1
        if until is not None and until.microsecond and opened >= last_second(until):
            break  # both ended with the same day
        left = [e for e in left if e.key != row.closed.by and done_at(e) > opened]
    return rows
