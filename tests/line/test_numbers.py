"""Numbers link records however they are typed: brackets, width, spaces and case, on both sides."""

from __future__ import annotations

from typing import Any

import pytest

from hub.store.engine import SqlStore
from tests.line.line_kit import HUSBAND, WIFE, Line, call

SPELLINGS = [
    "（2026）沪0105民保令1号",
    "(2026)沪0105民保令1号",
    "〔2026〕沪０１０５ 民保令 1 号",
    "[2026]沪0105民保令1号",
]


def order(no: str, result: str, decided_on: str, **facts: Any) -> dict[str, Any]:
    """A protection order between the spouses."""
    return {
        "case_no": no, "applied_on": decided_on, "decided_on": decided_on, "result": result, "relation": "配偶",
        "community_code": "310101001001", "updated_at": f"{decided_on} 10:00:00",
        "applicant_name": "林晓梅", "applicant_id_number": WIFE, "respondent_name": "赵大伟",
        "respondent_id_number": HUSBAND,
    } | facts  # fmt: skip


@pytest.mark.parametrize("named", SPELLINGS[1:])
def test_a_revocation_finds_its_order(sqlite_store: SqlStore, named: str) -> None:
    """A revocation under a number of its own ends the order that `original_case_no` names in another spelling."""
    line = Line(sqlite_store)
    line.send("court", "protection_order", order(SPELLINGS[0], "2", "2026-11-02"))
    assert line.lights() == ["red"]
    line.send("court", "protection_order", order("（2026）沪0105民保更9号", "6", "2026-11-20", original_case_no=named))

    assert line.lights() == ["orange"]


@pytest.mark.parametrize("named", ["jj-2026-a1", "ＪＪ－２０２６－Ａ１", "JJ-2026-a1 "])
def test_a_forensic_result_finds_its_call(store: SqlStore, named: str) -> None:
    """An injury is the injury of the call it names in another spelling: the call turns fierce and its household red."""
    line = Line(store)
    line.send("police", "incident", call("JJ-2026-A1"))
    assert line.lights() == ["orange"]
    line.send("justice", "forensic", {
        "document_no": "F1", "at": "2026-11-22", "injury": "2", "call_no": named,
        "updated_at": "2026-11-22 10:00:00", "victim_name": "林晓梅", "victim_id_number": WIFE,
    })  # fmt: skip

    assert line.lights() == ["red"]


@pytest.mark.parametrize("spell", [str.lower, lambda no: f" {no} ", lambda no: no.replace("-", "－")])
def test_feedback_finds_its_report(sqlite_store: SqlStore, spell: Any) -> None:
    """A report's number typed back in lower case, with spaces or wide signs moves that report's ladder."""
    line = Line(sqlite_store)
    line.send("education", "concern", {
        "concern_no": "G1", "found_at": "2026-11-23 09:00:00", "kind": "1", "updated_at": "2026-11-23 09:10:00",
        "student_name": "赵小满", "student_id_number": "310101201505083020", "narrative": "手臂淤青",
    })  # fmt: skip
    ((number,),) = line.rows("SELECT no FROM owed WHERE what = 'M2'")
    told = line.send("police", "report_feedback", {
        "feedback_no": "FK1", "report_no": spell(number), "step": "2", "at": "2026-11-24 09:00:00",
        "updated_at": "2026-11-24 09:00:00",
    })  # fmt: skip

    assert told["applied"] == 1, told
    assert line.rows("SELECT state FROM owed WHERE what = 'M2'") == [("accepted",)]


def test_every_duty_can_be_answered_by_its_number(sqlite_store: SqlStore) -> None:
    """Each number comes back as it was given out: the court answers the breach of an order (D7b), which is then done."""
    line = Line(sqlite_store)
    line.send("court", "protection_order", order("C1", "2", "2026-11-10"))
    line.send(
        "police",
        "incident",
        call("C7", called_at="2026-11-23 21:00:00", updated_at="2026-11-23 22:00:00", category="2"),
    )
    numbers = [no for (no,) in line.rows("SELECT no FROM owed WHERE what = 'D7b' AND \"to\" = 'court'")]
    assert numbers

    line.later(hours=1)
    for no in numbers:
        told = line.send("court", "duty_answer", {
            "answer_no": f"A{no}", "duty_no": no, "status": "2", "at": "2026-11-24 10:30:00",
            "updated_at": "2026-11-24 10:30:00",
        })  # fmt: skip
        assert told["applied"] == 1

    assert {state for _, to, state in line.owed("D7b") if to == "court"} == {"done"}
