"""The proofs that a way down asks for, by the names the policy uses; each answers for one concern (section 4, S9–S11, S20)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from hub.core.board import Board, Standing
from hub.core.clocks import days_between
from hub.core.records import Key, Light
from hub.core.visits import Rhythm, Visit, overdue_units


class Evidence(NamedTuple):
    """What a step down by judgement is judged on, as of the day of the review or resolution."""

    board: Board
    at: datetime
    key: Key
    signers: int  # different units that signed
    last_violent: datetime | None
    visits: Sequence[Visit]
    rhythms: Mapping[Light, Rhythm]
    answered: Collection[str]  # reports that the police answered or ended

    @property
    def day(self) -> date:
        return self.at.date()


def _signed(e: Evidence, concern: Standing) -> bool:
    return e.signers >= e.board.policy.numbers["signers"]


def _since_violence(e: Evidence, concern: Standing) -> datetime:
    return e.last_violent if e.last_violent is not None else concern.since


def _since_both(e: Evidence, concern: Standing) -> datetime:
    return max(_since_violence(e, concern), concern.last)


def _since_own(e: Evidence, concern: Standing) -> datetime:
    return concern.since if concern.rule == "Y4" else concern.last


def _enough(e: Evidence, since: datetime, number: str) -> bool:
    return days_between(since, e.day) >= e.board.policy.numbers[number]


def _visited(e: Evidence, since: datetime, *, calm: bool = False) -> bool:
    return any(v.in_person and v.day > since.date() and (v.calm or not calm) for v in e.visits)


def _no_visit_overdue(e: Evidence, concern: Standing) -> bool:
    light = Light.red if e.board.has(Light.red) else Light.orange
    rhythm = e.rhythms.get(light)
    if rhythm is None:
        return True
    oldest = min(c.since for c in e.board.open.values() if light == Light.orange or c.light == light)
    return not overdue_units(e.visits, rhythm, concern.since, oldest, e.day)


def _no_violence_open(e: Evidence, concern: Standing) -> bool:
    return not any(other.unmediable for other in e.board.open.values())


def _after_last_event(e: Evidence, concern: Standing) -> bool:
    """The record's own opening in the same instant does not count against it (S1)."""
    return concern.last < e.at or (concern.last == e.at and concern.last_keys == {e.key})


PROOFS: Final[Mapping[str, Callable[[Evidence, Standing], bool]]] = {
    "signed": _signed,
    "red_days": lambda e, c: _enough(e, _since_violence(e, c), "review_red_days"),
    "orange_days": lambda e, c: _enough(e, _since_both(e, c), "review_orange_days"),
    "yellow_days": lambda e, c: _enough(e, _since_own(e, c), "review_yellow_days"),
    "visit_since_violence": lambda e, c: _visited(e, _since_violence(e, c)),
    "visit_since_last_event": lambda e, c: _visited(e, _since_both(e, c)),
    "calm_visit_in_person": lambda e, c: _visited(e, _since_own(e, c), calm=True),
    "no_visit_overdue": _no_visit_overdue,
    "no_order_in_force": lambda e, c: not e.board.of_rules({"R3"}),
    "no_report_unanswered": lambda e, c: not c.slot or c.rule != "O5" or c.slot in e.answered,
    "no_violence_open": _no_violence_open,
    "after_last_event": _after_last_event,
}


def missing_proofs(names: Sequence[str], evidence: Evidence, concern: Standing) -> tuple[str, ...]:
    """The names of the proofs that fail, in the policy's order."""
    return tuple(name for name in names if not PROOFS[name](evidence, concern))
