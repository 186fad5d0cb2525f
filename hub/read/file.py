"""A household's file by category (分类建档): members and roles over time, categories with evidence, timeline, lights,
duties, reports, what people decided, linked households. Full personal data but the reporter and a sheltered address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from hub.core.assess import amended, course
from hub.core.clocks import Moment
from hub.core.records import Event, Person
from hub.core.rules import Policy
from hub.core.settle import is_duty, is_report
from hub.core.words import KINDS
from hub.read.explain import explain_household
from hub.read.households import member_row
from hub.read.people import NOBODY, identities
from hub.security.vault import Vault, people_of
from hub.store import snapshot
from hub.store.cases import read_cases, read_silences
from hub.store.snapshot import HouseholdView
from hub.store.sql import Sql
from hub.store.standing import read_standing

CARRIED_BY_THE_HUB = frozenset({"resolved_on", "in_force_from", "words_of_harm"})
"""Facts that no source sends: the receiving hub finds them again."""


class Content(NamedTuple):
    """One current record opened: what its unit said, without its reporter."""

    event: Event
    persons: tuple[Person, ...]
    texts: Mapping[str, str]


def household_file(sql: Sql, vault: Vault, household: HouseholdView, policy: Policy, now: datetime) -> dict[str, Any]:
    """Everything but the rows themselves (``contents``): JSON-ready."""
    case = amended(read_cases(sql, [household.id], (), {}).cases[household.id])
    went = course(case, policy, Moment(now, read_silences(sql)))
    people = snapshot.members(sql, [household.id]).get(household.id, [])
    named = identities(sql, vault, {member.person for member in people})
    standing = read_standing(sql, [household.id], ())
    told = explain_household(sql, vault, household, policy, now)
    return {
        "household": household.uid,
        "registered": household.registered,
        "community": household.community,
        "light": told["light"],
        "since": told["since"],
        "concerns": [concern for concern in told["concerns"] if concern["state"] == "open"],
        "members": [member_row(member, *named.get(member.person, NOBODY)) for member in people],
        "categories": [_category(event) for event in case.events if event.kind == "special_household"],
        "lights": [
            {"light": s.light.name, "since": s.since.isoformat(), "until": s.until.isoformat() if s.until else None}
            for s in went.spans
        ],
        "duties": [_owed(row) for row in standing if is_duty(row.what)],
        "reports": [_owed(row) for row in standing if is_report(row.what)],
        "inaction": told["inaction"],
        "overrides": told["overrides"],
        "objections": told["objections"],
        "linked": linked(sql, household.id),
        "custody": told["custody"],
        "timeline": [
            {
                "kind": event.kind,
                "unit": event.key.unit,
                "stream": event.key.stream,
                "key": event.key.no,
                "at": event.at.isoformat(),
            }
            for event in case.events
        ],
    }


def _category(event: Event) -> dict[str, Any]:
    return {
        "category": event.facts.get("category"),
        "from": _iso(event.facts.get("from")),
        "until": _iso(event.facts.get("until")),
        "evidence": {"unit": event.key.unit, "stream": event.key.stream, "key": event.key.no},
    }


def _owed(row: Any) -> dict[str, Any]:
    return {
        "no": row.no,
        "what": row.what,
        "to": row.to,
        "state": row.state,
        "opened": row.opened.isoformat(),
        "due": _iso(row.due),
        "closed": row.closed.at.isoformat() if row.closed else None,
    }


def _iso(value: Any) -> str | None:
    return value.isoformat() if hasattr(value, "isoformat") else None


def linked(sql: Sql, household: int) -> list[dict[str, Any]]:
    """Households that share a record with this one, that it took over, or that took it over; and why."""
    rows = sql.rows(
        "SELECT DISTINCT h.uid, e.why FROM event_place mine JOIN event_place e ON e.record_id = mine.record_id"
        " JOIN household h ON h.id = e.household_id WHERE mine.household_id = ? AND e.household_id <> ?",
        (household, household),
    )
    found = [{"household": str(uid), "why": str(why)} for uid, why in rows]
    closed = sql.rows("SELECT uid FROM household WHERE successor_id = ?", (household,))
    return [*found, *({"household": str(uid), "why": "taken_over"} for (uid,) in closed)]


def contents(sql: Sql, vault: Vault, household: int) -> list[Content]:
    """Every current record of its people, opened; addresses left out where somebody of the household is protected."""
    case = read_cases(sql, [household], (), {}).cases[household]
    wanted = {event.key: event for event in case.events if KINDS[event.kind].subject == "people"}
    rows = sql.rows(
        "SELECT r.unit, r.stream, r.no, v.uid, v.body FROM event_place e JOIN record r ON r.id = e.record_id"
        " JOIN version v ON v.record_id = r.id AND v.number = r.version WHERE e.household_id = ?",
        (household,),
    )
    bodies = {
        (str(unit), str(stream), str(no)): vault.open_body(uid, bytes(body)) for unit, stream, no, uid, body in rows
    }
    hidden = is_protected(sql, {p.person for e in wanted.values() for p in e.parties if p.person is not None})
    found = []
    for key, event in wanted.items():
        body = bodies[key]
        persons = [p._replace(address=None) if hidden else p for p in people_of(body) if p.role != "reporter"]
        texts = {n: t for n, t in body["texts"].items() if not hidden or n != "place"}
        facts = {n: v for n, v in event.facts.items() if v is not None and n not in CARRIED_BY_THE_HUB}
        found.append(Content(event._replace(facts=facts), tuple(persons), texts))
    return found


def is_protected(sql: Sql, persons: Iterable[int]) -> bool:
    """Whether any of these persons is sheltered."""
    return bool(sql.rows_in("SELECT id FROM person WHERE protected AND id {in}", persons))
