"""Upward: events and recorded states open concerns or join them, at once (sections 2 and 3, A7)."""

from __future__ import annotations

from datetime import datetime

from hub.core.board import ORANGE, RED, Standing
from hub.core.clocks import days_between
from hub.core.decisions import overtake
from hub.core.ledger import Fold, Violence
from hub.core.marks import Begin, End, Open
from hub.core.records import Event, Light
from hub.core.rules import Often
from hub.core.states import Interval
from hub.core.values import link_form
from hub.core.visits import visit_of

LATER_STEPS = frozenset({"procuratorial_action", "violence_case_decided"})
"""Kinds that go on with a criminal case of the same people while its R7 is open (S9)."""


def opened(fold: Fold, act: Open, at: datetime) -> None:
    event, derived, rules = act
    if rules and rules[0][2]:  # nothing_open: the late half of a visit; an observation opens where the last red ended
        if not fold.board.open and not fold.board.closed_red:
            raise_concern(fold, rules[0][0], rules[0][1], event, at)
        return
    visit = visit_of(event, derived) if derived.reached else None
    if visit is not None:
        fold.visits.append(visit)
    for rule, slot, _ in rules:
        raise_concern(fold, rule, slot, event, at)
    for often in fold.policy.often if event.kind in fold.policy.counted else ():
        if event.kind in often.kinds and often.test(event.facts, derived, event.key):
            count_days(fold, often, act, at)
    if derived.dv_call or derived.violence:
        fold.violence.append(Violence(at, None))
    if derived.tension or derived.violence:
        set_back(fold, at)


def raise_concern(fold: Fold, rule: str, slot: str, event: Event, at: datetime, light: Light | None = None) -> Standing:
    """Open a concern, or join the open one; upward at once (A7)."""
    board = fold.board
    concern = board.open.get((rule, slot))
    is_new = concern is None
    later_step = rule == "R7" and is_later_step(fold, event, concern)
    if concern is None:
        concern = board.start(rule, slot, at, light)
    concern.add(event, at)
    if rule == "R7":
        concern.people.update(_people(event))
        concern.victims.update(_people(event, "victim"))
    if board.policy.rules[rule].violent and not later_step:
        fold.violence.append(Violence(at, concern))
    if concern.light == RED:
        t1 = board.open.get(("T1", ""))
        if t1 is not None:
            board.end(t1, at, "new_red", event.key)
            fold.waiting.pop(None, None)
    elif concern.light == ORANGE:
        set_back(fold, at)
    if is_new and fold.policy.again is not None:
        relapse(fold, concern, event, at)
    if board.decided or fold.signatures:
        overtake(fold, concern, event, at)
    return concern


def count_days(fold: Fold, often: Often, act: Open, at: datetime) -> None:
    """n different days in a window; once open, every further such event joins (S18)."""
    days = fold.days.setdefault(often.rule, [])
    days.append(at)
    near = {day.date() for day in days if days_between(day, at) <= often.window}
    at_once = often.at_once is not None and often.at_once(act.event.facts, act.derived, act.event.key)
    if at_once or len(near) >= often.days or (often.rule, "") in fold.board.open:
        raise_concern(fold, often.rule, "", act.event, at)


def set_back(fold: Fold, at: datetime) -> None:
    """The observation starts again: 90 days and three calm visits from now (S11)."""
    t1 = fold.board.open.get(("T1", ""))
    if t1 is not None and at > t1.base:
        t1.base = at
        fold.waiting.pop(None, None)


def is_later_step(fold: Fold, event: Event, concern: Standing | None) -> bool:
    """A later step of a criminal case: linked by number, or by the people while an R7 of theirs is open (S9).

    The same people: somebody in common, and the victim the same or unknown in one, as in one incident (A6): what the same
    person did to another victim is new violence.
    """
    own = link_form(event.key.no)
    numbers = {own, *map(link_form, event.related)}
    known = [case for case, named in fold.criminal.items() if named & numbers]
    fold.criminal.setdefault(known[0] if known else own, set()).update(numbers)
    if known:
        return True
    if concern is None or event.kind not in LATER_STEPS:
        return False
    people, victims = _people(event), _people(event, "victim")
    if victims and concern.victims and victims.isdisjoint(concern.victims):
        return False
    return not people or not people.isdisjoint(concern.people)


def _people(event: Event, role: str = "") -> set[int]:
    return {party.person for party in event.parties if party.person is not None and role in ("", party.role)}


def relapse(fold: Fold, concern: Standing, event: Event, at: datetime) -> None:
    """E2: lit at least as high as the household stood before the step down it relapses from."""
    again = fold.policy.again
    if again is None or concern.rule not in again.rules:
        return
    before = [was for when, _, was in fold.steps if days_between(when, at) <= again.days]
    light = max(before, default=Light.unlit)
    if light > concern.light and (again.rule, f"{concern.rule}/{concern.slot}") not in fold.board.open:
        raise_concern(fold, again.rule, f"{concern.rule}/{concern.slot}", event, at, light)


def begun(fold: Fold, act: Begin, at: datetime) -> None:
    interval: Interval = act.interval
    event = interval.event
    concern = raise_concern(fold, interval.rule, event.key.no, event, at)
    concern.until_planned, concern.how_ends = interval.until, interval.how


def ended(fold: Fold, act: End, at: datetime) -> None:
    interval = act.interval
    concern = fold.board.open.get((interval.rule, interval.event.key.no))
    if concern is None:
        return
    if fold.heed_silence and fold.silences_at(at):
        concern.note("evidence_incomplete")  # the end of a state by law or date is marked, never blocked (S12)
    if interval.how == "order_replaced":
        concern.note("replaced")
    leads_to = "T1" if concern.light == RED and interval.how != "order_replaced" else None
    fold.end(concern, at, interval.how, interval.by, leads_to)
