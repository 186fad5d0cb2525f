"""A connector seen from the line: ``ports.Worker`` over the hands that do its work, mostly a child process.

Page numbers, unit, time of arrival and the dropping of ``never_store`` columns are the hub's: foreign code cannot skip them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice
from threading import Event
from typing import Any

import orjson

from hub.config.secret_files import SecretError, read_secret
from hub.core.errors import ConfigurationError
from hub.core.freight import Answer, Drafts, Page, Parcel, feed_of, stream_of
from hub.core.records import Owed, StreamKey
from hub.runtime.specs import STEADY, FileSpec, Pace, SourceSpec, is_scheduled, source_spec, way_spec
from hub.runtime.verbs import Batch, Counted, Hands
from hub.sdk.files import Waiting
from hub.sdk.manifest import Manifest, ManifestStream, strip
from hub.sdk.strictjson import dumps
from hub.security.handover import seal_again
from hub.settings import ConnectorConfig, DeliverConfig, Limits, StreamConfig

__all__ = ["FILE_KEY", "UnitWorker", "page_of_rows", "promise_of"]

FILE_KEY = "file:"
"""Idempotency keys of file pages begin so: ``file:<drop>:<row>``; landing the same rows twice is one page."""


WEEK = timedelta(days=6)
"""From the first to the last of the days that are counted at once."""
MOST_LOOKED = 20_000
"""Pages of a source that are looked through for one day's missing records."""


