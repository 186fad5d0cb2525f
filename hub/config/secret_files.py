"""Reading a secret that the configuration names by reference. Its value is never part of a message."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from hub.core.errors import ConfigurationError
from hub.settings import SecretRef


class SecretError(ConfigurationError):
    """A secret cannot be read, or others can read it too."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}, found {found}", code="secret.unreadable", remedy=f"provide {expected}")
        self.expected = expected
        self.found = found


def read_secret(ref: SecretRef) -> bytes:
    """The bytes behind a reference, without the line end. Raises SecretError."""
    if ref.env:
        if not os.environ.get(ref.env):
            raise SecretError(f"the environment variable {ref.env}", "none")
        return os.environ[ref.env].encode()
    if ref.credential:
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise SecretError(f"the systemd credential {ref.credential}", "no CREDENTIALS_DIRECTORY")
        return _read(Path(folder) / ref.credential)
    return _read(Path(ref.file))


def _read(path: Path) -> bytes:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077 and not os.environ.get("CREDENTIALS_DIRECTORY"):
            raise SecretError(f"{path} readable by its owner alone (chmod 600)", f"mode {mode:o}")
        return path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise SecretError(f"the secret file {path}", error.strerror or "an unreadable one") from error


def write_secret(path: Path, secret: bytes) -> None:
    """Create a secret file, 0600 from its first byte, in a folder made 0700. Raises FileExistsError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret + b"\n")
        file.flush()
        os.fsync(file.fileno())


def references(value: object) -> list[SecretRef]:
    """Every reference inside settings, however deep: for `hub check`, and for the redaction of what they hold."""
    if isinstance(value, SecretRef):
        return [value]
    if isinstance(value, Mapping):
        return [ref for inner in value.values() for ref in references(inner)]
    if isinstance(value, list | tuple):
        return [ref for inner in value for ref in references(inner)]
    if hasattr(value, "__dataclass_fields__"):
        return [ref for name in value.__dataclass_fields__ for ref in references(getattr(value, name))]
    return []
