"""The workers of this process by unit; connectors are swapped one by one while everything else runs on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, NamedTuple

from hub.core.freight import DAYS, feed_of
from hub.core.records import StreamKey
from hub.line.ports import Worker
from hub.runtime.grid import Grid
from hub.runtime.specs import is_scheduled
from hub.runtime.station import StationWorker
from hub.runtime.supervisor import Supervisor
from hub.runtime.unit_worker import UnitWorker
from hub.settings import ConnectorConfig, DeliverConfig, ReconcileConfig

__all__ = ["News", "PolledStream", "Workers", "changed_connectors"]

SPREAD = timedelta(hours=3)
"""Over how much of the night comparisons with sources are spread."""
DRAIN = 30.0
"""Seconds an old worker has to finish what it is doing when another takes its place."""
MakeWorker = Callable[[ConnectorConfig], UnitWorker]
"""Loads and checks one connector. Raises ``ConfigurationError``."""


class News(NamedTuple):
    """Something that happened to a connector's process (`core/lifecycle.py`)."""

    name: str
    happening: str
    reason: str


class PolledStream(NamedTuple):
    """A stream that is read by the clock."""

    key: StreamKey  # of its feed
    grid: Grid
    worker: UnitWorker
    days: ReconcileConfig | None = None  # it is compared with its source, not read


class Workers(Mapping[str, Worker]):
    """unit → worker, the hub's own ``station`` among them. Readers see either the old worker of a unit or the new."""

    def __init__(self, workers: Mapping[str, UnitWorker] | None = None) -> None:
        self._lock = Lock()
        self._by_unit: dict[str, UnitWorker] = dict(workers or {})
        self._station = StationWorker()
        self.news: SimpleQueue[News] = SimpleQueue()
        for worker in self._by_unit.values():
            self._listen(worker)

    def __getitem__(self, unit: str) -> Worker:
        return self._station if unit == self._station.unit else self._by_unit[unit]

    def __iter__(self) -> Iterator[str]:
        return iter([*self._by_unit, self._station.unit])

    def __len__(self) -> int:
        return len(self._by_unit) + 1

    def _listen(self, worker: UnitWorker) -> None:
        """Hear of every change in the life of a worker's process."""
        if isinstance(worker.hands, Supervisor):
            name = worker.config.name
            worker.hands.tell = lambda happening, reason: self.news.put(News(name, happening, reason))

    def processes(self) -> dict[str, dict[str, Any]]:
        """Connector → the state of its process, its number and how often it was started."""
        return {
            worker.config.name: {
                "state": worker.hands.state,
                "pid": worker.hands.pid,
                "starts": worker.hands.starts,
                "open": worker.hands.open,
            }
            for worker in self.connectors()
            if isinstance(worker.hands, Supervisor)
        }

    def connectors(self) -> list[UnitWorker]:
        """Every connector's worker, without the station."""
        return list(self._by_unit.values())

    def polled(self) -> list[PolledStream]:
        """Every feed that is read by the clock: streams or their parts, and what compares them with their sources."""
        return [
            PolledStream(feed, Grid(".".join(feed), stream.every, stream.cron, stream.jitter), worker)
            for worker in self.connectors()
            for name, stream in worker.config.streams.items()
            if is_scheduled(stream)
            for feed in worker.feeds(name)
        ] + [
            _compared(worker, StreamKey(worker.unit, name), stream.reconcile)
            for worker in self.connectors()
            for name, stream in worker.config.streams.items()
            if stream.reconcile is not None and stream.transport != "push"
        ]

    def destinations(self) -> list[tuple[str, DeliverConfig]]:
        """(unit, way out) of everything configured, second channels too."""
        return [
            (worker.unit, way)
            for worker in self.connectors()
            for first in worker.config.deliver.values()
            for way in (first, first.second)
            if way is not None
        ]

    def swap(
        self,
        old: Mapping[str, ConnectorConfig],
        new: Mapping[str, ConnectorConfig],
        make: MakeWorker,
        *,
        every: bool = False,
    ) -> list[str]:
        """Go from one configuration to another; only connectors that changed are touched, or ``every`` one. Their names.

        Every new worker is made before any is taken in: raises ``ConfigurationError`` with nothing changed. What an old
        one is doing it may finish: its read ends at the next page, its deliveries with their answer.
        """
        changed = sorted({*old, *new}) if every else changed_connectors(old, new)
        made = _made([new[name] for name in changed if name in new and new[name].enabled], make)
        with self._lock:
            leaving = [worker for worker in self._by_unit.values() if worker.config.name in changed]
            kept = {unit: worker for unit, worker in self._by_unit.items() if worker.config.name not in changed}
            self._by_unit = {**kept, **{worker.unit: worker for worker in made.values()}}
        for worker in made.values():
            self._listen(worker)
        for worker in leaving:
            worker.drain()
            Thread(target=worker.close, args=(DRAIN,), name=f"drain-{worker.config.name}", daemon=True).start()
        return changed

    def release(self, names: Iterable[str]) -> None:
        """Let these connectors start at once, held or refused as they may be: somebody has looked after them."""
        for worker in self.connectors():
            if worker.config.name in set(names) and isinstance(worker.hands, Supervisor):
                worker.hands.release()

    def close(self) -> None:
        """Give all connections back."""
        for worker in self.connectors():
            worker.close()


def _compared(worker: UnitWorker, stream: StreamKey, days: ReconcileConfig) -> PolledStream:
    feed = feed_of(stream, DAYS)
    grid = Grid(".".join(feed), days.every, "", min(days.every / 4, SPREAD))
    return PolledStream(feed, grid, worker, days)


def _made(configs: Iterable[ConnectorConfig], make: MakeWorker) -> dict[str, UnitWorker]:
    made: dict[str, UnitWorker] = {}
    try:
        for config in configs:
            made[config.name] = make(config)
    except BaseException:
        for worker in made.values():
            worker.close()
        raise
    return made


def changed_connectors(old: Mapping[str, ConnectorConfig], new: Mapping[str, ConnectorConfig]) -> list[str]:
    """Names of connectors whose configuration differs, came or went."""
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
