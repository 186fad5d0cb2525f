"""Records that their own unit took back or classed lower after they had lit a household: nothing disappears unseen.

The light follows a correction at once (section 4), and so do the duties it owed. Whoever owes an act can therefore make
it vanish by a newer version; here every such step stands, with who took it, when, and what was owed because of the record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from hub.core.records import Event, Key, Light, Party
from hub.core.rules import Policy
from hub.core.timeline import derive, facts_from_json
from hub.store.engine import SqlStore
from hub.store.sql import Sql
from hub.store.times import from_day, from_us

BATCH = 500
ABOUT_POLICE = frozenset({"D21"})
"""Duties of a supervisor about what the police have not done: theirs is the act."""


class _Version(NamedTuple):
    record: int
    key: Key
    kind: str
    updated_at: int
    received_at: int
    gone: bool
    at: int
    facts: str


def reclassified(store: SqlStore, policy: Policy) -> dict[str, Any]:
    """Every step down by a record's own unit, the newest first, and how many each unit took."""
    with store.read() as sql:
        rows = [row for batch in _corrected(sql) for row in _steps(sql, batch, policy)]
    rows.sort(key=lambda row: row["received_at"], reverse=True)
    counts = Counter(row["unit"] for row in rows)
    owed = Counter(row["unit"] for row in rows if row["owed_the_act"])
    units = [{"unit": unit, "lowered": n, "while_owing_the_act": owed[unit]} for unit, n in sorted(counts.items())]
    return {"units": units, "records": rows}


def _corrected(sql: Sql) -> Iterator[list[int]]:
    """Records with more than one version, a batch at a time."""
    after = 0
    while True:
        found = sql.rows(
            "SELECT record_id FROM version WHERE record_id > ? GROUP BY record_id HAVING COUNT(*) > 1"
            " ORDER BY record_id LIMIT ?",
            (after, BATCH),
        )
        if not found:
            return
        yield [int(record) for (record,) in found]
        after = int(found[-1][0])


def _steps(sql: Sql, records: list[int], policy: Policy) -> Iterator[dict[str, Any]]:
    parties = _parties(sql, records)
    for versions in _versions(sql, records).values():
        for before, after in pairwise(versions):
            was, now = (_opens(v, parties.get(v.record, ()), policy) for v in (before, after))
            if _light(was, policy) < Light.orange or _light(now, policy) >= _light(was, policy):
                continue
            owed = _owed(sql, before.record, after.received_at)
            unit = after.key.unit
            yield {
                "unit": unit,
                "stream": after.key.stream,
                "key": after.key.no,
                "received_at": from_us(after.received_at).isoformat(),
                "hours_after": round((after.received_at - before.received_at) / 3_600_000_000, 1),
                "was": sorted(was),
                "now": "retracted" if after.gone else sorted(now),
                "owed_then": sorted({what for what, _ in owed}),
                "owed_the_act": any(
                    to.removeprefix("head:") == unit or (what in ABOUT_POLICE and unit == "police") for what, to in owed
                ),
                "households": _homes(sql, before.record),
            }


def _versions(sql: Sql, records: Iterable[int]) -> Mapping[int, list[_Version]]:
    """Versions in the order in which they were the truth."""
    found: dict[int, list[_Version]] = {}
    for record, unit, stream, no, kind, updated, received, deleted, rejected, at, facts in sql.rows_in(
        "SELECT v.record_id, r.unit, r.stream, r.no, r.kind, v.updated_at, v.received_at, v.deleted, v.rejected, v.at,"
        " v.facts FROM version v JOIN record r ON r.id = v.record_id WHERE v.record_id {in}"
        " ORDER BY v.record_id, v.updated_at, v.deleted, v.number",
        records,
    ):
        gone = bool(deleted) or bool(rejected)
        view = _Version(int(record), Key(unit, stream, no), kind, int(updated), int(received), gone, int(at), facts)
        found.setdefault(view.record, []).append(view)
    return found


def _parties(sql: Sql, records: Iterable[int]) -> Mapping[int, tuple[Party, ...]]:
    """Who the record names now; of one that is gone nobody: its columns alone are read then."""
    found: dict[int, list[Party]] = {}
    for record, role, born, capacity, sex in sql.rows_in(
        "SELECT record_id, role, born, capacity, sex FROM party WHERE record_id {in} ORDER BY record_id, idx", records
    ):
        found.setdefault(int(record), []).append(Party(role, None, from_day(born), capacity, sex))
    return {record: tuple(parties) for record, parties in found.items()}


def _opens(version: _Version, parties: tuple[Party, ...], policy: Policy) -> set[str]:
    if version.gone:
        return set()
    at = from_us(version.at)
    event = Event(version.key, 1, version.kind, at, facts_from_json(version.facts), parties, (), True, at, at)
    edition = policy.at(at)
    known = derive(event)
    return {o.rule for o in edition.openings.get(event.kind, ()) if o.test(event.facts, known, event.key)}


def _light(rules: Iterable[str], policy: Policy) -> Light:
    return max((policy.rules[rule].light for rule in rules if rule in policy.rules), default=Light.unlit)


def _owed(sql: Sql, record: int, at: int) -> list[tuple[str, str]]:
    """What was owed because of the record and not done when the newer version came in."""
    rows = sql.rows(
        'SELECT o.what, o."to" FROM owed o JOIN owed_cause c ON c.owed_id = o.id WHERE c.record_id = ? AND'
        " (o.closed_at IS NULL OR o.closed_at >= ?)",
        (record, at),
    )
    return [(str(what), str(to)) for what, to in rows if str(what)[1:2].isdigit()]


def _homes(sql: Sql, record: int) -> list[str]:
    rows = sql.rows(
        "SELECT h.uid FROM event_place e JOIN household h ON h.id = e.household_id WHERE e.record_id = ?", (record,)
    )
    return [str(uid) for (uid,) in rows]
