"""The situation report of one community for one month: what the monthly meeting (工作例会) looks at.

Counts, units and household ids; no name and no number of a person. Counts of what single units sent or owed are
suppressed below ``FEWEST``, so that nobody is found by a small number; the lights (底数) and the agenda are the meeting's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from hub.core.pairing import is_duty, is_report
from hub.core.records import Light
from hub.core.timeline import facts_from_json
from hub.core.words import STATION
from hub.store.sql import Sql
from hub.store.times import to_us
from hub.store.volume import thin_at

FEWEST = 5
"""Counts of groups below this are suppressed."""
AGENDA = ("D18", "D19", "D22")
"""Duties that put a household on the agenda (四(一))."""
LEFT_OUT = frozenset({"household_member", "worker", "activity", "silence", "adoption", "receipt"})


class Month(NamedTuple):
    """What is reported: a community, from ``start`` until before ``end``, looked at ``now``."""

    community: str
    start: datetime
    end: datetime
    now: datetime

    @property
    def span(self) -> tuple[int, int]:
        """Both ends as stored."""
        return to_us(self.start), to_us(self.end)


def monthly(sql: Sql, month: Month) -> dict[str, Any]:
    """Everything that the report says, JSON-ready."""
    owed = list(_owed(sql, month))
    changes = _changes(sql, month)
    return {
        "community": month.community,
        "month": f"{month.start:%Y-%m}",
        "made_at": month.now.isoformat(),
        "lights_before": _lights(sql, month.community, month.span[0]),
        "lights": _lights(sql, month.community, month.span[1]),
        "changes": changes,
        "records": _records(sql, month),
        "reports": _by_unit((row for row in owed if is_report(row.what)), month, ("what", "unit")),
        "duties": _by_unit((row for row in owed if is_duty(row.what)), month, ("what", "unit")),
        "agenda": sorted(
            {row.household for row in owed if row.what in AGENDA and row.household and row.is_open(month)}
        ),
        "activities": _activities(sql, month),
        "thin": [s for s in thin_at(sql, min(month.end, month.now)) if "." in s or s == month.community],
    }


def hidden(count: int) -> int | None:
    """A count that names nobody: none at all, or five and more; None: suppressed."""
    return count if count == 0 or count >= FEWEST else None


def _lights(sql: Sql, community: str, until: int) -> dict[str, int]:
    """Households by light as the hub had written it down by then: critical, prominent, general (底数), and green."""
    rows = sql.rows(
        "SELECT c.household_id, c.light FROM light_change c JOIN household h ON h.id = c.household_id"
        " WHERE h.community = ? AND h.successor_id IS NULL AND c.at < ? ORDER BY c.id",
        (community, until),
    )
    last = {int(household): Light(light) for household, light in rows}
    counts = Counter(light.name for light in last.values())
    return {light.name: counts[light.name] for light in sorted(Light, reverse=True) if light}


def _changes(sql: Sql, month: Month) -> dict[str, int]:
    rows = sql.rows(
        "SELECT was, light FROM light_change WHERE community = ? AND at >= ? AND at < ?", (month.community, *month.span)
    )
    return {
        "up": sum(light > was for was, light in rows),
        "down": sum(light < was for was, light in rows),
        "new_red": sum(light == Light.red > was for was, light in rows),
    }


def _records(sql: Sql, month: Month) -> list[dict[str, Any]]:
    """What each unit sent about households of the community, by the day it happened."""
    rows = sql.rows(
        "SELECT r.unit, r.stream, r.kind, COUNT(DISTINCT r.id) FROM record r JOIN event_place e ON e.record_id = r.id"
        " JOIN household h ON h.id = e.household_id WHERE h.community = ? AND r.state = 'applied' AND r.at >= ? AND r.at < ?"
        " GROUP BY r.unit, r.stream, r.kind ORDER BY r.unit, r.stream",
        (month.community, *month.span),
    )
    return [
        {"unit": unit, "stream": stream, "count": hidden(int(count))}
        for unit, stream, kind, count in rows
        if unit != STATION and kind not in LEFT_OUT
    ]


class _Owed(NamedTuple):
    what: str
    unit: str
    household: str | None
    opened: int
    due: int | None
    closed: int | None
    state: str

    def is_open(self, month: Month) -> bool:
        """Whether it stood open at the end of the month (or stands now)."""
        end = min(month.span[1], to_us(month.now))
        return self.opened < end and (self.closed is None or self.closed >= end)


def _owed(sql: Sql, month: Month) -> Iterable[_Owed]:
    rows = sql.rows(
        'SELECT o.what, o."to", h.uid, h.community, o.opened_at, o.due, o.closed_at, o.state, o.facts FROM owed o'
        " LEFT JOIN household h ON h.id = o.household_id WHERE o.opened_at < ?",
        (month.span[1],),
    )
    for what, to, uid, community, opened, due, closed, state, facts in rows:
        where = community if uid is not None else orjson.loads(facts).get("community")
        private = to.startswith("head:")  # what a head decides is told to nobody, not as a number either
        if where == month.community and not private and (is_duty(what) or is_report(what)):
            yield _Owed(what, to, uid, opened, due, closed, state)


def _by_unit(owed: Iterable[_Owed], month: Month, by: tuple[str, str]) -> list[dict[str, Any]]:
    """Counts by duty (or report) and unit: opened, done and returned in the month, open and overdue at its end."""
    start, end = month.span
    told: dict[tuple[str, str], Counter[str]] = {}
    for row in owed:
        counts = told.setdefault((row.what, row.unit), Counter())
        counts["opened"] += row.opened >= start
        closed_now = row.closed is not None and start <= row.closed < end
        counts["done"] += closed_now and row.state in ("done", "answered")
        counts["returned"] += closed_now and row.state == "returned"
        counts["open"] += row.is_open(month)
        counts["overdue"] += row.is_open(month) and row.due is not None and row.due < min(end, to_us(month.now))
    names = ("opened", "done", "returned", "open", "overdue")
    return [
        dict(zip(by, key, strict=True)) | {name: hidden(counts[name]) for name in names}
        for key, counts in sorted(told.items(), key=lambda pair: _order(pair[0]))
        if any(counts.values())
    ]


def _order(key: tuple[str, str]) -> tuple[str, int, str, str]:
    what, unit = key
    digits = "".join(mark for mark in what if mark.isdigit())
    return what[0], int(digits or 0), what, unit


def _activities(sql: Sql, month: Month) -> list[dict[str, Any]]:
    """Classes, meetings, training and the like that units held, this community's or the whole district's."""
    rows = sql.rows(
        "SELECT facts FROM record WHERE kind = 'activity' AND state = 'applied' AND at >= ? AND at < ?", month.span
    )
    held: dict[str, list[Mapping[str, Any]]] = {}
    for (facts,) in rows:
        told = facts_from_json(facts)
        if told.get("community") in (None, month.community):
            held.setdefault(str(told.get("kind")), []).append(told)
    return [
        {"kind": kind, "count": len(found), "attendees": sum(int(one.get("attendees") or 0) for one in found)}
        for kind, found in sorted(held.items())
    ]
