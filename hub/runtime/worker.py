"""A connector seen from the hub: fetch, map, render, send, in a thread of ours (the child process comes by the same port).

Everything that judges or needs a key is the hub's; a worker has the credentials of its own source and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from threading import Event, Lock
from typing import Any

import orjson

from hub.core.errors import ConfigurationError, CredentialsError, HubError
from hub.core.freight import Answer, Drafts, Page, Parcel
from hub.core.records import Draft, Owed, Problem, StreamKey
from hub.runtime.boundary import Boundary
from hub.runtime.transports import Clock, Source, Way, make_sender, make_source
from hub.sdk.connector import Connector
from hub.sdk.manifest import strip
from hub.sdk.strictjson import dumps
from hub.sdk.tabular import ROW_PROBLEM
from hub.settings import ConnectorConfig, DeliverConfig, Limits, StreamConfig

__all__ = ["ThreadWorker", "page_of_rows"]

FILE_KEY = "file:"
"""Idempotency keys of file pages begin so: ``file:<drop>:<row>``; landing the same rows twice is one page."""


def page_of_rows(
    connector: Connector,
    stream: str,
    rows: Sequence[Any],
    *,
    uid: str,
    received_at: datetime,
    mode: str = "live",
    door: str = "poll",
    first_row: int = 0,
    renames: Mapping[str, str] | None = None,
    **more: Any,
) -> Page:
    """Rows as they came → a page to land, `never_store` columns dropped; ``more`` are further fields of ``Page``."""
    kept, _ = strip(connector.manifest.streams[stream], rows, renames)
    return Page(
        uid=uid,
        stream=StreamKey(connector.unit, stream),
        mode=mode,
        door=door,
        body=dumps(kept),
        rows=len(kept),
        first_row=first_row,
        received_at=received_at,
        **more,
    )


class ThreadWorker:
    """``ports.Worker`` for one connector. Sources and senders are made when first needed and kept.

    After a refused credential they are made anew, so that a renewed secret is read without a restart.
    """

    def __init__(
        self,
        connector: Connector,
        config: ConnectorConfig,
        limits: Limits,
        *,
        clock: Clock,
        new_uid: Callable[[], str],
        stop: Event | None = None,
    ) -> None:
        self.unit = connector.unit
        self.connector = connector
        self.config = config
        self._limits = limits
        self._clock = clock
        self._new_uid = new_uid
        self._stop = stop or Event()
        self._lock = Lock()
        self._sources: dict[str, Source] = {}
        self._boundaries: dict[str, Boundary] = {}
        self._senders: dict[tuple[str, str], Way] = {}

    # --- in

    def fetch(self, stream: str, cursor: str | None) -> Iterator[tuple[Page, Drafts]]:
        """Pages of one read with their drafts, each page's cursor saying we have it. Raises classed errors."""
        config = self.stream_config(stream)
        seen = self._boundaries.setdefault(stream, Boundary())
        for rows, reached in self._read(stream, cursor):
            if self._stop.is_set():
                return
            fresh, marks = (rows, ()) if config.transport == "files" else seen.fresh(rows)
            if rows and not fresh:
                continue  # the overlap alone: nothing new to land
            page = self._page(stream, config, fresh, reached)
            yield page, self.map(page)
            seen.landed(marks)

    def probe(self, stream: str) -> int:
        """Reach the source and write nothing; how many rows (or files) it showed at the first look."""
        return self._source(stream).probe()

    def map(self, page: Page) -> Drafts:
        """Exactly one draft or problem per row; rows that could not be read as declared are problems by their code."""
        rows = orjson.loads(page.body)
        stream = page.stream.stream
        config = self.config.streams.get(stream)
        drafts = self.connector.map_rows(stream, rows, page.first_row, config.fields if config is not None else {})
        return [_unreadable(row, draft) for row, draft in zip(rows, drafts, strict=True)]

    def stream_config(self, stream: str) -> StreamConfig:
        """How a stream is configured. Raises ``ConfigurationError`` when it is not."""
        if stream not in self.config.streams:
            raise ConfigurationError(
                f"stream {self.config.name}.{stream} is not configured", code="stream.unknown", remedy="add its table"
            )
        return self.config.streams[stream]

    def _read(self, stream: str, cursor: str | None) -> Iterable[tuple[list[dict[str, Any]], str | None]]:
        if self.connector.fetch is not None:
            yield from self.connector.fetch(stream, cursor)
            return
        try:
            yield from self._source(stream).pages(cursor)
        except CredentialsError:
            self._forget()
            raise

    def _page(self, stream: str, config: StreamConfig, rows: list[dict[str, Any]], reached: str | None) -> Page:
        page = page_of_rows(
            self.connector,
            stream,
            rows,
            uid=self._new_uid(),
            received_at=self._clock(),
            renames=config.fields,
            cursor=reached,
        )
        if config.transport != "files" or reached is None:
            return page
        drop, _, last = reached.partition(":")
        return page._replace(
            door="file",
            first_row=int(last) - len(rows) + 1,
            source=drop,
            idempotency_key=f"{FILE_KEY}{reached}",
            digest=hashlib.sha256(page.body).hexdigest(),
        )

    def _source(self, stream: str) -> Source:
        with self._lock:
            if stream not in self._sources:
                self._sources[stream] = make_source(self.stream_config(stream), self._limits, self._stop)
            return self._sources[stream]

    # --- out

    def render(self, owed: Owed, body: Mapping[str, Any]) -> bytes:
        """The bytes of a message as this unit reads it; called once, what it gives is stored."""
        return self.connector.render(owed, body)

    def send(self, parcel: Parcel) -> Answer:
        """One attempt. Never raises for a peer's behaviour: every outcome is an answer."""
        if self.connector.send is not None:
            answer: Answer = self.connector.send(parcel)
            return answer
        config = self.destination(parcel.kind, parcel.channel)
        if config is None:
            return Answer("later", detail="no_destination")
        try:
            outcome = self._sender(config, parcel.channel).send(parcel.no, parcel.kind, parcel.body)
        except HubError as error:  # a secret that cannot be read, a URL that is none
            return Answer("later", detail=error.code)
        if outcome.detail.startswith("credentials"):
            self._forget()
        return Answer(*outcome)

    def destination(self, kind: str, channel: str = "first") -> DeliverConfig | None:
        """Where one kind of message goes by this channel; None: nowhere."""
        config = self.config.deliver.get(kind)
        return config if config is None or channel == "first" else config.second

    def _sender(self, config: DeliverConfig, channel: str) -> Way:
        with self._lock:
            key = (config.kind, channel)
            if key not in self._senders:
                self._senders[key] = make_sender(config, self._limits, self._clock)
            return self._senders[key]

    # --- life

    def _forget(self) -> None:
        """Make sources and senders anew at the next use; a folder's memory of its last look may be lost."""
        with self._lock:
            old: list[Source | Way] = [*self._sources.values(), *self._senders.values()]
            self._sources.clear()
            self._senders.clear()
        for transport in old:
            transport.close()

    def close(self) -> None:
        """Give connections back."""
        self._forget()


def _unreadable(row: Any, draft: Draft | Problem) -> Draft | Problem:
    code = row.get(ROW_PROBLEM) if isinstance(row, dict) else None
    if code is None:
        return draft
    remedy = "send this row again with one cell for each header"
    original = orjson.dumps({name: value for name, value in row.items() if name != ROW_PROBLEM})
    return Problem(draft.row, None, str(code), "", remedy, original)
