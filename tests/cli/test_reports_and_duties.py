"""`hub reports`, `hub duties`, `hub export`: what went out, what is owed, and everything line by line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import District
from tests.end_to_end.story import CHILD, HUSBAND, WIFE
from tests.end_to_end.story import call as police_call

NOW = datetime.now(UTC) + timedelta(hours=8)
YESTERDAY = (NOW - timedelta(days=1)).strftime("%Y-%m-%d 10:00:00")
REPORT = {
    "report_no", "rule", "also", "clause", "kind", "urgency", "reporting_unit", "found_at", "received_at", "victim",
    "alleged", "place", "narrative", "injury", "situation", "evidence", "contact", "created_at", "step", "cancelled_at",
    "steps", "addenda",
}  # fmt: skip
DUTY = {"duty", "duty_no", "unit", "addressee", "household", "cause", "due", "overdue", "state", "outcome"}


def concern(number: str = "E1", **columns: Any) -> dict[str, Any]:
    """A teacher suspects that a pupil is beaten at home."""
    return {
        "concern_no": number, "found_at": YESTERDAY, "updated_at": YESTERDAY, "kind": "1", "relation": "子女",
        "narrative": "手臂有淤青", "reporter_name": "程老师", "reporter_phone": "13711112222",
        **CHILD.block("student"), **HUSBAND.block("abuser"), **columns,
    }  # fmt: skip


@pytest.fixture
def reported(district: District) -> tuple[District, str]:
    """A district with one mandatory report, and its number."""
    district.ingest("education", "concern", concern())
    return district, district("reports", "list", "--json").json[0]["report_no"]


def lines(told: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in told.splitlines()]


def test_a_report_is_shown_without_its_reporter(reported: tuple[District, str]) -> None:
    """All fields of the contract but the reporter, in JSON, in the export and on the sheet."""
    district, number = reported
    told = district("reports", "show", number, "--json")
    sheet = district("reports", "show", number, "--print")

    assert told.json.keys() >= REPORT
    assert "reporter" not in told.json
    assert (told.json["rule"], told.json["step"], told.json["victim"]["name"]) == ("M2", "queued", CHILD.name)
    assert [step["step"] for step in told.json["steps"]] == ["queued"]
    assert lines(district("export", "reports").out) == [told.json]
    for text in (told.out, sheet.out, district("reports", "list").out):
        assert "程老师" not in text
        assert "13711112222" not in text
    assert "回执号: ____" in sheet.out
    assert "证件类型: 居民身份证" in sheet.out
    assert "手臂有淤青" in sheet.out


def test_acknowledge_moves_the_ladder(reported: tuple[District, str]) -> None:
    """A telephone call to the station is a record like any feedback; steps carry who said so."""
    district, number = reported
    received = district(
        "reports", "acknowledge", number, "--step", "received", "--receipt-no", "HZ1", "--by", "P007", "--json"
    )
    accepted = district("reports", "acknowledge", number, "--step", "已受理", "--by", "P007", "--json")

    assert (received.code, received.json["report"]["step"]) == (0, "received")
    assert accepted.json["report"]["step"] == "accepted"
    steps = district("reports", "show", number, "--json").json["steps"]
    assert [(s["step"], s["by"]) for s in steps] == [("queued", "station"), ("received", "P007"), ("accepted", "P007")]
    assert district("status", "--json").json["counts"]["received"] == 1
    assert district("reports", "acknowledge", number, "--step", "eaten").code == 2
    assert district("reports", "acknowledge", "MR-none", "--step", "received").code == 2


def test_retry_makes_waiting_messages_due(reported: tuple[District, str]) -> None:
    """A report without destination waits in the outbox; retry counts what is due now, and status shouts."""
    district, number = reported

    assert district("reports", "retry", number, "--json").json == {"report_no": number, "due_now": 1}
    status = district("status", "--json").json
    assert status["issues"][0]["cause"] == "report.no_receiver"
    assert status["reports"]["open"] == 1


def test_duties_are_listed_and_done(district: District) -> None:
    """A red household's duties are there; the hub takes an outcome, and the next follow-up is owed."""
    district.ingest("police", "incident", police_call("J1", YESTERDAY, intensity="2"))
    listed = district("duties", "list", "--unit", "womens_federation", "--json").json
    file = next(row for row in listed if row["duty"] == "D1")
    told = district("duties", "done", file["duty_no"].lower(), "--outcome", "filed", "--by", "W01", "--json")

    assert all(row.keys() >= DUTY for row in listed)
    assert file["cause"] == {"rule": "R6", "unit": "police", "stream": "incident", "key": "J1"}
    assert (told.code, told.json["duty"]["state"], told.json["duty"]["outcome"]) == (0, "done", "filed")
    assert file["duty_no"] not in {row["duty_no"] for row in district("duties", "list", "--json").json}
    assert district("duties", "done", "D1-none", "--outcome", "x").code == 2
    overdue = district("duties", "list", "--overdue", "--json").json
    assert all(row["overdue"] for row in overdue)


