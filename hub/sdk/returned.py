"""The rows that need correcting, in a file of their own: same headers, same values, ready to be mended and sent again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hub.sdk.reading import ROW_PROBLEM, Reading
from hub.sdk.receipts import guarded, is_faulty, workbook_bytes
from hub.sdk.strictjson import dumps

__all__ = ["returned_file"]

_JSON = (".ndjson", ".jsonl", ".json")
_TEXT = (".csv", ".txt", ".tsv")
MOST_IN_WORKBOOK = 20_000
"""More rows than these are given back as CSV."""


def returned_file(name: str, reading: Reading, rows: Sequence[Mapping[str, Any]]) -> tuple[str, bytes] | None:
    """Name and content of the file that gives back the faulty ones of a receipt's ``rows``; None: there are none.

    ``reading`` reads the department's file anew, in the form in which it was read the first time.
    """
    wanted = {int(row["row"]) for row in rows if is_faulty(row)}
    if not wanted:
        return None
    path = Path(name)
    suffix = path.suffix.lower()
    found = _picked(reading, wanted)
    if suffix in _JSON:
        return f"{path.stem}.returned.ndjson", b"".join(_json_line(row) + b"\n" for row in found)
    lines = _lines(reading, found)
    if suffix in _TEXT or len(wanted) > MOST_IN_WORKBOOK:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(lines)
        return f"{path.stem}.returned.csv", text.getvalue().encode("utf-8-sig", "replace")
    return f"{path.stem}.returned.xlsx", workbook_bytes("退回更正", lines)


def _picked(reading: Reading, wanted: set[int]) -> Iterator[dict[str, Any]]:
    last = max(wanted)
    for number, row in enumerate(reading, 1):
        if number in wanted:
            yield row
        if number >= last:
            return


def _json_line(row: Mapping[str, Any]) -> bytes:
    if ROW_PROBLEM not in row:
        return dumps(row)
    return str(row["line"]).strip().encode() if "line" in row else dumps(row.get("value"))


def _lines(reading: Reading, rows: Iterator[dict[str, Any]]) -> Iterator[list[Any]]:
    """Header and rows as text cells; a sheet with other headers brings its own."""
    headers: list[str] = []
    for row in rows:
        if headers != reading.headers:
            headers = list(reading.headers)
            yield [guarded(header) for header in headers]
        cells = row["cells"] if ROW_PROBLEM in row else [row.get(header) for header in headers]
        yield [guarded(_text(cell)) for cell in cells]


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "是" if cell else "否"
    return "" if cell is None else str(cell)
