"""The writer: takes what has landed, urgent pages first, and what falls due; one batch is prepared while another is applied."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import NamedTuple

from hub.core.errors import RetryError, StaleLeaseError
from hub.core.freight import Drafts, Lease
from hub.core.policy import Policy
from hub.core.records import SHANGHAI, StreamKey
from hub.line.apart import Apart
from hub.line.apply import Receipt, apply
from hub.line.letters import Outward
from hub.line.ports import Vault, Worker
from hub.line.prepare import Prepared, prepare
from hub.store import pages
from hub.store.adoption import adopt, next_batch
from hub.store.cases import due_households
from hub.store.claims import WRITER, release_lease, take_lease
from hub.store.district import district_is_due
from hub.store.engine import SqlStore
from hub.store.issues import close_issues, open_issue
from hub.store.numbers import new_uid

__all__ = ["DraftShelf", "WriterPlan", "drain", "write_forever"]

RECORDS = 2_000
"""Records in one commit."""
CAUTIOUS = 250
"""Records in the first commits of a writer whose commits may not take long, until it knows how long they take."""
FEWEST = 25
"""Records in one commit however long they take."""
COLLECTED = 16 * RECORDS
"""Records between two collections of cycles while there is always something to do."""
HOLD = timedelta(seconds=5)
"""When a page whose connector could not map it is tried again."""

Clock = Callable[[], datetime]


def now() -> datetime:
    """World time, from the operating system."""
    return datetime.now(SHANGHAI)


class _Collections:
    """No cyclic collection while batches are made and written: a batch makes a hundred thousand tuples and no cycle.

    What little there is goes between batches, now and then, and when there is nothing to do.
    """

    def __init__(self) -> None:
        self._was = gc.isenabled()
        self._records = 0

    def pause(self, records: int = 0) -> None:
        """Work on so many records begins; called for every batch."""
        gc.disable()
        self._records += records
        if self._records >= COLLECTED:
            self._records = 0
            gc.collect()

    def resume(self) -> None:
        """There is nothing to do."""
        if self._was:
            gc.enable()


class DraftShelf:
    """Drafts that polls brought along, until their page is prepared; bounded, because `map` can make them again."""

    def __init__(self, pages_kept: int = 64) -> None:
        self._room = threading.Condition()
        self._drafts: dict[str, Drafts] = {}
        self._most = pages_kept

    def put(self, uid: str, drafts: Drafts, *, patience: float = 0.0) -> None:
        """Called with each landed page (`FetchPlan.landed`); waits up to ``patience`` seconds for room."""
        with self._room:
            if self._room.wait_for(lambda: len(self._drafts) < self._most, patience):
                self._drafts[uid] = drafts

    def take(self, uids: list[str]) -> dict[str, Drafts]:
        """The drafts of these pages, as far as they are here; each is given once."""
        with self._room:
            found = {uid: self._drafts.pop(uid) for uid in uids if uid in self._drafts}
            self._room.notify_all()
            return found


class WriterPlan(NamedTuple):
    """What the writer needs beside the line's parts."""

    owner: str = ""  # the node; empty: a name of its own
    lease: timedelta = timedelta(seconds=30)
    tick: timedelta = timedelta(milliseconds=100)
    outward: Outward = Outward()
    live_from: Mapping[StreamKey, date] = {}
    records: int = RECORDS  # in one commit, at most
    seconds: float = 0.0  # what a commit may take, so that polls and messages get their turn; 0: as long as it needs
    shelf: DraftShelf | None = None
    applied: Callable[[list[Receipt]], None] | None = None  # called after each commit
    wake: threading.Event | None = None  # set by whoever landed something
    alone: bool = (
        False  # no other process can be writing (`hub.lock` is held): a dead one's lease is taken over at once
    )


