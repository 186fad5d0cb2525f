"""The day statements of a drop folder (对账文件): one file for each day beside the data, which says what was sent for it.

``NAME.json`` holds ``{"count": 120}`` or ``{"keys": [ … ]}`` or both; any other file is read as data files are, and its
rows name the day's records by the columns of their key. Nothing can be read again: what is missing is to be dropped again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from hub.core.errors import PersonError
from hub.sdk.cursor import spell
from hub.sdk.files import FolderSource
from hub.sdk.places import folder_error
from hub.sdk.statements import Statements, as_count, days_between
from hub.sdk.strictjson import StrictJSONError, loads
from hub.sdk.tabular import read_rows

__all__ = ["files_statements"]

Told = tuple[int, list[Any]]
"""How many records a statement speaks of, and which, as far as it names them."""


def files_statements(source: FolderSource, form: str) -> Statements:
    """By files called as ``source.statement`` says, ``{day}`` spelled by ``form``; a day without one is not compared."""
    days = _Days(source, form)
    return Statements(counts=days.counts, keys=days.keys, rows=days.rows, is_whole=False)


class _Days:
    def __init__(self, source: FolderSource, form: str) -> None:
        self._source = source
        self._form = form

    def counts(self, first: date, last: date) -> Iterator[tuple[date, int]]:
        """Of the days that have a statement."""
        for day in days_between(first, last):
            if (told := self._told(day)) is not None:
                yield day, told[0]

    def keys(self, day: date) -> list[Any]:
        """The records a statement names."""
        told = self._told(day)
        return told[1] if told is not None else []

    def rows(self, day: date, keys: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
        """None: a file that was read is not read again."""
        yield from ()

    def _told(self, day: date) -> Told | None:
        source = self._source
        name = source.statement.replace("{day}", spell(day.isoformat(), self._form))
        with source.place.session():
            try:
                if name not in source.place.files(str(source.folder)):
                    return None
            except OSError as error:
                raise folder_error(error) from error
            if name.lower().endswith(".json"):
                return _stated(name, source.place.read(str(source.folder), name))
            with source.place.local(str(source.folder), name, source.max_bytes) as path:
                rows = list(read_rows(path, source.form, known=source.known, max_bytes=source.max_bytes, name=name))
        return len(rows), rows


def _stated(name: str, content: bytes) -> Told:
    try:
        told = loads(content)
    except StrictJSONError:
        told = None
    keys = told.get("keys", []) if isinstance(told, dict) else None
    if not isinstance(told, dict) or not isinstance(keys, list) or not {"count", "keys"} & told.keys():
        raise PersonError(
            f"{name} states no day", code="reconcile.answer", remedy='write {"count": 120} or {"keys": ["…", "…"]}'
        )
    return (as_count(told["count"]) if "count" in told else len(keys)), keys
