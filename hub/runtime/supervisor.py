"""Keeping a connector's process alive: started when first needed, started again after it died, held when it only crashes.

``Supervisor`` is the ``Hands`` of one connector. ``Supervisor(ChildSpec(name=…, entry=…, unit=…))`` is all it takes to run
one, for the conformance kit too: ``start()`` loads it, the verbs ask it, ``close()`` ends it.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any, NamedTuple, TypeVar

import structlog

from hub.core.errors import ConfigurationError, HubError, RetryError
from hub.core.freight import Answer, Drafts, Parcel
from hub.core.lifecycle import after
from hub.core.records import Owed, StreamKey
from hub.runtime import wire
from hub.runtime.child import Bounds, Child, ChildSpec, Described, DiedError, bounded, refused
from hub.runtime.reach import Reach, places_of
from hub.runtime.specs import FileSpec, SourceSpec, WaySpec
from hub.runtime.verbs import Batch, Counted
from hub.runtime.wire import BrokenFrameError, Frame, coded
from hub.sdk.files import Waiting
from hub.sdk.reading import found_in

__all__ = ["Bounds", "Child", "ChildSpec", "Described", "Pace", "Supervisor", "refused"]

log = structlog.get_logger("hub.connector")

Read = TypeVar("Read")

STEPS = ("sent", "received", "later", "refused")
LONGEST_CURSOR = 4096
LONGEST_FEEDBACK = 1000
"""Records that may come with one answer."""
RETIRE = 30.0
"""Seconds a process has to finish what it is doing when a new one takes its place."""
DEATHS = 5
"""Deaths close to each other after which a process is held."""


class Pace(NamedTuple):
    """How starts are spaced after deaths; seconds."""

    base: float = 1.0
    longest: float = 300.0
    window: float = 1800.0  # deaths within it are close to each other
    hold: float = 900.0


class Supervisor:
    """``Hands`` of one connector: its process, kept alive. ``tell(happening, code)`` is called when its life changes.

    After a death the next start waits, twice as long each time and with jitter; after ``DEATHS`` deaths in a row of close
    ones it is held for ``hold`` seconds. A connector that cannot be loaded is refused just as long.
    """

    def __init__(self, spec: ChildSpec, pace: Pace | None = None) -> None:
        self.spec = spec
        self.pace = pace or Pace()
        self.state = "ready"
        self.reason = ""
        self.tell: Callable[[str, str], None] = lambda happening, code: None
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._starting: Child | None = None
        self._closed = False
        self._deaths = deque[float](maxlen=DEATHS)  # monotonic
        self._doubtful = False  # it was held: the next answer tells that it works again
        self._not_before = 0.0
        self._why: HubError | None = None  # what is raised until then
        self.starts = 0

    # --- verbs

    def read(self, spec: SourceSpec, cursor: str | None, stop: threading.Event) -> Iterator[Batch]:
        """Pages of one read; ends early when ``stop`` is set."""
        key = StreamKey(self.spec.unit, spec.stream)
        told = {"spec": spec.to_wire(), "cursor": cursor}
        for batch in self._batches("read", told, key, spec):
            if stop.is_set():
                return
            yield batch

    def read_file(self, stream: str, spec: FileSpec) -> Iterator[Batch]:
        """Pages of one file that somebody names."""
        key = StreamKey(self.spec.unit, stream)
        yield from self._batches("read_file", {"stream": stream, "spec": spec.to_wire()}, key, spec)

    def _batches(
        self, do: str, told: Mapping[str, Any], key: StreamKey, spec: SourceSpec | FileSpec
    ) -> Iterator[Batch]:
        with self._alive(spec) as child:
            for frame in child.stream(do, told, seconds=self.spec.bounds.page):
                yield _checked(child, partial(_batch, frame, key, child.broken))

    def give_back(self, stream: str, spec: FileSpec, rows: Sequence[Mapping[str, Any]]) -> tuple[str, bytes] | None:
        """The faulty rows of a file as a file to correct."""
        told = {"stream": stream, "spec": spec.to_wire(), "rows": list(rows)}
        with self._alive(spec) as child:
            frame = child.ask("give_back", told, seconds=self.spec.bounds.page)
            return _checked(child, lambda: (str(frame.head["name"]), frame.blobs[0]) if frame.head["name"] else None)

    def waiting(self, spec: SourceSpec) -> list[Waiting]:
        """Files that have been read and have no receipt yet."""
        with self._alive(spec) as child:
            head = child.ask("waiting", {"spec": spec.to_wire()}, seconds=self.spec.bounds.page).head
            return _checked(child, lambda: [_waiting(*due) for due in head["waiting"]])

    def answer(self, spec: SourceSpec, path: str, receipt: Mapping[str, Any]) -> None:
        """Have the receipts of a file written beside it."""
        told = {"spec": spec.to_wire(), "path": path, "receipt": receipt}
        with self._alive(spec) as child:
            child.ask("answer", told, seconds=self.spec.bounds.page)

    def probe(self, spec: SourceSpec) -> int:
        """How many rows or files the source shows at the first look."""
        with self._alive(spec) as child:
            head = child.ask("probe", {"spec": spec.to_wire()}, seconds=self.spec.bounds.page).head
            return _checked(child, lambda: int(head["found"]))

    def counts(self, spec: SourceSpec, cursor: str | None, first: date, last: date) -> Counted:
        """How many records the source has of each of these days."""
        told = {"spec": spec.to_wire(), "cursor": cursor, "first": first.isoformat(), "last": last.isoformat()}
        with self._alive(spec) as child:
            head = child.ask("counts", told, seconds=self.spec.bounds.page).head
            return _checked(child, lambda: _counted(head))

    def keys(self, spec: SourceSpec, cursor: str | None, day: date) -> Iterator[list[str]]:
        """The unit's own numbers of one day's records, page by page."""
        told = {"spec": spec.to_wire(), "cursor": cursor, "day": day.isoformat()}
        with self._alive(spec) as child:
            for frame in child.stream("keys", told, seconds=self.spec.bounds.page):
                yield _checked(child, partial(_keys, frame.head))

    def again(self, spec: SourceSpec, cursor: str | None, day: date, keys: Sequence[str]) -> Iterator[Batch]:
        """That day's records once more; no page of it moves a cursor."""
        told = {"spec": spec.to_wire(), "cursor": cursor, "day": day.isoformat(), "keys": list(keys)}
        for batch in self._batches("again", told, StreamKey(self.spec.unit, spec.stream), spec):
            yield batch._replace(cursor=None)

    def map(self, stream: StreamKey, body: bytes, rows: int, first_row: int, fields: Mapping[str, str]) -> Drafts:
        """The drafts of a page, one for each row."""
        told = {"stream": stream.stream, "rows": rows, "first_row": first_row, "fields": fields}
        with self._alive() as child:
            frame = child.ask("map", told, body, seconds=self.spec.bounds.map + rows * 0.002)
            return _checked(
                child, lambda: wire.drafts_from_wire(frame.head, frame.blobs[0], body, stream, rows, first_row)
            )

    def render(self, owed: Owed | None, body: Mapping[str, Any]) -> bytes:
        """The message as the unit reads it."""
        told = {"owed": wire.owed_to_wire(owed), "body": body}
        with self._alive() as child:
            frame = child.ask("render", told, seconds=self.spec.bounds.render)
            return _checked(child, lambda: frame.blobs[0])

    def send(self, parcel: Parcel, spec: WaySpec | None) -> Answer:
        """One attempt; a process in trouble is an answer too: later."""
        told = {
            "spec": None if spec is None else spec.to_wire(),
            "parcel": [parcel.no, parcel.to, parcel.kind, parcel.attempt, parcel.channel],
        }
        try:
            with self._alive(spec) as child:
                frame = child.ask("send", told, parcel.body, seconds=self.spec.bounds.send)
                return _checked(child, lambda: _answer(frame.head))
        except HubError as error:
            return Answer("later", detail=error.code, after=getattr(error, "after", None))

    # --- life

    def start(self) -> Described:
        """Start the process now if it does not run. Raises ``ConfigurationError`` when the connector is refused."""
        with self._alive() as child:
            return child.described

    @property
    def pid(self) -> int | None:
        """The process's number, None while none runs."""
        child = self._child
        return child.pid if child is not None and child.is_alive() else None

    @property
    def open(self) -> str:
        """Why its process is not closed in to its own files (`reach.unclosable`); empty: it is, or none runs."""
        child = self._child
        return child.open if child is not None else ""

    def release(self) -> None:
        """Somebody has looked after it: it starts anew at the next need, with its package as it is then."""
        with self._lock:
            self._deaths.clear()
            self._not_before, self._why = 0.0, None
            self._retired()

    def _retired(self) -> None:
        """The process finishes what it is doing; the next need starts another."""
        child, self._child = self._child, None
        self._move("enabled")
        if child is not None:
            threading.Thread(target=child.close, args=(RETIRE,), daemon=True).start()

    def close(self, seconds: float = 0.0) -> None:
        """Let calls in flight end, at most for ``seconds``, then end the process for good."""
        self._closed = True
        if seconds:
            self._move("draining")
        if (starting := self._starting) is not None:
            starting.kill("closed")  # whoever waits for it holds the lock
        with self._lock:
            child, self._child = self._child, None
        if child is not None:
            child.close(seconds)
        self._move("ended")

    @contextlib.contextmanager
    def _alive(self, spec: SourceSpec | WaySpec | FileSpec | None = None) -> Iterator[Child]:
        """The living process, which reaches what ``spec`` names; its death while it is used is counted."""
        child = self._running(places_of(spec))
        try:
            yield child
            if self._doubtful:
                self._doubtful = False
                self._move("answered")
        except DiedError as error:
            self._buried(child, error.code)
            raise

    def _running(self, needed: Reach) -> Child:
        with self._lock:
            child = self._child
            if child is not None and child.is_alive():
                if not child.stale and self.spec.reach.holds(needed):
                    return child
                self._retired()
                child = None
            if not self.spec.reach.holds(needed):  # a file somebody names: it was closed in without it
                self.spec = replace(self.spec, reach=self.spec.reach.with_more(needed))
            self._rested()
            if child is not None:  # it died while nothing was asked of it
                self._child = None
                self._count(child.died or "connector.died")
                self._rested()
            return self._started()

    def _rested(self) -> None:
        """Raise while it must not be started."""
        if self._closed:
            raise RetryError("the connector was stopped", code="connector.closed")
        left = self._not_before - time.monotonic()
        if left > 0:
            why = self._why
            assert why is not None
            if isinstance(why, RetryError):
                why = RetryError(str(why), code=why.code, remedy=why.remedy, after=bounded(left))
            raise why
        if self._not_before:
            self._not_before = 0.0
            self._move("rested")

    def _started(self) -> Child:
        self._move("started")
        self.starts += 1
        child = self._starting = Child(self.spec)
        try:
            child.start()
        except ConfigurationError as error:
            if self._closed:
                raise RetryError("the connector was stopped", code="connector.closed") from error
            self._not_before, self._why = time.monotonic() + self.pace.hold, error
            self._move("refused", str(error))
            raise
        finally:
            self._starting = None
        self._child = child
        self._move("loaded")
        return child

    def _buried(self, child: Child, code: str) -> None:
        with self._lock:
            if self._child is not child:
                return  # counted by whoever saw it first, or closed
            self._child = None
            self._count(code)

    def _count(self, code: str) -> None:
        now = time.monotonic()
        self._deaths.append(now)
        close = [at for at in self._deaths if now - at < self.pace.window]
        if len(close) >= DEATHS:
            self._deaths.clear()
            self._not_before = now + self.pace.hold
            self._why = RetryError(
                f"{self.spec.name} only crashes and is held",
                code="connector.held",
                remedy=f"tell its maker; after an update run `hub connectors enable {self.spec.name}`",
            )
            self._doubtful = True
            self._move("held", code)
            return
        bound = min(self.pace.longest, self.pace.base * 2.0 ** (len(close) - 1))
        self._not_before = now + bound * random.uniform(0.5, 1.0)  # noqa: S311 — jitter, no secret
        self._why = RetryError(f"the process of {self.spec.name} waits before its next start", code="connector.resting")
        self._move("died", code)

    def _move(self, happening: str, reason: str = "") -> None:
        self.state = after(self.state, happening)
        self.reason = reason
        if happening in ("refused", "died", "held"):
            log.warning(
                "connector in trouble", what=happening, connector=self.spec.name, code=coded(reason), starts=self.starts
            )
        self.tell(happening, reason)


