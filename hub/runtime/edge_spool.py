"""The edge's spool: what was fetched and not yet taken by the hub, on the department's own disk.

A page and the cursor behind it are stored in one commit, and a page leaves only when the hub has it: a kill at any
instruction loses nothing, and what is sent twice carries the same number. Bodies are sealed with a key derived from
the edge's own, so a stolen disk image without ``secrets/`` tells nothing. Bounded: what would pass the limit is not
taken, and its cursor stays.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.core.errors import RetryError, StopError

__all__ = ["Batch", "Spool", "SpoolFullError"]

QUEUED, HELD = "queued", "held"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS batch (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE, stream TEXT NOT NULL, body BLOB NOT NULL,
    size INTEGER NOT NULL, rows INTEGER NOT NULL, made_at TEXT NOT NULL, state TEXT NOT NULL, code TEXT NOT NULL DEFAULT '',
    source TEXT NOT NULL, first_row INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS batch_source ON batch (source);
CREATE TABLE IF NOT EXISTS landed (source TEXT NOT NULL, batch TEXT NOT NULL, first_row INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS landed_source ON landed (source);
CREATE TABLE IF NOT EXISTS stream (name TEXT PRIMARY KEY, cursor TEXT, heard_at TEXT, last TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS answer (message_no TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS total (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


_INSERT = (
    "INSERT INTO batch (uid, stream, body, size, rows, made_at, state, source, first_row) VALUES (?,?,?,?,?,?,?,?,?)"
)


class SpoolFullError(RetryError):
    """The spool has reached its limit, or the disk is full: nothing was stored, nothing is dropped."""


class Batch(NamedTuple):
    """One page on its way: ``body`` is a JSON array of rows, ``uid`` its number at the hub (Idempotency-Key).

    ``source`` names the dropped file its rows come from (empty: none), ``first_row`` the number of its first row there.
    """

    id: int
    uid: str
    stream: str
    body: bytes
    rows: int
    source: str = ""
    first_row: int = 0


class Spool:
    """One connector's spool in one SQLite file (WAL, every commit on disk). Safe for threads."""

    def __init__(self, path: Path, secret: bytes, limit: int, *, look: bool = False) -> None:
        """``secret``: what the seal's key is made of; ``limit``: bytes of bodies at the most; ``look``: write nothing.

        One process writes; another may look beside it.
        """
        self.limit = limit
        self._seal = AESGCM(HKDF(hashes.SHA256(), 32, salt=None, info=b"family-care-hub edge spool").derive(secret))
        self._lock = threading.Lock()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._sql = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "secure_delete=ON",
            "journal_size_limit=1048576",
            "wal_autocheckpoint=256",
        ):
            self._sql.execute(f"PRAGMA {pragma}")
        if look:
            self._sql.execute("PRAGMA query_only=ON")
        else:
            self._sql.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._sql.close()

    @contextmanager
    def _commit(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._sql.execute("BEGIN IMMEDIATE")
                try:
                    yield self._sql
                except BaseException:
                    self._sql.execute("ROLLBACK")
                    raise
                self._sql.execute("COMMIT")
            except sqlite3.OperationalError as error:
                if self._sql.in_transaction:
                    self._sql.execute("ROLLBACK")
                if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                    raise SpoolFullError("the disk is full", code="edge.disk_full") from None
                raise RetryError("the spool is busy", code="edge.spool_busy") from None

    def _rows(self, text: str, params: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._sql.execute(text, params).fetchall()

    # --- in

    def cursor(self, stream: str) -> str | None:
        """Where the stream's next read starts."""
        found = self._rows("SELECT cursor FROM stream WHERE name = ?", (stream,))
        return found[0][0] if found else None

    def put(
        self, uid: str, stream: str, body: bytes, rows: int, cursor: str | None, now: datetime,
        *, source: str = "", first_row: int = 0, feed: str = "",
    ) -> None:  # fmt: skip
        """Page and cursor (of ``feed``, a part of the stream) in one commit. SpoolFullError: no room, the cursor stays."""
        sealed = self._sealed(uid, body)
        with self._commit() as sql:
            (used,) = sql.execute("SELECT COALESCE(SUM(size), 0) FROM batch").fetchone()
            if used + len(sealed) > self.limit:
                raise SpoolFullError("the spool has reached its limit", code="edge.full")
            if rows:
                sql.execute(
                    _INSERT, (uid, stream, sealed, len(sealed), rows, now.isoformat(), QUEUED, source, first_row)
                )
            sql.execute(
                "INSERT INTO stream (name, cursor) VALUES (?,?)"
                " ON CONFLICT (name) DO UPDATE SET cursor = COALESCE(excluded.cursor, cursor)",
                (feed or stream, cursor),
            )

    def heard(self, stream: str, now: datetime | None, last: str = "") -> None:
        """The source answered at ``now`` (None: it did not); ``last`` is a coded result."""
        with self._commit() as sql:
            sql.execute(
                "INSERT INTO stream (name, heard_at, last) VALUES (?,?,?) ON CONFLICT (name) DO UPDATE"
                " SET heard_at = COALESCE(excluded.heard_at, heard_at), last = excluded.last",
                (stream, now.isoformat() if now else None, last),
            )

    # --- out

    def next(self) -> Batch | None:
        """The oldest batch the hub does not have."""
        found = self._rows(
            "SELECT id, uid, stream, body, rows, source, first_row FROM batch WHERE state = ? ORDER BY id LIMIT 1",
            (QUEUED,),
        )
        if not found:
            return None
        number, uid, stream, body, *more = found[0]
        return Batch(number, uid, stream, self._opened(uid, body), *more)

    def done(self, batch: Batch, receipt: str = "") -> None:
        """The hub has it, under the number ``receipt``: it leaves the disk. Of a file's rows that number is kept."""
        with self._commit() as sql:
            sql.execute("DELETE FROM batch WHERE id = ?", (batch.id,))
            if batch.source:
                sql.execute("INSERT INTO landed VALUES (?,?,?)", (batch.source, receipt, batch.first_row))
            for name, value in (("batches", 1), ("rows", batch.rows)):
                sql.execute(
                    "INSERT INTO total VALUES (?,?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
                    (name, value),
                )

    def hold(self, batch: Batch, code: str) -> None:
        """The hub will never take it as it is: kept for a person, and others go on."""
        with self._commit() as sql:
            sql.execute("UPDATE batch SET state = ?, code = ? WHERE id = ?", (HELD, code, batch.id))

    def split(self, batch: Batch, uids: tuple[str, str], now: datetime) -> bool:
        """Too large for the hub: two halves in its place, in one commit; False: it is one row."""
        rows = orjson.loads(batch.body)
        if len(rows) < 2:
            return False
        middle = len(rows) // 2
        with self._commit() as sql:
            sql.execute("DELETE FROM batch WHERE id = ?", (batch.id,))
            for uid, part, first in zip(uids, (rows[:middle], rows[middle:]), (0, middle), strict=True):
                sealed = self._sealed(uid, orjson.dumps(part))
                sql.execute(
                    _INSERT,
                    (uid, batch.stream, sealed, len(sealed), len(part), now.isoformat(), QUEUED, batch.source,
                     batch.first_row + first),
                )  # fmt: skip
        return True

    def release(self) -> int:
        """Held batches go out once more, after a person has mended what held them; how many."""
        with self._commit() as sql:
            return sql.execute("UPDATE batch SET state = ?, code = '' WHERE state = ?", (QUEUED, HELD)).rowcount

    # --- receipts of dropped files

    def receipts_of(self, source: str) -> list[tuple[str, int]] | None:
        """Numbers at the hub of a file's batches, each with its first row; None: some of the file is still here."""
        if self._rows("SELECT 1 FROM batch WHERE source = ? LIMIT 1", (source,)):
            return None
        return [
            (no, first) for no, first in self._rows("SELECT batch, first_row FROM landed WHERE source = ?", (source,))
        ]

    def forget_receipts(self, source: str) -> None:
        """The file's receipt is written."""
        with self._commit() as sql:
            sql.execute("DELETE FROM landed WHERE source = ?", (source,))

    # --- answers of the department's own system to the hub's messages

    def keep_answer(self, message_no: str, answer: Mapping[str, Any]) -> None:
        """What a delivery gave; stored before the hub is told, so that no message is delivered again for a lost link."""
        with self._commit() as sql:
            body = self._sealed(message_no, orjson.dumps(answer))
            sql.execute("INSERT INTO answer VALUES (?,?) ON CONFLICT DO NOTHING", (message_no, body))

    def answers(self) -> dict[str, dict[str, Any]]:
        """Answers the hub has not heard, by message number."""
        found = self._rows("SELECT message_no, body FROM answer")
        return {no: orjson.loads(self._opened(no, body)) for no, body in found}

    def forget_answer(self, message_no: str) -> None:
        """The hub has it."""
        with self._commit() as sql:
            sql.execute("DELETE FROM answer WHERE message_no = ?", (message_no,))

    # --- what is told

    def state(self) -> dict[str, Any]:
        """Counts, bytes, the oldest batch, held ones by code, and each stream's last answer; no record, no person."""
        with self._lock:
            batches, size, oldest = self._sql.execute(
                "SELECT COUNT(*), COALESCE(SUM(size), 0), MIN(made_at) FROM batch"
            ).fetchone()
            held = self._sql.execute(
                "SELECT code, COUNT(*) FROM batch WHERE state = ? GROUP BY code", (HELD,)
            ).fetchall()
            streams = self._sql.execute("SELECT name, heard_at, last FROM stream ORDER BY name").fetchall()
            totals = dict(self._sql.execute("SELECT name, value FROM total").fetchall())
        return {
            "waiting": batches - sum(count for _, count in held),
            "held": dict(held),
            "bytes": size,
            "limit": self.limit,
            "oldest": oldest,
            "sent": {"batches": totals.get("batches", 0), "rows": totals.get("rows", 0)},
            "streams": _by_stream(streams),
        }

    def _sealed(self, name: str, body: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._seal.encrypt(nonce, body, name.encode())

    def _opened(self, name: str, sealed: bytes) -> bytes:
        try:
            return self._seal.decrypt(sealed[:12], sealed[12:], name.encode())
        except Exception:
            raise StopError(
                "the spool was written with another key",
                code="edge.spool_foreign",
                remedy="put the former key back, or move spool.db away after its batches were sent",
            ) from None


def _by_stream(feeds: Iterable[tuple[str, str | None, str]]) -> dict[str, dict[str, str | None]]:
    """Stream → its last answer; of one that is read in parts the part's that was heard longest ago."""
    found: dict[str, dict[str, str | None]] = {}
    for name, heard, last in feeds:
        told = {"heard_at": heard, "last": last}
        before = found.setdefault(name.partition("#")[0], told)
        if before["heard_at"] is not None and (heard is None or heard < before["heard_at"]):
            found[name.partition("#")[0]] = told
    return found
