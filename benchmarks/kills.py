"""Kill daemon and connectors at random while records flow: ``python benchmarks/kills.py --kills 1000 --records 100000``.

A department's paged server shows its records little by little, so that every kill meets work; the last of them are live and
owe messages, which the same server takes. SIGKILL hits the daemon or one of its connectors' processes, whichever the draw
says: half of the time while pages flow, else at any moment from the start on. After every hundred kills everything shown
so far must have arrived once, or it says what was lost or doubled and stops. SIGINT or SIGTERM ends it early: it catches
up, and says what was proved until then. ``--postgres`` runs it on a real PostgreSQL; ``--state FILE`` keeps its figures.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tomlkit
from line import configure
from postgres import postgres
from source import Calls

from hub.demo.configure import connector
from hub.demo.departments import Inbox
from hub.fleet import manifests
from hub.store.engine import open_store

PATIENCE = 900.0
"""Seconds everything shown may take to arrive while nobody kills; far more than it needs, on any machine."""
AT_WORK = 20.0
"""Seconds waited for work to be seen before the kill comes all the same."""
CHECKED = 100
"""Kills between two checks."""
TOLD = 15.0
"""Seconds between two lines of progress."""

COUNTS = """
SELECT (SELECT COUNT(*) FROM record WHERE stream = 'incident'),
 (SELECT COUNT(*) FROM version v JOIN record r ON r.id = v.record_id WHERE r.stream = 'incident'),
 (SELECT COUNT(*) FROM page WHERE state <> 'applied'),
 (SELECT COUNT(*) FROM (SELECT 1 FROM owed o JOIN owed_cause c ON c.owed_id = o.id WHERE o.replaces = ''
  GROUP BY o.what, o."to", o.slot, c.record_id HAVING COUNT(*) > 1) twice),
 (SELECT COUNT(*) FROM parcel), (SELECT COUNT(*) FROM parcel WHERE state = 'queued'),
 (SELECT COUNT(*) FROM quarantine)
"""


class Found(dict[str, int]):
    """What is in the archive."""

    NAMES = ("records", "versions", "pending", "owed_twice", "messages", "unsent", "quarantined")


class Department(Calls):
    """The police's server, and everybody's inbox: each message once by its number, byte for byte the same if again."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.inbox = Inbox("all")

    def take(self, kind: str, key: str, body: bytes) -> tuple[int, bytes]:
        new, receipt = self.inbox.take(key, kind, body)
        return (200 if new else 409), json.dumps({"receipt_no": receipt}).encode()


