"""The same light twice more, as others would ask for it: one statement of DuckDB SQL, and a general rule engine.

Both know what an archive of calls, disturbances, complaints, mediations and calm visits can exercise (O1, R6, O4, Y3, G1 and
the mediation that closes them), take their numbers from the policy, and say the colour alone: no reasons, no clause, no
next date, no second edition. ``benchmarks/backtest.py`` holds them against the hub, household by household.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import duckdb
import rule_engine

from hub.core.clocks import closing
from hub.core.records import Case
from hub.core.rules import Policy

COLUMNS = ("home", "kind", "happened", "category", "intensity", "frequent", "closed")
TABLE = (
    "CREATE TABLE event (home INTEGER, kind VARCHAR, happened TIMESTAMP, category VARCHAR, intensity VARCHAR,"
    " frequent BOOLEAN, closed TIMESTAMP)"
)
LIGHT = """
WITH RECURSIVE resolved AS (
    SELECT home, max(closed) AS last FROM event WHERE closed <= $as_of GROUP BY home
), counting AS (
    SELECT e.*, r.last, e.happened > coalesce(r.last, TIMESTAMP '1900-01-01') AS stands
    FROM event e LEFT JOIN resolved r USING (home) WHERE e.happened <= $as_of
), noise AS (
    SELECT home, list(DISTINCT CAST(happened AS DATE)) AS days FROM counting WHERE kind = 'conflict_found' GROUP BY home
), turns AS (
    SELECT home, CAST(moment AS DATE) AS day, frequent, row_number() OVER (PARTITION BY home ORDER BY moment) AS turn FROM (
        SELECT home, happened AS moment, frequent FROM counting WHERE kind = 'conflict_found'
        UNION ALL SELECT home, closed, NULL FROM event WHERE closed <= $as_of
    )
), often AS (
    SELECT home, CAST(0 AS BIGINT) AS turn, false AS open, DATE '1900-01-01' AS since FROM noise
    UNION ALL
    SELECT o.home, t.turn,
        CASE WHEN t.frequent IS NULL THEN false
             ELSE o.open OR t.frequent OR len(list_filter(n.days,
                 lambda d: d > o.since AND d <= t.day AND date_diff('day', d, t.day) <= $often_window)) >= $often_days END,
        CASE WHEN t.frequent IS NULL AND o.open THEN t.day ELSE o.since END
    FROM often o JOIN turns t ON t.home = o.home AND t.turn = o.turn + 1 JOIN noise n ON n.home = o.home
), noisy AS (
    SELECT home, arg_max(open, turn) AS open FROM often GROUP BY home
)
SELECT home,
    CASE WHEN bool_or(kind = 'police_call' AND intensity = 'fierce') THEN 'red'
         WHEN bool_or(kind = 'police_call' AND (stands OR category = 'domestic_violence')) THEN 'orange'
         WHEN bool_or(coalesce(noisy.open, false)) THEN 'orange'
         WHEN bool_or(stands AND kind IN ('conflict_found', 'complaint_received', 'mediation')) THEN 'yellow'
         WHEN date_diff('day', max(last), $as_of) < $green_days THEN 'green'
         ELSE 'unlit' END
FROM counting LEFT JOIN noisy USING (home) GROUP BY home
"""
RULES = (
    ("red", '[e for e in calls if e["intensity"] == "fierce"].length > 0'),
    ("orange", '[e for e in calls if e["category"] == "domestic_violence"].length > 0'),
    ("orange", '[e for e in calls if e["happened"] > resolved].length > 0'),
    ("orange", "noisy"),
    ("yellow", '[e for e in events if e["happened"] > resolved and e["kind"] != "visit_recorded"].length > 0'),
    ("green", "since_resolved >= 0 and since_resolved < green_days"),
)
"""The first that fits says the light; a household of which none fits is unlit."""
NEVER = datetime(1900, 1, 1)


def events_of(cases: Iterable[Case]) -> list[tuple[Any, ...]]:
    """Rows of ``TABLE``: what these rules ask of each event; times without zone, in Shanghai."""
    return [
        (
            case.household, event.kind, event.at.replace(tzinfo=None), event.facts.get("category"),
            event.facts.get("intensity"), bool(event.facts.get("frequent")), _resolved(event.facts),
        )
        for case in cases
        for event in case.events
    ]  # fmt: skip


def _resolved(facts: Mapping[str, Any]) -> datetime | None:
    if facts.get("status") != "resolved" or facts.get("closed_on") is None:
        return None
    return closing(facts["closed_on"]).replace(tzinfo=None)


class InSql:
    """DuckDB, one thread, the events in a table in memory."""

    def __init__(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self.sql = duckdb.connect(config={"threads": 1})
        self.sql.execute(TABLE)
        for at in range(0, len(rows), 1000):
            values = ",".join(["(?, ?, ?, ?, ?, ?, ?)"] * len(rows[at : at + 1000]))
            self.sql.execute(f"INSERT INTO event VALUES {values}", [v for row in rows[at : at + 1000] for v in row])

    def lights(self, policy: Policy, as_of: datetime) -> dict[int, str]:
        numbers = policy.numbers
        asked = {name: numbers[name] for name in ("often_window", "often_days", "green_days")}
        return dict(self.sql.execute(LIGHT, {**asked, "as_of": as_of.replace(tzinfo=None)}).fetchall())


class ByEngine:
    """rule-engine from PyPI: compiled expressions over the facts of a household, which a few lines gather first."""

    def __init__(self, rows: Sequence[tuple[Any, ...]]) -> None:
        context = rule_engine.Context(resolver=rule_engine.resolve_item)
        self.rules = [(light, rule_engine.Rule(text, context=context)) for light, text in RULES]
        self.homes: dict[int, list[dict[str, Any]]] = {}
        for row in rows:
            self.homes.setdefault(row[0], []).append(dict(zip(COLUMNS, row, strict=True)))

    def lights(self, policy: Policy, as_of: datetime) -> dict[int, str]:
        numbers, until = policy.numbers, as_of.replace(tzinfo=None)
        return {home: self._light(events, numbers, until) for home, events in self.homes.items()}

    def _light(self, events: list[dict[str, Any]], numbers: Mapping[str, int], as_of: datetime) -> str:
        events = [event for event in events if event["happened"] <= as_of]
        resolved = max((e["closed"] for e in events if e["closed"] and e["closed"] <= as_of), default=NEVER)
        facts = {
            "events": events, "calls": [e for e in events if e["kind"] == "police_call"], "resolved": resolved,
            "noisy": _is_noisy(events, numbers, as_of), "green_days": numbers["green_days"],
            "since_resolved": -1 if resolved == NEVER else (as_of.date() - resolved.date()).days,
        }  # fmt: skip
        return next((light for light, rule in self.rules if rule.matches(facts)), "unlit")


def _is_noisy(events: list[dict[str, Any]], numbers: Mapping[str, int], as_of: datetime) -> bool:
    """O4 as a loop: which no expression of the engine can say, for days before its closing do not count again (S18)."""
    turns = [(e["happened"], e["frequent"]) for e in events if e["kind"] == "conflict_found"]
    turns += [(e["closed"], None) for e in events if e["closed"] and e["closed"] <= as_of]
    is_open, since, days = False, NEVER.date(), set()
    for at, frequent in sorted(turns, key=lambda turn: turn[0]):
        if frequent is None:
            is_open, since = False, at.date() if is_open else since
            continue
        days.add(at.date())
        near = [day for day in days if day > since and at.date() - day <= timedelta(days=numbers["often_window"])]
        is_open = is_open or frequent or len(near) >= numbers["often_days"]
    return is_open
