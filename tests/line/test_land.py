"""Land: durable with its cursor, once per key, under a lease."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from hub.core.errors import HubError, RetryError, StaleLeaseError
from hub.core.records import StreamKey
from hub.line.land import land
from hub.store.claims import claim_stream, claim_streams, ensure_streams, finish_stream
from hub.store.engine import SqlStore
from tests.line.line_kit import NOW, VAULT, Line, call

INCIDENT = StreamKey("police", "incident")
LEASE = timedelta(seconds=30)


def test_one_key_is_one_page(store: SqlStore) -> None:
    """The same idempotency key with the same body gives the first page; with another body it is a conflict."""
    line = Line(store)
    first = line.land("police", "incident", call(), idempotency_key="k1")
    assert line.land("police", "incident", call(), idempotency_key="k1") == first
    with pytest.raises(HubError) as conflict:
        line.land("police", "incident", call("C2"), idempotency_key="k1")
    assert conflict.value.code == "idempotency.conflict"
    assert line.rows("SELECT COUNT(*) FROM page") == [(1,)]


def test_the_cursor_moves_with_the_page(store: SqlStore) -> None:
    """A page of a poll and the stream's cursor are one commit."""
    line = Line(store)
    ensure_streams(store, [INCIDENT], NOW)
    claim = claim_stream(store, INCIDENT, "a", NOW, LEASE)
    assert claim is not None
    line.land("police", "incident", call(), lease=claim.lease, cursor="2026-11-20")
    assert line.rows("SELECT cursor FROM schedule") == [("2026-11-20",)]


def test_a_stale_lease_stores_nothing(store: SqlStore) -> None:
    """Whoever slept through the lease is refused: neither page nor cursor."""
    line = Line(store)
    ensure_streams(store, [INCIDENT], NOW)
    slept = claim_stream(store, INCIDENT, "a", NOW, LEASE)
    taken = claim_stream(store, INCIDENT, "b", NOW + 2 * LEASE, LEASE)
    assert slept is not None
    assert taken is not None
    assert taken.lease.fence == slept.lease.fence + 1
    with pytest.raises(StaleLeaseError):
        line.land("police", "incident", call(), lease=slept.lease, cursor="x")
    assert line.rows("SELECT COUNT(*) FROM page") == [(0,)]
    assert line.rows("SELECT cursor FROM schedule") == [(None,)]
    assert not finish_stream(store, INCIDENT, slept.lease, next_due=NOW, heard_at=NOW)


def test_landing_together(store: SqlStore) -> None:
    """Pages landed by many threads at once are all there, each under its own uid, conflicts only for their owner."""
    line = Line(store)
    outcomes: list[str] = []
    lock = threading.Lock()

    def one(number: int) -> None:
        for turn in range(5):
            page = line.page("police", "incident", [call(f"C{number}-{turn}")], idempotency_key=f"k{number % 4}-{turn}")
            try:
                result = land(store, VAULT, page)
            except HubError as error:
                result = error.code
            with lock:
                outcomes.append(result)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 40
    assert outcomes.count("idempotency.conflict") == 20
    assert line.rows("SELECT COUNT(*) FROM page") == [(20,)]


def test_a_stream_is_claimed_once(store: SqlStore) -> None:
    """Many nodes looking at one due stream: exactly one gets it."""
    ensure_streams(store, [INCIDENT], NOW)
    won: list[str] = []
    lock = threading.Lock()

    def node(name: str) -> None:
        claims = claim_streams(store, name, NOW, LEASE, [INCIDENT])
        with lock:
            won.extend(claim.lease.owner for claim in claims)

    threads = [threading.Thread(target=node, args=(f"n{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_a_full_disk_is_told(sqlite_store: SqlStore) -> None:
    """When the database cannot grow nothing is stored, the caller is told to try again, and later it goes on."""
    line = Line(sqlite_store)
    raw = sqlite_store.writer.raw_connection()
    (pages_now,) = raw.cursor().execute("PRAGMA page_count").fetchone()
    raw.cursor().execute(f"PRAGMA max_page_count={pages_now}")
    raw.close()
    with pytest.raises(RetryError) as full:
        line.land("police", "incident", *[call(f"C{n}") for n in range(500)])
    assert full.value.code == "store.full"
    raw = sqlite_store.writer.raw_connection()
    raw.cursor().execute("PRAGMA max_page_count=1000000")
    raw.close()
    line.land("police", "incident", call())
    assert line.rows("SELECT COUNT(*) FROM page") == [(1,)]
