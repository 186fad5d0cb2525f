"""The edge: a connector's worker in its department's own network, with a spool between the source and the hub.

Three kinds of side task under the same ``Daemon`` as the hub's: one that fetches for each stream, one that ships, and
one that tells the hub how it goes and carries the hub's messages to the department. Whatever fails is tried again with
back-off; what the hub will never take as it is stays on disk for a person. Nothing is dropped.
"""

from __future__ import annotations

import base64
import binascii
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import structlog

from hub.core.errors import CredentialsError, HubError, PersonError, RetryError, StopError
from hub.core.freight import Parcel
from hub.line.fetch import retry_delay
from hub.line.ports import Worker
from hub.runtime.daemon import SideTask
from hub.runtime.edge_link import EdgeLink
from hub.runtime.edge_spool import Batch, Spool, SpoolFullError
from hub.runtime.grid import Grid
from hub.sdk.files import Waiting

__all__ = ["Edge", "Pace"]

log = structlog.get_logger("hub.edge")

AnswerFile = Callable[[str, str, Mapping[str, Any]], None]
"""(stream, moved file, receipt) → the receipt is written beside the file. Raises HubError."""
COUNTS = ("received", "applied", "unchanged", "quarantined", "rejected", "pending")
LOOK = 0.2
"""Seconds between two looks at a stop event."""
BATCH = ("batch.", "json.", "idempotency.")
"""Families of codes by which the hub judges the batch itself, not the way to it."""
SHOWN_SKEW = 30.0
"""Seconds of difference between the clocks from which it is a state of its own."""


class Pace(NamedTuple):
    """How often: the beat to the hub, and the bounds of back-off."""

    beat: timedelta = timedelta(seconds=30)
    retry_base: timedelta = timedelta(seconds=1)
    retry_max: timedelta = timedelta(minutes=5)


