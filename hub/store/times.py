"""Instants and days as the tables hold them: microseconds since 1970 UTC, and proleptic ordinals."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hub.core.records import SHANGHAI

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).astimezone(SHANGHAI)
_TICK = timedelta(microseconds=1)


def to_us(at: datetime) -> int:
    """Microseconds since 1970 UTC of an aware instant."""
    return (at - _EPOCH) // _TICK


def opt_us(at: datetime | None) -> int | None:
    """As ``to_us``; None stays None."""
    return None if at is None else (at - _EPOCH) // _TICK


def from_us(us: int) -> datetime:
    """The instant in Shanghai time."""
    return _EPOCH + timedelta(microseconds=us)


def opt_from_us(us: int | None) -> datetime | None:
    """As ``from_us``; None stays None."""
    return None if us is None else _EPOCH + timedelta(microseconds=us)


def to_day(day: date | None) -> int | None:
    """Proleptic ordinal of a calendar day."""
    return None if day is None else day.toordinal()


def from_day(ordinal: int | None) -> date | None:
    """The calendar day of an ordinal."""
    return None if ordinal is None else date.fromordinal(ordinal)
