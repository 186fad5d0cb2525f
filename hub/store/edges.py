"""Edges: who was invited, whose key is known, which requests were seen, what each edge last told of itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from hub.core.records import StreamKey
from hub.store.engine import SqlStore
from hub.store.sql import Sql
from hub.store.times import opt_from_us, to_us

INVITED, ACTIVE, REVOKED = "invited", "active", "revoked"
BY_EDGE = "edge"
"""Last result of a stream that its edge reads."""
FAR = timedelta(days=36_500)
"""A stream that its edge polls is never due here."""


class EdgeView(NamedTuple):
    """One edge as people see it; ``told`` is the state it last told of itself."""

    connector: str
    state: str
    key_id: str | None
    invited_at: datetime | None
    code_until: datetime | None
    joined_at: datetime | None
    revoked_at: datetime | None
    heard_at: datetime | None
    told: dict[str, Any]


class EdgeKey(NamedTuple):
    """A known key: whose it is, and whether it still counts."""

    connector: str
    state: str
    public: bytes


_VIEW = "connector, state, key_id, invited_at, code_until, joined_at, revoked_at, heard_at, told"


def edges(sql: Sql) -> list[EdgeView]:
    """Every connector's newest edge, by connector; one that is active stands before a newer invitation."""
    rows = sql.rows(
        f"SELECT {_VIEW} FROM edge ORDER BY connector, CASE WHEN state = 'active' THEN 0 ELSE 1 END, id DESC"
    )
    found: dict[str, EdgeView] = {}
    for connector, state, key, invited, until, joined, revoked, heard, told in rows:
        found.setdefault(
            connector,
            EdgeView(
                connector, state, key, opt_from_us(invited), opt_from_us(until), opt_from_us(joined), opt_from_us(revoked),
                opt_from_us(heard), orjson.loads(told or b"{}"),
            ),
        )  # fmt: skip
    return list(found.values())


def invite(store: SqlStore, connector: str, code_hash: str, until: datetime, now: datetime) -> None:
    """Remember a one-time code; an older unused one of this connector is void."""
    with store.claim() as sql:
        sql.run(
            "UPDATE edge SET state = 'revoked', code_hash = NULL, revoked_at = ? WHERE connector = ? AND state = 'invited'",
            (to_us(now), connector),
        )
        sql.insert(
            "edge",
            ("connector", "state", "code_hash", "code_until", "invited_at"),
            [(connector, INVITED, code_hash, to_us(until), to_us(now))],
        )


def join(store: SqlStore, code_hash: str, key_id: str, public: bytes, now: datetime) -> str | None:
    """Use a code up and know the key from now on; the connector, None: no such code, used up, or too old.

    A connector has one edge: its former key is revoked in the same commit.
    """
    at = to_us(now)
    with store.claim() as sql:
        found = sql.rows(
            "UPDATE edge SET state = 'active', code_hash = NULL, key_id = ?, public_key = ?, joined_at = ?"
            " WHERE code_hash = ? AND state = 'invited' AND code_until >= ? RETURNING connector, id",
            (key_id, public, at, code_hash, at),
        )
        if not found:
            return None
        connector, number = found[0]
        sql.run(
            "UPDATE edge SET state = 'revoked', revoked_at = ? WHERE connector = ? AND state = 'active' AND id <> ?",
            (at, connector, number),
        )
    return str(connector)


def revoke(store: SqlStore, connector: str, now: datetime) -> int:
    """No key and no code of this connector counts any more; how many there were."""
    with store.claim() as sql:
        return sql.run(
            "UPDATE edge SET state = 'revoked', code_hash = NULL, revoked_at = ?"
            " WHERE connector = ? AND state IN ('invited', 'active')",
            (to_us(now), connector),
        )


def act(store: SqlStore, asked: Mapping[str, Any], now: datetime) -> int:
    """What a command does to a connector's edge, here or by the daemon's socket; how many rows it changed."""
    connector = str(asked["connector"])
    if asked["act"] == "revoke":
        return revoke(store, connector, now)
    invite(store, connector, str(asked["code_hash"]), now + timedelta(hours=int(asked["hours"])), now)
    return 1


def known_key(sql: Sql, key_id: str) -> EdgeKey | None:
    """A key that has ever joined, also a revoked one."""
    row = sql.one("SELECT connector, state, public_key FROM edge WHERE key_id = ?", (key_id,))
    return None if row is None else EdgeKey(row[0], row[1], bytes(row[2]))


def use_nonce(store: SqlStore, key_id: str, nonce: str, until: datetime, now: datetime) -> bool:
    """Whether this nonce was never seen before; it is remembered until its signature is stale."""
    with store.claim() as sql:
        sql.run("DELETE FROM edge_nonce WHERE kept_until < ?", (to_us(now),))
        return (
            sql.run(
                "INSERT INTO edge_nonce (key_id, nonce, kept_until) VALUES (?,?,?) ON CONFLICT DO NOTHING",
                (key_id, nonce, to_us(until)),
            )
            == 1
        )


def keep_told(
    store: SqlStore, key_id: str, told: bytes, heard: Iterable[tuple[StreamKey, datetime]], now: datetime
) -> None:
    """What an edge told of itself, and when it last heard each of its streams."""
    with store.claim() as sql:
        sql.run("UPDATE edge SET heard_at = ?, told = ? WHERE key_id = ?", (to_us(now), told.decode(), key_id))
        sql.many(
            "INSERT INTO schedule (unit, stream, next_due, fence, missed, failures, last, heard_at)"
            " VALUES (?,?,?,0,0,0,?,?) ON CONFLICT (unit, stream) DO UPDATE SET heard_at = excluded.heard_at"
            " WHERE schedule.heard_at IS NULL OR schedule.heard_at < excluded.heard_at",
            [(*key, to_us(now + FAR), BY_EDGE, to_us(min(at, now))) for key, at in heard],
        )
