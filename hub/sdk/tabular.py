"""Files of rows → dict rows, one at a time: CSV (UTF-8, GB18030, BOM), XLSX and XLS, NDJSON, JSON.

``read_rows`` streams: text files are read in pieces and never held whole. Every mistake of the file as a whole is a
``PersonError`` with a ``file.…`` code; a row with more cells than headers carries ``ROW_PROBLEM`` instead of its values
being shifted into the wrong columns (the worker answers it with a problem, its neighbours go on).
"""

from __future__ import annotations

import codecs
import csv
import json
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from hub.core.errors import PersonError
from hub.sdk.strictjson import StrictJSONError, check_depth, decoder, loads

__all__ = ["MAX_FILE_BYTES", "ROW_PROBLEM", "encoding_of", "read_rows"]

MAX_FILE_BYTES = 512 * 1024 * 1024
MAX_UNPACKED_BYTES = 512 * 1024 * 1024
"""A 200 KiB workbook became 625 MiB in a reader: the unpacked size is summed before anything is opened."""
MAX_RATIO = 200
"""Real workbooks unpack 5–30 times; above this only if the whole stays small (``SMALL_BYTES``)."""
SMALL_BYTES = 16 * 1024 * 1024
MAX_LINE_CHARS = 4 * 1024 * 1024
CHUNK = 256 * 1024
EXACT_FLOAT = 1e15
"""Excel keeps 15 digits: a longer number is shown in scientific form, so that nobody takes it for an ID number."""

ROW_PROBLEM = "\x00problem"
"""Key of a row that could not be read as declared; its value is the problem code, e.g. ``row.shape``."""

EXCEL = {".xlsx", ".xlsm", ".xlsb", ".xls", ".et", ".ods"}
BLANK = " \t\r\n\ufeff\u3000\xa0"


