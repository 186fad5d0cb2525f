"""Waiting until what has landed is applied, by whoever writes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from hub.store.engine import SqlStore
from hub.store.pages import page_state

__all__ = ["Applied"]

LOOK = 0.25
"""Seconds between two looks at a page somebody waits for, should another node have applied it."""


class Applied:
    """Who waits for a page is told when it is applied here; when another node applied it, by a look now and then."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._waiting: dict[str, list[threading.Event]] = {}

    def tell(self, receipts: Iterable[Mapping[str, Any]]) -> None:
        """These pages are applied (`WriterPlan.applied`)."""
        with self._lock:
            found = [event for told in receipts for event in self._waiting.get(told["batch"], ())]
        for event in found:
            event.set()

    def wait(self, uid: str, seconds: float) -> bool:
        """Wait at most ``seconds`` until a landed page is applied; False: it is still pending."""
        end, event = time.monotonic() + seconds, threading.Event()
        with self._lock:
            self._waiting.setdefault(uid, []).append(event)
        try:
            while page_state(self._store, uid) != "applied":
                left = end - time.monotonic()
                if left <= 0:
                    return False
                event.wait(min(left, LOOK))
            return True
        finally:
            with self._lock:
                self._waiting[uid].remove(event)
                if not self._waiting[uid]:
                    del self._waiting[uid]
