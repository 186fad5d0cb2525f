"""Why a household's light is what it is, at any moment of world time, with everything known now (S2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.core.assess import assess
from hub.core.clocks import Moment
from hub.core.explain import Heard, Subject, explain
from hub.core.records import Assessment, Case, Key, Silence, StreamKey
from hub.core.rules import Policy
from hub.core.words import STATION
from hub.store import snapshot
from hub.store.cases import read_cases, read_silences
from hub.store.snapshot import HouseholdView
from hub.store.sql import Sql

ALWAYS = StreamKey("police", "incident")
"""The stream every household's evidence rests on (section 4)."""


def explain_household(sql: Sql, household: HouseholdView, policy: Policy, as_of: datetime) -> dict[str, Any]:
    """The explanation of one household, judged anew from its current records at ``as_of``."""
    case = read_cases(sql, [household.id], (), {}).cases[household.id]
    silences = read_silences(sql)
    subject = Subject(household.registered or household.uid, as_of, policy.version, household.community)
    told = explain(
        subject._replace(household=household.uid),
        judge(case, policy, as_of, silences),
        policy.clause,
        _times(case),
        coverage(sql, case, as_of, silences),
    )
    return {**told, "registered": household.registered, "provisional": household.provisional}


def judge(case: Case, policy: Policy, as_of: datetime, silences: Sequence[Silence] = ()) -> Assessment:
    """The assessment of a case at a moment."""
    return assess(case, policy, Moment(as_of, silences))


def _times(case: Case) -> Mapping[Key, datetime]:
    return {event.key: event.at for event in case.events}


def coverage(sql: Sql, case: Case, as_of: datetime, silences: Sequence[Silence]) -> list[Heard]:
    """What each unit last contributed: every stream on this timeline, and the police's calls, heard or not."""
    moment = Moment(as_of, silences)
    last: dict[StreamKey, tuple[datetime, str]] = {}
    for event in case.events:
        stream = StreamKey(event.key.unit, event.key.stream)
        if stream.unit != STATION and moment.passed(event.at):
            last[stream] = max(last.get(stream, (event.at, "")), (event.at, event.key.no))
    heard = snapshot.heard(sql)
    return [
        Heard(
            stream,
            heard[stream].heard_at if stream in heard else None,
            moment.silent(stream, as_of),
            *last.get(stream, (None, None)),
        )
        for stream in sorted({ALWAYS, *last})
    ]
