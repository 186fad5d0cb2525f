"""The connector's side of the bench, always in a process of its own: ``python -m hub.kit.child SOCKET``.

One process imports the SDK once and forks a child for each start, so that a kit of fifty kills takes seconds. A child
has an empty environment and an empty folder, and an audit hook that notes what foreign code does to the world: files,
sockets, programs. What it
runs the connector with is the hub's own code; unlike the hub's child it lets everything out that the connector says,
because here it is to be heard.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import pickle
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from threading import Event
from typing import Any, NoReturn

from hub.core.errors import HubError
from hub.core.freight import Answer, Parcel
from hub.core.records import SHANGHAI
from hub.kit.wire import Closed, Start, describe, plain, receive, send
from hub.runtime.loading import RefusedError, load_connector
from hub.runtime.specs import SourceSpec, WaySpec, source_spec
from hub.runtime.unit_worker import page_of_rows
from hub.runtime.verbs import Batch, Verbs
from hub.sdk.connector import Connector
from hub.sdk.trust import trust

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
    trust()
    for transport in ("rest", "table", "database", "files", "tabular"):  # once, before the first fork
        importlib.import_module(f"hub.sdk.{transport}")
    gc.freeze()  # what is shared with the children stays shared
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
    try:
        connector = load_connector(start.target.name, start.target.entry)
    except RefusedError as refused:
        send(pipe, {"refused": refused.reason, "acts": acts.take()})
        return
    desk = _Desk(start, connector)
    verbs: dict[str, Callable[..., Iterator[dict[str, Any]]]]
    verbs = {
        "map": desk.map, "fetch": desk.fetch, "render": desk.render, "send": desk.send, "counts": desk.counts,
        "keys": desk.keys, "again": desk.again,
    }  # fmt: skip
    send(pipe, {"ready": describe(connector), "acts": acts.take()})
    while True:
        request = receive(pipe)
        verb = verbs[request.pop("verb")]
        try:
            for answer in verb(**request):
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


class _Desk:
    """The connector's verbs, done by the very code that does them in a hub's child."""

    def __init__(self, start: Start, connector: Connector) -> None:
        self._start = start
        self._connector = connector
        self._verbs = Verbs(connector, clock=_now, gather=1)  # each page by itself: each is a place to be killed at

    def map(self, stream: str, rows: list[Any], renames: dict[str, str]) -> Iterator[dict[str, Any]]:
        """Rows as a page that would land, and what they became."""
        manifest = self._connector.manifest
        page = page_of_rows(manifest, stream, rows, uid="", received_at=_now(), first_row=1, renames=renames)
        drafts = self._verbs.map(page.stream, page.body, page.rows, page.first_row, renames)
        yield {"body": page.body.decode(), "entries": [plain(entry) for entry in drafts]}

    def fetch(self, stream: str, cursor: str | None) -> Iterator[dict[str, Any]]:
        """Page by page."""
        yield from map(_read, self._verbs.read(self._spec(stream), cursor, Event()))

    def _spec(self, stream: str) -> SourceSpec:
        config = self._start.config
        return SourceSpec.from_wire(source_spec(config.streams[stream], self._start.limits, config.config).to_wire())

    def counts(self, stream: str, first: str, last: str) -> Iterator[dict[str, Any]]:
        """What the source says of some days."""
        told = self._verbs.counts(self._spec(stream), None, date.fromisoformat(first), date.fromisoformat(last))
        counts = None if told.counts is None else {day.isoformat(): count for day, count in told.counts.items()}
        yield {"counts": counts, "names_keys": told.names_keys}

    def keys(self, stream: str, day: str) -> Iterator[dict[str, Any]]:
        """The keys of one day."""
        for keys in self._verbs.keys(self._spec(stream), None, date.fromisoformat(day)):
            yield {"keys": keys}

    def again(self, stream: str, day: str, keys: list[str]) -> Iterator[dict[str, Any]]:
        """Records of one day once more."""
        yield from map(_read, self._verbs.again(self._spec(stream), None, date.fromisoformat(day), keys))

    def render(self, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The bytes of one message, as text."""
        yield {"bytes": self._verbs.render(None, body).decode("utf-8", "surrogateescape")}

    def send(self, no: str, kind: str, body: str, spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """One attempt to send one message."""
        parcel = Parcel(no, self._connector.unit, kind, body.encode("utf-8", "surrogateescape"), 1)
        yield {"answer": Answer(*self._verbs.send(parcel, WaySpec.from_wire(spec)))._asdict()}


def _read(batch: Batch) -> dict[str, Any]:
    """One page."""
    entries = [plain(entry) for entry in batch.drafts]
    return {"cursor": batch.cursor, "body": batch.body.decode(), "entries": entries}


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


if __name__ == "__main__":
    main()
