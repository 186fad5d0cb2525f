"""Configuration → transports: which source reads a stream, which sender takes a kind of message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import httpx

from hub.core.errors import ConfigurationError
from hub.sdk.auth import make_auth
from hub.sdk.database import open_table_engine
from hub.sdk.files import SETTLE, FileSender, FolderSource
from hub.sdk.outcome import Outcome
from hub.sdk.peer import Peer
from hub.sdk.post import PostSender
from hub.sdk.rest import PageStyle, RestSource
from hub.sdk.table import TableSender, TableSource
from hub.secret_files import read_secret
from hub.settings import Auth, DeliverConfig, Limits, SecretRef, StreamConfig

__all__ = ["Clock", "Source", "Way", "is_scheduled", "make_sender", "make_source"]

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


def is_scheduled(config: StreamConfig) -> bool:
    """Whether this stream is polled by the clock."""
    return config.transport != "push" and (config.every is not None or bool(config.cron))


def make_source(config: StreamConfig, limits: Limits, stop: Event) -> Source:
    """The source of a rest, table or files stream. Raises ``ConfigurationError``."""
    makers = {"rest": _rest, "table": _table, "files": _files}
    if config.transport not in makers:
        raise ConfigurationError(
            f"stream {config.name} is fed by {config.transport}: nothing to fetch", code="transport.push"
        )
    return makers[config.transport](config, limits, stop)


def _rest(config: StreamConfig, limits: Limits, stop: Event) -> Source:
    options = config.options
    return RestSource(
        peer=_peer(config.auth, limits, options.get("timeout"), options.get("headers")),
        url=_plain(config.url),
        page=PageStyle.of({**({"next": options["next"]} if "next" in options else {}), **options.get("page", {})}),
        records=options.get("records", ""),
        total=options.get("total", "") or options.get("page", {}).get("total", ""),
        code=_code(options.get("code", "code")),
        cursor_field=config.cursor_field,
        overlap=config.overlap,
        since_param=options.get("cursor_param", "") or options.get("since_param", ""),
        since_format=options.get("cursor_format", ""),
        params=options.get("params", {}),
        method=options.get("method", "GET"),
        body=options.get("body"),
        renamed=config.fields,
        rows_per_page=limits.rows_per_page,
    )


def _code(option: Any) -> str:
    return option if isinstance(option, str) else ""


def _table(config: StreamConfig, limits: Limits, stop: Event) -> Source:
    return TableSource(
        engine=open_table_engine(_plain(config.url)),
        table=config.options.get("table", ""),
        query=config.options.get("query", ""),
        cursor_field=config.cursor_field,
        overlap=config.overlap,
        renamed=config.fields,
        rows_per_page=min(int(config.options.get("batch", limits.rows_per_page)), limits.rows_per_page),
    )


def _files(config: StreamConfig, limits: Limits, stop: Event) -> Source:
    options = config.options
    if str(options["folder"]).startswith("sftp://"):
        raise ConfigurationError(
            f"stream {config.name}: sftp folders need the extra sftp",
            code="transport.sftp",
            remedy="use a mounted folder",
        )
    return FolderSource(
        folder=Path(options["folder"]),
        pattern=options.get("pattern", "*"),
        encoding=options.get("encoding", "auto"),
        sheet=options.get("sheet", 1),
        header_row=options.get("header_row", 1),
        ready=options.get("ready", "stable"),
        delimiter=options.get("delimiter", ""),
        done=_path(options, "done"),
        failed=_path(options, "failed"),
        settle=options.get("settle", SETTLE),
        rows_per_page=limits.rows_per_page,
        max_bytes=limits.file_bytes,
        stop=stop,
    )


def _path(options: Mapping[str, Any], name: str) -> Path | None:
    return Path(options[name]) if options.get(name) else None


def _plain(value: str | SecretRef) -> str:
    return read_secret(value).decode().strip() if isinstance(value, SecretRef) else value


def _auth(auth: Auth) -> httpx.Auth | None:
    secret = read_secret(auth.secret).decode() if auth.secret is not None else ""
    return make_auth(auth.kind, auth.options, secret)


def _peer(
    auth: Auth, limits: Limits, timeout: timedelta | None = None, headers: Mapping[str, str] | None = None
) -> Peer:
    seconds = timeout.total_seconds() if timeout is not None else limits.peer_seconds
    return Peer(auth=_auth(auth), seconds=seconds, max_bytes=limits.peer_bytes, headers=headers)


def make_sender(config: DeliverConfig, limits: Limits, clock: Clock) -> Way:
    """The way of one channel: a folder, an http(s) address, or an SQLAlchemy URL. Raises ``ConfigurationError``."""
    if config.folder:
        files = FileSender(Path(config.folder))
        return Way(lambda no, kind, body: files.send(no, body), lambda: None)
    url = _plain(config.url)
    if urlsplit(url).scheme in ("http", "https"):
        peer = _peer(config.auth, limits)
        post = PostSender(peer, url)
        return Way(lambda no, kind, body: post.send(no, body), peer.close)
    engine = open_table_engine(url, read_only=False)
    table = TableSender(engine, config.table)
    return Way(lambda no, kind, body: table.send(no, kind, body, clock()), engine.dispose)
