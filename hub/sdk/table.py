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
from sqlalchemy import event, exc
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.pool import NullPool

from hub.core.errors import ConfigurationError, CredentialsError, HubError, PersonError, RetryError
from hub.core.records import SHANGHAI
from hub.sdk.cursor import Tally, earlier, header_names
from hub.sdk.outcome import Outcome

__all__ = ["TableSender", "TableSource", "open_table_engine", "table_error"]

Rows = list[dict[str, Any]]

CONNECT_SECONDS = 10
READ_ONLY = {
    "sqlite": "PRAGMA query_only = ON",
    "postgresql": "SET default_transaction_read_only = on",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
}
DRIVERS = {"mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql", "postgresql": "postgresql+psycopg"}
"""The drivers of our extras, for URLs that name none."""
DENIED_STATES = ("28", "42501")
"""SQLSTATE of a refused login (class 28) and of a missing right."""
DENIED_NUMBERS = (1044, 1045, 1142, 1143, 1698)
"""MySQL's numbers for the same."""
WRONG_DEFINITION = ("no such table", "no such column", "syntax error")
"""How SQLite says it, which has no error classes of its own."""


def open_table_engine(url: str, *, read_only: bool = True) -> Engine:
    """An engine without pool and without values in its errors. Raises ``ConfigurationError`` for an unusable URL."""
    try:
        made = make_url(url)
        engine = sa.create_engine(
            _addressed(made, read_only),
            poolclass=NullPool,
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",
            connect_args=_connect_args(made),
        )
    except (exc.ArgumentError, exc.NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
        raise ConfigurationError(
            "the table's URL names no database this hub can read",
            code="table.url",
            remedy="sqlite:///…, postgresql+psycopg://… or mysql+pymysql://…",
        ) from error
    statement = READ_ONLY.get(engine.dialect.name.replace("mariadb", "mysql"))
    if read_only and statement:

        @event.listens_for(engine, "connect")
        def connected(connection: Any, record: Any) -> None:
            cursor = connection.cursor()
            cursor.execute(statement)
            cursor.close()

    return engine


def _addressed(url: URL, read_only: bool) -> URL:
    if url.drivername in DRIVERS:
        return url.set(drivername=DRIVERS[url.drivername])
    if url.get_backend_name() == "sqlite" and url.database and not url.database.startswith("file:"):
        # a missing file is an error, not a new empty database
        mode = "ro" if read_only else "rw"
        return url.set(database=f"file:{url.database}").update_query_dict({"mode": mode, "uri": "true"})
    return url


def _connect_args(url: URL) -> dict[str, Any]:
    return {"timeout": CONNECT_SECONDS} if url.get_backend_name() == "sqlite" else {"connect_timeout": CONNECT_SECONDS}


def table_error(error: exc.SQLAlchemyError) -> HubError:
    """The database's error as one of ours, by SQLSTATE or number; its text, which may hold values, stays behind."""
    driver = getattr(error, "orig", None)
    state = str(getattr(driver, "sqlstate", "") or "")
    first = driver.args[0] if driver is not None and driver.args else None
    text = str(driver).lower()
    if state.startswith(DENIED_STATES) or first in DENIED_NUMBERS or "authentication failed" in text:
        return CredentialsError(
            "the database refused our login", code="table.denied", remedy="renew the login, or ask for SELECT on it"
        )
    if isinstance(error, exc.ProgrammingError) or any(word in text for word in WRONG_DEFINITION):
        return PersonError(
            "the table, column or query does not exist as configured", code="table.definition", remedy="compare names"
        )
    if "readonly" in text or "read-only" in text or "read only" in text:
        return PersonError("the query tries to write", code="table.writes", remedy="configure a plain SELECT")
    return RetryError("the database cannot be reached", code="table.unavailable")


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

    def pages(self, cursor: str | None) -> Iterator[tuple[Rows, str | None]]:
        """Pages from ``cursor`` minus the overlap on, ascending, each with the cursor that says we have it.

        At the first read rows without a cursor value come too. Raises the classes of ``hub.core.errors``.
        """
        try:
            if not self.cursor_field:
                for rows in _cut(self._read(self._select()), self.rows_per_page):
                    yield _jsonable(rows), None
                return
            yield from self._by_cursor(cursor)
        except exc.SQLAlchemyError as error:
            raise table_error(error) from None

    def probe(self) -> int:
        """Read one row and write nothing; returns how many there were (0 or 1)."""
        try:
            return len(self._read(self._select().limit(1)))
        except exc.SQLAlchemyError as error:
            raise table_error(error) from None

    def close(self) -> None:
        """Give the engine's connections back."""
        self.engine.dispose()

    def _by_cursor(self, cursor: str | None) -> Iterator[tuple[Rows, str | None]]:
        column: sa.ColumnClause[Any] = sa.column(self._column_name())
        if cursor is None:
            for rows in _cut(self._read(self._select().where(column.is_(None))), self.rows_per_page):
                yield _jsonable(rows), None
            condition = column.is_not(None)
        else:
            condition = column >= self._bound(column, earlier(cursor, self.overlap))
        tally = Tally(cursor, (column.name,))
        while rows := self._read(self._select().where(condition).order_by(column).limit(self.rows_per_page)):
            whole, last = self._whole_values(rows, column)
            for part, is_last in _parts(whole, self.rows_per_page):
                sent = _jsonable(part)
                tally.see(sent)
                yield sent, tally.highest if is_last else None
            if len(rows) < self.rows_per_page:
                return
            condition = column > last

    def _whole_values(self, rows: Rows, column: sa.ColumnClause[Any]) -> tuple[Rows, Any]:
        """The rows whose cursor values are complete, and the last such value."""
        name = column.name
        last = rows[-1][name]
        if len(rows) < self.rows_per_page:
            return rows, last
        before = [row for row in rows if row[name] != last]
        if before:
            return before, before[-1][name]
        return self._read(self._select().where(column == last)), last

    def _bound(self, column: sa.ColumnClause[Any], raw: str) -> Any:
        """``raw`` as the type the driver gives for this column, taken from one of its values."""
        sample = self._read(self._select().where(column.is_not(None)).limit(1))
        value = sample[0][column.name] if sample else raw
        if isinstance(value, datetime):
            at = _instant(raw)
            if value.tzinfo is not None:
                return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)
            return at.astimezone(SHANGHAI).replace(tzinfo=None) if at.tzinfo else at
        if isinstance(value, date):
            return _instant(raw).date()
        if isinstance(value, (int, Decimal)):
            return int(raw)
        return raw

    def _column_name(self) -> str:
        """The cursor column as this table spells it."""
        names = header_names(self.cursor_field, self.renamed)
        with self.engine.connect() as connection:
            columns = list(connection.execute(self._select().limit(0)).keys())
        found = next((name for name in names if name in columns), None)
        if found is None:
            raise PersonError(
                f"the cursor column {self.cursor_field} is not in the table",
                code="table.definition",
                remedy="set cursor",
            )
        return found

    def _select(self) -> sa.Select[Any]:
        if self.query:
            source: Any = sa.text(f"({self.query.rstrip().rstrip(';')}) AS source")
        else:
            schema, _, name = self.table.rpartition(".")
            source = sa.table(name, schema=schema or None)
        return sa.select(sa.text("*")).select_from(source)

    def _read(self, statement: sa.Select[Any]) -> Rows:
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]


