"""The composition root: the only file that names concrete parts together."""

from __future__ import annotations

import base64
import difflib
import os
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from hub import configuration
from hub.core.policy import Policy
from hub.core.policy import load_policy as compile_policy
from hub.receivers import Stream
from hub.runtime.plugins import Loaded, Manifests, load_connectors, read_manifests
from hub.sdk.connector import Connector
from hub.sdk.connector import Stream as StreamTable
from hub.sdk.manifest import Manifest
from hub.settings import Installed, Settings
from hub.store.engine import open_store
from hub.store.schema import upgrade
from hub.toml_reader import Mistake

POLICY = "district-2021-08-30.toml"
"""The policy that comes with the hub."""


@lru_cache(maxsize=1)
def _found() -> Manifests:
    return read_manifests()


def manifests() -> Mapping[str, Manifest]:
    """Connector name → manifest, of every installed connector that can be read; no connector's code runs."""
    return _found().manifests


@lru_cache(maxsize=1)
def _loaded() -> Loaded:
    return load_connectors()


def connectors() -> Mapping[str, Connector]:
    """Every installed connector that can be loaded, by name."""
    return _loaded().connectors


def refused_connectors() -> Mapping[str, str]:
    """Connectors that are refused when read or loaded, and why; the others go on."""
    return {**_loaded().refused, **_found().refused}


def streams() -> list[Stream]:
    """Every stream of every installed connector."""
    return [
        Stream(name, connector.unit, stream.name, stream.kind)
        for name, connector in connectors().items()
        for stream in connector.streams.values()
    ]


def nearest_column(stream: StreamTable, name: str) -> str:
    """The column of a stream that a misspelt name comes nearest to, or nothing."""
    columns = [word for entry in stream.fields for word in (entry.name, entry.header) if word]
    return next(iter(difflib.get_close_matches(name, columns, 1, 0.5)), "")


def installed(found: Mapping[str, Manifest]) -> dict[str, Installed]:
    """What the configuration is read against."""
    return {name: Installed(tuple(manifest.streams), tuple(manifest.receives)) for name, manifest in found.items()}


def read_settings(folder: Path) -> Settings:
    """The settings of a configuration folder. Raises ConfigurationError with every mistake."""
    return configuration.load(folder, installed(manifests()))


def examine(folder: Path) -> tuple[Settings, list[Mistake]]:
    """The settings as far as they can be read, and every mistake."""
    return configuration.examine(folder, installed(manifests()))


def load_policy(settings: Settings) -> Policy:
    """The policy that is in force here: file, overlay, calendars and deadlines. Raises ConfigurationError."""
    policies = files("hub") / "policies"
    policy = settings.policy_file.read_bytes() if settings.policy_file else (policies / POLICY).read_bytes()
    overlay = settings.overlay_file.read_bytes() if settings.overlay_file else None
    folder = settings.calendar_folder or policies / "calendar"
    return compile_policy(policy, overlay, calendars(folder), settings.deadlines)


def calendars(folder: Path | Traversable) -> dict[int, bytes]:
    """The yearly files ``YYYY.toml`` of a folder."""
    if not folder.is_dir():
        return {}
    return {
        int(file.name.removesuffix(".toml")): file.read_bytes()
        for file in folder.iterdir()
        if file.name.endswith(".toml") and file.name.removesuffix(".toml").isdigit()
    }


def new_master_key() -> bytes:
    """256 bits of chance as text, to be kept in a file."""
    return base64.b64encode(os.urandom(32))


def make_database(settings: Settings) -> None:
    """An empty database with the newest schema."""
    store = open_store(settings.database_url)
    try:
        upgrade(store)
    finally:
        store.dispose()