class Edge:
    """One connector's edge. ``streams``: those that are fetched here, with their grid."""

    def __init__(
        self,
        worker: Worker,
        streams: Mapping[str, Grid],
        spool: Spool,
        link: EdgeLink,
        *,
        clock: Callable[[], datetime],
        new_uid: Callable[[], str],
        pace: Pace | None = None,
        delivers: bool = False,
        drops: Mapping[str, Callable[[], Sequence[Waiting]]] | None = None,
        answer: AnswerFile | None = None,
    ) -> None:
        """``drops``: per stream, its dropped files that were read and not answered; ``answer`` writes one's receipt."""
        self._worker = worker
        self._streams = streams
        self._spool = spool
        self._link = link
        self._clock = clock
        self._new_uid = new_uid
        self._pace = pace or Pace()
        self._delivers = delivers
        self._drops = drops or {}
        self._answer = answer
        self._fetched = threading.Event()
        self._left = 0  # batches that have left the spool since the start
        self._full = ""  # the code why nothing more is fetched
        self._refused = ""  # the code by which the hub refuses this edge
        self._offline = ""  # the code by which the hub could not be reached at the last try

    def tasks(self) -> list[SideTask]:
        """Fetching stops first, shipping last."""
        fetching = [SideTask(f"fetch {name}", partial(self._fetch, name, grid)) for name, grid in self._streams.items()]
        return [*fetching, SideTask("beat", self._beat), SideTask("ship", self._ship)]

    def release(self) -> None:
        """SIGHUP: held batches go out once more."""
        log.info("held batches go out again", count=self._spool.release())
        self._fetched.set()

    def close(self) -> None:
        """Give the worker's connections back."""
        close = getattr(self._worker, "close", None)
        if close is not None:
            close()

    def state(self) -> dict[str, Any]:
        """What `hub edge show` and, at the hub, `hub status` say."""
        told = self._spool.state()
        skew = self._link.skew
        states = {
            "refused": bool(self._refused),
            "full": bool(self._full),
            "held": bool(told["held"]),
            "offline": bool(self._offline),
            "clock": skew is not None and abs(skew) >= SHOWN_SKEW,
            "sending": bool(told["waiting"]),
        }
        state = next((name for name, holds in states.items() if holds), "idle")
        code = {"refused": self._refused, "full": self._full, "offline": self._offline}.get(state, "")
        return {"state": state, "code": code, "skew": skew, **told}

    # --- fetch

    def _fetch(self, name: str, grid: Grid, stop: threading.Event) -> None:
        due, failures = self._clock(), 0
        while not stop.is_set():
            if self._wait_until(due, stop):
                return
            left = self._left
            error = self.fetch_once(name, stop)
            now = self._clock()
            failures = failures + 1 if error is not None else 0
            if error is None:
                due = grid.next_due(due, now)[0]
            elif isinstance(error, SpoolFullError):
                due = now if self._wait_for_room(left, stop) else now + self._pace.retry_max
            else:
                due = now + timedelta(seconds=self._pause(error, failures - 1))

    def _wait_for_room(self, left: int, stop: threading.Event) -> bool:
        """Until a batch has left the spool since ``left`` was counted; False: none is on its way, a person must act."""
        while self._left == left and not stop.is_set():
            if not self._spool.state()["waiting"]:
                return self._left != left
            stop.wait(LOOK)
        return True

    def fetch_once(self, name: str, stop: threading.Event | None = None) -> HubError | None:
        """Read one stream, or a part of one, from its cursor into the spool; what stopped it, None: read to its end."""
        try:
            for page, _ in self._worker.fetch(name, self._spool.cursor(name)):
                self._spool.put(
                    page.uid, page.stream.stream, page.body, page.rows, page.cursor, self._clock(),
                    source=page.source, first_row=page.first_row, feed=name,
                )  # fmt: skip
                self._fetched.set()
                if stop is not None and stop.is_set():
                    return None
            self._full = ""
            self._spool.heard(name, self._clock())
        except SpoolFullError as error:
            if not self._full:
                log.error("the spool is full: nothing more is fetched, nothing is dropped", code=error.code)
            self._full = error.code
            return error
        except StopError:
            raise
        except HubError as error:
            self._spool.heard(name, None, error.code)
            return error
        except Exception as error:  # foreign code
            failed = RetryError("the connector failed", code=f"connector.{type(error).__name__}")
            self._spool.heard(name, None, failed.code)
            return failed
        return None

    def _pause(self, error: HubError, failures: int) -> float:
        if isinstance(error, (CredentialsError, PersonError)):
            return self._pace.retry_max.total_seconds()
        asked = error.after if isinstance(error, RetryError) and error.after is not None else 0.0
        return max(asked, retry_delay(failures, self._pace.retry_base, self._pace.retry_max))

    def _wait_until(self, due: datetime, stop: threading.Event) -> bool:
        """Until ``due`` by the wall clock; True: we are to stop."""
        while (left := (due - self._clock()).total_seconds()) > 0:
            if stop.wait(min(left, LOOK)):
                return True
        return stop.is_set()

    # --- ship

    def _ship(self, stop: threading.Event) -> None:
        failures = 0
        while not stop.is_set():
            self._fetched.clear()
            batch = self._spool.next()
            if batch is None:
                self._fetched.wait(LOOK)
                continue
            error = self.ship_once(batch)
            failures = 0 if error is None else failures + 1
            if error is not None and stop.wait(self._pause(error, failures - 1)):
                return

    def ship_once(self, batch: Batch) -> HubError | None:
        """Send one batch; None: it needs no more trying (taken, held for a person, or cut in two)."""
        try:
            receipt = self._link.post(batch)
        except HubError as error:
            return self._unsent(batch, error)
        self._reached()
        self._spool.done(batch, receipt)
        self._left += 1
        return None

    def _unsent(self, batch: Batch, error: HubError) -> HubError | None:
        if isinstance(error, RetryError):
            self._offline = error.code
            return error
        self._offline = ""
        if isinstance(error, CredentialsError):
            self._refuse(error)
            return error
        if error.code.startswith("batch.too_") and self._spool.split(
            batch, (self._new_uid(), self._new_uid()), self._clock()
        ):
            return None
        if not error.code.startswith(BATCH):  # a proxy's page, a wrong address: no judgement of this batch
            self._offline = error.code
            return error
        log.error("the hub will not take a batch as it is: it is kept", code=error.code, batch=batch.uid)
        self._spool.hold(batch, error.code)
        return None

    def _refuse(self, error: CredentialsError) -> None:
        if self._refused != error.code:
            log.error("the hub refuses this edge", code=error.code, remedy=error.remedy)
        self._refused = error.code

    def _reached(self) -> None:
        self._offline = self._refused = ""

    # --- beat

    def _beat(self, stop: threading.Event) -> None:
        while not stop.is_set():
            started = time.monotonic()
            self.beat_once()
            while (left := self._pace.beat.total_seconds() - (time.monotonic() - started)) > 0:
                if stop.wait(min(left, LOOK)):
                    break
        self.beat_once()

    def beat_once(self) -> None:
        """Tell the hub how it goes; hand on what it has for the department."""
        try:
            self._link.tell(self.state())
            self._reached()
            if self._delivers:
                self._carry()
            self._receipts()
        except CredentialsError as error:
            self._refuse(error)
        except RetryError as error:
            self._offline = error.code
        except PersonError as error:
            log.error("the beat failed", code=error.code)

    def _receipts(self) -> None:
        """Beside each file that was dropped here: what became of its rows at the hub, once none is pending."""
        for stream, waiting in self._drops.items():
            for due in waiting():
                told = self._receipt(due)
                if told is not None and self._answer is not None:
                    self._answer(stream, due.path, told)
                    self._spool.forget_receipts(due.drop)

    def _receipt(self, due: Waiting) -> dict[str, Any] | None:
        numbers = self._spool.receipts_of(due.drop)
        if numbers is None:
            return None
        parts = [(self._link.receipt(number), first) for number, first in numbers]
        total = {name: sum(int(part.get(name, 0)) for part, _ in parts) for name in COUNTS}
        if total["pending"] or total["received"] < due.rows:
            return None
        rows = [{**row, "row": row["row"] + first} for part, first in parts for row in part.get("rows", ())]
        return {**total, "batches": [number for number, _ in numbers], "rows": rows}

    def _carry(self) -> None:
        """Messages out: each is delivered once, its answer kept until the hub has it."""
        known = self._spool.answers()
        for number, answer in known.items():
            self._answered(number, answer)
        for parcel in self._link.parcels():
            number = str(parcel.get("message_no", ""))
            if not number or number in known:
                continue
            try:
                body = base64.b64decode(str(parcel.get("body", "")), validate=True)
            except binascii.Error:
                continue
            found = self._worker.send(
                Parcel(number, self._worker.unit, str(parcel["kind"]), body, 0, str(parcel.get("channel", "first")))
            )
            answer = {
                "step": found.step, "number": found.number, "rows": list(found.rows), "detail": found.detail,
                "after": found.after,
            }  # fmt: skip
            if found.step != "later":
                self._spool.keep_answer(number, answer)
            self._answered(number, answer)

    def _answered(self, number: str, answer: Mapping[str, Any]) -> None:
        try:
            self._link.answer(number, answer)
        except PersonError as error:  # withdrawn or settled meanwhile: there is nobody to tell
            log.warning("the hub does not take an answer", code=error.code, message=number)
        self._spool.forget_answer(number)
