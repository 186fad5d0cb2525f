"""Duties that stand while a light stands: D1–D5, D12, D17, D18 (policy section 7; S26, S32).

One open row per unit and household, caused by the concern that set the light, then the next. Rows follow one another:
each next date is counted from the visit before it; those of D5 from the green light itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta

from hub.core.book import Rule, compiled, last_second
from hub.core.clocks import closing, days_between, opening, start_of_day
from hub.core.owing import Apart, Ground, chain, done_at, earlier, ending, first_after, of_kind, owe, visits
from hub.core.records import Closing, Concern, Event, Key, Light, Owed, Span

UNLIT, GREEN, YELLOW, ORANGE, RED = Light
Causes = tuple[frozenset[Key], Key | None, str]
"""Keys that cause a row, the one that is named, and the light rule."""
CausesOf = Callable[[datetime, datetime | None], Causes]
"""(opened, closed or None) → what causes a row that stood then."""


def light_spans(g: Ground, light: Light, *, above: bool = False) -> list[Span]:
    """Unbroken times in which the household stood at ``light`` (or at it and above)."""
    found: list[Span] = []
    for one in g.course.spans:
        if one.light != light and not (above and one.light > light):
            continue
        if found and found[-1].until == one.since:
            found[-1] = found[-1]._replace(until=one.until)
        else:
            found.append(Span(light, one.since, one.until))
    return found


def causes_of(g: Ground, low: Light, high: Light = RED) -> CausesOf:
    """For a row open from … until …: every record of the concerns of these lights that stood then; the first is named.

    What began and ended in the very instant counts where nothing else stood.
    """
    concerns = [c for c in g.course.concerns if low <= c.light <= high]  # they are in order of (since, rule)

    def causes(opened: datetime, closed: datetime | None) -> Causes:
        stood = [
            c
            for c in concerns
            if (c.until is None or last_second(c.until) > opened) and (closed is None or c.since <= closed)
        ] or [c for c in concerns if c.since == c.until == opened]
        if not stood:
            return frozenset(), None, ""
        setting = next((c for c in stood if c.since <= opened), stood[0]) if len(stood) > 1 else stood[0]
        records = records_of(g, setting)
        keys = frozenset(records)
        if len(stood) > 1:
            keys = keys.union(*(records_of(g, c) for c in stood if c is not setting))
        return keys, records[0] if records else None, setting.rule

    return causes


def records_of(g: Ground, concern: Concern) -> tuple[Key, ...]:
    """The records of a concern; one that follows from others (T1, Y4) has those of the concerns that ended before it."""
    if concern.events:
        return concern.events
    before = [c for c in g.course.concerns if c.events and c.until is not None and c.until <= concern.since]
    latest = max((c.until for c in before if c.until is not None), default=None)
    return tuple(key for c in before if c.until == latest for key in c.events)


def told_apart(spans: Sequence[Span], causes: CausesOf) -> Iterator[tuple[Span, str]]:
    """Every span with what its rows' slots begin with: "2/" where a record that causes it caused an earlier one too."""
    apart = Apart()
    for one in spans:
        yield one, apart.prefix(causes(one.since, one.until)[0], one.since) if len(spans) > 1 else ""


def d1(g: Ground, rule: Rule) -> Iterator[Owed]:
    """First light: open the family file; while lit or special: check it."""
    lit = [s for s in g.course.spans if s.light]
    if not lit:
        return
    start = lit[0].since
    files = [e for e in of_kind(g, "household_member") if e.key.stream == "family_file"]
    touched = sorted({max(e.updated_at, start) for e in files})
    by = {max(e.updated_at, start): e.key for e in files}
    causes = causes_of(g, UNLIT)
    kept = bool(g.course.light) or any(_holds(g, c) for c in g.course.categories)
    opened, n = start, 1
    while True:
        at = next((t for t in touched if (t >= opened if n == 1 else t > opened)), None) if touched else None
        closed = Closing(at, by[at], "done") if at is not None else None
        if n > 1 and closed is None and not kept:
            closed = ending(max(opened, lit[-1].until or opened), g)
        keys, cause, light_rule = causes(opened, closed.at if closed else None)
        row = owe(
            g, rule, "womens_federation", str(n), keys, opened, rule.due(n, opened, g.calendar),
            cause=cause, light_rule=light_rule, closed=closed, repeat=rule.terms[-1].text,
        )  # fmt: skip
        yield row
        if row.closed is None or row.closed.how == "ended":
            return
        opened, n = row.closed.at, n + 1


def _holds(g: Ground, category: tuple[str, object, object]) -> bool:
    until = category[2]
    return not (isinstance(until, date) and g.moment.passed(closing(until)))


def visiting(light: Light) -> Callable[[Ground, Rule], Iterator[Owed]]:
    """D2, D3, D4, D5: follow-up visits of each unit while the light stands."""

    def owed(g: Ground, rule: Rule) -> Iterator[Owed]:
        causes = causes_of(g, light, light)
        for one, prefix in told_apart(light_spans(g, light), causes):
            terms = _terms(g, rule, one)
            last = len(rule.terms) if light == GREEN else None
            opened_by = {key for c in g.course.concerns if c.since == one.since for key in c.events[:1]}
            for unit in rule.to:
                done = [e for e in visits(g, unit, rule.id) if e.key not in opened_by]
                yield from chain(
                    g, rule, unit, one.since, one.until, done, causes, prefix=prefix, terms=terms, last=last
                )

    return owed


