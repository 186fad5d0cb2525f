"""`hub connectors probe | try | poll`: a real source, read without a daemon."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import District
from tests.end_to_end.story import call as police_call
from tests.local_peer import LocalPeer

TODAY = (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y-%m-%d 00:30:00")
ROWS = [police_call("J1", TODAY), police_call("J2", "2024-03-01 20:00:00"), police_call("J3", TODAY, category="77")]


@pytest.fixture
def peer() -> Iterator[LocalPeer]:
    made = LocalPeer(lambda asked: (200, {}, json.dumps({"code": 0, "data": {"list": ROWS, "total": 3}}).encode()))
    yield made
    made.close()


@pytest.fixture
def polled(district: District, peer: LocalPeer) -> District:
    """The police's calls come by REST."""
    district.append(
        "police",
        f'\n[streams.incident]\ntransport = "rest"\nurl = "{peer.url}/api"\nrecords = "data.list"\n'
        'schedule = { every = "1h" }\ncursor = { field = "updated_at", overlap = "10m" }\n',
    )
    return district


def pages(district: District) -> int:
    with sqlite3.connect(district.folder / "hub.db") as connection:
        return int(connection.execute("SELECT COUNT(*) FROM page").fetchone()[0])


def test_probe_reaches_the_source_and_writes_nothing(polled: District) -> None:
    """It says how many records it saw and how many of them are older than 30 days."""
    told = polled("connectors", "probe", "police", "--json")

    assert told.json["streams"] == [{"stream": "incident", "reached": True, "records": 3, "older_than_30_days": 1}]
    assert (told.code, pages(polled)) == (0, 0)


def test_enable_says_how_much_is_old(polled: District) -> None:
    """With a source set, enabling counts its records older than 30 days, as probe does."""
    told = polled("connectors", "enable", "police", "--json")

    assert told.json == {
        "connector": "police",
        "enabled": True,
        "changed": False,
        "older_than_30_days": {"incident": 1},
    }
    assert "1 record(s) older than 30 days" in polled("connectors", "enable", "police").err


def test_try_shows_what_records_would_become(polled: District) -> None:
    """Facts, persons and problems, as the line would take them; no cursor moves and no reporter shows."""
    told = polled("connectors", "try", "police", "incident", "--limit", "3", "--json")

    assert [(row["key"], row["would_be"]) for row in told.json] == [
        ("J1", "applied"), ("J2", "applied"), ("J3", "quarantined"),
    ]  # fmt: skip
    assert told.json[0]["facts"]["category"] == "family_dispute"
    assert told.json[2]["code"] == "code.unknown"
    assert (told.code, pages(polled)) == (1, 0)
    assert "incident J1: would be applied" in polled("connectors", "try", "police", "incident", "--limit", "1").out


def test_poll_takes_them_once(polled: District) -> None:
    """The records are applied; a second poll finds them unchanged."""
    first = polled("connectors", "poll", "police", "--json")
    second = polled("connectors", "poll", "police", "incident")

    assert (first.code, [row["rows"] for row in first.json["streams"]]) == (0, [3])
    assert second.code == 0
    counts = polled("status", "--json").json["counts"]
    assert (counts["received"], counts["applied"], counts["quarantined"], counts["pending"]) == (6, 2, 2, 0)
    police = next(c for c in polled("status", "--json").json["connectors"] if c["name"] == "police")
    incident = next(s for s in police["streams"] if s["stream"] == "incident")
    assert incident["last"]
    assert incident["next"]


def test_a_source_that_does_not_answer_is_not_reachable(district: District) -> None:
    """Probe tells which stream, why, and exits 3; poll does too."""
    district.append("police", '\n[streams.incident]\ntransport = "rest"\nurl = "http://127.0.0.1:9/api"\n')

    told = district("connectors", "probe", "police", "--json")
    assert (told.code, told.json["streams"][0]["reached"]) == (3, False)
    assert district("connectors", "poll", "police").code == 3


def test_a_stream_that_fails_holds_up_no_other(polled: District) -> None:
    """A poll of a connector says of each stream what became of it: address and reason, or how many records came."""
    polled.append("police", '\n[streams.admonition]\ntransport = "rest"\nurl = "http://127.0.0.1:9/api?key=abc"\n')

    told = polled("connectors", "poll", "police", "--json")
    found = {row["stream"]: row for row in told.json["streams"]}
    assert (told.code, found["incident"]["rows"], found["admonition"]["code"]) == (3, 3, "peer.unavailable")
    assert "127.0.0.1:9" in found["admonition"]["says"]
    assert "abc" not in told.out


def test_nothing_to_poll_is_wrong_usage(district: District) -> None:
    """A connector without source says how it takes records."""
    told = district("connectors", "poll", "police")

    assert (told.code, "push and ingest" in told.err) == (2, True)


def test_files_are_tried_where_they_lie(district: District, tmp_path: Path) -> None:
    """Trying a drop folder reads its files and moves none."""
    drop = tmp_path / "drop"
    drop.mkdir()
    rows: list[dict[str, Any]] = ROWS[:2]
    (drop / "a.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    district.append(
        "police", f'\n[streams.incident]\ntransport = "files"\nfolder = "{drop}"\nschedule = {{ every = "1h" }}\n'
    )

    told = district("connectors", "try", "police", "--json")
    assert [row["key"] for row in told.json] == ["J1", "J2"]
    assert (drop / "a.ndjson").exists()
    assert district("connectors", "poll", "police", "--json").json["streams"][0]["rows"] == 2
    assert (drop / "done" / "a.ndjson").exists()
