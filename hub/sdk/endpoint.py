"""The health of one endpoint (an interface, a database, an SFTP server), shared by everything that calls it.

Endpoint health is kept apart from payload health: while an endpoint rests nothing is asked of it and nothing is blamed on
a record. After ``THRESHOLD`` failures in a row it rests; then one caller tries, and its answer opens the way for all.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from hub.core.errors import RetryError

__all__ = ["Endpoint", "Endpoints"]

THRESHOLD = 5
"""Failures in a row before an endpoint rests."""
CALLS = 4
"""Calls to one endpoint at the same time, whoever makes them."""
OWN_WAIT = 2.0
"""Seconds; an endpoint that asks for a longer pause (Retry-After) gets it for all its callers."""


class Endpoint:
    """One address as this process knows it. ``base`` and ``longest`` bound how long it rests, in seconds."""

    def __init__(
        self,
        base: float = 1.0,
        longest: float = 300.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._base = base
        self._longest = longest
        self._clock = clock
        self._draw = draw
        self._lock = threading.Lock()
        self._budget = threading.BoundedSemaphore(CALLS)
        self._failures = 0
        self._rests = 0
        self._until = 0.0
        self._code = ""
        self._probing = False

    @property
    def state(self) -> str:
        """closed (calls pass), open (it rests) or half-open (one caller tries)."""
        with self._lock:
            if not self._until:
                return "closed"
            return "half-open" if self._probing or self._clock() >= self._until else "open"

    @contextmanager
    def turn(self, seconds: float) -> Iterator[None]:
        """The right to make one call, had within ``seconds``. Raises ``RetryError``: it rests (as it failed), or is busy."""
        probing = self._admit()
        try:
            if not self._budget.acquire(timeout=seconds):
                raise RetryError("too many calls to this endpoint at once", code="peer.busy")
            try:
                yield
            finally:
                self._budget.release()
        finally:
            if probing:
                with self._lock:
                    self._probing = False

    def met(self, code: str = "", after: float | None = None) -> None:
        """What a call gave: empty code, it answered (whatever it answered); else how it failed."""
        with self._lock:
            if not code:
                self._failures = self._rests = 0
                self._until = 0.0
                return
            self._failures += 1
            self._code = code
            asked = after if after is not None and after > OWN_WAIT else 0.0
            if self._failures >= THRESHOLD or asked:
                bound = min(self._longest, self._base * 2.0 ** min(self._rests, 30))
                self._until = self._clock() + max(asked, bound * (0.5 + self._draw() / 2))
                self._rests += 1

    def _admit(self) -> bool:
        """Let a call pass; True: it is the probe of an endpoint that rested."""
        with self._lock:
            if not self._until:
                return False
            left = self._until - self._clock()
            if left > 0 or self._probing:
                raise RetryError(
                    "the endpoint rests after failures", code=self._code, after=max(left, self._base * 0.1)
                )
            self._probing = True
            return True


class Endpoints:
    """Every endpoint of one process: by scheme, host and port; what has no host, by its whole address."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Endpoint] = {}

    def of(self, url: str, base: float, longest: float) -> Endpoint:
        """The endpoint an address lies at."""
        split = urlsplit(url)
        place = f"{split.scheme}://{split.netloc.rpartition('@')[2].lower()}" if split.hostname else url
        with self._lock:
            return self._known.setdefault(place, Endpoint(base, longest))
