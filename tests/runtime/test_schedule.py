from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from hub.core.errors import RetryError
from hub.core.records import StreamKey
from hub.runtime.schedule import Schedule
from hub.runtime.unit_worker import UnitWorker
from hub.runtime.verbs import Verbs
from hub.settings import StreamConfig
from hub.store import ledger
from hub.store.claims import claim_stream, ensure_streams, release_node
from hub.store.engine import SqlStore
from hub.store.times import to_us
from tests.local_peer import Asked, LocalPeer, until
from tests.runtime.conftest import now

Make = Callable[..., UnitWorker]
MakeSchedule = Callable[..., Schedule]
Serve = Callable[[Callable[[Asked], tuple[int, dict[str, str], Any]]], LocalPeer]

INCIDENT = StreamKey("police", "incident")
ROWS = [{"接警编号": f"J{n}", "更新时间": f"2026-11-01 10:00:{n:02d}"} for n in range(5)]


@contextmanager
def running(schedule: Schedule) -> Iterator[threading.Thread]:
    """The schedule as a side task, stopped at the end; what it raised is raised here."""
    stop, errors = threading.Event(), []

    def run() -> None:
        try:
            schedule.run(stop)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield thread
    stop.set()
    thread.join(120)
    assert not thread.is_alive()
    if errors:
        raise errors[0]


def stream(peer: LocalPeer, **options: Any) -> StreamConfig:
    return StreamConfig(
        name="incident", transport="rest", url=peer.url,
        **{"every": timedelta(milliseconds=100), "cursor_field": "更新时间", "options": {"cursor_param": "since"}, **options},
    )  # fmt: skip


def row(store: SqlStore) -> ledger.ScheduleView:
    def rows() -> list[ledger.ScheduleView]:
        with store.read() as sql:
            return ledger.schedule(sql)

    return until(rows)[0]


def cursor(store: SqlStore) -> str | None:
    with store.read() as sql:
        return sql.rows("SELECT cursor FROM schedule")[0][0]


def issues(store: SqlStore) -> list[tuple[str, str]]:
    with store.read() as sql:
        return [(issue.code, issue.subject) for issue in ledger.issues(sql)]


def landed(store: SqlStore) -> list[Any]:
    with store.read() as sql:
        return [json.loads(body) for (body,) in sql.rows("SELECT body FROM page ORDER BY id")]


def test_due_stream_is_polled_on_its_grid(
    sqlite_store: SqlStore, make_worker: Make, make_schedule: MakeSchedule, serve: Serve
) -> None:
    """Rows land once with their cursor; the next polls ask from it, hear nothing new, and are heard."""
    peer = serve(lambda a: (200, {}, json.dumps([] if "since" in a.query else ROWS).encode()))
    schedule = make_schedule(make_worker(stream(peer)))

    with running(schedule):
        until(lambda: len(peer.asked) >= 4)
        assert schedule.is_ticking()

    assert landed(sqlite_store) == [ROWS]
    assert cursor(sqlite_store) == "2026-11-01 10:00:04"
    assert [a.query.get("since") for a in peer.asked[:2]] == [None, "2026-11-01 10:00:04"]
    assert row(sqlite_store).heard_at is not None
    assert (row(sqlite_store).failures, row(sqlite_store).last) == (0, "")


def test_one_stream_is_never_polled_twice_at_once(make_worker: Make, make_schedule: MakeSchedule, serve: Serve) -> None:
    """A poll three periods long: the stream waits for it, two nodes or one."""
    lock, inside, worst = threading.Lock(), [0], [0]
    slow = threading.Event()

    def answer(asked: Asked) -> tuple[int, dict[str, str], bytes]:
        with lock:
            inside[0] += 1
            worst[0] = max(worst[0], inside[0])
        slow.wait(0.3)
        with lock:
            inside[0] -= 1
        return 200, {}, b"[]"

    peer = serve(answer)
    with (
        running(make_schedule(make_worker(stream(peer)))),
        running(make_schedule(make_worker(stream(peer)), owner="node-b#1")),
    ):
        until(lambda: len(peer.asked) >= 5)
        slow.set()

    assert worst == [1]


