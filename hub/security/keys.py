"""Master keys: the file they stand in, and the keys derived from them.

The file (mode 0600, apart from the database and from its backups) holds one line per key::

    1 active,index 3q2-7wAB…        number, uses, 32 bytes in URL-safe Base64

``active``: new bodies are sealed with it (exactly one). ``index``: blind indexes and digests are made with it (exactly one;
it stays when ``active`` moves on, so that look-ups keep working). Any other key only opens what it sealed. Every working key
is derived by HKDF-SHA256 from the master key, its number and a purpose, so that no two purposes ever share one.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.core.errors import StopError
from hub.core.problems import remedy_of

__all__ = ["Keys", "MasterKey", "add_key", "create_key_file", "load_keys", "parse_keys", "read_key_file"]

_HEADER: Final = "# Master keys of the family care hub. Keep a copy apart from the database; without this file nothing can be opened.\n"
_SIZE: Final = 32
_LAST: Final = 255  # a key number is one byte of every sealed body


class MasterKey(NamedTuple):
    """One master key. Never printed: its representation holds the number and uses only."""

    number: int
    uses: frozenset[str]  # active, index; empty: opens only
    secret: bytes

    def __repr__(self) -> str:
        return f"MasterKey({self.number}, {','.join(sorted(self.uses)) or 'open'})"


class Keys:
    """All master keys of a hub."""

    __slots__ = ("_keys", "active", "index")

    def __init__(self, keys: Iterable[MasterKey]) -> None:
        self._keys = {key.number: key for key in keys}
        self.active = self._only("active")
        self.index = self._only("index")

    def _only(self, use: str) -> int:
        numbers = [number for number, key in self._keys.items() if use in key.uses]
        if len(numbers) != 1:
            raise _invalid(f"exactly one master key must be {use}, found {len(numbers)}")
        return numbers[0]

    @property
    def numbers(self) -> tuple[int, ...]:
        """Numbers of all keys, in order."""
        return tuple(sorted(self._keys))

    def __repr__(self) -> str:
        return f"Keys({[self._keys[number] for number in self.numbers]})"

    def derive(self, number: int, purpose: str, size: int = _SIZE) -> bytes:
        """The working key of ``purpose`` under key ``number``. Raises ``StopError`` (``keys.missing``) if there is none."""
        key = self._keys.get(number)
        if key is None:
            raise StopError(f"master key {number} is not there", code="keys.missing", remedy=remedy_of("keys.missing"))
        info = f"family-care-hub|{number}|{purpose}".encode()
        return HKDF(algorithm=hashes.SHA256(), length=size, salt=None, info=info).derive(key.secret)


def load_keys(text: str | bytes) -> Keys:
    """Keys from the text of a key file, however it came (file, environment, systemd credential)."""
    return Keys(parse_keys(text))


def read_key_file(path: Path) -> Keys:
    """Keys from a file. Raises ``StopError``: ``keys.missing`` (no file), ``keys.invalid`` (content, or readable by all)."""
    try:
        text = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        raise StopError(
            f"the master key file cannot be read: {error.strerror}",
            code="keys.missing",
            remedy=remedy_of("keys.missing"),
        ) from None
    if mode & 0o007:
        raise _invalid("the master key file is open to every account: chmod 600")
    return load_keys(text)


def create_key_file(path: Path) -> Keys:
    """Write a first key, 0600, durable before it returns. Raises ``FileExistsError`` rather than replace one."""
    key = MasterKey(1, frozenset({"active", "index"}), os.urandom(_SIZE))
    _write(path, [key], os.O_CREAT | os.O_EXCL)
    return Keys([key])


def add_key(path: Path) -> Keys:
    """Add a key and make it the active one; older keys stay to open what they sealed. Replaces the file at once."""
    keys = parse_keys(path.read_bytes())
    number = max(key.number for key in keys) + 1
    if number > _LAST:
        raise _invalid("no key number is left")
    older = [key._replace(uses=key.uses - {"active"}) for key in keys]
    fresh = MasterKey(number, frozenset({"active"}), os.urandom(_SIZE))
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    _write(beside, [*older, fresh], os.O_CREAT | os.O_EXCL)
    beside.replace(path)
    _sync_folder(path.parent)
    return Keys([*older, fresh])


def parse_keys(text: str | bytes) -> list[MasterKey]:
    """The keys of a key file's text; its errors name the line, never what stands in it."""
    try:
        lines = (text.decode("ascii") if isinstance(text, bytes) else text).splitlines()
    except UnicodeDecodeError:
        raise _invalid("the master key file is no text") from None
    keys = [_parse(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if len({key.number for key in keys}) != len(keys):
        raise _invalid("two master keys have one number")
    if not keys:
        raise StopError("there is no master key", code="keys.missing", remedy=remedy_of("keys.missing"))
    return keys


def _parse(line_number: int, line: str) -> MasterKey:
    try:
        number, uses, secret = line.split()
        key = MasterKey(int(number), frozenset(uses.split(",")) - {"open"}, base64.urlsafe_b64decode(secret))
    except ValueError:
        raise _invalid(f"line {line_number} is no master key") from None
    if not 1 <= key.number <= _LAST or len(key.secret) != _SIZE or not key.uses <= {"active", "index"}:
        raise _invalid(f"line {line_number} is no master key")
    return key


def _write(path: Path, keys: Iterable[MasterKey], flags: int) -> None:
    lines = [
        f"{key.number} {','.join(sorted(key.uses)) or 'open'} {base64.urlsafe_b64encode(key.secret).decode()}\n"
        for key in keys
    ]
    descriptor = os.open(path, os.O_WRONLY | flags, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(_HEADER + "".join(lines))
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _invalid(what: str) -> StopError:
    return StopError(what, code="keys.invalid", remedy=remedy_of("keys.invalid"))
