"""The daemon put together from parts that ``bootstrap`` fills: which side tasks there are, and in which order they stop.

Stopping order: web and socket (no new intake), tick (polls end at their next page), watch, relay (attempts are
finished), writer (last, so that what has landed meanwhile is applied if time allows).
"""

from __future__ import annotations

import os
import socket as sockets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from hub.core.errors import HubError, RetryError
from hub.core.freight import Drafts, Page
from hub.core.records import SHANGHAI, StreamKey
from hub.custody import audit
from hub.custody.audit import Look
from hub.line.ports import Vault
from hub.read.days import told_day
from hub.runtime.applied import Applied
from hub.runtime.confine import hide
from hub.runtime.daemon import Daemon, SideTask, WebTask, grouped, hub_lock, listen
from hub.runtime.local_socket import LocalServer, page_from_json
from hub.runtime.relay import Relay
from hub.runtime.schedule import Schedule
from hub.runtime.watch import Watch
from hub.runtime.workers import Workers
from hub.settings import Settings
from hub.store import edges
from hub.store.claims import release_node
from hub.store.engine import SqlStore
from hub.store.issues import close_issues, open_issue
from hub.store.numbers import new_uid
from hub.store.pages import receipt

__all__ = ["SOCKET", "Parts", "Reloaded", "now", "owner_of", "run", "sole_process"]

SOCKET = "hub.sock"
LOCK_WAIT = 3.0
"""Seconds a start waits for ``hub.lock``: a process that was just killed has let go of it by then."""
WEB_WAIT = 1.0
"""Seconds the web application at most waits to be loaded, so that the first polls go ahead of it."""


def now() -> datetime:
    """The operating system's time: the only clock there is."""
    return datetime.now(SHANGHAI)


def owner_of(node: str = "") -> str:
    """The owner of this process' leases: ``<node>#<uid>``; the node's name is the machine's unless one is given."""
    return f"{node or sockets.gethostname()}#{new_uid()}"


class Reloaded(NamedTuple):
    """What a reload brought: connectors that changed, what is in force now, and what only a restart can take."""

    changed: list[str]
    settings: Settings
    reporting: frozenset[str] | None
    restart: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Parts:
    """What a daemon is made of. ``writer(stop)`` applies what has landed and what falls due; ``deliver(parcel id)`` is
    one attempt; ``make_app(readiness)`` gives the web application; ``reload`` re-reads the configuration; ``outbox`` is
    set when there may be something to send."""

    settings: Settings
    store: SqlStore
    vault: Vault
    workers: Workers
    writer: Callable[[threading.Event], None]
    deliver: Callable[[int], Any]
    land: Callable[[Page], str]
    make_app: Callable[[Callable[[], Mapping[str, bool]]], Any]
    owner: str
    applied: Applied
    clock: Callable[[], datetime] = now
    reporting: frozenset[str] | None = None
    landed: Callable[[str, Drafts], None] | None = None
    reload: Callable[[], Reloaded] | None = None
    writer_ready: Callable[[], bool] = field(default=lambda: True)
    outbox: threading.Event = field(default_factory=threading.Event)


def run(parts: Parts) -> int:
    """Run the daemon until a signal or a death; its exit code. Raises ``RetryError`` when folder or port is taken."""
    settings = parts.settings
    hide()
    with ExitStack() as stack:
        stack.enter_context(sole_process(settings.folder, parts.store))
        door = stack.enter_context(listen(settings.listen))
        for code in (CONFIGURATION, RESTART):
            _say_anew(parts, code, "")
        release_node(parts.store, "" if not parts.store.postgres else parts.owner.partition("#")[0] + "#")
        schedule = _schedule(parts)
        relay = _relay(parts)
        watch = Watch(parts.store, parts.vault, parts.workers, clock=parts.clock, tick=settings.tick)
        daemon: Daemon

        def readiness() -> Mapping[str, bool]:
            return grouped(daemon.readiness())

        def renew(names: Sequence[str] = ()) -> Reloaded | None:
            told = _renewed(parts, names)
            schedule.retune((parts.settings.retry_base, parts.settings.retry_max), parts.reporting)
            relay.lease = _attempt(parts.settings)
            schedule.refresh()
            return told

        web = WebTask(lambda: parts.make_app(readiness), door)

        def serve(stop: threading.Event) -> None:
            schedule.begun.wait(WEB_WAIT)
            web.run(stop)

        tasks = [SideTask("web", serve, web.is_serving)]
        if not parts.store.postgres:
            server = LocalServer(settings.folder / SOCKET, _handlers(parts, schedule, renew))
            stack.callback(server.close)
            tasks.append(SideTask("socket", server.run))
        tasks += [
            SideTask("tick", schedule.run, schedule.is_ticking),
            SideTask("watch", watch.run),
            SideTask("relay", relay.run, relay.is_running),
            SideTask("writer", parts.writer, parts.writer_ready),
        ]
        daemon = Daemon(tasks, reload=renew)
        try:
            return daemon.run()
        finally:
            parts.workers.close()


