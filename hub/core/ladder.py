"""The ladder of a mandatory report: a state table, folded over the police's feedback (policy section 5).

    queued → sent → received → accepted → decided → answered        (+ cancelled, by the police alone)

*Received*: a receipt number exists. *Decided*: filed, security_case or not_substantiated; *transferred* keeps *accepted*
and the clock runs on. *Answered*: the reporting unit acknowledged the answer; once more at to_prosecution.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from hub.core.clocks import Calendar, Moment, closing, end_of_day
from hub.core.codes import CODES
from hub.core.records import Event, Key

STATES = ("queued", "sent", "received", "accepted", "decided", "answered", "cancelled")
STEPS = (
    "received",
    "accepted",
    "extended",
    "transferred",
    "filed",
    "security_case",
    "not_substantiated",
    "to_prosecution",
    "answered",
    "cancelled",
)
"""Steps as the police send them, and the hub's own *answered*; in this order within one instant."""
DECISIONS = frozenset({"filed", "security_case", "not_substantiated"})

_UP = {"received": "received", "accepted": "accepted", "extended": "accepted", "transferred": "accepted"}
_DECIDED = dict.fromkeys(DECISIONS, "decided")
_END = {"cancelled": "cancelled"}
_STAY = {"received": "decided", "accepted": "decided", "extended": "decided", "transferred": "decided"}

TABLE: dict[str, dict[str, str]] = {
    # state: step → next state. A step may come out of order or be left out; what came before it is implied.
    "queued": _UP | _DECIDED | _END | {"to_prosecution": "decided", "answered": "queued"},
    "sent": _UP | _DECIDED | _END | {"to_prosecution": "decided", "answered": "sent"},
    "received": _UP | _DECIDED | _END | {"to_prosecution": "decided", "answered": "received"},
    "accepted": _UP | {"received": "accepted"} | _DECIDED | _END | {"to_prosecution": "decided", "answered": "accepted"},
    "decided": _STAY | _DECIDED | _END | {"to_prosecution": "decided", "answered": "answered"},
    # a newer decision needs a new answer (S29: the newest rules); so does going to prosecution
    "answered": dict.fromkeys(_STAY, "answered") | _DECIDED | _END | {"to_prosecution": "decided", "answered": "answered"},
    "cancelled": dict.fromkeys(STEPS, "cancelled"),
}  # fmt: skip


class Step(NamedTuple):
    """One step that was climbed: which, when, by which record."""

    step: str
    at: datetime
    by: Key


class Ladder(NamedTuple):
    """Where a report stands. Instants are None for steps not reached."""

    state: str
    steps: tuple[Step, ...]
    received: Step | None = None
    accepted: Step | None = None
    decision: Step | None = None
    prosecution: Step | None = None
    cancelled: Step | None = None
    extended_until: datetime | None = None  # the latest `until` of an extension, for `decided`


class Rung(NamedTuple):
    """One deadline: which step, when it is due, when it was reached (None: not yet)."""

    step: str
    due: datetime
    reached: Step | None


def step_of(word: str) -> str | None:
    """The step that a number, a Chinese or an English word of ``report_step`` names; None: none."""
    if word in STEPS:
        return word
    return next(
        (english for number, chinese, english in CODES["report_step"] if word and word in (number, chinese)), None
    )


def steps_of(
    report_no: str, events: Iterable[Event], moment: Moment, answers: frozenset[str] = frozenset()
) -> list[Event]:
    """The feedback about one report up to the moment, oldest first; two versions of one key never occur in a case.

    A receipt for the report itself says *received*, one for a message in ``answers`` says *answered*.
    """
    spoken = (_as_feedback(e, report_no, answers) for e in events)
    found = [e for e in spoken if e is not None and moment.passed(_time(e))]
    return sorted(found, key=lambda e: (_time(e), _order(e), e.updated_at, e.key))


