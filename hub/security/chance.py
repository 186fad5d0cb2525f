"""Random bytes from the operating system, fetched many at a time: a call for every record would hand the interpreter over
twice a record, and wait for it each time."""

from __future__ import annotations

import os
import threading

_AT_ONCE = 16_384


class _Store:
    """Bytes fetched and not yet given out; every byte is given once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bytes = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        with self._lock:
            start, end = self._at, self._at + count
            if end > len(self._bytes):
                self._bytes, start, end = os.urandom(max(_AT_ONCE, count)), 0, count
            self._at = end
            return self._bytes[start:end]

    def forget(self) -> None:
        """In a forked process: what the parent fetched is the parent's."""
        self._lock = threading.Lock()
        self._bytes, self._at = b"", 0


_store = _Store()
os.register_at_fork(after_in_child=_store.forget)


def chance(count: int) -> bytes:
    """``count`` random bytes, fit for nonces and keys."""
    return _store.take(count)
