"""What the kit is pointed at: an installed connector by name, or a package in a folder that was never installed."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

from hub.core.errors import ConfigurationError
from hub.runtime.plugins import GROUP, installed_connectors
from hub.sdk.manifest import FILE, find_manifest

__all__ = ["Target", "find_target"]


class Target(NamedTuple):
    """One connector: its name, its entry point, the folder of that module, and what Python must know to import it."""

    name: str
    entry: str  # what the entry point names: package.module, or package.module:object
    folder: Path  # of manifest.toml
    paths: tuple[str, ...] = ()  # put before sys.path in the child; empty: it is installed

    @property
    def module(self) -> str:
        """The package that the entry point names."""
        return self.entry.partition(":")[0]


def find_target(what: str) -> Target:
    """The connector called ``what``, or the one in the folder ``what``. Raises ConfigurationError for neither."""
    path = Path(what)
    if (path / "pyproject.toml").is_file():
        return _in_folder(path.resolve())
    points = installed_connectors()
    if what in points:
        return Target(what, points[what].value, find_manifest(points[what].module).parent)
    if what in _entries(Path()):  # its own test, run in its folder before it is installed
        return _in_folder(Path().resolve())
    if path.is_dir():
        raise ConfigurationError(
            f"{path} holds no pyproject.toml: it is no connector package.",
            code="kit.no_package",
            remedy="Name the folder that `hub connectors new` wrote, or an installed connector.",
        )
    raise ConfigurationError(
        f'no connector "{what}" is installed, and no folder is called so.',
        code="kit.unknown",
        remedy=f"Choose one of {', '.join(points)}, or the folder of a package.",
    )


def _entries(folder: Path) -> dict[str, str]:
    """What the package in ``folder`` declares as connectors; nothing where there is no package."""
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
        return dict(project.get("entry-points", {}).get(GROUP, {}))
    except OSError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _no_package(folder, f"pyproject.toml is no TOML ({error})") from error


def _in_folder(folder: Path) -> Target:
    """The one connector that a package declares. Its source may lie in the folder or in ``src``."""
    points = _entries(folder)
    if len(points) != 1:
        raise _no_package(folder, f'[project.entry-points."{GROUP}"] must name one connector, it names {len(points)}')
    ((name, entry),) = points.items()
    module = entry.partition(":")[0]
    for source in (folder, folder / "src"):
        package = source.joinpath(*module.split("."))
        if (package / FILE).is_file():
            return Target(name, entry, package, (str(source),))
    raise _no_package(folder, f"no {FILE} in the package {module}")


def _no_package(folder: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{folder}: {why}.", code="kit.no_package", remedy="Compare with a package of `hub connectors new`."
    )
