"""Claims: due streams, parcels, the writer's lease. Each is one conditional UPDATE with a row count.

No advisory lock, no LISTEN: what two nodes share is a row. A fence grows with each take-over, so that a node that
slept through its lease is refused when it comes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from hub.core.errors import StaleLeaseError
from hub.core.freight import DAYS, Lease, stream_of
from hub.core.records import StreamKey
from hub.store.engine import SqlStore
from hub.store.sql import Sql
from hub.store.times import from_us, opt_from_us, to_us

WRITER = "writer"
AHEAD = 8
"""Due parcels looked at for each that may be claimed: those of a receiver that has its share are passed over."""


class StreamClaim(NamedTuple):
    """A due stream that this node may fetch now, from ``cursor``."""

    stream: StreamKey
    cursor: str | None
    due: datetime  # the grid point that was due
    lease: Lease
    heard_at: datetime | None
    failures: int


def stream_lease_name(stream: StreamKey) -> str:
    """The ``what`` of a stream's lease."""
    return f"stream:{stream.unit}/{stream.stream}"


def ensure_streams(store: SqlStore, streams: Iterable[StreamKey], first_due: datetime) -> None:
    """A schedule row for every polled stream; rows that exist keep their cursor and due time."""
    with store.claim() as sql:
        sql.many(
            "INSERT INTO schedule (unit, stream, next_due, fence, missed, failures, last) VALUES (?,?,?,0,0,0,'')"
            " ON CONFLICT (unit, stream) DO NOTHING",
            [(s.unit, s.stream, to_us(first_due)) for s in streams],
        )


def forget_feeds(store: SqlStore, wanted: Iterable[StreamKey]) -> None:
    """Of the streams of these feeds the parts that are read no more, with their cursors: a part that comes back is read anew."""
    kept = set(wanted)
    streams = {stream for stream, part in map(stream_of, kept) if part != DAYS}
    with store.claim() as sql:
        known = [StreamKey(*key) for key in sql.rows("SELECT unit, stream FROM schedule")]
        for feed in known:
            stream, part = stream_of(feed)
            if stream in streams and feed not in kept and part != DAYS:
                sql.run("DELETE FROM schedule WHERE unit = ? AND stream = ? AND lease_until IS NULL", feed)


def heard_of(sql: Sql, stream: StreamKey) -> tuple[datetime | None, bool]:
    """When a stream's source last answered, and whether it is read in parts: then the part heard longest ago counts."""
    rows = sql.rows(
        "SELECT stream, heard_at FROM schedule WHERE unit = ? AND (stream = ? OR stream LIKE ?)",
        (*stream, f"{stream.stream}#%"),
    )
    parts = [at for name, at in rows if stream_of(StreamKey(stream.unit, name))[1] not in ("", DAYS)]
    if parts:
        return (None if None in parts else from_us(min(parts))), True
    return next((opt_from_us(at) for name, at in rows if name == stream.stream), None), False


def claim_streams(
    store: SqlStore,
    owner: str,
    now: datetime,
    lease: timedelta,
    among: Sequence[StreamKey],
    limit: int = 64,
) -> list[StreamClaim]:
    """Streams of ``among`` that are due and not leased, now leased to ``owner``."""
    at, wanted = to_us(now), set(among)
    with store.read() as sql:
        due = sql.rows(
            "SELECT unit, stream, next_due, fence FROM schedule"
            " WHERE next_due <= ? AND (lease_until IS NULL OR lease_until < ?) ORDER BY next_due",
            (at, at),
        )
    chosen = [
        (StreamKey(unit, stream), int(next_due), int(fence))
        for unit, stream, next_due, fence in due
        if StreamKey(unit, stream) in wanted
    ][:limit]
    if not chosen:
        return []
    claims = store.claim_together(
        lambda sql: [_claim_stream(sql, key, owner, at, lease, due_at, fence) for key, due_at, fence in chosen]
    )
    return [claim for claim in claims if claim is not None]


def claim_stream(store: SqlStore, stream: StreamKey, owner: str, now: datetime, lease: timedelta) -> StreamClaim | None:
    """One stream whether due or not (`connectors poll`, a file that came in); None: somebody else has it."""
    with store.read() as sql:
        row = sql.one("SELECT next_due, fence FROM schedule WHERE unit = ? AND stream = ?", stream)
    if row is None:
        return None
    due, fence = int(row[0]), int(row[1])
    return store.claim_together(lambda sql: _claim_stream(sql, stream, owner, to_us(now), lease, due, fence))