def _as_feedback(event: Event, report_no: str, answers: frozenset[str]) -> Event | None:
    if event.kind == "report_feedback":
        return event if event.facts.get("report_no") == report_no else None
    if event.kind != "receipt":
        return None
    message = event.facts.get("message_no")
    step = "received" if message == report_no else "answered" if message in answers else None
    return event._replace(facts={**event.facts, "step": step}) if step else None


def fold(events: Sequence[Event], extension: timedelta = timedelta(days=3), *, start: str = "queued") -> Ladder:
    """Climb: ``events`` are the feedback of one report in order (``steps_of``). Unknown steps change nothing."""
    ladder = Ladder(start, ())
    for event in events:
        name = str(event.facts.get("step"))
        state = TABLE[ladder.state].get(name)
        if state is None:
            continue
        step = Step(name, _time(event), event.key)
        ladder = ladder._replace(state=state, steps=(*ladder.steps, step))
        if name in DECISIONS:
            ladder = ladder._replace(decision=step)
        elif name == "extended":
            until = event.facts.get("until")
            moved = closing(until) if isinstance(until, date) else step.at + extension
            ladder = ladder._replace(extended_until=max(moved, ladder.extended_until or moved))
        elif name == "to_prosecution":
            ladder = ladder._replace(prosecution=step)
        elif name == "received":
            ladder = ladder._replace(received=ladder.received or step)
        elif name == "accepted":
            ladder = ladder._replace(accepted=ladder.accepted or step)
        elif name == "cancelled":
            ladder = ladder._replace(cancelled=ladder.cancelled or step)
    return ladder


def rungs(
    ladder: Ladder, opened_at: datetime, limits: Mapping[str, timedelta], calendar: Calendar, *, urgent: bool
) -> list[Rung]:
    """Every deadline that runs or ran, in order of the ladder.

    ``limits`` are the names of `[ladder]`. *Decided* runs from the receipt, so it does not run before one exists; each
    extension moves it. *Answered* runs from the decision, in days of the calendar (civil, moved to a working day) when
    it is whole days, else by the clock.
    """
    if ladder.cancelled is not None:
        return []
    first = ladder.received or (ladder.steps[0] if ladder.steps else None)
    accepted = ladder.accepted or _first(ladder, ("extended", "transferred", *DECISIONS, "to_prosecution"))
    found = [
        Rung("received", opened_at + _limit(limits, "received", urgent), first),
        Rung("accepted", opened_at + _limit(limits, "accepted", urgent), accepted),
    ]
    if first is not None:
        due = first.at + limits["decided"]
        found.append(Rung("decided", max(due, ladder.extended_until or due), ladder.decision or ladder.prosecution))
    for name, step in (("answered", ladder.decision), ("answered_again", ladder.prosecution)):
        if step is not None:
            reached = next((s for s in ladder.steps if s.step == "answered" and s.at >= step.at), None)
            found.append(Rung(name, answer_due(step.at, limits["answered"], calendar), reached))
    return found


def answer_due(decided_at: datetime, limit: timedelta, calendar: Calendar) -> datetime:
    """Three days after the decision, civil, a last day off moved on (2020 opinion 10; S6); by the clock if not in days."""
    if limit % timedelta(days=1):
        return decided_at + limit
    return end_of_day(calendar.civil_days(decided_at, limit.days, moved=True))


def _limit(limits: Mapping[str, timedelta], name: str, urgent: bool) -> timedelta:
    return limits[f"{name}_urgent"] if urgent else limits[name]


def _first(ladder: Ladder, names: Sequence[str]) -> Step | None:
    return next((s for s in ladder.steps if s.step in names), None)


def _order(event: Event) -> int:
    step = str(event.facts.get("step"))
    return STEPS.index(step) if step in STEPS else len(STEPS)


def _time(event: Event) -> datetime:
    """A police answer dated without time is the last moment of that day (S1)."""
    at = event.facts.get("at")
    return closing(at) if isinstance(at, date) else event.at
