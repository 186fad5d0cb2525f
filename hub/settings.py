"""Configuration as frozen values; `hub/config/configuration.py` reads them from `hub.toml` and `connectors.d/*.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from hub.core.codes import UNITS
from hub.core.volume import Expected


class Installed(NamedTuple):
    """What the configuration needs to know of one installed connector's manifest."""

    streams: tuple[str, ...]
    receives: tuple[str, ...] = ()  # kinds of message
    config: Mapping[str, str] = {}  # the connector's own options: name → kind
    required: tuple[str, ...] = ()  # of these


ROLES = ("station", "coordinator", "police_duty", "prosecutor", "exporter", "auditor", "it")
"""Roles of read tokens; beside them ``unit:NAME``."""


def is_role(name: str) -> bool:
    """Whether a read token may have this role; whoever has another is nobody."""
    return name in ROLES or (name.startswith("unit:") and name.removeprefix("unit:") in UNITS)


@dataclass(frozen=True, kw_only=True)
class SecretRef:
    """A secret by reference: ``{ env = "X" }``, ``{ file = "secrets/x" }`` or ``{ credential = "x" }`` (systemd)."""

    env: str = ""
    file: str = ""  # absolute after loading
    credential: str = ""


@dataclass(frozen=True, kw_only=True)
class Auth:
    """How we identify ourselves to a peer: none, basic, bearer, signature or national_platform."""

    kind: str = "none"
    options: Mapping[str, Any] = field(default_factory=dict)  # username, key, service, recipe parts …
    secret: SecretRef | None = None


@dataclass(frozen=True, kw_only=True)
class ReconcileConfig:
    """How a stream is compared with its source, day by day (对账)."""

    every: timedelta = timedelta(days=1)
    days: int = 7  # whole days looked back, yesterday is the first
    by: str = "updated"  # which time of a record the source counts by: updated or event
    options: Mapping[str, Any] = field(default_factory=dict)  # transport's own: day, counts, keys, rows


@dataclass(frozen=True, kw_only=True)
class StreamConfig:
    """One stream of one connector, as configured."""

    name: str
    transport: str  # rest, table, files or push
    every: timedelta | None = None
    cron: str = ""
    jitter: timedelta = timedelta(0)
    url: str | SecretRef = ""
    options: Mapping[str, Any] = field(
        default_factory=dict
    )  # transport's own: page, records, total, table, query, folder …
    cursor_field: str = ""  # their header of the cursor column; empty: none (whole source each time)
    overlap: timedelta = timedelta(0)
    auth: Auth = Auth()
    fields: Mapping[str, str] = field(default_factory=dict)  # our name (中文 or english) = their header
    freshness: timedelta | None = None
    live_from: str = ""  # ISO date; event time earlier: backfill
    reconcile: ReconcileConfig | None = None
    expect_rows: Expected | None = None  # how many records it promises
    partitions: tuple[str, ...] = ()  # read each by itself, from a cursor of its own; `{partition}` stands for its name


@dataclass(frozen=True, kw_only=True)
class DeliverConfig:
    """Where one kind of message goes, and how."""

    kind: str
    url: str | SecretRef = ""  # http(s)://… or an SQLAlchemy URL
    table: str = "hub_message"  # of an SQLAlchemy URL
    folder: str = ""  # absolute
    receipts: str = ""  # absolute folder where receipt files come in
    pull: bool = False  # the unit, or its edge, fetches it: GET …/parcels
    passphrase: SecretRef | None = None  # of a folder: each file is sealed with it
    auth: Auth = Auth()
    second: DeliverConfig | None = None


@dataclass(frozen=True, kw_only=True)
class ConnectorConfig:
    """`connectors.d/NAME.toml`."""

    name: str
    enabled: bool
    path: Path
    streams: Mapping[str, StreamConfig] = field(default_factory=dict)
    push_token: SecretRef | None = None
    deliver: Mapping[str, DeliverConfig] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)  # the connector's own options, by its manifest
    reads: tuple[str, ...] = ()  # files and folders it may read beside its own: a driver's, a certificate


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on what comes in; bytes, rows, seconds."""

    body_bytes: int = 16 * 1024 * 1024
    file_bytes: int = 512 * 1024 * 1024
    rows_per_page: int = 2000
    rows_per_push: int = 10_000
    cell_chars: int = 65_536
    json_depth: int = 16
    peer_seconds: float = 60.0
    peer_bytes: int = 64 * 1024 * 1024
    push_wait: float = 2.0  # seconds a push waits for its receipt before 202
    connector_bytes: int = 1024 * 1024 * 1024  # private memory of one connector's process
    connector_load: float = 20.0  # seconds until it must have loaded
    connector_page: float = 0.0  # seconds from one page to the next; 0: three times peer_seconds and 20
    connector_map: float = 10.0  # seconds for one page to map (and 2 ms a row), or one message to render


@dataclass(frozen=True, kw_only=True)
class EdgeConfig:
    """`[edge]` of a department's folder: which hub, how much may wait here, how often the hub is told."""

    to: str = ""
    spool_bytes: int = 1024 * 1024 * 1024
    beat: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All of the configuration folder."""

    folder: Path
    database_url: str
    listen: str = "127.0.0.1:8080"
    behind_proxy: bool = False  # a TLS proxy stands in front: listening beyond loopback is then allowed
    communities: tuple[str, ...] = ()
    policy_files: tuple[Path, ...] = ()  # none: the policy that comes with the hub
    overlay_files: tuple[Path, ...] = ()  # the province's before the district's
    province: str = ""  # whose shorter limits of ours are laid under the overlays; empty: none
    deadlines: Mapping[str, timedelta] = field(default_factory=dict)
    retry_base: timedelta = timedelta(seconds=1)
    retry_max: timedelta = timedelta(minutes=5)
    tick: timedelta = timedelta(milliseconds=100)
    lease: timedelta = timedelta(seconds=30)
    contacts: Mapping[str, Any] = field(default_factory=dict)
    calendar_folder: Path | None = None
    keys: Mapping[str, SecretRef] = field(default_factory=dict)  # master
    tokens: tuple[Mapping[str, str], ...] = ()  # read API: hash, role, communities, acts (yes or empty)
    limits: Limits = Limits()
    edge: EdgeConfig = EdgeConfig()
    authorities: str = ""  # PEM: private CAs whose peers are believed
    confine_required: bool = False  # a connector that cannot be kept to its own files is not started
    connectors: Mapping[str, ConnectorConfig] = field(default_factory=dict)
