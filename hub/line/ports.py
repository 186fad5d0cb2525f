"""The three ports that ``bootstrap`` fills: the worker (a connector, seen from the hub), the vault and the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from hub.core.freight import DOORS, MODES, Answer, Drafts, Lease, Page, Parcel, Sealed
from hub.core.records import Draft, Owed, Problem

__all__ = ["DOORS", "MODES", "Answer", "Drafts", "Lease", "Page", "Parcel", "Sealed", "Store", "Vault", "Worker"]


class Worker(Protocol):
    """The four verbs of a connector. The first line runs it in a thread; a pipe to a child process comes later."""

    unit: str

    def fetch(self, stream: str, cursor: str | None) -> Iterator[tuple[Page, Drafts]]: ...
    def map(self, page: Page) -> Drafts: ...
    def render(self, owed: Owed, body: Mapping[str, Any]) -> bytes: ...
    def send(self, parcel: Parcel) -> Answer: ...


class Vault(Protocol):
    """Seals, opens and indexes; the only holder of keys."""

    def seal(self, draft: Draft, mode: str, received_at: datetime, rejected: Problem | None = None) -> Sealed: ...
    def open_body(self, uid: str, body: bytes) -> Mapping[str, Any]: ...
    def open_reporter(self, uid: str, reporter: bytes) -> Mapping[str, Any]: ...
    def seal_blob(self, uid: str, plain: bytes) -> bytes: ...
    def mark_of(self, plain: bytes) -> bytes: ...
    def open_blob(self, uid: str, sealed: bytes) -> bytes: ...


class Store(Protocol):
    """The archive. ``write`` opens the one transaction of a use case; ``read`` a consistent snapshot."""

    def write(self) -> AbstractContextManager[Any]: ...
    def read(self) -> AbstractContextManager[Any]: ...
