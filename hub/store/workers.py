"""Who works for which unit, by the `worker` stream: whoever decides about a light is one of them."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from hub.core.clocks import day_of
from hub.core.timeline import facts_from_json
from hub.core.unit_names import parse_unit
from hub.store.sql import Sql


class WorkerView(NamedTuple):
    """A worker of a unit: number, unit by our name, kind of work."""

    no: str
    unit: str
    kind: str


def worker(sql: Sql, no: str, on: date) -> WorkerView | None:
    """The worker with this number, if on the team on that day; None: nobody, or two units give the number to two."""
    found: dict[str, WorkerView] = {}
    for unit, number, facts in sql.rows(
        "SELECT unit, no, facts FROM record WHERE kind = 'worker' AND state = 'applied' AND no = ?", (no,)
    ):
        named = on_team(unit, number, facts, on)
        if named is not None:
            found[named.unit] = named
    return next(iter(found.values())) if len(found) == 1 else None


def on_team(unit: str, no: str, facts: str, on: date) -> WorkerView | None:
    """A row of the `worker` stream, if it counts on that day; the unit it names, else the one that sent it."""
    told = facts_from_json(facts)
    since, until = told.get("from"), told.get("until")
    if (isinstance(since, date) and day_of(since) > on) or (isinstance(until, date) and day_of(until) < on):
        return None
    return WorkerView(no, parse_unit(told.get("unit")) or unit, str(told.get("kind") or ""))
