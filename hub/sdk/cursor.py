"""Cursor values as sent: which is higher, and the same value a little earlier in the same spelling.

A cursor is kept as the text the source sent. Whole numbers compare as numbers (epochs, compact times, serial ids),
texts that say a time compare as times, everything else compares as text.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from hub.core.records import SHANGHAI

__all__ = ["Tally", "day_of", "earlier", "header_names", "is_higher", "like", "spell", "value_of"]

FUTURE = timedelta(days=1)
"""A cursor value later than this from now is a typing error of the source: taken as cursor it would hide every later
record, so it is read past."""
UPDATED = ("更新时间", "updated_at")

_SHAPES = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "%Y-%m-%d %H:%M:%S"),
    (re.compile(r"\d{4}/\d{1,2}/\d{1,2} \d\d:\d\d:\d\d"), "%Y/%m/%d %H:%M:%S"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d"), "%Y-%m-%d %H:%M"),
    (re.compile(r"\d{4}/\d{1,2}/\d{1,2} \d\d:\d\d"), "%Y/%m/%d %H:%M"),
    (re.compile(r"(?:19|20)\d{12}"), "%Y%m%d%H%M%S"),
    (re.compile(r"(?:19|20)\d{6}"), "%Y%m%d"),
    (re.compile(r"\d{4}-\d\d-\d\d"), "%Y-%m-%d"),
    (re.compile(r"\d{4}/\d{1,2}/\d{1,2}"), "%Y/%m/%d"),
)
_EPOCHS = ((re.compile(r"1\d{12}|2\d{12}"), 1000), (re.compile(r"1\d{9}"), 1))


def _parse(raw: str) -> tuple[datetime, str] | None:
    """The instant and its spelling: a strftime pattern, ``iso``, or ``epoch*n``; None: not a time."""
    for shape, pattern in _SHAPES:
        if shape.fullmatch(raw):
            try:
                return datetime.strptime(raw, pattern).replace(tzinfo=SHANGHAI), pattern
            except ValueError:
                return None
    for shape, factor in _EPOCHS:
        if shape.fullmatch(raw):
            return datetime.fromtimestamp(int(raw) / factor, SHANGHAI), f"epoch*{factor}"
    if raw.isdigit():
        return None
    try:
        at = datetime.fromisoformat(raw)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=SHANGHAI)), ("iso" if at.tzinfo else "iso-naive")


def _spelled(at: datetime, pattern: str, like: str) -> str:
    if pattern.startswith("epoch*"):
        return str(int(at.timestamp() * int(pattern[6:])))
    if pattern.startswith("iso"):
        text = (at if pattern == "iso" else at.replace(tzinfo=None)).isoformat(
            sep="T" if "T" in like else " ", timespec="auto" if "." in like else "seconds"
        )
        return text.replace("+00:00", "Z") if like.endswith("Z") else text
    return at.strftime(pattern)


def earlier(raw: str, overlap: timedelta) -> str:
    """``raw`` minus ``overlap``, spelled alike; a value that is not a time is returned as it is."""
    found = _parse(raw) if overlap else None
    if found is None:
        return raw
    at, pattern = found
    return _spelled(at - overlap, pattern, raw)


def spell(raw: str, pattern: str) -> str:
    """``raw`` as the peer wants it: ``ms``, ``s``, ``iso`` or a strftime pattern; empty pattern: as it is."""
    found = _parse(raw) if pattern else None
    if found is None:
        return raw
    at = found[0]
    if pattern in ("ms", "s"):
        return str(int(at.timestamp() * (1000 if pattern == "ms" else 1)))
    return at.isoformat() if pattern == "iso" else at.strftime(pattern)


def like(sample: str, at: datetime) -> str | None:
    """``at`` in the spelling of ``sample``; None: the sample is no time."""
    found = _parse(sample)
    return _spelled(at.astimezone(found[0].tzinfo), found[1], sample) if found is not None else None


def day_of(raw: str) -> date | None:
    """The calendar day in Shanghai that a text names; None: it names none."""
    found = _parse(raw.strip())
    return found[0].astimezone(SHANGHAI).date() if found is not None else None


def header_names(field: str, renamed: Mapping[str, str]) -> tuple[str, ...]:
    """Headers the cursor column may have: as configured, as renamed in TOML, and both of our own for the usual one."""
    ours = UPDATED if field in UPDATED else (field,)
    names = [field, *(renamed[name] for name in ours if name in renamed), *ours]
    return tuple(dict.fromkeys(name for name in names if name))


def value_of(row: Mapping[str, Any], names: Iterable[str]) -> str | None:
    """The row's cursor value as text, None if it has none."""
    for name in names:
        value = row.get(name)
        if value not in (None, "") and not isinstance(value, (dict, list, bool)):
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            return str(value.isoformat() if isinstance(value, date) else value).strip()
    return None


def _order(raw: str) -> tuple[int, Any]:
    if raw.isdigit():
        return (1, int(raw))
    found = _parse(raw)
    return (2, found[0].timestamp()) if found else (0, raw)


def is_higher(value: str, than: str) -> bool:
    """Whether one cursor value comes after another."""
    return _order(value) > _order(than)


class Tally:
    """The highest cursor value seen in one read, and whether the source sends in ascending order.

    Only if it does may each page move the cursor: with any other order a kill between two pages would lose rows.
    """

    def __init__(self, start: str | None, names: tuple[str, ...]) -> None:
        self.highest = start
        self.ascending = True
        self._names = names
        self._last: tuple[int, Any] | None = None
        self._latest = time.time() + FUTURE.total_seconds()

    def see(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take the rows of one page into account."""
        for row in rows:
            raw = value_of(row, self._names)
            if raw is None or self._is_future(raw):
                continue
            order = _order(raw)
            if self._last is not None and order < self._last:
                self.ascending = False
            self._last = order
            if self.highest is None or order > _order(self.highest):
                self.highest = raw

    def _is_future(self, raw: str) -> bool:
        found = _parse(raw)
        return found is not None and found[0].timestamp() > self._latest
