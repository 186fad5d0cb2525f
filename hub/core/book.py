"""The compiled duty table of the policy file below its marker, and ways of counting a due date.

The numbers stand in `[[duty]]`, `[reasons]` and `[ladder.late]`; every due date names its counting (S5): hours and days
by the clock, working days by the calendar (S6).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from hub.core.clocks import Calendar, add_months, end_of_day
from hub.core.errors import ConfigurationError

_TERM: Final = re.compile(r"(\d+)(ms|s|m|h|d|wd|mo)|(now|month_end|quarter_end)")
_UNITS: Final = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Term(NamedTuple):
    """One way of counting: ``times`` hours, days, working days, months; or the end of the month or quarter."""

    times: int
    unit: str
    text: str
    span: timedelta | None = None  # of those that run by the clock

    def due(self, start: datetime, calendar: Calendar) -> datetime:
        """When it is due, counted from ``start``; days that end as days end at their last second."""
        if self.span is not None:
            return start + self.span
        day = start.date()
        if self.unit == "wd":
            return _working_days(calendar, day, self.times)
        if self.unit == "mo":
            day = add_months(day, self.times)
            return start.replace(year=day.year, month=day.month, day=day.day)
        if self.unit == "now":
            return start
        return _end_of_months(day.replace(day=1), 1 if self.unit == "month_end" else 3 - (day.month - 1) % 3)


@lru_cache(4096)
def _working_days(calendar: Calendar, day: date, count: int) -> datetime:
    return last_second(end_of_day(calendar.add_working_days(day, count)))


@lru_cache(1024)
def _end_of_months(first: date, count: int) -> datetime:
    return last_second(end_of_day(add_months(first, count) - timedelta(days=1)))


def term(text: str) -> Term:
    """``24h``, ``7d``, ``3wd``, ``3mo``, ``month_end``, ``quarter_end``, ``now``. Raises ``ConfigurationError``."""
    match = _TERM.fullmatch(text.strip())
    if match is None:
        remedy = "write 24h, 7d, 3wd, 3mo, month_end, quarter_end or now"
        raise ConfigurationError(f"{text!r} is no term; {remedy}", code="policy.term", remedy=remedy)
    count, unit, word = match.groups()
    if word:
        return Term(0, word, word)
    span = timedelta(**{_UNITS[unit]: int(count)}) if unit in _UNITS else None
    return Term(int(count), unit, text.strip(), span)


compiled = lru_cache(256)(term)
"""``term`` for words that rules name beside ``due``: each compiled once."""


class Rule(NamedTuple):
    """One duty of the table."""

    id: str
    to: tuple[str, ...]
    terms: tuple[Term, ...]
    clause: str
    law: str
    raw: Mapping[str, Any]

    def term(self, n: int) -> Term:
        """The term of the n-th row, from 1: the last of the table repeats."""
        return self.terms[min(n, len(self.terms)) - 1]

    def due(self, n: int, start: datetime, calendar: Calendar) -> datetime:
        """When the n-th row is due, counted from ``start``."""
        found = self.terms[n - 1] if n <= len(self.terms) else self.terms[-1]
        return start + found.span if found.span is not None else found.due(start, calendar)


class Book(NamedTuple):
    """Everything of the policy file below its marker, compiled."""

    duties: Mapping[str, Rule]
    late: Mapping[str, tuple[str, ...]]
    reasons: Mapping[str, str]
    asked: dict[frozenset[str], Any]  # signs of a case → the duties to ask (duties.py), found once for each set


def compile_book(raw: Mapping[str, Any]) -> Book:
    """Compile the tables of a merged policy (file and overlay). Raises ``ConfigurationError`` naming the row."""
    duties = {
        row["id"]: Rule(row["id"], tuple(row["to"]), tuple(term(t) for t in row["due"]), row["clause"], row["law"], row)
        for row in raw.get("duty", ())
        if row.get("enabled", True)
    }
    ladder = raw.get("ladder", {})
    reasons = {rule: name for name, rules in raw.get("reasons", {}).items() for rule in rules}
    return Book(
        duties,
        {name: tuple(to) for name, to in ladder.get("late", {}).items()},
        reasons,
        {},
    )


_last: list[tuple[Mapping[str, Any], Book]] = []


def book_of(policy: Any) -> Book:
    """The compiled tables of a policy; compiled once for one ``policy.raw`` (the same object gives the same book)."""
    for raw, book in _last:
        if raw is policy.raw:
            return book
    book = compile_book(policy.raw)
    _last.insert(0, (policy.raw, book))
    del _last[16:]
    return book


def last_second(at: datetime) -> datetime:
    return at.replace(microsecond=0)
