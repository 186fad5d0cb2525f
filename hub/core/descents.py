"""Downward, one step at a time: resolutions, reviews, observation; and what takes a step back (section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hub.core.answers import answer
from hub.core.board import ORANGE, Standing
from hub.core.ledger import Fold
from hub.core.marks import Close, Met
from hub.core.proofs import missing_proofs
from hub.core.records import Event, Light
from hub.core.rising import raise_concern
from hub.core.rules import Descent


def met(fold: Fold, act: Met, at: datetime) -> None:
    fold.calm.append(act.visit)


def closed(fold: Fold, act: Close, at: datetime) -> None:
    if act.closer == "agreement_broken":
        break_agreement(fold, act.event, at)
    elif act.event.kind == "report_feedback":
        answer(fold, act, at)
    else:
        judge(fold, act, at, at)


def judge(fold: Fold, act: Close, earned: datetime, at: datetime) -> None:
    """A step down by judgement: prove, look for silence, close."""
    evidence = fold.evidence(act.event, earned)
    steps: list[tuple[Standing, Descent]] = []
    for descent in fold.policy.descents.get(act.closer, ()):
        for concern in fold.board.of_rules(descent.closes):
            if descent.exempt and concern.slot == "dv":
                continue
            missing = missing_proofs(descent.proofs, evidence, concern)
            concern.missing = missing
            if not missing:
                steps.append((concern, descent))
    resolution = act.closer == "mediation_resolved"
    if resolution and is_without_effect(fold):
        return
    if not steps and not resolution:
        return
    silences = fold.silences_at(at)
    if silences:
        fold.wait(act.event.key, act, earned, silences)
        return
    before = fold.board.light
    for concern, descent in steps:
        fold.end(concern, at, descent.id, act.event.key, descent.leads_to)
    if resolution:
        resolve(fold, act.event, [(c.rule, c.slot) for c, _ in steps], at, before)
    elif any(descent.leads_to == "Y4" for _, descent in steps):
        step_down(fold, "Y4", at, [c for c, d in steps if d.leads_to == "Y4"], before)


def is_without_effect(fold: Fold) -> bool:
    """Violence is not mediated away: the resolution stays without effect for good, and the concerns say so (S19)."""
    blocking = [concern for concern in fold.board.open.values() if concern.unmediable]
    for concern in blocking:
        concern.note("mediation_without_effect")
    if blocking and "mediation_without_effect" not in fold.notes:
        fold.notes.append("mediation_without_effect")
    return bool(blocking)


def resolve(fold: Fold, event: Event, closed: list[tuple[str, str]], at: datetime, before: Light) -> None:
    fold.resolved[event.key] = closed
    fold.last_resolution = (at, event.key)
    if fold.board.green is None:
        fold.steps.append((at, "G1", before))
    fold.board.start_green(at, event.key)


def break_agreement(fold: Fold, event: Event, at: datetime) -> None:
    """Broken or reopened: G1 ends, and the conflict has again what it had, Y3 at least (section 4)."""
    closed = fold.resolved.pop(event.key, None)
    fold.waiting.pop(event.key, None)
    if closed is None:
        return
    if fold.last_resolution is not None and fold.last_resolution[1] == event.key:
        fold.last_resolution = None
    fold.board.end_green(at, "agreement_broken", event.key, "Y3")
    for rule, slot in sorted({*closed, ("Y3", "")}):
        raise_concern(fold, rule, slot, event, at)


def step_down(fold: Fold, rule: str, at: datetime, ended: Sequence[Standing], before: Light) -> None:
    """T1 or Y4 opens, on the records of what ended; a G1 from before ends (S19)."""
    fold.board.end_green(at, "observation_opened")
    fold.steps.append((at, rule, before))
    concern = fold.board.open.get((rule, "")) or fold.board.start(rule, "", at)
    keys = [key for past in ended for key in (*past.events, past.closing_key) if key is not None]
    concern.events += [key for key in dict.fromkeys(keys) if key not in concern.events]


def observe(fold: Fold, at: datetime) -> None:
    """T1 is complete: Y4, or G1 when a mediation was resolved after T1 opened."""
    t1 = fold.board.open.get(("T1", ""))
    due = fold.observed_from(t1) if t1 is not None else None
    if t1 is None or due is None or due > at:
        return
    silences = fold.silences_at(at)
    if silences:
        fold.wait(None, None, at, silences)
        return
    fold.waiting.pop(None, None)
    resolved = fold.last_resolution is not None and fold.last_resolution[0] > t1.since
    fold.end(t1, at, "observation_complete", None, "G1" if resolved else "Y4")
    if not resolved:
        step_down(fold, "Y4", at, [t1], ORANGE)
    elif fold.board.green is None and fold.last_resolution is not None:
        fold.board.start_green(at, fold.last_resolution[1])
