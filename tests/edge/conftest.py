"""A running hub, a department's source behind it, and an edge between them: real processes, real HTTP."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.demo.daemon import Daemon
from tests.local_peer import Asked, LocalPeer


def call(folder: Path, *arguments: str, code: int | None = 0) -> str:
    """``hub --config FOLDER …``; its standard output. ``code`` None: whatever exit code."""
    told = CliRunner().invoke(app, ["--config", str(folder), *arguments], catch_exceptions=False)
    assert code is None or told.exit_code == code, told.output
    return told.stdout


class RunningHub:
    """``hub run`` with the police enabled and nothing but push."""

    def __init__(self, template: Path, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(template, folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        toml = folder / "hub.toml"
        toml.write_text(toml.read_text().replace("127.0.0.1:8080", self.url[7:]), encoding="utf-8")
        self.daemon = Daemon(folder, self.url)

    def start(self) -> None:
        self.daemon.start()
        self.daemon.wait_ready()

    def restart(self, settings: str) -> None:
        """End it, add to hub.toml, start it again."""
        self.daemon.kill()
        toml = self.folder / "hub.toml"
        toml.write_text(toml.read_text(encoding="utf-8") + settings, encoding="utf-8")
        self.start()

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(call(self.folder, *arguments, "--json", code=code))

    def counts(self) -> dict[str, int]:
        return dict(self.json("status")["counts"])

    def edge(self) -> dict[str, Any]:
        """What the hub knows of the police's edge."""
        (row,) = (c for c in self.json("status")["connectors"] if c["name"] == "police")
        return dict(row["edge"])

    def enrol(self) -> str:
        return str(self.json("edge", "enrol", "police")["code"])


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub's folder with the police enabled."""
    folder = tmp_path_factory.mktemp("template") / "hub"
    call(folder, "init", str(folder))
    call(folder, "connectors", "enable", "police")
    return folder


@pytest.fixture
def hub(template: Path, tmp_path: Path) -> Iterator[RunningHub]:
    made = RunningHub(template, tmp_path / "hub")
    made.start()
    yield made
    made.daemon.kill()
    made.daemon.client.close()


class Source:
    """The police's own interface: calls numbered from 1, newest last, `since` by number of rows."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.slow = 0.0  # seconds a page takes: pages of a quick source land as one
        self.peer = LocalPeer(self._answer)

    def add(self, count: int) -> None:
        start = datetime.now(UTC) + timedelta(hours=8) - timedelta(days=1)
        for _ in range(count):
            number = len(self.rows) + 1
            at = f"{start + timedelta(seconds=number):%Y-%m-%d %H:%M:%S}"
            self.rows.append(
                {"接警编号": f"J{number}", "报警时间": at, "更新时间": at, "警情类别": "1", "冲突程度": "1",
                 "与对方关系": "配偶", "甲方姓名": f"虚构{number}", "甲方联系电话": f"139{number:08d}"}
            )  # fmt: skip

    def _answer(self, asked: Asked) -> tuple[int, dict[str, str], Any]:
        self.peer.release.wait(self.slow)
        since = asked.query.get("since", "")
        found = [row for row in self.rows if row["更新时间"] >= since]
        start = (int(asked.query["page"]) - 1) * 10
        return 200, {}, json.dumps({"data": found[start : start + 10], "total": len(found)}).encode()

    def stream(self, every: str = "200ms") -> str:
        return (
            f'\n[streams.incident]\ntransport = "rest"\nurl = "{self.peer.url}/calls"\nrecords = "data"\ntotal = "total"\n'
            f'page = {{ size = 10, param = "page" }}\nschedule = {{ every = "{every}" }}\n'
            'cursor = { field = "更新时间", overlap = "2s", param = "since" }\n'
        )


@pytest.fixture
def source() -> Iterator[Source]:
    made = Source()
    yield made
    made.peer.close()


def request(url: str, method: str, path: str, **options: Any) -> httpx.Response:
    """One plain request, answers of every status."""
    with httpx.Client(trust_env=False, timeout=10) as client:
        return client.request(method, url + path, **options)
