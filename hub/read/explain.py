"""Why a household's light is what it is, at any moment of world time: with everything known now (S2), or known then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.core import inaction
from hub.core.assess import amended, assess, course
from hub.core.clocks import Moment
from hub.core.codes import UNITS
from hub.core.explain import Ground, Heard, Link, Subject, explain
from hub.core.foresight import END, Foresight, foresee
from hub.core.records import Assessment, Case, Key, Silence, StreamKey
from hub.core.rules import Policy
from hub.core.words import STATION
from hub.read.decisions import custody, objections, overrides, texts_of
from hub.read.identity import decisions
from hub.read.known import case_known, silences_known
from hub.security.vault import Vault
from hub.store import history, snapshot
from hub.store.cases import read_cases, read_silences
from hub.store.places import keys_of
from hub.store.snapshot import HouseholdView
from hub.store.sql import Sql
from hub.store.volume import thin_at

ALWAYS = StreamKey("police", "incident")
"""The stream every household's evidence rests on (section 4)."""


def explain_household(
    sql: Sql,
    vault: Vault,
    household: HouseholdView,
    policy: Policy,
    as_of: datetime,
    known_at: datetime | None = None,
) -> dict[str, Any]:
    """The explanation of one household, judged anew at ``as_of``: from its current records, or as known at ``known_at``."""
    silences: Sequence[Silence] = read_silences(sql)
    if known_at is None:
        case = read_cases(sql, [household.id], (), {}).cases[household.id]
    else:
        case = case_known(sql, vault, household.id, known_at)
        silences = silences_known(silences, known_at)
    case = amended(case)
    ground = Ground(
        tuple(coverage(sql, case, as_of, silences, known_at)),
        tuple(unheard(sql, case, as_of, silences, known_at)),
        tuple(links(sql, household.id, case)),
        tuple(thin(sql, case, household.community, known_at or as_of)),
    )
    subject = Subject(household.uid, as_of, policy.at(as_of).version, household.community, known_at)
    found = judge(case, policy, as_of, silences)
    told = explain(subject, found, policy.clause, _times(case), ground, future(case, policy, as_of, silences))
    told |= {"registered": household.registered, "provisional": household.provisional}
    until = case._replace(events=tuple(e for e in case.events if Moment(as_of).passed(e.at)))
    texts = texts_of(sql, vault, until.events)
    told |= {
        "identity_decisions": decisions(sql, records=history.why_here(sql, household.id)),
        "inaction": inaction.found(found.owed, _times(case), policy.at(as_of).raw),
        "overrides": overrides(until, found.concerns, found.notes, texts),
        "objections": objections(until, texts),
        "custody": custody(until.events),
        "successor": snapshot.successor(sql, household.id),
    }
    return told if known_at is None else {**told, "recorded": _recorded(sql, household.id, known_at)}


def judge(case: Case, policy: Policy, as_of: datetime, silences: Sequence[Silence] = ()) -> Assessment:
    """The assessment of a case at a moment."""
    return assess(case, policy, Moment(as_of, silences))


def future(case: Case, policy: Policy, as_of: datetime, silences: Sequence[Silence] = ()) -> Foresight:
    """The dated changes to come, and the ways down, of an amended case."""
    return foresee(case, policy, Moment(as_of, silences), course(case, policy, Moment(END, silences)))


def _recorded(sql: Sql, household: int, known_at: datetime) -> dict[str, Any] | None:
    """What the hub wrote down at the time, under the policy of that time."""
    found = history.recorded_light(sql, household, known_at)
    return None if found is None else {"light": found.light.name, "at": found.at.isoformat(), "rule": found.rule}


def _times(case: Case) -> Mapping[Key, datetime]:
    return {event.key: event.at for event in case.events}


def links(sql: Sql, household: int, case: Case) -> list[Link]:
    """Why each record of the timeline counts here, with what of it waits for a person."""
    why = history.why_here(sql, household)
    keys = keys_of(sql, why)
    waiting = history.open_links(sql, why)
    there = {event.key for event in case.events if event.key.unit != STATION}
    found = {keys[n]: Link(keys[n], word, tuple(waiting.get(n, ()))) for n, word in why.items() if n in keys}
    return [found.get(key, Link(key, "moved")) for key in sorted(there)]


def thin(sql: Sql, case: Case, community: str | None, at: datetime) -> list[tuple[str, datetime]]:
    """Streams of this timeline, the police's calls, and this community, where far fewer records come than used to."""
    here = {f"{event.key.unit}.{event.key.stream}" for event in case.events} | {".".join(ALWAYS), community}
    return [(subject, since) for subject, since in thin_at(sql, at).items() if subject in here]


def coverage(
    sql: Sql, case: Case, as_of: datetime, silences: Sequence[Silence], known_at: datetime | None = None
) -> list[Heard]:
    """What each unit last contributed: every stream on this timeline, and the police's calls, heard or not."""
    moment = Moment(as_of, silences)
    last: dict[StreamKey, tuple[datetime, str]] = {}
    for event in case.events:
        stream = StreamKey(event.key.unit, event.key.stream)
        if stream.unit != STATION and moment.passed(event.at):
            last[stream] = max(last.get(stream, (event.at, "")), (event.at, event.key.no))
    heard = snapshot.heard(sql, known_at)
    return [_heard(stream, heard, moment, last.get(stream)) for stream in sorted({ALWAYS, *last})]


def unheard(
    sql: Sql, case: Case, as_of: datetime, silences: Sequence[Silence], known_at: datetime | None = None
) -> list[Heard]:
    """Units of which nothing stands on this timeline, each with the stream that was heard last (none: never)."""
    moment = Moment(as_of, silences)
    heard = snapshot.heard(sql, known_at)
    there = {event.key.unit for event in case.events}
    found = []
    for unit in UNITS:
        if unit in there or unit == ALWAYS.unit:
            continue
        named = [view for stream, view in heard.items() if stream.unit == unit and view.heard_at is not None]
        newest = max(named, key=lambda view: (view.heard_at or as_of, view.stream), default=None)
        stream = newest.stream if newest is not None else StreamKey(unit, "")
        found.append(_heard(stream, heard, moment, None))
    return found


def _heard(
    stream: StreamKey, heard: Mapping[StreamKey, snapshot.HeardView], moment: Moment, last: tuple[datetime, str] | None
) -> Heard:
    silence = moment.silence(stream, moment.as_of)
    at, key = last or (None, None)
    heard_at = heard[stream].heard_at if stream in heard else None
    return Heard(stream, heard_at, silence is not None, at, key, silence.since if silence is not None else None)
