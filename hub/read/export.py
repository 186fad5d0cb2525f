"""Everything, stream by stream, for hand-over and for checks: one JSON object a line, flat in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from hub.core.message import json_ready
from hub.core.timeline import facts_from_json
from hub.core.words import STATION, public_kind
from hub.read import reports
from hub.read.households import categories, member_row, stored_assessment
from hub.read.people import NOBODY, identities
from hub.security.vault import Vault
from hub.store import audit, snapshot
from hub.store.engine import SqlStore
from hub.store.sql import Sql

Rows = Iterator[dict[str, Any]]

OWN = frozenset({(STATION, "silence"), (STATION, "receipt")})
"""Records about the hub's own housekeeping: of no household and of no unit."""


def export_households(store: SqlStore, vault: Vault, now: datetime) -> Rows:
    """Living households with full personal data: role `exporter`."""
    with store.read() as sql:
        for batch in snapshot.all_households(sql):
            people = snapshot.members(sql, [household.id for household in batch])
            named = identities(sql, vault, {m.person for listed in people.values() for m in listed})
            for household in batch:
                yield {
                    "household": household.uid,
                    "community": household.community,
                    "light": household.light.name,
                    "since": household.since.isoformat() if household.since else None,
                    "concerns": stored_assessment(household)["concerns"],
                    "members": [
                        member_row(member, *named.get(member.person, NOBODY)) for member in people.get(household.id, ())
                    ],
                    "categories": categories(household),
                    "registered": household.registered,
                    "provisional": household.provisional,
                }


def export_events(store: SqlStore, vault: Vault, now: datetime) -> Rows:
    """Every record's newest version, retracted ones too: coded facts only, no names."""
    with store.read() as sql:
        for batch in _event_batches(sql):
            numbers = [event.id for event in batch]
            places, persons = snapshot.places(sql, numbers), snapshot.persons(sql, numbers)
            for event in batch:
                if event.key[:2] in OWN:
                    continue
                facts = facts_from_json(event.facts)
                yield {
                    "event": event.uid,
                    "kind": public_kind(event.kind, facts),
                    "unit": event.key.unit,
                    "stream": event.key.stream,
                    "key": event.key.no,
                    "version": event.version,
                    "at": event.at.isoformat(),
                    "recorded_at": event.recorded_at.isoformat(),
                    "households": places.get(event.id, []),
                    "persons": persons.get(event.id, []),
                    "facts": json_ready({name: value for name, value in facts.items() if value is not None}),
                    "retracted": event.retracted,
                    "live": event.live,
                }


def _event_batches(sql: Sql) -> Iterator[list[snapshot.EventView]]:
    after = 0
    while batch := snapshot.events(sql, after=after):
        yield batch
        after = batch[-1].id


def export_reports(store: SqlStore, vault: Vault, now: datetime) -> Rows:
    """Every mandatory report, without its reporter."""
    return reports.reports(store, vault)


def export_duties(store: SqlStore, vault: Vault, now: datetime) -> Rows:
    """Every duty, open or ended."""
    return reports.duties(store, now)


def export_audit(store: SqlStore, vault: Vault, now: datetime) -> Rows:
    """Who looked at whom, in order."""
    with store.read() as sql:
        for entry in audit.entries(sql):
            yield {
                "number": entry.number,
                "at": entry.at.isoformat(),
                "who": entry.who,
                "role": entry.role,
                "act": entry.act,
                "subject": entry.subject,
                "purpose": entry.purpose,
                "digest": entry.digest.hex(),
            }


EXPORTS: dict[str, Callable[[SqlStore, Vault, datetime], Rows]] = {
    "households": export_households,
    "events": export_events,
    "reports": export_reports,
    "duties": export_duties,
    "audit": export_audit,
}
