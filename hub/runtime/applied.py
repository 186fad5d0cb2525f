"""Waiting until what has landed is applied, by whoever writes."""

from __future__ import annotations

import threading
import time

from hub.store.engine import SqlStore
from hub.store.pages import page_state

__all__ = ["wait_applied"]

LOOK = 0.02
"""Seconds between two looks at a page somebody waits for."""


def wait_applied(store: SqlStore, uid: str, seconds: float) -> bool:
    """Wait at most ``seconds`` until a landed page is applied; False: it is still pending."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while page_state(store, uid) != "applied":
        if time.monotonic() >= end:
            return False
        pause.wait(LOOK)
    return True
