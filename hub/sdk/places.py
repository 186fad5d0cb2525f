"""Where a drop folder lies: what a source of files may do there, and the same for a folder of this machine.

Folders are named by their full path; files in them by folder and name. Writing is all or nothing; moving is one step.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from hub.core.errors import PersonError, RetryError
from hub.sdk.durable import write_whole

__all__ = ["LocalPlace", "Look", "Place", "folder_error"]


class Look(NamedTuple):
    """How a file looks from outside; a move keeps it."""

    size: int
    mtime_ns: int
    inode: int


class Place(Protocol):
    """One machine's folders. Raises ``OSError`` and the classes of ``hub.core.errors``."""

    def session(self) -> AbstractContextManager[None]:
        """Within it the place can be used."""
        ...

    def files(self, folder: str) -> dict[str, Look]:
        """The plain files of a folder by name; links and folders are left out. FileNotFoundError: no such folder."""
        ...

    def local(self, folder: str, name: str, most: int) -> AbstractContextManager[Path]:
        """The file where it can be opened here; one of more than ``most`` bytes may be cut there, not shorter."""
        ...

    def read(self, folder: str, name: str) -> bytes:
        """A small file: at most a few MiB of it."""
        ...

    def write(self, folder: str, name: str, content: bytes) -> None:
        """Write it whole; the folder is made where it is missing."""
        ...

    def move(self, folder: str, name: str, to: str, new: str) -> None:
        """Move a file; ``to`` exists or is made."""
        ...

    def remove(self, folder: str, name: str) -> None:
        """Remove a file if it is there."""
        ...


def folder_error(error: OSError) -> PersonError:
    """A folder that cannot be used as configured."""
    told = PersonError(
        "the folder cannot be read", code="files.folder", remedy="create it, or give the hub access to it"
    )
    told.__cause__ = error
    return told


class LocalPlace:
    """Folders of this machine."""

    @contextmanager
    def session(self) -> Iterator[None]:
        """What the disk refuses is tried again later."""
        try:
            yield
        except OSError as error:
            raise RetryError("a file cannot be read or moved now", code="files.busy") from error

    def files(self, folder: str) -> dict[str, Look]:
        """See ``Place``."""
        found: dict[str, Look] = {}
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    seen = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(seen.st_mode):
                    found[entry.name] = Look(seen.st_size, seen.st_mtime_ns, seen.st_ino)
        return found

    @contextmanager
    def local(self, folder: str, name: str, most: int) -> Iterator[Path]:
        """See ``Place``: the file itself."""
        yield Path(folder, name)

    def read(self, folder: str, name: str) -> bytes:
        """See ``Place``."""
        return Path(folder, name).read_bytes()

    def write(self, folder: str, name: str, content: bytes) -> None:
        """See ``Place``: flushed to the disk."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        write_whole(Path(folder, name), content)

    def move(self, folder: str, name: str, to: str, new: str) -> None:
        """See ``Place``."""
        Path(to).mkdir(parents=True, exist_ok=True)
        os.replace(Path(folder, name), Path(to, new))

    def remove(self, folder: str, name: str) -> None:
        """See ``Place``."""
        Path(folder, name).unlink(missing_ok=True)
