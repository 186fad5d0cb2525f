"""Land: what came in is durable before anyone is told so, together with the cursor that says we have it.

Callers that land at the same time share a commit: whoever gets the writer takes along the pages that wait.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from hub.core.errors import HubError, RetryError, StaleLeaseError
from hub.core.freight import Page
from hub.line.ports import Vault
from hub.store import pages
from hub.store.engine import SqlStore
from hub.store.tx import Tx

URGENT_DOORS = frozenset({"answer", "station"})
URGENT_STREAMS = frozenset({"report_feedback", "duty_answer"})


@dataclass(eq=False)
class _Waiting:
    """A page whose commit somebody is making."""

    page: Page
    sealed: bytes
    urgent: bool
    done: threading.Event = field(default_factory=threading.Event)
    outcome: str = ""  # the uid that will stand once the commit is made
    uid: str = ""
    error: HubError | None = None


def is_urgent(page: Page, reporting: frozenset[str] | None) -> bool:
    """Feedback, what people do, and streams that can create a report are applied before everything else."""
    if page.door in URGENT_DOORS or page.stream.stream in URGENT_STREAMS:
        return True
    return reporting is not None and page.mode == "live" and f"{page.stream.unit}.{page.stream.stream}" in reporting


def land(store: SqlStore, vault: Vault, page: Page, *, reporting: frozenset[str] | None = None) -> str:
    """Store a page; its uid (of the first page with the same idempotency key, if there was one).

    ``reporting`` names the streams (``unit.stream``) with a report rule: their live pages are applied first.
    Raises StaleLeaseError (nothing is stored), HubError ``idempotency.conflict`` (same key, other content),
    RetryError ``store.full`` and its kind (nothing is stored).
    """
    sealed = vault.seal_blob(page.uid, page.body)
    waiting = _join_commit(store, _Waiting(page, sealed, is_urgent(page, reporting)))
    if waiting.error is not None:
        raise waiting.error
    if not waiting.uid:
        raise RetryError("the commit was not made", code="store.unavailable", remedy="try again")
    return waiting.uid


def _join_commit(store: SqlStore, waiting: _Waiting) -> _Waiting:
    with store.landing_lock:
        store.landing.append(waiting)
    try:
        _commit_waiting(store, waiting)
    finally:
        with store.landing_lock:
            if waiting in store.landing:
                store.landing.remove(waiting)
    return waiting


def _commit_waiting(store: SqlStore, own: _Waiting) -> None:
    """Land everything that waits in one commit, unless somebody did it for us while we waited for the writer."""
    batch: list[_Waiting] = []
    try:
        with store.write() as tx:
            if own.done.is_set():
                return
            with store.landing_lock:
                batch, store.landing[:] = list(store.landing), []
            for waiting in sorted(batch, key=_lock_order):
                _land_one(tx, waiting)
        for waiting in batch:
            waiting.uid = waiting.outcome
    except HubError as error:
        batch = batch or _take(store, own)
        for waiting in batch:
            if waiting.error is None:
                _settle_unknown(store, waiting, error)
    finally:
        for waiting in batch:
            waiting.done.set()
    if own not in batch:  # in another connection's commit (PostgreSQL)
        own.done.wait()


def _lock_order(waiting: _Waiting) -> tuple[str, str, str]:
    """Two connections that land the same keys take them in one order: neither waits for the other in a circle."""
    page = waiting.page
    return page.stream.unit, page.idempotency_key or "", page.uid


def _take(store: SqlStore, own: _Waiting) -> list[_Waiting]:
    """Our own page alone, if no commit has taken it: the writer could not even begin."""
    with store.landing_lock:
        if own not in store.landing:
            return []
        store.landing.remove(own)
        return [own]


def _land_one(tx: Tx, waiting: _Waiting) -> None:
    """Into the open commit; a refusal of this page (stale lease, conflict) leaves its neighbours alone."""
    page = waiting.page
    try:
        waiting.outcome = store_page(tx, page, waiting.sealed, urgent=waiting.urgent)
    except HubError as error:
        if error.code not in ("lease.stale", "idempotency.conflict"):
            raise
        waiting.error = error


def store_page(tx: Tx, page: Page, sealed: bytes, *, urgent: bool) -> str:
    """The page row and the cursor in the caller's commit; the uid that stands (an earlier one's on a repeat)."""
    if not pages.insert_page(tx, page, sealed, urgent):
        return _first_of(tx, page)
    if page.lease is not None and not pages.move_cursor(tx, page):
        pages.forget_page(tx, page.uid)
        raise StaleLeaseError("the stream's lease was taken over", code="lease.stale")
    return page.uid


def _first_of(tx: Tx, page: Page) -> str:
    """The page that came first under this key, if it had the same body."""
    earlier = pages.earlier_page(tx, page)
    assert earlier is not None
    uid, digest = earlier
    if digest != page.digest:
        raise HubError(
            "this idempotency key was used for another body",
            code="idempotency.conflict",
            remedy="use a new key for new content",
        )
    return uid


def _settle_unknown(store: SqlStore, waiting: _Waiting, error: HubError) -> None:
    """A commit with unknown outcome is asked for by the page's own uid, not repeated blindly."""
    try:
        if waiting.outcome and pages.page_state(store, waiting.outcome) is not None:
            waiting.uid = waiting.outcome
            return
    except RetryError:
        pass
    waiting.error = error


def land_answer(tx: Tx, vault: Vault, page: Page) -> str:
    """What came back from a delivery, in the commit of its attempt."""
    return store_page(tx, page, vault.seal_blob(page.uid, page.body), urgent=True)
