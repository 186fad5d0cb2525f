"""The daily queue: a total order by the policy's table, in which nothing owed is missing and every place says why."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.policy_check import findings
from hub.core.queue import Entry, Item, Load, entries_of, load, order_of, queue
from hub.core.queue_words import heading, item_line, load_line, why_here
from hub.core.records import SHANGHAI, Light
from tests.core.owed_cases import policy

NOW = datetime(2026, 3, 2, 9, tzinfo=SHANGHAI)
RAW = policy().raw
ORDER = order_of(RAW)
WHAT = sorted({*(row["id"] for row in RAW["duty"]), *(row["id"] for row in RAW["report"])})


def item(no: str, what: str = "D2", days: float | None = 1, to: str = "community_grid") -> Item:
    return Item(no, what, to, None if days is None else NOW + timedelta(days=days), "open")


def entry(name: str | None, light: Light, *items: Item, days: float | None = 1) -> Entry:
    return Entry(name, "C1", light, None if days is None else NOW - timedelta(days=days), items or (item(f"N{name}"),))


def names(*entries: Entry) -> list[str]:
    return [place.entry.name for place in queue(entries, ORDER, NOW)]


@st.composite
def boards(draw: st.DrawFn) -> list[Entry]:
    """Households and things of no household, each under a name of its own."""
    made = []
    for n in range(draw(st.integers(0, 12))):
        owed = tuple(
            item(f"N{n}.{m}", draw(st.sampled_from(WHAT)), draw(st.one_of(st.none(), st.integers(-400, 400))))
            for m in range(draw(st.integers(1, 3)))
        )
        light = draw(st.sampled_from(list(Light)))
        days = draw(st.one_of(st.none(), st.integers(0, 400)))
        alone = draw(st.booleans())
        made.append(
            entry(
                None if alone else f"H{n}", Light.unlit if alone else light, *(owed[:1] if alone else owed), days=days
            )
        )
    return made


@given(boards(), st.randoms(use_true_random=False))
def test_the_order_is_total_and_does_not_depend_on_how_entries_come(board: list[Entry], random: object) -> None:
    """However the entries are shuffled, the places are the same, one each, from 1."""
    places = queue(board, ORDER, NOW)
    shuffled = list(board)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis gives a random.Random

    assert queue(shuffled, ORDER, NOW) == places
    assert [place.n for place in places] == list(range(1, len(board) + 1))


@given(boards())
def test_nothing_owed_is_missing_and_nothing_is_there_twice(board: list[Entry]) -> None:
    """Everything owed stands in the queue exactly once, each entry with a rank of the table and a sentence."""
    places = queue(board, ORDER, NOW)
    owed = [one.no for place in places for one in place.entry.items]

    assert sorted(owed) == sorted(one.no for e in board for one in e.items)
    assert {place.rank.id for place in places} <= {row["id"] for row in RAW["queue"]}
    assert all(why_here(place, NOW, str) and heading(place, str) for place in places)


@given(boards(), boards())
def test_two_entries_keep_their_order_whatever_else_comes(board: list[Entry], more: list[Entry]) -> None:
    """Further entries never swap two that were there."""
    others = [e._replace(household=f"X{n}") for n, e in enumerate(more)]
    known = [e.name for e in board]

    assert [name for name in names(*board, *others) if name in known] == names(*board)


@given(boards())
def test_what_decides_against_the_next_is_true(board: list[Entry]) -> None:
    """The word that explains a place names the first thing in which it differs from the next."""
    places = queue(board, ORDER, NOW)
    ranks = [rank.id for rank in ORDER.ranks]
    for place, following in pairwise(places):
        mine, its = ranks.index(place.rank.id), ranks.index(following.rank.id)
        assert (place.before_next == "rank") == (mine != its)
        assert mine <= its
        if place.before_next == "overdue":
            assert place.overdue is not None
    assert [place.before_next for place in places[-1:]] == ["last"][: len(places)]


def test_the_clause_comes_first_then_the_last_event_then_what_is_overdue() -> None:
    """Danger before reports before lights from red down; within a light the recent event, then the longest overdue."""
    assert names(
        entry("green", Light.green, item("1", "D5")), entry("red_old", Light.red, days=100), entry("red_new", Light.red, days=2),
        entry("orange", Light.orange, item("2", days=-30)), entry("shelter", Light.unlit, item("3", "D8")),
        entry("report", Light.yellow, item("4", "M3")), entry("late", Light.orange, item("5", days=-90)),
        entry(None, Light.unlit, item("class", "D20"), days=None),
    ) == ["shelter", "report", "red_new", "red_old", "late", "orange", "green", "class"]  # fmt: skip


def test_a_policy_of_a_district_may_rank_otherwise() -> None:
    """The order is data: with another table green stands first, and without any table what is late."""
    other = order_of({"queue": [{"id": "g", "light": ["green"], "clause": "x"}], "workload": {"recent_days": [3]}})
    board = [entry("r", Light.red), entry("g", Light.green)]

    assert [p.entry.name for p in queue(board, other, NOW)] == ["g", "r"]
    assert [p.rank.clause for p in queue(board, other, NOW)] == ["x", ""]
    assert [p.entry.name for p in queue([entry("b", Light.red, item("1", days=2)), entry("a", Light.unlit, item("2", days=3))],
                                        order_of({}), NOW)] == ["b", "a"]  # fmt: skip


def test_things_of_one_household_stand_together_and_others_alone() -> None:
    """What is owed is gathered by household; a class that was not held has its own place."""
    gathered = entries_of([("H1", item("1")), (None, item("2", "D20")), ("H1", item("3")), (None, item("4", "D20"))])

    assert {name: [i.no for i in items] for name, items in gathered.items()} == {
        "H1": ["1", "3"],
        "2": ["2"],
        "4": ["4"],
    }


@pytest.mark.parametrize(("count", "heavy"), [(45, False), (46, True)])
def test_more_than_forty_five_open_households_are_too_many(count: int, heavy: bool) -> None:
    """Red and orange count, yellow does not; the number is the policy's, and the warning names it."""
    lights = [Light.red] * 20 + [Light.orange] * (count - 20) + [Light.yellow] * 30
    found = load(("F1", "womens_federation", "", True), lights, [item("1", days=-1), item("2")], RAW, NOW)

    assert found == Load("F1", "womens_federation", "", True, count, {"red": 20, "orange": count - 20}, 2, 1, heavy)
    assert ("more than 45" in load_line(found, RAW["workload"]["most"], str)) is heavy
    assert not load(("", "", "", False), lights, [], RAW, NOW).heavy  # what is nobody's is no load of anybody


def test_a_place_explains_itself_in_a_sentence() -> None:
    """Clause, last event, what is overdue and since when, and what puts it before the next."""
    first, second = queue([entry("A", Light.red, item("1", days=-3)), entry("B", Light.orange, days=None)], ORDER, NOW)

    assert why_here(first, NOW, str) == (
        "Here because: red light (二(一), 三(二)二; 反家庭暴力法 17, 30), last event 1 days ago, "
        "follow-up visit, red D2 overdue for 3 days. Before the next by its clause."
    )
    assert "no event on file" in why_here(second, NOW, str)
    assert item_line(item("1", days=-0.2), NOW, str).endswith("overdue for 4 hours, nobody has it yet")


def test_policy_check_names_a_rank_that_cannot_be() -> None:
    """A duty or light that does not exist is an error; a table that leaves something out is a warning."""
    from dataclasses import replace

    bad = replace(policy(), raw={**RAW, "queue": [{"id": "q", "what": ["D99"], "clause": "四(一)"}]})

    assert {(f.level, f.code) for f in findings(bad) if f.code.startswith("queue")} == {
        ("error", "queue.unknown"), ("warning", "queue.open"),
    }  # fmt: skip
    assert [f for f in findings(policy()) if f.code.startswith("queue")] == []
