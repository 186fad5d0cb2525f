"""Specs → transports, in the connector's process: which source reads a stream, which sender takes a message.

Each transport's libraries are imported when it is first used: a connector that only reads files never loads the HTTP
client or the database toolkit, and its process starts in a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from hub.core.errors import ConfigurationError
from hub.runtime.specs import AuthSpec, SourceSpec, WaySpec
from hub.sdk.endpoint import Endpoints

if TYPE_CHECKING:
    from hub.sdk.files import Waiting
    from hub.sdk.headers import Known
    from hub.sdk.outcome import Outcome
    from hub.sdk.peer import Peer
    from hub.sdk.places import Place
    from hub.sdk.rest import RestSource
    from hub.sdk.statements import Statements
    from hub.sdk.table import TableSource
    from hub.sdk.table_days import KeyColumns

__all__ = ["Clock", "Folder", "Source", "Way", "make_folder", "make_sender", "make_source", "statements_of"]

Clock = Callable[[], datetime]


class Way(NamedTuple):
    """One way out: ``send(message number, kind, body)`` → what the attempt gave."""

    send: Callable[[str, str, bytes], Outcome]
    close: Callable[[], None]


class Source(Protocol):
    """What every transport gives: pages from a cursor on, and a look that writes nothing."""

    def pages(self, cursor: str | None) -> Iterator[tuple[list[dict[str, Any]], str | None]]: ...
    def probe(self) -> int: ...
    def close(self) -> None: ...


class Folder(Source, Protocol):
    """A source of files: they get receipts."""

    def waiting(self) -> list[Waiting]: ...
    def answer(self, path: str, receipt: Mapping[str, Any], label: Callable[[str], str]) -> None: ...


def make_folder(
    spec: SourceSpec, stop: Event, known: Known | None = None, endpoints: Endpoints | None = None
) -> Folder:
    """The folder of a files stream. Raises ``ConfigurationError``."""
    return _files(spec, stop, known, endpoints or Endpoints())


def make_source(
    spec: SourceSpec, stop: Event, known: Known | None = None, endpoints: Endpoints | None = None
) -> Source:
    """The source of a rest, table or files stream; ``known`` tells a file's header. Raises ``ConfigurationError``."""
    endpoints = endpoints or Endpoints()
    if spec.transport == "files":
        return _files(spec, stop, known, endpoints)
    if spec.transport == "rest":
        return _rest(spec, endpoints)
    if spec.transport == "table":
        return _table(spec, endpoints)
    raise ConfigurationError(
        f"stream {spec.stream} is fed by {spec.transport}: nothing to fetch", code="transport.push"
    )


def statements_of(spec: SourceSpec, source: Any, cursor: str | None, key_columns: KeyColumns) -> Statements:
    """What ``source``, made for ``spec``, can say of its whole days. Raises ``ConfigurationError``."""
    if spec.transport == "rest":
        from hub.sdk.rest_days import rest_statements

        return rest_statements(source, spec.reconcile, cursor)
    if spec.transport == "table":
        from hub.sdk.table_days import table_statements

        return table_statements(source, str(spec.reconcile.get("day", "")), key_columns)
    if spec.transport == "files":
        from hub.sdk.files_days import files_statements

        return files_statements(source, str(spec.reconcile.get("format", "")))
    raise ConfigurationError(
        f"stream {spec.stream} is fed by {spec.transport}: it cannot be compared by days", code="reconcile.none"
    )


def _rest(spec: SourceSpec, endpoints: Endpoints) -> RestSource:
    from hub.sdk.rest import PageStyle, RestSource

    options = spec.options
    return RestSource(
        peer=_peer(spec, endpoints, options.get("headers")),
        url=spec.url,
        page=PageStyle.of({**({"next": options["next"]} if "next" in options else {}), **options.get("page", {})}),
        records=options.get("records", ""),
        total=options.get("total", "") or options.get("page", {}).get("total", ""),
        code=_code(options.get("code", "code")),
        cursor_field=spec.cursor_field,
        overlap=spec.overlap,
        since_param=options.get("cursor_param", "") or options.get("since_param", ""),
        since_format=options.get("cursor_format", ""),
        params=options.get("params", {}),
        method=options.get("method", "GET"),
        body=options.get("body"),
        renamed=spec.fields,
        rows_per_page=spec.rows_per_page,
    )


