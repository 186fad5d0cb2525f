"""An edge as a department runs it: over TLS under a private CA, and one service for several connectors."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app
from tests.authority import Authority
from tests.edge.conftest import RunningHub, Source, call
from tests.gate import Gate
from tests.local_peer import until


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def proxy(hub: RunningHub, authority: Authority) -> Iterator[str]:
    """The hub's address behind a TLS proxy."""
    gate = Gate(int(hub.url.rpartition(":")[2]), authority.server())
    yield f"https://localhost:{gate.port}"
    gate.close()


def refused(folder: Path, *arguments: str) -> str:
    told = CliRunner().invoke(app, ["--config", str(folder), "edge", "join", *arguments])
    assert told.exit_code != 0
    return told.output


def test_an_edge_sends_over_tls_under_a_private_ca(
    hub: RunningHub, source: Source, proxy: str, authority: Authority, tmp_path: Path
) -> None:
    """It joins only when it is given the CA that signed the hub's certificate; then records pass, and nothing without TLS."""
    folder, code = tmp_path / "edge", hub.enrol()
    assert "certificate" in refused(folder, proxy, code)
    assert "certificate" in refused(folder, proxy, code, "--ca", str(Authority(tmp_path, "stranger").pem))
    assert "PEM" in refused(folder, proxy, code, "--ca", str(folder / "hub.toml"))
    assert "https" in refused(folder, "http://hub.example", code)
    call(folder, "edge", "join", proxy, code, "--ca", str(authority.pem))
    append(folder, "police", source.stream())
    source.add(25)

    with running(folder, "police"):
        assert until(lambda: hub.counts()["applied"] == 25)
    assert "hub-ca.pem" in (folder / "hub.toml").read_text(encoding="utf-8")


def test_a_certificate_of_another_ca_stops_sending_and_loses_nothing(
    hub: RunningHub, source: Source, authority: Authority, tmp_path: Path
) -> None:
    """Whoever answers in the hub's place gets nothing: records wait in the spool until the hub itself answers again."""
    port = int(hub.url.rpartition(":")[2])
    with ExitStack() as stack:
        true = Gate(port, authority.server())
        stack.callback(true.close)
        false = Gate(port, Authority(tmp_path, "stranger").server())
        stack.callback(false.close)
        folder = tmp_path / "edge"
        call(folder, "edge", "join", f"https://localhost:{true.port}", hub.enrol(), "--ca", str(authority.pem))
        append(folder, "police", source.stream())
        source.add(5)
        with running(folder, "police", "--to", f"https://localhost:{false.port}"):
            assert until(lambda: spool(folder)["waiting"] > 0)
            assert until(lambda: false.came > 1)
        assert hub.counts()["received"] == 0
        with running(folder, "police"):
            assert until(lambda: hub.counts()["applied"] == 5)


def test_one_service_carries_several_connectors(hub: RunningHub, source: Source, tmp_path: Path) -> None:
    """Each with a key, a spool and a state of its own at the hub; a name that has not joined is refused before any starts."""
    folder = tmp_path / "edge"
    call(hub.folder, "connectors", "enable", "court")
    call(folder, "edge", "join", hub.url, hub.enrol())
    call(folder, "edge", "join", hub.url, str(hub.json("edge", "enrol", "court")["code"]))
    append(folder, "police", source.stream())
    (folder / "in").mkdir()
    stream = '[streams.protection_order]\ntransport = "files"\nfolder = "in"\nschedule = { every = "200ms" }\n'
    append(folder, "court", stream)
    sample = Path(__file__).parents[2] / "connectors" / "court" / "samples"
    source.add(5)

    with running(folder, "police", "court") as edge:
        (folder / "in" / "a.csv").write_bytes((sample / "protection_order.csv").read_bytes())
        assert until(lambda: hub.counts()["received"] > 5 and spool(folder)["waiting"] == 0)
        states = {row["connector"]: row["state"] for row in json.loads(call(hub.folder, "edge", "list", "--json"))}
        assert states.keys() == {"police", "court"}
        assert len(list((folder / "spool").iterdir())) == 2
        edge.send_signal(signal.SIGTERM)
        assert edge.wait(120) == 0
    told = CliRunner().invoke(app, ["--config", str(folder), "edge", "police", "health"])
    assert told.exit_code == 2
    assert "health" in told.output


def append(folder: Path, name: str, text: str) -> None:
    path = folder / "connectors.d" / f"{name}.toml"
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def spool(folder: Path) -> dict[str, int]:
    return dict(json.loads(call(folder, "edge", "show", "police", "--json", code=None)))


class running:
    """``hub edge NAME…`` on a folder, ended afterwards."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        with (folder / "hub.toml").open("a") as settings:
            if "[retry]" not in (folder / "hub.toml").read_text(encoding="utf-8"):
                settings.write('\n[retry]\nbase = "100ms"\nmax = "500ms"\n')
        self._log = (folder / "edge.log").open("ab")
        command = [sys.executable, "-m", "hub.cli", "--config", str(folder), "edge", *arguments]
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log, env=os.environ)

    def __enter__(self) -> subprocess.Popen[bytes]:
        return self._process

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()
