"""What nobody sends: silences of streams, receipts of dropped files, and the receipts due beside files that came in."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from hub.core.errors import HubError, RetryError
from hub.core.records import StreamKey
from hub.line.land import land
from hub.line.ports import Vault
from hub.runtime.station import station_page
from hub.runtime.supervisor import DEATHS
from hub.runtime.unit_worker import FILE_KEY, UnitWorker, promise_of
from hub.runtime.volumes import Volumes
from hub.runtime.workers import News, Workers
from hub.sdk.files import ReceiptFolder, Waiting, waiting_receipts
from hub.settings import StreamConfig
from hub.store.claims import heard_of
from hub.store.engine import SqlStore
from hub.store.issues import close_issues, open_issue
from hub.store.pages import COUNTS, receipt
from hub.store.times import from_us, to_us

__all__ = ["Watch"]

SILENT = "stream.silent"
REFUSED = "connector.refused"
HELD = "connector.held"
AGAIN = 5.0
"""Seconds until a receipt that could not be written is tried again, and another machine is asked again."""
LATER = 60.0
"""The same where that machine did not answer."""


class _Heard(NamedTuple):
    key: StreamKey
    freshness: timedelta | None  # None: it may be silent, and promises only how much it sends


class Watch:
    """A side task. Everything it finds lands as a page of ``station``; it decides nothing."""

    def __init__(
        self, store: SqlStore, vault: Vault, workers: Workers, *, clock: Callable[[], datetime], tick: timedelta
    ) -> None:
        self._store = store
        self._vault = vault
        self._workers = workers
        self._clock = clock
        self._tick = tick
        self._started = clock()
        self._held: dict[str, float] = {}  # receipts and machines: not to be tried before
        self._news: list[News] = []
        self._said: set[str] = set()  # silences whose issue stands open
        self._volumes = Volumes(store, workers, clock)
        self._lives = 0
        self._told: set[str] = set()  # silence pages this process has landed; the archive knows the others by their key

    def run(self, stop: Event) -> None:
        """Look, again and again, until ``stop``."""
        while not stop.wait(self._tick.total_seconds()):
            for look in (self.lives, self.thin, self.silences, self.incoming_receipts, self.file_receipts):
                try:
                    look()
                except RetryError:
                    continue  # the archive is busy or full: at the next look

    # --- processes of connectors

    def lives(self) -> int:
        """Open an issue for each connector that is refused or held, close those of one that works again; how many changed."""
        while self._news or not self._workers.news.empty():
            if not self._news:
                self._news.append(self._workers.news.get())
            self._tell(self._news[0])  # raises when the archive is busy: told at the next look
            self._news.pop()
            self._lives += 1
        return self._lives

    def _tell(self, news: News) -> None:
        now = self._clock()
        if news.happening == "refused":
            remedy = f"{news.reason}; install a package that loads, then `hub connectors enable {news.name}`"
            open_issue(self._store, REFUSED, news.name, now, remedy)
        elif news.happening == "held":
            remedy = (
                f"{news.name} ended {DEATHS} times ({news.reason}) and is not started for now; its records stay at their "
                f"source; tell its maker, and after an update run `hub connectors enable {news.name}`"
            )
            open_issue(self._store, HELD, news.name, now, remedy)
        elif news.happening in ("loaded", "ended"):
            close_issues(self._store, news.name, now, code=REFUSED)
        if news.happening in ("answered", "ended"):
            close_issues(self._store, news.name, now, code=HELD)

    # --- silences

    def _watched(self) -> list[_Heard]:
        """Scheduled streams with a promise, by configuration or manifest; others only where configured (S12).

        And those whose silence is open although nothing is promised for them any more: it ends when they are heard.
        """
        with self._store.read() as sql:
            silent = {StreamKey(*key) for key in sql.rows("SELECT unit, stream FROM silence WHERE until IS NULL")}
        found = []
        for worker in self._workers.connectors():
            for name, config in worker.config.streams.items():
                freshness = promise_of(config, worker.manifest.streams.get(name))
                key = StreamKey(worker.unit, name)
                if freshness or config.expect_rows is not None or key in silent:
                    found.append(_Heard(key, freshness or None))
        return found

    def silences(self) -> int:
        """Open a silence for each stream overdue now, end those that were heard; how many changed."""
        now = self._clock()
        return sum(self._look(stream, now) for stream in self._watched())

    def _look(self, stream: _Heard, now: datetime) -> int:
        few = self._volumes.few.get(stream.key)
        with self._store.read() as sql:
            heard, in_parts = heard_of(sql, stream.key)
            open_at = sql.one(
                "SELECT since FROM silence WHERE unit = ? AND stream = ? AND until IS NULL ORDER BY since DESC",
                stream.key,
            )
            if not in_parts and (open_at is not None or self._overdue(stream, heard, now) is not None):
                heard = _later(heard, self._landed_at(sql, stream.key))
        overdue = self._overdue(stream, heard, now)
        if open_at is None:
            if overdue is not None:
                return self._silent(stream.key, overdue, now)
            return int(few is not None and self._land_silence(stream.key, few, None, now))
        since = from_us(open_at[0])
        if overdue is not None:
            self._say_silent(stream.key, now)
        if few is not None or heard is None or heard <= since:
            return 0
        if not self._land_silence(stream.key, since, heard, now):
            return 0
        close_issues(self._store, _subject(stream.key), now, code=SILENT)
        self._said.discard(_subject(stream.key))
        return 1

    def thin(self) -> int:
        """Open and close issues about how much streams and communities send; how many changed."""
        return self._volumes.look()

    def _overdue(self, stream: _Heard, heard: datetime | None, now: datetime) -> datetime | None:
        """Since when a stream is silent beyond its promise; None: it is not."""
        if stream.freshness is None:
            return None
        since = (heard or self._started) + stream.freshness
        return since if since <= now else None

    def _landed_at(self, sql: Any, key: StreamKey) -> datetime | None:
        """When the stream's newest page came by any door."""
        found = sql.one("SELECT received_at FROM page WHERE unit = ? AND stream = ? ORDER BY id DESC LIMIT 1", key)
        return from_us(found[0]) if found else None

    def _silent(self, key: StreamKey, since: datetime, now: datetime) -> int:
        if not self._land_silence(key, since, None, now):
            return 0  # landed before, not applied yet
        self._say_silent(key, now)
        return 1

    def _say_silent(self, key: StreamKey, now: datetime) -> None:
        """The issue of an open silence, once in the life of this process: a kill may have come before it was opened."""
        subject = _subject(key)
        if subject not in self._said:
            remedy = "ask the unit whether its system runs; look at this stream's last result"
            open_issue(self._store, SILENT, subject, now, remedy)
            self._said.add(subject)

    def _land_silence(self, key: StreamKey, since: datetime, until: datetime | None, now: datetime) -> bool:
        """Land one silence, or its end; False: this process has done so."""
        no = f"{key.unit}.{key.stream}/{to_us(since)}"
        once = f"silence:{no}{':end' if until is not None else ''}"
        if once in self._told:
            return False
        row = {
            "no": no,
            "unit": key.unit,
            "stream": key.stream,
            "from": since.isoformat(),
            **({"until": until.isoformat()} if until is not None else {}),
        }
        land(self._store, self._vault, station_page("silence", [row], now)._replace(idempotency_key=once))
        self._told.add(once)
        return True

    # --- receipts of what we dropped

    def incoming_receipts(self) -> int:
        """Land each receipt file of every configured receipts folder; how many files."""
        folders = {Path(way.receipts) for _, way in self._workers.destinations() if way.receipts}
        count = 0
        for folder in sorted(folders):
            receipts = ReceiptFolder(folder)
            for path, rows in receipts.waiting():
                now = self._clock()
                landed = [self._receipt_row(row, now) for row in rows]
                land(self._store, self._vault, station_page("receipt", landed, now))
                receipts.put_away(path)
                count += 1
        return count

    def _receipt_row(self, row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        number = str(row["message_no"])
        receipt_no = str(row.get("receipt_no") or "")
        return {
            "no": f"{number}/{receipt_no}" if receipt_no else number,  # the same receipt twice is one record
            "message_no": number,
            "receipt_no": receipt_no or None,
            "at": str(row.get("at") or now.isoformat()),
        }

    # --- receipts beside files that came in

    def file_receipts(self) -> int:
        """Write the receipts of moved files whose pages are all applied; how many."""
        return sum(
            self._write(worker, name, due)
            for worker in self._workers.connectors()
            for name, config in worker.config.streams.items()
            if config.transport == "files"
            for due in self._waiting(worker, name, config)
        )

    def _waiting(self, worker: UnitWorker, name: str, config: StreamConfig) -> list[Waiting]:
        """Files of one stream without their receipts; on another machine that is asked less often."""
        folder = str(config.options["folder"])
        if "://" not in folder:
            places = (Path(config.options.get(where) or f"{folder}/{where}") for where in ("done", "failed"))
            return [due for place in places for due in waiting_receipts(place)]
        subject = f"{worker.unit}.{name}"
        if time.monotonic() < self._held.get(subject, 0.0):
            return []
        self._held[subject] = time.monotonic() + AGAIN
        try:
            return worker.waiting(name)
        except HubError:  # the poll of this stream says what is wrong
            self._held[subject] = time.monotonic() + LATER
            return []

    def _write(self, worker: UnitWorker, stream: str, due: Waiting) -> bool:
        told = self._receipt(worker.unit, due) if time.monotonic() >= self._held.get(due.path, 0.0) else None
        if told is None:
            return False
        try:
            worker.answer(stream, due.path, told)
        except HubError:  # its process or its folder is in trouble
            self._held[due.path] = time.monotonic() + AGAIN
            return False
        self._held.pop(due.path, None)
        return True

    def _receipt(self, unit: str, due: Waiting) -> dict[str, Any] | None:
        """One receipt over all pages of a file; None: something of it is still pending."""
        begin = f"{FILE_KEY}{due.drop}:"
        with self._store.read() as sql:
            uids = sql.rows(
                "SELECT uid FROM page WHERE unit = ? AND idempotency_key >= ? AND idempotency_key < ? ORDER BY id",
                (unit, begin, begin[:-1] + ";"),
            )
            parts = [part for (uid,) in uids if (part := receipt(sql, uid)) is not None]
        names = ("received", *COUNTS, "pending")
        total = {name: sum(part[name] for part in parts) for name in names}
        if total["pending"] or total["received"] < due.rows:
            return None
        return {**total, "batches": [part["batch"] for part in parts], "rows": [r for p in parts for r in p["rows"]]}


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((at for at in (one, other) if at is not None), default=None)


def _subject(key: StreamKey) -> str:
    return f"{key.unit}.{key.stream}"
