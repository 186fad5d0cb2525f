"""The ladder of a report: the state table, its deadlines, and what comes late or out of order."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.clocks import Calendar, Moment
from hub.core.ladder import STATES, STEPS, TABLE, Ladder, fold, rungs, steps_of
from hub.core.records import SHANGHAI, Event, Key

START = datetime(2026, 3, 2, 9, tzinfo=SHANGHAI)  # a Monday
LIMITS = {
    "received": timedelta(minutes=5), "received_urgent": timedelta(minutes=1), "accepted": timedelta(minutes=30),
    "accepted_urgent": timedelta(minutes=10), "decided": timedelta(hours=24), "answered": timedelta(days=3),
}  # fmt: skip
NEVER = Moment(datetime(2100, 1, 1, tzinfo=SHANGHAI))


def feedback(step: str, minutes: float = 0, *, no: str = "", **facts: object) -> Event:
    at = START + timedelta(minutes=minutes)
    key = Key("police", "report_feedback", no or f"{step}{minutes}")
    return Event(
        key, 1, "report_feedback", at, {"report_no": "R1", "step": step, "at": at, **facts}, (), (), True, at, at
    )


def climb(*steps: Event) -> Ladder:
    return fold(steps_of("R1", steps, NEVER))


def due(ladder: Ladder, *, urgent: bool = False) -> dict[str, datetime]:
    return {r.step: r.due for r in rungs(ladder, START, LIMITS, Calendar(), urgent=urgent)}


def test_table_has_every_pair() -> None:
    """Every state knows every step, and leads to a state."""
    assert set(TABLE) == set(STATES)
    for state in STATES:
        assert set(TABLE[state]) == set(STEPS), state
        assert set(TABLE[state].values()) <= set(STATES)


def test_climbs_in_order() -> None:
    """Received, accepted, decided, answered: the whole ladder."""
    way = ["received", "accepted", "filed", "answered"]
    states = [climb(*[feedback(step, n) for n, step in enumerate(way[:end])]).state for end in range(5)]

    assert states == ["queued", "received", "accepted", "decided", "answered"]


@pytest.mark.parametrize("step", ["filed", "security_case", "not_substantiated"])
def test_decisions(step: str) -> None:
    """Filed, security case and not substantiated decide, whatever was left out before."""
    ladder = climb(feedback(step, 5))

    assert ladder.state == "decided"
    assert ladder.decision is not None
    assert ladder.decision.step == step


def test_transferred_keeps_accepted() -> None:
    """Transferred keeps *accepted*, and the clock of the decision runs on."""
    ladder = climb(feedback("received", 1), feedback("accepted", 2), feedback("transferred", 3))

    assert ladder.state == "accepted"
    assert due(ladder)["decided"] == START + timedelta(minutes=1, hours=24)


def test_newest_decision_rules() -> None:
    """Several answers: the newest rules, also when it arrives first."""
    ladder = climb(feedback("filed", 90), feedback("not_substantiated", 60))

    assert ladder.decision is not None
    assert ladder.decision.step == "filed"


def test_cancelled_is_the_end() -> None:
    """After the police granted the cancellation nothing moves the ladder, and no clock runs."""
    ladder = climb(feedback("received", 1), feedback("cancelled", 2), feedback("filed", 3))

    assert ladder.state == "cancelled"
    assert due(ladder) == {}


def test_unknown_step_changes_nothing() -> None:
    """A step the table does not know is passed over."""
    assert climb(feedback("received", 1), feedback("waved", 2)) == climb(feedback("received", 1))


def test_deadlines_of_receipt_and_acceptance() -> None:
    """Five and thirty minutes from the report; one and ten in immediate danger; no decision is due before a receipt."""
    assert due(climb()) == {"received": START + timedelta(minutes=5), "accepted": START + timedelta(minutes=30)}
    assert due(climb(), urgent=True) == {
        "received": START + timedelta(minutes=1), "accepted": START + timedelta(minutes=10),
    }  # fmt: skip


def test_extension_moves_the_decision() -> None:
    """Each extension moves the decision to its own date, to the last moment of a day without time; else three days on."""
    received = feedback("received", 0)

    assert due(climb(received, feedback("extended", 60, until=date(2026, 3, 9))))["decided"].date() == date(2026, 3, 9)
    assert due(climb(received, feedback("extended", 60)))["decided"] == START + timedelta(days=3, hours=1)


def test_answer_is_due_in_days_moved_to_a_working_day() -> None:
    """Decided on a Wednesday the answer is due on Saturday, so on Monday; by the clock when days are compressed."""
    wednesday = feedback("filed", 2 * 24 * 60)
    assert due(climb(wednesday))["answered"].date() == date(2026, 3, 9)

    fast = rungs(climb(wednesday), START, LIMITS | {"answered": timedelta(seconds=2)}, Calendar(), urgent=False)
    assert fast[-1].due == wednesday.at + timedelta(seconds=2)


def test_prosecution_asks_for_a_second_answer() -> None:
    """Before the case goes to prosecution the reporter is answered once more, with a deadline of its own."""
    ladder = climb(feedback("filed", 1), feedback("answered", 2), feedback("to_prosecution", 3))

    reached = {r.step: r.reached is not None for r in rungs(ladder, START, LIMITS, Calendar(), urgent=False)}
    assert ladder.state == "decided"
    assert (reached["answered"], reached["answered_again"]) == (True, False)


def test_feedback_after_the_moment_is_not_seen() -> None:
    """A step after the moment does not count, and the moment remembers when it will."""
    moment = Moment(START)

    assert steps_of("R1", [feedback("received", 5)], moment) == []
    assert moment.valid_until == START + timedelta(minutes=5)


@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 5000)), unique_by=lambda x: x[1], max_size=8),
    st.randoms(use_true_random=False),
)
def test_order_of_arrival_never_matters(steps: list[tuple[str, int]], random: object) -> None:
    """The ladder is a function of the set of feedback records."""
    events = [feedback(step, at) for step, at in steps]
    shuffled = list(events)
    random.shuffle(shuffled)

    assert climb(*events) == climb(*shuffled)
