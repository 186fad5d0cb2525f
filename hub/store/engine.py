"""Open the archive: one serialised writer, readers that cannot write, the same code on SQLite and PostgreSQL.

SQLite 3.7.0–3.51.2 can corrupt a WAL database when two connections write or checkpoint at once. So one connection
writes and checkpoints, behind one lock; all others are query-only and never checkpoint. Two processes are kept apart
by ``BEGIN IMMEDIATE`` with a busy timeout.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError

from hub.core.errors import HubError, RetryError, StopError
from hub.store.sql import Sql
from hub.store.together import Gave, Together, Turns
from hub.store.tx import Tx

BUSY_MS = 30_000
PATIENCE = 0.1
"""Seconds a long commit lets short ones go before it."""
WAL_LIMIT = 64 * 1024 * 1024
"""Bytes of log before the writer checkpoints although it is busy (the default limit took 36 % of a long load)."""
WAL_QUIET = 1024 * 1024
"""Bytes of log worth a checkpoint when there is nothing else to do."""

_SQLITE_ERRORS: dict[int, tuple[type[HubError], str]] = {
    5: (RetryError, "store.busy"),
    6: (RetryError, "store.busy"),
    8: (RetryError, "store.unavailable"),
    10: (RetryError, "store.unavailable"),
    11: (StopError, "store.corrupt"),
    13: (RetryError, "store.full"),
    14: (RetryError, "store.unavailable"),
    26: (StopError, "store.corrupt"),
}
_POSTGRES_ERRORS: dict[str, tuple[type[HubError], str]] = {
    "53100": (RetryError, "store.full"),
    "40001": (RetryError, "store.busy"),
    "40P01": (RetryError, "store.busy"),
    "55P03": (RetryError, "store.busy"),
    "XX001": (StopError, "store.corrupt"),
    "XX002": (StopError, "store.corrupt"),
}
_REMEDIES = {
    "store.full": "free space on the database's disk",
    "store.busy": "try again",
    "store.unavailable": "check that the database can be reached and written",
    "store.corrupt": "stop, and restore the last backup",
    "store.refused": "report this as a defect",
}


def store_error(error: DBAPIError) -> HubError:
    """The hub's own error for a driver's; the driver's text is dropped, because it may quote values."""
    orig: Any = error.orig
    number = getattr(orig, "sqlite_errorcode", None)
    state = getattr(orig, "sqlstate", None)
    kind: tuple[type[HubError], str] = (HubError, "store.refused")
    if number is not None:
        kind = _SQLITE_ERRORS.get(number & 0xFF, kind)
    elif state is not None:
        lost = state[:2] in ("08", "57")
        kind = _POSTGRES_ERRORS.get(state, (RetryError, "store.unavailable") if lost else kind)
    elif error.connection_invalidated or type(orig).__name__ in ("OperationalError", "InterfaceError"):
        kind = (RetryError, "store.unavailable")
    cls, code = kind
    return cls(f"the database refused: {type(orig).__name__}", code=code, remedy=_REMEDIES[code])


