"""The connector's own samples, read as the hub reads files, and multiplied into as many rows as a fault needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from hub.core.errors import PersonError
from hub.core.records import SHANGHAI
from hub.sdk.connector import Stream
from hub.sdk.fields import fold
from hub.sdk.tabular import read_rows

__all__ = ["Samples", "at", "comparable", "headers_of", "many", "read_samples", "with_cell"]

GOLDEN = ".drafts.json"
FORMS = (".csv", ".xlsx", ".xls", ".json", ".ndjson")
START = datetime(2026, 11, 2, 8, 0, tzinfo=SHANGHAI)
STEP = timedelta(minutes=1)

Row = dict[str, Any]


class Samples(NamedTuple):
    """One stream's sample: its rows as sent, and the drafts they must become (None: no golden file)."""

    stream: str
    path: Path
    rows: list[Row]
    golden: list[dict[str, Any]] | None


def read_samples(folder: Path, streams: Mapping[str, Stream]) -> dict[str, Samples]:
    """Samples by stream, in the order of the streams. Raises PersonError for a file that cannot be read."""
    found = {}
    for name in streams:
        path = next((folder / f"{name}{form}" for form in FORMS if (folder / f"{name}{form}").is_file()), None)
        if path is not None:
            found[name] = Samples(name, path, list(read_rows(path)), _golden(folder / f"{name}{GOLDEN}"))
    return found


def _golden(path: Path) -> list[dict[str, Any]] | None:
    try:
        return list(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
    except (ValueError, TypeError) as error:
        raise PersonError(f"{path.name} is no JSON list of drafts", code="kit.golden") from error


COMPARED = ("row", "key", "kind", "updated_at", "deleted", "facts", "persons", "related", "texts")


def comparable(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A draft as it is compared with a golden one: without its original, nothing stated left out everywhere."""
    if entry.get("what") == "problem":
        return {"row": entry["row"], "code": entry["code"], "field": entry["field"]}
    persons = [{k: v for k, v in person.items() if v not in (None, "")} for person in entry.get("persons", ())]
    return {
        name: persons if name == "persons" else value
        for name in COMPARED
        if (value := entry.get(name)) not in (None, "") or name in ("facts", "persons", "related", "texts")
    }


def headers_of(stream: Stream, row: Mapping[str, Any], target: str) -> list[str]:
    """Headers of ``row`` that feed a field going to ``target`` (``key``, ``updated_at``, ``person:`` for all of them)."""
    wanted = {field.name for field in stream.fields if field.to == target or field.to.startswith(f"{target}:")}
    return [header for header in row if stream.own.get(fold(header)) in wanted]


def many(stream: Stream, rows: Sequence[Row], count: int, *, first: int = 0, start: datetime = START) -> list[Row]:
    """``count`` rows like these: keys of their own, one minute apart, nothing retracted. Texts throughout."""
    return list(_many(stream, rows, count, first, start))


def _many(stream: Stream, rows: Sequence[Row], count: int, first: int, start: datetime) -> Iterator[Row]:
    whole = dict.fromkeys((header for row in rows for header in row), "")
    fields = {field.name: field for field in stream.fields}
    updated = next((field for field in stream.fields if field.to == "updated_at"), None)
    for number in range(first, first + count):
        row = {**whole, **{header: "" if cell is None else cell for header, cell in rows[number % len(rows)].items()}}
        for column in stream.key:
            header = _header(stream, row, column) or fields[column].header or column
            row[header] = f"K{number:06d}"
        if updated is not None:
            row[_header(stream, row, updated.name) or updated.header or updated.name] = at(start + number * STEP)
        for header in headers_of(stream, row, "deleted"):
            row[header] = ""
        yield {header: cell if isinstance(cell, str) else str(cell) for header, cell in row.items()}


def _header(stream: Stream, row: Mapping[str, Any], column: str) -> str | None:
    return next((header for header in row if stream.own.get(fold(header)) == column), None)


def with_cell(stream: Stream, row: Row, target: str, cell: str) -> Row:
    """The row with ``cell`` in every column that goes to ``target``."""
    return {**row, **dict.fromkeys(headers_of(stream, row, target), cell)}


def at(moment: datetime) -> str:
    """A time as departments write it."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")
