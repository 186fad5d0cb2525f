"""Files of rows → dict rows, one at a time: CSV (UTF-8, UTF-16, GB18030), XLSX, XLS and their kin, NDJSON, JSON.

``read_rows`` streams: nothing is held whole. Every mistake of the file as a whole is a ``PersonError`` with a ``file.…``
code; a row with more cells than headers carries ``ROW_PROBLEM`` instead of its values being shifted into the wrong columns
(the worker answers it with a problem, its neighbours go on). What a file looks like is found by its content, not its name.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import chain, islice
from pathlib import Path
from typing import Any

from hub.sdk.cells import serial_as_1904
from hub.sdk.csv_text import csv_lines, text_encoding
from hub.sdk.headers import SCANNED, Known, Layout, find_layout, fold_header, is_blank, leftover_of
from hub.sdk.json_text import json_rows, ndjson_rows
from hub.sdk.legacy_workbook import LegacyWorkbook
from hub.sdk.merges import Merges
from hub.sdk.reading import ROW_PROBLEM, Findings, Line, Reading, letters, refusal
from hub.sdk.workbook import BROKEN, SheetInfo, Workbook

__all__ = ["MAX_FILE_BYTES", "ROW_PROBLEM", "Form", "form_of", "read_rows"]

MAX_FILE_BYTES = 512 * 1024 * 1024
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_MARKUP = (b"<html", b"<table", b"<!doc", b"<?xml", b"<meta", b"mime-v")
_ALIKE = 0.8
"""Share of the chosen sheet's columns that makes another sheet one of the same kind."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a department's files look like, as far as somebody has said so; the rest is found.

    ``encoding``: auto, utf-8 or gb18030. ``sheet``: number from 1, name, ``auto`` (the visible sheet that has the most
    columns of the stream) or ``all`` (every visible sheet that has them). ``header_row``, ``header_rows``: the header's
    first line and how many lines it has; 0: found. ``delimiter`` of a CSV file; empty: found.
    """

    encoding: str = "auto"
    sheet: int | str = "auto"
    header_row: int = 0
    header_rows: int = 0
    delimiter: str = ""


FOUND = Form()


def form_of(options: Mapping[str, Any]) -> Form:
    """The form that the options of a ``files`` stream describe."""
    return Form(**{field.name: options[field.name] for field in fields(Form) if field.name in options})


def read_rows(
    path: Path | str,
    form: Form = FOUND,
    *,
    max_bytes: int = MAX_FILE_BYTES,
    known: Known | None = None,
    name: str = "",
) -> Reading:
    """Rows of one file in order, blank ones left out; values are JSON values, dates ISO text.

    ``known``: whether the stream has a column under a header. ``name``: the file's own name, where ``path`` is a copy.
    Raises ``PersonError`` (``file.missing``, ``file.too_large``, ``file.unreadable``, ``file.header`` …).
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        with path.open("rb") as opened:
            head = opened.read(512)
    except OSError as error:
        raise refusal("file.missing", path, "the file cannot be opened") from error
    if size > max_bytes:
        raise refusal("file.too_large", path, f"at most {max_bytes} bytes")
    table = _Table(Reading(), path, form, known)
    suffix = Path(name or path.name).suffix.lower()
    if head.startswith((_ZIP, _OLE)):
        return table.reading.start(_of_workbook(table, path, form.sheet))
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP):
        raise refusal("file.markup", path, "a web page under another name")
    return table.reading.start(_of_text(table, path, suffix, form))


def _of_text(table: _Table, path: Path, suffix: str, form: Form) -> Iterator[dict[str, Any]]:
    found = text_encoding(path, form.encoding)
    if suffix not in (".ndjson", ".jsonl", ".json"):
        yield from table.rows(csv_lines(path, found, form.delimiter))
        return
    for number, row in (json_rows if suffix == ".json" else ndjson_rows)(path, found):
        table.reading.at(number)
        yield row


def _of_workbook(table: _Table, path: Path, wanted: int | str) -> Iterator[dict[str, Any]]:
    book = Workbook(path) if _is_xlsx(path) else LegacyWorkbook(path)
    try:
        for sheet in _chosen(book, table, wanted):
            yield from table.rows(
                book.lines(sheet, table.reading.findings), book.merges(sheet), sheet.number, book.date1904
            )
    finally:
        book.close()


def _is_xlsx(path: Path) -> bool:
    """Whether calamine is not needed."""
    try:
        with zipfile.ZipFile(path) as package:
            names = package.namelist()
    except BROKEN:
        return path.read_bytes()[:4] == _ZIP  # refused there
    return not any(name in ("xl/workbook.bin", "content.xml") for name in names)


