"""The archive: households with their lights, and one household with its people and records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from hub.core.errors import HubError
from hub.core.records import Light
from hub.core.timeline import facts_from_json
from hub.core.words import public_kind
from hub.read.people import NOBODY, identities
from hub.security.vault import Vault
from hub.store import snapshot
from hub.store.engine import SqlStore
from hub.store.snapshot import HouseholdView, MemberView
from hub.store.sql import Sql


class NotFoundError(HubError):
    """There is no such household, or the beginning of its id means several."""


def find_household(sql: Sql, name: str) -> HouseholdView:
    """The household with this id, registered number or beginning of an id. Raises NotFoundError."""
    found = snapshot.find_households(sql, name) if name else []
    if not found:
        raise NotFoundError(
            f'no household "{name}"', code="household.unknown", remedy="`hub households list` shows the ids"
        )
    if len(found) > 1:
        raise NotFoundError(
            f'"{name}" begins the id of several households', code="household.ambiguous", remedy="give more of the id"
        )
    return found[0]


def list_households(
    store: SqlStore, *, community: str | None = None, light: Light | None = None
) -> Iterator[dict[str, Any]]:
    """Living households, row by row; as in `households list --json`."""
    with store.read() as sql:
        for batch in snapshot.all_households(sql, community=community, light=light):
            for household in batch:
                yield summary(household)


def summary(household: HouseholdView) -> dict[str, Any]:
    """One household as lists show it: no names."""
    stored = stored_assessment(household)
    return {
        "household": household.uid,
        "registered": household.registered,
        "community": household.community,
        "light": household.light.name,
        "since": household.since.isoformat() if household.since else None,
        "concerns": stored["concerns"],
        "held": stored["held"],
        "provisional": household.provisional,
        "valid_until": household.valid_until.isoformat() if household.valid_until else None,
    }


def stored_assessment(household: HouseholdView) -> dict[str, Any]:
    """Standing concerns, held and categories as the last judgement left them."""
    told = orjson.loads(household.assessment) if household.assessment else {}
    concerns = [
        {"rule": concern["rule"], "since": concern["since"]}
        for concern in told.get("concerns", ())
        if concern.get("until") is None and (concern["rule"] != "G1" or household.light == Light.green)
    ]
    return {"concerns": concerns, "held": told.get("held"), "categories": told.get("categories", [])}


def show_household(sql: Sql, vault: Vault, household: HouseholdView) -> dict[str, Any]:
    """One household with its members by name and its records by number."""
    people = snapshot.members(sql, [household.id]).get(household.id, [])
    named = identities(sql, vault, {member.person for member in people})
    events = snapshot.events_of(sql, household.id)
    return {
        **summary(household),
        "categories": categories(household),
        "members": [member_row(member, *named.get(member.person, NOBODY)) for member in people],
        "events": [
            {
                "kind": public_kind(event.kind, facts_from_json(event.facts)),
                "unit": event.key.unit,
                "stream": event.key.stream,
                "key": event.key.no,
                "at": event.at.isoformat(),
            }
            for event in events
        ],
        "successor": snapshot.successor(sql, household.id),
    }


def member_row(member: MemberView, name: str | None, id_number: str | None) -> dict[str, Any]:
    """One member: as in `export households`."""
    return {
        "person": member.uid,
        "name": name,
        "id_number": id_number,
        "role": member.role,
        "from": member.since.isoformat() if member.since else None,
        "until": member.until.isoformat() if member.until else None,
    }


def categories(household: HouseholdView) -> list[dict[str, Any]]:
    """Special categories: word, from, until."""
    return [
        {"category": row[0], "from": row[1], "until": row[2]} if isinstance(row, list) else dict(row)
        for row in stored_assessment(household)["categories"]
    ]
