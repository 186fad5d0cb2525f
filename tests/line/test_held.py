"""Refused rows on the line: kept once, counted on every receipt, closed by what is newer; cries for help first."""

from __future__ import annotations

from typing import Any

import pytest
from alembic import command

from hub.line.held import DISCARD
from hub.line.land import land
from hub.store import pages
from hub.store.engine import SqlStore, open_store
from hub.store.schema import _config, newest, revision, upgrade
from tests.conftest import PostgresServer
from tests.line.line_kit import VAULT, Line, call

IDENTITY = ("applied", "unchanged", "quarantined", "rejected", "pending")
QUIET = {"narrative": "邻居来电"}


def bad(no: str = "C1", **facts: Any) -> dict[str, Any]:
    """A call that says nothing of violence, with a category that stands in no table."""
    return call(no, category="77", **QUIET, **facts)


def items(line: Line) -> list[tuple[Any, ...]]:
    return line.rows("SELECT no, state, times FROM quarantine ORDER BY id")


def counts(line: Line) -> dict[str, int]:
    """The accounting, its identity checked on every receipt."""
    with line.store.read() as sql:
        for (uid,) in sql.rows("SELECT uid FROM page"):
            one = pages.receipt(sql, uid)
            assert one is not None
            assert one["received"] == sum(one[name] for name in IDENTITY)
            assert one["quarantined"] == sum(row["status"] == "quarantined" for row in one["rows"])
        return {name: n for name, n in pages.accounting(sql).items() if n}


def redrive(line: Line, **fix: str) -> None:
    """Every waiting row once more, with some cells mended."""
    for uid, original, unit, stream in line.rows(
        "SELECT uid, original, unit, stream FROM quarantine WHERE state = 'open'"
    ):
        body = VAULT.open_blob(uid, bytes(original))
        for old, new in fix.items():
            body = body.replace(f'"{old.strip("_")}"'.encode(), f'"{new}"'.encode())
        page = line.page(unit, stream, [{}], door="redrive", source=f"redrive:{uid}", body=b"[" + body + b"]")
        land(line.store, VAULT, page)
    line.drain()


def test_the_same_bytes_are_one_item(store: SqlStore) -> None:
    """A refused row that comes again, in another page or twice in one, is one item seen three times; each receipt tells it."""
    line = Line(store)
    first = line.send("police", "incident", bad(), bad("C2"))
    again = line.send("police", "incident", bad(), bad())

    assert [row["code"] for row in again["rows"]] == ["code.unknown", "code.unknown"]
    assert (first["quarantined"], again["quarantined"]) == (2, 2)
    assert items(line) == [("C1", "open", 3), ("C2", "open", 1)]
    assert counts(line) == {"received": 4, "quarantined": 4}


def test_other_bytes_are_another_item(store: SqlStore) -> None:
    """The same number with another mistake waits beside the first; the same bytes in another mode too."""
    line = Line(store)
    line.send("police", "incident", bad())
    line.send("police", "incident", bad(intensity="9"))
    line.send("police", "incident", bad(), mode="backfill")

    assert items(line) == [("C1", "open", 1)] * 3


def test_receipts_of_repeats_follow_the_first(store: SqlStore) -> None:
    """After a redrive the first page counts its row applied, the pages of its repeats unchanged."""
    line = Line(store)
    first, second = (line.send("police", "incident", bad())["batch"] for _ in range(2))
    redrive(line, _77="1")

    assert [line.receipt(uid)["rows"][0]["status"] for uid in (first, second)] == ["applied", "unchanged"]
    assert counts(line) == {"received": 2, "applied": 1, "unchanged": 1}
    assert items(line) == [("C1", "redriven", 2)]


def test_refused_again_keeps_its_place(store: SqlStore) -> None:
    """A row that another mistake stops at the redrive waits on, under its new code, on every receipt."""
    line = Line(store)
    uid = line.send("police", "incident", bad())["batch"]
    redrive(line, _77="88")

    assert items(line) == [("C1", "open", 1)]
    assert line.receipt(uid)["rows"][0]["code"] == "code.unknown"
    assert counts(line) == {"received": 1, "quarantined": 1}


def test_a_newer_good_version_supersedes(store: SqlStore) -> None:
    """The item is closed by the event of a version as new or newer; its row counts rejected, and a repeat too."""
    line = Line(store)
    uid = line.send("police", "incident", bad())["batch"]
    good = line.send("police", "incident", call("C1", category="1"))
    assert good["applied"] == 1

    ((state, closed_by),) = line.rows("SELECT state, closed_by FROM quarantine")
    told = line.receipt(uid)["rows"][0]
    assert (state, closed_by) == ("superseded", good["rows"][0]["event"])
    assert (told["status"], told["code"]) == ("rejected", "version.superseded")
    assert line.send("police", "incident", bad())["rejected"] == 1
    assert items(line) == [("C1", "superseded", 2)]
    assert counts(line) == {"received": 3, "applied": 1, "rejected": 2}


