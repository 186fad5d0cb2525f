"""A mandatory report keeps its clocks and says what is known, whatever happens to the record that caused it."""

from __future__ import annotations

import orjson

from hub.store.engine import SqlStore
from tests.line.line_kit import HUSBAND, WIFE, Line, mediation


def escalations(line: Line) -> list[tuple[str, str, str]]:
    rows = line.rows("SELECT no, slot, state FROM owed WHERE what = 'escalation' AND slot LIKE ? ORDER BY no", "MR-%")
    return [(str(no), str(slot), str(state)) for no, slot, state in rows]


def test_a_retraction_that_comes_again_stops_no_clock(store: SqlStore) -> None:
    """Nobody but the police end a report: its alarms stand while its record is retracted once, and once more."""
    line = Line(store)
    line.send("justice", "mediation", mediation())
    line.later(days=5)
    before = escalations(line)
    assert {state for _, _, state in before} == {"open"}

    for hour in ("08", "09"):
        line.send("justice", "mediation", mediation(updated_at=f"2026-11-29 {hour}:00:00", deleted="1"))
    assert escalations(line) == before


def test_an_order_in_force_goes_after_the_report_at_once(store: SqlStore) -> None:
    """Who goes to the door hears of the order in the commit after the report, not when a deadline is next looked at."""
    line = Line(store)
    order = {
        "case_no": "B1", "applied_on": "2026-11-10", "decided_on": "2026-11-10", "result": "2", "relation": "配偶",
        "community_code": "310101001001", "updated_at": "2026-11-10 10:00:00", "applicant_name": "林晓梅",
        "applicant_id_number": WIFE, "respondent_name": "赵大伟", "respondent_id_number": HUSBAND,
    }  # fmt: skip
    line.send("court", "protection_order", order)
    line.send("justice", "mediation", mediation())

    assert [what for what, _, _ in line.owed("addendum")] == ["addendum"]
    (facts,) = line.rows("SELECT facts FROM owed WHERE what = 'addendum'")
    assert '"order_in_force"' in facts[0]


def test_the_alarm_of_a_duty_that_comes_late_names_it(store: SqlStore) -> None:
    """A record so old that its duties are overdue when it comes: what the coordinator hears carries their numbers."""
    line = Line(store)
    line.send("justice", "mediation", mediation(opened_on="2026-10-08", updated_at="2026-10-08 10:00:00"))
    rows = line.rows("SELECT facts FROM owed WHERE what = 'escalation' AND slot LIKE ?", "D%")
    duties = {no for (no,) in line.rows("SELECT no FROM owed WHERE what LIKE ?", "D%")}

    named = [orjson.loads(facts)["duty_no"] for (facts,) in rows]
    assert named
    assert set(named) <= duties
