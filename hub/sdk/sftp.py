"""A drop folder on another machine, by SFTP (paramiko). The server must show the host key that was written down for it.

A file is copied into memory that belongs to no folder before it is read: nothing of it touches a disk of ours. One
connection serves one read or one delivery; it is closed between them.
"""

from __future__ import annotations

import io
import os
import posixpath
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import IO, Any
from urllib.parse import unquote, urlsplit

import paramiko
from paramiko.hostkeys import HostKeyEntry

from hub.core.errors import ConfigurationError, CredentialsError, HubError, PersonError, RetryError
from hub.sdk.endpoint import Endpoint
from hub.sdk.places import Look

__all__ = ["SftpPlace", "folder_of"]

CHUNK = 256 * 1024
MOST_READ = 4 * 1024 * 1024
KEYS: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


def folder_of(url: str) -> str:
    """The folder of ``sftp://user@host:port/folder``; ``//`` before it: from the root, else from the home folder."""
    path = unquote(urlsplit(url).path)
    return path[1:].rstrip("/") or "."


class _Unknown(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]  # paramiko brings no types
    """Nobody is trusted at first sight: the error names the key that was shown, for a person to compare."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        raise _host_key_error(key)


def _host_key_error(key: paramiko.PKey) -> PersonError:
    return PersonError(
        f"the server shows the host key {key.fingerprint}",
        code="sftp.host_key",
        remedy="compare it with the server's administrator, then set host_key in auth",
    )


class SftpPlace:
    """One server's folders; ``folder`` arguments are paths on it. Errors by what happens next."""

    def __init__(
        self, url: str, kind: str, secret: str, host_key: str = "", *, seconds: float = 60.0,
        endpoint: Endpoint | None = None,
    ) -> None:  # fmt: skip
        """``kind``: ``basic`` (``secret`` is a password) or ``key`` (a private key in OpenSSH or PEM form).

        ``host_key`` is one line as ``ssh-keyscan`` prints it, or its last two words; ``endpoint`` is the health of that
        server, shared by all who call it. Raises ``ConfigurationError``.
        """
        parts = urlsplit(url)
        self._host, self._user = parts.hostname or "", unquote(parts.username or "")
        try:
            self._port = parts.port or 22
        except ValueError:
            self._host = ""
        if not self._host or not self._user or parts.password is not None:
            raise ConfigurationError(
                "the folder's address is no sftp://user@host:port/folder",
                code="sftp.url",
                remedy="give the password in auth",
            )
        self._login: dict[str, Any] = {"pkey": _private_key(secret)} if kind == "key" else {"password": secret}
        self._known = _host_key(host_key)
        self._seconds = seconds
        self._endpoint = endpoint
        self._one = Lock()  # deliveries come from several threads
        self._client: paramiko.SFTPClient | None = None

    @contextmanager
    def session(self) -> Iterator[None]:
        """One connection, one call of the endpoint. Raises ``CredentialsError``, ``PersonError`` or ``RetryError``."""
        with self._one:
            if self._endpoint is None:
                with self._connected():
                    yield
                return
            with self._endpoint.turn(self._seconds):
                try:
                    with self._connected():
                        yield
                except RetryError as error:
                    gone = not isinstance(error.__cause__, FileNotFoundError)
                    self._endpoint.met(error.code if gone else "")
                    raise
                except HubError:
                    self._endpoint.met()
                    raise
                self._endpoint.met()

    @contextmanager
    def _connected(self) -> Iterator[None]:
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(_Unknown())
        if self._known is not None:
            name = self._host if self._port == 22 else f"[{self._host}]:{self._port}"
            client.get_host_keys().add(name, self._known.get_name(), self._known)
        try:
            client.connect(
                self._host, self._port, self._user, timeout=self._seconds, banner_timeout=self._seconds,
                auth_timeout=self._seconds, allow_agent=False, look_for_keys=False, **self._login,
            )  # fmt: skip
            self._client = client.open_sftp()
            channel = self._client.get_channel()
            assert channel is not None
            channel.settimeout(self._seconds)
            yield
        except paramiko.BadHostKeyException as error:
            raise _host_key_error(error.key) from None
        except paramiko.AuthenticationException:
            raise CredentialsError(
                "the server refused our login",
                code="sftp.denied",
                remedy="renew the password or key, or ask for the account",
            ) from None
        except PermissionError as error:
            raise PersonError(
                "the server does not let us use the folder",
                code="files.folder",
                remedy="ask for the right to read and write",
            ) from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise RetryError("the SFTP server cannot be reached", code="sftp.unavailable") from error
        finally:
            self._client = None
            client.close()

    @property
    def _sftp(self) -> paramiko.SFTPClient:
        assert self._client is not None, "only within a session"
        return self._client

    def files(self, folder: str) -> dict[str, Look]:
        """See ``Place``; the server gives no inode."""
        found: dict[str, Look] = {}
        for entry in self._sftp.listdir_iter(folder):
            if stat.S_ISREG(entry.st_mode or 0):
                found[entry.filename] = Look(entry.st_size or 0, (entry.st_mtime or 0) * 10**9, 0)
        return found

    @contextmanager
    def local(self, folder: str, name: str, most: int) -> Iterator[Path]:
        """See ``Place``: a copy in memory."""
        with _memory() as copy:
            with self._sftp.open(posixpath.join(folder, name), "rb", CHUNK) as opened:
                opened.prefetch(max_concurrent_requests=64)
                size = 0
                while size <= most and (piece := opened.read(CHUNK)):
                    size += copy.write(piece)
            copy.flush()
            yield Path(f"/proc/self/fd/{copy.fileno()}")

    def read(self, folder: str, name: str) -> bytes:
        """See ``Place``."""
        with self._sftp.open(posixpath.join(folder, name), "rb") as opened:
            return bytes(opened.read(MOST_READ))

    def write(self, folder: str, name: str, content: bytes) -> None:
        """See ``Place``: under a temporary name, then renamed."""
        self._make(folder)
        temporary = posixpath.join(folder, f".{name}.tmp")
        with self._sftp.open(temporary, "wb") as opened:
            opened.set_pipelined(True)
            opened.write(content)
        self._rename(temporary, posixpath.join(folder, name))

    def move(self, folder: str, name: str, to: str, new: str) -> None:
        """See ``Place``."""
        self._make(to)
        self._rename(posixpath.join(folder, name), posixpath.join(to, new))

    def remove(self, folder: str, name: str) -> None:
        """See ``Place``."""
        with suppress(FileNotFoundError):
            self._sftp.remove(posixpath.join(folder, name))

    def _make(self, folder: str) -> None:
        try:
            self._sftp.stat(folder)
        except FileNotFoundError:
            if parent := posixpath.dirname(folder):
                self._make(parent)
            self._sftp.mkdir(folder)

    def _rename(self, old: str, new: str) -> None:
        try:
            self._sftp.posix_rename(old, new)
        except OSError:
            with suppress(FileNotFoundError):  # a server without this extension never replaces a file
                self._sftp.remove(new)
            self._sftp.rename(old, new)


@contextmanager
def _memory() -> Iterator[IO[bytes]]:
    """A file in no folder: in memory where the system has that, else one without a name."""
    try:
        opened: IO[bytes] = os.fdopen(os.memfd_create("drop", os.MFD_CLOEXEC), "w+b")
    except (AttributeError, OSError):
        opened = tempfile.TemporaryFile("w+b")  # noqa: SIM115 (closed below)
    with opened:
        yield opened


def _private_key(secret: str) -> paramiko.PKey:
    for kind in KEYS:
        try:
            return kind.from_private_key(io.StringIO(secret))
        except (paramiko.SSHException, ValueError):
            continue
    raise ConfigurationError(
        "the private key cannot be read", code="sftp.key", remedy="an OpenSSH or PEM key without passphrase"
    )


def _host_key(line: str) -> paramiko.PKey | None:
    if not line.strip():
        return None
    words = line.split()
    try:
        entry = HostKeyEntry.from_line(line if len(words) > 2 else f"host {line}")
    except paramiko.hostkeys.InvalidHostKey:
        entry = None
    if entry is None or entry.key is None:
        raise ConfigurationError(
            "host_key is no host key", code="sftp.host_key", remedy="one line as ssh-keyscan prints it"
        )
    return entry.key
