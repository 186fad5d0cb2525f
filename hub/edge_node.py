"""A department's edge put together: keys, spool, link and the connector's own worker; and how it is enrolled."""

from __future__ import annotations

import base64
import binascii
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub import bootstrap
from hub.config.secret_files import read_secret, write_secret
from hub.config.toml_edit import set_value
from hub.confinement import require
from hub.core.errors import ConfigurationError, RetryError
from hub.runtime.daemon import Daemon, SideTask, hub_lock
from hub.runtime.edge import Edge, Pace
from hub.runtime.edge_link import EdgeLink, address
from hub.runtime.edge_spool import Spool
from hub.runtime.grid import Grid
from hub.runtime.specs import is_scheduled
from hub.runtime.unit_worker import UnitWorker
from hub.sdk.files import Waiting, waiting_receipts
from hub.sdk.trust import believe, usable
from hub.security.signatures import public_bytes
from hub.settings import SecretRef, Settings, StreamConfig
from hub.store.numbers import new_uid

HUB_TOML = """\
# A department's edge of a Family Care Hub: no database and no keys of the hub here.

[edge]
to = "{to}"
# spool_bytes = 1073741824   # how much may wait on this disk; full: nothing more is fetched, nothing is dropped
# beat = "30s"               # how often the hub is told how it goes
"""
AUTHORITY = "hub-ca.pem"
JOINING = "edge-joining.key"
"""The key of an enrolment whose answer has not come: used again, so that a lost answer costs no second code."""


def join(folder: Path, to: str, code: str, ca: Path | None = None) -> dict[str, Any]:
    """Make a key pair, register its public half by a one-time code, keep the private half; what the hub told.

    ``ca``: the certificate of the private CA that signed the hub's, kept in the folder and named in its hub.toml.
    Raises HubError; a code whose answer was lost may be used again with the same folder.
    """
    to = address(to)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "hub.toml").exists():
        (folder / "hub.toml").write_text(HUB_TOML.format(to=to), encoding="utf-8")
    if ca is not None:
        _keep_authority(folder, ca)
    believe(bootstrap.read_settings(folder).authorities)
    joining = folder / "secrets" / JOINING
    if not joining.exists():
        write_secret(joining, base64.b64encode(os.urandom(32)))
    key = _key(joining)
    link = EdgeLink(to, "", key)
    try:
        told = link.join(code, base64.b64encode(public_bytes(key)).decode())
    finally:
        link.close()
    name = str(told["connector"])
    os.replace(joining, _key_file(folder, name))
    spool_key = folder / "secrets" / f"{name}-spool.key"
    if not spool_key.exists():
        write_secret(spool_key, base64.b64encode(os.urandom(32)))
    return told


def _keep_authority(folder: Path, ca: Path) -> None:
    text = ca.read_text("ascii", "replace") if ca.is_file() else ""
    if not usable(text):
        raise ConfigurationError(
            f"{ca} is no PEM file with a CA's certificate",
            code="edge.ca",
            remedy="ask the hub's IT staff for the certificate of its CA (-----BEGIN CERTIFICATE-----)",
        )
    (folder / AUTHORITY).write_text(text, encoding="ascii")
    set_value(folder / "hub.toml", "trust", "ca", AUTHORITY)


def _key_file(folder: Path, name: str) -> Path:
    return folder / "secrets" / f"{name}-edge.key"


def _secret(path: Path) -> bytes:
    try:
        return base64.b64decode(read_secret(SecretRef(file=str(path))), validate=True)
    except binascii.Error as error:
        raise ConfigurationError(f"{path} is no key", code="edge.key", remedy="enrol this edge again") from error


def _key(path: Path) -> Ed25519PrivateKey:
    secret = _secret(path)
    if len(secret) != 32:
        raise ConfigurationError(f"{path} is no key", code="edge.key", remedy="enrol this edge again")
    return Ed25519PrivateKey.from_private_bytes(secret)


def edge_key(settings: Settings, name: str) -> Ed25519PrivateKey:
    """The private key by which a connector's edge is known. Raises ConfigurationError."""
    return _key(_key_file(settings.folder, name))


def _spool_folder(folder: Path, name: str) -> Path:
    made = folder / "spool" / name
    made.mkdir(mode=0o700, parents=True, exist_ok=True)
    return made


