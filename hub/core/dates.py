"""Dates as they come: every form the units send, read once into a ``date`` or an instant of Asia/Shanghai.

Forms (records catalogue, "Values as they come"): 2021-08-30, 2021/8/30, 20210830, 20210830093000, 2021年8月30日,
2021-08-30 09:30:00, ISO with zone, epoch milliseconds, Excel serials of the 1900 system; digits may be full-width.
A value without a time of day stays a ``date``, because what it means depends on whether it opens or closes something.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta, timezone
from typing import Final

from hub.core.records import SHANGHAI, When

__all__ = ["EMPTY_WORDS", "as_instant", "parse_when"]

EMPTY_WORDS: Final = frozenset(
    {"", "无", "-", "/", "不详", "未知", "--", "—", "——", "null", "n/a", "nan", "unknown", "unstated", "未说明", "\\n"}
)
"""Words that say "not recorded" (case-folded); in a flag 无 means no, in a code table its own 无 wins (values.py)."""

_ZERO_DATES: Final = ("0000-00-00", "0001-01-01", "00000000")
_EPOCH: Final = datetime(1970, 1, 1, 8, tzinfo=SHANGHAI)  # 1970-01-01T00:00Z on our clock
_EXCEL_ZERO: Final = date(1899, 12, 30)  # serial 60 is a day that never was; all serials we take lie behind it
_EXCEL_RANGE: Final = (10_000, 100_000)  # 1927 to 2173: a four-digit number is a year, not a serial
_YEARS: Final = (1850, 9999)

_TEXT: Final = re.compile(
    r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*[日号]?"
    r"(?:[\sT]*(上午|下午|晚上|早上|中午)?\s*([0-9]{1,2})\s*[:时点]\s*(?:([0-9]{1,2})\s*(?:[:分]|$|(?=[Z+-]))"
    r"\s*(?:([0-9]{1,2})(?:[.,]([0-9]{1,9}))?\s*秒?)?)?\s*整?\s*(Z|[+-][0-9]{2}:?(?:[0-9]{2})?)?)?",
    re.IGNORECASE,
)
_DIGITS: Final = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T?([0-9]{2})([0-9]{2})([0-9]{2})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_NUMBER: Final = re.compile(r"[0-9]{1,14}(?:\.[0-9]{1,15})?")


def parse_when(raw: object) -> When | None:
    """A date when no time of day was given, an instant of Asia/Shanghai otherwise, None when nothing was recorded.

    Raises ``ValueError`` (its text never holds the value) for anything else.
    """
    if type(raw) is str:
        try:  # the two commonest shapes, read in C; whatever they refuse goes the long way
            if len(raw) == 10 and raw[4] == raw[7] == "-":
                return _plausible_day(date.fromisoformat(raw))
            if len(raw) == 19 and raw[4] == raw[7] == "-" and raw[13] == ":":
                return _plausible(datetime.fromisoformat(raw).replace(tzinfo=SHANGHAI))
        except ValueError:
            pass
        return _from_text(raw)
    if raw is None:
        return None
    return _from_object(raw)


def as_instant(when: When) -> datetime:
    """A date as 00:00 of its Shanghai day; an instant as it is."""
    if isinstance(when, datetime):
        return when
    return datetime(when.year, when.month, when.day, tzinfo=SHANGHAI)


def _bad() -> ValueError:
    return ValueError("not a date in any form the records use")


def _plausible_day(day: date) -> date:
    if day.year < _YEARS[0]:
        raise _bad()
    return day


def _plausible(instant: datetime) -> datetime:
    if instant.year < _YEARS[0]:
        raise _bad()
    return instant


def _from_object(raw: object) -> When:
    """Values that drivers and readers have typed already."""
    if isinstance(raw, datetime):
        return _plausible(_zoned(raw))
    if isinstance(raw, date):
        return _plausible_day(raw)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise _bad()
    if isinstance(raw, float):
        if raw != raw or raw in (float("inf"), float("-inf")):
            raise _bad()
        return _from_number(repr(int(raw)) if raw.is_integer() else format(raw, ".10f"))
    if raw < 0 or raw >= 10**14:
        raise _bad()
    return _from_number(str(raw))


def _zoned(instant: datetime) -> datetime:
    if instant.tzinfo is SHANGHAI:
        return instant
    if instant.tzinfo is None:
        return instant.replace(tzinfo=SHANGHAI)
    try:
        return instant.astimezone(SHANGHAI)
    except OverflowError:
        raise _bad() from None


def _from_text(raw: str) -> When | None:
    if len(raw) > 64:
        raise _bad()
    text = unicodedata.normalize("NFKC", raw).strip()
    if text.casefold() in EMPTY_WORDS or text.startswith(_ZERO_DATES):
        return None
    if _NUMBER.fullmatch(text):
        return _from_number(text)
    if match := _TEXT.fullmatch(text):
        year, month, day, half, hour, minute, second, fraction, zone = match.groups()
        return _build(year, month, day, hour, minute, second, fraction, zone, half)
    if match := _DIGITS.fullmatch(text):
        year, month, day, hour, minute, second, zone = match.groups()
        if zone is None or hour is not None:
            return _build(year, month, day, hour, minute, second, None, zone, None)
    raise _bad()


def _from_number(text: str) -> When:
    """Digits, perhaps with a fraction: yyyymmdd, yyyymmddHHMM[SS], epoch milliseconds or an Excel serial."""
    whole, _, fraction = text.partition(".")
    if len(whole) == 5:
        return _from_serial(float(text))
    if fraction.strip("0"):
        raise _bad()
    if len(whole) == 13:
        return _plausible(_EPOCH + timedelta(milliseconds=int(whole)))
    match = _DIGITS.fullmatch(whole)
    if not match:
        raise _bad()
    year, month, day, hour, minute, second, _zone = match.groups()
    return _build(year, month, day, hour, minute, second, None, None, None)


def _from_serial(serial: float) -> When:
    if not _EXCEL_RANGE[0] <= serial < _EXCEL_RANGE[1]:
        raise _bad()
    day = _EXCEL_ZERO + timedelta(days=int(serial))
    seconds = round((serial - int(serial)) * 86_400)
    return as_instant(day) + timedelta(seconds=seconds) if seconds else day


def _build(
    year: str,
    month: str,
    day: str,
    hour: str | None,
    minute: str | None,
    second: str | None,
    fraction: str | None,
    zone: str | None,
    half: str | None,
) -> When:
    try:
        there = _plausible_day(date(int(year), int(month), int(day)))
        if hour is None:
            return there
        hours, minutes, seconds = _hour(int(hour), half), int(minute or 0), int(second or 0)
        if hours > 24 or minutes > 59 or seconds > 59 or (hours == 24 and (minutes or seconds)):
            raise _bad()
        micros = int((fraction or "").ljust(6, "0")[:6])
        instant = datetime(there.year, there.month, there.day, tzinfo=_zone(zone))
        instant += timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=micros)
        return _plausible(_zoned(instant))
    except (ValueError, OverflowError):
        raise _bad() from None


def _hour(hour: int, half: str | None) -> int:
    """Hours of a half-day clock: 下午3时 is 15, 晚上12时 is midnight at the day's end."""
    if half in ("下午", "晚上") and hour < 12:
        return hour + 12
    if half == "晚上" and hour == 12:
        return 24
    return hour


def _zone(zone: str | None) -> timezone:
    if zone is None:
        return SHANGHAI
    if zone in ("Z", "z"):
        return timezone.utc  # noqa: UP017 (one spelling beside ``timezone(...)`` below)
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if zone[0] == "-" else offset)
