"""Files of JSON objects → rows: one object a line (NDJSON), or an array that is read element by element."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hub.sdk.csv_text import CHUNK, MAX_LINE_CHARS, bounded_lines
from hub.sdk.reading import ROW_PROBLEM, refusal
from hub.sdk.strictjson import StrictJSONError, check_depth, decoder, loads

__all__ = ["json_rows", "ndjson_rows"]

BLANK = " \t\r\n\ufeff\u3000\xa0,"
Numbered = tuple[int, dict[str, Any]]


def ndjson_rows(path: Path, encoding: str) -> Iterator[Numbered]:
    """(line, row); lines stand alone, so a bad one is a row with a problem."""
    try:
        with path.open(encoding=encoding) as opened:
            for number, line in enumerate(bounded_lines(opened, path), 1):
                if line.strip():
                    yield number, _row(line)
    except UnicodeError as error:
        raise refusal("file.unreadable", path, "not text in the declared encoding") from error


def _row(line: str) -> dict[str, Any]:
    try:
        row = loads(line)
    except StrictJSONError as error:
        return {ROW_PROBLEM: error.code, "line": line}
    return _object(row)


def _object(row: Any) -> dict[str, Any]:
    return row if isinstance(row, dict) else {ROW_PROBLEM: "row.shape", "value": row}


def json_rows(path: Path, encoding: str) -> Iterator[Numbered]:
    """(number, row) of an array of objects, element by element; or of ``{"records": [...]}``, read whole."""
    try:
        with path.open(encoding=encoding) as opened:
            buffer = opened.read(CHUNK).lstrip(BLANK)
            if buffer.startswith("{"):
                wrapped = loads(buffer + opened.read())
                rows = wrapped.get("records")
                if not isinstance(rows, list):
                    raise StrictJSONError("json.no_records")
                yield from enumerate(map(_object, rows), 1)
            elif buffer.startswith("["):
                yield from enumerate(_array(buffer[1:], opened), 1)
            else:
                raise StrictJSONError("json.syntax")
    except (StrictJSONError, UnicodeError) as error:
        raise refusal("file.unreadable", path, "not an array of JSON objects") from error


def _array(buffer: str, opened: Any) -> Iterator[dict[str, Any]]:
    """Elements of a JSON array after its ``[``: what is read and not yet used stays below one element and one piece."""
    while True:
        buffer = buffer.lstrip(BLANK)
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
