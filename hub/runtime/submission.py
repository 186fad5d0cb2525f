"""Handing a page to whoever may write, from a command beside a daemon or without one.

On SQLite one process writes: a command takes ``hub.lock`` and is the writer itself, or, where the daemon holds it, lands its
page through ``hub.sock``. On PostgreSQL it lands directly and applies when the writer's lease is free.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

from hub.core.errors import HubError, RetryError
from hub.core.freight import Page
from hub.runtime.daemon import hub_lock
from hub.runtime.local_socket import ask, is_served, page_to_json
from hub.runtime.service import SOCKET
from hub.store import pages
from hub.store.engine import SqlStore

__all__ = ["Door", "Submission"]

START_SECONDS = 10.0
"""How long a daemon may hold the lock without answering on its socket yet."""
APPLY_SECONDS = 60.0
"""How long a command waits for a page that somebody else applies; then its receipt says *pending*."""
LOOK = 0.05

Receipt = dict[str, Any]
Door = Callable[[Page], str]
"""Takes a page; durable when it returns the uid that stands, applied if that could be done at once."""


class Submission:
    """The one way in for commands. ``land`` and ``drain`` are the line's, filled in by bootstrap."""

    def __init__(self, store: SqlStore, folder: Path, land: Door, drain: Callable[[], object]) -> None:
        self._store = store
        self._folder = folder
        self._land = land
        self._drain = drain

    @contextmanager
    def door(self) -> Iterator[Door]:
        """Open the way in for as many pages as come. Raises RetryError when nobody lets us write."""
        with ExitStack() as stack:
            yield self._lands_here if self.is_ours(stack) else self.lands_there

    def is_ours(self, stack: ExitStack) -> bool:
        """Whether we write ourselves (the lock is ours until ``stack`` ends), or a daemon does. Raises as ``door``."""
        return self._store.postgres or self._locked(stack)

    def submit(self, page: Page, *, all_rows: bool = False) -> Receipt:
        """One page in, its receipt out."""
        with self.door() as take:
            uid = take(page)
            return self.receipt(uid, all_rows=all_rows)

    def receipt(self, uid: str, *, all_rows: bool = False, seconds: float = APPLY_SECONDS) -> Receipt:
        """The receipt of a landed page, once it is applied; *pending* where that takes longer."""
        end, pause = time.monotonic() + seconds, Event()
        while True:
            with self._store.read() as sql:
                found = pages.receipt(sql, uid, all_rows=all_rows)
            if found is None:
                raise HubError("the page that was landed is not there", code="page.unknown")
            if not found["pending"] or time.monotonic() >= end:
                return found
            pause.wait(LOOK)

    def catch_up(self) -> bool:
        """Apply what has landed and judge what is due, unless a daemon does it; True: done here."""
        try:
            with ExitStack() as stack:
                if not self._store.postgres:
                    stack.enter_context(hub_lock(self._folder))
                self._drain()
                return True
        except RetryError:
            return False

    def _locked(self, stack: ExitStack) -> bool:
        """True: the lock is ours; False: a daemon answers. Raises RetryError when it is neither for too long."""
        end, pause = time.monotonic() + START_SECONDS, Event()
        while True:
            try:
                stack.enter_context(hub_lock(self._folder))
                return True
            except RetryError:
                if is_served(self._folder / SOCKET):
                    return False
                if time.monotonic() >= end:
                    raise
            pause.wait(LOOK)

    def _lands_here(self, page: Page) -> str:
        uid = self._land(page)
        self._drain()
        return uid

    def lands_there(self, page: Page) -> str:
        """A page for the daemon; durable when it returns."""
        return str(ask(self._folder / SOCKET, "land", page=page_to_json(page))["uid"])
