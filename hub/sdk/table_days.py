"""The day statements of a front-end table: counted by the hub's own queries over its day and key columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from hub.core.errors import PersonError
from hub.sdk.cursor import like
from hub.sdk.database import connected, table_error
from hub.sdk.statements import Statements, days_between, midnight
from hub.sdk.table import TableSource, jsonable

__all__ = ["table_statements"]

SAMPLES = 50
"""Values looked at for one that is a time: a column may begin with a few that are none."""

KeyColumns = Callable[[Sequence[str]], list[str]]
"""Columns of a table → those that make its key, in order; empty: some of them are missing."""


def table_statements(source: TableSource, day: str, key_columns: KeyColumns) -> Statements:
    """Counts, keys and rows by the column ``day`` (empty: the cursor's). The statements are short, each by itself."""
    table = _Days(source, day or source.cursor_field, key_columns)
    return Statements(counts=table.counts, keys=table.keys, rows=table.rows)


class _Days:
    def __init__(self, source: TableSource, day: str, key_columns: KeyColumns) -> None:
        self._source = source
        self._day = day
        self._key_columns = key_columns

    def counts(self, first: date, last: date) -> Iterator[tuple[date, int]]:
        """One COUNT for each day: records, not rows, so that repeats of a key count once."""
        try:
            keys, within = self._keys(), self._within()
            for day in days_between(first, last):
                inner = self._source.select(*keys).distinct().where(*within(day)).subquery()
                with connected(self._source.engine, self._source.endpoint) as connection:
                    found = connection.execute(sa.select(sa.func.count()).select_from(inner)).scalar_one()
                yield day, int(found)
        except exc.SQLAlchemyError as error:
            raise table_error(error) from None

    def keys(self, day: date) -> Iterable[dict[str, Any]]:
        """The key columns of that day's records."""
        try:
            for rows in self._source.in_parts(
                self._source.select(*self._keys()).distinct().where(*self._within()(day))
            ):
                yield from jsonable(rows)
        except exc.SQLAlchemyError as error:
            raise table_error(error) from None

    def rows(self, day: date, keys: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
        """That day's records."""
        try:
            for rows in self._source.in_parts(self._source.select().where(*self._within()(day))):
                yield jsonable(rows)
        except exc.SQLAlchemyError as error:
            raise table_error(error) from None

    def _keys(self) -> list[sa.ColumnClause[Any]]:
        found = self._key_columns(self._source.headers())
        if not found:
            raise PersonError(
                "the table has no columns for this stream's key", code="table.definition", remedy="set `fields`"
            )
        return [sa.column(name) for name in found]

    def _within(self) -> Callable[[date], tuple[sa.ColumnElement[bool], ...]]:
        """A day → from its beginning, before the next one's, in the column's own type and spelling."""
        column: sa.ColumnClause[Any] = sa.column(self._source.column_name(self._day))
        values = self._source.read(self._source.select(column).where(column.is_not(None)).limit(SAMPLES))
        texts = [str(row[column.name]) for row in jsonable(values)]
        sample = next((text for text in texts if like(text, midnight(date(2000, 1, 1)))), None)
        if sample is None and texts:
            raise PersonError(
                f"the column {self._day} holds no times", code="reconcile.day", remedy="name a column of times in `day`"
            )

        def within(day: date) -> tuple[sa.ColumnElement[bool], ...]:
            if sample is None:  # an empty table
                return (sa.false(),)
            edges = [like(sample, midnight(at)) for at in (day, day + timedelta(days=1))]
            low, high = (self._source.bound(column, str(edge)) for edge in edges)
            return column >= low, column < high

        return within
