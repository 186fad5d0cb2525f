"""The schedule: one tick per node claims due streams of our own table and polls them in threads.

APScheduler is the ticker and nothing more; when a stream is due, who has it and since when stands in the table. One
stream is never polled twice at once: not in this process, and between nodes by lease and fence.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Lock

from apscheduler.schedulers.background import BackgroundScheduler

from hub.core.errors import HubError, RetryError, StaleLeaseError
from hub.core.freight import DAYS, Drafts, feed_of, stream_of
from hub.core.records import SHANGHAI, StreamKey
from hub.line.fetch import FetchPlan, Polled, poll, together
from hub.line.ports import Vault
from hub.line.reconcile import DaysPlan, reconcile
from hub.runtime.applied import Applied
from hub.runtime.workers import PolledStream, Workers
from hub.settings import ReconcileConfig
from hub.store.claims import (
    StreamClaim,
    claim_stream,
    claim_streams,
    ensure_streams,
    extend_stream,
    forget_feeds,
    pull_forward,
)
from hub.store.engine import SqlStore
from hub.store.reconciled import DayView

__all__ = ["Schedule", "days_plan"]

logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # a tick tells its own errors; theirs is a race at the end

THREADS = 16
"""Polls at the same time on one node; a connector has a handful of streams and most polls are waiting for a peer."""
LONGEST_POLL = timedelta(hours=1)
"""A poll that takes longer is hung: its lease is no longer renewed, so that somebody else may take over."""
FIRST_COMPARED = timedelta(hours=1)
"""A stream that is new is read for so long before it is compared with its source, or for one period if that is shorter."""
APPLIED = 20.0
"""Seconds a comparison waits for what has landed to be applied."""
CLOCK_STEP = 1.0
"""Seconds by which the wall clock may fall behind the monotonic one between two ticks before it counts as set back."""
GRACE = 10.0
"""Seconds a poll has to bring its page when the process ends."""
STALL = 5.0
"""Seconds without a tick after which the ticker is started anew (APScheduler stands still when the clock goes back)."""


class Running:
    """A poll in progress."""

    def __init__(self, claim: StreamClaim, started: datetime) -> None:
        self.claim = claim
        self.lease = claim.lease
        self.started = started


class Schedule:
    """Polls what is due. ``run`` is a side task; ``poll_now`` serves `connectors poll`."""

    def __init__(
        self,
        store: SqlStore,
        vault: Vault,
        workers: Workers,
        *,
        owner: str,
        clock: Callable[[], datetime],
        tick: timedelta,
        lease: timedelta,
        retry_base: timedelta,
        retry_max: timedelta,
        reporting: frozenset[str] | None = None,
        landed: Callable[[str, Drafts], None] | None = None,
        threads: int = THREADS,
    ) -> None:
        self._store = store
        self._vault = vault
        self._workers = workers
        self._owner = owner
        self._clock = clock
        self._tick_every = tick
        self._lease = lease
        self._retry = (retry_base, retry_max)
        self._reporting = reporting
        self._landed = landed
        self._threads = threads
        self._running: dict[StreamKey, Running] = {}
        self._lock = Lock()
        self._streams: dict[StreamKey, PolledStream] = {}  # by feed
        self._pool: ThreadPoolExecutor | None = None
        self._fatal: BaseException | None = None
        self._stopping = Event()
        self._ticked = 0.0  # monotonic
        self.begun = Event()
        """Set after the first tick: what was due then is being polled."""
        self._wall: tuple[float, float] | None = None  # (monotonic, wall) of the last tick

    # --- life

    def run(self, stop: Event) -> None:
        """Tick until ``stop``; then polls in progress end at their next page. Raises what must stop the process."""
        self._stopping = stop
        self.refresh()
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="poll")
        ticker = self._start_ticker()
        try:
            while not stop.wait(min(0.05, self._tick_every.total_seconds())):
                if self._fatal is not None:
                    raise self._fatal
                if time.monotonic() - self._ticked > STALL + self._tick_every.total_seconds():
                    ticker.shutdown(wait=False)
                    ticker = self._start_ticker()
        finally:
            ticker.shutdown(wait=True)
            self._end_polls()
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _end_polls(self) -> None:
        """Polls in progress end at their next page; the process of one that brings none by then is ended."""
        with self._lock:
            polled = dict(self._streams)
        for stream in polled.values():
            stream.worker.drain()
        end, pause = time.monotonic() + GRACE, Event()
        while self._running and time.monotonic() < end:
            pause.wait(0.02)
        with self._lock:
            hung = [key for key in self._running if key in polled]
        for key in hung:
            polled[key].worker.close()

    def is_ticking(self) -> bool:
        """Whether the tick lives."""
        return bool(self._ticked) and time.monotonic() - self._ticked < STALL + self._tick_every.total_seconds()

    def retune(self, retry: tuple[timedelta, timedelta], reporting: frozenset[str] | None) -> None:
        """After a reload: how long a source in trouble waits (first, at most), and which streams can be reports."""
        self._retry, self._reporting = retry, reporting

    def refresh(self) -> None:
        """Take the streams of the present workers: at start and after a reload."""
        streams = {polled.key: polled for polled in self._workers.polled()}
        now = self._clock()
        if streams:
            forget_feeds(self._store, streams)
            ensure_streams(self._store, [key for key, polled in streams.items() if polled.days is None], now)
            for polled in streams.values():
                if polled.days is not None:
                    ensure_streams(self._store, [polled.key], now + min(polled.days.every, FIRST_COMPARED))
                if polled.grid.period is not None:
                    latest = now + polled.grid.period
                    pull_forward(self._store, [polled.key], latest, failing=latest + self._retry[1])
        with self._lock:
            self._streams = streams

    def _start_ticker(self) -> BackgroundScheduler:
        ticker = BackgroundScheduler(timezone=SHANGHAI)
        ticker.add_job(
            self._safe_tick,
            "interval",
            seconds=self._tick_every.total_seconds(),
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
            next_run_time=datetime.now(SHANGHAI),  # at once: a start waits for nothing
        )
        self._ticked = time.monotonic()
        ticker.start()
        return ticker

    # --- tick

    def _safe_tick(self) -> None:
        """A tick that fails because the archive is busy is followed by the next; anything unknown stops the process."""
        try:
            self.tick()
        except RetryError:
            pass
        except BaseException as error:
            self._fatal = error
        self._ticked = time.monotonic()
        self.begun.set()

    def tick(self) -> int:
        """Renew the leases of running polls, claim what is due, start it; how many were started."""
        now = self._clock()
        self._watch_clock(now)
        self._heartbeat(now)
        with self._lock:
            free = self._threads - len(self._running)
            wanted = [key for key in self._streams if key not in self._running]
        if free <= 0 or not wanted:
            return 0
        claims = claim_streams(self._store, self._owner, now, self._lease, wanted, free)
        for claim in claims:
            self._start(claim, now)
        return len(claims)

    def _watch_clock(self, now: datetime) -> None:
        last, self._wall = self._wall, (time.monotonic(), now.timestamp())
        if last is None:
            return
        behind = (self._wall[0] - last[0]) - (self._wall[1] - last[1])
        if behind > CLOCK_STEP:
            with self._lock:
                streams = list(self._streams)
            pull_forward(self._store, streams, now)

    def _heartbeat(self, now: datetime) -> None:
        with self._lock:
            running = dict(self._running)
        for key, entry in running.items():
            if entry.lease.until - now > self._lease / 2 or now - entry.started > LONGEST_POLL:
                continue
            try:
                entry.lease = extend_stream(self._store, key, entry.lease, now, self._lease)
            except StaleLeaseError:
                entry.started = now - LONGEST_POLL - self._lease  # lost: it is refused when it lands

    def _start(self, claim: StreamClaim, now: datetime) -> None:
        assert self._pool is not None
        with self._lock:
            self._running[claim.stream] = Running(claim, now)
        future = self._pool.submit(self._poll, claim)
        future.add_done_callback(lambda done: self._ended(claim.stream, done))

    def _ended(self, key: StreamKey, done: Future[Polled]) -> None:
        with self._lock:
            self._running.pop(key, None)
        if not done.cancelled() and (error := done.exception()) is not None and not isinstance(error, RetryError):
            self._fatal = error

    def _poll(self, claim: StreamClaim) -> Polled:
        with self._lock:
            polled = self._streams[claim.stream]
        if polled.days is not None:
            return self._compare(claim, polled, polled.days.days)[0]
        return poll(self._store, self._vault, polled.worker, claim, self._plan(polled), self._clock)

    def _plan(self, polled: PolledStream) -> FetchPlan:
        return FetchPlan(polled.grid.next_due, *self._retry, self._reporting, self._landed)

    def _compare(
        self, claim: StreamClaim, polled: PolledStream, days: int, *, anew: bool = False
    ) -> tuple[Polled, list[DayView]]:
        assert polled.days is not None
        plan = days_plan(self._store, polled.days, days, self._reporting, self._landed)._replace(
            anew=anew, stopped=self._stopping.is_set
        )
        plans = self._plan(polled), plan
        return reconcile(self._store, self._vault, polled.worker, claim, plans, self._clock)

    def poll_now(self, stream: StreamKey) -> Polled:
        """Poll one stream, part by part, in the caller's thread, due or not; what went wrong with the first that did.

        Raises ``RetryError`` when it is being polled already.
        """
        return together([self._poll_feed(feed) for feed in self._feeds(stream)])

    def _poll_feed(self, feed: StreamKey) -> Polled:
        with self._claimed(feed, "stream.not_scheduled", "this stream is not polled by the clock") as (claim, _):
            return self._poll(claim)

    def _feeds(self, stream: StreamKey) -> list[StreamKey]:
        """The feeds of a stream, the stream itself where nothing is known of it."""
        for _ in range(2):
            with self._lock:
                found = [key for key, polled in self._streams.items() if polled.days is None]
            if feeds := [key for key in found if stream_of(key)[0] == stream]:
                return feeds
            self.refresh()
        return [stream]

    def reconcile_now(self, stream: StreamKey, days: int | None = None) -> list[DayView]:
        """Compare one stream with its source in the caller's thread. Raises what goes wrong."""
        self._feeds(stream)  # as configured now
        why = "this stream has no [reconcile]: nobody says how its days can be asked for"
        with self._claimed(feed_of(stream, DAYS), "reconcile.none", why) as (claim, polled):
            assert polled.days is not None
            told, views = self._compare(claim, polled, days or polled.days.days, anew=True)
        if told.error is not None:
            raise told.error
        return views

    @contextmanager
    def _claimed(self, stream: StreamKey, code: str, why: str) -> Iterator[tuple[StreamClaim, PolledStream]]:
        """A feed that is ours for a while, due or not."""
        with self._lock:
            if stream not in self._streams:
                raise HubError(why, code=code)
            polled = self._streams[stream]
            if stream in self._running:
                raise RetryError("the stream is being polled", code="stream.busy")
        now = self._clock()
        claim = claim_stream(self._store, stream, self._owner, now, self._lease)
        if claim is None:
            raise RetryError("the stream is being polled", code="stream.busy")
        with self._lock:
            self._running[stream] = Running(claim, now)
        try:
            yield claim, polled
        finally:
            with self._lock:
                self._running.pop(stream, None)


def days_plan(
    store: SqlStore,
    config: ReconcileConfig,
    days: int,
    reporting: frozenset[str] | None,
    landed: Callable[[str, Drafts], None] | None,
) -> DaysPlan:
    """How a stream is compared with its source, as configured."""
    return DaysPlan(days, config.by, lambda uid: Applied(store).wait(uid, APPLIED), reporting, landed)
