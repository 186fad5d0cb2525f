"""What a spreadsheet's numbers mean: dates by their format in both date systems, and numbers that lost their digits.

A serial counts days from 1899-12-30 (1900 system, with its 29 February 1900 that never was) or 1904-01-01 (1904 system).
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any

__all__ = ["cell_of", "date_of_serial", "is_date_format", "number_of", "serial_as_1904", "time_kind"]

EXACT_FLOAT = 1e15
"""Excel keeps 15 digits: a longer number is shown in scientific form, so that nobody takes it for an ID number."""
DAYS_BETWEEN = 1462
"""The two date systems lie so many days apart."""

_EPOCH_1900 = datetime(1899, 12, 30)
_EPOCH_1904 = datetime(1904, 1, 1)
_LAST = 2_958_465  # 9999-12-31 in the 1900 system
_DATE_IDS = {*range(14, 18), 22, *range(27, 32), 36, *range(50, 55), 57, 58}
_TIME_IDS = {18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56}
_NOISE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]hms][^\]]*\]', re.IGNORECASE)
_DURATION = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_SERIAL = (10_000, 100_000)
_DATE_HEADER = re.compile(r"日期|时间|生日|起$|止$|date|_at$|_on$|^at$|^from$|^until$|_from$|_until$", re.IGNORECASE)


def is_date_format(number: int, code: str) -> str:
    """``date`` or ``date+time`` (days and perhaps hours), ``time`` (hours only), ``duration`` ([h]:mm), "" (a number)."""
    if number == 46 or _DURATION.search(code):
        return "duration"
    if not code:
        return "date+time" if number == 22 else "date" if number in _DATE_IDS else "time" if number in _TIME_IDS else ""
    bare = (
        _NOISE.sub("", code.split(";")[0]).lower().replace("am/pm", "").replace("general", "").replace("通用格式", "")
    )
    if not re.search(r"[ymdhs]", bare):
        return ""
    if re.search(r"[yd]", bare) or ("m" in bare and "h" not in bare and "s" not in bare):
        return "date+time" if "h" in bare else "date"
    return "time"


def date_of_serial(serial: float, kind: str, *, date1904: bool = False) -> datetime | date | time | None:
    """The moment a serial stands for, to the second; None: outside what Excel can show."""
    if not 0 <= serial <= _LAST:
        return None
    if kind == "time" and serial < 1:
        seconds = round(serial * 86_400) % 86_400
        return (datetime.min + timedelta(seconds=seconds)).time()
    epoch = _EPOCH_1904 if date1904 else _EPOCH_1900
    if not date1904 and serial < 61:
        if serial < 1 or int(serial) == 60:
            return None
        serial += 1  # before the day that never was
    whole = epoch + timedelta(seconds=round(serial * 86_400))
    return whole.date() if kind == "date" and whole.time() == time() else whole


def time_kind(found: date | time) -> str:
    """A date or a time of day as ISO text."""
    return found.isoformat()


def number_of(number: float) -> int | float | str:
    """A whole number without ``.0``; one beyond 15 digits as text that shows it is ruined (3.10101199001011E+17)."""
    if abs(number) >= EXACT_FLOAT:
        return f"{number:.14E}"
    return int(number) if number.is_integer() else number


def cell_of(value: Any) -> Any:
    """A typed value of a reader as a JSON value."""
    if isinstance(value, float):
        return number_of(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value) if isinstance(value, timedelta) else value


def serial_as_1904(header: str, value: Any) -> Any:
    """A bare serial under a header that speaks of time, in a workbook of the 1904 system: the date it stands for."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not _DATE_HEADER.search(header):
        return value
    return cell_of(date_of_serial(float(value), "date", date1904=True)) if _SERIAL[0] <= value < _SERIAL[1] else value