def page_of_rows(
    manifest: Manifest,
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
    kept, _ = strip(manifest.streams[stream], rows, renames)
    return Page(
        uid=uid,
        stream=StreamKey(manifest.unit, stream),
        mode=mode,
        door=door,
        body=dumps(kept),
        rows=len(kept),
        first_row=first_row,
        received_at=received_at,
        **more,
    )


def promise_of(config: StreamConfig | None, declared: ManifestStream | None) -> timedelta | None:
    """How long a stream may be silent: as configured; a stream read by the clock, as its manifest says; else None (S12)."""
    if config is None or config.freshness is not None:
        return config.freshness if config is not None else None
    return declared.freshness if declared is not None and is_scheduled(config) else None


class UnitWorker:
    """``ports.Worker`` for one connector."""

    def __init__(
        self,
        manifest: Manifest,
        config: ConnectorConfig,
        limits: Limits,
        hands: Hands,
        *,
        clock: Callable[[], datetime],
        new_uid: Callable[[], str],
        pace: Pace = STEADY,
    ) -> None:
        self.unit = manifest.unit
        self.manifest = manifest
        self.config = config
        self.hands = hands
        self._limits = limits
        self._pace = pace
        self._clock = clock
        self._new_uid = new_uid
        self._stop = Event()

    # --- in

    def feeds(self, stream: str) -> list[StreamKey]:
        """What of a stream is read by itself: its parts, as configured or else as its manifest says, or the stream."""
        key = StreamKey(self.unit, stream)
        return [feed_of(key, part) for part in self.parts(stream)] or [key]

    def parts(self, stream: str) -> tuple[str, ...]:
        """The names of a stream's parts; none: it is read as one."""
        declared = self.manifest.streams.get(stream)
        return self.stream_config(stream).partitions or (declared.partitions if declared is not None else ())

    def fetch(self, feed: str, cursor: str | None) -> Iterator[tuple[Page, Drafts]]:
        """Pages of one read with their drafts, each page's cursor saying we have it. Raises classed errors."""
        (_, stream), part = stream_of(StreamKey(self.unit, feed))
        config = self.stream_config(stream)
        for batch in self.hands.read(self._spec(stream, part), cursor, self._stop):
            yield self._page(stream, config, batch)

    def look(self, stream: str) -> Iterator[Drafts]:
        """Drafts from the beginning of a source, page by page; nothing lands, no cursor and no file moves."""
        for spec in self._specs(stream):
            for batch in self.hands.read(replace(spec, options={**spec.options, "look": True}), None, self._stop):
                yield self._arrived(stream, batch, spec.fields)[1]

    def ingest(
        self, stream: str, spec: FileSpec, *, mode: str, source: str, found: dict[str, Any] | None = None
    ) -> Iterator[tuple[Page, Drafts]]:
        """Pages of a file that somebody names, ready to land by the door *ingest*. Raises classed errors.

        ``found`` is kept up to date with what the reader understood: ``marks`` and ``notes``.
        """
        for batch in self.hands.read_file(stream, spec):
            if found is not None:
                found.update(batch.told)
            page, drafts = self._arrived(stream, batch, spec.fields)
            yield page._replace(mode=mode, door="ingest", source=source), drafts

    def counts(self, stream: str, cursor: str | None, first: date, last: date) -> Counted:
        """What the source says of each of these days, its parts taken together. Raises classed errors."""
        told = [self._counted(spec, cursor, first, last) for spec in self._specs(stream)]
        counts = [one.counts for one in told if one.counts is not None]
        names_keys = all(one.names_keys for one in told)
        if len(counts) < len(told):
            return Counted(None, names_keys)
        return Counted(
            {day: sum(one[day] for one in counts) for day in counts[0] if all(day in c for c in counts)}, names_keys
        )

    def _counted(self, spec: SourceSpec, cursor: str | None, first: date, last: date) -> Counted:
        """A week at a time: a question that is answered slowly does not end the process."""
        counts: dict[date, int] | None = {}
        names_keys = True
        while first <= last:
            told = self.hands.counts(spec, cursor, first, min(last, first + WEEK))
            counts = None if told.counts is None or counts is None else {**counts, **told.counts}
            names_keys = names_keys and told.names_keys
            first += WEEK + timedelta(days=1)
        return Counted(counts, names_keys)

    def keys(self, stream: str, cursor: str | None, day: date) -> Iterator[list[str]]:
        """The unit's own numbers of one day's records, page by page. Raises classed errors."""
        for spec in self._specs(stream):
            yield from self.hands.keys(spec, cursor, day)

    def again(self, stream: str, cursor: str | None, day: date, keys: Sequence[str]) -> Iterator[tuple[Page, Drafts]]:
        """That day's records once more, of ``keys`` only if any are named; no page moves the cursor."""
        config = self.stream_config(stream)
        for spec in self._specs(stream):
            for batch in islice(self.hands.again(spec, cursor, day, keys), MOST_LOOKED):
                if not batch.rows:
                    continue
                page, drafts = self._arrived(stream, batch, config.fields)
                yield page._replace(first_row=0, source=f"reconcile:{day.isoformat()}"), drafts

    def _spec(self, stream: str, part: str = "") -> SourceSpec:
        return source_spec(self.stream_config(stream), self._limits, self.config.config, self._pace, part)

    def _specs(self, stream: str) -> list[SourceSpec]:
        """Of a stream, or of each of its parts."""
        return [self._spec(stream, part) for part in self.parts(stream) or ("",)]

    def waiting(self, stream: str) -> list[Waiting]:
        """Files of a stream that have been read and have no receipt yet. Raises classed errors."""
        return self.hands.waiting(self._spec(stream))

    def answer(self, stream: str, path: str, receipt: Mapping[str, Any]) -> None:
        """Have the receipts of a file that came in written beside it. Raises classed errors."""
        self.hands.answer(self._spec(stream), path, receipt)

    def probe(self, stream: str) -> int:
        """Reach the source and write nothing; how many rows (or files) it showed at the first look."""
        return sum(self.hands.probe(spec) for spec in self._specs(stream))

    def map(self, page: Page) -> Drafts:
        """Exactly one draft or problem per row; rows that could not be read as declared are problems by their code."""
        config = self.config.streams.get(page.stream.stream)
        fields = config.fields if config is not None else {}
        return self.hands.map(page.stream, page.body, page.rows, page.first_row, fields)

    def stream_config(self, stream: str) -> StreamConfig:
        """How a stream is configured. Raises ``ConfigurationError`` when it is not."""
        if stream not in self.config.streams:
            raise ConfigurationError(
                f"stream {self.config.name}.{stream} is not configured", code="stream.unknown", remedy="add its table"
            )
        return self.config.streams[stream]

    def _page(self, stream: str, config: StreamConfig, batch: Batch) -> tuple[Page, Drafts]:
        page, drafts = self._arrived(stream, batch, config.fields)
        if config.transport != "files" or batch.cursor is None:
            return page._replace(first_row=0), drafts
        return page._replace(
            door="file",
            source=batch.cursor.partition(":")[0],
            idempotency_key=f"{FILE_KEY}{batch.cursor}",
            digest=hashlib.sha256(page.body).hexdigest(),
        ), drafts

    def _arrived(self, stream: str, batch: Batch, fields: Mapping[str, str]) -> tuple[Page, Drafts]:
        """The page of a batch. Whoever left a column in that may never be stored has its drafts made again without it."""
        body, drafts = batch.body, batch.drafts
        declared = self.manifest.streams[stream]
        if declared.never_store:
            kept, dropped = strip(declared, orjson.loads(body), fields)
            if dropped:
                body = dumps(kept)
                drafts = self.hands.map(StreamKey(self.unit, stream), body, batch.rows, batch.first_row, fields)
        return Page(
            uid=self._new_uid(),
            stream=StreamKey(self.unit, stream),
            mode="live",
            door="poll",
            body=body,
            rows=batch.rows,
            first_row=batch.first_row,
            received_at=self._clock(),
            cursor=batch.cursor,
        ), drafts

    # --- out

    def render(self, owed: Owed | None, body: Mapping[str, Any]) -> bytes:
        """The bytes of a message as this unit reads it; called once, what it gives is stored."""
        return self.hands.render(owed, body)

    def send(self, parcel: Parcel) -> Answer:
        """One attempt. Never raises for a peer's behaviour: every outcome is an answer."""
        config = self.destination(parcel.kind, parcel.channel)
        if config is not None and config.pull:
            return Answer("later", detail="pull.waits")  # the unit fetches it
        try:
            spec = None if config is None else way_spec(config, self._limits, self.config.config, self._pace)
            if config is not None and config.passphrase is not None:
                parcel = parcel._replace(body=seal_again(parcel.body, read_secret(config.passphrase)))
        except (SecretError, ConfigurationError) as error:
            return Answer("later", detail=error.code)
        return self.hands.send(parcel, spec)

    def destination(self, kind: str, channel: str = "first") -> DeliverConfig | None:
        """Where one kind of message goes by this channel; None: nowhere."""
        config = self.config.deliver.get(kind)
        return config if config is None or channel == "first" else config.second

    # --- life

    def drain(self) -> None:
        """Reads in progress end at their next page."""
        self._stop.set()

    def close(self, seconds: float = 0.0) -> None:
        """Give everything back; what is being done has ``seconds`` to end."""
        self._stop.set()
        self.hands.close(seconds)
