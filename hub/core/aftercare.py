"""Duties that follow a document or a child: letters (D6), protection orders (D7, D7b), minor victims (D14)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from hub.core.book import Rule
from hub.core.clocks import opening
from hub.core.followups import Causes
from hub.core.owing import Ground, chain, done_at, of_kind, owe, visits
from hub.core.records import Concern, Event, Key, Owed

VIOLENCE_FOUND = frozenset(
    {"police_call", "complaint_received", "concern_found", "treatment_recorded", "conflict_found", "visit_recorded", "shelter"}
)  # fmt: skip
"""Kinds that tell of violence as it happens; letters, cases and scales come after it."""


def d6(g: Ground, rule: Rule) -> Iterator[Owed]:
    """Admonition letter: check visit 7 days after it was served, then every 3 months until three clean ones in a row."""
    for letter in of_kind(g, "admonition_issued"):
        served = letter.facts.get("served_on") or letter.facts.get("issued_on")
        start = opening(served) if isinstance(served, date) else letter.at
        if not g.moment.passed(start):
            continue
        for unit in rule.to:
            done = [e for e in visits(g, unit, rule.id) if done_at(e) >= start]
            last = _clean_after(g, done, int(rule.raw["clean"]))
            yield from chain(g, rule, unit, start, None, done, _always(letter.key), last=last)


def _clean_after(g: Ground, done: list[Event], wanted: int) -> int | None:
    """After how many visits it is over: ``wanted`` calm ones in a row, the first visit not among them (2024 opinion 12)."""
    row = 0
    for n, visit in enumerate(done, 1):
        row = row + 1 if n > 1 and g.derived[visit.key].calm else 0
        if row == wanted:
            return n
    return None


def _always(*keys: Key) -> object:
    def causes(opened: datetime, closed: datetime | None) -> Causes:
        return frozenset(keys), keys[0], ""

    return causes


def d7(g: Ground, rule: Rule) -> Iterator[Owed]:
    """Protection order: a check within 24 hours, every 14 days while in force; at its end a signed return to the court."""
    for order in _orders(g):
        key = order.events[0]
        for unit in rule.to:
            yield from chain(g, rule, unit, order.since, order.until, visits(g, unit, rule.id), _always(key))
            if order.until is not None and g.moment.passed(order.until) and not _is_replaced(order):
                yield owe(
                    g, rule, unit, "return", {key}, order.until, rule.due(1, order.until, g.calendar),
                    cause=key, stage="return",
                )  # fmt: skip


def _orders(g: Ground) -> list[Concern]:
    return [c for c in g.course.concerns if c.rule == "R3" and c.events]


def _is_replaced(order: Concern) -> bool:
    return "replaced" in (order.closed_by or "") or any("replaced" in note for note in order.notes)


def d7b(g: Ground, rule: Rule) -> Iterator[Owed]:
    """Any violence by the respondent while an order is in force: breach notice to court and police, at once."""
    orders = [(o, g.by_key.get(o.events[0])) for o in _orders(g)]
    if not orders:
        return
    for event in g.events:
        known = g.derived[event.key]
        if event.kind not in VIOLENCE_FOUND or not (known.r6 or known.dv_call or known.suspicion or known.sexual):
            continue
        for concern, order in orders:
            in_force = concern.since <= event.at and (concern.until is None or event.at < concern.until)
            if in_force and (order is None or _may_be_by(event, order)):
                for to in rule.to:
                    yield owe(
                        g, rule, to, "", {event.key}, event.at, rule.due(1, event.at, g.calendar),
                        cause=event.key, order={"stream": concern.events[0].stream, "key": concern.events[0].no},
                    )  # fmt: skip
                break


def _may_be_by(event: Event, order: Event) -> bool:
    """Whether the respondent did it, or may have: only another alleged person, known and different, speaks against."""
    respondent = next((p.person for p in order.parties if p.role == "alleged"), None)
    alleged = next((p.person for p in event.parties if p.role == "alleged"), None)
    if respondent is None:
        return True
    if alleged is not None:
        return alleged == respondent
    named = {p.person for p in event.parties if p.role in ("party_a", "party_b") and p.person is not None}
    return len(named) < 2 or respondent in named


def d14(g: Ground, rule: Rule) -> Iterator[Owed]:
    """Minor victim (M4, M5, or a complaint): accompany, intervene; every 30 days while the concern of it is open."""
    for event in g.events:
        known = g.derived[event.key]
        if not known.perhaps_minor or not _is_for_the_league(g, event):
            continue
        concern = g.concern_of.get(event.key)
        until = concern.until if concern is not None else None
        rows = chain(
            g, rule, "youth_league", event.at, until, _other(visits(g, "youth_league", rule.id), event),
            _always(event.key), last=None if concern is not None else 1,
        )  # fmt: skip
        yield from rows


def _is_for_the_league(g: Ground, event: Event) -> bool:
    if event.kind == "complaint_received":
        return event.key.unit in ("youth_league", "womens_federation")
    return event.key.unit == "youth_league" and bool({"M4", "M5"} & set(g.reporting.get(event.key, ())))


def _other(found: list[Event], event: Event) -> list[Event]:
    return [e for e in found if e.key != event.key]
