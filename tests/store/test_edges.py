"""Edges in the archive: a code is used once, one key counts, a nonce is seen once, on both engines."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from hub.core.records import SHANGHAI, StreamKey
from hub.store import edges, snapshot
from hub.store.engine import SqlStore

NOW = datetime(2026, 11, 24, 12, tzinfo=SHANGHAI)
HOUR = timedelta(hours=1)
CALLS = StreamKey("police", "incident")


def state_of(store: SqlStore, key: str) -> str | None:
    with store.read() as sql:
        found = edges.known_key(sql, key)
    return None if found is None else found.state


def joined(store: SqlStore, key: str, code: str, at: datetime = NOW) -> str | None:
    return edges.join(store, code, key, key.encode().ljust(32), at)


@pytest.fixture
def invited(store: SqlStore) -> SqlStore:
    edges.invite(store, "police", "c1", NOW + HOUR, NOW)
    return store


def test_code_is_used_once_and_in_time(invited: SqlStore) -> None:
    """Neither a wrong, nor a late, nor a second use; a newer invitation ends an older one."""
    assert joined(invited, "k0", "wrong") is None
    assert joined(invited, "k0", "c1", NOW + HOUR + timedelta(seconds=1)) is None
    assert joined(invited, "k1", "c1") == "police"
    assert joined(invited, "k2", "c1") is None
    edges.invite(invited, "police", "c2", NOW + HOUR, NOW)
    edges.invite(invited, "police", "c3", NOW + HOUR, NOW)
    assert joined(invited, "k2", "c2") is None


def test_connector_has_one_key_until_it_is_revoked(invited: SqlStore) -> None:
    """A second edge ends the first; `revoke` ends key and code; others' edges are untouched."""
    edges.invite(invited, "court", "x1", NOW + HOUR, NOW)
    assert [joined(invited, key, code) for key, code in (("k1", "c1"), ("x", "x1"))] == ["police", "court"]
    edges.invite(invited, "police", "c2", NOW + HOUR, NOW)
    assert state_of(invited, "k1") == "active"
    joined(invited, "k2", "c2")
    assert [state_of(invited, key) for key in ("k1", "k2", "x")] == ["revoked", "active", "active"]
    edges.invite(invited, "police", "c3", NOW + HOUR, NOW)
    assert edges.act(invited, {"act": "revoke", "connector": "police"}, NOW) == 2
    assert [state_of(invited, key) for key in ("k2", "x")] == ["revoked", "active"]
    assert joined(invited, "k3", "c3") is None


def test_nonce_is_seen_once_while_its_signature_lives(store: SqlStore) -> None:
    """A replay is found until the signature is stale, and then forgotten; another key's nonce is another."""
    until = NOW + timedelta(minutes=5)

    assert edges.use_nonce(store, "k1", "n", until, NOW)
    assert not edges.use_nonce(store, "k1", "n", until, until)
    assert edges.use_nonce(store, "k2", "n", until, NOW)
    assert edges.use_nonce(store, "k1", "n", until + HOUR, until + timedelta(seconds=1))


def test_told_state_and_heard_streams_are_kept(invited: SqlStore) -> None:
    """The newest state stands; a stream's last answer never goes back, and never lies ahead of our clock."""
    joined(invited, "k1", "c1")
    edges.keep_told(invited, "k1", b'{"state":"full"}', [(CALLS, NOW + HOUR)], NOW)
    edges.keep_told(invited, "k1", b'{"state":"idle"}', [(CALLS, NOW - HOUR)], NOW)

    with invited.read() as sql:
        (view,) = edges.edges(sql)
        heard = snapshot.heard(sql)[CALLS].heard_at
    assert (view.connector, view.state, view.told, view.heard_at, heard) == (
        "police",
        "active",
        {"state": "idle"},
        NOW,
        NOW,
    )