class SqlStore:
    """The archive. ``write`` opens the one transaction of a use case, ``read`` a consistent snapshot."""

    def __init__(self, writer: Engine, readers: Engine, path: Path | None) -> None:
        self.writer = writer
        self.readers = readers
        self.path = path  # of the SQLite file; None on PostgreSQL
        self.postgres = path is None
        self._turns = None if self.postgres else Turns()
        self.landing: list[Any] = []  # pages that wait for the commit somebody else is making (line/land.py)
        self.landing_lock = threading.Lock()
        self.together = Together(self._at_once)

    @contextmanager
    def write(self, *, patient: bool = False) -> Iterator[Tx]:
        """One durable commit, or nothing. ``patient``: a long one, before which the short ones that wait go.

        Raises RetryError (store.full, store.busy, store.unavailable).
        """
        with self._transaction(patient=patient) as connection:
            yield Tx(connection)

    @contextmanager
    def claim(self) -> Iterator[Sql]:
        """A transaction for one conditional UPDATE (claims, heartbeats); never for what a use case stores."""
        with self._transaction() as connection:
            yield Sql(connection)

    def write_together(self, act: Callable[[Tx], Gave]) -> Gave:
        """Like ``write``, in one commit with others that come at the same moment; ``act`` may be run again."""
        return self.together.join(act)

    def claim_together(self, act: Callable[[Sql], Gave], *, durable: bool = False) -> Gave:
        """Like ``claim``, in one commit with others that come at the same moment; ``act`` may be run again.

        No disk is waited for: after a power cut what was claimed is due again, and nobody who held it lives. ``durable``:
        it is waited for all the same.
        """
        return self.together.join(act, durable=durable)

    def _at_once(self, acts: Sequence[Callable[[Tx], Any]], durable: bool) -> list[Any]:
        with self._transaction(durable=durable) as connection:
            tx = Tx(connection)
            return [act(tx) for act in acts]

    @contextmanager
    def read(self) -> Iterator[Sql]:
        """A consistent snapshot; it cannot write."""
        try:
            with self.readers.connect() as connection, connection.begin():
                yield Sql(connection)
        except DBAPIError as error:
            raise store_error(error) from None

    @contextmanager
    def _transaction(self, *, durable: bool = True, patient: bool = False) -> Iterator[Connection]:
        with self._turn(patient):
            try:
                with self.writer.connect() as connection, self._unsynced(connection, durable), connection.begin():
                    yield connection
            except DBAPIError as error:
                raise store_error(error) from None
            self._checkpoint(WAL_LIMIT)

    @contextmanager
    def _unsynced(self, connection: Connection, durable: bool) -> Iterator[None]:
        """Around a transaction that need not outlive a power cut: it waits for no disk."""
        if durable or self.postgres:
            yield
            return
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA synchronous=NORMAL")
        try:
            yield
        finally:
            driver.execute("PRAGMA synchronous=FULL")

    def quiet(self) -> None:
        """Called when there is nothing to do: the writer moves its log into the database."""
        with self._turn(patient=True):
            self._checkpoint(WAL_QUIET)

    def _turn(self, patient: bool) -> AbstractContextManager[None]:
        return nullcontext() if self._turns is None else self._turns.hold(PATIENCE if patient else 0.0)

    def _checkpoint(self, limit: int) -> None:
        if self.path is None:
            return
        log = self.path.with_name(self.path.name + "-wal")
        try:
            if log.stat().st_size < limit:
                return
        except OSError:
            return
        raw = self.writer.raw_connection()
        try:
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            raw.close()

    def dispose(self) -> None:
        """Close every connection; the writer last, so that it does the final checkpoint."""
        self.readers.dispose()
        self.writer.dispose()


def open_store(url: str | URL) -> SqlStore:
    """Open the database at a SQLAlchemy URL (``sqlite:///path`` or ``postgresql://…``); the schema is not touched.

    ``hub.store.schema.upgrade`` brings the schema up to date.
    """
    target = make_url(url) if isinstance(url, str) else url
    if target.get_backend_name() == "sqlite":
        return _open_sqlite(target)
    return _open_postgres(target.set(drivername="postgresql+psycopg"))


def _open_sqlite(url: URL) -> SqlStore:
    path = Path(str(url.database)).absolute()
    url = url.set(drivername="sqlite+pysqlite", database=str(path))
    options: dict[str, Any] = {"hide_parameters": True, "connect_args": {"check_same_thread": False, "timeout": 30}}
    writer = create_engine(url, pool_size=1, max_overflow=0, **options)
    readers = create_engine(url, pool_size=8, max_overflow=24, **options)
    _prepare(writer, "BEGIN IMMEDIATE", ("journal_mode=WAL", "synchronous=FULL", "cache_size=-32768"))
    _prepare(readers, "BEGIN", ("query_only=ON", "cache_size=-8192"))
    return SqlStore(writer, readers, path)


def _prepare(engine: Engine, begin: str, pragmas: tuple[str, ...]) -> None:
    """Every connection: our own BEGIN, our own checkpoints, a busy timeout."""

    @event.listens_for(engine, "connect")
    def connected(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (f"busy_timeout={BUSY_MS}", *pragmas, "wal_autocheckpoint=0", "temp_store=MEMORY"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def _open_postgres(url: URL) -> SqlStore:
    options: dict[str, Any] = {"hide_parameters": True, "pool_pre_ping": True}
    writer = create_engine(url, pool_size=8, max_overflow=24, **options)
    readers = create_engine(
        url,
        pool_size=8,
        max_overflow=24,
        isolation_level="REPEATABLE READ",
        execution_options={"postgresql_readonly": True},
        **options,
    )
    return SqlStore(writer, readers, None)