def read_rows(
    path: Path | str,
    encoding: str = "auto",
    sheet: int | str = 1,
    header_row: int = 1,
    *,
    delimiter: str = "",
    max_bytes: int = MAX_FILE_BYTES,
) -> Iterator[dict[str, Any]]:
    """Rows of one file in order, blank ones left out; values are JSON values, dates ISO text.

    ``encoding``: auto, utf-8 or gb18030. ``sheet``: number from 1 or name. ``header_row``: from 1. ``delimiter`` of a
    CSV file; empty: the most frequent of comma, tab, semicolon and bar in the header row.
    Raises ``PersonError`` (``file.missing``, ``file.too_large``, ``file.unreadable``, ``file.header`` …).
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        with path.open("rb") as opened:
            head = opened.read(8)
    except OSError as error:
        raise _unreadable("file.missing", path, "the file cannot be opened") from error
    if size > max_bytes:
        raise _unreadable("file.too_large", path, f"at most {max_bytes} bytes")
    return _rows(path, head, encoding, sheet, header_row, delimiter)


def _rows(
    path: Path, head: bytes, encoding: str, sheet: int | str, header_row: int, delimiter: str
) -> Iterator[dict[str, Any]]:
    suffix = path.suffix.lower()
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")) or suffix in EXCEL:
        yield from _table(_excel_cells(path, sheet), header_row, path)
        return
    text = _open_text(path, encoding)
    if suffix in (".ndjson", ".jsonl"):
        yield from _ndjson(path, text)
    elif suffix == ".json":
        yield from _json(path, text)
    else:
        yield from _table(_csv_cells(path, text, header_row, delimiter), header_row, path)


def _unreadable(code: str, path: Path, why: str) -> PersonError:
    return PersonError(f"{path.name}: {why}", code=code, remedy="check the file against the declared format")


# --- text ----------------------------------------------------------------------------------------------------------


def encoding_of(path: Path) -> str:
    """The codec of a text file, by its BOM or by decoding all of it once: ``utf-8-sig``, ``utf-16`` or ``gb18030``."""
    with path.open("rb") as opened:
        head = opened.read(4)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for name in ("utf-8-sig", "gb18030"):
        if _decodes(path, name):
            return name
    raise _unreadable("file.unreadable", path, "neither UTF-8 nor GB18030")


def _decodes(path: Path, name: str) -> bool:
    decoding = codecs.getincrementaldecoder(name)()
    try:
        with path.open("rb") as opened:
            while piece := opened.read(CHUNK):
                if b"\x00" in piece:
                    return False
                decoding.decode(piece)
        decoding.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _open_text(path: Path, encoding: str) -> str:
    if encoding in ("", "auto"):
        return encoding_of(path)
    try:
        found = codecs.lookup(encoding).name
    except LookupError as error:
        raise _unreadable("file.encoding", path, "unknown encoding configured") from error
    found = "gb18030" if found in ("gbk", "gb2312") else found
    return "utf-8-sig" if found == "utf-8" else found


def _csv_cells(path: Path, encoding: str, header_row: int, delimiter: str) -> Iterator[list[Any]]:
    try:
        with path.open(encoding=encoding, newline="") as opened:
            lines = _bounded_lines(opened, path)
            first = [line for _, line in zip(range(header_row), lines, strict=False)]
            guessed = max(",\t;|", key=first[-1].count) if first else ","
            yield from csv.reader(_chain(first, lines), delimiter=delimiter or guessed, strict=True)
    except (csv.Error, UnicodeError) as error:
        raise _unreadable("file.unreadable", path, "not a CSV file in the declared encoding") from error


def _chain(first: Iterable[str], rest: Iterable[str]) -> Iterator[str]:
    yield from first
    yield from rest


def _bounded_lines(opened: Any, path: Path) -> Iterator[str]:
    while line := opened.readline(MAX_LINE_CHARS):
        if len(line) >= MAX_LINE_CHARS:
            raise _unreadable("file.line_too_long", path, f"a line of {MAX_LINE_CHARS} characters or more")
        yield line


def _ndjson(path: Path, encoding: str) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding=encoding) as opened:
            for line in _bounded_lines(opened, path):
                if line.strip():
                    yield _json_row(line)
    except UnicodeError as error:
        raise _unreadable("file.unreadable", path, "not text in the declared encoding") from error


def _json_row(line: str) -> dict[str, Any]:
    """One line; a bad one is a row with a problem, because lines stand alone."""
    try:
        row = loads(line)
    except StrictJSONError as error:
        return {ROW_PROBLEM: error.code, "line": line}
    return _object(row)


def _object(row: Any) -> dict[str, Any]:
    return row if isinstance(row, dict) else {ROW_PROBLEM: "row.shape", "value": row}


def _json(path: Path, encoding: str) -> Iterator[dict[str, Any]]:
    """An array of objects, read element by element; or ``{"records": [...]}``, read whole."""
    try:
        with path.open(encoding=encoding) as opened:
            buffer = opened.read(CHUNK).lstrip(BLANK)
            if buffer.startswith("{"):
                wrapped = loads(buffer + opened.read())
                rows = wrapped.get("records")
                if not isinstance(rows, list):
                    raise StrictJSONError("json.no_records")
                yield from map(_object, rows)
            elif buffer.startswith("["):
                yield from _array(buffer[1:], opened)
            else:
                raise StrictJSONError("json.syntax")
    except (StrictJSONError, UnicodeError) as error:
        raise _unreadable("file.unreadable", path, "not an array of JSON objects") from error


def _array(buffer: str, opened: Any) -> Iterator[dict[str, Any]]:
    """Elements of a JSON array after its ``[``: what is read and not yet used stays below one element and one piece."""
    while True:
        buffer = buffer.lstrip(BLANK + ",")
        if buffer.startswith("]"):
            return
        try:
            row, end = decoder.raw_decode(buffer) if buffer else (None, 0)
        except json.JSONDecodeError:
            end = 0
        except RecursionError:
            raise StrictJSONError("json.too_deep") from None
        if not end:
            piece = opened.read(CHUNK)
            if not piece or len(buffer) > MAX_LINE_CHARS:
                raise StrictJSONError("json.syntax")
            buffer += piece
            continue
        check_depth(row)
        yield _object(row)
        buffer = buffer[end:]


# --- workbooks -----------------------------------------------------------------------------------------------------


def _excel_cells(path: Path, sheet: int | str) -> Iterator[list[Any]]:
    import python_calamine

    _check_package(path)
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        found = book.get_sheet_by_index(int(sheet) - 1) if str(sheet).isdigit() else book.get_sheet_by_name(str(sheet))
        top = found.start[0] if found.start else 0
        yield from ([] for _ in range(top))  # calamine starts at the first used row; header_row counts from the top
        for cells in found.iter_rows():
            yield [_cell(value) for value in cells]
    except (python_calamine.CalamineError, OSError, ValueError, IndexError) as error:
        raise _unreadable("file.unreadable", path, "the workbook or the sheet cannot be opened") from error


def _check_package(path: Path) -> None:
    """Refuse archive bombs and XML with DOCTYPE before a reader unpacks anything."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as package:
            total = sum(part.file_size for part in package.infolist())
            if total > MAX_UNPACKED_BYTES or (total > SMALL_BYTES and total > MAX_RATIO * path.stat().st_size):
                raise _unreadable("file.too_large", path, "the workbook unpacks to too much")
            for part in package.infolist():
                if part.filename.lower().endswith((".xml", ".rels")):
                    with package.open(part) as opened:
                        if b"<!DOCTYPE" in opened.read(4096).upper():
                            raise _unreadable("file.unreadable", path, "XML with DOCTYPE is refused")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise _unreadable("file.unreadable", path, "the workbook is damaged or encrypted") from error


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        if abs(value) >= EXACT_FLOAT:
            return f"{value:.14E}"
        return int(value) if value.is_integer() else value
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return value


# --- cells → rows ----------------------------------------------------------------------------------------------------


def _table(lines: Iterator[list[Any]], header_row: int, path: Path) -> Iterator[dict[str, Any]]:
    headers: list[str] | None = None
    for number, cells in enumerate(lines, 1):
        if number < header_row:
            continue
        if headers is None:
            headers = _headers(cells, path)
            continue
        if all(cell is None or (isinstance(cell, str) and not cell.strip(BLANK)) for cell in cells):
            continue
        yield _row(headers, cells)
    if headers is None:
        raise _unreadable("file.header", path, f"no header in row {header_row}")


def _headers(cells: list[Any], path: Path) -> list[str]:
    headers = [" ".join(str("" if cell is None else cell).strip(BLANK).split("\n")) for cell in cells]
    named = [name for name in headers if name]
    if not named:
        raise _unreadable("file.header", path, "the header row is empty")
    if len(set(named)) != len(named):
        raise _unreadable("file.header", path, "a header occurs twice")
    return headers


def _row(headers: list[str], cells: list[Any]) -> dict[str, Any]:
    extra = cells[len(headers) :]
    if any(cell not in (None, "") for cell in extra):
        return {ROW_PROBLEM: "row.shape", "cells": cells}
    return {name: cell for name, cell in zip(headers, cells, strict=False) if name}
