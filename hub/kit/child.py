"""The connector's side of the bench, always in a process of its own: ``python -m hub.kit.child SOCKET``.

One process imports the SDK once and forks a child for each start, so that a kit of fifty kills takes seconds. A child
has an empty environment and an empty folder, and an audit hook that notes what foreign code does to the world: files,
sockets, programs. It runs the hub's own worker, because that is what will run the connector.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import pickle
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NoReturn
from uuid import uuid4

from hub.core.errors import HubError
from hub.core.records import SHANGHAI
from hub.kit.wire import Closed, Start, describe, plain, receive, send
from hub.runtime.plugins import load_connectors
from hub.runtime.worker import ThreadWorker, page_of_rows
from hub.sdk.connector import Connector
from hub.sdk.peer import trust

MEMORY = 2 * 1024**3
"""Bytes of address space: a connector that takes more is ended by the system, as the hub's own limit would."""

ACTS = {
    "open", "socket.connect", "socket.bind", "subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn",
    "os.remove", "os.rename", "os.mkdir", "os.chmod", "os.putenv", "os.kill",
}  # fmt: skip
"""Audit events that touch the world."""


class _Acts:
    """What was done to the world since somebody last asked."""

    def __init__(self) -> None:
        self._seen: list[list[str]] = []
        self._deaf = False

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """The audit hook: never raises, keeps names and addresses only."""
        if event not in ACTS or self._deaf or len(self._seen) > 1000:
            return
        self._deaf = True
        try:
            mode = str(arguments[1]) if event == "open" else ""
            what = arguments[1] if event == "socket.connect" else arguments[0] if arguments else ""
            self._seen.append([f"open.{'write' if set(mode) & set('wax+') else 'read'}" if mode else event, str(what)])
        finally:
            self._deaf = False

    def take(self) -> list[list[str]]:
        """The acts so far; they are then forgotten."""
        seen, self._seen = self._seen, []
        return seen


def main() -> None:
    """Fork a child for each request until the bench closes the socket."""
    door = socket.socket(fileno=int(sys.argv[1]))
    trust()  # once, before the first fork
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are told apart by their pipes, nobody waits for them
    while True:
        request, given, _, _ = socket.recv_fds(door, 1 << 20, 2)
        if not request:
            return
        number = os.fork()
        if number == 0:
            door.close()
            _live(pickle.loads(request), *given)  # noqa: S301 - written by the bench, never by a connector
        for descriptor in given:
            os.close(descriptor)
        door.send(str(number).encode())


def _live(start: Start, pipe: int, output: int) -> NoReturn:
    """Be the child of one connector; ends with the process."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(start.folder)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.path[:0] = start.target.paths
    importlib.invalidate_caches()
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, force=True)
    acts = _Acts()
    sys.addaudithook(acts.hear)
    with contextlib.suppress(Closed):
        _serve(start, socket.socket(fileno=pipe), acts)
    sys.stdout.flush()
    os._exit(0)


def _serve(start: Start, pipe: socket.socket, acts: _Acts) -> None:
    loaded = load_connectors(points=[start.target.entry_point])
    if start.target.name not in loaded.connectors:
        send(pipe, {"refused": next(iter(loaded.refused.values()), "it is not there"), "acts": acts.take()})
        return
    connector = loaded.connectors[start.target.name]
    worker = ThreadWorker(connector, start.config, start.limits, clock=_now, new_uid=lambda: str(uuid4()))
    verbs: dict[str, Callable[..., Iterator[dict[str, Any]]]] = {"map": _map, "fetch": _fetch, "render": _render}
    send(pipe, {"ready": describe(connector), "acts": acts.take()})
    while True:
        request = receive(pipe)
        verb = verbs[request.pop("verb")]
        try:
            for answer in verb(connector, worker, **request):
                sys.stdout.flush()
                send(pipe, {**answer, "acts": acts.take()})
                if receive(pipe).get("enough"):
                    break
            last: dict[str, Any] = {"end": True}
        except Closed:
            raise
        except Exception as error:
            last = {"error": _told(error)}
        sys.stdout.flush()
        send(pipe, {**last, "acts": acts.take()})


def _told(error: Exception) -> dict[str, Any]:
    """An error as the hub would see it: which class of the tree, or none, and everything it says."""
    classes = [kind.__name__ for kind in type(error).__mro__ if issubclass(kind, HubError)]
    return {
        "class": classes[0] if classes else "",
        "classes": classes,
        "type": type(error).__name__,
        "code": getattr(error, "code", "") if classes else "",
        "after": getattr(error, "after", None),
        "text": f"{error} {getattr(error, 'remedy', '')}",
    }


def _now() -> datetime:
    return datetime.now(SHANGHAI)


def _map(
    connector: Connector, worker: ThreadWorker, stream: str, rows: list[Any], renames: dict[str, str]
) -> Iterator[dict[str, Any]]:
    page = page_of_rows(connector, stream, rows, uid=str(uuid4()), received_at=_now(), first_row=1, renames=renames)
    yield {"body": page.body.decode(), "entries": [plain(entry) for entry in worker.map(page)]}


def _fetch(connector: Connector, worker: ThreadWorker, stream: str, cursor: str | None) -> Iterator[dict[str, Any]]:
    for page, entries in worker.fetch(stream, cursor):
        yield {
            "cursor": page.cursor, "rows": page.rows, "body": page.body.decode(),
            "entries": [plain(entry) for entry in entries],
        }  # fmt: skip


def _render(connector: Connector, worker: ThreadWorker, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"bytes": connector.render(None, body).decode("utf-8", "surrogateescape")}


if __name__ == "__main__":
    main()
