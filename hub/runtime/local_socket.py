"""``hub.sock``: how a command on this machine hands its work to the daemon that holds the archive.

A frame is four bytes of length (big-endian) and a JSON object: ``{"do": "land", "page": {…}}`` →  ``{"uid": "…"}``,
``{"do": "receipt", "uid": "…", "seconds": 2}`` → ``{"receipt": {…}}``, or ``{"error": {"code", "message", "remedy"}}``.
The socket is 0600 in the configuration folder: who may open it may read the keys too.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

from hub.core.errors import HubError, RetryError
from hub.core.freight import Page
from hub.core.records import SHANGHAI, StreamKey

__all__ = ["LocalServer", "ask", "is_served", "page_from_json", "page_to_json"]

Handler = Callable[[Mapping[str, Any]], Mapping[str, Any]]

LONGEST_FRAME = 256 * 1024 * 1024
"""A page of a file is far smaller; more is not one of our commands."""
PATH_LIMIT = 100
"""Bytes; the system takes 107 for a socket's path."""
LOOK = 0.2
"""Seconds between two looks at the stop event."""


def page_to_json(page: Page) -> dict[str, Any]:
    """A page without lease, as JSON values."""
    told = page._asdict()
    told.pop("lease")
    return {
        **told,
        "stream": list(page.stream),
        "body": page.body.decode(),
        "received_at": page.received_at.isoformat(),
    }


def page_from_json(told: Mapping[str, Any]) -> Page:
    """The page again. Raises ``HubError`` (socket.page) when it is none."""
    try:
        return Page(
            **{
                **told,
                "stream": StreamKey(*told["stream"]),
                "body": told["body"].encode(),
                "received_at": datetime.fromisoformat(told["received_at"]).astimezone(SHANGHAI),
            }
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise HubError("not a page", code="socket.page") from error


def _send(to: socket.socket, told: Mapping[str, Any]) -> None:
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8", "replace")
    to.sendall(struct.pack(">I", len(body)) + body)


def _receive(source: socket.socket) -> dict[str, Any] | None:
    """One frame; None: the other side has ended."""
    head = _exactly(source, 4)
    if head is None:
        return None
    (length,) = struct.unpack(">I", head)
    body = _exactly(source, length) if length <= LONGEST_FRAME else None
    if body is None:
        raise HubError("a broken frame", code="socket.frame")
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise HubError("a frame that is no JSON object", code="socket.frame")
    return told


def _exactly(source: socket.socket, count: int) -> bytes | None:
    taken = bytearray()
    while len(taken) < count:
        piece = source.recv(min(count - len(taken), 1024 * 1024))
        if not piece:
            return None
        taken += piece
    return bytes(taken)


@contextmanager
def _address(path: Path) -> Iterator[str]:
    """The path as the system takes it: through a descriptor of its folder when it is too long."""
    if len(os.fsencode(path)) <= PATH_LIMIT:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


@dataclass
class LocalServer:
    """Answers frames by ``handlers`` (by the word under ``do``), a thread for each command that calls."""

    path: Path
    handlers: Mapping[str, Handler]
    _listening: socket.socket = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Listen; a socket left behind by a killed daemon is replaced (the caller holds the lock)."""
        self.path.unlink(missing_ok=True)
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            with _address(self.path) as address:
                self._listening.bind(address)
        finally:
            os.umask(before)
        self._listening.listen(16)
        self._listening.settimeout(LOOK)

    def run(self, stop: Event) -> None:
        """Serve until ``stop``; then the socket is gone."""
        try:
            while not stop.is_set():
                try:
                    caller, _ = self._listening.accept()
                except TimeoutError:
                    continue
                caller.settimeout(LOOK)
                threading.Thread(target=self._serve, args=(caller, stop), daemon=True, name="socket").start()
        finally:
            self.close()

    def close(self) -> None:
        """Stop listening and remove the socket."""
        self._listening.close()
        self.path.unlink(missing_ok=True)

    def _serve(self, caller: socket.socket, stop: Event) -> None:
        with caller, contextlib.suppress(OSError):
            while not stop.is_set():
                try:
                    caller.settimeout(LOOK)
                    if not caller.recv(1, socket.MSG_PEEK):
                        return
                except TimeoutError:
                    continue
                caller.settimeout(30.0)
                try:
                    asked = _receive(caller)
                except HubError as error:
                    _send(caller, _told(error))
                    return
                if asked is None:
                    return
                _send(caller, self._answer(asked))

    def _answer(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        handler = self.handlers.get(str(asked.get("do")))
        if handler is None:
            return _told(HubError("the daemon does not know this", code="socket.unknown"))
        try:
            return handler(asked)
        except HubError as error:
            return _told(error)
        except Exception as error:  # a command's mistake may not end the daemon
            return _told(HubError(f"the daemon failed: {type(error).__name__}", code="hub.defect"))


def _told(error: HubError) -> dict[str, Any]:
    kind = "retry" if isinstance(error, RetryError) else "person"
    return {"error": {"code": error.code, "message": str(error), "remedy": error.remedy, "kind": kind}}


def is_served(path: Path) -> bool:
    """Whether a daemon answers on this socket."""
    try:
        with _connected(path, 1.0):
            return True
    except RetryError:
        return False


@contextmanager
def _connected(path: Path, seconds: float) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(seconds)
        try:
            with _address(path) as address:
                caller.connect(address)
        except OSError as error:
            raise RetryError("no daemon answers on hub.sock", code="daemon.absent") from error
        yield caller


def ask(path: Path, do: str, *, timeout: float = 90.0, **arguments: Any) -> dict[str, Any]:
    """One question to the daemon. Raises ``RetryError`` (not there, too slow) or the ``HubError`` it answers with."""
    with _connected(path, timeout) as caller:
        try:
            _send(caller, {"do": do, **arguments})
            answer = _receive(caller)
        except OSError as error:
            raise RetryError("the daemon does not answer", code="daemon.silent") from error
    if answer is None:
        raise RetryError("the daemon ended while it was asked", code="daemon.ended")
    if "error" in answer:
        told = answer["error"]
        made = RetryError if told.get("kind") == "retry" else HubError
        raise made(told["message"], code=told["code"], remedy=told.get("remedy", ""))
    return answer
