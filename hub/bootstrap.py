"""The composition root: the only file that names concrete parts together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import structlog

from hub.config import configuration, policy_files, running_copy
from hub.config.secret_files import read_secret, references
from hub.config.toml_reader import Mistake
from hub.core.errors import ConfigurationError, HubError, RetryError
from hub.core.freight import Drafts, Page
from hub.core.policy import Policy
from hub.core.records import StreamKey
from hub.fleet import child_spec as child_spec
from hub.fleet import daemon_answers as daemon_answers
from hub.fleet import described as described
from hub.fleet import installed as installed
from hub.fleet import kind_of as kind_of
from hub.fleet import look_again as look_again
from hub.fleet import make_worker as make_worker
from hub.fleet import manifests as manifests
from hub.fleet import nearest_column as nearest_column
from hub.fleet import processes as processes
from hub.fleet import promised as promised
from hub.fleet import refused_connectors as refused_connectors
from hub.fleet import streams as streams
from hub.fleet import table_of as table_of
from hub.fleet import tells_the_reporter as tells_the_reporter
from hub.fleet import worded as worded
from hub.line.fetch import FetchPlan, Polled, poll, together
from hub.line.land import land
from hub.line.letters import DUTY, Outward
from hub.line.reconcile import compare_days
from hub.line.writer import DraftShelf, WriterPlan, drain, write_forever
from hub.logs import redaction
from hub.read.days import told_day
from hub.runtime import again
from hub.runtime.again import Tell
from hub.runtime.grid import Grid
from hub.runtime.local_socket import ask, is_served
from hub.runtime.schedule import days_plan
from hub.runtime.service import SOCKET, owner_of
from hub.runtime.service import now as now  # the commands' clock too
from hub.runtime.specs import is_scheduled
from hub.runtime.submission import Receipt, Submission
from hub.runtime.unit_worker import UnitWorker
from hub.runtime.workers import Workers
from hub.security.keys import load_keys
from hub.security.vault import Vault
from hub.settings import Settings, StreamConfig
from hub.store.claims import claim_stream, ensure_streams
from hub.store.engine import SqlStore, open_store
from hub.store.ledger import hasten
from hub.store.originals import Taken, count_taken, taken_pages
from hub.store.quarantine import QuarantineView
from hub.store.schema import newest, revision, upgrade

SHARED_ROWS = 250
"""Rows of a page that a daemon lands."""
log = structlog.get_logger("hub.configuration")
ABREAST = 4
"""Landed pages whose drafts wait for the writer, before reading waits for it."""


def read_settings(folder: Path) -> Settings:
    """The settings of a configuration folder. Raises ConfigurationError with every mistake."""
    return configuration.load(folder, installed(manifests()))


def in_force(folder: Path) -> tuple[Settings, Policy]:
    """Settings and policy of a folder, or, while its files are wrong, what a daemon there runs on.

    Raises ConfigurationError with every mistake where none runs.
    """
    try:
        settings = read_settings(folder)
        return settings, load_policy(settings)
    except ConfigurationError:
        copy = running_copy.kept(folder)
        if copy is None or not is_served(folder / SOCKET):
            raise
    settings = running_copy.with_its_policies(configuration.load(folder, installed(manifests()), copy), copy)
    log.warning("configuration.outdated", to_do="`hub check` names the mistakes; this answers as the daemon runs")
    return settings, load_policy(settings)


def examine(folder: Path) -> tuple[Settings, list[Mistake]]:
    """The settings as far as they can be read, and every mistake."""
    return configuration.examine(folder, installed(manifests()))


def load_policy(settings: Settings) -> Policy:
    """The policy that is in force here: files, overlays, calendars and deadlines. Raises ConfigurationError."""
    return policy_files.load(settings, policy_files.texts_of(settings), stands_for())


def stands_for() -> dict[str, str]:
    """Sources outside the ten units → the unit that acts for them, by their manifests."""
    return {manifest.unit: manifest.stands_for for manifest in manifests().values() if manifest.stands_for}


def make_database(settings: Settings) -> tuple[str | None, str | None]:
    """The database with the newest schema, made where there is none; which it had and has.

    Raises ConfigurationError when it is newer than this version.
    """
    store = open_store(settings.database_url)
    try:
        was = revision(store)
        upgrade(store)
        return was, revision(store)
    finally:
        store.dispose()


@dataclass(frozen=True)
class Hub:
    """One configuration folder, wired."""

    settings: Settings
    policy: Policy
    vault: Vault
    store: SqlStore
    workers: Workers
    outward: Outward
    live_from: Mapping[StreamKey, date]
    reporting: frozenset[str]


def shared(settings: Settings) -> Settings:
    """As a daemon takes them: pages small enough that a commit of one holds nobody else up for long."""
    limits = settings.limits
    return replace(settings, limits=replace(limits, rows_per_page=min(limits.rows_per_page, SHARED_ROWS)))


@contextmanager
def open_hub(folder: Path, *, daemon: bool = False) -> Iterator[Hub]:
    """Everything of a folder, given back at the end. Raises ConfigurationError, or StopError without keys."""
    if daemon:
        settings = shared(read_settings(folder))
        policy = load_policy(settings)
    else:
        settings, policy = in_force(folder)
    vault = Vault(load_keys(read_secret(settings.keys["master"])))
    learn_secrets(settings)
    store = open_store(settings.database_url)
    workers = Workers(_workers(settings))
    try:
        if revision(store) != newest():
            upgrade(store)
        require_own_key(store, vault)
        yield Hub(
            settings,
            policy,
            vault,
            store,
            workers,
            outward_of(settings),
            live_from_of(settings),
            reporting(policy, settings),
        )
    finally:
        workers.close()
        store.dispose()


SEALED_ENDS = (
    "SELECT uid, body FROM version WHERE length(body) > 0 ORDER BY id LIMIT 1",
    "SELECT uid, body FROM version WHERE length(body) > 0 ORDER BY id DESC LIMIT 1",
)


def require_own_key(store: SqlStore, vault: Vault) -> None:
    """Raise ConfigurationError when the master key is another archive's: what it sealed could not be opened again.

    The first and the newest sealed record are tried: where one opens, the other is damaged, which is not said here.
    """
    with store.read() as sql:
        ends = [sql.one(query) for query in SEALED_ENDS]
    found = [(str(row[0]), bytes(row[1])) for row in ends if row is not None]
    if found and not any(_opens(vault, uid, body) for uid, body in found):
        raise ConfigurationError(
            "the master key does not open this archive",
            code="keys.foreign",
            remedy="restore the key file that belongs to this database, or the database that belongs to the key",
        )


def _opens(vault: Vault, uid: str, body: bytes) -> bool:
    try:
        vault.open_body(uid, body)
    except HubError:
        return False
    return True


def _workers(settings: Settings) -> dict[str, UnitWorker]:
    """A worker for every enabled connector, by unit."""
    made = (
        make_worker(settings, config)
        for config in settings.connectors.values()
        if config.enabled and config.name in manifests()
    )
    return {worker.unit: worker for worker in made}


def learn_secrets(settings: Settings) -> None:
    """Whatever the configuration keeps secret is hidden from every log line."""
    for ref in references([settings.keys, settings.connectors]):
        with suppress(ConfigurationError):
            redaction.learn([read_secret(ref)])


def outward_of(settings: Settings) -> Outward:
    """Who can be reached by which kind of message, and what of a person each may be told."""
    found = manifests()
    enabled = [config for config in settings.connectors.values() if config.enabled and config.name in found]
    fields, copies = (
        {m.unit: m.receives[kind].person_fields for m in found.values() if kind in m.receives}
        for kind in (DUTY, "report_copy")
    )
    return Outward(
        frozenset((found[config.name].unit, kind) for config in enabled for kind in config.deliver),
        settings.contacts,
        fields,
        copies,
        settings.communities,
    )


def live_from_of(settings: Settings) -> dict[StreamKey, date]:
    """From which event day a stream's records are live, where that is set."""
    units = {name: manifest.unit for name, manifest in manifests().items()}
    return {
        StreamKey(units[name], stream.name): date.fromisoformat(stream.live_from)
        for name, config in settings.connectors.items()
        for stream in config.streams.values()
        if stream.live_from and name in units
    }