class _Loop:
    """One writer at work, under its lease."""

    def __init__(
        self,
        store: SqlStore,
        workers: Mapping[str, Worker],
        vault: Vault,
        policy: Policy,
        clock: Clock,
        plan: WriterPlan,
    ) -> None:
        self._store = store
        self._workers = workers
        self._vault = vault
        self._policy = policy
        self._clock = clock
        self._plan = plan
        self._held: dict[int, datetime] = {}  # pages to leave alone until then
        self._told: set[str] = set()
        self._apart = Apart(vault)
        self._size = plan.records if not plan.seconds else min(plan.records, CAUTIOUS)
        self._adopting: bool | None = None  # whether another policy than before judges everybody again; None: not asked

    def take(self, lease: Lease | None, skip: frozenset[int]) -> Prepared:
        """The next landed pages, prepared; runs one batch ahead of ``apply``."""
        at = self._clock()
        self._held = {number: until for number, until in self._held.items() if until > at}
        with self._store.read() as sql:
            found = pages.next_landed(sql, self._size, skip | frozenset(self._held))
        drafts = self._plan.shelf.take([page.uid for _, page in found]) if self._plan.shelf else {}
        return prepare(
            found, self._workers, self._vault, self._policy,
            live_from=self._plan.live_from, drafts=drafts, lease=lease, elsewhere=self._apart, full=self._size,
        )  # fmt: skip

    def idle(self) -> None:
        """There is nothing to do at the moment."""
        self._apart.idle()

    def rest(self) -> None:
        """There is nothing more to do."""
        self._apart.rest()

    def write(self, work: Prepared) -> int:
        """Apply a batch and what is due; how many pages and households moved."""
        at = self._clock()
        self._hold(work, at)
        with self._store.read() as sql:
            due = due_households(sql, at, self._size)
            district = bool(self._plan.outward.communities) and district_is_due(sql, at)
        moved = self._adopt(at) if not due else 0
        if not work.pages and not due and not district:
            return moved
        began = time.perf_counter()
        receipts = apply(self._store, work, self._policy, at, outward=self._plan.outward, due=due)
        self._learn(work.records + len(due), time.perf_counter() - began)
        if self._plan.applied is not None:
            self._plan.applied(receipts)
        return len(work.pages) + len(due)

    def _learn(self, units: int, taken: float) -> None:
        """How many records the next commits have: as many as the allowed time suffices for, by how long this one took."""
        if self._plan.seconds and (2 * units >= self._size or taken > self._plan.seconds):
            wanted = int(units * self._plan.seconds / max(taken, 1e-3))
            self._size = max(FEWEST, min(self._plan.records, wanted, 2 * self._size))

    def _adopt(self, at: datetime) -> int:
        """Under another policy than before everybody is judged again, a batch whenever nothing else is due."""
        if self._adopting is None:
            self._adopting = adopt(self._store, self._policy, at)
        if self._adopting:
            self._adopting = next_batch(self._store, at)
        return 1 if self._adopting else 0

    def _hold(self, work: Prepared, at: datetime) -> None:
        for number, code in work.held:
            self._held[number] = at + HOLD
            if code not in self._told:
                self._told.add(code)
                open_issue(self._store, "page.unmapped", code, at, "enable or repair the connector; the page waits")
        if work.pages and not work.held and self._told:
            for code in self._told:
                close_issues(self._store, code, at, code="page.unmapped")
            self._told = set()


def drain(
    store: SqlStore,
    workers: Mapping[str, Worker],
    vault: Vault,
    policy: Policy,
    clock: Clock = now,
    plan: WriterPlan | None = None,
) -> bool:
    """Apply until nothing is pending and nothing is due; for commands without a daemon.

    False: somebody else holds the writer's lease and does it. One who died holds it until its end: that is waited for
    while pages are pending. Raises RetryError, StopError.
    """
    plan = plan or WriterPlan()
    owner = plan.owner or f"command:{new_uid()}"
    lease = _lease_or_nothing_to_do(store, owner, clock, plan)
    if lease is None:
        return False
    loop = _Loop(store, workers, vault, policy, clock, plan)
    collections = _Collections()
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="prepare") as ahead:
            collections.pause()
            work = loop.take(lease, frozenset())
            while True:
                collections.pause(work.records)
                skip = frozenset(page.id for page in work.pages)
                following = ahead.submit(loop.take, lease, skip)
                moved = loop.write(work)
                work = following.result()
                if not moved and not work.pages:
                    return True
                lease = _renewed(store, lease, clock(), plan.lease)
                work = work._replace(lease=lease)
    finally:
        loop.rest()
        collections.resume()
        release_lease(store, lease)


