"""How much a stream sends beside its own past: a feed that still answers and brings next to nothing is broken too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from statistics import median
from typing import NamedTuple

__all__ = ["BEFORE", "COMMUNITY_WINDOW", "SPANS", "WINDOW", "Expected", "is_thin", "parse_expected"]

WINDOW = timedelta(days=7)
"""Weekends, holidays of a day and monthly lists even out over a week."""
COMMUNITY_WINDOW = timedelta(days=28)
"""A community has few records a week."""
BEFORE = 4
"""Windows of the past that are compared with the last one."""
USUAL = 20
"""Records in a usual window below which a stream is too quiet to be judged by its volume."""
SHARE = 0.2
"""Of its usual volume; less is far below."""


SPANS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
_EXPECTED = re.compile(r"(\d{1,9})?\s*\.\.\s*(\d{1,9})?\s+(?:per|a|every)\s+([a-z]+?)s?")


class Expected(NamedTuple):
    """How many records a stream promises: at least, at most (None: no bound), in any span of this length."""

    low: int
    high: int | None
    span: timedelta

    def judged(self, count: int) -> str:
        """What a number of records in the last span is: few, many, or empty for neither."""
        if count < self.low:
            return "few"
        return "many" if self.high is not None and count > self.high else ""


def parse_expected(text: str) -> Expected:
    """A promise such as ``20..400 per day``, ``5.. per week``, ``..1000 per hour``. Raises ValueError."""
    found = _EXPECTED.fullmatch(text.strip().lower())
    if found is None or found[3] not in SPANS or (found[1] is None and found[2] is None):
        raise ValueError("no promise of volume")
    low, high = int(found[1] or 0), int(found[2]) if found[2] is not None else None
    if high is not None and (high < low or high == 0):
        raise ValueError("no promise of volume")
    return Expected(low, high, SPANS[found[3]])


def is_thin(last: int, before: Sequence[int]) -> bool:
    """Whether the last window lies far below the ones before it (newest first; all ``BEFORE`` of them must be known)."""
    if len(before) < BEFORE:
        return False
    usual = median(before)
    return usual >= USUAL and last < SHARE * usual
