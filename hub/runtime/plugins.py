"""Which connectors are installed, and their manifests: read as data from package metadata, nothing is imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import NamedTuple

from hub.core.errors import ConfigurationError
from hub.sdk.manifest import FILE, Manifest, find_manifest, read_manifest

__all__ = ["GROUP", "Manifests", "candidate_package", "installed_connectors", "read_manifests"]

GROUP = "hub.connectors"


class Manifests(NamedTuple):
    """Manifests and entry points by connector name, and why others cannot be read."""

    manifests: Mapping[str, Manifest]
    refused: Mapping[str, str]
    entries: Mapping[str, str]  # what the entry point names: package.module, or package.module:object


def installed_connectors(group: str = GROUP) -> dict[str, EntryPoint]:
    """Entry points by name, sorted; nothing is imported."""
    return {point.name: point for point in sorted(entry_points(group=group), key=lambda point: point.name)}


def read_manifests(points: Iterable[EntryPoint] | None = None) -> Manifests:
    """Manifests of all installed connectors, read as data: no connector is imported."""
    found: dict[str, Manifest] = {}
    refused: dict[str, str] = {}
    entries: dict[str, str] = {}
    for point in installed_connectors().values() if points is None else points:
        try:
            manifest = read_manifest(find_manifest(point.module))
            if manifest.name != point.name:
                raise ConfigurationError(f"its manifest calls it {manifest.name}; expected {point.name}")
        except ConfigurationError as error:
            refused[point.name] = str(error)
        else:
            found[point.name], entries[point.name] = manifest, point.value
    for name, owner in _second_owners(found).items():
        refused[name] = f"its unit {found.pop(name).unit} is connector {owner}'s already; a unit has one connector"
    return Manifests(found, refused, entries)


def _second_owners(found: Mapping[str, Manifest]) -> dict[str, str]:
    """Connectors that claim another's unit → that other one: who bears the unit's name owns it, else the first by name."""
    owners: dict[str, str] = {}
    for name in sorted(found, key=lambda name: (name != found[name].unit, name)):
        owners.setdefault(found[name].unit, name)
    return {name: owners[manifest.unit] for name, manifest in found.items() if owners[manifest.unit] != name}


def candidate_package(path: Path, entry: str) -> tuple[Path, Path]:
    """Where another version of a package lies: (the folder to import it from, its manifest). Nothing is imported.

    ``path`` is a folder that holds the package as its entry point names it (also under ``src``), or the package's own
    folder. Raises ConfigurationError.
    """
    parts = entry.partition(":")[0].split(".")
    roots = [path, path / "src"]
    if list(path.absolute().parts[-len(parts) :]) == parts:
        roots.append(path.absolute().parents[len(parts) - 1])
    for root in roots:
        manifest = root.joinpath(*parts, FILE)
        if manifest.is_file():
            return root.absolute(), manifest
    raise ConfigurationError(
        f"{path} holds no {'/'.join(parts)}/{FILE}",
        code="connector.missing",
        remedy="name the folder from which the candidate's package is imported, or a TOML file",
    )
