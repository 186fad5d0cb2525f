"""One process running one connector, and the questions put to it through the pipe.

It has a session of its own, an empty environment and no file but the pipe. What it does not answer in time ends it with
everything it started; what was in flight then fails as *retry*: nothing has landed, and `map` is asked again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

import structlog

from hub.core.errors import ConfigurationError, HubError, RetryError
from hub.runtime import wire
from hub.runtime.reach import Reach, unclosable
from hub.runtime.wire import BrokenFrameError, Frame, coded, worn
from hub.runtime.worker import ERRORS

__all__ = ["Bounds", "Child", "ChildSpec", "Described", "DiedError", "bounded", "refused"]

log = structlog.get_logger("hub.connector")

LONGEST_AFTER = 86_400.0
"""Seconds; whoever asks us to wait longer is asked again in a day."""
STDERR_KEPT = 4096
"""Bytes of what a process wrote to stderr that are looked at for the name of its last error."""


class Bounds(NamedTuple):
    """What one connector's process may take. Seconds are on the monotonic clock."""

    memory: int = 1024 * 1024 * 1024  # bytes of private memory
    files: int = 256
    frame: int = 256 * 1024 * 1024  # bytes it may say at once
    load: float = 20.0  # from start to loaded
    page: float = 200.0  # from one page to the next
    map: float = 10.0  # a page to map, and 2 ms a row
    render: float = 10.0
    send: float = 75.0


@dataclass(frozen=True, kw_only=True)
class ChildSpec:
    """Which connector runs in a process, and within which bounds. ``entry``: what its entry point names."""

    name: str
    entry: str
    unit: str
    bounds: Bounds = field(default_factory=Bounds)
    paths: tuple[str, ...] = ()  # folders looked in before the installed ones: a candidate's own
    known: frozenset[str] = field(default=frozenset(), repr=False)  # words of its configuration, free in messages
    reach: Reach = field(default_factory=Reach)  # files of its own, beside Python and the system's libraries
    authorities: str = field(default="", repr=False)  # PEM: private CAs whose peers are believed
    required: bool = False  # not started where it cannot be closed in


class Described(NamedTuple):
    """What a loaded connector says of itself: stream → kind, title, the names of its columns, where each goes."""

    unit: str
    streams: Mapping[str, Mapping[str, Any]]


class DiedError(RetryError):
    """The process ended, hung or broke the protocol while something was asked of it."""


