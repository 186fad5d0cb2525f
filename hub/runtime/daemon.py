"""`hub run`: named side tasks in one process that stops well.

The tasks start in order and stop in the same order (intake first, the writer last). One that dies stops the others and
the process ends non-zero, for the service manager to start it again. SIGTERM or SIGINT drains for at most 30 s and ends
with 0; the second one ends the process at once. SIGHUP reloads.
"""

from __future__ import annotations

import fcntl
import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from hub.core.errors import HubError, RetryError

if TYPE_CHECKING:
    import uvicorn

__all__ = ["Daemon", "SideTask", "WebTask", "grouped", "hub_lock", "listen"]

DRAIN = 30.0
"""Seconds from the first signal to the end, whatever still runs."""
LOOK = 0.05
"""Seconds between two looks at the tasks."""
DIED = 1
"""Exit code when a side task died, or did not drain in time."""

log = structlog.get_logger("hub.daemon")


class SideTask(NamedTuple):
    """A named loop: ``run(stop)`` returns soon after ``stop`` is set; ``ready`` says whether it does its work now."""

    name: str
    run: Callable[[threading.Event], None]
    ready: Callable[[], bool] = lambda: True


@dataclass
class _Started:
    task: SideTask
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    error: BaseException | None = None
    ended: bool = False

    def start(self) -> None:
        self.thread = threading.Thread(target=self._run, name=self.task.name, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.task.run(self.stop)
        except BaseException as error:  # SystemExit too: whatever ends a task ends the process, and is named
            self.error = error
        finally:
            self.ended = True


class Daemon:
    """Runs side tasks until a signal or until one of them dies."""

    def __init__(
        self, tasks: Sequence[SideTask], *, reload: Callable[[], object] | None = None, drain: float = DRAIN
    ) -> None:
        self._tasks = [_Started(task) for task in tasks]
        self._reload = reload
        self._drain = drain
        self._stop = threading.Event()
        self._hup = threading.Event()
        self._stopped_at = 0.0

    def readiness(self) -> dict[str, bool]:
        """Task name → alive, not stopping, and at work."""
        return {
            one.task.name: one.thread is not None and not one.ended and not self._stop.is_set() and one.task.ready()
            for one in self._tasks
        }

    def stop(self) -> None:
        """As the first SIGTERM does."""
        self._stop.set()

    def run(self) -> int:
        """Run to the end; the exit code. Must be called in the main thread (signals)."""
        before = self._take_signals()
        try:
            for one in self._tasks:
                one.start()
            log.info("started", tasks=[one.task.name for one in self._tasks], pid=os.getpid())
            dead = self._wait()
            return self._end(dead)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _take_signals(self) -> dict[int, Any]:
        before: dict[int, Any] = {}
        for number in (signal.SIGTERM, signal.SIGINT):
            before[number] = signal.signal(number, self._signalled)
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda number, frame: self._hup.set())
        return before

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if self._stop.is_set():
            os._exit(128 + number)
        self._stop.set()

    def _wait(self) -> _Started | None:
        """Until a signal (None) or a task's death (that task)."""
        while not self._stop.wait(LOOK):
            dead = next((one for one in self._tasks if one.ended), None)
            if dead is not None:
                return dead
            if self._hup.is_set():
                self._hup.clear()
                self._reloaded()
        return None

    def _reloaded(self) -> None:
        if self._reload is None:
            return
        try:
            self._reload()
            log.info("reloaded")
        except HubError as error:
            log.error("reload refused, the old configuration stays", code=error.code, reason=str(error))

    def _end(self, dead: _Started | None) -> int:
        """Stop the tasks in order within the drain time; 0 only after a signal and when all have ended."""
        if dead is not None:
            log.error("side task died", task=dead.task.name, error=_named(dead.error))
        self._stop.set()
        limit = time.monotonic() + self._drain
        for one in self._tasks:
            one.stop.set()
            while not one.ended and time.monotonic() < limit:
                assert one.thread is not None
                one.thread.join(LOOK)
            if not one.ended:
                log.error("side task did not drain", task=one.task.name)
        clean = all(one.ended and one.error is None for one in self._tasks)
        log.info("ended", clean=clean)
        return 0 if dead is None and clean else DIED


def _named(error: BaseException | None) -> str:
    """Class and code; never the text, which may hold values."""
    if error is None:
        return "returned"
    return f"{type(error).__name__} {error.code}" if isinstance(error, HubError) else type(error).__name__


# --- the door --------------------------------------------------------------------------------------------------------


def listen(address: str) -> socket.socket:
    """A listening socket for ``host:port``. Raises ``RetryError`` (http.busy) when it cannot be had."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, int(port)))
        made.listen(512)
    except OSError as error:
        made.close()
        raise RetryError(
            f"cannot listen on {address}: {error.strerror}", code="http.busy", remedy="set listen to a free address"
        ) from error
    return made


class WebTask:
    """uvicorn in a thread, on a socket that is bound already; requests in progress are finished at the end.

    ``make_app`` is called in that thread: loading a web application takes as long as all the rest of a start.
    """

    def __init__(self, make_app: Callable[[], Any], listening: socket.socket, *, graceful: int = 10) -> None:
        self._make_app = make_app
        self._listening = listening
        self._graceful = graceful
        self._server: uvicorn.Server | None = None

    def is_serving(self) -> bool:
        """Whether requests are being answered."""
        server = self._server
        return server is not None and bool(server.started) and not server.should_exit

    def run(self, stop: threading.Event) -> None:
        """Serve until ``stop``."""
        import uvicorn

        self._server = server = uvicorn.Server(
            uvicorn.Config(
                self._make_app(),
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=self._graceful,
                timeout_keep_alive=15,
                server_header=False,
                h11_max_incomplete_event_size=64 * 1024,
            )
        )
        gc.freeze()  # all is loaded that stays: no later collection looks at it again
        threading.Thread(target=self._end_with, args=(server, stop), daemon=True, name="web-stop").start()
        server.run(sockets=[self._listening])

    def _end_with(self, server: uvicorn.Server, stop: threading.Event) -> None:
        stop.wait()
        server.should_exit = True


# --- one daemon a folder ---------------------------------------------------------------------------------------------


@contextmanager
def hub_lock(folder: Path, *, seconds: float = 0.0) -> Iterator[None]:
    """Hold ``hub.lock``: on SQLite one process writes. Raises ``RetryError`` (hub.locked) when another holds it.

    The system lets go of it when the process ends, however it ends.
    """
    path = folder / "hub.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor, seconds)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= end:
                raise RetryError(
                    "another process of this folder is running",
                    code="hub.locked",
                    remedy="stop it, or ask it by hub.sock",
                ) from None
            pause.wait(LOOK)


def grouped(parts: Mapping[str, bool]) -> dict[str, bool]:
    """Readiness as `/readyz` shows it: intake (web and writer), schedule (tick) and outbox (relay)."""
    groups = {"intake": ("web", "writer"), "schedule": ("tick",), "outbox": ("relay",)}
    return {name: all(parts.get(part, True) for part in members) for name, members in groups.items()}
