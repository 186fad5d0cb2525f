"""One way to speak SQL to both engines: prepared text with ``?``, rows as tuples, sets instead of loops.

The hot path goes through ``exec_driver_sql``: the same connection, transaction and pool as SQLAlchemy Core, without
compiling a statement for every batch. Text is ours and constant; values are always parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

CHUNK = 2_048
"""Members of one ``IN`` on SQLite. Lists are filled up to powers of two, so that a handful of prepared statements serves
every length (a driver keeps the last 128, and one of ten thousand members takes a megabyte)."""

Row = tuple[Any, ...]


@lru_cache(maxsize=512)
def _for_postgres(sql: str) -> str:
    return sql.replace("?", "%s")


@lru_cache(maxsize=1_024)
def _with_places(sql: str, count: int) -> str:
    return sql.replace("{in}", "IN (" + ",".join("?" * count) + ")")


def _parts(wanted: list[Any]) -> Iterator[list[Any]]:
    """``wanted`` in lists of a length that is a power of two: the last value fills up."""
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        missing = (1 << (len(part) - 1).bit_length()) - len(part)
        yield part + part[-1:] * missing


@lru_cache(maxsize=256)
def insert_text(table: str, columns: tuple[str, ...]) -> str:
    """``INSERT`` text for one table; columns named by reserved words are quoted."""
    names = ", ".join(f'"{c}"' for c in columns)
    return f'INSERT INTO "{table}" ({names}) VALUES ({",".join("?" * len(columns))})'


class Sql:
    """A connection inside a transaction. Used for snapshots; ``Tx`` adds what writers do."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.postgres = connection.dialect.name == "postgresql"

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """All rows of a query."""
        text = _for_postgres(sql) if self.postgres else sql
        result = self.connection.exec_driver_sql(text, tuple(params))
        found: Any = result.cursor  # plain tuples: no Row object per record
        return list(found.fetchall())

    def one(self, sql: str, params: Sequence[Any] = ()) -> Row | None:
        """The first row, or None."""
        rows = self.rows(sql, params)
        return rows[0] if rows else None

    def rows_in(self, sql: str, values: Iterable[Any], before: Sequence[Any] = ()) -> list[Row]:
        """Rows of a query whose ``{in}`` stands for membership in ``values`` (last parameter of the text)."""
        wanted = list(values)
        if not wanted:
            return []
        if self.postgres:
            return self.rows(sql.replace("{in}", "= ANY(?)"), (*before, wanted))
        found: list[Row] = []
        for part in _parts(wanted):
            found += self.rows(_with_places(sql, len(part)), (*before, *part))
        return found

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        """One statement; the number of rows it changed."""
        text = _for_postgres(sql) if self.postgres else sql
        return self.connection.exec_driver_sql(text, tuple(params)).rowcount

    def run_in(self, sql: str, values: Iterable[Any], before: Sequence[Any] = ()) -> int:
        """As ``rows_in``, for a statement that changes rows."""
        wanted = list(values)
        if not wanted:
            return 0
        if self.postgres:
            return self.run(sql.replace("{in}", "= ANY(?)"), (*before, wanted))
        return sum(self.run(_with_places(sql, len(part)), (*before, *part)) for part in _parts(wanted))

    def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """The same statement for every row, prepared once."""
        if not rows:
            return
        text = _for_postgres(sql) if self.postgres else sql
        self.connection.exec_driver_sql(text, [tuple(row) for row in rows])

    def insert(self, table: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> None:
        """New rows of one table."""
        self.many(insert_text(table, columns), rows)

    def insert_one(self, table: str, columns: tuple[str, ...], row: Sequence[Any]) -> int:
        """One new row; its id."""
        found = self.rows(insert_text(table, columns) + " RETURNING id", row)
        return int(found[0][0])
