"""Loading connectors: each entry point of the group ``hub.connectors`` alone, so that a broken one stops no other.

Every attempt has a plugin manager of its own. A connector that cannot be imported, misspells its hook, registers
nothing, or calls itself other than its entry point is refused by name, with the reason; the others are ready.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NamedTuple

import pluggy

from hub.core.errors import ConfigurationError
from hub.sdk import hookspecs
from hub.sdk.connector import Connector
from hub.sdk.manifest import Manifest, find_manifest, read_manifest

__all__ = ["GROUP", "Loaded", "Manifests", "installed_connectors", "load_connectors", "read_manifests"]

GROUP = "hub.connectors"
LONGEST_REASON = 300
"""Characters of a refusal's reason: a foreign exception's text can be a whole page."""


class Loaded(NamedTuple):
    """Connectors by name that are ready, and why the others are not."""

    connectors: Mapping[str, Connector]
    refused: Mapping[str, str]


class Manifests(NamedTuple):
    """Manifests by connector name, and why others cannot be read."""

    manifests: Mapping[str, Manifest]
    refused: Mapping[str, str]


class RefusedError(ConfigurationError):
    """This connector cannot be taken; ``name`` says which."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"connector {name} is refused: {reason}", code="connector.refused")
        self.name = name
        self.reason = reason


def installed_connectors(group: str = GROUP) -> dict[str, EntryPoint]:
    """Entry points by name, sorted; nothing is imported."""
    return {point.name: point for point in sorted(entry_points(group=group), key=lambda point: point.name)}


def load_connectors(only: Collection[str] | None = None, points: Iterable[EntryPoint] | None = None) -> Loaded:
    """Load and check each connector (of ``only``, None: all installed) by itself; never raises for a broken one."""
    ready: dict[str, Connector] = {}
    refused: dict[str, str] = {}
    found = installed_connectors() if points is None else {point.name: point for point in points}
    for name, point in found.items():
        if only is not None and name not in only:
            continue
        try:
            ready[name] = _load(point)
        except RefusedError as error:
            refused[name] = error.reason
    for name in sorted(set(only or ()) - set(found)):
        refused[name] = "it is not installed"
    return Loaded(ready, refused)


def _load(point: EntryPoint) -> Connector:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    registered: list[Any] = []
    try:
        manager.register(point.load(), name=point.name)
        manager.check_pending()
        manager.hook.hub_register_connectors(register=registered.append)
    except KeyboardInterrupt:
        raise
    except pluggy.PluginValidationError as error:
        raise RefusedError(point.name, _short(str(error))) from error
    except BaseException as error:  # SystemExit too: a connector may not end the hub
        raise RefusedError(point.name, _short(f"{type(error).__name__}: {error}")) from error
    finally:
        with contextlib.suppress(ValueError, AssertionError):
            manager.unregister(name=point.name)
    return _one(point.name, registered)


def _one(name: str, registered: list[Any]) -> Connector:
    """The one connector an entry point must register, under its own name."""
    if not registered:
        raise RefusedError(name, "it registers no connector (is the hook called hub_register_connectors?)")
    foreign = next((thing for thing in registered if not isinstance(thing, Connector)), None)
    if foreign is not None:
        raise RefusedError(name, f"it registers a {type(foreign).__name__}, not a Connector")
    if [connector.name for connector in registered] != [name]:
        names = ", ".join(connector.name for connector in registered)
        raise RefusedError(name, f"it registers {names}; expected one connector called {name}")
    connector: Connector = registered[0]
    return connector


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 1] + "…"


def read_manifests(points: Iterable[EntryPoint] | None = None) -> Manifests:
    """Manifests of all installed connectors, read as data: no connector is imported."""
    found: dict[str, Manifest] = {}
    refused: dict[str, str] = {}
    for point in installed_connectors().values() if points is None else points:
        try:
            found[point.name] = read_manifest(find_manifest(point.module))
        except ConfigurationError as error:
            refused[point.name] = str(error)
    for name, owner in _second_owners(found).items():
        refused[name] = f"its unit {found.pop(name).unit} is connector {owner}'s already; a unit has one connector"
    return Manifests(found, refused)


def _second_owners(found: Mapping[str, Manifest]) -> dict[str, str]:
    """Connectors that claim another's unit → that other one: who bears the unit's name owns it, else the first by name."""
    owners: dict[str, str] = {}
    for name in sorted(found, key=lambda name: (name != found[name].unit, name)):
        owners.setdefault(found[name].unit, name)
    return {name: owners[manifest.unit] for name, manifest in found.items() if owners[manifest.unit] != name}