def _claim_stream(
    sql: Sql, stream: StreamKey, owner: str, at: int, lease: timedelta, next_due: int, fence: int
) -> StreamClaim | None:
    until = at + lease // timedelta(microseconds=1)
    found = sql.rows(
        "UPDATE schedule SET lease_owner = ?, lease_until = ?, fence = fence + 1 WHERE unit = ? AND stream = ?"
        " AND fence = ? AND (lease_until IS NULL OR lease_until < ?) RETURNING cursor, heard_at, failures",
        (owner, until, *stream, fence, at),
    )
    if not found:
        return None
    cursor, heard_at, failures = found[0]
    held = Lease(stream_lease_name(stream), owner, fence + 1, from_us(until))
    return StreamClaim(stream, cursor, from_us(next_due), held, opt_from_us(heard_at), int(failures))


def extend_stream(store: SqlStore, stream: StreamKey, held: Lease, now: datetime, lease: timedelta) -> Lease:
    """Heartbeat of a long read. Raises StaleLeaseError when somebody else has the stream now."""
    until = now + lease
    with store.claim() as sql:
        changed = sql.run(
            "UPDATE schedule SET lease_until = ? WHERE unit = ? AND stream = ? AND fence = ? AND lease_owner = ?",
            (to_us(until), *stream, held.fence, held.owner),
        )
    if changed != 1:
        raise StaleLeaseError("the stream's lease was taken over", code="lease.stale")
    return held._replace(until=until)


def finish_stream(
    store: SqlStore,
    stream: StreamKey,
    held: Lease,
    *,
    next_due: datetime,
    heard_at: datetime | None,
    missed: int = 0,
    failed: bool = False,
    last: str = "",
) -> bool:
    """Give the stream back with its next due time; False: the lease had been taken over, nothing changed.

    ``heard_at`` is the time of an answer (an empty one too), None if there was none; ``last`` a coded result.
    """
    changed = store.claim_together(
        lambda sql: sql.run(
            "UPDATE schedule SET lease_owner = NULL, lease_until = NULL, next_due = ?,"
            " heard_at = COALESCE(?, heard_at), missed = missed + ?,"
            " failures = CASE WHEN ? THEN failures + 1 ELSE 0 END, last = ?"
            " WHERE unit = ? AND stream = ? AND fence = ? AND lease_owner = ?",
            (
                to_us(next_due),
                None if heard_at is None else to_us(heard_at),
                missed,
                failed,
                last,
                *stream,
                held.fence,
                held.owner,
            ),
        )
    )
    return changed == 1


def take_lease(
    store: SqlStore, what: str, owner: str, now: datetime, lease: timedelta, *, alone: bool = False
) -> Lease | None:
    """Take or renew a named lease (``writer``, ``node:NAME``); None: somebody else holds it.

    Renewing keeps the fence; taking over after its end makes it grow. ``alone``: whoever held it is known to be dead
    (on SQLite ``hub.lock`` is ours), so its end is not waited for.
    """
    at, until = to_us(now), now + lease
    with store.claim() as sql:
        sql.run("INSERT INTO lease (what, fence) VALUES (?, 0) ON CONFLICT (what) DO NOTHING", (what,))
        found = sql.rows(
            "UPDATE lease SET fence = CASE WHEN owner = ? THEN fence ELSE fence + 1 END, owner = ?, until = ?"
            ' WHERE what = ? AND (owner = ? OR owner IS NULL OR "until" < ? OR ?) RETURNING fence',
            (owner, owner, to_us(until), what, owner, at, alone),
        )
    return Lease(what, owner, int(found[0][0]), until) if found else None


def release_lease(store: SqlStore, held: Lease) -> None:
    """Give a named lease back at once, so that the next node need not wait for its end."""
    with store.claim() as sql:
        sql.run(
            "UPDATE lease SET owner = NULL, until = NULL WHERE what = ? AND owner = ? AND fence = ?",
            (held.what, held.owner, held.fence),
        )


def check_lease(sql: Sql, held: Lease) -> None:
    """Inside a commit: the lease is still ours; its row stays locked to the end. Raises StaleLeaseError."""
    changed = sql.run(
        "UPDATE lease SET fence = fence WHERE what = ? AND owner = ? AND fence = ?", (held.what, held.owner, held.fence)
    )
    if changed != 1:
        raise StaleLeaseError("the lease was taken over", code="lease.stale")