def reporting(policy: Policy, settings: Settings) -> frozenset[str]:
    """Streams (``unit.stream``) whose records can be mandatory reports: applied before everything else."""
    return frozenset(f"{s.unit}.{s.name}" for s in streams(settings) if policy.is_reporting(s.unit, s.kind))


def submission(hub: Hub) -> Submission:
    """The way in for commands."""
    return Submission(
        hub.store,
        hub.settings.folder,
        lambda page: land(hub.store, hub.vault, page, reporting=hub.reporting),
        lambda: drain_all(hub),
    )


@contextmanager
def taking(hub: Hub) -> Iterator[Callable[[Page, Drafts], str]]:
    """The way in for a file of many pages: each is durable when it is taken, and applied while the next is read.

    At the end everything is applied, unless a daemon does it.
    """
    way = submission(hub)
    with ExitStack() as stack:
        if not way.is_ours(stack):
            yield lambda page, drafts: way.lands_there(page)
            return
        landed = stack.enter_context(_writing(hub))

        def take(page: Page, drafts: Drafts) -> str:
            uid = land(hub.store, hub.vault, page, reporting=hub.reporting)
            landed(uid, drafts)
            return uid

        yield take


def drain_all(hub: Hub) -> None:
    """Apply everything that has landed, and judge everything that is due."""
    drain(hub.store, hub.workers, hub.vault, hub.policy, now, writer_plan(hub))


