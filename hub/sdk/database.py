"""Other people's databases, as one kind of engine: SQLite, PostgreSQL, MySQL and MariaDB by one URL.

What differs between them is stated here once: drivers, time-outs, the words of a session (read only, zone, strictness)
and what an error means for what happens next.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.pool import NullPool

from hub.core.errors import ConfigurationError, CredentialsError, HubError, PersonError, RetryError
from hub.sdk.endpoint import Endpoint

__all__ = ["connected", "dialect_of", "open_table_engine", "table_error"]

CONNECT_SECONDS = 10
ANSWER_SECONDS = 300
"""A statement that brings nothing for so long is given up: the database hangs, or the query is far too slow."""

READING = {
    "sqlite": ("PRAGMA query_only = ON",),
    "postgresql": (f"SET statement_timeout = {ANSWER_SECONDS * 1000}", "SET default_transaction_read_only = on"),
    "mysql": (
        "SET SESSION time_zone = '+08:00'",  # TIMESTAMP columns come in the district's time, as DATETIME columns do
        f"SET SESSION net_write_timeout = {ANSWER_SECONDS}",
        "SET SESSION TRANSACTION READ ONLY",
    ),
}
WRITING = {
    "sqlite": (),
    "postgresql": (f"SET statement_timeout = {ANSWER_SECONDS * 1000}", "SET TIME ZONE 'Asia/Shanghai'"),
    "mysql": (
        "SET SESSION time_zone = '+08:00'",
        # without it MySQL cuts a message that is too long for its column, and says nothing
        "SET SESSION sql_mode = CONCAT(@@SESSION.sql_mode, ',STRICT_ALL_TABLES')",
    ),
}
DRIVERS = {"mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql", "postgresql": "postgresql+psycopg"}
"""The drivers of our extras, for URLs that name none."""
CONNECTING: dict[str, dict[str, Any]] = {
    "sqlite": {"timeout": CONNECT_SECONDS},
    "postgresql": {"connect_timeout": CONNECT_SECONDS},
    "mysql": {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": ANSWER_SECONDS,
        "write_timeout": ANSWER_SECONDS,
    },
}
DENIED_STATES = ("28", "42501")
"""SQLSTATE of a refused login (class 28) and of a missing right."""
DENIED_NUMBERS = (1044, 1045, 1130, 1142, 1143, 1227, 1698)
"""MySQL's numbers for the same."""
UNDEFINED_NUMBERS = (1049, 1054, 1146, 1364, 1366, 1406)
"""MySQL: no such database, column or table; a column that must be filled; a value that the column cannot hold."""
WRONG_DEFINITION = ("no such table", "no such column", "syntax error")
"""How SQLite says it, which has no error classes of its own."""


def dialect_of(engine: Engine) -> str:
    """``sqlite``, ``postgresql`` or ``mysql`` (MariaDB is one)."""
    return engine.dialect.name.replace("mariadb", "mysql")


def open_table_engine(url: str, *, read_only: bool = True) -> Engine:
    """An engine without pool and without values in its errors. Raises ``ConfigurationError`` for an unusable URL."""
    try:
        made = make_url(url)
        engine = sa.create_engine(
            _addressed(made, read_only),
            poolclass=NullPool,
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",
            connect_args=CONNECTING.get(made.get_backend_name().replace("mariadb", "mysql"), {}),
        )
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "the driver for this kind of database is not installed",
            code="table.driver",
            remedy="pip install 'family-care-hub[mysql]' or 'family-care-hub[postgres]'",
        ) from error
    except (exc.ArgumentError, exc.NoSuchModuleError, ValueError) as error:
        raise ConfigurationError(
            "the table's URL names no database this hub can read",
            code="table.url",
            remedy="sqlite:///…, postgresql+psycopg://… or mysql+pymysql://…",
        ) from error
    statements = (READING if read_only else WRITING).get(dialect_of(engine), ())

    @event.listens_for(engine, "connect")
    def connected(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()

    return engine


@contextmanager
def connected(engine: Engine, endpoint: Endpoint | None, *, long: bool = False) -> Iterator[Connection]:
    """A connection, as one call of the endpoint, which learns what it met. Raises ``RetryError`` while that rests.

    A ``long`` one counts as a call only until it stands: reading a whole table keeps nobody else out.
    """
    with ExitStack() as call:
        if endpoint is not None:
            call.enter_context(endpoint.turn(CONNECT_SECONDS))
        try:
            with engine.connect() as connection:
                if long:
                    call.close()
                yield connection
        except exc.SQLAlchemyError as error:
            ours = table_error(error)
            if endpoint is not None:
                endpoint.met(ours.code if isinstance(ours, RetryError) else "")
            raise
        if endpoint is not None:
            endpoint.met()


def _addressed(url: URL, read_only: bool) -> URL:
    if url.drivername in DRIVERS:
        url = url.set(drivername=DRIVERS[url.drivername])
    backend = url.get_backend_name()
    if backend in ("mysql", "mariadb"):
        return url.update_query_dict({"charset": url.query.get("charset", "utf8mb4")})
    if backend == "sqlite" and url.database and not url.database.startswith("file:"):
        # a missing file is an error, not a new empty database
        mode = "ro" if read_only else "rw"
        return url.set(database=f"file:{url.database}").update_query_dict({"mode": mode, "uri": "true"})
    return url


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
    if "readonly" in text or "read-only" in text or "read only" in text:
        return PersonError("the query tries to write", code="table.writes", remedy="configure a plain SELECT")
    if _is_definition(error, first, text):
        return PersonError(
            "the table, column or query does not exist as configured", code="table.definition", remedy="compare names"
        )
    return RetryError("the database cannot be reached", code="table.unavailable")


def _is_definition(error: exc.SQLAlchemyError, number: object, text: str) -> bool:
    """Whether trying again can never help: names that do not exist, columns that cannot hold what they should."""
    if isinstance(error, (exc.ProgrammingError, exc.DataError)) or number in UNDEFINED_NUMBERS:
        return True
    return any(word in text for word in WRONG_DEFINITION)