class Hit:
    """The daemon under fire, its department, and what has been done to it."""

    def __init__(self, folder: Path, url: str, options: argparse.Namespace) -> None:
        self.folder, self.options = folder / "hub", options
        self.draw, self.pause = random.Random(options.seed), threading.Event()
        self.told = {"daemon": 0, "connector": 0}
        self.server = Department(options.records)
        self.server.shown = 0
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.log = (folder / "log").open("ab")
        live = self.server.made[int(options.records * (1 - options.live))]["报警时间"][:10] if options.live else ""
        settle(self.folder, self.server.address, url, live)
        self.store = open_store(url or f"sqlite:///{self.folder / 'hub.db'}")
        self.daemon = self.start()

    @property
    def kills(self) -> int:
        return sum(self.told.values())

    def start(self) -> subprocess.Popen[bytes]:
        """The daemon, or the next one."""
        command = [sys.executable, "-m", "hub.cli", "--config", str(self.folder), "run"]
        return subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def show(self) -> None:
        """As many records as belong to the kills so far; a page more, so that there is always something on its way."""
        share = (self.kills + 1) / self.options.kills
        self.server.shown = min(self.options.records, int(self.options.records * share) + 1)

    def kill(self) -> None:
        """One more SIGKILL."""
        if self.draw.random() < 0.5:
            asked, end = self.server.asked, time.monotonic() + AT_WORK
            while self.server.asked == asked and time.monotonic() < end and self.daemon.poll() is None:
                self.pause.wait(0.005)
            self.pause.wait(self.draw.uniform(0.0, 0.4))
        else:
            self.pause.wait(self.draw.uniform(0.0, 1.2))
        running = connectors_of(self.daemon.pid) if self.draw.random() < 0.6 else []
        if running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.draw.choice(running), signal.SIGKILL)
            self.told["connector"] += 1
            return
        self.daemon.kill()
        self.daemon.wait()
        self.told["daemon"] += 1
        self.daemon = self.start()

    def found(self) -> Found:
        """The archive now."""
        with self.store.read() as sql:
            row = sql.one(COUNTS)
        assert row is not None
        return Found(zip(Found.NAMES, map(int, row), strict=True))

    def caught_up(self) -> Found:
        """The archive once everything shown has arrived and is told, or when patience ends."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = self.found()
            if found["records"] >= self.server.shown and not found["pending"] and not found["unsent"]:
                break
            self.pause.wait(0.5)
        return found

    def wrong(self, found: Found) -> list[str]:
        """What should not be; empty: nothing lost, nothing twice."""
        lost, doubled = self.server.shown - found["records"], found["versions"] - found["records"]
        inbox = self.server.inbox
        counts = {
            "lost": lost, "doubled": doubled, "pending": found["pending"], "quarantined": found["quarantined"],
            "owed twice": found["owed_twice"], "messages not sent": found["unsent"],
            "messages lost": self.untold(), "messages changed": len(inbox.changed),
        }  # fmt: skip
        return [f"{name} {count}" for name, count in counts.items() if count]

    def untold(self) -> int:
        """Messages that nobody received; what was withdrawn before it was sent is no message."""
        with self.store.read() as sql:
            rows = sql.rows("SELECT no FROM parcel WHERE state <> 'withdrawn'")
        return len({no for (no,) in rows} - self.server.inbox.raw.keys())

    def tell(self, found: Found, wrong: list[str], what: str) -> None:
        """One line, and the state file."""
        line = (
            f"{what}: {self.told['daemon']} kills of the daemon, {self.told['connector']} of connectors, "
            f"{found['records']} records, {found['messages']} messages ({self.server.inbox.repeats} came again): "
            + (", ".join(wrong) or "lost 0, doubled 0")
        )
        print(time.strftime("%H:%M:%S"), line, flush=True)
        if self.options.state:
            state = {"what": what, **self.told, "shown": self.server.shown, **found, "wrong": wrong}
            self.options.state.write_text(json.dumps(state), encoding="utf-8")

    def end(self) -> int:
        """Stop the daemon; its exit code."""
        self.daemon.terminate()
        try:
            return self.daemon.wait(60)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            return -signal.SIGKILL


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


def settle(folder: Path, address: str, url: str, live: str) -> None:
    """Polled every 200 ms, retried at once, a port of the system's own; every unit takes its messages at the server."""
    configure(folder, address, url, not live)
    main = tomlkit.parse((folder / "hub.toml").read_text(encoding="utf-8"))
    values: dict[str, Any] = {"http": {"listen": "127.0.0.1:0"}, "retry": {"base": "100ms", "max": "500ms"}}
    for table, settings in values.items():
        main.setdefault(table, tomlkit.table()).update(settings)
    (folder / "hub.toml").write_text(tomlkit.dumps(main), encoding="utf-8")
    inbox = address.rpartition("/api/")[0] + "/inbox"
    police = tomlkit.parse((folder / "connectors.d" / "police.toml").read_text(encoding="utf-8"))
    stream = police["streams"]["incident"]
    stream |= {"schedule": {"every": "200ms"}, "cursor": {"field": "更新时间", "param": "since"}}
    if live:
        stream["live_from"] = live
    for unit in manifests() if live else ("police",):
        names = ["incident"] if unit == "police" else []
        connector(folder, unit, lambda name: stream, names, lambda kind: {"url": f"{inbox}/{kind}"})


@contextlib.contextmanager
def ending() -> Iterator[threading.Event]:
    """Set by SIGINT or SIGTERM."""
    asked = threading.Event()
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    yield asked
    for number, handler in before.items():
        signal.signal(number, handler)


def fire(hit: Hit, asked: threading.Event) -> list[str]:
    """All kills, or those until somebody asks for the end; what was wrong."""
    told = time.monotonic()
    while hit.kills < hit.options.kills and not asked.is_set():
        hit.show()
        hit.kill()
        if hit.kills % CHECKED == 0:
            found = hit.caught_up()
            if wrong := hit.wrong(found):
                return wrong
            hit.tell(found, [], "proved")
        elif time.monotonic() - told > TOLD:
            told = time.monotonic()
            hit.tell(hit.found(), ["on its way"], "so far")
    return []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--live", type=float, default=0.02, help="share of the records that are live and owe messages")
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--state", type=Path, help="a file that always holds the figures so far, as JSON")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        asked = stack.enter_context(ending())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(postgres()) if options.postgres else ""
        hit = Hit(folder, url, options)
        wrong = fire(hit, asked)
        found = hit.caught_up()
        wrong = wrong or hit.wrong(found)
        code = hit.end()
        hit.tell(found, wrong, "ended early" if asked.is_set() else "whole")
        if wrong or code:
            print(f"exit of the daemon: {code}; the end of its log:\n{(folder / 'log').read_text()[-3000:]}")
        hit.store.dispose()
    sys.exit(1 if wrong or code or asked.is_set() else 0)


if __name__ == "__main__":
    main()
