"""Duties that a record owes to the unit that can help: D8, D9, D10, D11, D13, D15, D16, D19 (policy section 7).

Records of one incident cause one row (A6): a second source joins it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta

from hub.core.book import Rule, compiled
from hub.core.clocks import opening
from hub.core.owing import Apart, Ground, done_at, earlier, ending, first_after, of_kind, owe
from hub.core.records import Closing, Concern, Event, Key, Owed
from hub.core.timeline import INJURY_RANKS

SERIOUS_INJURY = INJURY_RANKS["serious"]
VIOLENT_RULES = frozenset({"R1", "R2", "R4", "R5", "R6", "R7", "R8", "R9", "O2", "O3", "O5"})
FIERCE_RULES = frozenset({"R1", "R6"})
TRIES = 2
"""Mediations that may fail before it becomes a joint one (S26)."""
NOT_MEDIATORS = frozenset({"court", "procuratorate", "health", "education"})


def by_incident(g: Ground, causes: Callable[[Event], bool]) -> Iterator[tuple[Event, frozenset[Key]]]:
    """Once per incident: its earliest record that causes, and the keys of all that do."""
    for group in g.incidents:
        found = [e for e in group if causes(e)]
        if len(found) == 1:
            yield found[0], frozenset((found[0].key,))
        elif found:
            yield min(found, key=lambda e: (e.at, e.key)), frozenset(e.key for e in found)


def _once(
    g: Ground, rule: Rule, to: str, causes: Callable[[Event], bool], done: Sequence[Event], slot: str = "1"
) -> Iterator[Owed]:
    """One row per incident, closed by the first record of the unit that shows it done."""
    for first, keys in by_incident(g, causes):
        due = rule.due(1, first.at, g.calendar)
        yield owe(g, rule, to, slot, keys, first.at, due, cause=first.key, closed=first_after(first.at, done, keys))


def d8(g: Ground, rule: Rule) -> Iterator[Owed]:
    """Shelter needed or immediate danger: shelter and basic living relief within 24 hours."""
    done = [*of_kind(g, "shelter", "civil_affairs"), *_services(g, "civil_affairs", "relief")]
    yield from _once(g, rule, "civil_affairs", _needs_shelter, done)


def _needs_shelter(event: Event) -> bool:
    return event.facts.get("needs_shelter") is True or event.facts.get("immediate_danger") is True


def _services(g: Ground, unit: str, stream: str) -> list[Event]:
    return [e for e in of_kind(g, "service_given", unit) if e.key.stream == stream]


def d9(g: Ground, rule: Rule) -> Iterator[Owed]:
    """Injury in a family incident: forensic assessment offered, legal aid checked."""
    done = [*of_kind(g, "forensic_result", "justice"), *_services(g, "justice", "legal_aid")]
    yield from _once(g, rule, "justice", lambda e: _is_hurt(g, e), done)


def _is_hurt(g: Ground, event: Event) -> bool:
    known = g.derived[event.key]
    return known.injury_rank is not None and known.injury_rank >= 1 and known.family is not False


def d10(g: Ground, rule: Rule) -> Iterator[Owed]:
    """Order wanted, or R1/R6 with danger: application helped within 24 hours; the decision in 72 hours, urgent 24."""
    orders = of_kind(g, "protection_order")
    within, score = timedelta(days=int(rule.raw["danger_days"])), int(rule.raw["danger_score"])
    apart = Apart()
    for event in g.events:
        found = _wants_order(g, within, score, event)
        if found is None or not g.moment.passed(found[0]) or _order_stands(g, found[0]):
            continue
        at, keys = found
        due = rule.due(1, at, g.calendar)
        asked = [(max(o.at, at), o.key) for o in orders if o.at.date() >= at.date()]
        closed = Closing(*min(asked), "done") if asked else None
        slot = f"{apart.prefix(keys, at)}apply"
        yield owe(g, rule, "court", slot, keys, at, due, cause=event.key, closed=closed, stage="apply")
    for order in orders:
        accepted = order.facts.get("accepted_at")
        if isinstance(accepted, date):
            yield _decision(g, rule, order, opening(accepted))


def _decision(g: Ground, rule: Rule, order: Event, accepted: datetime) -> Owed:
    hours = rule.raw["decide_urgent_hours" if order.facts.get("urgent") is True else "decide_hours"]
    decided = order.facts.get("decided_on")
    closed = None
    if order.facts.get("result") != "pending":
        at = opening(decided) if isinstance(decided, date) else order.updated_at
        closed = Closing(max(at, accepted), order.key, "done")
    due = g.calendar.court_hours(accepted, int(hours))
    return owe(g, rule, "court", "decide", {order.key}, accepted, due, cause=order.key, closed=closed, stage="decide")


def _wants_order(g: Ground, within: timedelta, score: int, event: Event) -> tuple[datetime, frozenset[Key]] | None:
    """When the court is owed help because of this record, and which records say so; None: not at all."""
    if event.facts.get("wants_order") is True:
        return event.at, frozenset({event.key})
    if not _is_fierce(g, event):
        return None
    if event.facts.get("immediate_danger") is True:
        return event.at, frozenset({event.key})
    if len(g.events) == 1:
        return None
    dangerous = [
        (max(e.at, event.at), frozenset({e.key, event.key}))
        for e in g.events
        if e.key != event.key and abs(e.at - event.at) <= within and _is_danger(g, score, e, event)
        and (e.at <= event.at or not _is_fierce(g, e))
    ]  # fmt: skip
    return min(dangerous, key=lambda found: (found[0], sorted(found[1])), default=None)


def _is_fierce(g: Ground, event: Event) -> bool:
    return not FIERCE_RULES.isdisjoint(g.rules_of(event.key))


def _is_danger(g: Ground, enough: int, other: Event, event: Event) -> bool:
    if other.kind == "danger_assessed":
        score = other.facts.get("score")
        return isinstance(score, int) and score >= enough
    return g.incident_of[other.key] != g.incident_of[event.key] and is_violent(g, other)


def is_violent(g: Ground, event: Event) -> bool:
    """A violent event (S9): it opened or joined one of the violent rules, or is a call of category domestic violence."""
    if g.derived[event.key].dv_call or g.derived[event.key].violence:
        return True
    return not VIOLENT_RULES.isdisjoint(g.rules_of(event.key))


def _order_stands(g: Ground, at: datetime) -> bool:
    """Whether an order was in force or applied for already."""
    return any(
        c.rule in ("R3", "O6") and c.since <= at and (c.until is None or at < c.until) for c in g.course.concerns
    )


def d11(g: Ground, rule: Rule) -> Iterator[Owed]:
    """R7: supervise filing, support of prosecution. (Reports that ask for it: ``report.supervision``.)"""
    actions = of_kind(g, "procuratorial_action", "procuratorate")
    for concern in _concerns(g, "R7"):
        due = rule.due(1, concern.since, g.calendar)
        closed = first_after(concern.since, actions, concern.events)
        yield owe(
            g, rule, "procuratorate", "R7", concern.events, concern.since, due,
            cause=concern.events[0], light_rule="R7", closed=closed,
        )  # fmt: skip


def _concerns(g: Ground, *rules: str) -> list[Concern]:
    return [c for c in g.course.concerns if c.rule in rules and c.events]


def d13(g: Ground, rule: Rule) -> Iterator[Owed]:
    """Injury, T74.3 or F43 recorded: treatment record complete, psychological counselling."""
    codes = tuple(str(code) for code in rule.raw["icd10"])

    def is_hurt(event: Event) -> bool:
        if g.derived[event.key].injury_rank:
            return True
        icd = str(event.facts.get("icd10") or "").upper()
        return bool(icd) and any(code in icd for code in codes)

    yield from _once(g, rule, "health", is_hurt, of_kind(g, "treatment_recorded", "health"))


def d15(g: Ground, rule: Rule) -> Iterator[Owed]:
    """O1 not of category domestic violence, O4, Y3: mediate; failed twice or joint: joint mediation (S26)."""
    mediations = of_kind(g, "mediation")
    joint, apart = compiled(str(rule.raw["due_joint"])), Apart()
    for concern in _concerns(g, "O1", "O4", "Y3"):
        events = [g.by_key[k] for k in concern.events if k in g.by_key]
        if not events or (concern.rule == "O1" and any(g.derived[e.key].dv_call for e in events)):
            continue
        first = min(events, key=lambda e: (e.at, e.key)) if len(events) > 1 else events[0]
        to = g.acting(first.key.unit)
        to = str(rule.raw["instead"]) if to in NOT_MEDIATORS else to
        over = ending(concern.until, g) if concern.until is not None else None
        tries, together = _tries(mediations, concern) if mediations else ([], None)
        opened, slot, prefix = concern.since, 1, apart.prefix(concern.events, concern.since)
        while True:
            stage = "joint" if slot > TRIES or (together is not None and together <= opened) else None
            due = (joint if stage else rule.term(1)).due(opened, g.calendar)
            done = next((m for m in tries if _ended_at(m) >= opened), None) if tries else None
            by = Closing(_ended_at(done), done.key, "done") if done else None
            if together is not None and not stage and (by is None or together < by.at):
                by, done = Closing(together, None, "done"), None  # it became a joint one
            row = owe(
                g, rule, to, f"{prefix}{stage or slot}", concern.events, opened, due, cause=first.key,
                light_rule=concern.rule, closed=earlier(by, over), stage=stage,
            )  # fmt: skip
            yield row
            goes_on = done.facts.get("status") == "failed" if done else by is not None
            if stage or by is None or row.closed != by or not goes_on:
                break
            opened, slot = by.at, slot + 1
            tries = [m for m in tries if m is not done]


def _tries(mediations: Sequence[Event], concern: Concern) -> tuple[list[Event], datetime | None]:
    """The mediations that ended since, in order of their ends; and when the first joint one began, if any."""
    tries = sorted((m for m in mediations if _ended(m) and _ended_at(m) >= concern.since), key=_ended_at)
    return tries, min((max(m.at, concern.since) for m in mediations if _is_joint(m, concern)), default=None)


def _is_joint(mediation: Event, concern: Concern) -> bool:
    over = concern.until is not None and mediation.at > concern.until
    return mediation.facts.get("joint") is True and not over and mediation.at >= concern.since - timedelta(days=1)


def _ended(mediation: Event) -> bool:
    return mediation.facts.get("status") in ("resolved", "failed", "withdrawn", "broken")


def _ended_at(mediation: Event) -> datetime:
    """A mediation closes at the last moment of its ``closed_on`` (S1)."""
    closed = mediation.facts.get("closed_on")
    if not isinstance(closed, date):
        return mediation.updated_at
    return done_at(mediation._replace(facts={"at": closed}))


def d16(g: Ground, rule: Rule) -> Iterator[Owed]:
    """A new special category: relief check."""
    done = _services(g, "civil_affairs", "relief")
    seen: set[object] = set()
    for event in sorted(of_kind(g, "special_household"), key=lambda e: (e.at, e.key)):
        category = event.facts.get("category")
        if category is None or category in seen:
            continue
        seen.add(category)
        due = rule.due(1, event.at, g.calendar)
        closed = first_after(event.at, done)
        yield owe(g, rule, "civil_affairs", "1", {event.key}, event.at, due, cause=event.key, closed=closed)


def d19(g: Ground, rule: Rule) -> Iterator[Owed]:
    """Serious or complex (R7, serious injury, a child under 14 hurt): the joint case meeting."""
    grave = {key for c in _concerns(g, "R7") for key in c.events}

    def is_grave(event: Event) -> bool:
        known = g.derived[event.key]
        rank = known.injury_rank or 0
        child = known.victim_age is not None and known.victim_age < 14
        return event.key in grave or rank >= SERIOUS_INJURY or (child and rank >= 1)

    yield from _once(g, rule, "coordinator", is_grave, of_kind(g, "review_concluded"))