def _checked(child: Child, read: Callable[[], Read]) -> Read:
    """What a process answered, read by our rules; a process that does not keep to them ends here."""
    try:
        return read()
    except (BrokenFrameError, KeyError, IndexError, TypeError, ValueError) as error:
        raise child.broken(type(error).__name__) from error


def _waiting(path: Any, drop: Any, rows: Any, code: Any) -> Waiting:
    return Waiting(str(path), str(drop), int(rows), coded(code) if code else "")


def _counted(told: Mapping[str, Any]) -> Counted:
    counts = told["counts"]
    found = None if counts is None else {date.fromisoformat(day): int(count) for day, count in counts}
    if found is not None and any(count < 0 for count in found.values()):
        raise BrokenFrameError("a count that is none")
    return Counted(found, bool(told["names_keys"]))


def _keys(told: Mapping[str, Any]) -> list[str]:
    keys = told["keys"]
    if type(keys) is not list or not all(type(key) is str for key in keys):
        raise BrokenFrameError("keys that are none")
    return keys


def _batch(frame: Frame, key: StreamKey, broken: Callable[[str], HubError]) -> Batch:
    told, (body, drafts) = frame.head, frame.blobs
    rows, first_row, cursor = int(told["rows"]), int(told["first_row"]), told["cursor"]
    if cursor is not None and (type(cursor) is not str or len(cursor) > LONGEST_CURSOR):
        raise BrokenFrameError("a cursor that is none")
    drafted = wire.Undecoded(told, drafts, body, key, rows, first_row, broken)
    return Batch(body, rows, first_row, cursor, drafted, found_in(told.get("told")))


def _answer(told: Mapping[str, Any]) -> Answer:
    step, number = told["step"], told["number"]
    if step not in STEPS or not (number is None or type(number) is str):
        raise BrokenFrameError("an answer that is none")
    rows = [row for row in told["rows"] if isinstance(row, dict)][:LONGEST_FEEDBACK]
    return Answer(
        step, number and number[:200], rows, coded(told["detail"]) if told["detail"] else "", bounded(told["after"])
    )
