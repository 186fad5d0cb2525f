"""Cases of many households at once, as a fold of their lights reads them: nothing of blind indexes, duties or what is sent.

``read_cases`` also follows what households share, because a commit must settle it; a light asks for its own records only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from hub.core.records import Case, Event, Key, Member, Party, Report
from hub.core.timeline import facts_from_json
from hub.store.cases import LINKED, report_of
from hub.store.loaded import Loaded
from hub.store.snapshot import HouseholdView
from hub.store.sql import Row, Sql
from hub.store.standing import read_reports
from hub.store.times import from_day, from_us

_EVENT = (
    "r.id, r.unit, r.stream, r.no, r.version, r.kind, r.at, r.facts, r.related, r.live, r.updated_at, r.received_at"
)


def read_timelines(sql: Sql, households: Sequence[HouseholdView]) -> dict[int, Case]:
    """The case of each household, its events in order; without duties."""
    numbers = [household.id for household in households]
    places = sql.rows_in("SELECT household_id, record_id, why FROM event_place WHERE household_id {in}", numbers)
    events = _events(sql, {record for _, record, _ in places})
    found: dict[int, list[Event]] = {number: [] for number in numbers}
    for household, record, why in places:
        event = events.get(record)
        if event is not None:
            found[household].append(event._replace(linked=True) if why == LINKED else event)
    members = Loaded(sql).members(numbers)
    reports = _reports(sql, numbers, places)
    return {one.id: _case(one, found[one.id], members[one.id], reports[one.id]) for one in households}


def _case(one: HouseholdView, events: list[Event], members: tuple[Member, ...], reports: Iterable[Report]) -> Case:
    if len(events) > 1:
        events.sort(key=_in_time)
    return Case(one.id, one.community, members, tuple(events), tuple(reports), not one.provisional)


def _in_time(event: Event) -> tuple[datetime, Key]:
    return event.at, event.key


def _events(sql: Sql, records: set[int]) -> dict[int, Event]:
    """Current events, each with the people it names."""
    parties: dict[int, list[Party]] = {}
    for record, role, person, born, capacity, sex in sql.rows_in(
        "SELECT record_id, role, person_id, born, capacity, sex FROM party WHERE record_id {in} ORDER BY record_id, idx",
        records,
    ):
        parties.setdefault(record, []).append(Party(role, person, from_day(born), capacity, sex))
    return {
        number: Event(
            Key(unit, stream, no), version, kind, from_us(at), facts_from_json(facts), tuple(parties.get(number, ())),
            tuple(related.split(";")) if related else (), bool(live), from_us(updated), from_us(received),
        )
        for number, unit, stream, no, version, kind, at, facts, related, live, updated, received in sql.rows_in(
            f"SELECT {_EVENT} FROM record r WHERE r.state = 'applied' AND r.id {{in}}", records
        )
    }  # fmt: skip


def _reports(sql: Sql, numbers: Sequence[int], places: Iterable[Row]) -> Mapping[int, list[Report]]:
    """Reports by every household that their causes stand in or that they were shown on (S29)."""
    homes: dict[int, set[int]] = {}
    for household, record, _ in places:
        homes.setdefault(record, set()).add(household)
    rows = read_reports(sql, numbers, homes)
    keys = {
        number: Key(unit, stream, no)
        for number, unit, stream, no in sql.rows_in(
            "SELECT id, unit, stream, no FROM record WHERE id {in}", {cause for row in rows for cause in row.causes}
        )
    }
    found: dict[int, list[Report]] = {number: [] for number in numbers}
    for row in rows:
        at = {home for cause in row.causes for home in homes.get(cause, ())}
        if row.household in found:
            at.add(row.household)
        for home in at:
            found[home].append(report_of(row.resolved(keys)))
    return found
