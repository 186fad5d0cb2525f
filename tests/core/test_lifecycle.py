from __future__ import annotations

import pytest

from hub.core.faults import ACTIONS, FAULTS, action_of
from hub.core.lifecycle import HAPPENINGS, NEXT, STATES, after, met, shown


def test_nine_states_have_an_entry_for_everything_that_can_happen() -> None:
    """The table is complete, leads to states that exist, and every state says who acts next and what to do."""
    assert len(STATES) == 9
    assert set(NEXT) == set(STATES)
    for state, row in NEXT.items():
        assert set(row) == set(HAPPENINGS), state
        assert set(row.values()) <= set(STATES), state
    assert all(state.who in ("nobody", "it", "department", "maker") and state.todo for state in STATES.values())


def test_every_state_can_be_reached_and_left() -> None:
    """From switched off to each state and back to work: none is a trap."""
    reached = {"disabled"}
    for _ in STATES:
        reached |= {after(state, happening) for state in reached for happening in HAPPENINGS}

    assert reached == set(STATES)
    for state in STATES:
        assert {after(state, happening) for happening in HAPPENINGS} != {state}


@pytest.mark.parametrize(
    ("process", "results", "state"),
    [
        ("ready", [], "ready"), ("ready", ["", ""], "ready"), ("ready", ["http.503"], "waiting"),
        ("ready", ["http.503", "http.401"], "needs_credentials"), ("ready", ["http.404"], "needs_person"),
        ("ready", ["http.401", "http.404"], "needs_credentials"), ("waiting", [], "waiting"),
        ("waiting", ["http.401"], "needs_credentials"), ("held", ["http.401"], "held"), ("refused", ["http.503"], "refused"),
        ("disabled", ["http.401"], "disabled"), ("draining", ["http.401"], "draining"), ("starting", [], "starting"),
        ("ready", ["mapping.failed"], "ready"), ("ready", ["connector.ZeroDivisionError"], "waiting"),
    ],
)  # fmt: skip
def test_shown_state_is_the_worst_that_somebody_must_act_on(process: str, results: list[str], state: str) -> None:
    """A held process stays held whatever its sources say; else a credential outranks a person, a person outranks weather."""
    assert shown(process, results) == state


def test_every_known_code_has_an_action() -> None:
    """Each code of the table of faults is answered by name; a code nobody knows is retried and then told, never dropped."""
    for code in FAULTS:
        assert (action_of(code).word != "unknown") is (code not in ("hub.error", "connector.unclear")), code
    assert action_of("something.new") == ACTIONS["unknown"]
    assert action_of("connector.ZeroDivisionError").issue == "after five"
    assert met("") == "answered"
