"""Endpoint health apart from payload health, against a real HTTP server: an outage burns no record, a poison record no feed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hub.core.records import StreamKey
from hub.line.fetch import FetchPlan, Polled, poll
from hub.runtime.grid import Grid
from hub.runtime.unit_worker import UnitWorker
from hub.settings import ConnectorConfig, StreamConfig
from hub.store import ledger
from hub.store.claims import claim_stream, ensure_streams
from hub.store.engine import SqlStore
from tests.line.line_kit import VAULT, Line, call
from tests.loaded import worker_of
from tests.local_peer import Asked, LocalPeer

INCIDENT = StreamKey("police", "incident")
EVERY = timedelta(minutes=2)


def reader(line: Line, peer: LocalPeer, stream: StreamKey = INCIDENT, **options: Any) -> UnitWorker:
    config = StreamConfig(
        name=stream.stream, transport="rest", url=peer.url, every=EVERY, cursor_field="updated_at", options=options
    )
    police = ConnectorConfig(name="police", enabled=True, path=Path("none"), streams={stream.stream: config})
    return worker_of("police", police, clock=line.clock)


def read(line: Line, worker: UnitWorker, stream: StreamKey = INCIDENT) -> Polled:
    """One poll by the clock of the line."""
    ensure_streams(line.store, [stream], line.now)
    claim = claim_stream(line.store, stream, "n", line.now, timedelta(hours=1))
    assert claim is not None
    plan = FetchPlan(
        Grid("police.incident", EVERY, "", timedelta(0)).next_due, timedelta(seconds=1), timedelta(minutes=20)
    )
    return poll(line.store, VAULT, worker, claim, plan, line.clock)


def open_issues(line: Line) -> list[tuple[str, str]]:
    with line.store.read() as sql:
        return [(issue.code, issue.subject) for issue in ledger.issues(sql)]


def test_an_outage_of_a_day_quarantines_nothing_and_leaves_one_issue(sqlite_store: SqlStore) -> None:
    """24 hours of 503: a hundred polls, a handful of calls, no page, one open issue; the first answer brings everything."""
    broken = [True]
    rows = [call("C1"), call("C2", updated_at="2026-11-20 22:05:00")]
    peer = LocalPeer(lambda asked: (503, {}, b"") if broken[0] else (200, {}, json.dumps(rows).encode()))
    line = Line(sqlite_store)
    worker = reader(line, peer)
    end = line.now + timedelta(days=1)
    polls = 0
    while line.now < end:
        polled = read(line, worker)
        assert polled.error is not None
        assert polled.error.code == "http.503"
        assert polled.next_due > line.now
        line.now = polled.next_due
        polls += 1

    assert 72 < polls < 3_000
    assert len(peer.asked) < 20  # the endpoint rests for all that time, as this process's own clock has it
    assert line.rows("SELECT COUNT(*) FROM page") == [(0,)]
    assert line.rows("SELECT COUNT(*) FROM quarantine") == [(0,)]
    assert open_issues(line) == [("http.503", "police.incident")]
    worker.close()
    broken[0] = False
    healed = reader(line, peer)  # the morning's restart
    assert (read(line, healed).error, open_issues(line)) == (None, [])
    line.drain()
    healed.close()
    peer.close()
    assert line.rows("SELECT received, applied, quarantined FROM page WHERE unit = 'police'") == [(2, 2, 0)]


def test_one_poison_record_in_ten_thousand_is_one_in_quarantine(sqlite_store: SqlStore) -> None:
    """Its neighbours are applied, the feed goes on, its endpoint is well, and no issue is opened for it."""
    size, count, poison = 2_000, 10_000, 7_777
    start = datetime(2026, 11, 1, 8, 0)

    def row(number: int) -> dict[str, Any]:
        return {
            "activity_no": f"A{number}", "at": "2026-11-01", "kind": "77" if number == poison else "1",
            "updated_at": (start + timedelta(seconds=number)).isoformat(" "),
        }  # fmt: skip

    def answer(asked: Asked) -> tuple[int, dict[str, str], bytes]:
        first = (int(asked.query["p"]) - 1) * size
        return 200, {}, json.dumps([row(n) for n in range(first, min(first + size, count))]).encode()

    peer = LocalPeer(answer)
    line = Line(sqlite_store)
    activity = StreamKey("police", "activity")
    worker = reader(line, peer, activity, page={"param": "p", "size": size})
    polled = read(line, worker, activity)
    line.drain()
    worker.close()
    peer.close()

    assert (polled.error, polled.rows) == (None, count)
    found = line.rows(
        "SELECT SUM(received), SUM(applied), SUM(quarantined), SUM(rejected) FROM page WHERE unit = 'police'"
    )
    assert found == [(count, count - 1, 1, 0)]
    assert line.rows("SELECT no, code FROM quarantine") == [(f"A{poison}", "code.unknown")]
    assert open_issues(line) == []
