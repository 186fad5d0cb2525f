"""What goes wrong between a department and the hub, and that each record still arrives once."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub import bootstrap, edge_node
from hub.runtime.edge import Edge
from hub.runtime.edge_link import EdgeLink
from hub.runtime.edge_spool import Spool
from hub.store.numbers import new_uid
from tests.edge.conftest import RunningHub, Source, call
from tests.end_to_end.story import call as police_call
from tests.local_peer import LocalPeer, until

DIES_BEFORE_THE_MARK = """
    import os, sys
    from pathlib import Path
    from hub import bootstrap, edge_node
    from hub.runtime.edge_link import EdgeLink

    settings = bootstrap.read_settings(Path(sys.argv[1]))
    with edge_node.open_spool(settings, "police") as spool:
        link = EdgeLink(settings.edge.to, "police", edge_node.edge_key(settings, "police"))
        edge = edge_node.make_edge(settings, "police", spool, link)
        assert edge.fetch_once("incident") is None
        link.post(spool.next())
        os.kill(os.getpid(), 9)  # the hub has it, the spool does not know
"""


class Near:
    """An edge in this process, its tasks called one by one."""

    def __init__(self, folder: Path, **link: Any) -> None:
        self.settings = bootstrap.read_settings(folder)
        self._open = edge_node.open_spool(self.settings, "police")
        self.spool: Spool = self._open.__enter__()
        self.link = EdgeLink(self.settings.edge.to, "police", edge_node.edge_key(self.settings, "police"), **link)
        self.edge: Edge = edge_node.make_edge(self.settings, "police", self.spool, self.link)

    def ship(self) -> list[str]:
        """Send until nothing waits or something is wrong; the codes of what was."""
        codes = []
        while (batch := self.spool.next()) is not None:
            error = self.edge.ship_once(batch)
            if error is not None:
                codes.append(error.code)
                break
        return codes

    def close(self) -> None:
        self.edge.close()
        self.link.close()
        self._open.__exit__(None, None, None)


@pytest.fixture
def folder(hub: RunningHub, source: Source, tmp_path: Path) -> Path:
    """The folder of an edge that has joined."""
    made = tmp_path / "edge"
    call(made, "edge", "join", hub.url, hub.enrol())
    toml = made / "connectors.d" / "police.toml"
    toml.write_text(toml.read_text() + source.stream(), encoding="utf-8")
    with (made / "hub.toml").open("a", encoding="utf-8") as settings:
        settings.write("\n[limits]\nrows_per_page = 10\n")  # a page is smaller than the spools below
    return made


@pytest.fixture
def near(folder: Path) -> Iterator[Near]:
    made = Near(folder)
    yield made
    made.close()


def applied(hub: RunningHub, count: int) -> dict[str, int]:
    until(lambda: hub.counts()["applied"] >= count)
    return hub.counts()


def test_killed_between_post_and_mark(hub: RunningHub, source: Source, folder: Path) -> None:
    """The batch goes out again under its number: one page at the hub, each record once."""
    source.add(8)
    script = textwrap.dedent(DIES_BEFORE_THE_MARK)
    assert subprocess.run([sys.executable, "-c", script, str(folder)], timeout=60).returncode == -9
    assert applied(hub, 8)["received"] == 8

    near = Near(folder)
    assert near.ship() == []
    near.close()
    counts = hub.counts()
    assert (counts["received"], counts["applied"], near.settings.edge.to) == (8, 8, hub.url)


def test_days_without_a_link(hub: RunningHub, source: Source, near: Near) -> None:
    """Nothing is lost while the hub is away, not even over a bound that stops fetching: then the cursor waits too."""
    hub.daemon.kill()
    near.spool.limit, source.slow = 6000, 0.3
    source.add(40)
    error = near.edge.fetch_once("incident")
    assert error is not None
    assert (error.code, near.edge.state()["state"]) == ("edge.full", "full")
    assert near.ship() == ["peer.unavailable"]
    kept = near.spool.state()
    assert 0 < kept["waiting"] < 4
    assert kept["bytes"] <= 6000

    hub.start()
    for _ in range(5):
        if near.edge.fetch_once("incident") is None:
            break
        assert near.ship() == []
    assert near.ship() == []
    counts = applied(hub, 40)
    assert counts["received"] == counts["applied"] + counts["unchanged"]
    near.edge.beat_once()
    assert hub.edge()["state"] == "idle"


def test_full_spool_leaves_the_source_alone_until_there_is_room(hub: RunningHub, source: Source, near: Near) -> None:
    """While it is full the source is not asked; when batches leave, fetching goes on by itself."""
    hub.daemon.kill()
    near.spool.limit, source.slow = 4000, 0.3
    source.add(30)
    stop = threading.Event()
    (fetch,) = (task for task in near.edge.tasks() if task.name == "fetch incident")
    thread = threading.Thread(target=fetch.run, args=(stop,))
    thread.start()
    until(lambda: near.edge.state()["state"] == "full")
    asked = len(source.peer.asked)
    threading.Event().wait(0.5)  # the stream's period is 200 ms
    assert len(source.peer.asked) == asked
    hub.start()
    try:
        until(lambda: near.ship() == [] and hub.counts()["applied"] == 30)
    finally:
        stop.set()
        thread.join(120)


@pytest.mark.parametrize("skew", [-3600, 3600])
def test_wrong_clock_is_measured_and_told(hub: RunningHub, source: Source, folder: Path, skew: int) -> None:
    """An hour off either way: records arrive by the hub's clock, and both sides say that the clock is wrong."""
    near = Near(folder, clock=lambda: time.time() + skew)
    source.add(3)
    assert near.edge.fetch_once("incident") is None
    assert near.ship() == []
    near.edge.beat_once()
    state = near.edge.state()["state"]
    near.close()

    assert (applied(hub, 3)["applied"], state) == (3, "clock")
    assert abs(hub.edge()["skew"] + skew) <= 3
    assert [i["cause"] for i in hub.json("status")["issues"] if i["subject"] == "edge.police"] == ["edge.clock"]


