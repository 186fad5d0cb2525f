"""What would change the light next: the date, or the event that is missing (the second rule for every step, section 4)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from hub.core.board import GREEN, RED, UNLIT, Standing
from hub.core.clocks import start_of_day
from hub.core.ledger import Fold
from hub.core.records import Light, Next
from hub.core.rules import Descent

_NEVER = start_of_day(date.max)


def outlook(fold: Fold) -> tuple[Next, ...]:
    """Dates first, the nearest first; empty when nothing is lit."""
    board = fold.board
    if fold.waiting:
        ends = [w.retry for w in fold.waiting.values() if w.retry is not None]
        return (Next(min(ends, default=None), None, "stream_heard"),)
    if board.light == GREEN and board.green is not None:
        return (Next(fold.green_lapses(), UNLIT, "green_lapsed"),)
    found: list[Next] = []
    for concern in board.open.values():
        if concern.light == board.light:
            found += [coming for coming in _of_concern(fold, concern) if coming not in found]
    if len(found) > 1:
        found.sort(key=lambda n: (n.at is None, n.at or _NEVER, n.by))
    return tuple(found)


def _of_concern(fold: Fold, concern: Standing) -> list[Next]:
    if concern.rule == "T1":
        return _of_observation(fold, concern)
    if concern.rule in fold.policy.stated:
        leads_to = "T1" if concern.light == RED else None
        return [Next(concern.until_planned, after(fold, concern, leads_to), concern.how_ends)]
    found = [
        Next(earliest(fold, concern, way), after(fold, concern, way.leads_to), way.id)
        for way in fold.policy.ways.get(concern.rule, ())
        if not is_barred(fold, concern, way)
    ]
    if not found and concern.rule == fold_again(fold):
        found.append(Next(None, after(fold, concern, None), "relapse_ended"))
    return found


def fold_again(fold: Fold) -> str:
    """The rule of relapse, if the policy has one."""
    return fold.policy.again.rule if fold.policy.again is not None else ""


def _of_observation(fold: Fold, t1: Standing) -> list[Next]:
    resolved = fold.last_resolution is not None and fold.last_resolution[0] > t1.since
    light = after(fold, t1, "G1" if resolved else "Y4")
    found = []
    if fold.visits_missing(t1):
        found.append(Next(None, light, "observation_visits"))
    over = fold.days_over(t1)
    if not fold.moment.passed(over):
        found.append(Next(over, light, "observation_complete" if not found else "observation_days"))
    return found


def is_barred(fold: Fold, concern: Standing, descent: Descent) -> bool:
    """Ways that this concern cannot go as it is."""
    if descent.exempt and (concern.slot == "dv" or _is_unmediable(fold)):
        return True
    if concern.rule != "O5":
        return False
    open_report = bool(concern.slot) and concern.slot not in fold.answered
    return descent.id == "review_orange" if open_report else descent.id in ("not_substantiated", "report_filed")


def _is_unmediable(fold: Fold) -> bool:
    return any(concern.unmediable for concern in fold.board.open.values())


def earliest(fold: Fold, concern: Standing, descent: Descent) -> datetime | None:
    """The first day on which a review could close the concern; None: any day, or no day to name."""
    name = descent.days
    if not name:
        return None
    since = concern.since if concern.rule == "Y4" else concern.last
    violent = fold.last_violent()
    if name != "review_yellow_days" and violent is not None:
        since = violent if name == "review_red_days" else max(since, violent)
    day = start_of_day(since.date() + timedelta(days=fold.policy.numbers[name]))
    return None if fold.moment.passed(day) else day


def after(fold: Fold, concern: Standing, leads_to: str | None) -> Light:
    """The light if ``concern`` ended and led there."""
    light = UNLIT
    for other in fold.board.open.values():
        if other.light > light and other is not concern:
            light = other.light
    if leads_to is not None and not (leads_to == "T1" and light == RED):
        light = max(light, fold.policy.rules[leads_to].light)
    if light == UNLIT and fold.board.green is not None:
        light = GREEN
    return fold.board.shown(light) if fold.board.decided else light
