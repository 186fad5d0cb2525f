"""The running hub: `bootstrap`'s parts as a daemon, and what a reload puts in their place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from hub import bootstrap
from hub.config import running_copy
from hub.confinement import require
from hub.core.errors import ConfigurationError
from hub.core.freight import Answer, Drafts, Page
from hub.core.policy import Policy
from hub.core.policy_check import findings
from hub.desk.acting import Acting
from hub.desk.edges import HubEdges
from hub.desk.meeting import HubMeeting
from hub.desk.work import HubWork
from hub.line.apply import Receipt
from hub.line.deliver import Retry, deliver
from hub.line.land import land
from hub.line.writer import DraftShelf, write_forever
from hub.office import HubOffice
from hub.runtime.applied import Applied
from hub.runtime.service import Parts, Reloaded, now, owner_of, run
from hub.store.adoption import stamp
from hub.store.parcels import read_parcel

if TYPE_CHECKING:
    from fastapi import FastAPI


COMMIT = 0.2
"""Seconds one commit of the writer may take in a daemon: a report, a claim or a push waits for two of them at most."""


def run_daemon(folder: Path, node: str = "") -> int:
    """`hub run`: the exit code. Raises RetryError when the folder or the port is taken."""
    with bootstrap.open_hub(folder, daemon=True) as hub:
        require(hub.settings)
        running_copy.keep(hub.settings)
        return Node(hub, node).run()


class Node:
    """One running hub: the parts of the daemon, and what a reload puts in their place."""

    def __init__(self, hub: bootstrap.Hub, node: str) -> None:
        self._hub = hub
        self._owner = owner_of(node)
        self._shelf = DraftShelf()
        self._wake = Event()
        self._outbox = Event()
        self._applied = Applied(hub.store)
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
                applied=self._applied,
                outbox=self._outbox,
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
            plan = plan._replace(applied=self._told, seconds=COMMIT)
            write_forever(hub.store, hub.workers, hub.vault, hub.policy, now, _Either(stop, self._changed), plan)

    def _told(self, receipts: list[Receipt]) -> None:
        """After each commit: whoever waits for a page hears of it, and what it owes goes out at once."""
        self._outbox.set()
        self._applied.tell(receipts)

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
        from hub.web.app import create_app  # while the first polls are on their way

        hub = self._hub
        self._office = HubOffice(
            hub.settings, bootstrap.manifests(), hub.store, hub.vault, hub.policy, self._land, readiness, now,
            self._applied, bootstrap.worded,
        )  # fmt: skip
        self._office.settings = self._hub.settings  # of a reload that came between
        desk = HubEdges(
            hub.store, hub.vault, bootstrap.manifests, lambda: self._hub.settings, lambda: self._hub.workers, now,
            self._wake.set,
        )  # fmt: skip
        acting = Acting(self._office, hub.store, hub.vault, self._land, now)
        return create_app(self._office, desk, HubWork(acting), HubMeeting(acting))

    def _reload(self) -> Reloaded:
        """Take the whole configuration; whatever is wrong leaves everything as it was. Raises ConfigurationError.

        Another policy judges everybody anew, in bounded batches between what comes in.
        """
        hub, old = self._hub, self._hub.settings
        bootstrap.look_again()
        wanted = bootstrap.shared(bootstrap.read_settings(old.folder))
        settings = replace(wanted, **{name: getattr(old, name) for name in UNTIL_RESTART})
        require(settings)
        policy = _sound(bootstrap.load_policy(settings), hub.policy)
        changed = hub.workers.swap(
            old.connectors,
            settings.connectors,
            lambda config: bootstrap.make_worker(settings, config, start=True),
            every=any(getattr(settings, name) != getattr(old, name) for name in OF_EVERY_CONNECTOR),
        )
        self._hub = replace(
            hub,
            settings=settings,
            policy=policy,
            outward=bootstrap.outward_of(settings),
            live_from=bootstrap.live_from_of(settings),
            reporting=bootstrap.reporting(policy, settings),
        )
        bootstrap.learn_secrets(settings)
        if self._office is not None:
            self._office.renew(settings, policy, bootstrap.manifests())
        self._changed.set()
        running_copy.keep(settings)
        restart = tuple(key for name, key in UNTIL_RESTART.items() if getattr(wanted, name) != getattr(old, name))
        return Reloaded(changed, settings, self._hub.reporting, restart)


UNTIL_RESTART = {
    "database_url": "[database] url", "listen": "[http] listen", "keys": "[keys]", "tick": "[schedule] tick",
    "lease": "[schedule] lease",
}  # fmt: skip
"""Settings that a running daemon cannot take, and how they are written."""
OF_EVERY_CONNECTOR = ("limits", "retry_base", "retry_max", "confine_required", "authorities")
"""Settings that each connector's process is started with."""


def _sound(policy: Policy, old: Policy) -> Policy:
    """A policy that is put in force, without error where it is another than before. Raises ConfigurationError."""
    if stamp(policy) == stamp(old):
        return policy
    errors = [one for edition in (policy, *policy.later) for one in findings(edition) if one.level == "error"]
    if errors:
        raise ConfigurationError(
            f"policy: {errors[0].where} {errors[0].detail}",
            code="policy.error",
            remedy="`hub policy check FILE` names all of them",
        )
    return policy


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