def test_long_poll_keeps_its_lease(
    sqlite_store: SqlStore, make_worker: Make, make_schedule: MakeSchedule, serve: Serve
) -> None:
    """A poll three leases long is renewed by the tick: another node finds nothing to take, and its page lands."""
    go = threading.Event()
    peer = serve(lambda a: (200, {}, json.dumps(ROWS).encode()) if go.wait(120) else (500, {}, b""))
    lease = timedelta(seconds=1)
    with running(make_schedule(make_worker(stream(peer, every=timedelta(seconds=60))), lease=lease)):
        until(lambda: peer.asked)
        end = now() + 3 * lease
        while now() < end:
            assert claim_stream(sqlite_store, INCIDENT, "node-b#1", now(), lease) is None
        go.set()
        until(lambda: landed(sqlite_store))

    assert landed(sqlite_store) == [ROWS]


def test_taken_over_poll_stores_nothing(
    sqlite_store: SqlStore, make_worker: Make, make_schedule: MakeSchedule, serve: Serve
) -> None:
    """While a node sleeps past its lease another takes the stream: the sleeper's page is refused by the fence."""
    go = threading.Event()
    peer = serve(lambda a: (200, {}, json.dumps(ROWS).encode()) if go.wait(120) else (500, {}, b""))
    schedule = make_schedule(make_worker(stream(peer, every=timedelta(seconds=60))))
    with running(schedule):
        until(lambda: peer.asked)
        release_node(sqlite_store, "node-a#")
        assert claim_stream(sqlite_store, INCIDENT, "node-b#1", now(), timedelta(seconds=30)) is not None
        go.set()

    assert landed(sqlite_store) == []
    assert cursor(sqlite_store) is None


def test_trouble_is_retried_with_backoff_and_becomes_an_issue_then_recovers(
    sqlite_store: SqlStore, make_worker: Make, make_schedule: MakeSchedule, serve: Serve
) -> None:
    """works → breaks → says so → recovers: 503s are counted, the fifth opens an issue, an answer closes it."""
    broken = threading.Event()
    broken.set()
    peer = serve(lambda a: (503, {"Retry-After": "0.05"}, b"") if broken.is_set() else (200, {}, b"[]"))

    with running(make_schedule(make_worker(stream(peer)))):
        until(lambda: ("http.503", "police.incident") in issues(sqlite_store))
        assert row(sqlite_store).last == "http.503"
        assert row(sqlite_store).failures >= 5
        assert row(sqlite_store).heard_at is None
        broken.clear()
        until(lambda: row(sqlite_store).failures == 0)

    assert issues(sqlite_store) == []
    assert row(sqlite_store).heard_at is not None


def test_refused_credential_is_an_issue_at_once(
    sqlite_store: SqlStore, make_worker: Make, make_schedule: MakeSchedule, serve: Serve
) -> None:
    """A 401 pauses the feed until the longest retry, says who must act, and nothing else stops."""
    peer = serve(lambda a: (401, {}, b""))

    with running(make_schedule(make_worker(stream(peer)), retry_max=timedelta(minutes=5))):
        until(lambda: issues(sqlite_store))

    assert issues(sqlite_store) == [("http.401", "police.incident")]
    assert row(sqlite_store).next_due > now() + timedelta(minutes=4)
    assert len(peer.asked) == 1


def test_connector_that_raises_is_a_retry(
    sqlite_store: SqlStore, police: Any, make_worker: Make, make_schedule: MakeSchedule, serve: Serve
) -> None:
    """Foreign code may raise what it likes: it is counted against its stream and named by class only."""
    worker = make_worker(
        StreamConfig(name="incident", transport="rest", url="http://127.0.0.1:9/", every=timedelta(seconds=1))
    )

    def fetch(stream: str, cursor: str | None, context: Any) -> Iterator[Any]:
        raise ZeroDivisionError("张三")

    from dataclasses import replace

    worker.hands = Verbs(replace(police, fetch=fetch), clock=now)
    with running(make_schedule(worker)):
        until(lambda: row(sqlite_store).failures)

    assert row(sqlite_store).last == "connector.ZeroDivisionError"


