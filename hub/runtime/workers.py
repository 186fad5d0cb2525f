"""The workers of this process by unit; connectors are swapped one by one while everything else runs on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import NamedTuple

from hub.core.records import StreamKey
from hub.line.ports import Worker
from hub.runtime.grid import Grid
from hub.runtime.specs import is_scheduled
from hub.runtime.station import StationWorker
from hub.runtime.unit_worker import UnitWorker
from hub.settings import ConnectorConfig, DeliverConfig

__all__ = ["PolledStream", "Workers", "changed_connectors"]

MakeWorker = Callable[[ConnectorConfig], UnitWorker]
"""Loads and checks one connector. Raises ``ConfigurationError``."""


class PolledStream(NamedTuple):
    """A stream that is read by the clock."""

    key: StreamKey
    grid: Grid
    worker: UnitWorker


class Workers(Mapping[str, Worker]):
    """unit → worker, the hub's own ``station`` among them. Readers see either the old worker of a unit or the new."""

    def __init__(self, workers: Mapping[str, UnitWorker] | None = None) -> None:
        self._lock = Lock()
        self._by_unit: dict[str, UnitWorker] = dict(workers or {})
        self._station = StationWorker()

    def __getitem__(self, unit: str) -> Worker:
        return self._station if unit == self._station.unit else self._by_unit[unit]

    def __iter__(self) -> Iterator[str]:
        return iter([*self._by_unit, self._station.unit])

    def __len__(self) -> int:
        return len(self._by_unit) + 1

    def connectors(self) -> list[UnitWorker]:
        """Every connector's worker, without the station."""
        return list(self._by_unit.values())

    def polled(self) -> list[PolledStream]:
        """Every stream that is read by the clock."""
        return [
            PolledStream(
                StreamKey(worker.unit, name),
                Grid(f"{worker.unit}.{name}", stream.every, stream.cron, stream.jitter),
                worker,
            )
            for worker in self.connectors()
            for name, stream in worker.config.streams.items()
            if is_scheduled(stream)
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
        self, old: Mapping[str, ConnectorConfig], new: Mapping[str, ConnectorConfig], make: MakeWorker
    ) -> list[str]:
        """Go from one configuration to another; only connectors that changed are touched. Their names.

        Every new worker is made before any is taken in: raises ``ConfigurationError`` with nothing changed.
        """
        changed = changed_connectors(old, new)
        made = {name: make(new[name]) for name in changed if name in new and new[name].enabled}
        with self._lock:
            leaving = [worker for worker in self._by_unit.values() if worker.config.name in changed]
            kept = {unit: worker for unit, worker in self._by_unit.items() if worker.config.name not in changed}
            self._by_unit = {**kept, **{worker.unit: worker for worker in made.values()}}
        for worker in leaving:
            worker.close()
        return changed

    def close(self) -> None:
        """Give all connections back."""
        for worker in self.connectors():
            worker.close()


def changed_connectors(old: Mapping[str, ConnectorConfig], new: Mapping[str, ConnectorConfig]) -> list[str]:
    """Names of connectors whose configuration differs, came or went."""
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
