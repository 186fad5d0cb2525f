"""A stream that is read in parts: a cursor, a lease and a fate for each of them, through a real process."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.core.freight import feed_of, stream_of
from hub.core.records import StreamKey
from hub.line.fetch import FetchPlan, poll
from hub.runtime.grid import Grid
from hub.runtime.schedule import Schedule
from hub.runtime.supervisor import ChildSpec, Supervisor
from hub.runtime.unit_worker import UnitWorker
from hub.runtime.verbs import Verbs
from hub.sdk import Context, Pages
from hub.settings import ConnectorConfig, Limits, ReconcileConfig, StreamConfig
from hub.store import ledger, snapshot
from hub.store.claims import claim_stream, ensure_streams, heard_of
from hub.store.engine import SqlStore
from hub.store.numbers import new_uid
from tests.local_peer import Asked, LocalPeer, until
from tests.runtime.conftest import now
from tests.runtime.test_schedule import issues, landed, running

Serve = Callable[[Callable[[Asked], tuple[int, dict[str, str], Any]]], LocalPeer]
MakeSchedule = Callable[..., Schedule]
INCIDENT = StreamKey("police", "incident")
EAST, WEST = feed_of(INCIDENT, "east"), feed_of(INCIDENT, "west")


def rows(part: str, count: int = 4) -> list[dict[str, str]]:
    return [{"接警编号": f"{part}{n}", "更新时间": f"2026-11-01 10:00:{n:02d}"} for n in range(count)]


class Parts:
    """An interface with one address for each part, two rows a page; those in ``down`` answer 503."""

    def __init__(self) -> None:
        self.by_part = {"east": rows("east"), "west": rows("west")}
        self.down: set[str] = set()
        self.after: dict[str, int] = {}  # part → pages until it goes down

    def __call__(self, asked: Asked) -> tuple[int, dict[str, str], Any]:
        part = asked.path.strip("/")
        self.after[part] = self.after.get(part, 10**6) - 1
        if part in self.down or self.after[part] < 0:
            return 503, {}, b""
        since, page = asked.query.get("since", ""), int(asked.query["page"])
        found = [row for row in self.by_part[part] if row["更新时间"] >= since]
        return 200, {}, json.dumps(found[2 * page - 2 : 2 * page]).encode()


def config(peer: LocalPeer, *parts: str, **options: Any) -> StreamConfig:
    return StreamConfig(
        name="incident", transport="rest", url=peer.url + "/{partition}", every=timedelta(milliseconds=100),
        cursor_field="更新时间", partitions=parts or ("east", "west"),
        options={"cursor_param": "since", "page": {"param": "page", "size": 2, "size_param": "size"}}, **options,
    )  # fmt: skip


@pytest.fixture
def in_process(police: Any) -> Iterator[Callable[[StreamConfig], UnitWorker]]:
    """The police connector in a process of its own, a page landing by itself."""
    made: list[UnitWorker] = []

    def make(stream: StreamConfig) -> UnitWorker:
        own = ConnectorConfig(name="police", enabled=True, path=Path("police.toml"), streams={stream.name: stream})
        hands = Supervisor(ChildSpec(name="police", entry="connectors.police", unit="police"))
        limits = Limits(peer_seconds=5, rows_per_page=2)
        made.append(UnitWorker(police.manifest, own, limits, hands, clock=now, new_uid=new_uid))
        return made[-1]

    yield make
    for worker in made:
        worker.close()


def cursors(store: SqlStore) -> dict[str, str | None]:
    with store.read() as sql:
        return dict(sql.rows("SELECT stream, cursor FROM schedule ORDER BY stream"))


def read(store: SqlStore, vault: Any, worker: UnitWorker, feed: StreamKey, landed: Any = None) -> Any:
    """One poll of one part."""
    ensure_streams(store, [feed], now())
    claim = claim_stream(store, feed, "n", now(), timedelta(hours=1))
    assert claim is not None
    grid = Grid(".".join(feed), timedelta(hours=1))
    plan = FetchPlan(grid.next_due, timedelta(seconds=1), timedelta(seconds=1), None, landed)
    return poll(store, vault, worker, claim, plan, now)


def test_a_part_that_fails_stops_no_other(
    sqlite_store: SqlStore, in_process: Any, make_schedule: MakeSchedule, serve: Serve
) -> None:
    """East's table is gone: west is read again and again, and the issue names east alone."""
    source = Parts()
    peer = serve(lambda a: (404, {}, b"") if a.path == "/east" else source(a))

    with running(make_schedule(in_process(config(peer)))):
        until(lambda: len(asked(peer, "west")) > 5)
        until(lambda: issues(sqlite_store))

    assert issues(sqlite_store) == [("http.404", "police.incident#east")]
    assert cursors(sqlite_store) == {EAST.stream: None, WEST.stream: "2026-11-01 10:00:03"}
    assert stream_of(EAST) == (INCIDENT, "east")


def test_each_part_is_read_by_the_clock_from_a_cursor_of_its_own(
    sqlite_store: SqlStore, vault: Any, in_process: Any, make_schedule: MakeSchedule, serve: Serve
) -> None:
    """Both land once, each under the stream's name; a part that turns up later is read from its beginning."""
    source = Parts()
    source.by_part["west"] = rows("west", 2)
    peer = serve(source)

    with running(make_schedule(in_process(config(peer)))):
        until(lambda: all(len(set(asked(peer, part))) > 1 for part in ("east", "west")))
    assert cursors(sqlite_store) == {EAST.stream: "2026-11-01 10:00:03", WEST.stream: "2026-11-01 10:00:01"}
    found = sorted(row["接警编号"] for page in landed(sqlite_store) for row in page)
    assert found == ["east0", "east1", "east2", "east3", "west0", "west1"]

    source.by_part["north"] = rows("north")
    with running(make_schedule(in_process(config(peer, "west", "north")))):
        until(lambda: "2026-11-01 10:00:03" in asked(peer, "north"))
    assert asked(peer, "north")[0] == ""
    assert cursors(sqlite_store).keys() == {WEST.stream, "incident#north"}  # east is read no more


