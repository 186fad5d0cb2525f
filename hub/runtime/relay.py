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
from typing import Any, NamedTuple

from hub.core.errors import RetryError
from hub.store.claims import Room, claim_parcels
from hub.store.engine import SqlStore

__all__ = ["Relay", "unit_of"]

THREADS = 24
"""Deliveries at the same time on one node."""
EACH = 4
"""Of them to one receiver that are not urgent."""
URGENT_EACH = 12
"""To one receiver when more are urgent: mandatory reports do not wait for one another. A police that hangs with all it may
have and two others with theirs still leave threads to the rest."""
BESIDE = 4
"""Ordinary ones at work while urgent ones go out: they would take the processor from them."""
YOUNG = 1.0
"""Seconds for which a delivery counts as at work; one that takes longer waits for its receiver."""
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


class _OnItsWay(NamedTuple):
    to: str
    urgent: bool
    since: float  # monotonic


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
        urgent_each: int = URGENT_EACH,
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
        self._urgent_each = urgent_each
        self._running: dict[int, _OnItsWay] = {}  # by parcel
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
        room = self._room()
        if room.limit <= 0:
            return 0
        claimed = claim_parcels(self._store, self._owner, self._clock(), self.lease, room)
        for number, to, urgent in claimed:
            with self._lock:
                self._running[number] = _OnItsWay(to, urgent, time.monotonic())
            future = pool.submit(self._deliver, number)
            future.add_done_callback(partial(self._ended, number))
        return len(claimed)

    def _room(self) -> Room:
        with self._lock:
            running = list(self._running.values())
        limit = self._threads - len(running)
        young = [one for one in running if time.monotonic() - one.since < YOUNG]
        urgent = sum(one.urgent for one in young)
        ordinary = BESIDE - (len(young) - urgent) if urgent else limit
        return Room(limit, ordinary, Counter(one.to for one in running), self._each, self._urgent_each)

    def _ended(self, number: int, done: Future[Any]) -> None:
        with self._lock:
            self._running.pop(number, None)
        if not done.cancelled() and (error := done.exception()) is not None and not isinstance(error, RetryError):
            self._fatal = error
        self._wake.set()
