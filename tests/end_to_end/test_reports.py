"""Whole-line scenarios: who must be reported to the police, who must not, and how the ladder moves."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from tests.end_to_end.story import (
    CHILD,
    COMMUNITY,
    GRANDMOTHER,
    HUSBAND,
    WIFE,
    Hub,
    Human,
    between,
    by_couple,
    call,
)

YESTERDAY = (datetime.now(UTC) + timedelta(hours=8) - timedelta(days=1)).strftime("%Y-%m-%d 10:00:00")
PUPIL = Human("江语桐", date(2014, 9, 1), 44)
TEACHER = {"reporter_name": "程老师", "reporter_phone": "13711112222"}


def about_child(key: str, number: str, **columns: Any) -> dict[str, Any]:
    return {
        key: number, "updated_at": YESTERDAY, "relation": "子女", "community_code": COMMUNITY,
        **HUSBAND.block("abuser"), **columns,
    }  # fmt: skip


class Case(NamedTuple):
    name: str
    unit: str
    stream: str
    row: dict[str, Any]
    rules: list[str]  # of the reports that must exist


CASES = [
    Case("M1 mediation with suspected violence, an adult", "justice", "mediation", between("mediation_no", "M1", YESTERDAY, opened_on=YESTERDAY, origin="2", status="1", violence="疑似"), ["M1"]),
    Case("M1 mediation with suspected sexual assault", "justice", "mediation", between("mediation_no", "M1", YESTERDAY, opened_on=YESTERDAY, origin="2", status="1", sexual_assault_suspected="是"), ["M1"]),
    Case("M1 binds the mediation streams of the grid", "community_grid", "mediation", between("mediation_no", "M1", YESTERDAY, opened_on=YESTERDAY, origin="3", status="1", violence="3"), ["M1"]),
    Case("no M1 for a transferred mediation without grade", "justice", "mediation", between("mediation_no", "M1", YESTERDAY, opened_on=YESTERDAY, origin="1", status="1"), []),
    Case("no M1 without violence", "justice", "mediation", between("mediation_no", "M1", YESTERDAY, opened_on=YESTERDAY, origin="2", status="1", violence="0"), []),
    Case("M2 pupil suspected violence", "education", "concern", about_child("concern_no", "E1", found_at=YESTERDAY, kind="1", **PUPIL.block("student")), ["M2"]),
    Case("M2 pupil suspected sexual assault", "education", "concern", about_child("concern_no", "E1", found_at=YESTERDAY, kind="2", **PUPIL.block("student")), ["M2"]),
    Case("no report for neglect without a situation", "education", "concern", about_child("concern_no", "E1", found_at=YESTERDAY, kind="3", **PUPIL.block("student")), []),
    Case("M7 abandonment at school", "education", "concern", about_child("concern_no", "E1", found_at=YESTERDAY, kind="3", situation="6", **PUPIL.block("student")), ["M7"]),
    Case("M3 minor patient", "health", "treatment", about_child("visit_no", "H1", at=YESTERDAY, violence_suspected="是", **CHILD.block("patient")), ["M3"]),
    Case("M3 harm of an adult without capacity", "health", "treatment", about_child("visit_no", "H1", at=YESTERDAY, harm_suspected="是", **GRANDMOTHER.block("patient", capacity="1")), ["M3"]),
    Case("no report for a capable adult patient", "health", "treatment", by_couple("visit_no", "H1", YESTERDAY, at=YESTERDAY, violence_suspected="是", **WIFE.block("patient", capacity="3")), []),
    Case("unknown capacity and age is reported", "health", "treatment", about_child("visit_no", "H1", at=YESTERDAY, violence_suspected="是", patient_name="周小雨"), ["M3"]),
    Case("M4 youth league violence against a minor", "youth_league", "complaint", about_child("complaint_no", "Q1", at=YESTERDAY, kind="1", **CHILD.block("victim")), ["M4"]),
    Case("M5 youth league sexual assault of a minor", "youth_league", "complaint", about_child("complaint_no", "Q1", at=YESTERDAY, kind="2", **CHILD.block("victim")), ["M5"]),
    Case("no report for bullying", "youth_league", "complaint", about_child("complaint_no", "Q1", at=YESTERDAY, kind="3", **CHILD.block("victim")), []),
    Case("M6 women's federation minor", "womens_federation", "complaint", about_child("complaint_no", "W1", at=YESTERDAY, kind="2", **CHILD.block("victim")), ["M6"]),
    Case("no report for a plain complaint of a capable adult", "womens_federation", "complaint", by_couple("complaint_no", "W1", YESTERDAY, at=YESTERDAY, kind="2"), []),
    Case("sexual assault of a minor at the women's federation is situation nine", "womens_federation", "complaint", about_child("complaint_no", "W1", at=YESTERDAY, kind="4", **CHILD.block("victim")), ["M7"]),
    Case("M6 grid suspected violence against a minor party", "community_grid", "conflict", {"conflict_no": "K1", "updated_at": YESTERDAY, "at": YESTERDAY, "kind": "3", "relation": "子女", "community_code": COMMUNITY, **CHILD.block("party_a"), **HUSBAND.block("party_b")}, ["M6"]),
    Case("no M6 when both parties are capable adults", "community_grid", "conflict", between("conflict_no", "K1", YESTERDAY, at=YESTERDAY, kind="3"), []),
    Case("M6 civil affairs", "civil_affairs", "concern", about_child("concern_no", "A1", found_at=YESTERDAY, kind="1", **CHILD.block("victim")), ["M6"]),
    Case("M6 shelter of a minor", "civil_affairs", "shelter", {"shelter_no": "B1", "from": YESTERDAY, "updated_at": YESTERDAY, "place_code": "P7", "community_code": COMMUNITY, **CHILD.block("victim")}, ["M6"]),
    Case("no report for an adult sheltered with a child", "civil_affairs", "shelter", {"shelter_no": "B1", "from": YESTERDAY, "updated_at": YESTERDAY, "place_code": "P7", "community_code": COMMUNITY, "children": CHILD.name, **WIFE.block("victim")}, []),
    Case("M2 home visit with violence", "education", "visit", {"visit_no": "V1", "at": YESTERDAY, "updated_at": YESTERDAY, "mode": "1", "finding": "3", "relation": "子女", "community_code": COMMUNITY, **PUPIL.block("party_a"), **HUSBAND.block("party_b")}, ["M2"]),
    Case("no report by a police visit", "police", "check_visit", {"visit_no": "V1", "at": YESTERDAY, "updated_at": YESTERDAY, "mode": "1", "finding": "3", "relation": "子女", "community_code": COMMUNITY, **PUPIL.block("party_a"), **HUSBAND.block("party_b")}, []),
    Case("a danger scale of four about a minor", "womens_federation", "danger_scale", about_child("scale_no", "S1", at=YESTERDAY, score="4", lethal_items="0", **CHILD.block("victim")), ["M6"]),
    Case("an adult with a situation code", "health", "treatment", by_couple("visit_no", "H1", YESTERDAY, at=YESTERDAY, situation="5", **WIFE.block("patient", capacity="3")), []),
    Case("the police report to nobody", "police", "incident", call("J1", YESTERDAY, intensity="2"), []),
    Case("a ruined number does not stop a report", "education", "concern", about_child("concern_no", "E1", found_at=YESTERDAY, kind="1", student_name="江语桐", student_id_number="3.10101E+17"), ["M2"]),
    Case("an unknown code does not stop a report", "education", "concern", about_child("concern_no", "E1", found_at="昨天", kind="1", immediate_danger="也许", **PUPIL.block("student")), ["M2"]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_reports(hub: Hub, case: Case) -> None:
    """Exactly the reports that the policy demands exist after one record."""
    receipt = hub.ingest(case.unit, case.stream, case.row)

    assert receipt["applied"] == 1, receipt
    assert [report["rule"] for report in hub.export("reports")] == case.rules


def test_an_unreadable_suspicion_waits_in_quarantine(hub: Hub) -> None:
    """A concern whose kind cannot be read is quarantined with its code, and its neighbour is reported."""
    receipt = hub.ingest(
        "education", "concern",
        about_child("concern_no", "E1", found_at=YESTERDAY, kind="打人", **PUPIL.block("student")),
        about_child("concern_no", "E2", found_at=YESTERDAY, kind="1", **PUPIL.block("student")),
    )  # fmt: skip

    assert (receipt["received"], receipt["applied"], receipt["quarantined"]) == (2, 1, 1)
    bad = [row for row in receipt["rows"] if row["status"] == "quarantined"]
    assert [(row["row"], row["code"], row["field"]) for row in bad] == [(1, "code.unknown", "kind")]
    assert [report["rule"] for report in hub.export("reports")] == ["M2"]


def test_reporter_leaves_only_to_the_police(hub: Hub) -> None:
    """The reporter's name and phone stand in no export, list or sheet."""
    hub.ingest(
        "education", "concern",
        about_child("concern_no", "E1", found_at=YESTERDAY, kind="1", **TEACHER, **PUPIL.block("student")),
    )  # fmt: skip

    shown = "".join(
        hub.run("export", what, "--jsonl", "-") for what in ("households", "events", "reports", "duties")
    ) + hub.run("reports", "list", "--json")
    assert "程老师" not in shown
    assert "13711112222" not in shown
    for file in hub.folder.glob("hub.db*"):
        assert "程老师".encode() not in file.read_bytes()
        assert b"13711112222" not in file.read_bytes()
        assert PUPIL.id_number.encode() not in file.read_bytes()