def asked(peer: LocalPeer, part: str) -> list[str]:
    return [a.query.get("since", "") for a in peer.asked if a.path == f"/{part}"]


def test_killed_in_mid_run_each_part_goes_on_from_its_own_cursor(
    store: SqlStore, vault: Any, in_process: Any, serve: Serve
) -> None:
    """The process dies between two pages of a part: what landed stays, the next read starts there, the other is untouched."""
    source = Parts()
    worker = in_process(config(serve(source)))
    assert read(store, vault, worker, WEST).error is None

    def die(uid: str, drafts: Any) -> None:
        worker.hands._child.kill("died")

    broken = read(store, vault, worker, EAST, die)
    assert (broken.pages, broken.error.code) == (1, "connector.died")
    assert cursors(store) == {EAST.stream: "2026-11-01 10:00:01", WEST.stream: "2026-11-01 10:00:03"}

    until(lambda: read(store, vault, worker, EAST).error is None)
    assert cursors(store)[EAST.stream] == "2026-11-01 10:00:03"
    numbers = [row["接警编号"] for page in landed(store) for row in page if row["接警编号"].startswith("east")]
    assert set(numbers) == {"east0", "east1", "east2", "east3"}


def test_a_stream_is_heard_when_all_of_its_parts_were(
    store: SqlStore, vault: Any, in_process: Any, serve: Serve
) -> None:
    """The part heard longest ago counts; while one was never heard the stream was not."""
    source = Parts()
    source.down.add("east")
    worker = in_process(config(serve(source)))
    read(store, vault, worker, WEST)
    read(store, vault, worker, EAST)
    with store.read() as sql:
        assert heard_of(sql, INCIDENT) == (None, True)
        assert snapshot.heard(sql)[INCIDENT].heard_at is None
        first = {row.stream: row for row in ledger.schedule(sql)}[WEST.stream].heard_at

    source.down.clear()
    until(lambda: read(store, vault, worker, EAST).error is None)
    read(store, vault, worker, EAST)
    with store.read() as sql:
        assert heard_of(sql, INCIDENT)[0] == snapshot.heard(sql)[INCIDENT].heard_at == first


def test_the_days_of_a_stream_are_those_of_all_its_parts(in_process: Any, serve: Serve) -> None:
    """Counts are added, and each part is asked under its own name."""
    peer = serve(lambda a: (200, {}, json.dumps({"n": 3 if a.path == "/east/n" else 4}).encode()))
    days = ReconcileConfig(options={"counts": {"url": peer.url + "/{partition}/n?day={day}", "count": "n"}})
    worker = in_process(config(peer, reconcile=days))
    day = now().date()

    assert worker.counts("incident", None, day, day).counts == {day: 7}


def test_parts_of_a_table_are_tables(police: Any, tmp_path: Path, in_process: Any) -> None:
    """A table a year: the name stands in the table's; probe looks at each."""
    with closing(sqlite3.connect(tmp_path / "front.db")) as database, database:
        for year in (2025, 2026):
            database.execute(f'CREATE TABLE jjd_{year} ("接警编号", "更新时间")')
            database.execute(f"INSERT INTO jjd_{year} VALUES ('J{year}', '{year}-11-01 10:00:00')")
    worker = in_process(
        StreamConfig(
            name="incident", transport="table", url=f"sqlite:///{tmp_path / 'front.db'}", cursor_field="更新时间",
            options={"table": "jjd_{partition}"}, partitions=("2025", "2026"),
        )
    )  # fmt: skip

    assert worker.probe("incident") == 2
    assert [feed.stream for feed in worker.feeds("incident")] == ["incident#2025", "incident#2026"]
    drafts = [[draft.key.no for draft in drafts] for _, drafts in worker.fetch("incident#2025", None)]
    assert drafts == [["J2025"]]


def test_a_connector_may_name_its_parts_itself(police: Any) -> None:
    """Its manifest's parts hold unless the configuration names others; a source of its own is told which part is asked for."""
    declared = replace(police.manifest.streams["incident"], partitions=("2025", "2026"))
    manifest = replace(police.manifest, streams={**police.manifest.streams, "incident": declared})

    def fetch(stream: str, cursor: str | None, context: Context) -> Pages:
        yield rows(context.partition, 1), context.partition

    own = replace(police, fetch=fetch)
    for configured, wanted in (((), ["2025", "2026"]), (("north",), ["north"])):
        config = StreamConfig(name="incident", transport="rest", url="http://x/", partitions=configured)
        connector = ConnectorConfig(name="police", enabled=True, path=Path("police.toml"), streams={"incident": config})
        worker = UnitWorker(manifest, connector, Limits(), Verbs(own, clock=now), clock=now, new_uid=new_uid)
        assert [stream_of(feed)[1] for feed in worker.feeds("incident")] == wanted
        for feed, part in zip(worker.feeds("incident"), wanted, strict=True):
            [(page, drafts)] = worker.fetch(feed.stream, None)
            assert (page.stream, page.cursor, drafts[0].key.no) == (INCIDENT, part, f"{part}0")
        worker.close()