@contextmanager
def open_spool(settings: Settings, name: str, *, look: bool = False) -> Iterator[Spool]:
    """A connector's spool in this folder, ``look``: beside a running edge. Raises ConfigurationError: this folder has not joined for it."""
    if not _key_file(settings.folder, name).exists():
        raise ConfigurationError(
            f"{name} has no edge in {settings.folder}",
            code="edge.unknown",
            remedy="get a code at the hub (`hub edge enrol NAME`), then run `hub edge join URL CODE` here",
        )
    secret = _secret(settings.folder / "secrets" / f"{name}-spool.key")
    path = _spool_folder(settings.folder, name) / "spool.db"
    spool = Spool(path, secret, settings.edge.spool_bytes, look=look and path.exists())
    try:
        yield spool
    finally:
        spool.close()


def release(settings: Settings, name: str) -> int | None:
    """Send held batches once more; how many, None: the running edge was asked to."""
    folder = _spool_folder(settings.folder, name)
    try:
        with hub_lock(folder), open_spool(settings, name) as spool:
            return spool.release()
    except RetryError:
        os.kill(int((folder / "hub.lock").read_text(encoding="utf-8")), signal.SIGHUP)
        return None


def run_edge(folder: Path, names: Sequence[str], to: str = "") -> int:
    """`hub edge NAME… --to URL`: fetch, keep, sign and send until a signal; the exit code. Raises HubError.

    Each connector has its own key, spool, link and process; they are one service of the department's machine.
    """
    settings = bootstrap.read_settings(folder)
    believe(settings.authorities)
    require(settings)
    with ExitStack() as stack:
        edges = {name: stack.enter_context(_opened(settings, name, to)) for name in names}

        def release() -> None:
            for edge in edges.values():
                edge.release()

        return Daemon(_in_order(edges), reload=release).run()


@contextmanager
def _opened(settings: Settings, name: str, to: str) -> Iterator[Edge]:
    """One connector's edge, given back at the end."""
    with hub_lock(_spool_folder(settings.folder, name)), open_spool(settings, name) as spool:
        key = _key(_key_file(settings.folder, name))
        link = EdgeLink(to or settings.edge.to, name, key, seconds=settings.limits.peer_seconds)
        edge = make_edge(settings, name, spool, link)
        try:
            yield edge
        finally:
            edge.close()
            link.close()


def _in_order(edges: Mapping[str, Edge]) -> list[SideTask]:
    """The tasks of all, named by their connector: all fetching stops first, all shipping last."""
    each = [
        [task._replace(name=f"{name}: {task.name}" if len(edges) > 1 else task.name) for task in edge.tasks()]
        for name, edge in edges.items()
    ]
    fetching = [task for tasks in each for task in tasks[:-2]]
    return [*fetching, *(tasks[-2] for tasks in each), *(tasks[-1] for tasks in each)]


def make_edge(settings: Settings, name: str, spool: Spool, link: EdgeLink) -> Edge:
    """The edge of one connector. Raises ConfigurationError when it has nothing to fetch and nothing to deliver."""
    config = settings.connectors.get(name)
    polled = [stream for stream in (config.streams.values() if config else ()) if is_scheduled(stream)]
    if config is None or not (polled or config.deliver):
        raise ConfigurationError(
            f"{name}: no stream with a transport and a schedule, and nothing to deliver",
            code="stream.not_scheduled",
            remedy=f"set them in connectors.d/{name}.toml of {settings.folder}",
        )
    worker = bootstrap.make_worker(settings, config)
    feeds = {
        feed.stream: Grid(f"{name}.{feed.stream}", stream.every, stream.cron, stream.jitter)
        for stream in polled
        for feed in worker.feeds(stream.name)
    }
    return Edge(
        worker,
        feeds,
        spool,
        link,
        clock=bootstrap.now,
        new_uid=new_uid,
        pace=Pace(settings.edge.beat, settings.retry_base, settings.retry_max),
        delivers=bool(config.deliver),
        drops={
            stream.name: partial(_waiting, worker, stream)
            for stream in config.streams.values()
            if stream.transport == "files"
        },
        answer=worker.answer,
    )


def _waiting(worker: UnitWorker, stream: StreamConfig) -> list[Waiting]:
    """Dropped files of a stream that were read and have no receipt yet."""
    folder = str(stream.options["folder"])
    if "://" in folder:
        return worker.waiting(stream.name)
    places = (Path(stream.options.get(where) or f"{folder}/{where}") for where in ("done", "failed"))
    return [due for place in places for due in waiting_receipts(place)]
