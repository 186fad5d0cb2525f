from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.core.records import StreamKey
from hub.core.volume import parse_expected
from hub.line.land import land
from hub.runtime.unit_worker import UnitWorker, page_of_rows
from hub.runtime.watch import Watch
from hub.runtime.workers import News, Workers
from hub.settings import DeliverConfig, StreamConfig
from hub.store import ledger
from hub.store.claims import claim_stream, ensure_streams, finish_stream
from hub.store.engine import SqlStore
from hub.store.pages import close_page
from hub.store.times import to_us
from tests.runtime.conftest import now

Make = Callable[..., UnitWorker]
INCIDENT = StreamKey("police", "incident")
DAY = timedelta(days=1)


class MovedClock:
    """Real time, moved by a span a test sets."""

    def __init__(self) -> None:
        self.span = timedelta(0)

    def __call__(self) -> datetime:
        return now() + self.span


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


def watch(store: SqlStore, vault: Any, worker: UnitWorker, clock: MovedClock) -> Watch:
    return Watch(store, vault, Workers({worker.unit: worker}), clock=clock, tick=timedelta(milliseconds=50))


def pages(store: SqlStore, stream: str) -> list[dict[str, Any]]:
    with store.read() as sql:
        found = sql.rows("SELECT body FROM page WHERE unit = 'station' AND stream = ? ORDER BY id", (stream,))
    return [row for (body,) in found for row in json.loads(body)]


def hear(store: SqlStore, at: datetime) -> None:
    """The stream answers at ``at``."""
    ensure_streams(store, [INCIDENT], at)
    claim = claim_stream(store, INCIDENT, "n", at, timedelta(seconds=1))
    assert claim is not None
    finish_stream(store, INCIDENT, claim.lease, next_due=at, heard_at=at)


def issues(store: SqlStore) -> list[tuple[str, str]]:
    with store.read() as sql:
        return [(issue.code, issue.subject) for issue in ledger.issues(sql)]


def test_stream_not_heard_for_longer_than_promised_is_a_silence(
    sqlite_store: SqlStore, vault: Any, make_worker: Make, clock: MovedClock
) -> None:
    """heard → overdue → silence with its issue, landed once → heard again → its end, issue closed."""
    made = watch(
        sqlite_store,
        vault,
        make_worker(StreamConfig(name="incident", transport="rest", url="http://x/", every=DAY, freshness=DAY)),
        clock,
    )
    heard = clock()
    hear(sqlite_store, heard)
    assert made.silences() == 0

    clock.span = DAY + timedelta(minutes=1)
    assert [made.silences(), made.silences()] == [1, 0]
    [opened] = pages(sqlite_store, "silence")
    assert (opened["unit"], opened["stream"], opened["from"]) == ("police", "incident", (heard + DAY).isoformat())
    assert issues(sqlite_store) == [("stream.silent", "police.incident")]

    with sqlite_store.claim() as sql:  # as apply does
        sql.run("INSERT INTO silence (unit, stream, since) VALUES (?,?,?)", (*INCIDENT, to_us(heard + DAY)))
    again = clock()
    hear(sqlite_store, again)
    assert [made.silences(), made.silences()] == [1, 0]
    ended = pages(sqlite_store, "silence")[1]
    assert (ended["no"], ended["until"]) == (opened["no"], again.isoformat())
    assert issues(sqlite_store) == []


def test_silence_is_landed_once_by_two_processes(
    sqlite_store: SqlStore, vault: Any, make_worker: Make, clock: MovedClock
) -> None:
    """A restart before the silence was applied lands no second one."""
    worker = make_worker(StreamConfig(name="incident", transport="rest", url="http://x/", every=DAY, freshness=DAY))
    hear(sqlite_store, clock())
    first, second = watch(sqlite_store, vault, worker, clock), watch(sqlite_store, vault, worker, clock)
    clock.span = 2 * DAY

    first.silences()
    second.silences()

    assert len(pages(sqlite_store, "silence")) == 1


def test_manifest_promises_for_polled_streams_only(
    sqlite_store: SqlStore, vault: Any, make_worker: Make, clock: MovedClock
) -> None:
    """A polled stream without a configured freshness has its manifest's; a pushed one has none (S12)."""
    polled = StreamConfig(name="incident", transport="rest", url="http://x/", every=DAY)
    pushed = StreamConfig(name="penalty", transport="push")
    made = watch(sqlite_store, vault, make_worker(polled, pushed), clock)
    clock.span = 30 * DAY

    made.silences()

    assert [row["stream"] for row in pages(sqlite_store, "silence")] == ["incident"]


