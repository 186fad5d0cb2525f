"""What is known while a timeline is folded: the board of concerns, visits, violence, resolutions, answers, silences."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hub.core.board import Board, Standing
from hub.core.clocks import ONE_DAY, Moment, start_of_day
from hub.core.marks import Close
from hub.core.proofs import Evidence
from hub.core.records import Case, Event, Key, Light, Silence, StreamKey
from hub.core.rules import Policy
from hub.core.visits import Visit

INCIDENTS = StreamKey("police", "incident")
"""The stream that must have been heard before any step down by judgement (section 4)."""


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
        self.signatures: list[Any] = []  # decisions that wait for their second person (core.decisions)

    def end(self, concern: Standing, at: datetime, how: str, key: Key | None, leads_to: str | None) -> None:
        """Close a concern, what rests on it, and the days that led to it."""
        self.board.end(concern, at, how, key, leads_to)
        self.days.pop(concern.rule, None)
        again = self.policy.again
        if again is not None:
            partner = self.board.open.get((again.rule, f"{concern.rule}/{concern.slot}"))
            if partner is not None:
                self.board.end(partner, at, how, key, None)

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
            rhythms=self.policy.rhythms,
            answered=self.answered,
        )

    def last_violent(self) -> datetime | None:
        """The last violent event (S9): O5 counts unless it was answered not substantiated."""
        if not self.violence:
            return None
        counted = [
            v.at for v in self.violence if v.concern is None or v.concern.closed_by != "not_substantiated"
        ]  # fmt: skip
        return max(counted, default=None)

    def observed_from(self, t1: Standing) -> datetime | None:
        """When the 90 days are over, if the calm visits are there; None while a visit is missing."""
        return None if self.visits_missing(t1) else self.days_over(t1)

    def days_over(self, t1: Standing) -> datetime:
        return start_of_day(t1.base.date() + timedelta(days=self.policy.numbers["observation_days"]))

    def visits_missing(self, t1: Standing) -> bool:
        calm = [visit for visit in self.calm if visit.day > t1.base.date()]
        enough = len({visit.day for visit in calm}) >= self.policy.numbers["observation_visits"]
        return not enough or not any(visit.in_person for visit in calm)

    def green_lapses(self) -> datetime:
        """365 days since G1 opened or since the last concern beside it opened."""
        assert self.board.green is not None
        return start_of_day(self.board.green.base.date() + self.policy.numbers["green_days"] * ONE_DAY)

    def silences_at(self, at: datetime) -> tuple[Silence, ...]:
        if not self.heed_silence:
            return ()
        streams = {INCIDENTS, *(StreamKey(e.key.unit, e.key.stream) for e in self.case.events if e.at <= at)}
        found = [self.moment.silence(stream, at) for stream in sorted(streams)]
        return tuple(silence for silence in found if silence is not None)

    def wait(self, key: Key | None, mark: Close | None, at: datetime, silences: tuple[Silence, ...]) -> None:
        ends = [silence.until for silence in silences if silence.until is not None]
        self.waiting[key] = Waiting(mark, at, min(ends, default=None), silences)
