"""How old somebody is on a day, and what capacity follows from it (S8; Civil Code 18–22)."""

from __future__ import annotations

from datetime import date


def age_on(born: date, day: date) -> int:
    """Full years on ``day``: a year is complete from the day after the birthday (S8); born 29 February: 28 in common years.

    >>> age_on(date(2004, 2, 29), date(2022, 2, 28)), age_on(date(2004, 2, 29), date(2022, 3, 1))
    (17, 18)
    """
    years = day.year - born.year
    month, number = born.month, born.day
    if month == 2 and number == 29 and not _is_leap(day.year):
        number = 28
    return years if (day.month, day.day) > (month, number) else years - 1


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def capacity_at(age: int | None, recorded: str | None) -> str:
    """Capacity by age (Civil Code 18–22); a recorded one may lower a minor's, and rules for an adult (S8)."""
    if age is None:
        return recorded or "unknown"
    if age >= 18:
        return recorded or "full"
    if age < 8 or recorded == "none":
        return "none"
    return "limited"