def writer_plan(hub: Hub, owner: str = "", shelf: DraftShelf | None = None, wake: Event | None = None) -> WriterPlan:
    """What the writer needs to know of this folder."""
    settings = hub.settings
    return WriterPlan(
        owner, settings.lease, settings.tick, hub.outward, hub.live_from,
        shelf=shelf, wake=wake, alone=not hub.store.postgres,
    )  # fmt: skip


def submit(hub: Hub, page: Page) -> Receipt:
    """One page in, its receipt out: by the daemon where one holds the archive, else by ourselves."""
    return submission(hub).submit(page)


def redrive(hub: Hub, rows: Sequence[QuarantineView], tell: Tell = lambda count: None) -> list[Receipt]:
    """Waiting rows once more through the line; a receipt for each of their pages."""
    return again.redrive(submission(hub), hub.store, hub.vault, rows, hub.settings.limits.rows_per_page, now(), tell)


def discard(hub: Hub, rows: Sequence[QuarantineView]) -> int:
    """Waiting rows given up for good; how many no longer wait."""
    return again.discard(submission(hub), hub.store, rows, hub.settings.limits.rows_per_page, now())


def taken(hub: Hub, unit: str, stream: str | None = None, since: datetime | None = None) -> Taken:
    """Everything a unit sent that was taken, page by page."""
    with hub.store.read() as sql:
        found = taken_pages(sql, unit, stream, since)
        return Taken(found, count_taken(sql, [page.id for page in found]))


def replay(hub: Hub, taken: Taken, tell: Tell = lambda count: None) -> list[Receipt]:
    """What was taken once more, through the mapping of today; a receipt for each of its pages."""
    size = hub.settings.limits.rows_per_page
    return again.replay(submission(hub), hub.store, hub.vault, taken.pages, size, tell)


def bring_up_to_date(hub: Hub) -> None:
    """Judge households whose time has come before they are shown; beside a daemon that is its work."""
    submission(hub).catch_up()


def retry_messages(hub: Hub, no: str) -> int:
    """Make the unreceived messages of a report due now; how many."""
    return hasten(hub.store, no, now())


