"""A department's front-end database (前置库), read page by page through SQLAlchemy: SQLite, PostgreSQL, MySQL.

Read only, and never inside a transaction of ours that lasts: each page is one short statement in autocommit, the next
one starts after the last cursor value seen (keyset). Rows that share one cursor value are never torn apart.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import Engine

from hub.core.errors import PersonError, RetryError
from hub.core.records import SHANGHAI
from hub.sdk.cursor import Tally, earlier, header_names
from hub.sdk.database import connected, dialect_of, table_error
from hub.sdk.endpoint import Endpoint
from hub.sdk.outcome import Outcome

__all__ = ["TableSender", "TableSource", "jsonable"]

Rows = list[dict[str, Any]]

FLAG_BYTES = {b"\x00": 0, b"\x01": 1}
"""A flag column of type BIT(1) comes as one byte."""


@dataclass(kw_only=True)
class TableSource:
    """One table or query of a front-end database."""

    engine: Engine
    table: str = ""  # may be schema.table
    query: str = ""  # a SELECT, instead of ``table``
    cursor_field: str = ""  # empty: the whole table at each read
    overlap: timedelta = timedelta(0)
    renamed: Mapping[str, str] = field(default_factory=dict)
    rows_per_page: int = 2000
    endpoint: Endpoint | None = None  # the health of that server, shared by all who ask it

    def pages(self, cursor: str | None) -> Iterator[tuple[Rows, str | None]]:
        """Pages from ``cursor`` minus the overlap on, ascending, each with the cursor that says we have it.

        At the first read rows without a cursor value come too. Raises the classes of ``hub.core.errors``.
        """
        try:
            if not self.cursor_field:
                for rows in self.in_parts(self.select()):
                    yield jsonable(rows), None
                return
            yield from self._by_cursor(cursor)
        except exc.SQLAlchemyError as error:
            raise table_error(error) from None

    def probe(self) -> int:
        """Read one row and write nothing; returns how many there were (0 or 1)."""
        try:
            return len(self.read(self.select().limit(1)))
        except exc.SQLAlchemyError as error:
            raise table_error(error) from None

    def close(self) -> None:
        """Give the engine's connections back."""
        self.engine.dispose()

    def _by_cursor(self, cursor: str | None) -> Iterator[tuple[Rows, str | None]]:
        column: sa.ColumnClause[Any] = sa.column(self.column_name(self.cursor_field))
        if cursor is None:
            for rows in self.in_parts(self.select().where(column.is_(None))):
                yield jsonable(rows), None
            condition = column.is_not(None)
        else:
            condition = column >= self.bound(column, earlier(cursor, self.overlap))
        tally = Tally(cursor, (column.name,))
        while rows := self.read(self.select().where(condition).order_by(column).limit(self.rows_per_page)):
            last = rows[-1][column.name]
            is_end = len(rows) < self.rows_per_page
            whole = rows if is_end else [row for row in rows if row[column.name] != last]
            parts = iter([whole]) if whole else self.in_parts(self.select().where(column == last))
            for part, is_last in _with_end(parts):
                sent = jsonable(part)
                tally.see(sent)
                yield sent, tally.highest if is_last else None
            if is_end:
                return
            condition = column > (whole[-1][column.name] if whole else last)

    def in_parts(self, statement: sa.Select[Any]) -> Iterator[Rows]:
        """A result of any length, a page's worth in memory at a time; SQLite's is read first, as it would lock."""
        if dialect_of(self.engine) == "sqlite":
            rows = self.read(statement)
            yield from (rows[start : start + self.rows_per_page] for start in range(0, len(rows), self.rows_per_page))
            return
        streaming = self.engine.execution_options(stream_results=True, isolation_level="READ COMMITTED")
        with connected(streaming, self.endpoint, long=True) as connection:
            for part in connection.execute(statement).mappings().partitions(self.rows_per_page):
                yield [dict(row) for row in part]

    def bound(self, column: sa.ColumnClause[Any], raw: str) -> Any:
        """``raw`` as the type the driver gives for this column, taken from one of its values."""
        sample = self.read(self.select().where(column.is_not(None)).limit(1))
        value = sample[0][column.name] if sample else raw
        if isinstance(value, datetime):
            at = _instant(raw)
            if value.tzinfo is not None:
                return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)
            return at.astimezone(SHANGHAI).replace(tzinfo=None) if at.tzinfo else at
        if isinstance(value, date):
            return _instant(raw).date()
        return _number(raw) if isinstance(value, (int, Decimal)) else raw

    def headers(self) -> list[str]:
        """The columns of the table, as it spells them."""
        with connected(self.engine, self.endpoint) as connection:
            return list(connection.execute(self.select().limit(0)).keys())

    def column_name(self, field: str) -> str:
        """The column that ``field`` (cursor, day) means, as this table spells it. Raises ``PersonError``."""
        columns = self.headers()
        found = next((name for name in header_names(field, self.renamed) if name in columns), None)
        if found is None:
            raise PersonError(
                f"the column {field} is not in the table", code="table.definition", remedy="compare it with the table"
            )
        return found

    def select(self, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
        """A query over the table or query; all columns where none is named."""
        if self.query:
            written = self.query.rstrip().rstrip(";").replace(":", "\\:")  # a colon of theirs is no parameter of ours
            source: Any = sa.text(f"({written}) AS source")
        else:
            schema, _, name = self.table.rpartition(".")
            source = sa.table(name, schema=schema or None)
        return sa.select(*(columns or (sa.text("*"),))).select_from(source)

    def read(self, statement: sa.Select[Any]) -> Rows:
        """A short result, as the driver gives it."""
        with connected(self.engine, self.endpoint) as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]


