"""Merged cells: in a header the text stands for all of them, below it downwards only (one number for several lines)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from hub.sdk.reading import Line

__all__ = ["Merges", "merges_in"]

MOST = 50_000
"""Merged areas that are remembered; the rest stay as they are stored."""
_AREA = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_END = re.compile(rb"</(?:\w+:)?sheetData>|<(?:\w+:)?sheetData\s*/>")
CHUNK = 1024 * 1024


class Merges:
    """Areas as (first line, first column, last line, last column), lines from 1, columns from 0."""

    def __init__(self, areas: Iterable[tuple[int, int, int, int]] = ()) -> None:
        self.areas = sorted(areas)
        self._next = 0
        self._running: dict[int, tuple[int, Any]] = {}  # column → last line, value

    def spread(self, lines: Sequence[Line]) -> list[Line]:
        """Header lines with each merged text in every cell of its area."""
        spread = [(number, list(cells)) for number, cells in lines]
        by_number = dict(spread)
        for top, left, bottom, right in self.areas:
            source = by_number.get(top)
            if source is None or left >= len(source) or right - left > 200:
                continue
            for number in range(top, min(bottom, top + 10) + 1):
                cells = by_number.get(number)
                if cells is not None:
                    cells.extend([None] * (right + 1 - len(cells)))
                    cells[left : right + 1] = [source[left]] * (right + 1 - left)
        return spread

    def fill_down(self, number: int, cells: list[Any]) -> bool:
        """Give this line the values of areas that began above it; whether there were any. Lines come in order."""
        while self._next < len(self.areas) and self.areas[self._next][0] <= number:
            top, left, bottom, right = self.areas[self._next]
            self._next += 1
            if top == number and bottom > top and left == right and left < len(cells):
                self._running[left] = (bottom, cells[left])
        filled = False
        for column, (bottom, value) in list(self._running.items()):
            if number > bottom:
                del self._running[column]
            elif value is not None and (column >= len(cells) or cells[column] is None):
                cells.extend([None] * (column + 1 - len(cells)))
                cells[column] = value
                filled = True
        return filled


def merges_in(opened: Any) -> Merges:
    """The areas of a sheet's XML, which stand behind its lines."""
    tail = b""
    behind = False
    areas: list[tuple[int, int, int, int]] = []
    while piece := opened.read(CHUNK):
        tail += piece
        if not behind:
            end = _END.search(tail)
            behind = end is not None
            tail = tail[end.end() :] if end else tail[-64:]
        if behind:
            last = 0
            for area in _AREA.finditer(tail):
                left, top, right, bottom = area.groups()
                areas.append((int(top), _column(left), int(bottom), _column(right)))
                last = area.end()
            tail = tail[max(last, len(tail) - 256) :]
            if len(areas) >= MOST:
                break
    return Merges(areas[:MOST])


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