def test_pushed_stream_with_a_promise_is_heard_by_its_pages(
    sqlite_store: SqlStore, vault: Any, make_worker: Make, clock: MovedClock
) -> None:
    """Configured freshness of a push stream: what lands by any door is an answer."""
    worker = make_worker(StreamConfig(name="incident", transport="push", freshness=DAY))
    made = watch(sqlite_store, vault, worker, clock)
    clock.span = 2 * DAY
    page = page_of_rows(worker.manifest, "incident", [{"接警编号": "J1"}], uid="p", received_at=clock(), door="push")
    land(sqlite_store, vault, page)

    assert made.silences() == 0


def test_receipts_that_come_by_their_own_folder_land_as_records(
    sqlite_store: SqlStore, vault: Any, make_worker: Make, clock: MovedClock, tmp_path: Path
) -> None:
    """A receipt file of a one-way border becomes a page of station and is put away; the same receipt has one number."""
    way = DeliverConfig(kind="mandatory_report", folder=str(tmp_path / "out"), receipts=str(tmp_path / "in"))
    (tmp_path / "in").mkdir()
    made = watch(sqlite_store, vault, make_worker(deliver=(way,)), clock)
    told = {"message_no": "R-1", "receipt_no": "77", "at": "2026-11-01 10:00:00"}
    for name in ("a.json", "b.json"):
        (tmp_path / "in" / name).write_text(json.dumps(told))

    assert made.incoming_receipts() == 2

    rows = pages(sqlite_store, "receipt")
    assert [(row["no"], row["message_no"], row["receipt_no"], row["at"]) for row in rows] == [
        ("R-1/77", "R-1", "77", told["at"])
    ] * 2
    assert made.incoming_receipts() == 0
    assert sorted(path.name for path in (tmp_path / "in" / "done").iterdir()) == ["a.json", "b.json"]


def test_receipt_of_a_file_waits_for_all_its_pages(
    sqlite_store: SqlStore, vault: Any, make_worker: Make, clock: MovedClock, tmp_path: Path
) -> None:
    """Only when the last page is applied is NAME.receipt.json written, with the sums and the lines of all pages."""
    from hub.settings import Limits

    (tmp_path / "a.csv").write_text("接警编号\nJ1\nJ2\nJ3\n", encoding="utf-8")
    options = {"folder": str(tmp_path), "pattern": "*.csv", "ready": "rename"}
    worker = make_worker(
        StreamConfig(name="incident", transport="files", options=options), limits=Limits(rows_per_page=2)
    )
    for page, _ in worker.fetch("incident", None):
        land(sqlite_store, vault, page)
    made = watch(sqlite_store, vault, worker, clock)
    bad = {"row": 3, "status": "quarantined", "code": "date.invalid", "field": "called_at"}

    assert made.file_receipts() == 0
    with sqlite_store.write() as tx:
        close_page(tx, 1, {"applied": 2}, [], to_us(now()))
    assert made.file_receipts() == 0
    with sqlite_store.write() as tx:
        close_page(tx, 2, {"quarantined": 1}, [bad], to_us(now()))
    assert made.file_receipts() == 1

    told = json.loads((tmp_path / "done" / "a.csv.receipt.json").read_text())
    assert (told["received"], told["applied"], told["quarantined"], told["pending"]) == (3, 2, 1, 0)
    assert told["rows"] == [{**bad, "line": 4}]
    assert made.file_receipts() == 0


def test_stream_that_brings_a_fraction_of_its_past_is_an_issue(
    store: SqlStore, vault: Any, make_worker: Make, clock: MovedClock
) -> None:
    """Four usual weeks, then a week with a tenth: an issue, closed when records come again; a young stream is not judged."""
    made = watch(store, vault, make_worker(StreamConfig(name="incident", transport="push")), clock)

    def push(rows: int) -> None:
        page = page_of_rows(
            made._workers.connectors()[0].manifest, "incident", [{"接警编号": f"J{n}"} for n in range(rows)],
            uid=f"p{clock().timestamp()}", received_at=clock(), door="push",
        )  # fmt: skip
        land(store, vault, page)

    changes = []
    for rows in (60, 50, 70, 60, 60, 6, 55):
        push(rows)
        clock.span += timedelta(days=1)
        changes.append((made.thin(), open_issues(store)))
        clock.span += timedelta(days=6)

    assert [changed for changed, _ in changes] == [0, 0, 0, 0, 0, 1, 1]
    assert changes[5][1] == [("stream.thin", "police.incident")]
    assert changes[6][1] == []


