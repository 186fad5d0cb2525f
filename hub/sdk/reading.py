"""What reading a file gives: its rows, where each of them stands in the file, and what the reader understood by itself.

A row's number counts records from 1 (contract: Small print); people look for a line of a sheet. Titles, totals and blank
lines make the two differ, so a reading remembers every place where the difference changes, and nothing else.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.core.errors import PersonError
from hub.core.problems import PROBLEMS, remedy_of, text_of

__all__ = [
    "ROW_PROBLEM",
    "Finding",
    "Findings",
    "Line",
    "Marks",
    "Reading",
    "found_in",
    "letters",
    "refusal",
    "sentence",
]

Line = tuple[int, list[Any]]
"""A line of a sheet or text file: its number from 1, its cells."""

ROW_PROBLEM = "\x00problem"
"""Key of a row that could not be read as declared; its value is the problem code, e.g. ``row.shape``."""
LISTED = 20
"""Lines that a finding names; the others are counted."""


def refusal(code: str, path: Path, why: str) -> PersonError:
    """The whole file is refused: ``code`` and ``why`` name what is wrong with it, never what stands in it."""
    return PersonError(f"{path.name}: {why}", code=code, remedy=remedy_of(code))


@dataclass
class Finding:
    """Something the reader understood or left out: a code of ``core.problems``, how often, and where first."""

    code: str
    sheet: int = 0  # 0: the file has no sheets, or all of them
    count: int = 0
    lines: list[int] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """As receipts hold it; ``lines`` are lines of the sheet, from 1, ``columns`` its columns, from 0."""
        told: dict[str, Any] = {"code": self.code, "count": self.count}
        places = {"sheet": self.sheet, "lines": self.lines, "columns": self.columns}
        return told | {name: place for name, place in places.items() if place}


class Findings:
    """Findings by code and sheet, in the order in which they were made."""

    def __init__(self) -> None:
        self._by_code: dict[tuple[str, int], Finding] = {}

    def add(
        self, code: str, line: int | None = None, sheet: int = 0, count: int = 1, column: int | None = None
    ) -> None:
        """One more of this code; ``line`` or ``column`` where it stands, if it stands anywhere."""
        found = self._by_code.setdefault((code, sheet), Finding(code, sheet))
        found.count += count
        if line is not None and len(found.lines) < LISTED:
            found.lines.append(line)
        if column is not None and len(found.columns) < LISTED:
            found.columns.append(column)

    def to_json(self) -> list[dict[str, Any]]:
        """All of them, for a receipt."""
        return [found.to_json() for found in self._by_code.values()]


class Marks:
    """Row number → (sheet, line), kept as the rows at which the difference between the two changes."""

    def __init__(self, marks: Sequence[Sequence[int]] = ()) -> None:
        self._rows = [mark[0] for mark in marks]
        self._places = [(mark[1], mark[2]) for mark in marks]
        self._last = (0, 0, 0)

    def see(self, row: int, sheet: int, line: int) -> None:
        """Row ``row`` stands in ``line`` of ``sheet``."""
        last_row, last_sheet, last_line = self._last
        if not self._rows or sheet != last_sheet or line - last_line != row - last_row:
            self._rows.append(row)
            self._places.append((sheet, line))
        self._last = (row, sheet, line)

    def place(self, row: int) -> tuple[int, int] | None:
        """(sheet, line) of a row; sheet 0: the file has none. None: not known."""
        index = bisect_right(self._rows, row) - 1
        if index < 0:
            return None
        sheet, line = self._places[index]
        return sheet, line + row - self._rows[index]

    def to_json(self) -> list[list[int]]:
        """``[[row, sheet, line], …]``."""
        return [[row, *place] for row, place in zip(self._rows, self._places, strict=True)]


class Reading(Iterator[dict[str, Any]]):
    """The rows of one file, once, in order; ``findings``, ``marks`` and ``headers`` grow as they come."""

    def __init__(self) -> None:
        self.findings = Findings()
        self.marks = Marks()
        self.headers: list[str] = []
        self.rows = 0
        self._source: Iterator[dict[str, Any]] = iter(())

    def start(self, source: Iterator[dict[str, Any]]) -> Reading:
        """Read from ``source``, which tells this reading where each row stands before it gives the row."""
        self._source = source
        return self

    def at(self, line: int, sheet: int = 0) -> None:
        """The row that comes next stands here."""
        self.marks.see(self.rows + 1, sheet, line)

    def __next__(self) -> dict[str, Any]:
        try:
            row = next(self._source)
        except MemoryError:
            raise PersonError(
                "the file needs more memory than a reader may have",
                code="file.too_large",
                remedy=remedy_of("file.too_large"),
            ) from None
        self.rows += 1
        return row


def found_in(told: Any) -> dict[str, Any]:
    """``marks`` and ``notes`` as another process tells them, with nothing in them but numbers and codes we know."""
    if not isinstance(told, dict) or not told:
        return {}
    notes = [note for note in told.get("notes", ()) if isinstance(note, dict) and note.get("code") in PROBLEMS]
    marks = [mark for mark in told.get("marks", ()) if isinstance(mark, list) and len(mark) == 3 and _are_whole(mark)]
    return {"marks": marks, "notes": [_plain(note) for note in notes]}


def _plain(note: dict[str, Any]) -> dict[str, Any]:
    places = {name: [n for n in note.get(name, ())[:LISTED] if type(n) is int] for name in ("lines", "columns")}
    numbers = {name: note[name] for name in ("count", "sheet") if type(note.get(name)) is int}
    told = {name: found for name, found in places.items() if found}
    return {"code": note["code"], "count": max(map(len, places.values())), **numbers, **told}


def _are_whole(mark: list[Any]) -> bool:
    return all(type(number) is int for number in mark)


def letters(column: int) -> str:
    """A column as a spreadsheet calls it: 0 → A."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def sentence(finding: dict[str, Any]) -> str:
    """A finding in Chinese, as a receipt says it."""
    text = text_of(str(finding["code"]))
    sheet = f"第{finding['sheet']}张工作表" if finding.get("sheet") else ""
    lines, columns = finding.get("lines") or [], finding.get("columns") or []
    more = "等" if finding["count"] > len(lines or columns) else ""
    where = f"第{'、'.join(map(str, lines))}行{more}" if lines else ""
    where += f"{'、'.join(map(letters, columns))}列{more}" if columns else ""
    place = f"{sheet}{where}"
    return f"{f'{place}：' if place else ''}{text.chinese}。{text.remedy_zh}".rstrip("。") + "。"
