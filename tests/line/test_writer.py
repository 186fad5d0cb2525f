"""The writer: one at a time, urgent pages first, what falls due without a record, and a clean end."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from hub.core.errors import StaleLeaseError
from hub.core.records import StreamKey
from hub.line.apply import apply
from hub.line.land import land
from hub.line.prepare import prepare
from hub.line.writer import WriterPlan, drain, write_forever
from hub.store import pages
from hub.store.claims import WRITER, next_wake, release_lease, take_lease
from hub.store.engine import SqlStore
from tests.line.line_kit import EVERYWHERE, NOW, POLICY, VAULT, Line, call, mediation


def test_it_applies_what_lands_and_stops_when_told(store: SqlStore) -> None:
    """A running writer takes pages as they land; after stop the lease is free at once."""
    line = Line(store)
    stop, done = threading.Event(), threading.Event()
    wake = threading.Event()
    plan = WriterPlan(
        owner="n1", outward=EVERYWHERE, tick=timedelta(milliseconds=5), wake=wake, applied=lambda receipts: done.set()
    )
    thread = threading.Thread(target=write_forever, args=(store, line.workers, VAULT, POLICY, line.clock, stop, plan))
    thread.start()
    uid = line.land("police", "incident", call())
    wake.set()
    assert done.wait(120)
    stop.set()
    wake.set()
    thread.join(120)
    assert not thread.is_alive()
    assert line.receipt(uid)["applied"] == 1
    assert take_lease(store, WRITER, "n2", line.now, timedelta(seconds=30)) is not None


def test_two_writers_never_write_at_once(store: SqlStore) -> None:
    """While one holds the lease the other does nothing; a writer that slept through it is refused in its commit."""
    line = Line(store)
    line.land("police", "incident", call())
    slept = take_lease(store, WRITER, "n1", NOW, timedelta(seconds=30))
    assert slept is not None
    brief = WriterPlan(lease=timedelta(milliseconds=50), tick=timedelta(milliseconds=5))
    assert not drain(store, line.workers, VAULT, POLICY, line.clock, brief)
    with store.read() as sql:
        work = prepare(pages.next_landed(sql, 100), line.workers, VAULT, POLICY, lease=slept)
    taken = take_lease(store, WRITER, "n2", NOW + timedelta(seconds=31), timedelta(seconds=30))
    assert taken is not None
    assert taken.fence == slept.fence + 1
    with pytest.raises(StaleLeaseError):
        apply(store, work, POLICY, line.now)
    assert line.rows("SELECT COUNT(*) FROM record") == [(0,)]
    release_lease(store, taken)
    line.drain()
    assert line.lights() == ["orange"]


def test_a_dead_writer_is_not_waited_for(store: SqlStore) -> None:
    """Whoever holds the lock of the folder takes a dead writer's lease over at once."""
    line = Line(store)
    line.land("police", "incident", call())
    assert take_lease(store, WRITER, "dead", line.now, timedelta(seconds=30)) is not None
    line.plan = line.plan._replace(alone=True)
    line.drain()
    assert line.lights() == ["orange"]


def test_reports_go_before_a_history_load(store: SqlStore) -> None:
    """Streams with a report rule are applied before pages that landed earlier; a backfill is never urgent."""
    line = Line(store)
    reporting = frozenset({"justice.mediation"})
    land(store, VAULT, line.page("police", "incident", [call()]), reporting=reporting)
    land(store, VAULT, line.page("justice", "mediation", [mediation("J0")], mode="backfill"), reporting=reporting)
    land(store, VAULT, line.page("justice", "mediation", [mediation()]), reporting=reporting)
    with store.read() as sql:
        order = [(page.stream.stream, page.mode) for _, page in pages.next_landed(sql, 100)]
    assert order == [("mediation", "live"), ("incident", "live"), ("mediation", "backfill")]


def test_an_order_ends_by_itself(store: SqlStore) -> None:
    """Nothing comes in, the order's last day passes: the household is judged again and its light steps down."""
    line = Line(store)
    order = {
        "case_no": "（2026）沪0101民保令3号", "applied_on": "2026-11-01", "decided_on": "2026-11-02", "result": "2",
        "valid_from": "2026-11-02", "valid_until": "2026-12-01", "relation": "配偶", "updated_at": "2026-11-02 10:00",
        "applicant_name": "林晓梅", "applicant_id_number": "310101199005124527", "respondent_name": "赵大伟",
        "respondent_id_number": "310101198803154419", "community_code": "310101001001",
    }  # fmt: skip
    assert line.send("court", "protection_order", order)["applied"] == 1
    assert line.lights() == ["red"]
    assert next_wake(store) is not None
    line.later(days=8)
    assert line.lights() == ["orange"]
    changes = line.rows("SELECT was, light FROM light_change ORDER BY id")
    assert changes == [(0, 4), (4, 3)]


