"""Spans of time as people write them in TOML: ``100ms``, ``20s``, ``2m``, ``3h``, ``1d``, ``1h30m``."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+")


def parse_duration(text: object) -> timedelta:
    """``"1h30m"`` → 90 minutes. Raises ValueError for anything else; a bare number has no unit and is refused."""
    if not isinstance(text, str) or not _WHOLE.fullmatch(text.replace(" ", "")):
        raise ValueError("not a duration")
    parts = _PART.findall(text.replace(" ", ""))
    return sum((float(number) * _UNITS[unit] for number, unit in parts), timedelta(0))


def write_duration(span: timedelta) -> str:
    """The shortest whole-number spelling of a span: 90 minutes → ``90m``; below a second in ``ms``."""
    for name in ("d", "h", "m", "s"):
        if span and span % _UNITS[name] == timedelta(0):
            return f"{span // _UNITS[name]}{name}"
    return f"{span // _UNITS['ms']}ms"
