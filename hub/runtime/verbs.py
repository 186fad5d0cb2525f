"""The four verbs of one connector where its code runs: read (with map), map, render and send.

In the hub this stands behind a pipe, in a process of the connector's own (``worker.py`` there, ``supervisor.py`` here); it
knows no page number, no archive, no key and no other unit. Tests of the line use it without the pipe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from threading import Event, Lock
from time import monotonic
from typing import Any, NamedTuple, Protocol, TypeVar

import orjson

from hub.core.errors import ConfigurationError, CredentialsError, HubError
from hub.core.freight import Answer, Drafts, Parcel
from hub.core.records import Draft, Owed, Problem, StreamKey
from hub.runtime.boundary import Boundary
from hub.runtime.specs import FileSpec, SourceSpec, WaySpec
from hub.runtime.transports import Clock, Source, Way, make_folder, make_sender, make_source, statements_of
from hub.sdk.connector import Connector, Context
from hub.sdk.endpoint import Endpoints
from hub.sdk.files import Waiting
from hub.sdk.manifest import strip
from hub.sdk.receipts import in_own_words
from hub.sdk.returned import returned_file
from hub.sdk.statements import Statements, days_between
from hub.sdk.strictjson import dumps
from hub.sdk.tabular import ROW_PROBLEM, form_of, read_rows

__all__ = ["Batch", "Counted", "Hands", "Verbs"]

Kept = TypeVar("Kept")

GATHERED = 2_000
"""Rows that land at once: as many as one commit of the writer takes."""
PATIENCE = 0.25
"""Seconds for which rows that were read wait for more."""


class Batch(NamedTuple):
    """Rows read at once: the page's bytes, the drafts of its rows, and the cursor that says we have them."""

    body: bytes
    rows: int
    first_row: int
    cursor: str | None
    drafts: Drafts
    told: Mapping[str, Any] = {}  # of a file named by hand, so far: ``marks`` and ``notes`` for its receipt


class Counted(NamedTuple):
    """What a source says of some days: its number of records for each, and whether it can name them."""

    counts: Mapping[date, int] | None  # None: it offers no counts
    names_keys: bool


class Hands(Protocol):
    """Who does the verbs: ``Verbs`` itself, or a child process that does them elsewhere. Raises classed errors."""

    def read(self, spec: SourceSpec, cursor: str | None, stop: Event) -> Iterator[Batch]: ...
    def read_file(self, stream: str, spec: FileSpec) -> Iterator[Batch]: ...
    def give_back(self, stream: str, spec: FileSpec, rows: Sequence[Mapping[str, Any]]) -> tuple[str, bytes] | None: ...
    def waiting(self, spec: SourceSpec) -> list[Waiting]: ...
    def answer(self, spec: SourceSpec, path: str, receipt: Mapping[str, Any]) -> None: ...
    def probe(self, spec: SourceSpec) -> int: ...
    def counts(self, spec: SourceSpec, cursor: str | None, first: date, last: date) -> Counted: ...
    def keys(self, spec: SourceSpec, cursor: str | None, day: date) -> Iterator[list[str]]: ...
    def again(self, spec: SourceSpec, cursor: str | None, day: date, keys: Sequence[str]) -> Iterator[Batch]: ...
    def map(self, stream: StreamKey, body: bytes, rows: int, first_row: int, fields: Mapping[str, str]) -> Drafts: ...
    def render(self, owed: Owed | None, body: Mapping[str, Any]) -> bytes: ...
    def send(self, parcel: Parcel, spec: WaySpec | None) -> Answer: ...
    def close(self, seconds: float = 0.0) -> None: ...


