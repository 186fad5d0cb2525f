"""Duties that a decision of people and an objection of a family owe: D28 look again, D29 answer; and hand-over (custody.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from hub.core.book import Rule, last_second
from hub.core.decisions import recheck_of
from hub.core.owing import Ground, chain, done_at, first_after, of_kind, owe
from hub.core.records import Closing, Event, Key, Owed

COORDINATOR = "coordinator"
DECIDED = frozenset({"P1", "P2"})


def d28(g: Ground, rule: Rule) -> Iterator[Owed]:
    """While a decision holds: the deciding unit looks again on the day it named, then every so many days.

    A visit in person of any unit, or a newer decision, is such a look.
    """
    for n, concern in enumerate((c for c in g.course.concerns if c.rule in DECIDED), 1):
        event = g.by_key.get(concern.events[0]) if concern.events else None
        if event is None:
            continue
        keys, named, law = frozenset(concern.events), concern.events[0], concern.rule
        yield from chain(
            g, rule, str(event.facts.get("unit") or COORDINATOR), concern.since, concern.until, _looks(g, keys),
            lambda opened, closed, found=(keys, named, law): found,
            prefix=f"{n}/" if n > 1 else "", terms=_terms(g, rule, recheck_of(event)),
        )  # fmt: skip


def _looks(g: Ground, but: frozenset[Key]) -> list[Event]:
    """Visits in person, and decisions that are not this one."""
    met = [e for e in of_kind(g, "visit_recorded") if g.derived[e.key].in_person]
    return sorted([*met, *(e for e in of_kind(g, "override") if e.key not in but)], key=done_at)


def _terms(g: Ground, rule: Rule, recheck: datetime | None) -> Callable[[int, datetime], datetime]:
    def terms(n: int, opened: datetime) -> datetime:
        return recheck if n == 1 and recheck is not None else rule.due(n, opened, g.calendar)

    return terms


def d29(g: Ground, rule: Rule) -> Iterator[Owed]:
    """Every objection is answered, in ten working days; only an answer that names it closes it."""
    answers = of_kind(g, "objection_answer")
    for event in of_kind(g, "objection"):
        mine = [e for e in answers if e.facts.get("objection_no") == event.key.no]
        due = rule.due(1, event.at, g.calendar)
        closed = first_after(last_second(event.at), mine)
        yield owe(g, rule, COORDINATOR, "1", {event.key}, event.at, due, cause=event.key, closed=closed)


def passed_on(g: Ground, row: Owed) -> Owed:
    """A duty that was open when another district accepted the household's file is that district's from then on."""
    accepted = [e for e in of_kind(g, "handover") if e.facts.get("state") == "accepted"]
    last = max(accepted, key=lambda e: e.at, default=None)
    if last is None or row.closed is not None or row.opened > last.at:
        return row
    return row._replace(closed=Closing(last.at, last.key, "handed_over"))
