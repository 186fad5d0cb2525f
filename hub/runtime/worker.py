"""The child's side of the pipe: ``python -m hub.runtime.worker FD`` runs one connector and answers frames.

It starts with an empty environment, no open file but the pipe, and no argument but the pipe's number. What it may do, and
which files it may use, is told in the first frame; then the connector is loaded, here and never in the hub. When the pipe ends, so does this process.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from importlib import import_module
from queue import SimpleQueue
from typing import Any, NoReturn

from hub.core.errors import (
    ConfigurationError,
    CredentialsError,
    HubError,
    PersonError,
    QuarantineError,
    RetryError,
    StopError,
)
from hub.core.freight import Parcel
from hub.core.records import SHANGHAI, StreamKey
from hub.runtime import confine, wire
from hub.runtime.loading import RefusedError, load_connector
from hub.runtime.reach import Reach, close_in, standing
from hub.runtime.specs import FileSpec, SourceSpec, WaySpec
from hub.runtime.verbs import Batch, Verbs
from hub.runtime.wire import Frame

__all__ = ["ERRORS", "main"]

LONGEST_ASKED = 512 * 1024 * 1024
"""Bytes of a frame the hub sends: a page to map, a message."""
ERRORS: dict[str, type[HubError]] = {
    "retry": RetryError,
    "credentials": CredentialsError,
    "configuration": ConfigurationError,
    "person": PersonError,
    "quarantine": QuarantineError,
    "stop": StopError,
    "error": HubError,
}
"""Word on the pipe → class: what goes wrong keeps its name across it. Order matters: the narrow classes come first."""


class Desk:
    """One connector's verbs behind the pipe: a thread for each call, so that a slow stream holds up no other."""

    def __init__(self, pipe: socket.socket, reach: Reach | None, temporary: str) -> None:
        """``reach``: what it is closed in to; ``temporary``: its folder, which goes when it ends."""
        self._pipe = pipe
        self._temporary = temporary
        self._reach = reach
        self._standing = standing(reach) if reach is not None else ()
        self._write = threading.Lock()
        self._verbs: Verbs | None = None
        self._more: dict[int, SimpleQueue[bool]] = {}

    def serve(self) -> None:
        """Answer frames until the hub closes the pipe."""
        while (frame := wire.receive(self._pipe, LONGEST_ASKED)) is not None:
            number, do = frame.head["id"], frame.head["do"]
            if do in ("more", "cancel"):
                if (waiting := self._more.get(number)) is not None:
                    waiting.put(do == "more")
                continue
            if do in ("read", "read_file", "again", "keys"):
                self._more[number] = SimpleQueue()
            threading.Thread(target=self._answer, args=(number, do, frame), daemon=True).start()

    def _answer(self, number: int, do: str, frame: Frame) -> None:
        try:
            if do == "load":
                self._say(number, "done", self._load(frame.head))
            elif number in self._more:
                self._stream(number, self._pages(do, frame.head))
                self._say(number, "done")
            else:
                head, blobs = self._one(do, frame)
                self._say(number, "done", head, *blobs)
        except BaseException as error:  # SystemExit too: it ends the call and is named, not the process
            self._fail(number, error)
        finally:
            self._more.pop(number, None)

    def _load(self, told: dict[str, Any]) -> dict[str, Any]:
        connector = load_connector(told["name"], told["entry"])
        self._verbs = Verbs(connector, clock=now)
        return {
            "unit": connector.unit,
            "streams": {
                name: {
                    "kind": stream.kind,
                    "title": stream.title,
                    "names": [*stream.own],
                    "key": [*stream.key],
                    "headers": [[field.name, field.header, field.to] for field in stream.fields],
                    "codes": connector.codes(name),
                    "fields": [[field.name, field.to, field.block] for field in stream.fields],
                }
                for name, stream in connector.streams.items()
            },
        }

    def _pages(self, do: str, told: dict[str, Any]) -> Iterator[tuple[dict[str, Any], tuple[bytes, ...]]]:
        assert self._verbs is not None
        if do == "read_file":
            yield from map(_page, self._verbs.read_file(told["stream"], FileSpec.from_wire(told["spec"])))
            return
        spec, cursor = SourceSpec.from_wire(told["spec"]), told["cursor"]
        if do == "read":
            yield from map(_page, self._verbs.read(spec, cursor, threading.Event()))
        elif do == "again":
            yield from map(_page, self._verbs.again(spec, cursor, date.fromisoformat(told["day"]), told["keys"]))
        else:
            for keys in self._verbs.keys(spec, cursor, date.fromisoformat(told["day"])):
                yield {"keys": keys}, ()

    def _stream(self, number: int, pages: Iterable[tuple[dict[str, Any], tuple[bytes, ...]]]) -> None:
        """One page, then the hub's word that it has landed, then the next."""
        wanted = self._more[number]
        for told, blobs in pages:
            self._say(number, "page", told, *blobs)
            if not wanted.get():
                return

    def _one(self, do: str, frame: Frame) -> tuple[dict[str, Any], tuple[bytes, ...]]:
        assert self._verbs is not None
        told = frame.head
        if do == "map":
            key = StreamKey(self._verbs.connector.unit, told["stream"])
            drafts = self._verbs.map(key, frame.blobs[0], told["rows"], told["first_row"], told["fields"])
            head, blob = wire.drafts_to_wire(drafts, frame.blobs[0])
            return head, (blob,)
        if do == "render":
            return {}, (self._verbs.render(wire.owed_from_wire(told["owed"]), told["body"]),)
        if do == "send":
            spec = WaySpec.from_wire(told["spec"]) if told["spec"] is not None else None
            no, to, kind, attempt, channel = told["parcel"]
            parcel = Parcel(no, to, kind, frame.blobs[0], attempt, channel)
            step, number, rows, detail, after = self._verbs.send(parcel, spec)
            stale = step in ("later", "refused") and self._is_stale()
            told = {"step": step, "number": number, "rows": list(rows), "detail": detail, "after": after}
            return {**told, "stale": stale}, ()
        if do == "give_back":
            given = self._verbs.give_back(told["stream"], FileSpec.from_wire(told["spec"]), told["rows"])
            return ({"name": given[0]}, (given[1],)) if given is not None else ({"name": ""}, ())
        if do == "waiting":
            return {"waiting": [list(due) for due in self._verbs.waiting(SourceSpec.from_wire(told["spec"]))]}, ()
        if do == "answer":
            self._verbs.answer(SourceSpec.from_wire(told["spec"]), told["path"], told["receipt"])
            return {}, ()
        if do == "probe":
            return {"found": self._verbs.probe(SourceSpec.from_wire(told["spec"]))}, ()
        if do == "counts":
            first, last = (date.fromisoformat(told[name]) for name in ("first", "last"))
            found = self._verbs.counts(SourceSpec.from_wire(told["spec"]), told["cursor"], first, last)
            counts = None if found.counts is None else [[d.isoformat(), n] for d, n in found.counts.items()]
            return {"counts": counts, "names_keys": found.names_keys}, ()
        raise wire.BrokenFrameError(do)

    def _say(self, number: int, word: str, told: dict[str, Any] | None = None, *blobs: bytes) -> None:
        try:
            with self._write:
                wire.send(self._pipe, {"id": number, "is": word, **(told or {})}, *blobs)
        except OSError:
            self.leave()  # the hub has gone

    def leave(self) -> NoReturn:
        """End at once: threads of the connector are not waited for. The empty folder is removed by the hub."""
        shutil.rmtree(self._temporary, ignore_errors=True)
        os._exit(0)

    def _fail(self, number: int, error: BaseException) -> None:
        self._say(number, "error", {**_told(error), "stale": self._is_stale()})

    def _is_stale(self) -> bool:
        """Whether other files stand under the names this process was given: what failed may work in a new one."""
        return self._reach is not None and standing(self._reach) != self._standing


