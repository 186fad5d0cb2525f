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