def _instant(raw: str) -> datetime:
    try:
        return datetime.fromisoformat(raw)
    except ValueError:
        raise PersonError("the stored cursor is no time", code="table.cursor", remedy="reset the cursor") from None


def _cut(rows: Rows, size: int) -> Iterator[Rows]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _parts(rows: Rows, size: int) -> Iterator[tuple[Rows, bool]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size], start + size >= len(rows)


def _jsonable(rows: Sequence[Mapping[str, Any]]) -> Rows:
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
        return _decoded(bytes(value))
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

    def __init__(self, engine: Engine, table: str = "hub_message") -> None:
        schema, _, name = table.rpartition(".")
        columns: list[sa.ColumnClause[Any]] = [
            sa.column(column) for column in ("message_no", "type", "body", "created_at")
        ]
        self._engine = engine
        self._table = sa.table(name, *columns, schema=schema or None)

    def send(self, no: str, kind: str, body: bytes, at: datetime) -> Outcome:
        """``sent``: no answer can come back this way; a repeat finds its row and is ``sent`` too."""
        row = {
            "message_no": no,
            "type": kind,
            "body": body.decode(),
            "created_at": at.astimezone(SHANGHAI).isoformat(sep=" ", timespec="seconds"),
        }
        try:
            with self._engine.connect() as connection:
                stands = connection.execute(
                    sa.select(sa.func.count()).select_from(self._table).where(self._table.c.message_no == no)
                ).scalar_one()
                if not stands:
                    connection.execute(self._table.insert().values(row))
        except exc.IntegrityError:
            return Outcome("sent", detail="table.repeat")
        except exc.SQLAlchemyError as error:
            ours = table_error(error)
            return Outcome("later" if isinstance(ours, RetryError) else "refused", detail=ours.code)
        return Outcome("sent", detail="table.inserted")
