"""The fold: marks of one case in order of time, timers as they fall due, until the moment (sections 2–4).

Everything that happens is one of: an event opens or joins concerns, a recorded state begins or ends, a record closes by
a way down of the policy, an observation is complete, G1 lapses. At the end of each instant: if the last red concern
ended, T1 opens; then the light is read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from hub.core.board import ORANGE, RED, Board, Standing
from hub.core.clocks import ONE_DAY, Moment, days_between, start_of_day
from hub.core.marks import Begin, Close, End, Mark, Met, Open
from hub.core.proofs import Evidence, missing_proofs
from hub.core.records import Case, Event, Key, Light, Silence, StreamKey
from hub.core.rules import Descent, Often, Policy
from hub.core.states import Interval
from hub.core.visits import Visit, rhythms, visit_of

INCIDENTS = StreamKey("police", "incident")
"""The stream that must have been heard before any step down by judgement (section 4)."""
LATER_STEPS = frozenset({"procuratorial_action", "violence_case_decided"})
"""Kinds that go on with a criminal case of the same people while its R7 is open (S9)."""


class Violence(NamedTuple):
    """One violent event (S9); ``concern`` None: it counts whatever the police answered."""

    at: datetime
    concern: Standing | None


class Waiting(NamedTuple):
    """A step down that was earned and waits for a silent stream."""

    mark: Close | None  # None: the observation
    at: datetime  # when it was earned
    retry: datetime | None  # when the first of the silences ends
    silences: tuple[Silence, ...]


class Fold:
    """One run over one case. ``heed_silence`` False: what the light would be if every stream had been heard."""

    def __init__(self, case: Case, policy: Policy, moment: Moment, *, heed_silence: bool = True) -> None:
        self.case, self.policy, self.moment = case, policy, moment
        self.heed_silence = heed_silence and moment.has_silences()
        self.board = Board(policy)
        self.visits: list[Visit] = []
        self.calm: list[Visit] = []  # those that count already
        self.violence: list[Violence] = []
        self.waiting: dict[Key | None, Waiting] = {}
        self.days: dict[str, list[datetime]] = {}  # events of the `often` rules since their last closing
        self.resolved: dict[Key, list[tuple[str, str]]] = {}  # resolution → what it closed
        self.last_resolution: tuple[datetime, Key] | None = None
        self.answers: dict[str, tuple[str, Key]] = {}  # report → newest answer of the police
        self.answered: set[str] = {report.no for report in case.reports if report.cancelled}
        self.criminal: dict[str, set[str]] = {}  # numbers that speak of one criminal case
        self.steps: list[tuple[datetime, str, Light]] = []  # G1, Y4, T1 openings and the light before (relapse)
        self.notes: list[str] = []
        self.rhythms = rhythms(policy.raw)

    # -- time ----------------------------------------------------------------------------------------------------------

    def run(self, marks: Sequence[Mark]) -> None:
        """Everything up to the moment; the nearest later instant becomes the moment's ``valid_until``."""
        index, count = 0, len(marks)
        passed = self.moment.passed
        while True:
            timer = self._timer()
            at = marks[index].at if index < count else timer
            if at is None:
                return
            if timer is not None and timer < at:
                at = timer
            if not passed(at):
                return
            before = self.board.light
            if timer is not None and timer <= at:
                self._fall_due(at)
            while index < count and marks[index].at == at:
                self._do(marks[index].act, at)
                index += 1
            self._observe(at)
            self._end_instant(at, before)

    def _timer(self) -> datetime | None:
        times = [w.retry for w in self.waiting.values() if w.retry is not None]
        if self.board.green is not None:
            times.append(self.green_lapses())
        t1 = self.board.open.get(("T1", ""))
        if t1 is not None and None not in self.waiting:
            due = self.observed_from(t1)
            if due is not None:
                times.append(due)
        return min(times, default=None)

    def _fall_due(self, at: datetime) -> None:
        """Timers come before what opens in the same instant (S1)."""
        if self.board.green is not None and self.green_lapses() <= at:
            self.board.end_green(at, "green_lapsed")
        for key, waiting in list(self.waiting.items()):
            if waiting.retry is not None and waiting.retry <= at and waiting.mark is not None:
                del self.waiting[key]
                self._judge(waiting.mark, waiting.at, at)
        self._observe(at)

    def _end_instant(self, at: datetime, before: Light) -> None:
        board = self.board
        if board.closed_red:
            if not board.has(RED) and ("T1", "") not in board.open:
                self._step_down("T1", at, board.closed_red, before)
            board.closed_red = []
        board.look(at)

    def _do(self, act: object, at: datetime) -> None:
        _ACTS[type(act)](self, act, at)

    # -- opening -------------------------------------------------------------------------------------------------------

    def _opened(self, act: Open, at: datetime) -> None:
        event, derived, rules = act
        if rules and rules[0][2]:  # nothing_open: the late half of a visit
            if not self.board.open:
                self.raise_concern(rules[0][0], rules[0][1], event, at)
            return
        visit = visit_of(event, derived)
        if visit is not None:
            self.visits.append(visit)
        for rule, slot, _ in rules:
            self.raise_concern(rule, slot, event, at)
        for often in self.policy.often:
            if event.kind in often.kinds and often.test(event.facts, derived, event.key):
                self._often(often, act, at)
        if derived.dv_call or derived.violence:
            self.violence.append(Violence(at, None))
        if derived.tension or derived.violence:
            self._set_back(at)

    def raise_concern(self, rule: str, slot: str, event: Event, at: datetime, light: Light | None = None) -> Standing:
        """Open a concern, or join the open one; upward at once (A7)."""
        board = self.board
        concern = board.open.get((rule, slot))
        is_new = concern is None
        later_step = rule == "R7" and self._is_later_step(event, concern)
        if concern is None:
            concern = board.start(rule, slot, at, light)
        concern.add(event, at)
        if board.rule(rule).violent and not later_step:
            self.violence.append(Violence(at, concern))
        if concern.light == RED:
            t1 = board.open.get(("T1", ""))
            if t1 is not None:
                board.end(t1, at, "new_red", event.key)
                self.waiting.pop(None, None)
        elif concern.light == ORANGE:
            self._set_back(at)
        if is_new and self.policy.again is not None:
            self._relapse(concern, event, at)
        return concern

    def _often(self, often: Often, act: Open, at: datetime) -> None:
        """n different days in a window; once open, every further such event joins (S18)."""
        days = self.days.setdefault(often.rule, [])
        days.append(at)
        near = {day.date() for day in days if days_between(day, at) <= often.window}
        at_once = often.at_once is not None and often.at_once(act.event.facts, act.derived, act.event.key)
        if at_once or len(near) >= often.days or (often.rule, "") in self.board.open:
            self.raise_concern(often.rule, "", act.event, at)

    def _set_back(self, at: datetime) -> None:
        """The observation starts again: 90 days and three calm visits from now (S11)."""
        t1 = self.board.open.get(("T1", ""))
        if t1 is not None and at > t1.base:
            t1.base = at
            self.waiting.pop(None, None)

    def _is_later_step(self, event: Event, concern: Standing | None) -> bool:
        """A later step of a criminal case: linked by number, or by the people while an R7 of theirs is open (S9)."""
        numbers = {event.key.no, *event.related}
        known = [case for case, named in self.criminal.items() if named & numbers]
        people = {party.person for party in event.parties if party.person is not None}
        self.criminal.setdefault(known[0] if known else event.key.no, set()).update(numbers)
        if known:
            return True
        return concern is not None and event.kind in LATER_STEPS and bool(people & concern.people or not people)

    def _relapse(self, concern: Standing, event: Event, at: datetime) -> None:
        """E2: lit at least as high as the household stood before the step down it relapses from."""
        again = self.policy.again
        if again is None or concern.rule not in again.rules:
            return
        before = [was for when, _, was in self.steps if days_between(when, at) <= again.days]
        light = max(before, default=Light.unlit)
        if light > concern.light and (again.rule, f"{concern.rule}/{concern.slot}") not in self.board.open:
            self.raise_concern(again.rule, f"{concern.rule}/{concern.slot}", event, at, light)

    # -- recorded states -----------------------------------------------------------------------------------------------

    def _begun(self, act: Begin, at: datetime) -> None:
        interval: Interval = act.interval
        event = interval.event
        concern = self.raise_concern(interval.rule, event.key.no, event, at)
        concern.until_planned, concern.how_ends = interval.until, interval.how

    def _ended(self, act: End, at: datetime) -> None:
        interval = act.interval
        concern = self.board.open.get((interval.rule, interval.event.key.no))
        if concern is None:
            return
        if self.heed_silence and self._silences(at):
            concern.note("evidence_incomplete")  # the end of a state by law or date is marked, never blocked (S12)
        if interval.how == "order_replaced":
            concern.note("replaced")
        leads_to = "T1" if concern.light == RED and interval.how != "order_replaced" else None
        self.end(concern, at, interval.how, interval.by, leads_to)

    # -- closing -------------------------------------------------------------------------------------------------------

    def end(self, concern: Standing, at: datetime, how: str, key: Key | None, leads_to: str | None) -> None:
        """Close a concern, what rests on it, and the days that led to it."""
        self.board.end(concern, at, how, key, leads_to)
        self.days.pop(concern.rule, None)
        again = self.policy.again
        if again is not None:
            partner = self.board.open.get((again.rule, f"{concern.rule}/{concern.slot}"))
            if partner is not None:
                self.board.end(partner, at, how, key, None)

    def _met(self, act: Met, at: datetime) -> None:
        self.calm.append(act.visit)

    def _closed(self, act: Close, at: datetime) -> None:
        if act.closer == "agreement_broken":
            self._break(act.event, at)
        elif act.event.kind == "report_feedback":
            self._answer(act, at)
        else:
            self._judge(act, at, at)

    def _judge(self, act: Close, earned: datetime, at: datetime) -> None:
        """A step down by judgement: prove, look for silence, close."""
        evidence = self.evidence(act.event, earned)
        steps: list[tuple[Standing, Descent]] = []
        for descent in self.policy.descents.get(act.closer, ()):
            for concern in self.board.of_rules(descent.closes):
                if descent.exempt and concern.slot == "dv":
                    continue
                missing = missing_proofs(descent.proofs, evidence, concern)
                concern.missing = missing
                if not missing:
                    steps.append((concern, descent))
        resolution = act.closer == "mediation_resolved"
        if resolution and self._is_without_effect():
            return
        if not steps and not resolution:
            return
        silences = self._silences(at)
        if silences:
            self._wait(act.event.key, act, earned, silences)
            return
        before = self.board.light
        for concern, descent in steps:
            self.end(concern, at, descent.id, act.event.key, descent.leads_to)
        if resolution:
            self._resolve(act.event, [(c.rule, c.slot) for c, _ in steps], at, before)
        elif any(descent.leads_to == "Y4" for _, descent in steps):
            self._step_down("Y4", at, [c for c, d in steps if d.leads_to == "Y4"], before)

    def evidence(self, event: Event, at: datetime) -> Evidence:
        """What can be proved by a record of ``event`` at ``at``, with everything known by now."""
        signed = event.facts.get("signed_by")
        return Evidence(
            board=self.board,
            at=at,
            key=event.key,
            signers=len(set(signed)) if isinstance(signed, tuple) else 0,
            last_violent=self.last_violent(),
            visits=[visit for visit in self.visits if visit.at <= at],
            rhythms=self.rhythms,
            answered=self.answered,
        )

    def last_violent(self) -> datetime | None:
        """The last violent event (S9): O5 counts unless it was answered not substantiated."""
        counted = [
            v.at for v in self.violence if v.concern is None or v.concern.closed_by != "not_substantiated"
        ]  # fmt: skip
        return max(counted, default=None)

    def _is_without_effect(self) -> bool:
        """Violence is not mediated away: the resolution stays without effect for good, and the concerns say so (S19)."""
        blocking = [concern for concern in self.board.open.values() if concern.unmediable]
        for concern in blocking:
            concern.note("mediation_without_effect")
        if blocking and "mediation_without_effect" not in self.notes:
            self.notes.append("mediation_without_effect")
        return bool(blocking)

    def _resolve(self, event: Event, closed: list[tuple[str, str]], at: datetime, before: Light) -> None:
        self.resolved[event.key] = closed
        self.last_resolution = (at, event.key)
        if self.board.green is None:
            self.steps.append((at, "G1", before))
        self.board.start_green(at, event.key)

    def _break(self, event: Event, at: datetime) -> None:
        """Broken or reopened: G1 ends, and the conflict has again what it had, Y3 at least (section 4)."""
        closed = self.resolved.pop(event.key, None)
        self.waiting.pop(event.key, None)
        if closed is None:
            return
        if self.last_resolution is not None and self.last_resolution[1] == event.key:
            self.last_resolution = None
        self.board.end_green(at, "agreement_broken", event.key, "Y3")
        for rule, slot in sorted({*closed, ("Y3", "")}):
            self.raise_concern(rule, slot, event, at)

    # -- answers of the police -----------------------------------------------------------------------------------------

    def _answer(self, act: Close, at: datetime) -> None:
        """The newest answer rules (S29): it closes the O5 of its report; a case opens R8, *not substantiated* ends it."""
        event = act.event
        report = str(event.facts.get("report_no"))
        self.answered.add(report)
        if act.closer == "report_cancelled":
            return
        self.answers[report] = (act.closer, event.key)
        is_filed = act.closer == "report_filed"
        for concern in [c for c in self.board.of_rules({"O5"}) if c.slot == report]:
            self.end(concern, at, act.closer, event.key, "R8" if is_filed else None)
        if is_filed and self._is_of_victim(report):
            self.raise_concern("R8", "", event, at)
        elif not is_filed:
            self._supersede(report, at, event.key)

    def _supersede(self, report: str, at: datetime, key: Key) -> None:
        """An R8 that rests only on answers of this report goes with the newer answer, as a correction does."""
        r8 = self.board.open.get(("R8", ""))
        if r8 is None:
            return
        numbers = {e.key: str(e.facts.get("report_no")) for e in self.case.events if e.kind == "report_feedback"}
        if all(numbers.get(known) == report for known in r8.events):
            self.end(r8, at, "answer_superseded", key, None)
            self.violence = [v for v in self.violence if v.concern is not r8]

    def _is_of_victim(self, number: str) -> bool:
        """R8 stands on the household of the report's victim; on the other one of a couple that lives apart it does not."""
        report = next((r for r in self.case.reports if r.no == number), None)
        members = {member.person for member in self.case.members}
        if report is None or report.victim is None or report.victim in members or not members:
            return True
        return not any(
            party.person in members and party.role == "alleged"
            for event in self.case.events
            if event.key in report.causes
            for party in event.parties
        )

    # -- observation ---------------------------------------------------------------------------------------------------

    def _step_down(self, rule: str, at: datetime, ended: Sequence[Standing], before: Light) -> None:
        """T1 or Y4 opens, on the records of what ended; a G1 from before ends (S19)."""
        self.board.end_green(at, "observation_opened")
        self.steps.append((at, rule, before))
        concern = self.board.open.get((rule, "")) or self.board.start(rule, "", at)
        keys = [key for past in ended for key in (*past.events, past.closing_key) if key is not None]
        concern.events += [key for key in dict.fromkeys(keys) if key not in concern.events]

    def observed_from(self, t1: Standing) -> datetime | None:
        """When the 90 days are over, if the calm visits are there; None while a visit is missing."""
        return None if self.visits_missing(t1) else self.days_over(t1)

    def days_over(self, t1: Standing) -> datetime:
        return start_of_day(t1.base.date() + timedelta(days=self.policy.numbers["observation_days"]))

    def visits_missing(self, t1: Standing) -> bool:
        calm = [visit for visit in self.calm if visit.day > t1.base.date()]
        enough = len({visit.day for visit in calm}) >= self.policy.numbers["observation_visits"]
        return not enough or not any(visit.in_person for visit in calm)

    def _observe(self, at: datetime) -> None:
        """T1 is complete: Y4, or G1 when a mediation was resolved after T1 opened."""
        t1 = self.board.open.get(("T1", ""))
        due = self.observed_from(t1) if t1 is not None else None
        if t1 is None or due is None or due > at:
            return
        silences = self._silences(at)
        if silences:
            self._wait(None, None, at, silences)
            return
        self.waiting.pop(None, None)
        resolved = self.last_resolution is not None and self.last_resolution[0] > t1.since
        self.end(t1, at, "observation_complete", None, "G1" if resolved else "Y4")
        if not resolved:
            self._step_down("Y4", at, [t1], ORANGE)
        elif self.board.green is None and self.last_resolution is not None:
            self.board.start_green(at, self.last_resolution[1])

    def green_lapses(self) -> datetime:
        """365 days since G1 opened or since the last concern beside it opened."""
        assert self.board.green is not None
        return start_of_day(self.board.green.base.date() + self.policy.numbers["green_days"] * ONE_DAY)

    # -- silence -------------------------------------------------------------------------------------------------------

    def _silences(self, at: datetime) -> tuple[Silence, ...]:
        if not self.heed_silence:
            return ()
        streams = {INCIDENTS, *(StreamKey(e.key.unit, e.key.stream) for e in self.case.events if e.at <= at)}
        found = [self.moment.silence(stream, at) for stream in sorted(streams)]
        return tuple(silence for silence in found if silence is not None)

    def _wait(self, key: Key | None, mark: Close | None, at: datetime, silences: tuple[Silence, ...]) -> None:
        ends = [silence.until for silence in silences if silence.until is not None]
        self.waiting[key] = Waiting(mark, at, min(ends, default=None), silences)


_ACTS: dict[type, Callable[[Fold, object, datetime], None]] = {
    Open: Fold._opened,  # type: ignore[dict-item]
    Begin: Fold._begun,  # type: ignore[dict-item]
    End: Fold._ended,  # type: ignore[dict-item]
    Close: Fold._closed,  # type: ignore[dict-item]
    Met: Fold._met,  # type: ignore[dict-item]
}