def test_stream_that_sends_fewer_than_promised_is_an_issue_and_a_silence(
    store: SqlStore, vault: Any, make_worker: Make, clock: MovedClock
) -> None:
    """Too few in a day: an issue, and evidence incomplete from that day's beginning until enough have come again."""
    config = StreamConfig(name="incident", transport="push", expect_rows=parse_expected("20..100 per day"))
    made = watch(store, vault, make_worker(config), clock)

    def push(rows: int) -> None:
        page = page_of_rows(
            made._workers.connectors()[0].manifest, "incident", [{"接警编号": f"J{n}"} for n in range(rows)],
            uid=f"p{clock().timestamp()}", received_at=clock(), door="push",
        )  # fmt: skip
        land(store, vault, page)

    push(5)  # a stream younger than a day is not judged
    clock.span += timedelta(hours=23)
    assert [made.thin(), made.silences(), open_issues(store)] == [0, 0, []]

    clock.span += timedelta(hours=2)
    push(3)
    assert [made.thin(), made.silences(), made.silences()] == [1, 1, 0]
    assert open_issues(store) == [("stream.few", "police.incident")]
    [opened] = pages(store, "silence")
    since = datetime.fromisoformat(opened["from"])
    assert abs(clock() - DAY - since) < timedelta(minutes=1)

    with store.claim() as sql:  # as apply does
        sql.run("INSERT INTO silence (unit, stream, since) VALUES (?,?,?)", (*INCIDENT, to_us(since)))
    clock.span += timedelta(hours=2)
    push(30)
    assert [made.thin(), made.silences(), open_issues(store)] == [1, 1, []]
    assert pages(store, "silence")[1]["until"]

    clock.span += timedelta(hours=2)
    push(90)
    assert [made.thin(), open_issues(store)] == [1, [("stream.many", "police.incident")]]
    assert len(pages(store, "silence")) == 2  # many records are no missing evidence


def test_a_silence_ends_although_its_promise_was_taken_out(
    sqlite_store: SqlStore, vault: Any, make_worker: Make, clock: MovedClock
) -> None:
    """A setting that goes leaves no household marked for ever."""
    made = watch(sqlite_store, vault, make_worker(StreamConfig(name="incident", transport="push")), clock)
    with sqlite_store.claim() as sql:
        sql.run("INSERT INTO silence (unit, stream, since) VALUES (?,?,?)", (*INCIDENT, to_us(clock() - DAY)))
    hear(sqlite_store, clock())

    assert [made.silences(), made.silences()] == [1, 0]
    assert pages(sqlite_store, "silence")[0]["until"]


def open_issues(store: SqlStore) -> list[tuple[str, str]]:
    with store.read() as sql:
        return [(issue.code, issue.subject) for issue in ledger.issues(sql)]


def test_life_of_a_connector_is_told_as_issues(
    sqlite_store: SqlStore, vault: Any, make_worker: Make, clock: MovedClock
) -> None:
    """Held and refused are open issues that name the connector and what to do, until it has loaded or answered again."""
    worker = make_worker(StreamConfig(name="incident", transport="push"))
    made = watch(sqlite_store, vault, worker, clock)
    steps = [("died", "connector.died"), ("held", "connector.hung"), ("rested", ""), ("refused", "no such module"),
             ("loaded", ""), ("answered", "")]  # fmt: skip
    seen = []
    for happening, reason in steps:
        made._workers.news.put(News("police", happening, reason))
        made.lives()
        seen.append([code for code, subject in open_issues(sqlite_store) if subject == "police"])

    assert seen == [[], ["connector.held"], ["connector.held"], ["connector.held", "connector.refused"],
                    ["connector.held"], []]  # fmt: skip
    with sqlite_store.read() as sql:
        remedies = [remedy for (remedy,) in sql.rows("SELECT remedy FROM issue ORDER BY id", ())]
    assert all("hub connectors enable police" in remedy for remedy in remedies)
