"""A department's edge put together: keys, spool, link and the connector's own worker; and how it is enrolled."""

from __future__ import annotations

import base64
import binascii
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub import bootstrap
from hub.config.secret_files import read_secret, write_secret
from hub.core.errors import ConfigurationError, RetryError
from hub.runtime.daemon import Daemon, hub_lock
from hub.runtime.edge import Edge, Pace
from hub.runtime.edge_link import EdgeLink, address
from hub.runtime.edge_spool import Spool
from hub.runtime.grid import Grid
from hub.runtime.specs import is_scheduled
from hub.runtime.unit_worker import UnitWorker
from hub.sdk.files import Waiting, waiting_receipts
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
JOINING = "edge-joining.key"
"""The key of an enrolment whose answer has not come: used again, so that a lost answer costs no second code."""


def join(folder: Path, to: str, code: str) -> dict[str, Any]:
    """Make a key pair, register its public half by a one-time code, keep the private half; what the hub told.

    Raises HubError; a code whose answer was lost may be used again with the same folder.
    """
    to = address(to)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "hub.toml").exists():
        (folder / "hub.toml").write_text(HUB_TOML.format(to=to), encoding="utf-8")
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


def run_edge(folder: Path, name: str, to: str = "") -> int:
    """`hub edge NAME --to URL`: fetch, keep, sign and send until a signal; the exit code. Raises HubError."""
    settings = bootstrap.read_settings(folder)
    with hub_lock(_spool_folder(folder, name)), open_spool(settings, name) as spool:
        link = EdgeLink(
            to or settings.edge.to, name, _key(_key_file(folder, name)), seconds=settings.limits.peer_seconds
        )
        edge = make_edge(settings, name, spool, link)
        try:
            return Daemon(edge.tasks(), reload=edge.release).run()
        finally:
            edge.close()
            link.close()


def make_edge(settings: Settings, name: str, spool: Spool, link: EdgeLink) -> Edge:
    """The edge of one connector. Raises ConfigurationError when it has nothing to fetch and nothing to deliver."""
    config = settings.connectors.get(name)
    streams = {
        stream.name: Grid(f"{name}.{stream.name}", stream.every, stream.cron, stream.jitter)
        for stream in (config.streams.values() if config else ())
        if is_scheduled(stream)
    }
    if config is None or not (streams or config.deliver):
        raise ConfigurationError(
            f"{name}: no stream with a transport and a schedule, and nothing to deliver",
            code="stream.not_scheduled",
            remedy=f"set them in connectors.d/{name}.toml of {settings.folder}",
        )
    worker = bootstrap.make_worker(settings, config)
    return Edge(
        worker,
        streams,
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
