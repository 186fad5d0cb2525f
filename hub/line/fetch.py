"""One poll: a claimed stream is read from its cursor, each page lands with its cursor under the claim's lease.

What went wrong decides what happens next: a peer in trouble is asked again later (full jitter, Retry-After), a refused
credential or a wrong configuration opens an issue and pauses the feed. Nothing that landed is ever lost by an error.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from hub.core.errors import HubError, RetryError, StaleLeaseError, StopError
from hub.core.faults import action_for
from hub.core.freight import Drafts
from hub.line.land import land
from hub.line.ports import Vault, Worker
from hub.store.claims import StreamClaim, finish_stream
from hub.store.engine import SqlStore
from hub.store.issues import close_issues, open_issue

__all__ = ["FetchPlan", "Polled", "hand_back", "is_told", "poll", "retry_delay", "together"]

PATIENCE = 5
"""Failures in a row before a peer in trouble becomes an issue: below that it is weather."""
FILE_ERRORS = "file."
"""One bad file among good ones: its issue stays until a good one has been read."""

OTHERS = ("stream.", "reconcile.")
"""Beginnings of codes that say something about a stream which no answer of its source disproves."""

Clock = Callable[[], datetime]
NextDue = Callable[[datetime, datetime], tuple[datetime, int]]
"""(the due time just served, now) → (next due time on the grid, slots missed between)."""


class FetchPlan(NamedTuple):
    """What a poll needs beside its claim."""

    next_due: NextDue
    retry_base: timedelta
    retry_max: timedelta
    reporting: frozenset[str] | None = None  # streams (unit.stream) with a report rule: applied first
    landed: Callable[[str, Drafts], None] | None = None  # called with each landed page's uid and the drafts that came


class Polled(NamedTuple):
    """What one poll gave. ``error`` None: heard (an empty answer is heard)."""

    pages: int
    rows: int
    error: HubError | None
    next_due: datetime
    stale: bool = False  # somebody else has the stream now: nothing more was stored


def poll(store: SqlStore, vault: Vault, worker: Worker, claim: StreamClaim, plan: FetchPlan, clock: Clock) -> Polled:
    """Read one claimed stream to its end and give it back with its next due time. Raises StopError only."""
    pages, rows, error = _read(store, vault, worker, claim, plan)
    polled = hand_back(store, claim, plan, clock(), pages, rows, error)
    if not polled.stale:
        _tell(store, claim, error, rows, clock())
    return polled


def together(polls: Sequence[Polled]) -> Polled:
    """Polls of a stream's parts as one: everything they gave, and the first thing that went wrong."""
    error = next((polled.error for polled in polls if polled.error is not None), None)
    return Polled(
        sum(polled.pages for polled in polls), sum(polled.rows for polled in polls), error,
        min(polled.next_due for polled in polls), any(polled.stale for polled in polls),
    )  # fmt: skip


def hand_back(
    store: SqlStore, claim: StreamClaim, plan: FetchPlan, now: datetime, pages: int, rows: int, error: HubError | None
) -> Polled:
    """Give a claimed feed back with its next due time: on its grid, or sooner and later by what went wrong."""
    if isinstance(error, StaleLeaseError):
        return Polled(pages, rows, error, claim.due, stale=True)
    on_grid, missed = plan.next_due(claim.due, now)
    if error is None:
        next_due = on_grid
    else:
        missed = 0  # the slot is being tried again, it is not missed
        next_due = now + timedelta(seconds=_pause(error, claim.failures, plan))
    kept = finish_stream(
        store,
        claim.stream,
        claim.lease,
        next_due=next_due,
        heard_at=now if error is None or error.code.startswith(FILE_ERRORS) else None,
        missed=missed,
        failed=error is not None,
        last=error.code if error is not None else "",
    )
    return Polled(pages, rows, error, next_due, stale=not kept)


def _read(
    store: SqlStore, vault: Vault, worker: Worker, claim: StreamClaim, plan: FetchPlan
) -> tuple[int, int, HubError | None]:
    pages = rows = 0
    try:
        for page, drafts in worker.fetch(claim.stream.stream, claim.cursor):
            uid = land(store, vault, page._replace(lease=claim.lease), reporting=plan.reporting)
            pages, rows = pages + 1, rows + page.rows
            if plan.landed is not None and uid == page.uid:
                plan.landed(uid, drafts)
    except StaleLeaseError as error:
        return pages, rows, error
    except StopError:
        raise
    except HubError as error:
        return pages, rows, error
    except Exception as error:  # foreign code: bounded retry, then an issue
        return pages, rows, RetryError("the connector failed", code=f"connector.{type(error).__name__}")
    return pages, rows, None


def retry_delay(failures: int, base: timedelta, longest: timedelta) -> float:
    """Seconds until the next try after ``failures`` earlier ones: full jitter below a doubling bound, never zero."""
    bound = min(longest.total_seconds(), base.total_seconds() * 2.0 ** min(failures, 30))
    return max(bound * 0.05, bound * secrets.randbelow(1_000_001) / 1_000_000)


def _pause(error: HubError, failures: int, plan: FetchPlan) -> float:
    if error.code.startswith(FILE_ERRORS):
        return plan.retry_base.total_seconds()
    if action_for(error).pause == "longest":
        return plan.retry_max.total_seconds()
    asked = error.after if isinstance(error, RetryError) and error.after is not None else 0.0
    return max(asked, retry_delay(failures, plan.retry_base, plan.retry_max))


def _tell(store: SqlStore, claim: StreamClaim, error: HubError | None, rows: int, now: datetime) -> None:
    subject = f"{claim.stream.unit}.{claim.stream.stream}"
    if error is None:
        if claim.failures or rows:
            close_issues(store, subject, now, keep=(*OTHERS, *(() if rows else (FILE_ERRORS,))))
    elif is_told(error, claim.failures):
        open_issue(store, error.code, subject, now, error.remedy)


def is_told(error: HubError, failures: int) -> bool:
    """Whether a person is told: at once, or after some failures in a row; ``failures`` came before this one."""
    return action_for(error).issue == "at once" or failures + 1 >= PATIENCE
