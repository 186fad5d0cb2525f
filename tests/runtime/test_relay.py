from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from hub.core.errors import RetryError, StopError
from hub.runtime.relay import Relay
from hub.store.claims import Room, claim_parcels
from hub.store.engine import SqlStore
from hub.store.times import to_us
from tests.local_peer import until
from tests.runtime.conftest import now

COLUMNS = 'no, channel, "to", kind, urgent, state, body, attempts, next_at, created_at, last'


def put(store: SqlStore, *numbers: str, urgent: bool = False, to: str = "police") -> None:
    """Parcels that are due now."""
    with store.write() as tx:
        for no in numbers:
            at = to_us(now())
            tx.run(
                f"INSERT INTO parcel ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                (no, "first", to, "duty", urgent, "queued", b"", 0, at, at, ""),
            )


def settle(store: SqlStore, number: int) -> str:
    """The parcel has been received; its number."""
    with store.write() as tx:
        tx.run(
            "UPDATE parcel SET state = 'received', attempts = attempts + 1, lease_owner = NULL, lease_until = NULL WHERE id = ?",
            (number,),
        )
        row = tx.one("SELECT no FROM parcel WHERE id = ?", (number,))
    assert row is not None
    return str(row[0])


def relay(store: SqlStore, deliver: Any, **options: Any) -> Relay:
    return Relay(
        store,
        deliver,
        **{"owner": "n#1", "clock": now, "tick": timedelta(milliseconds=30), "lease": timedelta(seconds=30), **options},
    )


def queued(store: SqlStore) -> int:
    """Messages that are not settled."""
    with store.read() as sql:
        found = sql.one("SELECT COUNT(*) FROM parcel WHERE state = 'queued'")
    assert found is not None
    return int(found[0])


@contextmanager
def running(*relays: Relay) -> Iterator[list[BaseException]]:
    stop, errors = threading.Event(), []

    def run(one: Relay) -> None:
        try:
            one.run(stop)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in relays]
    for thread in threads:
        thread.start()
    yield errors
    stop.set()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()


def test_due_parcels_are_delivered_once_by_two_nodes(sqlite_store: SqlStore) -> None:
    """Forty parcels, two relays: each is attempted exactly once."""
    sent: list[str] = []
    lock = threading.Lock()

    def deliver(number: int) -> None:
        no = settle(sqlite_store, number)
        with lock:
            sent.append(no)

    put(sqlite_store, *(f"M-{n}" for n in range(40)))
    with running(relay(sqlite_store, deliver), relay(sqlite_store, deliver, owner="m#1")):
        until(lambda: len(sent) >= 40)

    assert sorted(sent) == sorted(f"M-{n}" for n in range(40))


def test_receiver_that_hangs_holds_one_thread(sqlite_store: SqlStore) -> None:
    """One delivery hangs, the others go out; the hanging one is finished before the relay ends."""
    go, sent = threading.Event(), []

    def deliver(number: int) -> None:
        if number == 1:
            go.wait(120)
        sent.append(settle(sqlite_store, number))

    put(sqlite_store, *(f"M-{n}" for n in range(1, 9)))
    with running(relay(sqlite_store, deliver, threads=2)):
        until(lambda: len(sent) == 7)
        go.set()

    assert sent[-1] == "M-1"


def test_a_receiver_that_hangs_holds_its_share_only(sqlite_store: SqlStore) -> None:
    """Every delivery to one unit hangs, and it has more messages than there are threads: the other unit's goes out."""
    go, sent = threading.Event(), []

    def deliver(number: int) -> None:
        if number <= 40:
            go.wait(120)
        sent.append(settle(sqlite_store, number))

    put(sqlite_store, *(f"M-{n}" for n in range(40)), urgent=True)
    put(sqlite_store, "R-1", to="court")
    with running(relay(sqlite_store, deliver, threads=4, urgent_each=2)):
        until(lambda: sent)
        assert sent == ["R-1"]
        go.set()


def test_reports_do_not_wait_for_one_another(sqlite_store: SqlStore) -> None:
    """Six urgent messages to a slow receiver are on their way at once, though it gets two ordinary ones at a time."""
    together = threading.Barrier(6)

    def deliver(number: int) -> None:
        if number <= 6:
            together.wait(120)
        settle(sqlite_store, number)

    put(sqlite_store, *(f"R-{n}" for n in range(6)), urgent=True)
    put(sqlite_store, *(f"M-{n}" for n in range(6)))
    with running(relay(sqlite_store, deliver, each=2)) as errors:
        until(lambda: queued(sqlite_store) == 0)

    assert not errors


def test_claim_takes_what_there_is_room_for(sqlite_store: SqlStore) -> None:
    """Urgent ones first and up to their share; then ordinary ones, no more than asked, none to a receiver that is full."""
    put(sqlite_store, "M-1", "M-2", "M-3")
    put(sqlite_store, "C-1", "C-2", to="court")
    put(sqlite_store, "R-1", "R-2", "R-3", urgent=True)

    def claimed(owner: str, room: Room) -> list[tuple[int, str, bool]]:
        return claim_parcels(sqlite_store, owner, now(), timedelta(seconds=30), room)

    assert claimed("a", Room(ordinary=0, urgent_each=2)) == [(6, "police", True), (7, "police", True)]
    assert claimed("b", Room(running={"police": 2}, each=2, urgent_each=2)) == [
        (4, "court", False),
        (5, "court", False),
    ]
    assert claimed("c", Room(ordinary=1)) == [(8, "police", True), (1, "police", False)]
    assert claimed("d", Room(limit=1)) == [(2, "police", False)]
    assert claimed("e", Room()) == [(3, "police", False)]
    assert claimed("f", Room()) == []


def test_urgent_parcels_are_claimed_first(sqlite_store: SqlStore) -> None:
    """With one thread, the report that came last goes out before the notices."""
    sent: list[str] = []
    put(sqlite_store, "N-1", "N-2")
    put(sqlite_store, "R-1", urgent=True)
    with running(relay(sqlite_store, lambda number: sent.append(settle(sqlite_store, number)), threads=1)):
        until(lambda: len(sent) == 3)

    assert sent == ["R-1", "N-1", "N-2"]


def test_new_parcel_goes_out_at_once_when_woken(sqlite_store: SqlStore) -> None:
    """The writer wakes the relay: nobody waits for the next tick."""
    sent: list[str] = []
    wake = threading.Event()
    tick = timedelta(seconds=60)
    made = relay(sqlite_store, lambda number: sent.append(settle(sqlite_store, number)), tick=tick, wake=wake)
    with running(made):
        until(made.is_running)
        put(sqlite_store, "R-1")
        wake.set()
        until(lambda: sent)


@pytest.mark.parametrize(("error", "fatal"), [(RetryError("busy"), False), (StopError("no keys"), True)])
def test_busy_archive_is_waited_out_and_a_defect_stops(sqlite_store: SqlStore, error: Exception, fatal: bool) -> None:
    """A retry is the lease's business; anything else ends the side task, and with it the process."""
    put(sqlite_store, "M-1", "M-2")
    tried: list[int] = []

    def deliver(number: int) -> None:
        tried.append(number)
        if number == 1:
            raise error
        settle(sqlite_store, number)

    with running(relay(sqlite_store, deliver)) as errors:
        until(lambda: len(tried) == 2)
        if fatal:
            until(lambda: errors)

    assert errors == ([error] if fatal else [])
