"""What stands against what is owed: the table, and what must hold for every history."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.records import SHANGHAI, Closing, Key, Owed, Standing
from hub.core.settle import (
    ENDED,
    TABLE,
    Act,
    Amend,
    Close,
    Open,
    Review,
    Withdraw,
    is_report,
    settle,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=SHANGHAI)
A, B, C = (Key("police", "incident", no) for no in "ABC")


def duty(
    what: str = "D2",
    to: str = "community_grid",
    slot: str = "1",
    causes: frozenset[Key] = frozenset({A}),
    **more: object,
) -> Owed:
    return Owed(what, to, slot, causes, NOON, NOON + timedelta(days=1))._replace(**more)


def stands(owed: Owed, state: str = "open", no: str = "N1", sent: bool = True) -> Standing:
    return Standing(no, owed, state, sent)


DONE = Closing(NOON, B, "done")


def test_table_has_every_pair_but_the_empty_one() -> None:
    """Every way to stand meets every way to be owed; nothing and nothing is no pair."""
    pairs = set(product(("nothing", "same", "differs", "ended"), ("live", "fenced", "closed", "none")))

    assert set(TABLE) == pairs - {("nothing", "none")}


@pytest.mark.parametrize(
    ("standing", "owed", "acts"),
    [
        ([], [duty()], [Open(duty())]),
        ([], [duty(live=False)], [Review(duty(live=False))]),
        ([], [duty(closed=DONE)], []),
        ([stands(duty())], [duty()], []),
        ([stands(duty())], [duty(closed=DONE)], [Close("N1", duty(closed=DONE), "done")]),
        ([stands(duty())], [], [Withdraw("N1", duty(), True)]),
        ([stands(duty(), sent=False)], [], [Withdraw("N1", duty(), False)]),
        ([stands(duty())], [duty(due=NOON)], [Amend("N1", duty(due=NOON), ("due",), True)]),
        ([stands(duty())], [duty(due=NOON, live=False)], [Review(duty(due=NOON, live=False), "N1")]),
        ([stands(duty())], [duty(causes=frozenset({A, B}))], [Amend("N1", duty(causes=frozenset({A, B})), ("causes",), False)]),
        ([stands(duty(), "done")], [duty()], [Open(duty(), "N1")]),
        ([stands(duty(), "done")], [duty(closed=DONE)], []),
        ([stands(duty(), "cancelled")], [], []),
    ],
)  # fmt: skip
def test_acts(standing: list[Standing], owed: list[Owed], acts: list[Act]) -> None:
    """Each pair of the table gives exactly its act."""
    assert settle(standing, owed) == acts


def test_accepted_follows_without_telling() -> None:
    """A unit that accepted its duty is not told what it said itself."""
    owed = duty(facts={"state": "accepted"})

    assert settle([stands(duty())], [owed]) == [Amend("N1", owed, ("state",), False)]
    assert settle([stands(duty(), "accepted")], [owed]) == []


def test_household_of_a_light_duty() -> None:
    """One event on two households owes a follow-up on each; a record that moves takes its row along."""
    here, there = duty(household=1), duty(household=2)

    assert settle([], [here, there]) == [Open(here), Open(there)]
    assert settle([stands(here)], [there]) == [Amend("N1", there, ("moved",), True)]
    assert settle([stands(here, no="N1"), stands(there, no="N2")], [there, here]) == []


def test_row_follows_history_to_its_household() -> None:
    """What only history still owes waits for a person, and yet a row stands on the household of its cause alone."""
    stood = duty(household=1, causes=frozenset({A, B}))
    owed = duty(household=2, due=NOON, live=False)

    assert settle([stands(stood)], [owed]) == [
        Amend("N1", stood._replace(household=2, causes=frozenset({A})), ("causes", "moved"), False),
        Review(owed, "N1"),
    ]


def test_one_report_of_two_households() -> None:
    """Two households that owe the same report owe one, and a second source joins it."""
    one = Owed("M2", "police", "victim:5", frozenset({A}), NOON, None, household=1)
    two = one._replace(household=2, causes=frozenset({A, B}))

    assert settle([], [one, two]) == [Open(one._replace(causes=frozenset({A, B})))]


def test_report_keeps_its_rule_and_learns_its_victim() -> None:
    """A victim who becomes known, or a rule that would come first now, changes no report."""
    report = Owed("M3", "police", "victim:unknown", frozenset({A}), NOON, None)
    known = Owed("M2", "police", "victim:5", frozenset({A}), NOON, None)

    assert settle([stands(report, "received")], [known]) == [Amend("N1", known, ("slot",), False)]


def test_report_not_owed_asks_the_police() -> None:
    """A report that is no longer owed is not withdrawn: the police are asked, once, and the coordinator is told."""
    report = Owed("M2", "police", "victim:5", frozenset({A}), NOON, None)
    acts = settle([stands(report, "received")], [])

    assert [(a.owed.what, a.owed.to, a.owed.facts["report_no"]) for a in acts if isinstance(a, Open)] == [
        ("cancellation", "police", "N1"), ("notice", "coordinator", "N1"),
    ]  # fmt: skip
    asked = [stands(a.owed, no=f"C{n}") for n, a in enumerate(acts)]
    assert settle([stands(report, "received"), *asked], []) == []
    assert all(isinstance(a, Close) for a in settle([stands(report, "cancelled"), *asked], []))


def test_another_household_owes_the_report() -> None:
    """A request to cancel is dropped when the report is owed by the household its record moved to."""
    report = Owed("M2", "police", "victim:5", frozenset({A}), NOON, None)
    request = Owed("cancellation", "police", "N1", frozenset({A}), NOON, None, facts={"report_no": "N1"})

    assert settle([stands(report, "received")], [report, request]) == []


def test_replayed_withdrawal_waits_for_a_person() -> None:
    """What only a replay would withdraw goes to the review list."""
    assert settle([stands(duty())], [], replayed=frozenset({A})) == [Review(duty(), "N1")]


# -- for every history -------------------------------------------------------------------------------------------------

KEYS = st.frozensets(st.sampled_from([A, B, C]), min_size=1)
OWED = st.builds(
    lambda what, slot, causes, closed, live, home: Owed(
        what, "police" if is_report(what) else "community_grid", slot, causes, NOON, NOON, closed, {}, live, home
    ),
    st.sampled_from(["M1", "M2", "D2", "D8", "D24"]),
    st.sampled_from(["1", "2"]),
    KEYS,
    st.sampled_from([None, None, DONE]),
    st.sampled_from([True, True, False]),
    st.sampled_from([1, 2]),
)


def apply(standing: list[Standing], acts: list[Act]) -> list[Standing]:
    rows = {row.no: row for row in standing}
    for act in acts:
        if isinstance(act, Open):
            no = f"N{len(rows)}"
            rows[no] = Standing(no, act.owed, "open", False)
        elif isinstance(act, Review):
            continue  # an entry of the review list, no row
        elif isinstance(act, Amend):
            rows[act.no] = rows[act.no]._replace(owed=act.owed)
        else:
            state = act.state if isinstance(act, Close) else "cancelled"
            rows[act.no] = rows[act.no]._replace(owed=act.owed, state=state)
    return list(rows.values())


@settings(max_examples=300, deadline=None)
@given(st.lists(OWED, max_size=6), st.lists(OWED, max_size=6))
def test_settling_twice_does_nothing(before: list[Owed], after: list[Owed]) -> None:
    """Once the acts are carried out nothing more is opened, changed or withdrawn; the fence holds back the same."""
    standing = apply([], settle([], before))
    standing = apply(standing, settle(standing, after))

    assert [act for act in settle(standing, after) if not isinstance(act, Review)] == []


@settings(max_examples=300, deadline=None)
@given(st.lists(OWED, max_size=6), st.lists(OWED, max_size=6), st.randoms(use_true_random=False))
def test_order_never_matters(before: list[Owed], after: list[Owed], random: object) -> None:
    """The acts are the same in whatever order things are owed."""
    standing = apply([], settle([], before))
    shuffled = list(after)
    random.shuffle(shuffled)

    acts, again = settle(standing, after), settle(standing, shuffled)
    assert len(acts) == len(again)
    assert all(act in again for act in acts)


def test_large_case_is_linear() -> None:
    """Ten thousand rows settle without comparing each with each."""
    owed = [duty(slot=str(n), causes=frozenset({Key("police", "incident", str(n))})) for n in range(10_000)]
    standing = [stands(one, no=str(n)) for n, one in enumerate(owed)]

    assert settle(standing, owed) == []
    assert all(state in ENDED for state in ("done", "returned", "cancelled"))