class Verbs:
    """``Hands`` of one loaded connector. Sources and senders are made when first needed and kept while they fit.

    After a refused credential they are made anew; a spec that differs (a renewed secret, a reload) makes them anew too.
    """

    def __init__(self, connector: Connector, *, clock: Clock, gather: int = GATHERED) -> None:
        self.connector = connector
        self._gather = gather
        self._clock = clock
        self._ended = Event()
        self._endpoints = Endpoints()
        self._lock = Lock()
        self._sources: dict[str, tuple[SourceSpec, Source]] = {}
        self._senders: dict[tuple[str, str], tuple[WaySpec, Way]] = {}
        self._boundaries: dict[str, Boundary] = {}

    # --- in

    def read(self, spec: SourceSpec, cursor: str | None, stop: Event) -> Iterator[Batch]:
        """Pages of one read. The next one is fetched only when the last has landed: a source may forget it then."""
        seen = self._boundaries.setdefault(spec.feed, Boundary())
        pages = self._rows(spec, cursor, stop)
        if self.connector.fetch is None and spec.transport != "files":
            pages = gathered(pages, min(self._gather, spec.rows_per_page))
        if spec.transport != "files" or self.connector.fetch is not None:
            pages = sliced(pages, spec.rows_per_page)
        for rows, reached in pages:
            if stop.is_set():
                return
            fresh, marks = (rows, ()) if spec.transport == "files" else seen.fresh(rows)
            if rows and not fresh:
                continue  # the overlap alone: nothing new to land
            yield self._batch(spec.stream, fresh, _first_row(spec, reached, len(fresh)), spec.fields, reached)
            seen.landed(marks)

    def read_file(self, stream: str, spec: FileSpec) -> Iterator[Batch]:
        """Pages of one file that somebody names; its rows count from 1."""
        known = self.connector.knows(stream, spec.fields)
        rows = read_rows(spec.path, form_of(spec.options), max_bytes=spec.file_bytes, known=known)
        first = 1
        while part := list(islice(rows, spec.rows_per_page)):
            told = {"marks": rows.marks.to_json(), "notes": rows.findings.to_json()}
            yield self._batch(stream, part, first, spec.fields, None)._replace(told=told)
            first += len(part)

    def give_back(self, stream: str, spec: FileSpec, rows: Sequence[Mapping[str, Any]]) -> tuple[str, bytes] | None:
        """The faulty ones of a receipt's ``rows`` as a file to correct: its name and content; None: there are none."""
        known = self.connector.knows(stream, spec.fields)
        reading = read_rows(spec.path, form_of(spec.options), max_bytes=spec.file_bytes, known=known)
        return returned_file(Path(spec.path).name, reading, rows)

    def waiting(self, spec: SourceSpec) -> list[Waiting]:
        """Files of a stream's folder that have been read and have no receipt yet."""
        return make_folder(spec, self._ended, None, self._endpoints).waiting()

    def answer(self, spec: SourceSpec, path: str, receipt: Mapping[str, Any]) -> None:
        """Write the receipts of a file that has been read beside it. Raises ``RetryError``."""
        known = self.connector.knows(spec.stream, spec.fields)
        folder = make_folder(spec, self._ended, known, self._endpoints)
        told = in_own_words(receipt, self.connector.codes(spec.stream))
        folder.answer(path, told, self.connector.label(spec.stream, spec.fields))

    def probe(self, spec: SourceSpec) -> int:
        """Reach the source and write nothing; how many rows (or files) it showed at the first look."""
        return self._source(spec).probe()

    # --- days

    def counts(self, spec: SourceSpec, cursor: str | None, first: date, last: date) -> Counted:
        """How many records the source has of each of these days; a day that is left out is not spoken of."""
        told = self._statements(spec, cursor)
        if told.counts is None:
            return Counted(None, told.keys is not None)
        days = frozenset(days_between(first, last))
        counts = dict.fromkeys(days, 0) if told.is_whole else {}
        counts.update({day: count for day, count in told.counts(first, last) if day in days})
        return Counted(counts, told.keys is not None)

    def keys(self, spec: SourceSpec, cursor: str | None, day: date) -> Iterator[list[str]]:
        """The unit's own numbers of one day's records, as the mapping makes them; rows without one are left out."""
        told = self._statements(spec, cursor).keys
        named = iter(told(day)) if told is not None else iter(())
        table = self.connector.streams[spec.stream]
        while part := list(islice(named, spec.rows_per_page)):
            rows = [key if isinstance(key, Mapping) else _key_row(table.key, key) for key in part]
            drafts = self.connector.map_rows(spec.stream, rows, 0, spec.fields)
            yield [draft.key.no for draft in drafts if isinstance(draft, Draft)]

    def again(self, spec: SourceSpec, cursor: str | None, day: date, keys: Sequence[str]) -> Iterator[Batch]:
        """That day's records once more, of ``keys`` only if any are named; no page moves the cursor.

        A page that was looked through in vain comes empty, so that whoever waits sees that there is progress.
        """
        wanted = frozenset(keys)
        for rows in self._statements(spec, cursor).rows(day, keys):
            kept = self._of(spec, rows, wanted) if wanted else rows
            yield self._batch(spec.stream, kept, 0, spec.fields, None)

    def _of(self, spec: SourceSpec, rows: list[dict[str, Any]], wanted: frozenset[str]) -> list[dict[str, Any]]:
        drafts = self.connector.map_rows(spec.stream, rows, 0, spec.fields)
        return [row for row, one in zip(rows, drafts, strict=True) if one.key is not None and one.key.no in wanted]

    def _statements(self, spec: SourceSpec, cursor: str | None) -> Statements:
        """What the source can say of its days: by its own code, or by its transport."""
        if self.connector.reconcile is not None:
            context = Context(spec.config, spec.peer_seconds, self._ended, spec.partition)
            return self.connector.reconcile(spec.stream, cursor, context)
        if self.connector.fetch is not None:
            raise ConfigurationError(
                f"{self.connector.name} has a source of its own that cannot be compared by days",
                code="reconcile.none",
                remedy="take [streams.….reconcile] out, or ask its maker for `reconcile`",
            )
        key_columns = self.connector.key_columns(spec.stream, spec.fields)
        return statements_of(spec, self._source(spec), cursor, key_columns)

    def map(self, stream: StreamKey, body: bytes, rows: int, first_row: int, fields: Mapping[str, str]) -> Drafts:
        """Exactly one draft or problem per row; rows that could not be read as declared are problems by their code."""
        found = orjson.loads(body)
        drafts = self.connector.map_rows(stream.stream, found, first_row, fields)
        return [_unreadable(row, draft) for row, draft in zip(found, drafts, strict=True)]

    def _batch(
        self, stream: str, rows: Sequence[Any], first_row: int, fields: Mapping[str, str], reached: str | None
    ) -> Batch:
        kept, _ = strip(self.connector.manifest.streams[stream], rows, fields)
        body = dumps(kept)
        key = StreamKey(self.connector.unit, stream)
        return Batch(body, len(kept), first_row, reached, self.map(key, body, len(kept), first_row, fields))

    def _rows(
        self, spec: SourceSpec, cursor: str | None, stop: Event
    ) -> Iterable[tuple[list[dict[str, Any]], str | None]]:
        if self.connector.fetch is not None:
            yield from self.connector.fetch(
                spec.stream, cursor, Context(spec.config, spec.peer_seconds, stop, spec.partition)
            )
            return
        try:
            yield from self._source(spec).pages(cursor)
        except CredentialsError:
            self._forget()
            raise

    def _source(self, spec: SourceSpec) -> Source:
        known = self.connector.knows(spec.stream, spec.fields)
        return self._fitting(
            self._sources, spec.feed, spec, lambda: make_source(spec, self._ended, known, self._endpoints)
        )

    # --- out

    def render(self, owed: Owed | None, body: Mapping[str, Any]) -> bytes:
        """The bytes of a message as this unit reads it; called once, what it gives is stored."""
        return self.connector.render(owed, body)

    def send(self, parcel: Parcel, spec: WaySpec | None) -> Answer:
        """One attempt; ``spec`` None: no way is configured. Never raises for a peer's behaviour."""
        if spec is None:
            return Answer("later", detail="no_destination")
        if self.connector.send is not None:
            return Answer(*self.connector.send(parcel, Context(spec.config, spec.peer_seconds, self._ended)))
        key = (parcel.kind, parcel.channel)
        try:
            way = self._fitting(self._senders, key, spec, lambda: make_sender(spec, self._clock, self._endpoints))
            outcome = way.send(parcel.no, parcel.kind, parcel.body)
        except HubError as error:  # a URL that is none
            return Answer("later", detail=error.code)
        if outcome.detail.startswith("credentials"):
            self._forget()
        return Answer(*outcome)

    # --- life

    def _fitting(self, kept: dict[Any, tuple[Any, Any]], key: Any, spec: Any, make: Callable[[], Kept]) -> Kept:
        """What was made for this very spec, or a new one in its place."""
        with self._lock:
            old = kept.get(key)
            if old is not None and old[0] == spec:
                found: Kept = old[1]
                return found
            made = make()
            kept[key] = (spec, made)
        if old is not None:
            old[1].close()
        return made

    def _forget(self) -> None:
        """Make sources and senders anew at the next use; a folder's memory of its last look may be lost."""
        with self._lock:
            old: list[Source | Way] = [source for _, source in self._sources.values()]
            old += [way for _, way in self._senders.values()]
            self._sources.clear()
            self._senders.clear()
        for transport in old:
            transport.close()

    def close(self, seconds: float = 0.0) -> None:
        """Give connections back; a source that waits for a file to settle waits no longer."""
        self._ended.set()
        self._forget()