def test_pages_before_an_error_stay(
    sqlite_store: SqlStore, make_worker: Make, make_schedule: MakeSchedule, serve: Serve
) -> None:
    """The second page fails: the first has landed with its cursor, and the next poll starts there."""
    peer = serve(
        lambda a: (
            (200, {}, json.dumps(ROWS[:2]).encode())
            if a.query["p"] == "1" and "since" not in a.query
            else (500, {}, b"")
        )
    )
    config = stream(peer, options={"page": {"param": "p", "size": 2}, "cursor_param": "since"})

    with running(make_schedule(make_worker(config))):
        until(lambda: any("since" in a.query for a in peer.asked))

    assert landed(sqlite_store) == [ROWS[:2]]
    assert cursor(sqlite_store) == "2026-11-01 10:00:01"


def test_time_that_went_by_is_recorded_as_missed(
    sqlite_store: SqlStore, make_worker: Make, make_schedule: MakeSchedule, serve: Serve
) -> None:
    """The hub was down for an hour: one poll catches up, the slots in between are counted."""
    peer = serve(lambda a: (200, {}, b"[]"))
    ensure_streams(sqlite_store, [INCIDENT], now() - timedelta(hours=1))

    with running(make_schedule(make_worker(stream(peer, every=timedelta(minutes=2))))):
        until(lambda: row(sqlite_store).missed)

    assert len(peer.asked) == 1
    assert 29 <= row(sqlite_store).missed <= 30


def test_clock_set_back_does_not_stop_the_schedule(
    sqlite_store: SqlStore, make_worker: Make, make_schedule: MakeSchedule, serve: Serve
) -> None:
    """The wall clock jumps an hour back: the stream is due now, not in an hour."""
    peer = serve(lambda a: (200, {}, b"[]"))
    back = [timedelta(0)]
    with running(make_schedule(make_worker(stream(peer, every=timedelta(seconds=30))), clock=lambda: now() - back[0])):
        until(lambda: row(sqlite_store).heard_at)
        asked = len(peer.asked)
        back[0] = timedelta(hours=1)
        until(lambda: len(peer.asked) > asked)


def test_poll_by_hand_runs_now_and_once(
    sqlite_store: SqlStore, make_worker: Make, make_schedule: MakeSchedule, serve: Serve
) -> None:
    """`connectors poll` reads a stream that is not due; while it is being polled the second is refused."""
    peer = serve(lambda a: (200, {}, json.dumps(ROWS).encode()))
    schedule = make_schedule(make_worker(stream(peer, every=timedelta(hours=1))))
    schedule.refresh()

    assert schedule.poll_now(INCIDENT).rows == 5
    held = claim_stream(sqlite_store, INCIDENT, "node-b#1", now(), timedelta(seconds=30))
    assert held is not None
    with pytest.raises(RetryError) as caught:
        schedule.poll_now(INCIDENT)
    assert caught.value.code == "stream.busy"


def test_leases_of_a_dead_process_are_given_back_at_start(sqlite_store: SqlStore) -> None:
    """A node that was killed takes its own streams up again at once; another node's stay."""
    ensure_streams(sqlite_store, [INCIDENT, StreamKey("police", "penalty")], now())
    for key, owner in ((INCIDENT, "node-a#1"), (StreamKey("police", "penalty"), "node-b#1")):
        assert claim_stream(sqlite_store, key, owner, now(), timedelta(hours=1)) is not None

    release_node(sqlite_store, "node-a#")

    assert claim_stream(sqlite_store, INCIDENT, "node-a#2", now(), timedelta(hours=1)) is not None
    assert claim_stream(sqlite_store, StreamKey("police", "penalty"), "node-a#2", now(), timedelta(hours=1)) is None
    with sqlite_store.read() as sql:
        assert sql.rows("SELECT COUNT(*) FROM schedule WHERE lease_until > ?", (to_us(now()),)) == [(2,)]
