"""A case as the hub knew it at a moment of its own history (``--known-at``): versions by the time they came in.

World time and known time are two questions: ``as_of`` asks for everything known now, ``known_at`` leaves out what came
in later, corrections and retractions too. Persons and memberships are those of today: who somebody is was decided since,
and the explanation says on which decisions it rests.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hub.core.records import Case, Event, Facts, Party, Report, Silence
from hub.core.timeline import carry, facts_from_json
from hub.security.vault import Vault, people_of
from hub.store import history
from hub.store.cases import read_cases
from hub.store.history import VersionView
from hub.store.sql import Sql


def case_known(sql: Sql, vault: Vault, household: int, known_at: datetime) -> Case:
    """The case of one household with what had come in by ``known_at``."""
    now = read_cases(sql, [household], (), {}).cases[household]
    records = history.records_at(sql, household, known_at)
    current = history.current_numbers(sql, records)
    by_key = {event.key: event for event in now.events}
    events = []
    for record, versions in history.versions_until(sql, records, known_at).items():
        newest = max(versions, key=lambda v: (v.updated_at, v.deleted, v.number))
        if newest.deleted or newest.rejected:
            continue
        stands = by_key.get(newest.key)
        same = stands is not None and newest.number == current.get(record)
        parties = stands.parties if same and stands else _parties(vault, newest, stands)
        events.append(_event(newest, _carried(versions), parties, stands))
    events.sort(key=lambda event: (event.at, event.key))
    return now._replace(events=tuple(events), reports=_reports(sql, now.reports, known_at), duties=())


def _event(version: VersionView, facts: Facts, parties: tuple[Party, ...], stands: Event | None) -> Event:
    return Event(
        version.key, version.number, version.kind, version.at, facts, parties, stands.related if stands else (),
        version.live, version.updated_at, version.received_at, stands.linked if stands else False,
    )  # fmt: skip


def _carried(versions: Sequence[VersionView]) -> Facts:
    """The newest version's facts with the dates of its path; a retraction or rejection breaks the path (S4)."""
    facts: Facts = {}
    before: datetime | None = None
    for version in sorted(versions, key=lambda v: (v.updated_at, v.deleted, v.number)):
        own = facts_from_json(version.facts)
        broken = version.deleted or version.rejected
        facts = carry(facts, own, older_updated=before) if before is not None and not broken else own
        before = None if broken else version.updated_at
    return facts


def _parties(vault: Vault, version: VersionView, stands: Event | None) -> tuple[Party, ...]:
    """Who an older version named: ages and capacities as it said, persons where the record of today has the same role."""
    known = stands.parties if stands is not None else ()
    found = []
    for idx, person in enumerate(people_of(vault.open_body(version.uid, version.body))):
        number = known[idx].person if idx < len(known) and known[idx].role == person.role else None
        found.append(Party(person.role, number, person.born, person.capacity, person.sex))
    return tuple(found)


def _reports(sql: Sql, reports: Sequence[Report], known_at: datetime) -> tuple[Report, ...]:
    """Reports that existed by then; one that ended later was still alive."""
    ended = history.closed_at(sql, [report.no for report in reports])
    return tuple(
        report._replace(cancelled=report.cancelled and (at := ended.get(report.no)) is not None and at <= known_at)
        for report in reports
        if report.opened_at <= known_at
    )


def silences_known(silences: Sequence[Silence], known_at: datetime) -> list[Silence]:
    """Silences that had begun by then; one that ended later had no end yet."""
    return [
        silence if silence.until is not None and silence.until <= known_at else silence._replace(until=None)
        for silence in silences
        if silence.since <= known_at
    ]
