"""How much a stream sends beside its own past: a feed that still answers and brings next to nothing is broken too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from statistics import median

__all__ = ["BEFORE", "COMMUNITY_WINDOW", "WINDOW", "is_thin"]

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


def is_thin(last: int, before: Sequence[int]) -> bool:
    """Whether the last window lies far below the ones before it (newest first; all ``BEFORE`` of them must be known)."""
    if len(before) < BEFORE:
        return False
    usual = median(before)
    return usual >= USUAL and last < SHARE * usual
