from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.core.freight import Page
from hub.core.records import StreamKey
from hub.runtime.local_socket import ask, is_served, page_to_json
from hub.store.engine import open_store
from tests.local_peer import Asked, LocalPeer, until
from tests.runtime.conftest import now

SCRIPT = """
    import sys
    from datetime import timedelta
    from pathlib import Path
    from fastapi import FastAPI
    from fastapi.responses import JSONResponse
    from hub.line.land import land
    from hub.runtime.plugins import read_manifests
    from hub.runtime.applied import Applied
    from hub.runtime.service import Parts, now, owner_of, run
    from hub.runtime.supervisor import ChildSpec, Supervisor
    from hub.runtime.unit_worker import UnitWorker
    from hub.runtime.workers import Workers
    from hub.settings import ConnectorConfig, Limits, Settings, StreamConfig
    from hub.store.engine import open_store
    from hub.store.numbers import new_uid

    folder, address, source = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

    class Vault:
        def seal_blob(self, uid, plain): return plain
        def open_blob(self, uid, sealed): return sealed

    def make_app(readiness):
        app = FastAPI()
        app.add_api_route("/readyz", lambda: JSONResponse(dict(readiness()), 200 if all(readiness().values()) else 503))
        return app

    stream = StreamConfig(name="incident", transport="rest", url=source, every=timedelta(milliseconds=100), cursor_field="更新时间")
    config = ConnectorConfig(name="police", enabled=True, path=folder, streams={"incident": stream})
    hands = Supervisor(ChildSpec(name="police", entry="connectors.police", unit="police"))
    worker = UnitWorker(read_manifests().manifests["police"], config, Limits(), hands, clock=now, new_uid=new_uid)
    store = open_store(f"sqlite:///{folder}/hub.db")
    vault = Vault()
    sys.exit(run(Parts(
        settings=Settings(folder=folder, database_url="", listen=address, lease=timedelta(minutes=10)), store=store, vault=vault,
        workers=Workers({"police": worker}), writer=lambda stop: stop.wait(), deliver=lambda number: None,
        land=lambda page: land(store, vault, page), make_app=make_app, owner=owner_of("n"), applied=Applied(store),
    )))
"""


class Running:
    """The service in a process of its own."""

    def __init__(self, folder: Path, port: int, source: str) -> None:
        self.folder, self.url = folder, f"http://127.0.0.1:{port}"
        self._command = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(folder), f"127.0.0.1:{port}", source]
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        log = (self.folder / "log").open("ab")
        with log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log)
        return self.process

    def ready(self) -> bool:
        assert self.process.poll() is None, (self.folder / "log").read_text()[-3000:]
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False


@pytest.fixture
def source() -> Iterator[LocalPeer]:
    """A police system with one new call at every question."""
    count = iter(range(10_000))

    def answer(asked: Asked) -> tuple[int, dict[str, str], Any]:
        n = next(count)
        return (
            200,
            {},
            json.dumps(
                [{"接警编号": f"J{n}", "更新时间": f"2026-11-01 {n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}"}]
            ).encode(),
        )

    peer = LocalPeer(answer)
    yield peer
    peer.close()


@pytest.fixture
def running(tmp_path: Path, sqlite_template: Path, source: LocalPeer) -> Iterator[Running]:
    import shutil
    import socket

    shutil.copyfile(sqlite_template, tmp_path / "hub.db")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Running(tmp_path, port, source.url)
    yield made
    made.process.kill()
    made.process.wait()


def landed(folder: Path) -> list[str]:
    store = open_store(f"sqlite:///{folder}/hub.db")
    try:
        with store.read() as sql:
            rows = [json.loads(body) for (body,) in sql.rows("SELECT body FROM page ORDER BY id")]
    finally:
        store.dispose()
    return [row["接警编号"] for page in rows for row in page]


def test_daemon_serves_polls_takes_pages_by_its_socket_and_drains(running: Running, source: LocalPeer) -> None:
    """Ready on HTTP, polling by the clock, landing a command's page, and gone with 0 after SIGTERM."""
    until(running.ready)
    page = Page("u-1", StreamKey("police", "incident"), "live", "ingest", '[{"接警编号":"X"}]'.encode(), 1, 1, now())

    assert ask(running.folder / "hub.sock", "land", page=page_to_json(page)) == {"uid": "u-1"}
    told = ask(running.folder / "hub.sock", "receipt", uid="u-1", seconds=0)["receipt"]
    assert (told["received"], told["pending"]) == (1, 1)
    until(lambda: len(source.asked) >= 3)
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(120) == 0
    assert not is_served(running.folder / "hub.sock")
    assert "X" in landed(running.folder)


def test_killed_daemon_is_ready_again_and_polls_at_once(running: Running, source: LocalPeer) -> None:
    """SIGKILL while a ten-minute lease is held: the next start takes lock, socket and lease over without a wait."""
    until(running.ready)
    until(lambda: len(source.asked) >= 2)
    running.process.kill()
    running.process.wait()
    asked = len(source.asked)

    running.start()

    until(running.ready)
    until(lambda: len(source.asked) > asked)


def test_second_daemon_in_the_same_folder_is_refused(running: Running) -> None:
    """The lock names what to do; the first daemon is not disturbed."""
    until(running.ready)
    first = running.process

    second = running.start()

    assert second.wait(120) != 0
    running.process = first
    assert (
        "hub.locked" in (running.folder / "log").read_text()
        or "another process of this folder" in (running.folder / "log").read_text()
    )
    assert running.ready()
    assert os.path.exists(running.folder / "hub.sock")


def test_dead_source_disturbs_nobody(running: Running, source: LocalPeer) -> None:
    """The police system goes away: the daemon stays ready."""
    until(running.ready)
    source.close()

    asked: Callable[[], bool] = running.ready
    assert all(asked() for _ in range(20))
