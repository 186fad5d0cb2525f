"""Reconciliation (对账): what a source says of its own days beside what the hub holds; what is missing is read again.

The cursor stays where it is and pages land as always, so that what was there already is *unchanged*. What the hub holds
and its source does not is told and never taken away: only a retraction, which is a record, does that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from typing import NamedTuple, Protocol

from hub.core.errors import HubError, PersonError, RetryError, StopError
from hub.core.freight import Drafts, Page, stream_of
from hub.core.records import StreamKey
from hub.core.values import Unreadable, parse_key
from hub.line.fetch import Clock, FetchPlan, Polled, hand_back, is_told
from hub.line.land import land
from hub.line.ports import Vault
from hub.store import reconciled
from hub.store.claims import StreamClaim
from hub.store.engine import SqlStore
from hub.store.issues import close_issues, open_issue
from hub.store.reconciled import DayView

__all__ = ["MISSING", "Days", "DaysPlan", "Stated", "compare_days", "compare_stated", "reconcile"]

MISSING = "reconcile.missing"
MOST_KEYS = 200_000
"""Keys of one day: a source that names more is asked the wrong question."""
MOST_AGAIN = 2_000
"""Missing records that are asked for at once; the others at the next comparison."""
MOST_PAGES = 200
"""Pages that one day is read again for."""
TRIES = 3
"""How often in a row the same difference is read again in vain; then it is only told, until it changes."""


class Days(Protocol):
    """A connector that can be asked for whole days (`runtime/unit_worker.py`)."""

    unit: str

    def counts(self, stream: str, cursor: str | None, first: date, last: date) -> _Counted: ...
    def keys(self, stream: str, cursor: str | None, day: date) -> Iterator[list[str]]: ...
    def again(
        self, stream: str, cursor: str | None, day: date, keys: Sequence[str]
    ) -> Iterator[tuple[Page, Drafts]]: ...


class _Counted(Protocol):
    @property
    def counts(self) -> Mapping[date, int] | None: ...
    @property
    def names_keys(self) -> bool: ...


class DaysPlan(NamedTuple):
    """What a comparison needs beside the stream."""

    days: int  # whole days back, yesterday is the first
    by: str  # updated or event
    applied: Callable[[str], bool]  # waits until a landed page is applied; False: it is not yet
    reporting: frozenset[str] | None = None
    landed: Callable[[str, Drafts], None] | None = None
    anew: bool = False  # read again also what was read again in vain before
    stopped: Callable[[], bool] = bool  # whether to end after the day in work


def compare_days(
    store: SqlStore, vault: Vault, worker: Days, stream: StreamKey, plan: DaysPlan, clock: Clock
) -> list[DayView]:
    """Compare the last days of one stream with its source, read again what is missing, and keep the result.

    Raises classed errors: what its source says, or ``reconcile.pending`` while what it sent is not applied yet.
    """
    comparing = _Comparing(store, vault, worker, stream, plan, clock)
    views = comparing.run()
    reconciled.keep_days(store, views)
    _say(store, stream, views, clock())
    return views


class Stated(NamedTuple):
    """What a department that pushes says of one of its days."""

    day: date
    number: int | None  # of its records; None: it names them
    keys: Sequence[str] | None


def compare_stated(
    store: SqlStore, stream: StreamKey, by: str, stated: Sequence[Stated], now: datetime
) -> list[tuple[DayView, list[str]]]:
    """Compare days that a department states itself; each with the keys it named and the hub has not: it sends those again.

    Whether an issue stands is decided by all days of the stream that are kept: one that differs is stated again.
    """
    told: list[tuple[DayView, list[str]]] = []
    for day, number, named in stated:
        keys = None if named is None else _normalised(named)
        with store.read() as sql:
            ours, unclear = reconciled.held(sql, stream, by, day)
            missing = reconciled.not_held(sql, stream, by, day, keys) if keys is not None else set[str]()
            ours_only = reconciled.held_keys(sql, stream, by, day) - keys.keys() if keys is not None else set[str]()
        theirs = number if number is not None else len(keys or ())
        lost = len(missing) if keys is not None else max(0, theirs - ours - unclear)
        extra = len(ours_only) if keys is not None else max(0, ours - theirs)
        state = "differs" if lost else "extra" if extra else "agrees"
        view = DayView(stream, day, theirs, ours, lost, extra, 0, 0, state, now)
        told.append((view, [(keys or {})[no] for no in sorted(missing)]))
    reconciled.keep_days(store, [view for view, _ in told])
    with store.read() as sql:
        kept = reconciled.day_views(sql, stream.unit)
    _say(store, stream, [view for view in kept if view.stream == stream], now)
    return told


def _say(store: SqlStore, stream: StreamKey, views: Sequence[DayView], now: datetime) -> None:
    """The issue of a stream, as these days have it."""
    subject = f"{stream.unit}.{stream.stream}"
    missing = [view for view in views if view.state == "differs"]
    if missing:
        open_issue(store, MISSING, subject, now, _remedy(missing))
    else:
        close_issues(store, subject, now, code=MISSING)


def reconcile(
    store: SqlStore, vault: Vault, worker: Days, claim: StreamClaim, plans: tuple[FetchPlan, DaysPlan], clock: Clock
) -> tuple[Polled, list[DayView]]:
    """``compare_days`` for a feed that is due, given back with its next due time. Raises StopError only."""
    plan, days = plans
    stream, _ = stream_of(claim.stream)
    views, error = _compared(store, vault, worker, stream, days, clock)
    polled = hand_back(store, claim, plan, clock(), 0, sum(view.pulled for view in views), error)
    subject = f"{stream.unit}.{stream.stream}/days"
    if error is None and not polled.stale and claim.failures:
        close_issues(store, subject, clock())
    elif error is not None and is_told(error, claim.failures):
        open_issue(store, error.code, subject, clock(), error.remedy)
    return polled, views


def _compared(
    store: SqlStore, vault: Vault, worker: Days, stream: StreamKey, plan: DaysPlan, clock: Clock
) -> tuple[list[DayView], HubError | None]:
    try:
        return compare_days(store, vault, worker, stream, plan, clock), None
    except StopError:
        raise
    except HubError as error:
        return [], error
    except Exception as error:  # foreign code: bounded retry, then an issue
        return [], RetryError("the connector failed", code=f"connector.{type(error).__name__}")


def _remedy(missing: Sequence[DayView]) -> str:
    days = ", ".join(f"{view.day} ({view.missing})" for view in missing[:5])
    return f"records its source counts and did not give again: {days}; ask the unit, see `hub connectors reconcile`"


class _Comparing:
    """One comparison of one stream."""

    def __init__(
        self, store: SqlStore, vault: Vault, worker: Days, stream: StreamKey, plan: DaysPlan, clock: Clock
    ) -> None:
        self._store = store
        self._vault = vault
        self._worker = worker
        self._stream = stream
        self._plan = plan
        self._clock = clock
        self._cursor: str | None = None
        self._before: dict[date, DayView] = {}

    def run(self) -> list[DayView]:
        """The newest day first."""
        last = self._clock().date() - timedelta(days=1)
        first = last - timedelta(days=self._plan.days - 1)
        self._settle()
        with self._store.read() as sql:
            self._cursor = reconciled.cursor_of(sql, self._stream)
            views = reconciled.day_views(sql, self._stream.unit, first)
        self._before = {view.day: view for view in views if view.stream == self._stream}
        told = self._worker.counts(self._stream.stream, self._cursor, first, last)
        if told.counts is None and not told.names_keys:
            raise PersonError("the source offers neither counts nor keys of its days", code="reconcile.none")
        days = [last - timedelta(days=number) for number in range(self._plan.days)]
        if told.counts is None:
            return [self._day(day, None, told.names_keys) for day in days]
        return [self._day(day, told.counts[day], told.names_keys) for day in days if day in told.counts]

    def _settle(self) -> None:
        """What came in so far is applied: until then it would count as missing."""
        with self._store.read() as sql:
            uid = reconciled.newest_page(sql, self._stream)
        if uid is not None and not self._plan.applied(uid):
            raise RetryError("what the stream sent is not applied yet", code="reconcile.pending", remedy="try again")

    def _day(self, day: date, theirs: int | None, names_keys: bool) -> DayView:
        if self._plan.stopped():
            raise RetryError("the hub is stopping", code="connector.closed")
        ours, missing = self._count(day, theirs)
        keys: dict[str, str] | None = None
        if names_keys and theirs != ours:
            named = self._keys(day)
            if named or not theirs:  # a source that counts some and names none is compared by number
                keys, missing = named, self._missing(day, named)
        count = missing if isinstance(missing, int) else len(missing)
        before = self._before.get(day)
        is_same = (
            before is not None and before.state == "differs" and (before.theirs, before.missing) == (theirs, count)
        )
        tries = before.tries if before is not None and is_same else 0
        pulled = 0
        if count and (tries < TRIES or self._plan.anew):
            wanted = () if keys is None or isinstance(missing, int) else [keys[no] for no in sorted(missing)]
            pulled = self._read_again(day, wanted[:MOST_AGAIN])
            ours, missing = self._count(day, theirs)
            if keys is not None:
                missing = self._missing(day, keys)
            count, tries = missing if isinstance(missing, int) else len(missing), tries + 1
        extra = self._extra(day, keys) if keys is not None else max(0, ours - (theirs if theirs is not None else ours))
        state = "differs" if count else "extra" if extra else "agrees"
        return DayView(
            self._stream, day, theirs, ours, count, extra, pulled, tries if count else 0, state, self._clock()
        )

    def _count(self, day: date, theirs: int | None) -> tuple[int, int | set[str]]:
        """What the hub has of a day, and how many are missing by number: rows nobody can put to a day may be among them."""
        with self._store.read() as sql:
            ours, unclear = reconciled.held(sql, self._stream, self._plan.by, day)
        return ours, max(0, (theirs or 0) - ours - unclear)

    def _keys(self, day: date) -> dict[str, str]:
        """The source's keys of a day, as the hub stores them → as the connector says them."""
        found: dict[str, str] = {}
        told = 0
        for part in self._worker.keys(self._stream.stream, self._cursor, day):
            found.update(_normalised(part))
            told += max(1, len(part))
            if told > MOST_KEYS:
                raise PersonError(
                    f"the source names more than {MOST_KEYS} records of one day",
                    code="reconcile.endless",
                    remedy="look at `keys` in [streams.….reconcile]: it must ask for one day",
                )
        return found

    def _missing(self, day: date, keys: Mapping[str, str]) -> set[str]:
        with self._store.read() as sql:
            return reconciled.not_held(sql, self._stream, self._plan.by, day, keys)

    def _extra(self, day: date, keys: Mapping[str, str]) -> int:
        with self._store.read() as sql:
            return len(reconciled.held_keys(sql, self._stream, self._plan.by, day) - keys.keys())

    def _read_again(self, day: date, keys: Sequence[str]) -> int:
        """Land a day's records once more; how many rows came. Waits until they are applied."""
        rows, uid = 0, ""
        pages = self._worker.again(self._stream.stream, self._cursor, day, keys)
        for page, drafts in islice(pages, MOST_PAGES):
            uid = land(self._store, self._vault, page, reporting=self._plan.reporting)
            rows += page.rows
            if self._plan.landed is not None:
                self._plan.landed(uid, drafts)
        if uid and not self._plan.applied(uid):
            raise RetryError("what was read again is not applied yet", code="reconcile.pending", remedy="try again")
        return rows


def _normalised(keys: Iterable[str]) -> dict[str, str]:
    """Keys as ``core.normalise`` makes them → as told; one that is no key could not be a record either."""
    found = {}
    for told in keys:
        try:
            found[parse_key(told)] = told
        except Unreadable:
            continue
    return found