def _instant(raw: str) -> datetime:
    try:
        return datetime.fromisoformat(raw)
    except ValueError:
        raise PersonError("the stored cursor is no time", code="table.cursor", remedy="reset the cursor") from None


def _number(raw: str) -> int | Decimal:
    try:
        return int(raw) if raw.isdigit() else Decimal(raw)
    except ArithmeticError:
        raise PersonError("the stored cursor is no number", code="table.cursor", remedy="reset the cursor") from None


def _with_end(parts: Iterator[Rows]) -> Iterator[tuple[Rows, bool]]:
    """Each part and whether it is the last one."""
    held = next(parts, None)
    while held is not None:
        following = next(parts, None)
        yield held, following is None
        held = following


def jsonable(rows: Sequence[Mapping[str, Any]]) -> Rows:
    """Rows as they land: what JSON does not have, as text."""
    return [{name: _value(value) for name, value in row.items()} for row in rows]


def _value(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return FLAG_BYTES[bytes(value)] if bytes(value) in FLAG_BYTES else _decoded(bytes(value))
    return str(value) if isinstance(value, (timedelta, UUID)) else value


def _decoded(raw: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return base64.b64encode(raw).decode()


class TableSender:
    """Inserts each message once into a table of the receiver: message_no (unique), type, body, created_at."""

    def __init__(self, engine: Engine, table: str = "hub_message", endpoint: Endpoint | None = None) -> None:
        schema, _, name = table.rpartition(".")
        columns: list[sa.ColumnClause[Any]] = [
            sa.column(column) for column in ("message_no", "type", "body", "created_at")
        ]
        self._engine = engine
        self._endpoint = endpoint
        self._table = sa.table(name, *columns, schema=schema or None)

    def send(self, no: str, kind: str, body: bytes, at: datetime) -> Outcome:
        """``sent``: no answer can come back this way; a repeat finds its row and is ``sent`` too."""
        row = {"message_no": no, "type": kind, "body": body.decode(), "created_at": self._moment(at)}
        try:
            if self._stands(no):
                return Outcome("sent", detail="table.repeat")
            with connected(self._engine, self._endpoint) as connection:
                connection.execute(self._table.insert().values(row))
        except exc.IntegrityError:
            return self._unless_it_stands(no)
        except exc.SQLAlchemyError as error:
            return _refusal(error)
        except RetryError as error:  # the server rests
            return Outcome("later", detail=error.code, after=error.after)
        return Outcome("sent", detail="table.inserted")

    def _stands(self, no: str) -> bool:
        count = sa.select(sa.func.count()).select_from(self._table).where(self._table.c.message_no == no)
        with connected(self._engine, self._endpoint) as connection:
            return bool(connection.execute(count).scalar_one())

    def _unless_it_stands(self, no: str) -> Outcome:
        """A broken constraint: another sender was first, or a rule of the table (NOT NULL …) keeps the message out."""
        try:
            stands = self._stands(no)
        except exc.SQLAlchemyError as error:
            return _refusal(error)
        except RetryError as error:
            return Outcome("later", detail=error.code, after=error.after)
        return Outcome("sent", detail="table.repeat") if stands else Outcome("refused", detail="table.definition")

    def _moment(self, at: datetime) -> str | datetime:
        """District time as the database takes it: MySQL's without an offset, PostgreSQL's with one, text for SQLite."""
        here = at.astimezone(SHANGHAI).replace(microsecond=0)
        dialect = dialect_of(self._engine)
        if dialect == "mysql":
            return here.replace(tzinfo=None)
        return here if dialect == "postgresql" else here.isoformat(sep=" ")


def _refusal(error: exc.SQLAlchemyError) -> Outcome:
    ours = table_error(error)
    return Outcome("later" if isinstance(ours, RetryError) else "refused", detail=ours.code)
