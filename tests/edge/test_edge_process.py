"""`hub edge` as a department runs it: enrolled by one command on each side, through kills and lost links, revoked."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub import bootstrap, edge_node
from hub.store.numbers import new_uid
from tests.edge.conftest import RunningHub, Source, call
from tests.local_peer import until


class RunningEdge:
    """``hub edge police`` on a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "edge.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "hub.cli", "--config", str(self.folder), "edge", "police"]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def show(self) -> dict[str, Any]:
        return dict(json.loads(call(self.folder, "edge", "show", "police", "--json", code=None)))


@pytest.fixture
def edge(hub: RunningHub, source: Source, tmp_path: Path) -> Iterator[RunningEdge]:
    """An edge that has joined and knows its source; not started."""
    made = RunningEdge(tmp_path / "edge")
    call(made.folder, "edge", "join", hub.url, hub.enrol())
    toml = made.folder / "connectors.d" / "police.toml"
    toml.write_text(toml.read_text() + source.stream(), encoding="utf-8")
    with (made.folder / "hub.toml").open("a") as settings:
        settings.write('beat = "300ms"\n[retry]\nbase = "100ms"\nmax = "500ms"\n')
    yield made
    made.kill()


def test_records_pass_through_kills_of_edge_and_hub(hub: RunningHub, source: Source, edge: RunningEdge) -> None:
    """Edge and hub are killed while records come in: each record arrives, none is counted twice; SIGTERM ends with 0."""
    source.add(25)
    edge.start()
    until(lambda: hub.counts()["received"] >= 25)
    edge.kill()
    source.add(25)
    edge.start()
    until(lambda: edge.show()["sent"].get("rows", 0) > 25)
    hub.daemon.kill()
    source.add(25)
    until(lambda: edge.show()["waiting"] > 0)
    edge.kill()
    edge.start()
    hub.start()
    until(lambda: hub.counts()["applied"] == 75 and edge.show()["waiting"] == 0)

    counts = hub.counts()
    assert counts["received"] == counts["applied"] + counts["unchanged"]
    assert counts["applied"] == 75
    assert until(lambda: hub.edge()["state"] == "idle")
    assert hub.edge()["sent"]["rows"] >= 75
    assert edge.process is not None
    edge.process.send_signal(signal.SIGTERM)
    assert edge.process.wait(120) == 0


def test_revocation_holds_on_a_running_hub(hub: RunningHub, source: Source, edge: RunningEdge) -> None:
    """After `hub edge revoke` nothing is taken; the edge keeps what it has and says why; a new code brings it back."""
    source.add(5)
    edge.start()
    until(lambda: hub.counts()["received"] >= 5)
    call(hub.folder, "edge", "revoke", "police")
    before = hub.counts()["received"]
    source.add(5)
    until(lambda: edge.show()["waiting"] > 0)

    assert hub.counts()["received"] == before
    assert hub.edge()["state"] == "revoked"
    until(lambda: "signature.revoked" in edge.log.read_text(encoding="utf-8"))
    edge.kill()
    call(edge.folder, "edge", "join", hub.url, hub.enrol())
    edge.start()
    until(lambda: hub.counts()["applied"] == 10)


def test_held_batch_goes_out_again_when_it_was_mended(hub: RunningHub, edge: RunningEdge) -> None:
    """What the hub does not take as it is stays on disk, is an issue there, and a running edge is asked to try again."""
    settings = bootstrap.read_settings(edge.folder)
    with edge_node.open_spool(settings, "police") as spool:
        spool.put(new_uid(), "incident", b'["\xff"]', 1, None, bootstrap.now())  # no JSON: a disk has flipped a bit
    edge.start()
    until(lambda: edge.show()["held"] == {"json.encoding": 1})
    until(lambda: [i["cause"] for i in hub.json("status")["issues"] if i["subject"] == "edge.police"] == ["edge.held"])
    assert json.loads(call(edge.folder, "edge", "release", "police", "--json"))["released"] is None
    until(lambda: edge.log.read_text(encoding="utf-8").count("json.encoding") == 2)
    until(lambda: edge.show()["held"] == {"json.encoding": 1})  # told first, then kept
    edge.kill()
    assert json.loads(call(edge.folder, "edge", "release", "police", "--json"))["released"] == 1
