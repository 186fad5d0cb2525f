from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import ConfigurationError
from hub.core.records import SHANGHAI
from hub.runtime.grid import Grid

START = datetime(2026, 11, 1, tzinfo=SHANGHAI)


@given(
    period=st.integers(100, 100_000), jitter=st.integers(0, 200_000),
    late=st.lists(st.integers(0, 100), min_size=5, max_size=40),
)  # fmt: skip
def test_period_is_never_stretched(period: int, jitter: int, late: list[int]) -> None:
    """Whatever the jitter and however late each run ends within its slot, n runs take n periods (in ms)."""
    every = timedelta(milliseconds=period)
    grid = Grid("a.b", every, jitter=timedelta(milliseconds=jitter))
    first, _ = grid.next_due(START - every, START)
    due = first
    for _ in late:
        following, missed = grid.next_due(due, due)
        assert timedelta(0) < following - due < 2 * every
        assert missed == 0
        due = following

    assert abs((due - first) - len(late) * every) < every


def test_slots_that_went_by_are_counted_and_run_as_one() -> None:
    """A run that was due an hour ago is followed by the next future slot; the 29 slots between are missed, once."""
    grid = Grid("a.b", timedelta(minutes=2))

    assert grid.next_due(START, START + timedelta(minutes=60, seconds=1)) == (START + timedelta(minutes=62), 30)
    assert grid.next_due(START, START + timedelta(seconds=119)) == (START + timedelta(minutes=2), 0)


def test_run_out_of_turn_leaves_the_turn_where_it_is() -> None:
    """Polling by hand before the stream is due moves nothing."""
    assert Grid("a.b", timedelta(minutes=2)).next_due(START, START - timedelta(seconds=30)) == (START, 0)


def test_cron_runs_in_district_time() -> None:
    """``*/10 8-18 * * mon-fri``: from Friday evening to Monday morning, with what was missed in between."""
    grid = Grid("a.b", None, "*/10 8-18 * * mon-fri")
    friday = datetime(2026, 11, 6, 18, 50, tzinfo=SHANGHAI)

    assert grid.next_due(friday, friday) == (datetime(2026, 11, 9, 8, 0, tzinfo=SHANGHAI), 0)
    assert grid.next_due(friday, datetime(2026, 11, 9, 8, 25, tzinfo=SHANGHAI)) == (
        datetime(2026, 11, 9, 8, 30, tzinfo=SHANGHAI),
        3,
    )


@pytest.mark.parametrize(("every", "cron"), [(None, ""), (None, "every day")])
def test_schedule_without_a_rhythm_is_a_configuration_error(every: timedelta | None, cron: str) -> None:
    """Neither every nor a readable cron pattern: named, with what was expected."""
    with pytest.raises(ConfigurationError, match=r"a\.b"):
        Grid("a.b", every, cron)