def _chosen(book: Workbook | LegacyWorkbook, table: _Table, wanted: int | str) -> list[SheetInfo]:
    """The sheets to read. Raises ``PersonError`` ``file.sheet`` when there is none as configured."""
    sheets, path = book.sheets, table.path
    if str(wanted) not in ("auto", "all", ""):
        chosen = [sheet for sheet in sheets if str(wanted) in (str(sheet.number), sheet.name)]
        if not chosen:
            raise refusal("file.sheet", path, f"{len(sheets)} sheets, none as configured")
        return chosen[:1]
    visible = [sheet for sheet in sheets if sheet.visible]
    if len(sheets) == 1:
        return sheets
    weights = {sheet.number: table.weight(book, sheet) for sheet in sheets}
    best = max(visible, key=lambda sheet: weights[sheet.number], default=None)
    if best is None or weights[best.number] == (0, 0):
        raise refusal("file.sheet", path, "no visible sheet holds a table")
    alike = [s for s in sheets if weights[s.number][0] and weights[s.number][0] >= _ALIKE * weights[best.number][0]]
    for sheet in sheets:
        if sheet in alike and not sheet.visible:
            table.reading.findings.add("file.sheet_hidden", sheet=sheet.number)
        elif sheet in alike and sheet != best and wanted != "all":
            table.reading.findings.add("file.sheet_ignored", sheet=sheet.number)
    if wanted == "all":
        return [sheet for sheet in visible if sheet in alike] or [best]
    table.reading.findings.add("file.sheet_chosen", sheet=best.number)
    return [best]


class _Table:
    """How the lines of one file become rows."""

    def __init__(self, reading: Reading, path: Path, form: Form, known: Known | None) -> None:
        self.reading = reading
        self.path = path
        self._header_row = form.header_row
        self._header_rows = form.header_rows
        self._known = known

    def weight(self, book: Workbook | LegacyWorkbook, sheet: SheetInfo) -> tuple[int, int]:
        """How many columns of the stream a sheet has, and whether it holds anything at all."""
        lines = list(islice(book.lines(sheet, Findings()), SCANNED))
        if not any(not is_blank(cells) for _, cells in lines):
            return 0, 0
        layout = find_layout(book.merges(sheet).spread(lines), self._known, self.path, 0, self._header_rows)
        return layout.known(self._known), 1

    def rows(
        self, lines: Iterator[Line], merges: Merges | None = None, sheet: int = 0, date1904: bool = False
    ) -> Iterator[dict[str, Any]]:
        """The records below the header of one table."""
        merges = merges or Merges()
        first = list(islice(lines, max(SCANNED, self._header_row + self._header_rows)))
        layout = find_layout(merges.spread(first), self._known, self.path, self._header_row, self._header_rows)
        names = self._headers(layout, sheet)
        for number, cells in chain(first, lines):
            if merges.fill_down(number, cells) and number > layout.last_line:
                self.reading.findings.add("file.merged_cells", number, sheet)
            if number <= layout.last_line or is_blank(cells):
                continue
            if code := leftover_of(cells, layout, number):
                self.reading.findings.add(code, number, sheet)
                continue
            if date1904:
                cells = [serial_as_1904(name, cell) for name, cell in zip(names, cells, strict=False)]
            self.reading.at(number, sheet)
            yield self._row(names, cells, number, sheet)

    def _headers(self, layout: Layout, sheet: int) -> list[str]:
        """The names of the columns; a name twice is refused if it could be a column of the stream."""
        seen: dict[str, int] = {}
        names: list[str] = []
        for column, name in enumerate(layout.names):
            folded = fold_header(name)
            if folded in seen and name:
                if self._known is None or self._known(name):
                    columns = f"{letters(seen[folded])} and {letters(column)}"
                    raise refusal("file.header_repeated", self.path, f"columns {columns} have one name")
                self.reading.findings.add("file.header_unknown_repeated", layout.last_line, sheet)
                name = f"{name}~{column + 1}"
            if name and self._known is not None and not self._known(name):
                self.reading.findings.add("file.column_unknown", sheet=sheet, column=column)
            seen.setdefault(folded, column)
            names.append(name)
        if layout.last_line > 1:
            self.reading.findings.add("file.header_found", layout.last_line, sheet)
        self.reading.headers = self.reading.headers or [name for name in names if name]
        return names

    def _row(self, names: Sequence[str], cells: list[Any], number: int, sheet: int) -> dict[str, Any]:
        if len(cells) > len(names) and not is_blank(cells[len(names) :]):
            return {ROW_PROBLEM: "row.shape", "cells": cells}
        row = {}
        for name, cell in zip(names, cells, strict=False):
            if name:
                row[name] = "" if cell is None else cell
            elif cell not in (None, ""):
                self.reading.findings.add("file.column_unnamed", number, sheet)
        for name in names[len(cells) :]:
            if name:
                row[name] = ""
        return row