def _terms(g: Ground, rule: Rule, stood: Span) -> Callable[[int, datetime], datetime] | None:
    if stood.light == GREEN:
        return lambda n, opened: rule.due(n, stood.since, g.calendar)
    if "dense_days" not in rule.raw:
        return None
    days = int(rule.raw["dense_days"])

    def terms(n: int, opened: datetime) -> datetime:
        """The interval of D3 counts from the opening of the oldest concern open then (S10)."""
        if n == 1:
            return rule.due(1, opened, g.calendar)
        oldest = min((c.since for c in g.course.concerns if _is_open(c, opened)), default=stood.since)
        return rule.term(2 if days_between(oldest, opened) < days else 3).due(opened, g.calendar)

    return terms


def _is_open(concern: Concern, at: datetime) -> bool:
    return (
        concern.since <= at and (concern.until is None or at < last_second(concern.until)) and concern.light >= YELLOW
    )


def d12(g: Ground, rule: Rule) -> Iterator[Owed]:
    """School-age child in a red or orange household, or M2: care at school; after R6 with the child present at once."""
    low, high = rule.raw["ages"]
    causes = causes_of(g, ORANGE)
    pupils = [e for e in g.events if e.key.unit == "education" and _is_found_at_school(g, e)]
    if not pupils and not [member for member in g.case.members if member.born is not None]:
        return
    done = visits(g, "education", rule.id)
    for one, prefix in told_apart(light_spans(g, ORANGE, above=True), causes):
        start = _since_child(g, one, low, high)
        reported = min(
            (e.at for e in pupils if one.since <= e.at and (one.until is None or e.at < one.until)), default=None
        )
        begins = min((t for t in (start, reported) if t is not None), default=None)
        if begins is None:
            continue
        rows = chain(
            g, rule, "education", begins, one.until, done, causes, prefix=prefix, terms=_school_terms(g, rule, one)
        )
        yield from rows


def _school_terms(g: Ground, rule: Rule, stood: Span) -> Callable[[int, datetime], datetime]:
    """First 3 wd; when a fierce call had the child present: by the next working day after that call."""
    present = [
        e.at
        for e in g.events
        if g.derived[e.key].r6 and e.facts.get("minor_present") is True
        and stood.since <= e.at and (stood.until is None or e.at < stood.until)
    ]  # fmt: skip
    soon = compiled(str(rule.raw["due_child_present"]))

    def terms(n: int, opened: datetime) -> datetime:
        due = rule.due(n, opened, g.calendar)
        return min([due, *(soon.due(at, g.calendar) for at in present if at >= opened)])

    return terms


def _is_found_at_school(g: Ground, event: Event) -> bool:
    known = g.derived[event.key]
    return known.suspicion or known.sexual


def _since_child(g: Ground, stood: Span, low: int, high: int) -> datetime | None:
    """Since when, within the span, a child of school age belongs to the household."""
    found = []
    for member in g.case.members:
        if member.born is None:
            continue
        at = max(stood.since, start_of_day(reaches(member.born, low)))
        at = max(at, opening(member.since)) if member.since else at
        over = start_of_day(reaches(member.born, high + 1))
        ends = [t for t in (stood.until, over, member.until and closing(member.until)) if t]
        if at < min(ends) and g.moment.passed(at):
            found.append(at)
    return min(found, default=None)


def reaches(born: date, years: int) -> date:
    """The day on which somebody is so old: the day after the birthday; born on 29 February: after the 28th (S8)."""
    try:
        birthday = born.replace(year=born.year + years)
    except ValueError:
        birthday = date(born.year + years, 2, 28)
    return birthday + timedelta(days=1)


def d18(g: Ground, rule: Rule) -> Iterator[Owed]:
    """Red for 60 days without a review: on the agenda of the next monthly meeting; each review starts the count anew."""
    causes = causes_of(g, RED, RED)
    reviews = sorted(of_kind(g, "review_concluded"), key=done_at)
    days = timedelta(days=int(rule.raw["days"]))
    n = 0
    for one in light_spans(g, RED):
        since = one.since
        while True:
            opened = start_of_day(since.date() + days)
            review = next((e for e in reviews if done_at(e) > since), None) if reviews else None
            at = done_at(review) if review else None
            if at is not None and at < opened:
                since = at
                continue
            if (one.until is not None and one.until <= opened) or not g.moment.passed(opened):
                break
            n += 1
            closed = earlier(first_after(opened, [review] if review else []), ending(one.until, g))
            keys, cause, light_rule = causes(opened, closed.at if closed else None)
            yield owe(
                g, rule, "coordinator", str(n), keys, opened, rule.due(1, opened, g.calendar),
                cause=cause, light_rule=light_rule, closed=closed,
            )  # fmt: skip
            if at is None or (one.until is not None and at >= one.until):
                break
            since = at