@contextmanager
def sole_process(folder: Path, store: SqlStore) -> Iterator[None]:
    """On SQLite hold ``hub.lock``; nothing on PostgreSQL, where several nodes share one archive."""
    if store.postgres:
        yield
        return
    with hub_lock(folder, seconds=LOCK_WAIT):
        yield


CONFIGURATION = "configuration.invalid"
RESTART = "configuration.restart"
LONGEST_REASON = 600
STOPPED = ("held", "refused")
"""States that a reload ends: somebody has looked after the connector."""
_renewing = threading.Lock()


def _renewed(parts: Parts, names: Sequence[str]) -> Reloaded | None:
    """Take the changed configuration. ``names``: connectors that are to start anew even so; without, those that are
    held or refused are.

    Raises ConfigurationError with everything as it was; until it is mended that is an open issue, with file and line.
    """
    with _renewing:
        told = None
        try:
            if parts.reload is not None:
                told = parts.reload()
                parts.settings, parts.reporting = told.settings, told.reporting
        except HubError as error:
            why = " ".join(str(error).split())[:LONGEST_REASON]
            _say_anew(parts, CONFIGURATION, f"{why}; mend it and reload: the old configuration is in force")
            raise
        restart = ", ".join(told.restart) if told else ""
        _say_anew(parts, CONFIGURATION, "")
        _say_anew(parts, RESTART, f"start the daemon anew: it cannot take {restart} while it runs" if restart else "")
        stopped = [known for known, process in parts.workers.processes().items() if process["state"] in STOPPED]
        parts.workers.release(names or stopped)
        return told


def _say_anew(parts: Parts, code: str, remedy: str) -> None:
    """The one issue of this kind: closed, and open again with what is wrong now, if anything is."""
    close_issues(parts.store, "reload", parts.clock(), code=code)
    if remedy:
        open_issue(parts.store, code, "reload", parts.clock(), remedy)


def _schedule(parts: Parts) -> Schedule:
    settings = parts.settings
    return Schedule(
        parts.store,
        parts.vault,
        parts.workers,
        owner=parts.owner,
        clock=parts.clock,
        tick=settings.tick,
        lease=settings.lease,
        retry_base=settings.retry_base,
        retry_max=settings.retry_max,
        reporting=parts.reporting,
        landed=parts.landed,
    )


def _relay(parts: Parts) -> Relay:
    settings = parts.settings
    return Relay(
        parts.store,
        parts.deliver,
        owner=parts.owner,
        clock=parts.clock,
        tick=settings.tick,
        lease=_attempt(settings),
        wake=parts.outbox,
    )


def _attempt(settings: Settings) -> timedelta:
    """A parcel's lease outlasts one whole attempt: otherwise another node would send it beside us."""
    return max(settings.lease, timedelta(seconds=settings.limits.peer_seconds * 1.5 + 5))


def _handlers(
    parts: Parts, schedule: Schedule, renew: Callable[[Sequence[str]], Reloaded | None]
) -> dict[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]:
    """What commands may ask of the daemon by its socket."""

    def land(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"uid": parts.land(page_from_json(asked["page"]))}

    def told(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        uid = str(asked.get("uid", ""))
        parts.applied.wait(uid, min(60.0, float(asked.get("seconds", 0))))
        with parts.store.read() as sql:
            return {"receipt": receipt(sql, uid, all_rows=bool(asked.get("all_rows")))}

    def poll(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        polled = schedule.poll_now(StreamKey(str(asked.get("unit")), str(asked.get("stream"))))
        if polled.error is not None:
            raise polled.error
        if polled.stale:
            raise RetryError("the stream was taken over", code="stream.busy")
        return {"pages": polled.pages, "rows": polled.rows}

    def reconcile(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        stream, days = StreamKey(str(asked.get("unit")), str(asked.get("stream"))), asked.get("days")
        return {"days": [told_day(view) for view in schedule.reconcile_now(stream, int(days) if days else None)]}

    def edge(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"count": edges.act(parts.store, asked, parts.clock())}

    def look(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        seen = Look(*(str(asked.get(name, "")) for name in Look._fields))
        audit.record(parts.store, parts.vault.mark_of, seen, parts.clock(), parts.settings.folder)
        return {}

    def ping(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"pid": os.getpid(), "owner": parts.owner}

    def states(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"connectors": parts.workers.processes()}

    def reload(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        told = renew([str(name) for name in asked.get("names", ())])
        return {"changed": told.changed, "restart": list(told.restart)} if told else {"changed": [], "restart": []}

    return {
        "land": land,
        "receipt": told,
        "poll": poll,
        "reconcile": reconcile,
        "ping": ping,
        "edge": edge,
        "look": look,
        "states": states,
        "reload": reload,
    }
