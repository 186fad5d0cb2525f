"""The relay: takes parcels that are due from the outbox and delivers each in a thread of its own.

A receiver that hangs holds its share of the threads, not the outbox; urgent parcels are claimed first.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from threading import Event, Lock
from typing import Any

from hub.core.errors import RetryError
from hub.store.claims import claim_parcels
from hub.store.engine import SqlStore

__all__ = ["Relay", "unit_of"]

THREADS = 16
"""Deliveries at the same time on one node."""
EACH = 4
"""Of them to one receiver: three that hang with all they may have still leave threads to the others."""
STALL = 5.0
"""Seconds without a look at the outbox after which the relay does not count as running."""

STOP_LOOK = 0.2
"""Seconds between two looks at the stop event while nothing is due."""

Deliver = Callable[[int], Any]
"""Parcel id → one attempt: send outside, then attempt and answer in one commit. Raises RetryError: archive busy."""


def unit_of(to: str, contacts: Mapping[str, Any]) -> str:
    """The unit whose connector carries a message: a unit's own name, ``head:<unit>``, or a post by ``[contacts]``."""
    found = contacts.get(to)
    if isinstance(found, str) and found:
        return unit_of(found, {}) if found != to else found
    return to.partition(":")[2] if to.startswith("head:") else to


class Relay:
    """A side task: ``run`` until its stop event. It looks at once when it is woken, and at every tick."""

    def __init__(
        self,
        store: SqlStore,
        deliver: Deliver,
        *,
        owner: str,
        clock: Callable[[], datetime],
        tick: timedelta,
        lease: timedelta,
        threads: int = THREADS,
        each: int = EACH,
        wake: Event | None = None,
    ) -> None:
        """``lease`` must outlast one attempt: longer than the peer's total deadline. ``wake`` is set by whoever wrote
        something to send."""
        self._store = store
        self._deliver = deliver
        self._owner = owner
        self._clock = clock
        self._tick = tick
        self.lease = lease
        self._threads = threads
        self._each = each
        self._running: dict[int, str] = {}  # parcel → its receiver
        self._lock = Lock()
        self._wake = wake or Event()
        self._fatal: BaseException | None = None
        self._looked = 0.0

    def is_running(self) -> bool:
        """Whether the outbox is being looked at."""
        return bool(self._looked) and time.monotonic() - self._looked < STALL + self._tick.total_seconds()

    def run(self, stop: Event) -> None:
        """Deliver until ``stop``; attempts in progress are finished. Raises what must stop the process."""
        with ThreadPoolExecutor(self._threads, thread_name_prefix="relay") as pool:
            while not stop.is_set():
                if self._fatal is not None:
                    raise self._fatal
                started = 0
                with contextlib.suppress(RetryError):  # the archive is busy: at the next look
                    started = self.look(pool)
                self._looked = time.monotonic()
                if not started:
                    self._rest(stop)

    def _rest(self, stop: Event) -> None:
        """Until the next tick, a call, or the end."""
        end = time.monotonic() + self._tick.total_seconds()
        while not stop.is_set() and (left := end - time.monotonic()) > 0:
            if self._wake.wait(min(left, STOP_LOOK)):
                self._wake.clear()
                return

    def look(self, pool: ThreadPoolExecutor) -> int:
        """Claim what is due, as far as threads are free, and no receiver's share is used up; how many were started."""
        with self._lock:
            free = self._threads - len(self._running)
            room = {to: self._each - count for to, count in Counter(self._running.values()).items()}
        if free <= 0:
            return 0
        claimed = claim_parcels(self._store, self._owner, self._clock(), self.lease, free, room=room, each=self._each)
        for number, to in claimed:
            with self._lock:
                self._running[number] = to
            future = pool.submit(self._deliver, number)
            future.add_done_callback(partial(self._ended, number))
        return len(claimed)

    def _ended(self, number: int, done: Future[Any]) -> None:
        with self._lock:
            self._running.pop(number, None)
        if not done.cancelled() and (error := done.exception()) is not None and not isinstance(error, RetryError):
            self._fatal = error
        self._wake.set()
