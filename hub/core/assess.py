"""(case, policy, moment) → light, concerns, everything owed. Total: it always answers.

``course`` folds the timeline; ``assess`` adds the duties and reports that are owed because of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from hub.core import duties, report
from hub.core.clocks import Moment, day_of, opening
from hub.core.fold import run
from hub.core.incident import amend
from hub.core.known import Known, in_order, known
from hub.core.ledger import Fold
from hub.core.marks import marks_of
from hub.core.outlook import outlook
from hub.core.owing import ground
from hub.core.records import Assessment, Case, Course, Event, Fact, Held, Light, Owed
from hub.core.rules import Policy

Category = tuple[str, date | None, date | None]


def assess(case: Case, policy: Policy, moment: Moment) -> Assessment:
    """Everything there is to say about a case at a moment; ``moment`` remembers until when and waiting for whom."""
    case = amended(case)
    read = known(case.events)
    went = course(case, policy, moment, read)
    g = ground(case, went, policy, moment, read)
    owed = (*duties.owed(case, went, policy, moment, read=g), *report.owed(case, went, policy, moment, read=g))
    return _assessment(went, owed, moment)


def light_of(case: Case, policy: Policy, moment: Moment) -> Assessment:
    """As ``assess``, without what is owed: for cases that nobody has to act on (history before it is adopted)."""
    return _assessment(course(case, policy, moment), (), moment)


def _assessment(went: Course, owed: tuple[Owed, ...], moment: Moment) -> Assessment:
    return Assessment(
        light=went.light,
        since=went.since,
        concerns=went.concerns,
        spans=went.spans,
        owed=owed,
        held=went.held,
        next=went.next,
        categories=went.categories,
        valid_until=moment.valid_until,
        waits_on=frozenset(moment.waits_on),
        notes=went.notes,
    )


def amended(case: Case) -> Case:
    """The case in order of time, with what its records correct in each other."""
    events = amend(in_order(case.events))
    return case if events is case.events else case._replace(events=events)


def course(case: Case, policy: Policy, moment: Moment, read: Known | None = None) -> Course:
    """How the light went, from the first event until the moment. ``read``: an amended case's events, read already."""
    if read is None:
        case = amended(case)
        read = known(case.events)
    marks = marks_of(case, policy, read)
    fold = Fold(case, policy, moment)
    run(fold, marks)
    board = fold.board
    held = None
    if fold.waiting:
        heard = Fold(case, policy, moment.fresh(), heed_silence=False)
        run(heard, marks)
        silences = [silence for waiting in fold.waiting.values() for silence in waiting.silences]
        streams = tuple(sorted({silence.stream for silence in silences}))
        held = Held(min(silence.since for silence in silences), streams, heard.board.light)
    return Course(
        light=board.light,
        since=board.spans[-1].since if board.spans else None,
        concerns=board.concerns(),
        spans=tuple(board.spans),
        held=held,
        next=outlook(fold),
        categories=categories(read.kinds.get("special_household", ()), moment),
        notes=tuple(fold.notes),
    )


def light_alone(case: Case, policy: Policy, moment: Moment, read: Known) -> Light:
    """The light of ``course`` without saying why, for an amended case whose events are read: half of the work."""
    fold = Fold(case, policy, moment)
    run(fold, marks_of(case, policy, read))
    return fold.board.light


def categories(events: Sequence[Event], moment: Moment) -> tuple[Category, ...]:
    """Special-household categories on file (section 6), each with its days; those that begin later are left out."""
    found: set[Category] = set()
    for event in events:
        since, until = _day(event.facts.get("from")), _day(event.facts.get("until"))
        if since is None or moment.passed(opening(since)):
            found.add((str(event.facts.get("category")), since, until))
    return tuple(sorted(found, key=lambda c: (c[0], c[1] or date.min, c[2] or date.max)))


def _day(value: Fact) -> date | None:
    return day_of(value) if isinstance(value, date) else None
