"""What the daily queue is made of: everything owed now, whose it is, and when something last happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

import orjson

from hub.core.queue import Item
from hub.core.records import Key, Light
from hub.core.timeline import facts_from_json
from hub.core.words import STATION
from hub.store.sql import Sql
from hub.store.times import from_us, opt_from_us, to_us
from hub.store.workers import on_team

QUIET = frozenset(
    {"household_member", "special_household", "visit_recorded", "review_concluded", "service_given", "duty_answer",
     "report_feedback"}
)  # fmt: skip
"""Records that are no event of the household's: they say who lives there, or that somebody did their duty."""


class Home(NamedTuple):
    """A household as the queue shows it."""

    id: int
    uid: str
    community: str | None
    light: Light
    assessment: str | None


def owed_now(sql: Sql) -> list[tuple[int | None, Item]]:
    """(household id, what is owed): open duties, reports on their ladder, answers that nobody acknowledged yet."""
    late = _late_steps(sql)
    found = []
    for no, what, to, state, due, household in sql.rows(
        'SELECT o.no, o.what, o."to", o.state, o.due, o.household_id FROM owed o WHERE o.closed_at IS NULL'
        " AND ((o.what LIKE ? AND o.state IN ('open', 'accepted')) OR (o.what = 'answer' AND o.state = 'open')"
        " OR (o.what LIKE ? AND o.state NOT IN ('decided', 'answered', 'cancelled')))",
        ("D%", "M%"),
    ):
        when = opt_from_us(due) if what[0] != "M" or state in ("open", "queued", "sent") else late.get(no)
        found.append((None if household is None else int(household), Item(no, what, to, when, state)))
    return found


def _late_steps(sql: Sql) -> dict[str, datetime]:
    """Report number → since when its earliest unreached step is late."""
    found: dict[str, datetime] = {}
    for opened, facts in sql.rows(
        "SELECT opened_at, facts FROM owed WHERE what = 'escalation' AND state = 'open' AND closed_at IS NULL"
    ):
        told = orjson.loads(facts)
        if told.get("step"):
            no, since = str(told.get("report_no")), from_us(opened)
            found[no] = min(since, found.get(no, since))
    return found


def homes(sql: Sql, wanted: Iterable[int]) -> dict[int, Home]:
    """Households by id."""
    rows = sql.rows_in("SELECT id, uid, community, light, assessment FROM household WHERE id {in}", wanted)
    return {
        int(n): Home(int(n), uid, community, Light(light), assessment) for n, uid, community, light, assessment in rows
    }


def lit(sql: Sql) -> dict[int, Light]:
    """Living households that are lit, by id."""
    rows = sql.rows("SELECT id, light FROM household WHERE light > 0 AND successor_id IS NULL")
    return {int(number): Light(light) for number, light in rows}


def last_events(sql: Sql, known: Mapping[int, Home], at: datetime) -> dict[int, datetime]:
    """When something last happened in each household, up to ``at``: by its records and by those of its open concerns."""
    lighting = {number: _keys_of(home.assessment) for number, home in known.items()}
    found: dict[int, datetime] = {}
    text = (
        "SELECT e.household_id, r.unit, r.stream, r.no, r.kind, r.at FROM event_place e JOIN record r ON r.id = e.record_id"
        " WHERE r.state = 'applied' AND e.household_id {in}"
    )
    until = to_us(at)
    for household, unit, stream, no, kind, when in sql.rows_in(text, known):
        if when > until or unit == STATION or (kind in QUIET and Key(unit, stream, no) not in lighting[household]):
            continue
        happened = from_us(when)
        found[int(household)] = max(happened, found.get(int(household), happened))
    return found


def _keys_of(assessment: str | None) -> set[Key]:
    told: dict[str, Any] = orjson.loads(assessment) if assessment else {}
    return {Key(*key) for concern in told.get("concerns", ()) for key in concern["events"]}


def accepted_by(sql: Sql) -> dict[str, str]:
    """Duty number → the worker who has it: named by the newest answer that accepts it (a hand-over is a newer one)."""
    found: dict[str, tuple[int, str]] = {}
    for at, facts in sql.rows(
        "SELECT at, facts FROM record WHERE kind = 'duty_answer' AND state = 'applied' ORDER BY at, updated_at, id"
    ):
        told = facts_from_json(facts)
        if told.get("status") == "accepted" and told.get("worker_no"):
            found[str(told.get("duty_no"))] = (at, str(told["worker_no"]))
    return {no: worker for no, (_, worker) in found.items()}


def responsible(sql: Sql) -> dict[int, str]:
    """Household id → the responsible worker whom its family file names, the newest row that names one."""
    return {
        int(household): str(told["worker_no"])
        for household, facts in sql.rows(
            "SELECT e.household_id, r.facts FROM event_place e JOIN record r ON r.id = e.record_id"
            " WHERE r.kind = 'household_member' AND r.stream = 'family_file' AND r.state = 'applied'"
            " ORDER BY r.updated_at, r.id"
        )
        if (told := facts_from_json(facts)).get("worker_no")
    }


class Member(NamedTuple):
    """A worker of the team: number, unit, kind of work; name sealed in ``body`` under ``version``."""

    no: str
    unit: str
    kind: str
    version: str
    body: bytes


def team(sql: Sql, on: date) -> list[Member]:
    """Everybody on the team on that day, by unit and number; a number that two units give is there twice."""
    return sorted(
        Member(no, told.unit, told.kind, uid, bytes(body))
        for unit, no, facts, uid, body in sql.rows(
            "SELECT r.unit, r.no, r.facts, v.uid, v.body FROM record r"
            " JOIN version v ON v.record_id = r.id AND v.number = r.version"
            " WHERE r.kind = 'worker' AND r.state = 'applied'"
        )
        if (told := on_team(unit, no, facts, on)) is not None
    )
