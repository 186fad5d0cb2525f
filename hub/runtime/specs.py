"""What a connector's process is told of the configuration: one source or one way out, its secret read and in plain.

The hub reads secrets anew for every read and every delivery, so a renewed one counts at once; the process gets those of
the source it is asked for and no others, over the pipe and never through its environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

from hub.config.secret_files import read_secret
from hub.runtime.wire import pack, unpack
from hub.settings import Auth, DeliverConfig, Limits, SecretRef, StreamConfig

__all__ = ["AuthSpec", "FileSpec", "SourceSpec", "WaySpec", "is_scheduled", "source_spec", "way_spec"]


Pace = tuple[float, float]
STEADY: Pace = (1.0, 300.0)
"""How long an endpoint in trouble rests, in seconds: first, and at most (``[retry]``)."""


class _Wired:
    """A spec that travels over the pipe: all of its fields, ``auth`` among them likewise."""

    def to_wire(self) -> Any:
        """As JSON has it."""
        return pack({**vars(self), **({"auth": vars(self.auth)} if hasattr(self, "auth") else {})})

    @classmethod
    def from_wire(cls, told: Any) -> Self:
        """The spec again."""
        found = unpack(told)
        return cls(**{**found, **({"auth": AuthSpec(**found["auth"])} if "auth" in found else {})})


@dataclass(frozen=True, kw_only=True)
class AuthSpec:
    """How to identify oneself; ``secret`` in plain."""

    kind: str = "none"
    options: Mapping[str, Any] = field(default_factory=dict)
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class SourceSpec(_Wired):
    """One stream's source."""

    stream: str
    transport: str
    url: str = field(default="", repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)
    cursor_field: str = ""
    overlap: timedelta = timedelta(0)
    fields: Mapping[str, str] = field(default_factory=dict)
    auth: AuthSpec = AuthSpec()
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)  # the connector's own options
    reconcile: Mapping[str, Any] = field(default_factory=dict)  # how its days are asked for: by, day, counts …
    rows_per_page: int = 2000
    file_bytes: int = 512 * 1024 * 1024
    peer_seconds: float = 60.0
    peer_bytes: int = 64 * 1024 * 1024
    pace: Pace = STEADY
    partition: str = ""  # which part of the stream; empty: it has none

    @property
    def feed(self) -> str:
        """What is read by itself, for whoever keeps something for it between two reads."""
        return f"{self.stream}#{self.partition}"


@dataclass(frozen=True, kw_only=True)
class WaySpec(_Wired):
    """One way out: an address or a folder."""

    url: str = field(default="", repr=False)
    table: str = "hub_message"
    folder: str = ""
    auth: AuthSpec = AuthSpec()
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)  # the connector's own options
    peer_seconds: float = 60.0
    peer_bytes: int = 64 * 1024 * 1024
    pace: Pace = STEADY


@dataclass(frozen=True, kw_only=True)
class FileSpec(_Wired):
    """One file that somebody gave by hand (`hub ingest`)."""

    path: str
    options: Mapping[str, Any] = field(default_factory=dict)  # of its stream: encoding, sheet, header_row …
    rows_per_page: int = 2000
    file_bytes: int = 512 * 1024 * 1024
    fields: Mapping[str, str] = field(default_factory=dict)


def is_scheduled(config: StreamConfig) -> bool:
    """Whether this stream is polled by the clock."""
    return config.transport != "push" and (config.every is not None or bool(config.cron))


def source_spec(
    config: StreamConfig, limits: Limits, own: Mapping[str, Any], pace: Pace = STEADY, part: str = ""
) -> SourceSpec:
    """The source of a stream or a part of it; ``own`` holds the connector's own options. Raises ``SecretError``."""
    timeout, days = config.options.get("timeout"), config.reconcile
    return SourceSpec(
        stream=config.name,
        transport=config.transport,
        url=_parted(_plain(config.url), part),
        options=_parted(config.options, part),
        cursor_field=config.cursor_field,
        overlap=config.overlap,
        fields=config.fields,
        auth=_auth(config.auth),
        config={name: _plain(value) for name, value in own.items()},
        reconcile={} if days is None else {"by": days.by, **_parted(days.options, part)},
        rows_per_page=limits.rows_per_page,
        file_bytes=limits.file_bytes,
        peer_seconds=timeout.total_seconds() if timeout is not None else limits.peer_seconds,
        peer_bytes=limits.peer_bytes,
        pace=pace,
        partition=part,
    )


def _parted(value: Any, part: str) -> Any:
    """A setting with the part's name where ``{partition}`` stands."""
    if not part:
        return value
    if isinstance(value, str):
        return value.replace("{partition}", part)
    if isinstance(value, Mapping):
        return {name: _parted(inner, part) for name, inner in value.items()}
    return value


def way_spec(config: DeliverConfig, limits: Limits, own: Mapping[str, Any], pace: Pace = STEADY) -> WaySpec:
    """One way out; ``own`` holds the connector's own options. Raises ``SecretError``."""
    return WaySpec(
        url=_plain(config.url),
        table=config.table,
        folder=config.folder,
        auth=_auth(config.auth),
        config={name: _plain(value) for name, value in own.items()},
        peer_seconds=limits.peer_seconds,
        peer_bytes=limits.peer_bytes,
        pace=pace,
    )


def _plain(value: Any) -> Any:
    return read_secret(value).decode().strip() if isinstance(value, SecretRef) else value


def _auth(auth: Auth) -> AuthSpec:
    secret = read_secret(auth.secret).decode() if auth.secret is not None else ""
    return AuthSpec(kind=auth.kind, options=auth.options, secret=secret)
