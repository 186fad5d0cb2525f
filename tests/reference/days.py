"""Days and hours as section 8 counts them (S1, S5, S6, S8), with the holidays of the district's own data files."""

from __future__ import annotations

import calendar
import tomllib
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path

BEIJING = timezone(timedelta(hours=8))
FILES = Path(__file__).parents[2] / "hub" / "policies" / "calendar"


def day(when: date | datetime) -> date:
    return when.date() if isinstance(when, datetime) else when


def midnight(that: date) -> datetime:
    return datetime(that.year, that.month, that.day, tzinfo=BEIJING)


def opens_at(when: date | datetime) -> datetime:
    """S1: a date without time is 00:00 where it opens something."""
    return when if isinstance(when, datetime) else midnight(when)


def closes_at(when: date | datetime) -> datetime:
    """S1: a date without time is the last moment of that day where it closes something."""
    return when if isinstance(when, datetime) else midnight(when + timedelta(days=1)) - timedelta(microseconds=1)


def after(last_day: date | datetime) -> datetime:
    """S1: last days are inclusive, the state ends at 00:00 of the next day."""
    return midnight(day(last_day) + timedelta(days=1))


def days_since(earlier: date | datetime, later: date | datetime) -> int:
    """S1: calendar days compared."""
    return (day(later) - day(earlier)).days


def months_later(that: date, months: int) -> date:
    """The same day so many months later, at month's end if there is none."""
    year, month = that.year + (that.month - 1 + months) // 12, (that.month - 1 + months) % 12 + 1
    return date(year, month, min(that.day, calendar.monthrange(year, month)[1]))


@lru_cache
def holidays_and_workdays() -> tuple[frozenset[date], frozenset[date]]:
    free: set[date] = set()
    worked: set[date] = set()
    for file in FILES.glob("[0-9]*.toml"):
        year = tomllib.loads(file.read_text(encoding="utf-8"))
        free |= set(year.get("holidays", ()))
        worked |= set(year.get("working", ()))
    return frozenset(free), frozenset(worked)


def is_working_day(that: date) -> bool:
    free, worked = holidays_and_workdays()
    return that in worked or (that.isoweekday() <= 5 and that not in free)


def moved(that: date) -> date:
    """S6: a last day that is no working day moves to the next working day."""
    while not is_working_day(that):
        that += timedelta(days=1)
    return that


def working_days_later(that: date, count: int) -> date:
    while count:
        that += timedelta(days=1)
        count -= is_working_day(that)
    return that


def birthday(born: date, years: int) -> date:
    """S8: born on 29 February, 28 February in common years."""
    year = born.year + years
    return (
        date(year, 2, 28)
        if (born.month, born.day) == (2, 29) and not calendar.isleap(year)
        else born.replace(year=year)
    )


def is_under(born: date, years: int, on: date) -> bool:
    """S8: through the birthday; from the next day no more."""
    return on <= birthday(born, years)