def test_a_page_nobody_can_map_waits(store: SqlStore) -> None:
    """Without its connector a page stays pending, with an issue; its neighbours are applied."""
    line = Line(store)
    lost = land(store, VAULT, line.page("weather", "storms", [{"a": 1}]))
    assert line.send("police", "incident", call())["applied"] == 1
    assert line.receipt(lost)["pending"] == 1
    assert ("page.unmapped",) in line.rows("SELECT code FROM issue WHERE closed_at IS NULL")


def test_silence_holds_a_step_down(store: SqlStore) -> None:
    """While the police's stream is silent a household that could step down keeps its light; it steps down when heard."""
    line = Line(store)
    line.send("police", "incident", call(called_at="2026-11-20 21:00"))
    line.act(
        "silence",
        {"no": "police.incident:1", "unit": "police", "stream": "incident", "from": "2026-11-21T00:00:00+08:00"},
    )
    resolved = mediation("J5", violence="0", status="2", closed_on="2026-11-23")
    line.send("justice", "mediation", resolved)
    assert line.lights() == ["orange"]
    assert line.rows("SELECT unit, stream FROM waits_on") == [("police", "incident")]
    line.now += timedelta(hours=1)
    line.act(
        "silence",
        {"no": "police.incident:1", "unit": "police", "stream": "incident", "from": "2026-11-21T00:00:00+08:00",
         "until": "2026-11-24T10:30:00+08:00"},
    )  # fmt: skip
    assert line.lights() == ["green"]
    assert line.rows("SELECT COUNT(*) FROM waits_on") == [(0,)]


def test_a_month_without_a_class_is_owed(store: SqlStore) -> None:
    """D20: the running month is owed until a class is held; then it is done."""
    line = Line(store, outward=EVERYWHERE._replace(communities=("310101001001",)))
    line.send("police", "incident", call())
    assert ("D20", "community_grid", "open") in line.owed("D20")
    before = sum(state == "open" for _, _, state in line.owed("D20"))
    activity = {"activity_no": "V1", "at": "2026-11-24 09:00", "kind": "2", "community_code": "310101001001",
                "updated_at": "2026-11-24 09:30"}  # fmt: skip
    assert line.send("community_grid", "activity", activity)["applied"] == 1
    assert sum(state == "open" for _, _, state in line.owed("D20")) == before - 1


def test_an_unreadable_cry_for_help(store: SqlStore) -> None:
    """D26: a row nobody can read speaks of violence: two posts must read it; done when it has been redriven."""
    line = Line(store)
    line.send("police", "incident", call(category="77", narrative="丈夫持刀殴打，孩子在家"))
    assert line.owed("D26") == [("D26", "coordinator", "open"), ("D26", "head:police", "open")]
    ((uid, original),) = line.rows("SELECT uid, original FROM quarantine")
    body = b"[" + VAULT.open_blob(uid, bytes(original)).replace(b'"77"', b'"1"') + b"]"
    page = line.page("police", "incident", [{}], door="redrive", source=f"redrive:{uid}", body=body)
    land(store, VAULT, page)
    line.drain()
    assert {state for _, _, state in line.owed("D26")} == {"done"}
    with store.read() as sql:
        found = pages.accounting(sql)
    assert (found["received"], found["applied"], found["quarantined"]) == (1, 1, 0)


def test_shadow_stores_nothing(store: SqlStore) -> None:
    """A shadow page has a receipt and leaves the archive as it was."""
    line = Line(store)
    receipt = line.send("police", "incident", call(), call("C2", category="77"), mode="shadow")
    assert (receipt["applied"], receipt["quarantined"]) == (1, 1)
    assert line.rows("SELECT COUNT(*) FROM record") == [(0,)]
    assert line.rows("SELECT COUNT(*) FROM quarantine") == [(0,)]
    with store.read() as sql:
        assert pages.accounting(sql)["received"] == 0
    assert line.lights() == []


def test_live_from_makes_older_rows_backfill(store: SqlStore) -> None:
    """Rows with an event day before the stream's `live_from` send nothing."""
    line = Line(store)
    line.plan = line.plan._replace(live_from={StreamKey("police", "incident"): NOW.date()})
    line.send("police", "incident", call())
    assert line.lights() == ["orange"]
    assert line.rows("SELECT COUNT(*) FROM parcel") == [(0,)]
