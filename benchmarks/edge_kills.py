"""Kill an edge, and now and then its hub, at random while records pass through: none lost, none applied twice.

``python benchmarks/edge_kills.py --records 5000 --kills 50`` prints one table and exits 1 unless both columns are 0.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from hub.demo.daemon import Commands, Daemon

PAGE = 50


class Calls(BaseHTTPRequestHandler):
    """The police's interface: one call a second since yesterday, in pages, from ``since`` on."""

    rows: ClassVar[list[dict[str, str]]] = []
    asked = threading.Event()  # set when an edge is at work

    def do_GET(self) -> None:
        Calls.asked.set()
        asked = {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}
        found = [row for row in self.rows if row["更新时间"] >= asked.get("since", "")]
        start = (int(asked["page"]) - 1) * PAGE
        body = json.dumps({"data": found[start : start + PAGE], "total": len(found)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def calls(count: int) -> list[dict[str, str]]:
    start = datetime.now() - timedelta(days=1)
    return [
        {"接警编号": f"J{n}", "报警时间": at, "更新时间": at, "警情类别": "1", "冲突程度": "1", "与对方关系": "配偶",
         "甲方姓名": f"虚构{n}", "甲方联系电话": f"1390{n:07}"}
        for n, at in ((n, f"{start + timedelta(seconds=n):%Y-%m-%d %H:%M:%S}") for n in range(count))
    ]  # fmt: skip


def edge(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "hub.cli", "--config", str(folder), "edge", "police"]
    with (folder / "edge.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


def prepare(folder: Path, source: str) -> tuple[Daemon, Commands, Path]:
    """A hub that runs, and an edge that has joined it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    hub, there = Commands(folder / "hub"), folder / "edge"
    hub.text("init", str(folder / "hub"))
    toml = folder / "hub" / "hub.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace("127.0.0.1:8080", address), encoding="utf-8")
    hub.text("connectors", "enable", "police")
    daemon = Daemon(folder / "hub", f"http://{address}")
    daemon.start()
    daemon.wait_ready()
    Commands(there).text("edge", "join", f"http://{address}", hub.json("edge", "enrol", "police")["code"])
    with (there / "hub.toml").open("a") as settings:
        settings.write('beat = "1s"\n[retry]\nbase = "100ms"\nmax = "1s"\n')
    with (there / "connectors.d" / "police.toml").open("a", encoding="utf-8") as settings:
        settings.write(
            f'\n[streams.incident]\ntransport = "rest"\nurl = "{source}"\nrecords = "data"\ntotal = "total"\n'
            f'page = {{ size = {PAGE}, param = "page" }}\nschedule = {{ every = "500ms" }}\n'
            'cursor = { field = "更新时间", overlap = "30s", param = "since" }\n'
        )
    return daemon, hub, there


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    everything = calls(asked.records)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Calls)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as place:
        daemon, hub, there = prepare(Path(place), f"http://127.0.0.1:{server.server_address[1]}/calls")
        for number in range(1, asked.kills + 1):
            Calls.rows = everything[: asked.records * number // asked.kills]
            Calls.asked.clear()
            running = edge(there)
            Calls.asked.wait(60)
            time.sleep(chance.uniform(0.0, 1.5))
            if number % 5 == 0:
                daemon.kill()
            running.kill()
            running.wait()
            if number % 5 == 0:
                daemon.start()
        daemon.wait_ready()
        running, end = edge(there), time.monotonic() + 300
        counts = hub.json("status")["counts"]
        while (counts["applied"] < asked.records or counts["pending"]) and time.monotonic() < end:
            time.sleep(1)
            counts = hub.json("status")["counts"]
        running.terminate()
        running.wait()
        keys = [event["key"] for event in hub.lines("events")]
        daemon.stop()
    server.shutdown()
    lost, twice = asked.records - len(set(keys)), counts["applied"] - len(set(keys))
    print(f"{'records':>8} {'kills':>6} {'received':>9} {'applied':>8} {'unchanged':>10} {'lost':>5} {'twice':>6}")
    print(
        f"{asked.records:8} {asked.kills:6} {counts['received']:9} {counts['applied']:8} {counts['unchanged']:10}"
        f" {lost:5} {twice:6}"
    )
    return 1 if lost or twice else 0


if __name__ == "__main__":
    sys.exit(main())
