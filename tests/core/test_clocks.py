"""Ways of counting, the calendar, and the moment that remembers what it was asked."""

from __future__ import annotations

import tomllib
from datetime import date, datetime, timedelta
from pathlib import Path

import chinese_calendar
import pytest

from hub.core.clocks import (
    Calendar,
    Moment,
    add_months,
    after_last_day,
    closing,
    day_of,
    days_between,
    end_of_day,
    opening,
    start_of_day,
)
from hub.core.policy import load_calendar
from hub.core.records import SHANGHAI, Silence, StreamKey

FOLDER = Path(__file__).parents[2] / "hub" / "policies" / "calendar"
YEARS = sorted(int(file.stem) for file in FOLDER.glob("*.toml"))
POLICE = StreamKey("police", "incident")


def calendar() -> Calendar:
    return load_calendar({year: (FOLDER / f"{year}.toml").read_bytes() for year in YEARS})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize("year", [year for year in YEARS if year <= 2026])
def test_calendar_agrees_with_the_published_one(year: int) -> None:
    """Every day of a year is a working day here exactly when the `chinesecalendar` package says so."""
    ours = calendar()
    days = [
        date(year, 1, 1) + timedelta(days=n) for n in range(366) if (date(year, 1, 1) + timedelta(days=n)).year == year
    ]

    assert [day for day in days if ours.is_working_day(day) != chinese_calendar.is_workday(day)] == []


@pytest.mark.parametrize("year", YEARS)
def test_calendar_files_name_their_year_and_source(year: int) -> None:
    """A yearly file holds days of its own year only, and says where they come from."""
    found = tomllib.loads((FOLDER / f"{year}.toml").read_text(encoding="utf-8"))

    assert found["year"] == year
    assert found["source"]
    assert all(day.year == year for day in (*found["holidays"], *found["working"]))


def test_a_last_day_off_moves_to_the_next_working_day() -> None:
    """1 October 2026 moves to the 8th; a worked Saturday stays; a plain Saturday moves to Monday."""
    ours = calendar()

    assert ours.move_to_working_day(date(2026, 10, 1)) == date(2026, 10, 8)
    assert ours.move_to_working_day(date(2026, 10, 10)) == date(2026, 10, 10)
    assert ours.move_to_working_day(date(2026, 11, 7)) == date(2026, 11, 9)


def test_working_days_are_counted_from_the_next_day() -> None:
    """Three working days after Wednesday 30 September 2026 end on Saturday the 10th, which is worked."""
    assert calendar().add_working_days(date(2026, 9, 30), 3) == date(2026, 10, 10)


def test_a_year_without_data_counts_its_weekends() -> None:
    """Saturday 1 January 2101 is off, Monday the 3rd is worked."""
    assert calendar().move_to_working_day(date(2101, 1, 1)) == date(2101, 1, 3)


def test_court_hours_drop_the_starting_hour() -> None:
    """Accepted at 10:20, 72 hours run from 11:00; accepted on the hour, from that hour."""
    ours = calendar()

    assert ours.court_hours(at("2026-03-02T10:20"), 72) == at("2026-03-05T11:00")
    assert ours.court_hours(at("2026-03-02T10:00"), 72) == at("2026-03-05T10:00")
    assert ours.court_hours(at("2026-03-05T10:20"), 72) == at("2026-03-10T00:00")


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2025, 8, 31), 6, date(2026, 2, 28)),
        (date(2023, 8, 31), 6, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 7, 15), 6, date(2027, 1, 15)),
    ],
)
def test_months_end_on_the_same_number_or_at_months_end(day: date, months: int, then: date) -> None:
    """The same day months later; at month's end if there is none (S7)."""
    assert add_months(day, months) == then


def test_a_date_opens_at_midnight_and_closes_at_its_last_moment() -> None:
    """S1: 00:00 where it opens, the last moment where it closes; a last day is inclusive; days are compared."""
    day = date(2026, 3, 1)

    assert opening(day) == start_of_day(day) == at("2026-03-01T00:00")
    assert closing(day) == end_of_day(day) == at("2026-03-01T23:59:59.999999")
    assert after_last_day(at("2026-03-01T10:00")) == at("2026-03-02T00:00")
    assert day_of(at("2026-03-01T10:00")) == day
    assert days_between(at("2026-03-01T23:59"), at("2026-03-02T00:01")) == 1
    assert opening(at("2026-03-01T10:00")) == closing(at("2026-03-01T10:00")) == at("2026-03-01T10:00")


def test_a_moment_remembers_the_nearest_future_time_it_was_asked_about() -> None:
    """``passed`` answers from as_of and keeps the nearest time that had not passed."""
    moment = Moment(at("2026-03-01T12:00"))

    assert moment.passed(at("2026-03-01T12:00"))
    assert not moment.passed(at("2026-04-01T00:00"))
    assert not moment.passed(at("2026-03-15T00:00"))
    assert not moment.passed(at("2026-05-01T00:00"))
    assert moment.valid_until == at("2026-03-15T00:00")
    assert moment.fresh().valid_until is None


def test_a_moment_waits_on_a_stream_that_is_still_silent() -> None:
    """A silence that has ended by the moment is history; one that has not is waited on."""
    silences = [Silence(POLICE, at("2026-03-01T00:00"), at("2026-03-05T00:00"))]
    after, within = Moment(at("2026-03-10T00:00"), silences), Moment(at("2026-03-03T00:00"), silences)

    assert after.silent(POLICE, at("2026-03-02T00:00"))
    assert not after.silent(POLICE, at("2026-03-05T00:00"))
    assert after.waits_on == set()
    assert within.silent(POLICE, at("2026-03-02T00:00"))
    assert within.waits_on == {POLICE}
    assert within.valid_until == at("2026-03-05T00:00")