class Child:
    """One process running one connector: ``start``, then the verbs, from any number of threads; ``close`` or ``kill``."""

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self.described = Described("", {})
        self.pid = 0
        self.died = ""  # why it is dead, coded; empty: it lives
        self.open = ""  # why it is not closed in (`reach.close_in`); empty: it is
        self.stale = False  # files under its names have changed: it takes a new process to use them
        self._temporary = ""
        self._numbers = count(1)
        self._calls: dict[int, SimpleQueue[Frame | None]] = {}
        self._lock = threading.Lock()
        self._write = threading.Lock()
        self._errors = deque[bytes](maxlen=8)

    # --- life

    def start(self) -> Child:
        """Start the process and load the connector in it. Raises ``RefusedError``-like ``ConfigurationError``."""
        ours, theirs = socket.socketpair()
        self._pipe = ours
        try:
            self._process = _spawner.submit(_spawn, theirs).result()
        finally:
            theirs.close()
        self.pid = self._process.pid
        if self.died:  # closed while it was being started
            self.died = ""
            self.kill("closed")
        threading.Thread(target=self._listen, name=f"pipe-{self.spec.name}", daemon=True).start()
        threading.Thread(target=self._overhear, name=f"stderr-{self.spec.name}", daemon=True).start()
        bounds = self.spec.bounds
        try:
            self._temporary = _temporary_folder(self.spec.name)
            wire.send(
                ours,
                {
                    "memory": bounds.memory,
                    "files": bounds.files,
                    "path": [*self.spec.paths, *sys.path],
                    "reach": self.spec.reach.to_wire(),
                    "temporary": self._temporary,
                    "required": self.spec.required,
                    "authorities": self.spec.authorities,
                },
            )
            told = self.ask("load", {"name": self.spec.name, "entry": self.spec.entry}, seconds=bounds.load).head
            self.open = unclosable(self.spec.reach)
            self.described = Described(str(told["unit"]), told["streams"])
        except (DiedError, OSError, KeyError) as error:
            self.kill("load")
            how = (
                "it takes too long to load" if self.died == "connector.hung" else f"it ends while loading{self._last()}"
            )
            raise refused(self.spec.name, how) from error
        except ConfigurationError:
            self.kill("refused")
            raise
        if self.described.unit != self.spec.unit:
            self.kill("refused")
            raise refused(self.spec.name, f"it speaks for another unit than its manifest ({self.spec.unit})")
        return self

    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return not self.died and self._process.poll() is None

    def kill(self, why: str) -> None:
        """End the process and whatever it started, at once; calls in flight fail. Safe to repeat."""
        with self._lock:
            if self.died:
                return
            self.died = f"connector.{why}"
        if not self.pid:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            self._pipe.shutdown(socket.SHUT_RDWR)
        self._process.wait()
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._fail_all()

    def close(self, seconds: float = 0.0) -> None:
        """Wait at most ``seconds`` for calls in flight, then end the process."""
        end, pause = time.monotonic() + seconds, threading.Event()
        while self._calls and not self.died and time.monotonic() < end:
            pause.wait(0.02)
        self.kill("closed")

    # --- calls

    def ask(self, do: str, told: Mapping[str, Any], *blobs: bytes, seconds: float) -> Frame:
        """One question, one answer within ``seconds``. Raises what the connector raised, or ``DiedError``."""
        with self._call(do, told, *blobs) as (_, answers):
            frame = self._next(answers, seconds)
            if frame.head.get("is") != "done":
                raise self.broken("an answer that is none")
            return frame

    def stream(self, do: str, told: Mapping[str, Any], *, seconds: float) -> Iterator[Frame]:
        """Pages, each within ``seconds`` of the one before; asking for the next says that this one has landed."""
        with self._call(do, told) as (number, answers):
            try:
                while (frame := self._next(answers, seconds)).head.get("is") == "page":
                    yield frame
                    self._say({"id": number, "do": "more"})
            except GeneratorExit:  # enough: the source is left where it stands
                with contextlib.suppress(DiedError):
                    self._say({"id": number, "do": "cancel"})
                raise

    @contextlib.contextmanager
    def _call(self, do: str, told: Mapping[str, Any], *blobs: bytes) -> Iterator[tuple[int, SimpleQueue[Frame | None]]]:
        number = next(self._numbers)
        answers: SimpleQueue[Frame | None] = SimpleQueue()
        with self._lock:
            if self.died:
                raise self._death()
            self._calls[number] = answers
        try:
            self._say({"id": number, "do": do, **told}, *blobs)
            yield number, answers
        finally:
            with self._lock:
                self._calls.pop(number, None)

    def _say(self, head: Mapping[str, Any], *blobs: bytes) -> None:
        try:
            with self._write:
                wire.send(self._pipe, head, *blobs)
        except OSError:
            self.kill("died")
            raise self._death() from None

    def _next(self, answers: SimpleQueue[Frame | None], seconds: float) -> Frame:
        try:
            frame = answers.get(timeout=seconds)
        except Empty:
            self.kill("hung")
            raise self._death() from None
        if frame is None:
            raise self._death()
        self.stale = self.stale or frame.head.get("stale") is True
        if frame.head.get("is") == "error":
            raise self._error(frame.head)
        return frame

    def _error(self, told: Mapping[str, Any]) -> HubError:
        word, code = told.get("error"), coded(told.get("code"))
        text, remedy = worn(told.get("text"), self.spec.known), worn(told.get("remedy"), self.spec.known)
        if word == "refused":
            return refused(self.spec.name, text)
        kind = ERRORS.get(str(word), RetryError)
        if word == "stop":
            kind = HubError  # nothing of a connector's stops the hub
        if kind is RetryError:
            return RetryError(text, code=code, remedy=remedy, after=bounded(told.get("after")))
        return kind(text, code=code, remedy=remedy)

    def _death(self) -> DiedError:
        why = self.died or "connector.died"
        return DiedError(f"the process of {self.spec.name} has ended", code=why, remedy="it is started again by itself")

    def broken(self, what: str) -> DiedError:
        """End a process that does not keep to the protocol; the error to raise."""
        log.warning("connector broke the protocol", connector=self.spec.name, what=what)
        self.kill("broken")
        return self._death()

    # --- listening

    def _listen(self) -> None:
        try:
            while (frame := wire.receive(self._pipe, self.spec.bounds.frame)) is not None:
                answers = self._calls.get(frame.head.get("id", 0))
                if answers is not None:
                    if answers.qsize() > 2:
                        raise BrokenFrameError("more than was asked for")
                    answers.put(frame)
        except BrokenFrameError as error:
            self.broken(str(error))
        except (OSError, TypeError, MemoryError):
            pass
        self.kill("died")
        self._pipe.close()

    def _fail_all(self) -> None:
        with self._lock:
            waiting = list(self._calls.values())
        for answers in waiting:
            answers.put(None)

    def _overhear(self) -> None:
        """Whatever it writes to stderr is read, so that it never waits, and forgotten but for the end."""
        source = self._process.stderr
        assert source is not None
        with source, contextlib.suppress(OSError, ValueError):
            while piece := os.read(source.fileno(), STDERR_KEPT):
                self._errors.append(piece)

    def _last(self) -> str:
        """The class of the error its last words name; the words themselves may be anybody's data."""
        words = b"".join(self._errors).decode("utf-8", "replace").splitlines()
        name = words[-1].partition(":")[0].rpartition(".")[2] if words else ""
        return f" ({name})" if name.isidentifier() and name.endswith(("Error", "Exception")) else ""


