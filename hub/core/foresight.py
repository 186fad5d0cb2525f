"""What is to come: the dated changes that happen when nothing else arrives, and every way down with what it still lacks.

The future of a case is the rest of its own fold: run to the end of time with the same records, the spans after the moment
are the changes, each on its date. What needs a record stands beside it as a *way*: from when it could be taken, which
proofs are missing, and which unit owes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from hub.core.board import Standing
from hub.core.clocks import Moment, end_of_day
from hub.core.fold import run
from hub.core.ledger import Fold
from hub.core.marks import marks_of
from hub.core.outlook import after, earliest, fold_again, is_barred
from hub.core.proofs import Evidence, missing_proofs
from hub.core.records import Case, Concern, Course, Key, Light, Next
from hub.core.rules import Descent, Policy
from hub.core.visits import overdue_units

END: Final = end_of_day(date(2999, 12, 31))
"""Long after every order, timer and observation that a record can begin."""
NOBODY: Final = Key("", "", "")
VISITS: Final = frozenset(
    {"visit_since_violence", "visit_since_last_event", "calm_visit_in_person", "observation_visits", "no_visit_overdue"}
)
"""Proofs that a follow-up visit gives."""


class Lack(NamedTuple):
    """A proof that is missing, and the units that owe it."""

    proof: str
    owed_by: tuple[str, ...]


class Way(NamedTuple):
    """One way down of one concern: the light it would lead to, not before when, what is missing, who records it."""

    way: str
    light: Light
    at: datetime | None  # it happens by itself then; None: a record has to say it
    not_before: datetime | None
    missing: tuple[Lack, ...]
    owed_by: tuple[str, ...]
    last: Light | None = None  # the light once nothing else stands as high; None: the same


class Foresight(NamedTuple):
    """The dated future of a case, and the ways down of its open concerns by (rule, since, events)."""

    changes: tuple[Next, ...]
    ways: dict[tuple[str, datetime, tuple[Key, ...]], tuple[Way, ...]]

    def of(self, concern: Concern) -> tuple[Way, ...]:
        """The ways down of one open concern."""
        return self.ways.get((concern.rule, concern.since, concern.events), ())


def foresee(case: Case, policy: Policy, moment: Moment, forever: Course) -> Foresight:
    """``case`` amended and ``forever`` its course at ``END`` (``assess.course``), both with the moment's silences."""
    fold = Fold(case, policy, moment.fresh())
    run(fold, marks_of(case, policy))
    ways = {
        (c.rule, c.since, tuple(c.events)): tuple(_ways(fold, c))
        for c in (
            *fold.board.open.values(),
            *fold.board.decided.values(),
            *([fold.board.green] if fold.board.green else []),
        )
    }
    return Foresight(tuple(_changes(forever, moment.fresh())), ways)


def _changes(forever: Course, moment: Moment) -> Iterator[Next]:
    """The spans that begin after the moment."""
    before = Light.unlit
    for span in forever.spans:
        if not moment.passed(span.since):
            yield Next(span.since, span.light, _cause(forever, span.since, before, span.light))
        before = span.light


def _cause(forever: Course, at: datetime, was: Light, light: Light) -> str:
    """What turns the light at ``at``: upward the rule that opens, downward how the gravest concern ends."""
    if light > was:
        opened = [c for c in forever.concerns if c.since == at and c.light == light]
        if opened:
            return opened[0].rule
    ended = [c for c in forever.concerns if c.until == at and c.closed_by]
    gravest = max(ended, key=lambda c: (c.light, c.rule), default=None)
    return gravest.closed_by if gravest is not None and gravest.closed_by else "date"


# -- ways down ---------------------------------------------------------------------------------------------------------


