from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.core.errors import ConfigurationError
from hub.core.records import StreamKey
from hub.runtime.relay import unit_of
from hub.runtime.unit_worker import UnitWorker
from hub.runtime.workers import Workers, changed_connectors
from hub.settings import ConnectorConfig, StreamConfig
from tests.loaded import worker_of

POLLED = StreamConfig(name="incident", transport="rest", url="http://x/", every=timedelta(seconds=1))


def config(name: str, *streams: StreamConfig, enabled: bool = True) -> ConnectorConfig:
    return ConnectorConfig(name=name, enabled=enabled, path=Path(f"{name}.toml"), streams={s.name: s for s in streams})


def test_reload_touches_only_what_changed() -> None:
    """One connector changed, one came, one was disabled, one stays: only the last keeps its very worker."""

    def make(config: ConnectorConfig) -> UnitWorker:
        return worker_of(config.name, config)

    old = {name: config(name, POLLED) if name == "police" else config(name) for name in ("police", "court", "justice")}
    new = {
        "police": config("police", replace(POLLED, every=timedelta(seconds=5))), "court": old["court"],
        "justice": replace(old["justice"], enabled=False), "health": config("health"),
    }  # fmt: skip
    workers = Workers({name: make(c) for name, c in old.items()})
    court, police = workers["court"], workers["police"]

    assert workers.swap(old, new, make) == ["health", "justice", "police"]

    assert workers["court"] is court
    assert workers["police"] is not police
    assert set(workers) == {"police", "court", "health", "station"}
    assert [(p.key, p.grid.period) for p in workers.polled()] == [
        (StreamKey("police", "incident"), timedelta(seconds=5))
    ]


def test_refused_reload_changes_nothing() -> None:
    """One of two changed connectors is wrong: both keep what they had."""

    def refuse(config: ConnectorConfig) -> Any:
        raise ConfigurationError("no")

    workers = Workers()
    with pytest.raises(ConfigurationError):
        workers.swap({}, {"police": config("police")}, refuse)

    assert set(workers) == {"station"}


def test_change_is_by_value() -> None:
    """The same file read twice is no change."""
    assert changed_connectors({"a": config("a", POLLED)}, {"a": config("a", POLLED)}) == []


def test_posts_are_reached_by_the_unit_that_carries_them() -> None:
    """A unit's own name, a head of a unit, and the posts of ``[contacts]``."""
    contacts = {"coordinator": "womens_federation", "police_duty": "police", "head:court": "court"}

    assert [unit_of(to, contacts) for to in ("police", "coordinator", "police_duty", "head:court", "head:justice")] == [
        "police", "womens_federation", "police", "court", "justice",
    ]  # fmt: skip
