"""A household reviewed: for its worst day, unit by unit, what was known, told, acknowledged and done, and what another
policy would have shown.

What went wrong is mostly not a wrong light but a record that came too late, a message nobody took, a visit nobody made.
So every record stands with when it happened and when it came in, every message with when it was made, sent and taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from hub.core.assess import amended, course
from hub.core.clocks import Moment, end_of_day, start_of_day
from hub.core.codes import UNITS
from hub.core.records import Case, Course, Key, Light, Silence
from hub.core.rules import Policy
from hub.core.settle import is_duty, is_report
from hub.core.timeline import derive
from hub.core.words import STATION
from hub.read.known import case_known, silences_known
from hub.security.vault import Vault
from hub.store import history, ledger
from hub.store.cases import read_cases, read_silences
from hub.store.snapshot import HouseholdView
from hub.store.sql import Sql
from hub.store.standing import StandingRow, read_standing

POSTS = ("coordinator",)
REGISTER = frozenset({"household_member"})
"""Who lives there is no news of that day, however late it was registered."""


class Asked(NamedTuple):
    """What is reviewed: the day (None: the worst), with everything known until ``until``, under which policies."""

    day: date | None
    until: datetime
    policies: Sequence[Policy]


def review(sql: Sql, vault: Vault, household: HouseholdView, asked: Asked) -> dict[str, Any]:
    """The review of one household; ``asked.policies`` are the one in force and others to compare, in that order."""
    silences = read_silences(sql)
    case = amended(read_cases(sql, [household.id], (), {}).cases[household.id])
    went = course(case, asked.policies[0], Moment(asked.until, silences))
    day, because = (asked.day, "asked") if asked.day else worst_day(case, went)
    if day is None:
        return {"household": household.uid, "day": None, "because": "nothing_on_file", "units": [], "policies": []}
    end = min(end_of_day(day), asked.until)
    records = {*history.why_here(sql, household.id), *history.records_at(sql, household.id, end)}
    rows = _records(sql, records, asked.until)
    standing = read_standing(sql, [household.id], records)
    units = [
        _unit(unit, rows, standing, ledger.parcels(sql, [row.id for row in standing]), end)
        for unit in _units(rows, standing)
    ]
    recorded = history.recorded_light(sql, household.id, end)
    return {
        "household": household.uid,
        "community": household.community,
        "day": day.isoformat(),
        "because": because,
        "as_of": end.isoformat(),
        "recorded_light": recorded.light.name if recorded else None,
        "silent": [".".join(s.stream) for s in silences if s.since <= end and (s.until is None or s.until > end)],
        "units": units,
        "policies": [
            _under(policy, case, case_known(sql, vault, household.id, end), silences, end) for policy in asked.policies
        ],
    }


def worst_day(case: Case, went: Course) -> tuple[date | None, str]:
    """The day of the gravest injury, else of the most that opened or joined at the highest light; the later of equals."""
    days: dict[date, tuple[int, int, int]] = {}
    for event in case.events:
        if event.key.unit == STATION or not any(event.key in concern.events for concern in went.concerns):
            continue
        light = max((c.light for c in went.concerns if event.key in c.events), default=Light.unlit)
        injury, count, height = days.get(event.at.date(), (0, 0, 0))
        days[event.at.date()] = (
            max(injury, derive(event).injury_rank or 0),
            count + (light == Light.red),
            max(height, light),
        )
    if not days:
        return None, "nothing_on_file"
    day = max(days, key=lambda d: (days[d][0], days[d][2], days[d][1], d))
    injury, _, _ = days[day]
    return day, "gravest_injury" if injury else "highest_light"


# -- what each unit knew and did ---------------------------------------------------------------------------------------


class _Record(NamedTuple):
    key: Key
    kind: str
    at: datetime
    came: datetime  # when its first version came in
    retracted: bool  # by the last version known


def _records(sql: Sql, records: Iterable[int], until: datetime) -> list[_Record]:
    found = []
    for versions in history.versions_until(sql, records, until).values():
        first, last = versions[0], max(versions, key=lambda v: (v.updated_at, v.deleted, v.number))
        found.append(_Record(first.key, first.kind, last.at, first.received_at, last.deleted))
    return sorted(found, key=lambda r: (r.at, r.key))


def _units(rows: Sequence[_Record], standing: Sequence[StandingRow]) -> list[str]:
    """Every unit, whether it has anything to show or not: silence is an answer; then posts that were told something."""
    told = {row.to.removeprefix("head:") for row in standing}
    others = sorted({row.key.unit for row in rows} - {*UNITS, STATION})
    return [*UNITS, *others, *(post for post in POSTS if post in told)]


def _unit(
    unit: str,
    rows: Sequence[_Record],
    standing: Sequence[StandingRow],
    parcels: Mapping[int, Sequence[ledger.ParcelView]],
    end: datetime,
) -> dict[str, Any]:
    mine = [row for row in rows if row.key.unit == unit and row.at <= end]
    owed = [row for row in standing if row.to.removeprefix("head:") == unit and row.opened <= end]
    messages = [p for row in owed for p in parcels.get(row.id, ()) if p.created_at <= end]
    every = [row for row in owed if is_duty(row.what) or is_report(row.what)]
    unknown = [row for row in every if _made_on(row.no) > end.date()]
    duties = [row for row in every if row not in unknown]
    done = [row for row in duties if row.closed is not None and row.closed.at <= end]
    late = [row for row in duties if row not in done and row.due is not None and row.due <= end]
    return {
        "unit": unit,
        "known": [_known(row) for row in mine if row.came <= end],
        "came_later": [_known(row) for row in mine if row.came > end and row.kind not in REGISTER],
        "told": [_message(p, end) for p in messages],
        "acknowledged": [_message(p, end) for p in messages if p.received_at is not None and p.received_at <= end],
        "done": [_owed(row) for row in done],
        "open": [_owed(row) for row in duties if row not in done and row not in late],
        "overdue": [_owed(row) for row in late],
        "owed_but_unknown": [_owed(row) for row in unknown],
        "said_nothing": not mine,
    }


def _made_on(no: str) -> date:
    """The day a number was given out (``DU-20261124-…``): before it nobody could know of the duty."""
    part = no.split("-")[1] if no.count("-") >= 2 else ""
    return datetime.strptime(part, "%Y%m%d").date() if len(part) == 8 and part.isdigit() else date.min


def _known(row: _Record) -> dict[str, Any]:
    return {
        "stream": row.key.stream,
        "key": row.key.no,
        "at": row.at.isoformat(),
        "came_in": row.came.isoformat(),
        "hours_after": round((row.came - row.at).total_seconds() / 3600, 1),
        "retracted_since": row.retracted,
    }


def _message(parcel: ledger.ParcelView, end: datetime) -> dict[str, Any]:
    taken = parcel.received_at is not None and parcel.received_at <= end
    return {
        "message_no": parcel.no,
        "kind": parcel.kind,
        "made": parcel.created_at.isoformat(),
        "sent": parcel.sent_at.isoformat() if parcel.sent_at and parcel.sent_at <= end else None,
        "received": parcel.received_at.isoformat() if taken and parcel.received_at else None,
    }


def _owed(row: StandingRow) -> dict[str, Any]:
    return {
        "no": row.no,
        "what": row.what,
        "opened": row.opened.isoformat(),
        "due": row.due.isoformat() if row.due else None,
        "closed": row.closed.at.isoformat() if row.closed else None,
        "how": row.closed.how if row.closed else None,
    }


# -- what a policy would have shown ------------------------------------------------------------------------------------


def _under(policy: Policy, case: Case, then: Case, silences: Sequence[Silence], end: datetime) -> dict[str, Any]:
    """The light of that day under one policy: with what was known then, and with everything known now."""
    known = course(amended(then), policy, Moment(end, silences_known(silences, end)))
    now = course(case, policy, Moment(end, silences))
    return {
        "policy_version": policy.at(end).version,
        "known_then": _shown(known, end),
        "known_now": _shown(now, end),
    }


def _shown(went: Course, end: datetime) -> dict[str, Any]:
    standing = [c for c in went.concerns if c.until is None and (c.rule != "G1" or went.light == Light.green)]
    first = min((c.since for c in standing if c.light == went.light), default=None)
    return {
        "light": went.light.name,
        "since": went.since.isoformat() if went.since else None,
        "rules": sorted({c.rule for c in standing}),
        "days_lit": (end - first).days if first is not None else 0,
        "red_before": _red_before(went, start_of_day(end.date())),
    }


def _red_before(went: Course, day: datetime) -> int:
    """How many times the household had stood at red before that day: what a system that looks back would have known."""
    return sum(span.light == Light.red and span.since < day for span in went.spans)