def _ways(fold: Fold, concern: Standing) -> Iterator[Way]:
    if concern.rule == "G1":
        yield Way("green_lapsed", Light.unlit, fold.green_lapses(), None, (), ())
    elif concern.rule in fold.board.decided:
        yield Way(concern.how_ends, fold.board.of_records(), concern.until_planned, None, (), ())
    elif concern.rule == "T1":
        yield _observation(fold, concern)._replace(last=_once_last(fold, concern, "Y4"))
    elif concern.rule in fold.policy.stated:
        leads_to = "T1" if concern.light == Light.red else None
        senders = tuple(dict.fromkeys(key.unit for key in concern.events)) if concern.until_planned is None else ()
        light = after(fold, concern, leads_to)
        last = _once_last(fold, concern, leads_to)
        yield Way(concern.how_ends, light, concern.until_planned, None, (), senders, last)
    elif concern.rule == fold_again(fold):
        yield Way("relapse_ended", after(fold, concern, None), None, None, (), ())
    else:
        for descents in fold.policy.descents.values():
            for way in descents:
                if concern.rule in way.closes and not is_barred(fold, concern, way):
                    yield _step(fold, concern, way)


def _step(fold: Fold, concern: Standing, way: Descent) -> Way:
    """One way that a record opens: what it would lack if it were recorded now."""
    missing = missing_proofs(way.proofs, _evidence(fold), concern)
    return Way(
        way.id,
        after(fold, concern, way.leads_to),
        None,
        earliest(fold, concern, way),
        tuple(Lack(proof, _owes(fold, concern, proof)) for proof in missing),
        owed_by(fold.policy, way.id),
        _once_last(fold, concern, way.leads_to),
    )


def _once_last(fold: Fold, concern: Standing, leads_to: str | None) -> Light:
    """The light when this concern ends as the last one of its height."""
    board = fold.board
    light = max((other.light for other in board.open.values() if other.light < concern.light), default=Light.unlit)
    if leads_to is not None:
        light = max(light, fold.policy.rules[leads_to].light)
    return board.shown(Light.green if light == Light.unlit and board.green is not None else light)


def _evidence(fold: Fold) -> Evidence:
    """What could be proved at the moment, by a record that is not there yet and that nobody has signed."""
    return Evidence(
        board=fold.board,
        at=fold.moment.as_of,
        key=NOBODY,
        signers=0,
        last_violent=fold.last_violent(),
        visits=fold.visits,
        rhythms=fold.policy.rhythms,
        answered=fold.answered,
    )


def _observation(fold: Fold, t1: Standing) -> Way:
    resolved = fold.last_resolution is not None and fold.last_resolution[0] > t1.since
    light = after(fold, t1, "G1" if resolved else "Y4")
    over = fold.days_over(t1)
    if not fold.visits_missing(t1):
        return Way("observation_complete", light, over, None, (), ())
    lacks = (Lack("observation_visits", _owes(fold, t1, "observation_visits")),)
    return Way(
        "observation_complete", light, None, None if fold.moment.passed(over) else over, lacks,
        owed_by(fold.policy, "observation_complete"),
    )  # fmt: skip


def _owes(fold: Fold, concern: Standing, proof: str) -> tuple[str, ...]:
    """Who can supply a proof: of a visit the units whose visit is due, else whom the policy names."""
    if proof not in VISITS:
        return owed_by(fold.policy, proof)
    light = Light.red if fold.board.has(Light.red) else Light.orange
    rhythm = fold.policy.rhythms.get(light)
    if rhythm is None or proof != "no_visit_overdue":
        return owed_by(fold.policy, proof) or (rhythm.units if rhythm is not None else ())
    oldest = min(c.since for c in fold.board.open.values() if light == Light.orange or c.light == light)
    return tuple(overdue_units(fold.visits, rhythm, concern.since, oldest, fold.moment.as_of.date()))


def owed_by(policy: Policy, word: str) -> tuple[str, ...]:
    """The units that record a way or supply a proof, by the policy's own table; () where it names none."""
    table: Any = policy.raw.get("owed_by", {})
    return tuple(table.get(word, ()))
