"""What people decide about a light: above the records' light or below it, with name, reason and end (custody.md).

Every decision is a record of the station, read by the fold like any other: pure, dated, explained. A decision that holds
the light up (P1) acts at once and never hides a higher concern; one that holds it down (P2) leaves every concern open and
listed, needs two persons of two units where the light is red, and ends with the first concern above it that opens or is
joined, because violence outranks a judgement about it. Both end by their date, by a newer decision, or by a release.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from hub.core.board import RED, Standing
from hub.core.clocks import after_last_day, opening
from hub.core.ledger import Fold
from hub.core.marks import Decide
from hub.core.records import Concern, Event, Light, When

UP, DOWN = "P1", "P2"
WAITS: Final = "override_waits"
"""Note of a household whose light waits for the second signature."""


class Signature(NamedTuple):
    """One person's word, not yet enough: who, of which unit, by which record."""

    light: Light | None  # None: a release
    until: datetime | None
    by: str
    unit: str
    event: Event


def light_of(event: Event) -> Light | None:
    """The light that an override names; None for a release or a word that is no light."""
    word = str(event.facts.get("light"))
    return Light[word] if word in Light.__members__ else None


def until_of(event: Event) -> datetime | None:
    """When it ends by itself: a day is inclusive, an instant is when it is."""
    until = event.facts.get("until")
    if isinstance(until, datetime):
        return until
    return after_last_day(until) if isinstance(until, date) else None


def decided(fold: Fold, act: Decide, at: datetime) -> None:
    """An override or a release takes effect, or waits for its second signature."""
    event, board = act.event, fold.board
    light, until = light_of(event), until_of(event)
    if light is None and not board.decided:
        return
    if light is not None and (until is None or until <= at):
        return  # ended before it began
    shown = board.shown(board.of_records())  # with what opened in this very instant
    down = light is None or light < shown
    mine = Signature(light, until, str(event.facts.get("by") or ""), str(event.facts.get("unit") or ""), event)
    together = [*_others(fold, mine, at), mine]
    if down and shown == RED and _would_fall(fold, light) and not _are_enough(fold, together):
        fold.signatures.append(mine)
        if WAITS not in fold.notes:
            fold.notes.append(WAITS)
        return
    fold.signatures = [s for s in fold.signatures if s not in together]
    if not fold.signatures and WAITS in fold.notes:
        fold.notes.remove(WAITS)
    how = "override_released" if light is None else "override_replaced"
    for standing in list(board.decided.values()):
        board.end_decided(standing, at, how, event.key)
    if light is not None:
        _start(fold, light, at, together)


def _would_fall(fold: Fold, light: Light | None) -> bool:
    """Whether the red light would be lower after it: a release lets fall only what the records do not hold."""
    return light is not None or fold.board.of_records() != RED


def _others(fold: Fold, mine: Signature, at: datetime) -> list[Signature]:
    """Signatures that say the same, by somebody else, and have not run out."""
    return [
        s
        for s in fold.signatures
        if s.light == mine.light and s.by != mine.by and s.unit != mine.unit and (s.until is None or s.until > at)
    ]


def _are_enough(fold: Fold, together: Sequence[Signature]) -> bool:
    """Different persons of different known units, as many as the policy asks for."""
    wanted = fold.policy.numbers.get("override_signers", 2)
    units, people = {s.unit for s in together if s.unit}, {s.by for s in together if s.by}
    return len(units) >= wanted and len(people) >= wanted


def _start(fold: Fold, light: Light, at: datetime, together: Sequence[Signature]) -> None:
    rule = UP if light >= fold.board.of_records() else DOWN
    standing = Standing(rule, "", light, at, unmediable=False)
    for signature in together:
        standing.add(signature.event, at)
    standing.until_planned = min((s.until for s in together if s.until is not None), default=None)
    standing.how_ends = "override_ended"
    fold.board.decided[rule] = standing


def overtake(fold: Fold, concern: Standing, event: Event, at: datetime) -> None:
    """A concern opens or is joined: whatever would hold the light below it is over, signed or half signed."""
    down = fold.board.decided.get(DOWN)
    if down is not None and concern.light > down.light:
        fold.board.end_decided(down, at, "new_concern_above", event.key)
    fold.signatures = [s for s in fold.signatures if s.light is None or s.light >= concern.light]
    if not fold.signatures and WAITS in fold.notes:
        fold.notes.remove(WAITS)


def run_out(fold: Fold, at: datetime) -> None:
    """Decisions whose date has come."""
    for standing in list(fold.board.decided.values()):
        if standing.until_planned is not None and standing.until_planned <= at:
            fold.board.end_decided(standing, at, "override_ended", None)


# -- what is told ------------------------------------------------------------------------------------------------------


class Told(NamedTuple):
    """One override or release as the explanation tells it."""

    event: Event
    light: Light | None
    until: datetime | None
    recheck: When | None
    state: str  # in_force, waiting, ended, without_effect, released (a release that took effect)
    direction: str | None  # up, down; None: a release, or it never took effect
    ended: Concern | None  # the concern it made, if that is over


def told_of(events: Sequence[Event], concerns: Sequence[Concern], notes: Sequence[str]) -> Iterator[Told]:
    """Every override on a timeline, oldest first, and what became of it."""
    made = [c for c in concerns if c.rule in (UP, DOWN)]
    for event in events:
        if event.kind != "override":
            continue
        mine = next((c for c in made if event.key in c.events), None)
        closing = any(c.closing_key == event.key for c in made)
        if mine is not None:
            state = "in_force" if mine.until is None else "ended"
        elif closing:
            state = "released"
        else:
            state = "waiting" if WAITS in notes and event is _last(events) else "without_effect"
        recheck = event.facts.get("recheck")
        yield Told(
            event, light_of(event), until_of(event), recheck if isinstance(recheck, date) else None,
            state, None if mine is None else "up" if mine.rule == UP else "down",
            mine if mine is not None and mine.until is not None else None,
        )  # fmt: skip


def _last(events: Sequence[Event]) -> Event:
    return max((e for e in events if e.kind == "override"), key=lambda e: (e.at, e.key))


def recheck_of(event: Event) -> datetime | None:
    """When somebody must look again, if the person said so."""
    when = event.facts.get("recheck")
    return opening(when) if isinstance(when, date) else None