def test_a_duty_with_a_small_letter_in_its_name_is_found(district: District) -> None:
    """D7b, the notice that an order was breached, by either spelling."""
    order = {
        "case_no": "BH1", "applied_on": YESTERDAY[:10], "result": "2", "decided_on": YESTERDAY[:10], "relation": "配偶",
        "updated_at": YESTERDAY, **WIFE.block("applicant"), **HUSBAND.block("respondent"),
    }  # fmt: skip
    district.ingest("court", "protection_order", order)
    district.ingest("police", "incident", police_call("J1", YESTERDAY[:10] + " 11:00:00", intensity="2", category="2"))

    for spelled in ("D7b", "d7b", "D7B"):
        found = district("duties", "list", "--what", spelled, "--json").json
        assert {row["duty"] for row in found} == {"D7b"}


def test_exports_have_the_fields_of_the_contract(reported: tuple[District, str], tmp_path: Path) -> None:
    """Households with people in full, events with coded facts only, duties with their cause; files are private."""
    district, _ = reported
    households = lines(district("export", "households", "--jsonl", "-").out)
    events = lines(district("export", "events", "--jsonl", "-").out)

    assert [
        h.keys() >= {"household", "community", "light", "since", "concerns", "members", "categories"}
        for h in households
    ]
    assert {(m["name"], m["id_number"]) for m in households[0]["members"]} >= {(CHILD.name, CHILD.id_number)}
    assert households[0]["concerns"] == [{"rule": "O5", "since": households[0]["since"]}]
    event = events[0]
    assert (event["kind"], event["unit"], event["stream"], event["key"], event["version"], event["retracted"]) == (
        "concern_found", "education", "concern", "E1", 1, False,
    )  # fmt: skip
    assert event["households"] == [households[0]["household"]]
    assert len(event["persons"]) == 2
    assert event["facts"]["kind"] == "suspected_dv"
    assert CHILD.name not in json.dumps(events, ensure_ascii=False)
    out = tmp_path / "duties.jsonl"
    assert district("export", "duties", "--jsonl", str(out)).code == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert all(row.keys() >= DUTY for row in lines(out.read_text(encoding="utf-8")))
    assert district("export", "everything").code == 2


def test_a_retracted_record_stays_in_the_export(reported: tuple[District, str]) -> None:
    """The event says that it was retracted; the report waits for the police."""
    district, number = reported
    district.ingest(
        "education", "concern", {"concern_no": "E1", "updated_at": NOW.strftime("%Y-%m-%d %H:%M:%S"), "deleted": "1"}
    )
    events = lines(district("export", "events").out)

    assert [(e["key"], e["retracted"]) for e in events] == [("E1", True)]
    assert district("reports", "show", number, "--json").json["cancelled_at"] is None
    district("reports", "acknowledge", number, "--step", "cancelled", "--by", "P007")
    report = district("reports", "show", number, "--json").json
    assert report["step"] == "cancelled"
    assert report["cancelled_at"]


def test_wife_and_husband_are_one_household(district: District) -> None:
    """The export lists each living household once."""
    district.ingest("police", "incident", police_call("J1", YESTERDAY), police_call("J2", YESTERDAY))
    households = lines(district("export", "households").out)

    assert [{m["name"] for m in h["members"]} for h in households] == [{HUSBAND.name, WIFE.name}]


def test_a_duty_that_nobody_knows_is_a_mistake_and_evidence_is_shown_where_it_is_asked(district: District) -> None:
    """`--what D99` names the duties there are; the records behind are a column of a list about one duty alone."""
    district.ingest("police", "incident", police_call("J1", YESTERDAY, intensity="2"))
    wrong = district("duties", "list", "--what", "D99")

    assert (wrong.code, "D21" in wrong.err) == (2, True)
    assert "依据记录" not in district("duties", "list").out
    assert "J1" in district("duties", "list", "--what", "D1").out
