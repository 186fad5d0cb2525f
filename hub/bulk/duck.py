"""The embedded engine: DuckDB in memory. It spills sealed bodies and marks at most, never a name or an address."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import duckdb

from hub.bulk.engine import Kept, Place, Row

CROWDED = 2_000
"""A value shared by more records than this is a placeholder somebody typed (as on the line)."""
BATCH = 5_000
ROUNDS = 64
DAY = 86_400_000_000
SHANGHAI = 8 * 3_600_000_000

_TABLES = (
    "CREATE TABLE version (n BIGINT, no VARCHAR, updated_at BIGINT, deleted BOOLEAN, happened BIGINT, kind VARCHAR,"
    " facts VARCHAR, related VARCHAR, parties VARCHAR, place VARCHAR, uid VARCHAR, body BLOB)",
    "CREATE TABLE link (n BIGINT, value VARCHAR)",
)
_NEWEST = (
    "CREATE TABLE newest AS SELECT * FROM version"
    " QUALIFY row_number() OVER (PARTITION BY kind, no ORDER BY updated_at DESC, deleted DESC, n DESC) = 1"
)
_CROWD = (
    "CREATE TABLE common AS SELECT l.value FROM link l JOIN newest r ON r.n = l.n WHERE NOT r.deleted GROUP BY l.value"
    " HAVING count(DISTINCT l.n) BETWEEN 2 AND ?"
)
_TIES = (
    "CREATE TABLE tie AS SELECT l.n, l.value FROM link l JOIN newest r ON r.n = l.n JOIN common c ON c.value = l.value"
    " WHERE NOT r.deleted"
)
_SPREAD = (
    "CREATE OR REPLACE TABLE spread AS SELECT g.n, least(g.g, min(v.g)) AS g FROM label g LEFT JOIN tie t ON t.n = g.n"
    " LEFT JOIN (SELECT t.value, min(g.g) AS g FROM tie t JOIN label g ON g.n = t.n GROUP BY t.value) v"
    " ON v.value = t.value GROUP BY g.n, g.g"
)


@contextmanager
def open_duck() -> Iterator[Duck]:
    """An engine in memory; what it spills goes with it."""
    with tempfile.TemporaryDirectory(prefix="hub-comb-") as folder:
        connection = duckdb.connect(
            ":memory:", config={"temp_directory": folder, "allow_community_extensions": "false"}
        )
        try:
            connection.execute("SET autoinstall_known_extensions = false")
            yield Duck(connection)
        finally:
            connection.close()


class Duck:
    """``bulk.engine.Engine``."""

    name = "duckdb"

    def __init__(self, connection: Any) -> None:
        self._sql = connection
        self._count = 0
        for text in _TABLES:
            self._sql.execute(text)

    def add(self, rows: Sequence[Row]) -> None:
        """Take a batch: lists unnested, one statement a table."""
        if not rows:
            return
        first, self._count = self._count, self._count + len(rows)
        numbers = list(range(first, self._count))
        columns = [
            numbers,
            *(list(column) for column in zip(*((*r[:8], r.place, r.uid, r.body) for r in rows), strict=True)),
        ]
        marks = ", ".join(f"unnest(${n})" for n in range(1, len(columns) + 1))
        self._sql.execute(f"INSERT INTO version SELECT {marks}", columns)
        links = [(n, value) for n, row in zip(numbers, rows, strict=True) for value in row.links]
        if links:
            ids, values = (list(column) for column in zip(*links, strict=True))
            self._sql.execute("INSERT INTO link SELECT unnest($1), unnest($2)", [ids, values])

    def groups(self) -> Iterator[list[Kept]]:
        """Records that share a value, directly or through others, are one group: the smallest number spreads until it rests."""
        self._sql.execute(_NEWEST)
        self._sql.execute(_CROWD, [CROWDED])
        self._sql.execute(_TIES)
        self._sql.execute("CREATE TABLE label AS SELECT n, n AS g FROM newest WHERE NOT deleted")
        for _ in range(ROUNDS):
            self._sql.execute(_SPREAD)
            moved = self._sql.execute(
                "SELECT count(*) FROM label a JOIN spread b ON a.n = b.n WHERE a.g <> b.g"
            ).fetchone()
            self._sql.execute("CREATE OR REPLACE TABLE label AS SELECT n, g FROM spread")
            if not moved[0]:
                break
        found = self._sql.execute(
            "SELECT l.g, r.no, r.updated_at, r.happened, r.kind, r.facts, r.related, r.parties, r.uid, r.body FROM newest r"
            " JOIN label l ON l.n = r.n ORDER BY l.g, r.happened, r.no"
        )
        for _, rows in groupby(_fetched(found), key=lambda row: row[0]):
            yield [Kept._make((*row[:9], bytes(row[9]))) for row in rows]

    def places(self, days: int) -> Iterator[Place]:
        """Addresses by their mark: calls, days of Shanghai, first and last, numbers, and the newest body."""
        found = self._sql.execute(
            f"SELECT count(*), count(DISTINCT (happened + {SHANGHAI}) // {DAY}) AS days, min(happened), max(happened), list(no ORDER BY happened),"  # noqa: S608 (our columns and numbers; values are parameters)
            " arg_max(uid, happened), arg_max(body, happened) FROM newest WHERE place <> '' AND NOT deleted GROUP BY place"
            " HAVING days >= ? ORDER BY count(*) DESC, max(happened) DESC",
            [days],
        )
        for calls, on, first, last, numbers, uid, body in _fetched(found):
            yield Place(calls, on, first, last, tuple(numbers), uid, bytes(body))


def _fetched(found: Any) -> Iterator[tuple[Any, ...]]:
    while batch := found.fetchmany(BATCH):
        yield from batch
