"""The compiled duty table of the policy file below its marker, and ways of counting a due date.

The numbers stand in `[[duty]]`, `[reasons]` and `[ladder.late]`; every due date names its counting (S5): hours and days
by the clock, working days by the calendar (S6).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
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

    def due(self, start: datetime, calendar: Calendar) -> datetime:
        """When it is due, counted from ``start``; days that end as days end at their last second."""
        if self.unit in _UNITS:
            return start + timedelta(**{_UNITS[self.unit]: self.times})
        day = start.date()
        if self.unit == "wd":
            return last_second(end_of_day(calendar.add_working_days(day, self.times)))
        if self.unit == "mo":
            day = add_months(day, self.times)
            return start.replace(year=day.year, month=day.month, day=day.day)
        if self.unit == "now":
            return start
        ahead = 1 if self.unit == "month_end" else 3 - (day.month - 1) % 3
        return last_second(end_of_day(add_months(day.replace(day=1), ahead) - timedelta(days=1)))


def term(text: str) -> Term:
    """``24h``, ``7d``, ``3wd``, ``3mo``, ``month_end``, ``quarter_end``, ``now``. Raises ``ConfigurationError``."""
    match = _TERM.fullmatch(text.strip())
    if match is None:
        remedy = "write 24h, 7d, 3wd, 3mo, month_end, quarter_end or now"
        raise ConfigurationError(f"{text!r} is no term; {remedy}", code="policy.term", remedy=remedy)
    count, unit, word = match.groups()
    return Term(0, word, word) if word else Term(int(count), unit, text.strip())


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


class Book(NamedTuple):
    """Everything of the policy file below its marker, compiled."""

    duties: Mapping[str, Rule]
    late: Mapping[str, tuple[str, ...]]
    reasons: Mapping[str, str]


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
    )


_last: list[tuple[Mapping[str, Any], Book]] = []


def book_of(policy: Any) -> Book:
    """The compiled tables of a policy; compiled once for one ``policy.raw`` (the same object gives the same book)."""
    for raw, book in _last:
        if raw is policy.raw:
            return book
    book = compile_book(policy.raw)
    _last.insert(0, (policy.raw, book))
    del _last[4:]
    return book


def last_second(at: datetime) -> datetime:
    return at.replace(microsecond=0)
