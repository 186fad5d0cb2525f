"""The fold: marks of one case in order of time, timers as they fall due, until the moment (sections 2–4).

Everything that happens is one of: an event opens or joins concerns, a recorded state begins or ends, a record closes by
a way down of the policy, an observation is complete, G1 lapses. At the end of each instant: if the last red concern
ended, T1 opens; then the light is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from hub.core.board import RED
from hub.core.decisions import decided, run_out
from hub.core.descents import closed, judge, met, observe, step_down
from hub.core.ledger import Fold
from hub.core.marks import Begin, Close, Decide, End, Mark, Met, Open, Turn
from hub.core.records import Light
from hub.core.rising import begun, ended, opened


def turned(fold: Fold, act: Turn, at: datetime) -> None:
    """From now on the counts, proofs and ways down of another edition hold; what is open stays open."""
    fold.policy = fold.board.policy = act.policy


ACTS: Final[Mapping[type, Callable[[Fold, Any, datetime], None]]] = {
    Open: opened,
    Begin: begun,
    End: ended,
    Close: closed,
    Met: met,
    Decide: decided,
    Turn: turned,
}
"""What each kind of mark does."""


def run(fold: Fold, marks: Sequence[Mark]) -> None:
    """Everything up to the moment; the nearest later instant becomes the moment's ``valid_until``."""
    index, count = 0, len(marks)
    passed = fold.moment.passed
    last: datetime | None = None
    while True:
        timer = next_timer(fold)
        if timer is not None and last is not None and timer < last:
            timer = last  # an edition that counts shorter ends what stands on its own first day, never before it
        at = marks[index].at if index < count else timer
        if at is None:
            return
        if timer is not None and timer < at:
            at = timer
        if not passed(at):
            return
        before, last = fold.board.light, at
        if timer is not None and timer <= at:
            fall_due(fold, at)
        while index < count and marks[index].at == at:
            act = marks[index].act
            ACTS[type(act)](fold, act, at)
            index += 1
        observe(fold, at)
        end_instant(fold, at, before)


def next_timer(fold: Fold) -> datetime | None:
    t1 = fold.board.open.get(("T1", ""))
    if t1 is None and fold.board.green is None and not fold.waiting and not fold.board.decided:
        return None
    times = [w.retry for w in fold.waiting.values() if w.retry is not None]
    if fold.board.green is not None:
        times.append(fold.green_lapses())
    if fold.board.decided:
        times += [d.until_planned for d in fold.board.decided.values() if d.until_planned is not None]
    if t1 is not None and None not in fold.waiting:
        due = fold.observed_from(t1)
        if due is not None:
            times.append(due)
    return min(times, default=None)


def fall_due(fold: Fold, at: datetime) -> None:
    """Timers come before what opens in the same instant (S1)."""
    if fold.board.decided:
        run_out(fold, at)
    if fold.board.green is not None and fold.green_lapses() <= at:
        fold.board.end_green(at, "green_lapsed")
    for key, waiting in list(fold.waiting.items()):
        if waiting.retry is not None and waiting.retry <= at and waiting.mark is not None:
            del fold.waiting[key]
            judge(fold, waiting.mark, waiting.at, at)
    observe(fold, at)


def end_instant(fold: Fold, at: datetime, before: Light) -> None:
    board = fold.board
    if board.closed_red:
        if not board.has(RED) and ("T1", "") not in board.open:
            step_down(fold, "T1", at, board.closed_red, before)
        board.closed_red = []
    board.look(at)
