"""A source outside the ten units: its report rules and duties are those of the unit it stands for."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from hub.core import duties, report
from hub.core.assess import course
from hub.core.clocks import Moment
from hub.core.oversight import unreadable
from hub.core.policy import load_policy
from hub.core.records import SHANGHAI, Key, Owed
from tests.core.owed_cases import POLICY_FILE, case

POLICY = load_policy(POLICY_FILE.read_bytes(), stands_for={"hotline_12345": "community_grid"})
NOON = datetime(2026, 3, 2, 12, tzinfo=SHANGHAI)
CHILD = {"role": "victim", "person": 1, "born": date(2016, 3, 9)}


def owed(**row: object) -> list[Owed]:
    """What one order of the hotline makes owed on the same day."""
    moment = Moment(NOON)
    read = case({"event": [{"from": "community_grid.conflict", "no": "1", "at": date(2026, 3, 2), **row}]})
    read = read._replace(events=tuple(e._replace(key=Key("hotline_12345", "order", e.key.no)) for e in read.events))
    went = course(read, POLICY, moment)
    return [*report.owed(read, went, POLICY, moment), *duties.owed(read, went, POLICY, moment)]


@pytest.mark.parametrize(
    ("facts", "what", "to"),
    [
        ({"kind": "suspected_violence"}, "M6", "police"),
        ({"kind": "general_conflict"}, "D15", "community_grid"),
        ({"kind": "general_conflict", "words_of_harm": True}, "D25", "head:community_grid"),
    ],
)
def test_duties_fall_to_whom_it_stands_for(facts: dict[str, object], what: str, to: str) -> None:
    """Report, mediation and the private task of a head are owed as if the grid had found it."""
    assert (what, to) in {(row.what, row.to) for row in owed(facts=facts, parties=[CHILD])}


def test_unreadable_row_goes_to_the_head_it_stands_for() -> None:
    """D26 reaches a head that exists."""
    rows = unreadable(Key("hotline_12345", "order", "row:1"), NOON, POLICY)

    assert {row.to for row in rows} == {"coordinator", "head:community_grid"}


def test_rules_of_one_stream_stay_with_that_stream() -> None:
    """M1 holds for the grid's mediations, so for a mediation of the hotline, and not for its orders."""
    (m1,) = (finder for finder in POLICY.finders if finder.rule == "M1")

    assert "hotline_12345.mediation" in m1.by
    assert "hotline_12345" not in m1.by
