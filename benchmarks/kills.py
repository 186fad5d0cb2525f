"""Kill daemon and connector at random while records flow: ``python benchmarks/kills.py --kills 1000 --records 100000``.

A department's paged server is polled by a real daemon. SIGKILL hits the daemon or its connector's process, whichever the
draw says. At the end every record of the source must be in the archive once: prints kills, lost and doubled.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import tomlkit
from line import configure, source

PATIENCE = 600.0
START = 15.0
"""Seconds a daemon has to start its connector, if the connector is to be hit."""


def children(pid: int) -> list[int]:
    """Processes a process has started."""
    try:
        return [
            int(one) for task in Path(f"/proc/{pid}/task").iterdir() for one in (task / "children").read_text().split()
        ]
    except OSError:
        return []


def connectors_of(pid: int) -> list[int]:
    """Those of them that run a connector."""

    def runs(one: int) -> bool:
        try:
            return b"hub.runtime.worker" in Path(f"/proc/{one}/cmdline").read_bytes()
        except OSError:
            return False

    return [one for one in children(pid) if runs(one)]


def counts(folder: Path) -> tuple[int, int]:
    """(records, versions) in the archive."""
    with sqlite3.connect(f"file:{folder / 'hub.db'}?mode=ro", uri=True, timeout=10) as connection:
        found = connection.execute(
            "SELECT (SELECT COUNT(*) FROM record WHERE stream = 'incident'),"
            " (SELECT COUNT(*) FROM version v JOIN record r ON r.id = v.record_id WHERE r.stream = 'incident')"
        )
        records, versions = found.fetchone()
        return int(records), int(versions)


def start(folder: Path, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "hub.cli", "--config", str(folder), "run"], stdout=out, stderr=out
        )


def quicken(folder: Path) -> None:
    """Poll every second, retry at once, a port of the system's own."""
    main = tomlkit.parse((folder / "hub.toml").read_text(encoding="utf-8"))
    for table, values in (("http", {"listen": "127.0.0.1:0"}), ("retry", {"base": "100ms", "max": "500ms"})):
        if table not in main:
            main[table] = tomlkit.table()
        main[table].update(values)
    (folder / "hub.toml").write_text(tomlkit.dumps(main), encoding="utf-8")
    path = folder / "connectors.d" / "police.toml"
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    stream = document["streams"]["incident"]
    stream["schedule"] = {"every": "1s"}
    stream["cursor"] = {"field": "更新时间", "param": "since"}
    path.write_text(tomlkit.dumps(document), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=4)
    options = parser.parse_args()
    draw, pause = random.Random(options.seed), threading.Event()
    told = {"daemon": 0, "connector": 0}
    with tempfile.TemporaryDirectory() as made, source(options.records, False) as address:
        folder, log = Path(made) / "hub", Path(made) / "log"
        configure(folder, address, "", True)
        quicken(folder)
        daemon = start(folder, log)
        while sum(told.values()) < options.kills:
            wanted, end = draw.random() < 0.7, time.monotonic() + START
            while wanted and not connectors_of(daemon.pid) and time.monotonic() < end:
                pause.wait(0.02)
            pause.wait(draw.uniform(0.0, 0.8))
            running = connectors_of(daemon.pid)
            if wanted and running:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(draw.choice(running), signal.SIGKILL)
                told["connector"] += 1
            else:
                daemon.kill()
                daemon.wait()
                told["daemon"] += 1
                daemon = start(folder, log)
        end = time.monotonic() + PATIENCE
        while counts(folder)[0] < options.records and time.monotonic() < end:
            pause.wait(1.0)
        daemon.terminate()
        code = daemon.wait(60)
        records, versions = counts(folder)
    print(f"{told['daemon']} kills of the daemon, {told['connector']} of the connector, {options.records} records")
    print(f"lost {options.records - records}, doubled {versions - records}, last exit {code}")
    sys.exit(0 if records == versions == options.records and code == 0 else 1)


if __name__ == "__main__":
    main()
