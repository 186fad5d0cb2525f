"""What the hub holds of one day of one stream, and what comparing it with its source came to.

A row is held once it landed and was applied: as a record in any state, or as a quarantined row that waits or was given
up. Keys are the unit's own numbers, which stand in the clear, as the mapping and ``core.normalise`` make them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from hub.core.records import SHANGHAI, StreamKey
from hub.store.engine import SqlStore
from hub.store.sql import Sql
from hub.store.times import from_us, to_us

__all__ = ["DayView", "Held", "cursor_of", "day_views", "held", "held_keys", "keep_days", "newest_page", "not_held"]

KEPT = 400
"""Days of which the result is kept."""
COLUMNS = {"updated": "updated_at", "event": "at"}
"""By which time of a record its source counts → column of ``record``."""


class DayView(NamedTuple):
    """One day of one stream as it was compared last."""

    stream: StreamKey
    day: date
    theirs: int | None  # records the source says it has; None: it was not asked, or does not say
    ours: int
    missing: int  # the source has them and the hub does not
    extra: int  # the hub has them and the source does not
    pulled: int  # rows that were read again for it, all in all
    tries: int  # how often in a row they were read again in vain
    state: str  # agrees, extra, differs
    at: datetime


class Held(NamedTuple):
    """What the hub has of one day: keyed records and rows, and quarantined rows nobody can put to a day or key."""

    number: int
    unclear: int


def _begin(day: date) -> int:
    return to_us(datetime(day.year, day.month, day.day, tzinfo=SHANGHAI))


def _within(day: date) -> tuple[int, int]:
    return _begin(day), _begin(day + timedelta(days=1))


def held(sql: Sql, stream: StreamKey, by: str, day: date) -> Held:
    """How many keys the hub has of one day; a scan of the stream's records, for who asks a few times a day."""
    row = sql.one(
        f"SELECT COUNT(*) FROM record WHERE unit = ? AND stream = ? AND {COLUMNS[by]} >= ? AND {COLUMNS[by]} < ?",
        (*stream, *_within(day)),
    )
    assert row is not None
    waiting = _waiting_keys(sql, stream, day) if by == "updated" else set()
    counted = _records_among(sql, stream, day, waiting)
    unclear = sql.one(
        "SELECT COUNT(*) FROM quarantine WHERE unit = ? AND stream = ? AND state IN ('open', 'discarded')"
        " AND mode <> 'shadow' AND at >= ? AND (no IS NULL OR updated_at IS NULL OR ?)",
        (*stream, _begin(day), by == "event"),
    )
    assert unclear is not None
    return Held(int(row[0]) + len(waiting - counted), int(unclear[0]))


def _waiting_keys(sql: Sql, stream: StreamKey, day: date) -> set[str]:
    """Keys of that day's rows in quarantine."""
    rows = sql.rows(
        "SELECT no FROM quarantine WHERE state IN ('open', 'discarded') AND unit = ? AND stream = ? AND no IS NOT NULL"
        " AND mode <> 'shadow' AND updated_at >= ? AND updated_at < ?",
        (*stream, *_within(day)),
    )
    return {str(no) for (no,) in rows}


def _records_among(sql: Sql, stream: StreamKey, day: date, keys: set[str]) -> set[str]:
    """Of these keys those that are records of that day too."""
    rows = sql.rows_in(
        "SELECT no FROM record WHERE unit = ? AND stream = ? AND updated_at >= ? AND updated_at < ? AND no {in}",
        keys, (*stream, *_within(day)),
    )  # fmt: skip
    return {str(no) for (no,) in rows}


def held_keys(sql: Sql, stream: StreamKey, by: str, day: date) -> set[str]:
    """Keys of all records and waiting rows of one day."""
    rows = sql.rows(
        f"SELECT no FROM record WHERE unit = ? AND stream = ? AND {COLUMNS[by]} >= ? AND {COLUMNS[by]} < ?",
        (*stream, *_within(day)),
    )
    return {str(no) for (no,) in rows} | (_waiting_keys(sql, stream, day) if by == "updated" else set())


def not_held(sql: Sql, stream: StreamKey, by: str, day: date, keys: Iterable[str]) -> set[str]:
    """Of the keys that a source names for a day those the hub has not, or (by time of update) only as they were before."""
    wanted = set(keys)
    since = _begin(day) if by == "updated" else -(1 << 62)
    records = sql.rows_in(
        "SELECT no FROM record WHERE unit = ? AND stream = ? AND updated_at >= ? AND no {in}", wanted, (*stream, since)
    )
    waiting = sql.rows_in(
        "SELECT no FROM quarantine WHERE state IN ('open', 'discarded') AND unit = ? AND stream = ?"
        " AND mode <> 'shadow' AND COALESCE(updated_at, at) >= ? AND no {in}",
        wanted, (*stream, since),
    )  # fmt: skip
    return wanted - {str(no) for (no,) in (*records, *waiting)}


def newest_page(sql: Sql, stream: StreamKey) -> str | None:
    """The newest page of a stream that waits to be applied."""
    row = sql.one(
        "SELECT uid FROM page WHERE state = 'landed' AND unit = ? AND stream = ? AND mode <> 'shadow'"
        " ORDER BY id DESC LIMIT 1",
        stream,
    )
    return None if row is None else str(row[0])


def cursor_of(sql: Sql, stream: StreamKey) -> str | None:
    """Where the stream's reading stands, or that of one of its parts: how it spells a time."""
    row = sql.one(
        "SELECT MAX(cursor) FROM schedule WHERE unit = ? AND (stream = ? OR stream LIKE ?)",
        (*stream, f"{stream.stream}#%"),
    )
    return None if row is None else row[0]


_VIEW = "unit, stream, day, theirs, ours, missing, extra, pulled, tries, state, at"


def day_views(sql: Sql, unit: str | None = None, since: date | None = None) -> list[DayView]:
    """Compared days by stream, the newest first; of one unit only, and not before ``since``, if these are given."""
    rows = sql.rows(
        f"SELECT {_VIEW} FROM reconciled WHERE day >= ? ORDER BY unit, stream, day DESC",
        (since.toordinal() if since is not None else 0,),
    )
    return [
        DayView(
            StreamKey(one, stream),
            date.fromordinal(day),
            theirs,
            ours,
            missing,
            extra,
            pulled,
            tries,
            state,
            from_us(at),
        )
        for one, stream, day, theirs, ours, missing, extra, pulled, tries, state, at in rows
        if unit is None or one == unit
    ]


def keep_days(store: SqlStore, days: Sequence[DayView]) -> None:
    """Write down how some days of one stream compare now, in place of how they did; very old ones go."""
    if not days:
        return
    columns = [name.strip() for name in _VIEW.split(",")]
    changed = ", ".join(f"{name} = excluded.{name}" for name in columns[3:])
    with store.claim() as sql:
        sql.many(
            f"INSERT INTO reconciled ({_VIEW}) VALUES (?,?,?,?,?,?,?,?,?,?,?)"
            f" ON CONFLICT (unit, stream, day) DO UPDATE SET {changed}",
            [(*d.stream, d.day.toordinal(), *d[2:9], to_us(d.at)) for d in days],
        )
        newest = max(view.day for view in days)
        sql.run(
            "DELETE FROM reconciled WHERE unit = ? AND stream = ? AND day < ?",
            (*days[0].stream, newest.toordinal() - KEPT),
        )
