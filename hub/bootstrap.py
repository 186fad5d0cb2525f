"""The composition root: the only file that names concrete parts together."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from hub import configuration
from hub.runtime.plugins import Manifests, read_manifests
from hub.sdk.manifest import Manifest
from hub.settings import Installed, Settings
from hub.store.engine import open_store
from hub.store.schema import upgrade


@lru_cache(maxsize=1)
def _found() -> Manifests:
    return read_manifests()


def manifests() -> Mapping[str, Manifest]:
    """Connector name → manifest, of every installed connector that can be read; no connector's code runs."""
    return _found().manifests


def refused_manifests() -> Mapping[str, str]:
    """Installed connectors that are refused at the door, and why; the others go on."""
    return _found().refused


def installed(found: Mapping[str, Manifest]) -> dict[str, Installed]:
    """What the configuration is read against."""
    return {name: Installed(tuple(manifest.streams), tuple(manifest.receives)) for name, manifest in found.items()}


def read_settings(folder: Path) -> Settings:
    """The settings of a configuration folder. Raises ConfigurationError with every mistake."""
    return configuration.load(folder, installed(manifests()))


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