def _page(batch: Batch) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    """One page with its drafts, as it goes through the pipe."""
    head, drafts = wire.drafts_to_wire(batch.drafts, batch.body)
    told = {"rows": batch.rows, "first_row": batch.first_row, "cursor": batch.cursor, "told": batch.told, **head}
    return told, (batch.body, drafts)


def _told(error: BaseException) -> dict[str, Any]:
    """An error by class, code and text; of one outside the tree its class alone, for its text may quote a record."""
    if isinstance(error, RefusedError):
        return {"error": "refused", "code": error.code, "text": error.reason, "remedy": error.remedy}
    if not isinstance(error, HubError):
        name = type(error).__name__
        return {"error": "unknown", "code": f"connector.{name}", "text": f"the connector failed: {name}", "remedy": ""}
    word = next(word for word, kind in ERRORS.items() if isinstance(error, kind))
    after = error.after if isinstance(error, RetryError) else None
    return {"error": word, "code": error.code, "text": str(error), "remedy": error.remedy, "after": after}


def now() -> datetime:
    """The operating system's time."""
    return datetime.now(SHANGHAI)


def main(arguments: list[str]) -> None:
    """Serve the pipe whose number is the one argument."""
    pipe = socket.socket(fileno=int(arguments[0]))
    first = wire.receive(pipe, LONGEST_ASKED)
    if first is None:
        return
    told = first.head
    confine.limit(told)
    sys.path[:] = told["path"]
    reach, temporary = Reach.from_wire(told["reach"]), told["temporary"]
    tempfile.tempdir = os.environ["TMPDIR"] = temporary
    if told["authorities"]:
        import_module("hub.sdk.trust").believe(told["authorities"])  # the HTTP client is loaded by who needs it
    why = close_in(reach, temporary)
    confine.forbid(local=reach.local)  # where the system has no such filter, the limits and the session must do
    desk = Desk(pipe, None if why else reach, temporary)
    if why and told["required"]:
        _refuse(pipe)
    else:
        desk.serve()
    desk.leave()


def _refuse(pipe: socket.socket) -> None:
    """Answer the first question, which is to load, with no."""
    asked = wire.receive(pipe, LONGEST_ASKED)
    if asked is not None:
        text = "it cannot be kept to its own files here, and the configuration requires it"
        wire.send(
            pipe, {"id": asked.head["id"], "is": "error", "error": "refused", "code": "confine.open", "text": text}
        )


if __name__ == "__main__":
    main(sys.argv[1:])
