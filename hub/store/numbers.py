"""Identifiers the store gives: time-ordered UUIDs for machines, readable numbers for people."""

from __future__ import annotations

import threading
import time
from datetime import datetime

from hub.security.chance import chance

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O, U: read over the telephone
_DAY_MS = 86_400_000
_SPACE = 1 << 13  # numbers within one millisecond before the next one is borrowed


class _Ticks:
    """A counter that never repeats in this process and grows with time: milliseconds, then 13 bits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        start = time.time_ns() // 1_000_000 * _SPACE + int.from_bytes(chance(1), "big")
        with self._lock:
            self._last = max(self._last + 1, start)
            return self._last


_ticks = _Ticks()


def new_uid() -> str:
    """A UUID version 7: 48 bits of milliseconds, 12 of the counter, 62 of chance."""
    tick = _ticks.next()
    noise = int.from_bytes(chance(8), "big") & ((1 << 62) - 1)
    value = (tick // _SPACE) << 80 | 0x7 << 76 | (tick >> 1 & 0xFFF) << 64 | 0b10 << 62 | noise
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_no(prefix: str, as_of: datetime) -> str:
    """A number people read: ``MR-20261124-1F3G5H7J``, growing with time within a day; unique by (ms, counter).

    In capitals, the form in which numbers that come back are compared (``parse_standing_number``).
    """
    tick = _ticks.next()
    value = tick % (_DAY_MS * _SPACE)  # 27 bits of the day's milliseconds, 13 of the counter: 40 bits, 8 characters
    tail = "".join(_CROCKFORD[value >> shift & 31] for shift in range(35, -1, -5))
    return f"{prefix.upper()}-{as_of:%Y%m%d}-{tail}"
