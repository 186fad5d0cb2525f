"""The running hub: `bootstrap`'s parts as a daemon, and what a reload puts in their place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Event

from fastapi import FastAPI

from hub import bootstrap
from hub.core.freight import Answer, Drafts, Page
from hub.desk.edges import HubEdges
from hub.line.deliver import Retry, deliver
from hub.line.land import land
from hub.line.writer import DraftShelf, write_forever
from hub.office import HubOffice
from hub.runtime.service import Parts, now, owner_of, run
from hub.store.parcels import read_parcel
from hub.web.app import create_app


def run_daemon(folder: Path, node: str = "") -> int:
    """`hub run`: the exit code. Raises RetryError when the folder or the port is taken."""
    with bootstrap.open_hub(folder) as hub:
        return Node(hub, node).run()


class Node:
    """One running hub: the parts of the daemon, and what a reload puts in their place."""

    def __init__(self, hub: bootstrap.Hub, node: str) -> None:
        self._hub = hub
        self._owner = owner_of(node)
        self._shelf = DraftShelf()
        self._wake = Event()
        self._changed = Event()
        self._office: HubOffice | None = None

    def run(self) -> int:
        """Until a signal or a death."""
        hub = self._hub
        return run(
            Parts(
                settings=hub.settings,
                store=hub.store,
                vault=hub.vault,
                workers=hub.workers,
                writer=self._write,
                deliver=self._deliver,
                land=self._land,
                make_app=self._app,
                owner=self._owner,
                reporting=hub.reporting,
                landed=self._landed,
                reload=self._reload,
            )
        )

    def _land(self, page: Page) -> str:
        uid = land(self._hub.store, self._hub.vault, page, reporting=self._hub.reporting)
        self._wake.set()
        return uid

    def _landed(self, uid: str, drafts: Drafts) -> None:
        self._shelf.put(uid, drafts)
        self._wake.set()

    def _write(self, stop: Event) -> None:
        """The writer; it starts anew with a reloaded configuration."""
        while not stop.is_set():
            self._changed.clear()
            hub = self._hub
            plan = bootstrap.writer_plan(hub, self._owner, self._shelf, self._wake)
            write_forever(hub.store, hub.workers, hub.vault, hub.policy, now, _Either(stop, self._changed), plan)

    def _deliver(self, number: int) -> Answer:
        hub = self._hub
        with hub.store.read() as sql:
            parcel = read_parcel(sql, number)
        worker = hub.workers.get(parcel.to) if parcel is not None else None
        retry = Retry(hub.settings.retry_base, hub.settings.retry_max)
        answer = deliver(hub.store, hub.vault, number, worker, now(), retry)
        self._wake.set()
        return answer

    def _app(self, readiness: Callable[[], Mapping[str, bool]]) -> FastAPI:
        hub = self._hub
        self._office = HubOffice(
            hub.settings, bootstrap.manifests(), hub.store, hub.vault, hub.policy, self._land, readiness, now
        )
        desk = HubEdges(
            hub.store, hub.vault, bootstrap.manifests(), lambda: self._hub.settings, lambda: self._hub.workers, now,
            self._wake.set,
        )  # fmt: skip
        return create_app(self._office, desk)

    def _reload(self) -> list[str]:
        """Take changed connectors, their names; whatever is wrong leaves everything as it was. Raises ConfigurationError."""
        hub = self._hub
        bootstrap.look_again()
        settings = bootstrap.read_settings(hub.settings.folder)
        changed = hub.workers.swap(
            hub.settings.connectors,
            settings.connectors,
            lambda config: bootstrap.make_worker(settings, config, start=True),
        )
        settings = replace(hub.settings, connectors=settings.connectors, tokens=settings.tokens)
        self._hub = replace(
            hub, settings=settings, outward=bootstrap.outward_of(settings), live_from=bootstrap.live_from_of(settings)
        )
        bootstrap.learn_secrets(settings)
        if self._office is not None:
            self._office.settings = settings
        self._changed.set()
        return changed


class _Either(Event):
    """Set when one of two events is."""

    def __init__(self, one: Event, other: Event) -> None:
        super().__init__()
        self._one = one
        self._other = other

    def is_set(self) -> bool:
        """Whether either is set."""
        return self._one.is_set() or self._other.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the first; the second is looked at when that time is over."""
        return self._other.is_set() or self._one.wait(timeout) or self._other.is_set()