class Room(NamedTuple):
    """How many parcels may be claimed: ``limit`` in all, ``ordinary`` of them that are not urgent.

    A receiver that has ``each`` of its own on their way (``running``) gets urgent ones alone, with ``urgent_each`` none.
    """

    limit: int = 64
    ordinary: int = 64
    running: Mapping[str, int] = {}
    each: int = 64
    urgent_each: int = 64


def claim_parcels(
    store: SqlStore, owner: str, now: datetime, lease: timedelta, room: Room | None = None
) -> list[tuple[int, str, bool]]:
    """(id, receiver, urgent) of parcels that are due and not leased, urgent and oldest first, now leased to ``owner``."""
    at, until = to_us(now), to_us(now + lease)
    where = "state = ? AND next_at <= ? AND (lease_until IS NULL OR lease_until < ?)"
    chosen = _chosen(store, room or Room(), where, ("queued", at, at))
    if not chosen:
        return []
    return store.claim_together(
        lambda sql: [
            parcel
            for parcel in chosen
            if sql.run(
                f"UPDATE parcel SET lease_owner = ?, lease_until = ? WHERE id = ? AND {where}",
                (owner, until, parcel[0], "queued", at, at),
            )
        ]
    )


def _chosen(store: SqlStore, room: Room, where: str, values: tuple[object, ...]) -> list[tuple[int, str, bool]]:
    """As many of the due parcels as there is room for: the urgent ones, then the others."""
    counts = dict(room.running)
    chosen: list[tuple[int, str, bool]] = []
    with store.read() as sql:
        for urgent, each, limit in ((True, room.urgent_each, room.limit), (False, room.each, room.ordinary)):
            left = min(limit, room.limit - len(chosen))
            if left <= 0:
                continue
            full = sorted(to for to, count in counts.items() if count >= each)
            but = f' AND "to" NOT IN ({",".join("?" * len(full))})' if full else ""
            due = sql.rows(
                f'SELECT id, "to" FROM parcel WHERE {where} AND urgent = ?{but} ORDER BY next_at, id LIMIT ?',
                (*values, urgent, *full, AHEAD * left),
            )
            for number, to in due:
                if left > 0 and counts.get(to, 0) < each:
                    counts[to] = counts.get(to, 0) + 1
                    left -= 1
                    chosen.append((int(number), str(to), urgent))
    return chosen


def next_wake(store: SqlStore) -> datetime | None:
    """The nearest instant at which something falls due by itself: a household's ``valid_until`` or a parcel."""
    with store.read() as sql:
        nearest = [
            row[0]
            for row in (
                sql.one("SELECT MIN(valid_until) FROM household WHERE valid_until IS NOT NULL"),
                sql.one("SELECT MIN(next_at) FROM parcel WHERE state = 'queued'"),
            )
            if row is not None and row[0] is not None
        ]
    return from_us(min(nearest)) if nearest else None


def release_node(store: SqlStore, prefix: str) -> None:
    """Give back at once what earlier processes of this node held (owners that begin with ``prefix``; empty: anybody).

    Called at start, when those processes are known to be gone: nothing waits for the end of a dead lease. A process
    that lives on all the same is fenced: streams by their next claim, the writer because its lease is nobody's.
    """
    end = prefix + "\U0010ffff"
    with store.claim() as sql:
        for table, owner, until in (
            ("schedule", "lease_owner", "lease_until"),
            ("parcel", "lease_owner", "lease_until"),
            ("lease", "owner", '"until"'),
        ):
            sql.run(
                f"UPDATE {table} SET {owner} = NULL, {until} = NULL WHERE {owner} >= ? AND {owner} < ?",
                (prefix, end),
            )


def pull_forward(
    store: SqlStore, streams: Iterable[StreamKey], latest: datetime, *, failing: datetime | None = None
) -> None:
    """No stream is due later than ``latest``: after the wall clock stepped back, or its period was shortened.

    One whose last polls failed waits for its next try: no later than ``failing``.
    """
    with store.claim() as sql:
        for stream in streams:
            sql.run(
                "UPDATE schedule SET next_due = CASE WHEN failures > 0 THEN ? ELSE ? END WHERE unit = ? AND stream = ?"
                " AND next_due > CASE WHEN failures > 0 THEN ? ELSE ? END",
                (*(bounds := (to_us(failing or latest), to_us(latest))), *stream, *bounds),
            )
