"""Comparing streams with their sources by the clock, through a real process, on both engines."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.core.errors import RetryError
from hub.core.records import StreamKey
from hub.line.land import land
from hub.line.reconcile import TRIES, DaysPlan, compare_days
from hub.runtime.schedule import Schedule
from hub.runtime.supervisor import ChildSpec, Supervisor
from hub.runtime.unit_worker import UnitWorker, page_of_rows
from hub.settings import ConnectorConfig, Limits, ReconcileConfig, StreamConfig
from hub.store import ledger
from hub.store.engine import SqlStore
from hub.store.numbers import new_uid
from hub.store.reconciled import DayView, day_views, keep_days
from tests.local_peer import Asked, LocalPeer, until
from tests.runtime.conftest import now
from tests.runtime.test_schedule import running

Serve = Callable[[Callable[[Asked], tuple[int, dict[str, str], Any]]], LocalPeer]
MakeSchedule = Callable[..., Schedule]
INCIDENT = StreamKey("police", "incident")


class Source:
    """Counts of days (a wrong one, and always the same), and records that never make it right."""

    def __init__(self, count: int = 5) -> None:
        self.count = count
        self.asked: list[str] = []
        self.down = threading.Event()

    def __call__(self, asked: Asked) -> tuple[int, dict[str, str], Any]:
        self.asked.append(asked.path)
        if self.down.is_set():
            return 503, {}, b""
        if asked.path == "/counts":
            return 200, {}, json.dumps({"n": self.count if asked.query["day"] == str(yesterday()) else 0}).encode()
        return 200, {}, b"[]"


def yesterday() -> Any:
    return now().date() - timedelta(days=1)


def config(peer: LocalPeer, every: float = 0.1) -> StreamConfig:
    counts = {"url": f"{peer.url}/counts", "params": {"day": "{day}"}, "count": "n"}
    return StreamConfig(
        name="incident", transport="rest", url=f"{peer.url}/rows", cursor_field="更新时间",
        reconcile=ReconcileConfig(every=timedelta(seconds=every), days=2, options={"counts": counts}),
    )  # fmt: skip


@pytest.fixture
def in_process(police: Any) -> Iterator[Callable[[StreamConfig], UnitWorker]]:
    """The police connector in a process of its own."""
    made: list[UnitWorker] = []

    def make(stream: StreamConfig) -> UnitWorker:
        own = ConnectorConfig(name="police", enabled=True, path=Path("police.toml"), streams={stream.name: stream})
        hands = Supervisor(ChildSpec(name="police", entry="connectors.police", unit="police"))
        made.append(UnitWorker(police.manifest, own, Limits(peer_seconds=5), hands, clock=now, new_uid=new_uid))
        return made[-1]

    yield make
    for worker in made:
        worker.close()


def views(store: SqlStore) -> list[DayView]:
    with store.read() as sql:
        return day_views(sql)


def issues(store: SqlStore) -> list[tuple[str, str]]:
    with store.read() as sql:
        return [(issue.code, issue.subject) for issue in ledger.issues(sql)]


def test_a_wrong_count_is_read_again_a_few_times_and_then_only_told(
    sqlite_store: SqlStore, in_process: Any, make_schedule: MakeSchedule, serve: Serve
) -> None:
    """By the clock, in its own process: three times in vain, then the source is left alone but for the question."""
    source = Source()
    schedule = make_schedule(in_process(config(serve(source))))

    with running(schedule):
        until(lambda: source.asked.count("/counts") >= 2 * (TRIES + 4))

    assert source.asked.count("/rows") == TRIES
    assert [(v.day, v.theirs, v.ours, v.missing, v.state) for v in views(sqlite_store)] == [
        (yesterday(), 5, 0, 5, "differs"), (yesterday() - timedelta(days=1), 0, 0, 0, "agrees"),
    ]  # fmt: skip
    assert issues(sqlite_store) == [("reconcile.missing", "police.incident")]


def test_a_source_that_is_down_is_asked_again_and_its_issue_closes(
    sqlite_store: SqlStore, in_process: Any, make_schedule: MakeSchedule, serve: Serve
) -> None:
    """Trouble of the source is the schedule's to retry: nothing is written down, and in the end it is compared."""
    source = Source(count=0)
    source.down.set()
    schedule = make_schedule(in_process(config(serve(source))), retry_max=timedelta(milliseconds=100))

    with running(schedule):
        until(
            lambda: ("http.503", "police.incident/days") in issues(sqlite_store) or "peer" in str(issues(sqlite_store))
        )
        assert views(sqlite_store) == []
        source.down.clear()
        until(lambda: len(views(sqlite_store)) == 2 and not issues(sqlite_store))


def test_what_has_landed_and_waits_is_not_missing(
    sqlite_store: SqlStore, vault: Any, in_process: Any, serve: Serve
) -> None:
    """While rows of the stream wait to be applied nothing is compared: they would count as lost."""
    worker = in_process(config(serve(Source())))
    rows = [{"接警编号": "J1", "更新时间": f"{yesterday()} 10:00:00"}]
    page = page_of_rows(worker.manifest, "incident", rows, uid=new_uid(), received_at=now())
    land(sqlite_store, vault, page)
    plan = DaysPlan(2, "updated", lambda uid: False)

    with pytest.raises(RetryError, match="not applied yet"):
        compare_days(sqlite_store, vault, worker, INCIDENT, plan, now)


def test_days_are_kept_one_row_each_and_not_for_ever(store: SqlStore) -> None:
    """On both engines: a day compared again takes the place of itself; days older than a year go."""
    day = yesterday()
    old = DayView(INCIDENT, day - timedelta(days=500), 1, 0, 1, 0, 0, 1, "differs", now())
    keep_days(store, [old])
    keep_days(store, [old._replace(day=day), old._replace(day=day - timedelta(days=1))])
    keep_days(store, [old._replace(day=day, ours=1, missing=0, state="agrees")])

    assert [(v.day, v.ours, v.state) for v in views(store)] == [
        (day, 1, "agrees"), (day - timedelta(days=1), 0, "differs"),
    ]  # fmt: skip
