"""What a source can say of its own whole days (对账): how many records, which of them, and those records once more.

The hub asks, compares with what it holds and has what is missing read again. A day is a calendar day in Shanghai.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from hub.core.errors import PersonError
from hub.core.records import SHANGHAI

__all__ = ["Statements", "as_count", "days_between", "midnight"]


@dataclass(frozen=True, kw_only=True)
class Statements:
    """One stream's own account of its days. ``counts`` or ``keys`` must be there; None: it is not offered.

    ``counts(first, last)`` gives a day and its number of records; a day that is left out has none, or, where ``is_whole`` is
    False, is not spoken of. ``keys(day)`` gives
    the unit's own numbers of that day's records, each as text or as a row with the key's columns. ``rows(day, keys)``
    gives the records of that day again, page by page; ``keys`` are those that are missing (empty: nobody knows which),
    and others may come with them. Each raises the classes of ``hub.sdk``.
    """

    rows: Callable[[date, Sequence[str]], Iterator[list[dict[str, Any]]]]
    counts: Callable[[date, date], Iterable[tuple[date, int]]] | None = None
    keys: Callable[[date], Iterable[Any]] | None = None
    is_whole: bool = True


def days_between(first: date, last: date) -> Iterator[date]:
    """Each day from the first to the last."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def midnight(day: date) -> datetime:
    """The instant at which a day begins."""
    return datetime.combine(day, time(0), SHANGHAI)


def as_count(value: Any) -> int:
    """A number of records as a source says it. Raises ``PersonError`` for anything else."""
    if isinstance(value, str) and value.strip().isdigit():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise PersonError(
        "the source's number of records is none", code="reconcile.answer", remedy="set `count` to its place"
    )