def test_second_unit_adds_a_source(hub: Hub) -> None:
    """A school and a hospital that name the same incident number make one report with two pieces of evidence."""
    hub.ingest(
        "education", "concern", about_child("concern_no", "E1", found_at=YESTERDAY, kind="1", **CHILD.block("student"))
    )
    hub.ingest(
        "health", "treatment",
        about_child("visit_no", "H1", at=YESTERDAY, violence_suspected="是", related_no="E1", **CHILD.block("patient")),
    )  # fmt: skip

    reports = hub.export("reports")
    assert [report["rule"] for report in reports] == ["M2"]


def test_two_unlinked_findings_are_two_reports(hub: Hub) -> None:
    """Without a linking number two findings about one child are never taken for one incident."""
    hub.ingest(
        "education", "concern", about_child("concern_no", "E1", found_at=YESTERDAY, kind="1", **CHILD.block("student"))
    )
    hub.ingest(
        "health",
        "treatment",
        about_child("visit_no", "H1", at=YESTERDAY, violence_suspected="是", **CHILD.block("patient")),
    )

    assert sorted(report["rule"] for report in hub.export("reports")) == ["M2", "M3"]


def feedback(number: str, report_no: str, step: str, **columns: Any) -> dict[str, Any]:
    now = (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")
    return {"feedback_no": number, "report_no": report_no, "step": step, "at": now, "updated_at": now, **columns}


def test_ladder_climbs_by_feedback(hub: Hub) -> None:
    """Feedback rows of the police move the ladder; case filed turns O5 into R8."""
    hub.ingest(
        "education", "concern", about_child("concern_no", "E1", found_at=YESTERDAY, kind="1", **CHILD.block("student"))
    )
    number = hub.export("reports")[0]["report_no"]
    hub.ingest("police", "report_feedback", feedback("F1", number, "received", receipt_no="HZ1"))
    assert hub.export("reports")[0]["step"] == "received"
    hub.ingest("police", "report_feedback", feedback("F2", number, "已受理"))
    assert hub.export("reports")[0]["step"] == "accepted"
    hub.ingest("police", "report_feedback", feedback("F3", number, "filed", case_no="A1"))

    report = hub.export("reports")[0]
    assert report["step"] == "decided"
    told = hub.explain(hub.household_of(CHILD))
    assert told["light"] == "red"
    assert {c["rule"] for c in told["concerns"] if c["state"] == "open"} == {"R8"}


def test_not_substantiated_closes_only_its_own_concern(hub: Hub) -> None:
    """Not substantiated closes the O5 of that report; the other report's O5 stays."""
    hub.ingest(
        "education", "concern", about_child("concern_no", "E1", found_at=YESTERDAY, kind="1", **CHILD.block("student"))
    )
    hub.ingest(
        "health",
        "treatment",
        about_child("visit_no", "H1", at=YESTERDAY, violence_suspected="是", **CHILD.block("patient")),
    )
    number = next(report["report_no"] for report in hub.export("reports") if report["rule"] == "M2")
    hub.ingest("police", "report_feedback", feedback("F1", number, "不予立案"))

    told = hub.explain(hub.household_of(CHILD))
    assert told["light"] == "orange"
    assert sorted(c["state"] for c in told["concerns"] if c["rule"] == "O5") == ["closed", "open"]


def test_a_retraction_only_asks(hub: Hub) -> None:
    """After a retraction the light follows at once, the report stays until the police grant its cancellation."""
    hub.ingest(
        "education", "concern", about_child("concern_no", "E1", found_at=YESTERDAY, kind="1", **CHILD.block("student"))
    )
    number = hub.export("reports")[0]["report_no"]
    hub.ingest("police", "report_feedback", feedback("F1", number, "received", receipt_no="HZ1"))
    now = (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")
    hub.ingest("education", "concern", {"concern_no": "E1", "updated_at": now, "deleted": "是"})

    report = hub.export("reports")[0]
    assert (report["step"], report["cancelled_at"]) == ("received", None)
    hub.ingest("police", "report_feedback", feedback("F2", number, "cancelled"))
    assert hub.export("reports")[0]["step"] == "cancelled"


def test_feedback_for_an_unknown_report_waits(hub: Hub) -> None:
    """Feedback that names a report nobody made is quarantined as report.unknown."""
    receipt = hub.ingest("police", "report_feedback", feedback("F1", "MR-nothing", "received"))

    assert [row["code"] for row in receipt["rows"]] == ["report.unknown"]


def test_backfill_sends_nothing(hub: Hub) -> None:
    """History loaded as backfill lights the household and makes neither report nor duty."""
    hub.ingest(
        "education", "concern",
        about_child("concern_no", "E1", found_at="2025-03-01", kind="1", **CHILD.block("student")), mode="backfill",
    )  # fmt: skip

    assert hub.export("reports") == []
    assert hub.export("duties") == []
    assert hub.explain(hub.household_of(CHILD))["light"] == "orange"


def test_duties_of_a_fierce_call(hub: Hub) -> None:
    """A fierce call owes the family file, the red follow-up of two units and the rest that the table says."""
    hub.ingest("police", "incident", call("J1", YESTERDAY, intensity="2", injury="1"))

    duties = {(duty["duty"], duty["unit"]) for duty in hub.export("duties") if duty["state"] == "open"}
    assert {
        ("D1", "womens_federation"),
        ("D2", "womens_federation"),
        ("D2", "community_grid"),
        ("D9", "justice"),
        ("D13", "health"),
    } <= duties
    assert not any(duty == "D3" for duty, _ in duties)


def test_a_visit_closes_the_follow_up(hub: Hub) -> None:
    """The grid's own visit closes its D2 and opens the next one; the women's federation still owes its own."""
    hub.ingest("police", "incident", call("J1", YESTERDAY, intensity="2"))
    now = (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")
    hub.ingest("community_grid", "visit", between("visit_no", "V1", now, at=now, mode="1", finding="1"))

    states = sorted((d["unit"], d["state"]) for d in hub.export("duties") if d["duty"] == "D2")
    assert states == [("community_grid", "done"), ("community_grid", "open"), ("womens_federation", "open")]


def test_same_file_twice_changes_nothing(hub: Hub) -> None:
    """A repeated file is unchanged row by row, and no report or duty is made twice."""
    row = about_child("concern_no", "E1", found_at=YESTERDAY, kind="1", **CHILD.block("student"))
    hub.ingest("education", "concern", row)
    before = (hub.export("reports"), hub.export("duties"))

    receipt = hub.ingest("education", "concern", row)

    assert (receipt["received"], receipt["unchanged"]) == (1, 1)
    assert (hub.export("reports"), hub.export("duties")) == before


def test_numbers_learnt_later_move_the_record_and_double_nothing(hub: Hub) -> None:
    """A report about a masked child moves to the child's household with the correction; it stays one report."""
    row = about_child("concern_no", "E1", found_at=YESTERDAY, kind="1", student_name="林小舟")
    del row["abuser_id_number"], row["abuser_name"], row["abuser_phone"]
    hub.ingest("education", "concern", row)
    before = hub.export("reports")
    now = (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")
    hub.ingest(
        "education", "concern",
        about_child("concern_no", "E1", found_at=YESTERDAY, kind="1", **CHILD.block("student")) | {"updated_at": now},
    )  # fmt: skip

    assert [r["report_no"] for r in hub.export("reports")] == [r["report_no"] for r in before]
    assert len(hub.households()) == 1
