"""What concerns no household: activities of the units, and when the district is looked at again."""

from __future__ import annotations

from datetime import datetime

from hub.core.records import Event, Key
from hub.core.timeline import facts_from_json
from hub.store.sql import Sql
from hub.store.times import from_us, opt_us, to_us

_ROW = "district"
"""Row of ``lease`` whose end is the next look."""


def district_is_due(sql: Sql, as_of: datetime) -> bool:
    """Whether the months and quarters without activity are to be looked at."""
    found = sql.one('SELECT "until" FROM lease WHERE what = ?', (_ROW,))
    return found is None or (found[0] is not None and int(found[0]) <= to_us(as_of))


def keep_next_look(sql: Sql, at: datetime | None) -> None:
    """When the answer changes by itself; None: only by a record."""
    sql.run(
        'INSERT INTO lease (what, fence, "until") VALUES (?, 0, ?) ON CONFLICT (what) DO UPDATE SET "until" = excluded."until"',
        (_ROW, opt_us(at)),
    )


def began(sql: Sql) -> datetime | None:
    """When the first page came in."""
    found = sql.one("SELECT MIN(received_at) FROM page")
    return None if found is None or found[0] is None else from_us(int(found[0]))


def activities(sql: Sql) -> list[Event]:
    """Every current record of what units held: classes, meetings, training."""
    return [
        Event(
            Key(unit, stream, no), version, "activity", from_us(at), facts_from_json(facts), (), (), bool(live),
            from_us(updated), from_us(received),
        )
        for unit, stream, no, version, at, facts, live, updated, received in sql.rows(
            "SELECT unit, stream, no, version, at, facts, live, updated_at, received_at FROM record"
            " WHERE kind = 'activity' AND state = 'applied' ORDER BY at, id"
        )
    ]  # fmt: skip
