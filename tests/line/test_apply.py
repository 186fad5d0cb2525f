"""Apply: one commit for everything that follows."""

from __future__ import annotations

from hub.store.engine import SqlStore
from tests.line.line_kit import Line, call, mediation


def test_a_call_lights_its_household(store: SqlStore) -> None:
    """A general family conflict lights one household orange and owes its duties."""
    line = Line(store)
    receipt = line.send("police", "incident", call())
    assert receipt["applied"] == receipt["received"] == 1, receipt
    assert line.lights() == ["orange"]
    assert {what for what, _, _ in line.owed("D")} >= {"D1", "D3", "D15"}


def test_a_mediation_with_suspicion_is_reported(store: SqlStore) -> None:
    """Suspected violence found by the justice bureau goes to the police under one number."""
    line = Line(store)
    line.send("justice", "mediation", mediation())
    assert line.owed("M") == [("M1", "police", "queued")]
    assert line.lights() == ["orange"]