def poll_once(hub: Hub, stream: StreamKey) -> dict[str, int]:
    """Read one stream now. Raises what the source raises, or RetryError when it is being read already."""
    if daemon_answers(hub.settings):
        told = ask(hub.settings.folder / SOCKET, "poll", seconds=600.0, unit=stream.unit, stream=stream.stream)
        return {"pages": int(told["pages"]), "rows": int(told["rows"])}
    at = now()
    with submission(hub).door():
        worker = _enabled(hub, stream.unit)
        config = worker.stream_config(stream.stream)
        feeds = worker.feeds(stream.stream)
        ensure_streams(hub.store, feeds, at)
        with _writing(hub) as landed:
            polled = together([_poll_feed(hub, worker, config, feed, landed) for feed in feeds])
    if polled.error is not None:
        raise polled.error
    return {"pages": polled.pages, "rows": polled.rows}


def _poll_feed(
    hub: Hub, worker: UnitWorker, config: StreamConfig, feed: StreamKey, landed: Callable[[str, Drafts], None]
) -> Polled:
    settings = hub.settings
    claim = claim_stream(hub.store, feed, owner_of(), now(), settings.lease)
    if claim is None:
        raise RetryError("the stream is being read already", code="stream.busy", remedy="try again")
    next_due: Callable[[datetime, datetime], tuple[datetime, int]] = _never_due
    if is_scheduled(config):
        next_due = Grid(".".join(feed), config.every, config.cron, config.jitter).next_due
    plan = FetchPlan(next_due, settings.retry_base, settings.retry_max, hub.reporting, landed)
    return poll(hub.store, hub.vault, worker, claim, plan, now)


def reconcile_once(hub: Hub, stream: StreamKey, days: int | None) -> list[dict[str, Any]]:
    """Compare one stream with its source now; its days. Raises what the source raises."""
    if daemon_answers(hub.settings):
        told = ask(
            hub.settings.folder / SOCKET, "reconcile", seconds=3600.0, unit=stream.unit, stream=stream.stream, days=days
        )
        return list(told["days"])
    with submission(hub).door():
        worker = _enabled(hub, stream.unit)
        config = worker.stream_config(stream.stream).reconcile
        if config is None:
            raise ConfigurationError(
                f"{stream.unit} {stream.stream} has no [reconcile]: nobody says how its days can be asked for",
                code="reconcile.none",
                remedy=f"set [streams.{stream.stream}.reconcile]; see docs/operations.md",
            )
        with _writing(hub) as landed:
            plan = days_plan(hub.store, config, days or config.days, hub.reporting, landed)._replace(anew=True)
            return [told_day(view) for view in compare_days(hub.store, hub.vault, worker, stream, plan, now)]


def _enabled(hub: Hub, unit: str) -> UnitWorker:
    worker = hub.workers.get(unit)
    if not isinstance(worker, UnitWorker):
        raise ConfigurationError(
            f"{unit} is disabled: nothing was read", code="connector.disabled", remedy="enable it first"
        )
    return worker


@contextmanager
def _writing(hub: Hub) -> Iterator[Callable[[str, Drafts], None]]:
    """Apply what lands while it is being read; the way to hand over drafts, which waits while the writer is behind.

    At the end everything that has landed is applied.
    """
    shelf, wake, stop = DraftShelf(ABREAST), Event(), Event()
    plan = writer_plan(hub, shelf=shelf, wake=wake)
    writer = Thread(
        target=write_forever, name="writer", args=(hub.store, hub.workers, hub.vault, hub.policy, now, stop, plan)
    )

    def landed(uid: str, drafts: Drafts) -> None:
        shelf.put(uid, drafts, patience=plan.lease.total_seconds())
        wake.set()

    writer.start()
    try:
        yield landed
    finally:
        stop.set()
        wake.set()
        writer.join()
        drain(hub.store, hub.workers, hub.vault, hub.policy, now, writer_plan(hub, shelf=shelf))


def _never_due(due: datetime, at: datetime) -> tuple[datetime, int]:
    """A stream without schedule is read when somebody asks; the schedule leaves it alone."""
    return at + timedelta(days=365), 0
