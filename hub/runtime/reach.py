"""Which files a connector's process may use: Python and its packages, the system's libraries, certificates and resolver, a
folder for temporary files, and what its own configuration names. Never the hub's own: database, keys, other connectors.

The hub says what (``Reach``, ``places_of``), the process closes itself in before it loads the connector (``close_in``).
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from mimetypes import knownfiles
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from hub.runtime.landlock import LEAST, LIST, MAKE, READ, WRITE, Rule, restrict, version
from hub.runtime.specs import FileSpec, SourceSpec, WaySpec

__all__ = ["NO_LANDLOCK", "Reach", "close_in", "places_of", "standing", "unclosable"]

NO_LANDLOCK = "kernel"
"""Why a process is not closed in: the kernel has no Landlock (Linux 5.19 has), or it is switched off."""

SYSTEM = (
    "/usr", "/lib", "/lib64", "/nix/store",
    "/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/ld.so.cache", "/etc/localtime",
    "/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/gai.conf", "/etc/nsswitch.conf", "/etc/services",
    "/etc/protocols", "/etc/krb5.conf", "/run/systemd/resolve", "/dev/urandom", "/proc/self", "/etc/os-release",
    *map(str, knownfiles),  # of mimetypes, which writing a workbook asks
)  # fmt: skip
"""What libraries, TLS and the look-up of names need to read; nobody's secret lies there."""
WRITE_AHEAD = 2
"""How an SQLite file says, in its 19th byte, that it is read with files beside it."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Absolute paths. ``spared``: what nobody may reach by a folder above it; ``local``: sockets of this machine too."""

    reads: tuple[str, ...] = ()
    works: tuple[str, ...] = ()  # folders: read, write, make, move and remove
    makes: tuple[str, ...] = ()  # folders to work in that are made where they are missing
    bases: tuple[str, ...] = ()  # SQLite files to read
    spared: tuple[str, ...] = ()
    local: bool = False

    def with_more(self, more: Reach) -> Reach:
        """Both."""
        joined: dict[str, Any] = {
            name: tuple(dict.fromkeys((*getattr(self, name), *getattr(more, name)))) for name in _LISTS
        }
        return Reach(**joined, local=self.local or more.local)

    def holds(self, other: Reach) -> bool:
        """Whether it is all of the other already."""
        return self.with_more(other) == self

    def lets_open(self, path: str) -> bool:
        """Whether a process with this reach may read a file."""
        places = (*SYSTEM, *_python(), *self.reads, *_working(self), *self.bases, "/dev/null")
        return any(_is_within(path, place) for place in places)

    def to_wire(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @staticmethod
    def from_wire(told: Mapping[str, Any]) -> Reach:
        """The reach again."""
        lists: dict[str, Any] = {name: tuple(told[name]) for name in _LISTS}
        return Reach(**lists, local=told["local"])


_LISTS = ("reads", "works", "makes", "bases", "spared")


# --- what a configuration names ---------------------------------------------------------------------------------------


def places_of(spec: SourceSpec | WaySpec | FileSpec | None) -> Reach:
    """What one source, way out or named file needs."""
    if spec is None:
        return Reach()
    if isinstance(spec, FileSpec):
        return Reach(reads=(_absolute(spec.path),))
    found = [_database(spec.url, writes=isinstance(spec, WaySpec)), *map(_own, spec.config.values())]
    if isinstance(spec, WaySpec):
        found.append(_folder(spec.folder, made=True))
    else:
        found.append(_folder(spec.options.get("folder", "")))
        found += [_folder(spec.options.get(name, ""), made=True) for name in ("done", "failed")]
    whole = Reach()
    for part in found:
        whole = whole.with_more(part)
    return whole


def _folder(folder: Any, *, made: bool = False) -> Reach:
    if not folder or "://" in str(folder):
        return Reach()
    path = _absolute(str(folder))
    return Reach(makes=(path,)) if made else Reach(works=(path,))


def _own(value: Any) -> Reach:
    """An option of the connector's own: a path or a database address its configuration names."""
    if not isinstance(value, str):
        return Reach()
    return _folder(value) if value.startswith("/") else _database(value, writes=False)


def _database(url: str, *, writes: bool) -> Reach:
    """An SQLite file; of a server: whether it is asked over a socket of this machine, and certificates its address names."""
    scheme = urlsplit(url).scheme.partition("+")[0]
    if scheme == "sqlite":
        path = _absolute(unquote(url.partition(":///")[2].partition("?")[0]))
        return Reach(works=(str(Path(path).parent),)) if writes else Reach(bases=(path,))
    if scheme in ("postgresql", "postgres", "mysql", "mariadb"):
        parts = urlsplit(url)
        named = {name: value for name, value in parse_qsl(parts.query) if value.startswith("/")}
        doors = [named.pop(name, "") for name in ("host", "unix_socket")]
        return Reach(reads=tuple(named.values()), local=not parts.hostname or any(doors))
    return Reach()


def _absolute(path: str) -> str:
    return os.path.normpath(os.path.join("/", path))


# --- closing in -------------------------------------------------------------------------------------------------------


def unclosable(reach: Reach) -> str:
    """Why a process with this reach cannot be closed in here; empty: it can.

    The path it was given, when the hub's own files lie in or under that.
    """
    if version() < LEAST:
        return NO_LANDLOCK
    given = (*_working(reach), *reach.reads, *reach.bases)
    return next((path for path in given if _above(path, reach.spared)), "")


def close_in(reach: Reach, temporary: str) -> str:
    """Give up every other file, for good; why it could not be, empty: done."""
    for folder in reach.makes:
        with contextlib.suppress(OSError):
            os.makedirs(folder, exist_ok=True)
    why = unclosable(reach)
    if why:
        return why
    return "" if restrict(_rules(reach, temporary)) else NO_LANDLOCK


def standing(reach: Reach) -> tuple[tuple[int, int] | None, ...]:
    """Which files stand under the names a process was given. A rule holds the file itself: for another of that name
    (a folder made or mounted later, a new resolv.conf) it takes a new process."""
    return tuple(map(_stands, (*SYSTEM, *reach.reads, *_working(reach), *reach.bases)))


def _stands(path: str) -> tuple[int, int] | None:
    try:
        seen = os.stat(path)
    except OSError:
        return None
    return seen.st_dev, seen.st_ino


def _working(reach: Reach) -> tuple[str, ...]:
    """Folders in which files come and go: those of a write-ahead SQLite file, too."""
    return (*reach.works, *reach.makes, *(os.path.dirname(path) for path in reach.bases if _is_write_ahead(path)))


def _is_write_ahead(path: str) -> bool:
    try:
        with open(path, "rb") as opened:
            return opened.read(20)[18:19] == bytes([WRITE_AHEAD])
    except OSError:
        return False


def _rules(reach: Reach, temporary: str) -> Iterator[Rule]:
    yield Rule("/dev/null", READ | WRITE)
    for folder in (temporary, *_working(reach)):
        yield Rule(folder, READ | WRITE | MAKE)
    for path in (*reach.reads, *reach.bases):
        yield Rule(path, READ)
    spared = [os.path.realpath(one) for one in reach.spared]
    for root in sorted({*SYSTEM, *_python()}):
        yield from _around(os.path.realpath(root), spared)


def _python() -> set[str]:
    """Where modules come from."""
    return {sys.prefix, sys.base_prefix, str(Path(__file__).parents[2]), *filter(os.path.isabs, sys.path)}


def _around(root: str, spared: Sequence[str]) -> Iterator[Rule]:
    """A folder to read; where something spared is or lies below it: its names, and all of its other entries."""
    if not _above(root, spared):
        yield Rule(root, READ)
        return
    yield Rule(root, LIST)
    for entry in os.scandir(root):
        place = os.path.realpath(entry.path)
        if not any(_is_within(place, one) for one in spared):
            yield from _around(place, spared)


def _above(folder: str, spared: Iterable[str]) -> bool:
    """Whether something spared is this folder or lies below it."""
    place = os.path.realpath(folder)
    return any(_is_within(os.path.realpath(one), place) for one in spared)


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")
