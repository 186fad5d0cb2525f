"""The only way a rule may ask about time: a Moment, and the ways of counting days and hours (S1, S5, S6).

``Moment`` answers from ``as_of`` and the recorded silences, and remembers what it was asked in vain: the nearest future
time (``valid_until``) and the streams that are silent (``waits_on``). Those are the two ways in which an answer can
change without a new record. Nothing else compares a time with ``as_of``.
"""

from __future__ import annotations

import calendar as months
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Final

from hub.core.records import SHANGHAI, Silence, StreamKey, When

ONE_DAY: Final = timedelta(days=1)
_TICK: Final = timedelta(microseconds=1)
_MIDNIGHT: Final = time(tzinfo=SHANGHAI)
_LAST: Final = time(23, 59, 59, 999999, SHANGHAI)


class Moment:
    """World time ``as_of`` with everything known now (S2). One per case: use ``fresh()`` for the next one."""

    __slots__ = ("_silences", "as_of", "valid_until", "waits_on")

    def __init__(self, as_of: datetime, silences: Iterable[Silence] = ()) -> None:
        self.as_of = as_of
        self._silences: dict[StreamKey, list[Silence]] = {}
        for silence in silences:
            self._silences.setdefault(silence.stream, []).append(silence)
        self.valid_until: datetime | None = None
        self.waits_on: set[StreamKey] = set()

    def fresh(self) -> Moment:
        """The same moment without memory; silences are shared, not copied."""
        moment = Moment(self.as_of)
        moment._silences = self._silences
        return moment

    def passed(self, at: datetime) -> bool:
        """Whether ``at`` is not after the moment; a later ``at`` becomes ``valid_until`` if none is nearer."""
        if at <= self.as_of:
            return True
        if self.valid_until is None or at < self.valid_until:
            self.valid_until = at
        return False

    def silence(self, stream: StreamKey, at: datetime) -> Silence | None:
        """The recorded silence of ``stream`` at ``at``; one that has not ended is remembered in ``waits_on``.

        A silence whose end lies after the moment is given as one without end.
        """
        for silence in self._silences.get(stream, ()):
            if silence.since <= at and (silence.until is None or at < silence.until):
                if silence.until is not None and self.passed(silence.until):
                    return silence
                self.waits_on.add(stream)
                return silence._replace(until=None)
        return None

    def silent(self, stream: StreamKey, at: datetime) -> bool:
        """Whether ``stream`` was not heard at ``at``."""
        return self.silence(stream, at) is not None

    def has_silences(self) -> bool:
        """Whether any silence is known at all: a shortcut for the common case."""
        return bool(self._silences)


def start_of_day(day: date) -> datetime:
    """00:00 of a Shanghai day."""
    return datetime.combine(day, _MIDNIGHT)


def end_of_day(day: date) -> datetime:
    """The last moment of a Shanghai day: what a date means where it closes something, and what ``--as-of D`` means."""
    return datetime.combine(day, _LAST)


def opening(when: When) -> datetime:
    """A date opens at 00:00, an instant when it is (S1)."""
    return when if isinstance(when, datetime) else start_of_day(when)


def closing(when: When) -> datetime:
    """A date closes at its last moment, an instant when it is (S1)."""
    return when if isinstance(when, datetime) else end_of_day(when)


def after_last_day(when: When) -> datetime:
    """00:00 after an inclusive last day; the time of day of an instant does not shorten it (S1)."""
    return start_of_day(day_of(when) + ONE_DAY)


def day_of(when: When) -> date:
    """The Shanghai calendar day."""
    return when.date() if isinstance(when, datetime) else when


def days_between(earlier: When, later: When) -> int:
    """Days as "N days since" counts them: calendar days compared (S1)."""
    return (day_of(later) - day_of(earlier)).days


def add_months(day: date, count: int) -> date:
    """The same day ``count`` months later, at month's end if there is none (Civil Code 202; S7)."""
    years, month = divmod(day.month - 1 + count, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, months.monthrange(year, month + 1)[1]))


class Calendar:
    """Working days of mainland China: weekends, holidays and the weekends that are worked instead.

    A year without data counts its weekends only.
    """

    __slots__ = ("holidays", "working", "years")

    def __init__(self, holidays: Iterable[date] = (), working: Iterable[date] = (), years: Iterable[int] = ()) -> None:
        self.holidays = frozenset(holidays)
        self.working = frozenset(working)
        self.years = frozenset(years)

    def is_working_day(self, day: date) -> bool:
        """Whether offices are open on ``day``."""
        if day in self.working:
            return True
        return day.weekday() < 5 and day not in self.holidays

    def move_to_working_day(self, day: date) -> date:
        """``day`` itself, or the next working day (Civil Code 203; S6)."""
        while not self.is_working_day(day):
            day += ONE_DAY
        return day

    def add_working_days(self, day: date, count: int) -> date:
        """The ``count``-th working day after ``day``, which is not counted."""
        for _ in range(count):
            day = self.move_to_working_day(day + ONE_DAY)
        return day

    def civil_days(self, start: When, count: int, *, moved: bool) -> date:
        """The last of ``count`` days counted from the day after ``start`` (Civil Code 201), moved or not (S6)."""
        last = day_of(start) + timedelta(days=count)
        return self.move_to_working_day(last) if moved else last

    def court_hours(self, start: datetime, hours: int) -> datetime:
        """``hours`` from the next full hour (CPL 85): accepted 10:20, 72 h run from 11:00; a last day off moves on."""
        begun = start.replace(minute=0, second=0, microsecond=0)
        due = (begun if begun == start else begun + timedelta(hours=1)) + timedelta(hours=hours)
        day = self.move_to_working_day(due.date())
        return due if day == due.date() else end_of_day(day) + _TICK

    def court_days(self, start: When, count: int) -> date:
        """``count`` days, the starting day dropped, a last day off moved on (CPL 85)."""
        return self.civil_days(start, count, moved=True)