def _code(option: Any) -> str:
    return option if isinstance(option, str) else ""


def _table(spec: SourceSpec, endpoints: Endpoints) -> TableSource:
    from hub.sdk.database import open_table_engine
    from hub.sdk.table import TableSource

    return TableSource(
        engine=open_table_engine(spec.url),
        table=spec.options.get("table", ""),
        query=spec.options.get("query", ""),
        cursor_field=spec.cursor_field,
        overlap=spec.overlap,
        renamed=spec.fields,
        rows_per_page=min(int(spec.options.get("batch", spec.rows_per_page)), spec.rows_per_page),
        endpoint=endpoints.of(spec.url, *spec.pace),
    )


def _files(spec: SourceSpec, stop: Event, known: Known | None, endpoints: Endpoints) -> Folder:
    from hub.sdk.files import SETTLE, FolderSource
    from hub.sdk.tabular import form_of

    options = spec.options
    folder, place = _place(options["folder"], spec, endpoints)
    return FolderSource(
        folder=folder,
        place=place,
        pattern=options.get("pattern", "*"),
        form=form_of(options),
        known=known,
        ready=options.get("ready", "stable"),
        done=_folder(options.get("done", "")),
        failed=_folder(options.get("failed", "")),
        settle=options.get("settle", SETTLE),
        rows_per_page=spec.rows_per_page,
        max_bytes=spec.file_bytes,
        stop=stop,
        look=options.get("look", False),
        statement=spec.reconcile.get("file", ""),
    )


def _folder(name: str) -> str:
    """A folder on its machine."""
    if not name.startswith("sftp://"):
        return name
    from hub.sdk.sftp import folder_of

    return folder_of(name)


def _place(folder: str, spec: SourceSpec | WaySpec, endpoints: Endpoints) -> tuple[str, Place]:
    """A folder and the machine it lies on. Raises ``ConfigurationError``."""
    if not folder.startswith("sftp://"):
        from hub.sdk.places import LocalPlace

        return folder, LocalPlace()
    try:
        from hub.sdk.sftp import SftpPlace, folder_of
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "an sftp folder needs the extra sftp",
            code="transport.sftp",
            remedy="pip install 'family-care-hub[sftp]', or use a mounted folder",
        ) from error
    host_key = str(spec.auth.options.get("host_key", ""))
    endpoint = endpoints.of(folder, *spec.pace)
    place = SftpPlace(folder, spec.auth.kind, spec.auth.secret, host_key, seconds=spec.peer_seconds, endpoint=endpoint)
    return folder_of(folder), place


def _peer(spec: SourceSpec | WaySpec, endpoints: Endpoints, headers: Mapping[str, str] | None = None) -> Peer:
    from hub.sdk.peer import Peer

    return Peer(
        auth=_auth(spec.auth),
        seconds=spec.peer_seconds,
        max_bytes=spec.peer_bytes,
        headers=headers,
        endpoint=endpoints.of(spec.url, *spec.pace),
    )


def _auth(auth: AuthSpec) -> Any:
    from hub.sdk.auth import make_auth

    return make_auth(auth.kind, auth.options, auth.secret)


def make_sender(spec: WaySpec, clock: Clock, endpoints: Endpoints | None = None) -> Way:
    """The way of one channel: a folder, an http(s) address, or an SQLAlchemy URL. Raises ``ConfigurationError``."""
    endpoints = endpoints or Endpoints()
    if spec.folder:
        from hub.sdk.files import FileSender

        files = FileSender(*_place(spec.folder, spec, endpoints))
        return Way(lambda no, kind, body: files.send(no, body), lambda: None)
    if urlsplit(spec.url).scheme in ("http", "https"):
        from hub.sdk.post import PostSender

        peer = _peer(spec, endpoints)
        post = PostSender(peer, spec.url)
        return Way(lambda no, kind, body: post.send(no, body), peer.close)
    from hub.sdk.database import open_table_engine
    from hub.sdk.table import TableSender

    engine = open_table_engine(spec.url, read_only=False)
    table = TableSender(engine, spec.table, endpoints.of(spec.url, *spec.pace))
    return Way(lambda no, kind, body: table.send(no, kind, body, clock()), engine.dispose)
