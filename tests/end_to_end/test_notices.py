"""Corrections travel: who was told, by which version, and who has not said that they have the correction."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.end_to_end.story import CHILD, Hub
from tests.end_to_end.test_reports import YESTERDAY, about_child


def now() -> str:
    return (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")


def listed(hub: Hub, *more: str) -> list[dict[str, Any]]:
    return list(json.loads(hub.run("notices", "list", "--json", *more, code=None)))


def test_a_retraction_waits_for_its_acknowledgement(hub: Hub) -> None:
    """A retracted report asks the police and tells the coordinator; each stands open until it is acknowledged."""
    hub.ingest(
        "education", "concern", about_child("concern_no", "E1", found_at=YESTERDAY, kind="1", **CHILD.block("student"))
    )
    number = hub.export("reports")[0]["report_no"]
    assert listed(hub) == []
    hub.ingest("education", "concern", {"concern_no": "E1", "updated_at": now(), "deleted": "是"})

    waiting = listed(hub)
    assert [(row["to"], row["says"], row["state"]) for row in waiting] == [
        ("police", "cancellation", "queued"),
        ("womens_federation", "retracted", "queued"),
    ]
    assert waiting[1]["corrects"] == number
    hub.run("notices", "list", code=1)
    for row in waiting:
        hub.run("notices", "acknowledge", row["message_no"], "--receipt-no", "HZ-7")

    assert listed(hub) == []
    assert {row["receipt_no"] for row in listed(hub, "--all")} == {"HZ-7"}
    hub.run("notices", "acknowledge", waiting[0]["message_no"], code=2)


def test_every_message_remembers_what_it_told(hub: Hub) -> None:
    """Of each message about a record: receiver, purpose, the version it told, and that a newer one stands."""
    hub.ingest(
        "education", "concern", about_child("concern_no", "E1", found_at=YESTERDAY, kind="1", **CHILD.block("student"))
    )
    told = json.loads(hub.run("notices", "about", "education/concern/E1", "--json"))
    report = next(row for row in told if row["kind"] == "mandatory_report")
    assert (report["to"], report["purpose"], report["records"]) == (
        "police",
        "M2",
        [{"unit": "education", "stream": "concern", "key": "E1", "version": 1, "now": 1, "stale": False}],
    )
    corrected = about_child("concern_no", "E1", found_at=YESTERDAY, kind="1", **CHILD.block("student"))
    hub.ingest("education", "concern", corrected | {"updated_at": now(), "injury": "1"})

    told = json.loads(hub.run("notices", "about", "education/concern/E1", "--json"))
    report = next(row for row in told if row["kind"] == "mandatory_report")
    assert report["records"][0] | {"unit": "", "stream": "", "key": ""} == {
        "unit": "", "stream": "", "key": "", "version": 1, "now": 2, "stale": True,
    }  # fmt: skip
    assert "1/2" in hub.run("notices", "about", "education/concern/E1")
    hub.run("notices", "about", "education/concern/none", code=2)


def test_the_sheet_names_the_reporter_to_the_police_alone(hub: Hub) -> None:
    """The printed sheet has no reporter; the one for the police has, only as a file, for a purpose, once."""
    row = about_child(
        "concern_no", "E1", found_at=YESTERDAY, kind="1", reporter_name="程老师", **CHILD.block("student")
    )
    hub.ingest("education", "concern", row)
    number = hub.export("reports")[0]["report_no"]
    plain, police = hub.folder / "sheet.html", hub.folder / "police.txt"

    hub.run("reports", "show", number, "--out", str(plain))
    hub.run("reports", "show", number, "--for-police", code=2)
    hub.run("reports", "show", number, "--for-police", "--out", str(police), "--purpose", "线路中断，当面送达")

    assert number in plain.read_text("utf-8")
    assert "<!doctype html>" in plain.read_text("utf-8")
    assert "程老师" not in plain.read_text("utf-8") + hub.run("reports", "show", number, "--print")
    assert "程老师" in police.read_text("utf-8")
    assert police.stat().st_mode & 0o777 == 0o600
    assert "report.sheet" in hub.run("export", "audit", "--jsonl", "-")


def test_words_make_a_private_task_and_no_report(hub: Hub) -> None:
    """A school's note that speaks of a beating owes its head a decision (D25); the same denied owes nothing."""
    told = {"E1": "孩子说爸爸昨晚又拿皮带抽他", "E2": "孩子否认在家挨打，未见瘀伤"}
    for no, words in told.items():
        row = about_child("concern_no", no, found_at=YESTERDAY, kind="9", narrative=words, **CHILD.block("student"))
        hub.ingest("education", "concern", row)

    owed = json.loads(hub.run("duties", "list", "--what", "D25", "--json"))
    assert [(duty["unit"], [r["key"] for r in duty["records"]]) for duty in owed] == [("head:education", ["E1"])]
    assert hub.export("reports") == []
    assert json.loads(hub.run("duties", "list", "--what", "D21", "--json")) == []
    shown = " ".join(hub.run("duties", "list", "--what", "D25").split())
    assert "区教育局" in shown
    assert "E1" in shown