def test_too_large_batch_is_cut_until_it_fits(hub: RunningHub, folder: Path, source: Source) -> None:
    """The hub takes 10 rows at once here, and 40 arrive."""
    hub.restart("\n[limits]\nrows_per_push = 10\n")
    near = Near(folder)
    source.add(40)
    near.spool.put(new_uid(), "incident", json.dumps(source.rows).encode(), 40, None, bootstrap.now())
    assert near.ship() == []
    assert near.edge.state()["held"] == {}
    near.close()

    assert applied(hub, 40)["received"] == 40


def test_messages_reach_the_department_once(hub: RunningHub, folder: Path) -> None:
    """A duty that the unit fetches is delivered by the edge, byte for byte, and its receipt number comes back."""
    inbox = LocalPeer(lambda asked: (200, {}, b'{"receipt_no": "R-1"}'))
    with (hub.folder / "connectors.d" / "police.toml").open("a", encoding="utf-8") as toml:
        toml.write("\n[deliver.duty]\npull = true\n")
    with (folder / "connectors.d" / "police.toml").open("a", encoding="utf-8") as toml:
        toml.write(f'\n[deliver.duty]\nurl = "{inbox.url}/duties"\n')
    assert hub.daemon.process is not None
    hub.daemon.process.send_signal(1)  # SIGHUP
    near = Near(folder)
    at = f"{bootstrap.now():%Y-%m-%d} 00:00:01"
    letter = police_call("J1", at)
    rows = json.dumps(
        [{**letter, "letter_no": "G1", "issued_on": at, "kind": "1", "victim_name": "虚构", "abuser_name": "虚构甲"}]
    )
    near.spool.put(new_uid(), "admonition", rows.encode(), 1, None, bootstrap.now())
    assert near.ship() == []
    applied(hub, 1)

    def delivered() -> bool:
        near.edge.beat_once()
        return len(inbox.asked) > 0

    until(delivered)
    near.edge.beat_once()
    near.close()
    inbox.close()

    numbers = [asked.headers["Idempotency-Key"] for asked in inbox.asked]
    assert len(numbers) == len(set(numbers))
    assert hub.json("status")["outbox"]["received"] == len(numbers)


def test_dropped_file_gets_its_receipt_at_the_department(hub: RunningHub, folder: Path) -> None:
    """A file read by the edge is answered beside it, row by row, as if the hub had read it; large files in several batches."""
    toml = folder / "connectors.d" / "police.toml"
    text = toml.read_text(encoding="utf-8").partition("\n[streams.incident]")[0]
    drop = folder / "in"
    drop.mkdir()
    toml.write_text(
        f'{text}\n[streams.incident]\ntransport = "files"\nfolder = "{drop}"\npattern = "*.csv"\nsettle = "0s"\n'
        'schedule = { every = "1s" }\n',
        encoding="utf-8",
    )
    at = f"{bootstrap.now():%Y-%m-%d} 00:00:01"
    rows = [f"J{n},{at},{'77' if n == 3 else '1'},配偶,虚构{n},1390000{n:04}" for n in range(1, 5)]
    (drop / "calls.csv").write_text(
        "\n".join(["接警编号,报警时间,警情类别,与对方关系,甲方姓名,甲方联系电话", *rows]), encoding="utf-8"
    )
    near = Near(folder)

    def moved() -> bool:
        near.edge.fetch_once("incident")
        return (drop / "done" / "calls.csv").exists()

    until(moved)
    batch = near.spool.next()
    assert batch is not None
    assert near.spool.split(batch, (new_uid(), new_uid()), bootstrap.now())
    near.edge.beat_once()
    assert not (drop / "done" / "calls.csv.receipt.json").exists()  # its rows are here still
    assert near.ship() == []
    until(lambda: near.edge.beat_once() or (drop / "done" / "calls.csv.receipt.json").exists())
    receipt = json.loads((drop / "done" / "calls.csv.receipt.json").read_bytes())
    near.close()

    assert [receipt[name] for name in ("received", "applied", "quarantined", "pending")] == [4, 3, 1, 0]
    assert [(row["row"], row["code"]) for row in receipt["rows"] if row["status"] == "quarantined"] == [
        (3, "code.unknown")
    ]