def test_an_older_good_version_does_not_supersede(store: SqlStore) -> None:
    """What is older than the refused row, read again or late, leaves it waiting; a refused row older than what is known is over."""
    line = Line(store)
    older = call("C1", updated_at="2026-11-20 21:30:00")
    line.send("police", "incident", older)
    line.send("police", "incident", bad())
    assert line.send("police", "incident", older)["unchanged"] == 1
    assert items(line) == [("C1", "open", 1)]
    late = line.send("police", "incident", bad(updated_at="2026-11-20 21:00:00"))

    assert late["rejected"] == 1
    assert items(line) == [("C1", "open", 1), ("C1", "superseded", 1)]


def test_a_discarded_row_stays_discarded(store: SqlStore) -> None:
    """Given up on the line: its receipts count it rejected, the same bytes come up no more, and its D26 is done."""
    line = Line(store)
    line.send("police", "incident", call(category="77", narrative="丈夫持刀"))
    ((uid,),) = line.rows("SELECT uid FROM quarantine")
    page = line.page("police", "incident", [], door="redrive", source=DISCARD + uid, body=b"[]")
    land(store, VAULT, page)
    line.drain()

    assert counts(line) == {"received": 1, "rejected": 1}
    assert {state for _, _, state in line.owed("D26")} == {"done"}
    assert line.send("police", "incident", call(category="77", narrative="丈夫持刀"))["rejected"] == 1
    assert items(line) == [("C1", "discarded", 2)]
    assert len(line.owed("D26")) == 2


def test_a_rejected_row_comes_up_once(store: SqlStore) -> None:
    """A row that is not ours is rejected on every receipt and stored as one version."""
    line = Line(store)
    row = call("C3", category="3", relation="邻居")
    assert [line.send("police", "incident", row)["rejected"] for _ in range(3)] == [1, 1, 1]

    assert line.rows("SELECT COUNT(*) FROM version") == [(1,)]
    assert counts(line) == {"received": 3, "rejected": 3}


@pytest.mark.parametrize(
    ("stream", "row"),
    [
        ("incident", call(category="77", narrative="丈夫持刀殴打，孩子在家")),
        ("incident", call(category="2", intensity="99", **QUIET)),
        ("incident", call(category="77", physical_conflict="是", **QUIET)),
    ],
    ids=["words", "code", "flag"],
)
def test_an_unreadable_cry_is_a_task_at_once(sqlite_store: SqlStore, stream: str, row: dict[str, Any]) -> None:
    """By words, codes or flags: a review item and D26 in the commit that quarantines; once, however often it comes."""
    line = Line(sqlite_store)
    for _ in range(2):
        assert line.send("police", stream, row)["quarantined"] == 1

    assert line.rows("SELECT kind, state FROM review_item") == [("emergency", "open")]
    assert len(line.owed("D26")) == 2
    redrive(line, _77="1", _99="1")
    assert line.rows("SELECT kind, state FROM review_item WHERE kind = 'emergency'") == [("emergency", "done")]
    assert {state for _, _, state in line.owed("D26")} == {"done"}


def test_a_denied_harm_is_no_task(sqlite_store: SqlStore) -> None:
    """Negation is understood: a row that denies violence waits without a task."""
    line = Line(sqlite_store)
    line.send("police", "incident", call(category="77", narrative="现场未发现殴打，双方均否认动手"))

    assert line.rows("SELECT COUNT(*) FROM review_item") == [(0,)]
    assert line.owed("D26") == []


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_rows_of_before_come_along(engine: str, request: pytest.FixtureRequest, tmp_path: Any) -> None:
    """A row quarantined under the first schema is there after the upgrade, seen once, and can be redriven."""
    server: PostgresServer | None = request.getfixturevalue("postgres") if engine == "postgres" else None
    url = server.fresh(empty=True) if server else f"sqlite:///{tmp_path / 'old.db'}"
    store = open_store(url)
    with store.claim() as sql:
        command.upgrade(_config(sql.connection), "0001")
        sql.run(
            "INSERT INTO quarantine (uid, page_id, row, unit, stream, code, field, remedy, state, mode, at, original)"
            " VALUES ('u', 1, 0, 'police', 'incident', 'code.unknown', 'category', '', 'open', 'live', 42, ?)",
            (VAULT.seal_blob("u", b"{}"),),
        )
    upgrade(store)

    with store.read() as sql:
        assert sql.rows("SELECT state, times, last_at, digest, shape FROM quarantine") == [("open", 1, 42, None, "")]
    assert revision(store) == newest()
    store.dispose()


def test_a_replayed_version_takes_the_place_of_its_own(store: SqlStore) -> None:
    """A replay replaces the version whose original it is, whatever times the mapping reads, and counts on no receipt."""
    line = Line(store)
    line.send("police", "incident", call("C1"))
    line.send("police", "incident", call("C1", intensity="1", category="2", updated_at="2026-11-22 10:00:00"))
    before, owed = counts(line), line.owed()
    for number, again in ((1, call("C1", updated_at="2026-11-20 20:00:00")), (1, call("C1"))):
        page = line.page("police", "incident", [again], door="replay", mode="replay", source=f"replay:{number}")
        land(store, VAULT, page)
        line.drain()
        assert line.receipt(page.uid)["applied"] == 1

    assert line.rows("SELECT number, replaced_by FROM version ORDER BY number") == [(1, 3), (2, 0), (3, 4), (4, 0)]
    assert line.rows("SELECT version FROM record") == [(2,)]
    assert (counts(line), line.owed()) == (before, owed)
