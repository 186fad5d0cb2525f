"""The ladder on a real archive: what is late and who was told, extensions, and an answer to each of two reporters."""

from __future__ import annotations

from typing import Any

from hub.read.reports import reports
from hub.store.engine import SqlStore
from tests.line.line_kit import CHILD, VAULT, Line, mediation


def shown(line: Line) -> list[dict[str, Any]]:
    return list(reports(line.store, VAULT))


def late(line: Line) -> list[tuple[str, str]]:
    """(step, since) of everything late, oldest first."""
    return [(step["step"], step["since"]) for report in shown(line) for step in report["late"]]


def feedback(line: Line, no: str, step: str, **columns: Any) -> dict[str, Any]:
    """What the police answer now about the one report."""
    at = line.now.isoformat()
    return {
        "feedback_no": no, "report_no": shown(line)[0]["report_no"], "step": step, "at": at, "updated_at": at, **columns
    }  # fmt: skip


def test_a_late_step_names_who_was_told_until_it_is_reached(store: SqlStore) -> None:
    """Without a receipt the report is late since its fifth minute; a receipt takes the step off the page."""
    line = Line(store)
    line.send("justice", "mediation", mediation())
    assert late(line) == []
    line.later(minutes=6)

    assert late(line) == [("received", "2026-11-24T10:05:00+08:00")]
    assert shown(line)[0]["late"][0]["told"] == ["coordinator", "police"]
    line.send("police", "report_feedback", feedback(line, "F1", "received", receipt_no="HZ1"))
    assert late(line) == []
    line.later(minutes=60)
    assert [step for step, _ in late(line)] == ["accepted"]


def test_an_extension_is_a_record_that_moves_the_deadline(store: SqlStore) -> None:
    """An extension stands among the steps with its new end, and the decision is late only after that."""
    line = Line(store)
    line.send("justice", "mediation", mediation())
    line.send("police", "report_feedback", feedback(line, "F1", "accepted", receipt_no="HZ1"))
    line.send("police", "report_feedback", feedback(line, "F2", "extended", until="2026-11-27 10:00:00"))
    line.later(hours=30)

    assert [step["until"] for step in shown(line)[0]["steps"] if step["step"] == "extended"] == [
        "2026-11-27T10:00:00+08:00"
    ]
    assert "decided" not in [step for step, _ in late(line)]
    line.later(days=3)
    assert "decided" in [step for step, _ in late(line)]


def test_each_of_two_reporters_gets_an_answer(store: SqlStore) -> None:
    """A school and a hospital that name one incident share a report; the police's decision goes to both, each on its own."""
    line = Line(store)
    child = {"community_code": "310101001001", "updated_at": "2026-11-24 09:00:00"}
    line.send(
        "education", "concern",
        {"concern_no": "E1", "found_at": "2026-11-24 08:00:00", "kind": "1", "student_id_number": CHILD,
         "student_name": "赵小满", **child},
    )  # fmt: skip
    line.send(
        "health", "treatment",
        {"visit_no": "H1", "at": "2026-11-24 08:30:00", "violence_suspected": "1", "related_no": "E1",
         "patient_id_number": CHILD, "patient_name": "赵小满", **child},
    )  # fmt: skip
    assert len(shown(line)) == 1
    line.send("police", "report_feedback", feedback(line, "F1", "filed", case_no="A1"))

    answers = line.rows('SELECT no, "to" FROM parcel WHERE kind = \'answer\' ORDER BY "to"')
    assert [to for _, to in answers] == ["education", "health"]
    assert len({no for no, _ in answers}) == 2