def _temporary_folder(name: str) -> str:
    """A new folder for a process of this one; those of processes that were killed before they could remove theirs go."""
    for left in Path(tempfile.gettempdir()).glob(f"hub-{name}-*-*"):
        owner = left.name.split("-")[-2]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists() and Path("/proc/self").exists():
            shutil.rmtree(left, ignore_errors=True)
    return tempfile.mkdtemp(prefix=f"hub-{name}-{os.getpid()}-")


def refused(name: str, reason: str) -> ConfigurationError:
    """The error of a connector that cannot be taken."""
    return ConfigurationError(
        f"connector {name} is refused: {reason}",
        code="connector.refused",
        remedy=f"update or mend the package of {name}, then `hub connectors enable {name}`",
    )


def bounded(after: Any) -> float | None:
    """Seconds somebody asks us to wait, as far as we do."""
    if not isinstance(after, int | float) or not after >= 0:
        return None
    return min(float(after), LONGEST_AFTER)


_spawner = ThreadPoolExecutor(1, thread_name_prefix="spawn")
"""All processes are started by one thread that lives as long as the hub: their end-with-parent is the thread's."""


def _spawn(theirs: socket.socket) -> subprocess.Popen[bytes]:
    os.set_inheritable(theirs.fileno(), True)
    return subprocess.Popen(
        [sys.executable, "-I", "-X", "utf8", "-m", "hub.runtime.worker", str(theirs.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={"MALLOC_ARENA_MAX": "2"},  # of glibc: without it every thread reserves memory of its own
        cwd="/",
        pass_fds=(theirs.fileno(),),
        start_new_session=True,
        bufsize=0,
    )