def gathered(
    pages: Iterable[tuple[list[dict[str, Any]], str | None]], most: int = GATHERED
) -> Iterator[tuple[list[Any], str | None]]:
    """Small pages of a quick source as one that lands at once: up to ``most`` rows, or what ``PATIENCE`` seconds bring.

    What was read before an error is given before it is raised.
    """
    rows: list[Any] = []
    reached: str | None = None
    began, waiting = monotonic(), False
    try:
        for some, at in pages:
            if rows and len(rows) + len(some) > most:
                yield rows, reached
                rows, began = [], monotonic()
            rows, reached, waiting = [*rows, *some], at, True
            if len(rows) >= most or monotonic() - began >= PATIENCE:
                yield rows, reached
                rows, began, waiting = [], monotonic(), False
    except HubError:
        if waiting:
            yield rows, reached
        raise
    if waiting:
        yield rows, reached


def sliced(
    pages: Iterable[tuple[list[dict[str, Any]], str | None]], most: int
) -> Iterator[tuple[list[Any], str | None]]:
    """Large pages of a source as several of at most ``most`` rows; the cursor moves with the last of them."""
    for rows, reached in pages:
        for at in range(0, len(rows) - most, most):
            yield rows[at : at + most], None
        yield rows[(len(rows) - 1) // most * most if rows else 0 :], reached


def _first_row(spec: SourceSpec, reached: str | None, rows: int) -> int:
    """The number of a page's first row: files count from 1 over all their pages, everything else from 0."""
    if spec.transport != "files" or reached is None:
        return 0
    return int(reached.partition(":")[2]) - rows + 1


def _key_row(columns: Sequence[str], key: Any) -> dict[str, Any]:
    """A key told as text, as the row that would have it."""
    return dict(zip(columns, [key] if len(columns) == 1 else str(key).split("/"), strict=False))


def _unreadable(row: Any, draft: Draft | Problem) -> Draft | Problem:
    code = row.get(ROW_PROBLEM) if isinstance(row, dict) else None
    if code is None:
        return draft
    remedy = "send this row again with one cell for each header"
    original = orjson.dumps({name: value for name, value in row.items() if name != ROW_PROBLEM})
    return Problem(draft.row, None, str(code), "", remedy, original)
