"""The connectors that are installed, loaded in the test's own process: the verbs without the pipe."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from hub.core.records import SHANGHAI
from hub.runtime.loading import load_connector
from hub.runtime.plugins import installed_connectors
from hub.runtime.specs import STEADY, Pace
from hub.runtime.transports import Clock
from hub.runtime.unit_worker import UnitWorker
from hub.runtime.verbs import Verbs
from hub.sdk.connector import Connector
from hub.settings import ConnectorConfig, Limits
from hub.store.numbers import new_uid


def now() -> datetime:
    return datetime.now(SHANGHAI)


@lru_cache(maxsize=1)
def connectors() -> Mapping[str, Connector]:
    """Name → connector."""
    return {name: load_connector(name, point.value) for name, point in installed_connectors().items()}


def worker_of(
    connector: Connector | str,
    config: ConnectorConfig | None = None,
    limits: Limits | None = None,
    clock: Clock = now,
    pace: Pace = STEADY,
) -> UnitWorker:
    """A connector's worker whose verbs run here."""
    found = connectors()[connector] if isinstance(connector, str) else connector
    config = config or ConnectorConfig(name=found.name, enabled=True, path=Path("none"))
    hands = Verbs(found, clock=clock)
    return UnitWorker(found.manifest, config, limits or Limits(), hands, clock=clock, new_uid=new_uid, pace=pace)
