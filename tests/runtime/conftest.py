from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.runtime.schedule import Schedule
from hub.runtime.unit_worker import UnitWorker
from hub.runtime.workers import Workers
from hub.settings import ConnectorConfig, DeliverConfig, Limits, StreamConfig
from hub.store.engine import SqlStore
from tests.loaded import connectors, now, worker_of
from tests.local_peer import Asked, LocalPeer


class OpenVault:
    """Seals nothing: what lands can be read back by a test."""

    def seal_blob(self, uid: str, plain: bytes) -> bytes:
        return plain

    def open_blob(self, uid: str, sealed: bytes) -> bytes:
        return sealed


@pytest.fixture
def vault() -> Any:
    return OpenVault()


@pytest.fixture(scope="session")
def police() -> Any:
    """The police connector, loaded as the daemon loads it."""
    return connectors()["police"]


@pytest.fixture
def make_worker(police: Any) -> Iterator[Callable[..., UnitWorker]]:
    """A worker of the police connector for the given streams and ways out."""
    made: list[UnitWorker] = []

    def make(
        *streams: StreamConfig, deliver: tuple[DeliverConfig, ...] = (), limits: Limits | None = None
    ) -> UnitWorker:
        config = ConnectorConfig(
            name="police", enabled=True, path=Path("police.toml"), streams={s.name: s for s in streams},
            deliver={d.kind: d for d in deliver},
        )  # fmt: skip
        made.append(worker_of(police, config, limits or Limits(peer_seconds=5), pace=(0.1, 0.4)))
        return made[-1]

    yield make
    for worker in made:
        worker.close()


@pytest.fixture
def make_schedule(sqlite_store: SqlStore, vault: Any) -> Callable[..., Schedule]:
    """A schedule over a fresh archive, quick enough for a test."""

    def make(worker: UnitWorker, **options: Any) -> Schedule:
        return Schedule(
            sqlite_store, vault, Workers({worker.unit: worker}),
            **{"owner": "node-a#1", "clock": now, "tick": timedelta(milliseconds=50), "lease": timedelta(seconds=5),
               "retry_base": timedelta(milliseconds=100), "retry_max": timedelta(milliseconds=400), **options},
        )  # fmt: skip

    return make


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[Asked], tuple[int, dict[str, str], Any]]], LocalPeer]]:
    """Start a local peer with the given answers; all are closed at the end."""
    started: list[LocalPeer] = []

    def start(answer: Callable[[Asked], tuple[int, dict[str, str], Any]]) -> LocalPeer:
        started.append(LocalPeer(answer))
        return started[-1]

    yield start
    for peer in started:
        peer.close()