def _lease_or_nothing_to_do(store: SqlStore, owner: str, clock: Clock, plan: WriterPlan) -> Lease | None:
    """The writer's lease; None: the one who holds it has applied everything, or outlives our patience."""
    end, pause = time.monotonic() + plan.lease.total_seconds() * 1.5, threading.Event()
    while True:
        lease = take_lease(store, WRITER, owner, clock(), plan.lease, alone=plan.alone)
        if lease is not None:
            return lease
        with store.read() as sql:
            waiting = pages.pending(sql)
        if not waiting or time.monotonic() >= end:
            return None
        pause.wait(plan.tick.total_seconds())


def _renewed(store: SqlStore, lease: Lease, at: datetime, length: timedelta) -> Lease:
    if lease.until - at > length / 2:
        return lease
    renewed = take_lease(store, WRITER, lease.owner, at, length)
    if renewed is None or renewed.fence != lease.fence:
        raise StaleLeaseError("the writer's lease was taken over", code="lease.stale")
    return renewed


def write_forever(
    store: SqlStore,
    workers: Mapping[str, Worker],
    vault: Vault,
    policy: Policy,
    clock: Clock,
    stop: threading.Event,
    plan: WriterPlan | None = None,
) -> None:
    """Hold the writer's lease while nobody else does, and apply what lands and what falls due, until ``stop``.

    Two nodes may run it on one database; the other takes over when the lease ends. Raises StopError when the process
    must not go on; trouble with the archive is waited out.
    """
    plan = plan or WriterPlan()
    plan = plan if plan.owner else plan._replace(owner=f"node:{new_uid()}")
    loop = _Loop(store, workers, vault, policy, clock, plan)
    with ThreadPoolExecutor(1, thread_name_prefix="prepare") as ahead:
        lease: Lease | None = None
        try:
            while not stop.is_set():
                try:
                    lease = take_lease(store, WRITER, plan.owner, clock(), plan.lease, alone=plan.alone)
                    if lease is not None:
                        lease = _hold_office(loop, ahead, lease, clock, stop, plan, store)
                except (RetryError, StaleLeaseError):
                    lease = None  # busy, unreachable, or taken over: at the next look
                _wait(stop, plan)
        finally:
            loop.rest()
            if lease is not None:
                release_lease(store, lease)


def _hold_office(
    loop: _Loop, ahead: ThreadPoolExecutor, lease: Lease, clock: Clock, stop: threading.Event, plan: WriterPlan,
    store: SqlStore,
) -> Lease:  # fmt: skip
    """Work while there is something to do; then wait, renewing the lease."""
    following: Future[Prepared] | None = None
    quiet = False
    collections = _Collections()
    while not stop.is_set():
        lease = _renewed(store, lease, clock(), plan.lease)
        work = following.result() if following is not None else loop.take(lease, frozenset())
        following = None
        work = work._replace(lease=lease)
        if work.pages:
            collections.pause(work.records)
            following = ahead.submit(loop.take, lease, frozenset(page.id for page in work.pages))
        moved = loop.write(work)
        if not moved:
            collections.resume()
            loop.idle()
            if not quiet:
                store.quiet()
                quiet = True
            _wait(stop, plan)
        else:
            quiet = False
    collections.resume()
    if following is not None:
        following.result()
    return lease


def _wait(stop: threading.Event, plan: WriterPlan) -> None:
    if plan.wake is None:
        stop.wait(plan.tick.total_seconds())
        return
    plan.wake.wait(plan.tick.total_seconds())
    plan.wake.clear()
