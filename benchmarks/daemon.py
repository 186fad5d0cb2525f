"""The daemon itself: ``python benchmarks/daemon.py``.

*Start*: from starting the process, one connector enabled, to the first request at its department's server, and to `/readyz`
saying yes. *Idle*: what a
poll that finds nothing new costs, in processor time of the hub and of the connector's process, ten streams five times a
second against the same hub with nothing due. *New*: one new record, from the end of the department's answer to the light
and the message in the archive, seen by somebody who looks every millisecond.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import httpx
from kills import children
from latency import POLLED, World, configured, processor
from source import person

from hub.demo.configure import connector
from hub.demo.daemon import Daemon


class Town(World):
    """Departments with nothing new, but for the police when they are given a row."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, str]] = []
        self.answered = 0.0

    def news(self, unit: str) -> list[dict[str, str]]:
        return self.rows[-1:] if unit == "police" else []

    def told(self, unit: str) -> None:
        if unit == "police":
            self.answered = time.perf_counter()


def call(number: int, draw: random.Random) -> dict[str, str]:
    """A call by people nobody knows yet, with an injury: a light at once, and duties."""
    at = f"{datetime.now():%Y-%m-%d %H:%M:%S}"
    row = {
        "接警编号": f"JJ{number:06d}",
        "报警时间": at,
        "更新时间": at,
        "警情类别": "1",
        "肢体冲突": "是",
        "与对方关系": "配偶",
    }
    for prefix in ("甲方", "乙方"):
        row |= {prefix + column: value for column, value in person(draw).items()}
    return row


def until(condition: Callable[[], object], pause: float = 0.001) -> float:
    """The moment it is so; a minute is long enough."""
    end = time.perf_counter() + 60
    while not condition():
        assert time.perf_counter() < end, "it did not happen"
        time.sleep(pause)
    return time.perf_counter()


def starts(folder: Path, town: World, address: str, count: int) -> tuple[list[float], list[float], list[float]]:
    """(seconds to the first request, seconds to ready, processor seconds at the first request) of each start."""
    first, ready, spent = [], [], []
    with httpx.Client(timeout=2.0) as client:

        def is_ready() -> bool:
            try:
                return client.get(f"{address}/readyz").status_code == 200
            except httpx.HTTPError:
                return False

        for _ in range(count):
            daemon, seen, began = Daemon(folder, address), town.polls, time.perf_counter()
            daemon.start()
            first.append(until(lambda seen=seen: town.polls > seen) - began)
            assert daemon.process is not None
            spent.append(processor(daemon.process.pid))
            ready.append(until(is_ready, 0.005) - began)
            daemon.kill()
    return first, ready, spent


def idle(folder: Path, town: World, address: str, seconds: float) -> tuple[float, float, int]:
    """(processor seconds of the hub, of its connectors, polls) of some quiet seconds."""
    daemon = Daemon(folder, address)
    daemon.start()
    daemon.wait_ready()
    time.sleep(3.0)
    assert daemon.process is not None
    hub, below, polls = processor(daemon.process.pid), connectors(daemon.process.pid), town.polls
    time.sleep(seconds)
    found = processor(daemon.process.pid) - hub, connectors(daemon.process.pid) - below, town.polls - polls
    daemon.stop()
    return found


def connectors(pid: int) -> float:
    """Processor seconds of the processes below one."""
    return sum(processor(one) for one in children(pid))


def news(folder: Path, town: Town, address: str, count: int) -> list[float]:
    """Seconds from an answer with one new record to its light and its message, for each of them."""
    daemon, draw, found = Daemon(folder, address), random.Random(7), []
    daemon.start()
    daemon.wait_ready()
    with sqlite3.connect(f"file:{folder / 'hub.db'}?mode=ro", uri=True, timeout=10) as archive:

        def arrived(number: int) -> bool:
            lights, messages = archive.execute(
                "SELECT (SELECT COUNT(*) FROM light_change), (SELECT COUNT(DISTINCT owed_id) FROM parcel)"
            ).fetchone()
            return bool(lights >= number and messages >= number)

        for number in range(1, count + 1):
            town.answered = 0.0
            town.rows.append(call(number, draw))
            until(lambda: town.answered)
            found.append(max(0.0, until(lambda number=number: arrived(number)) - town.answered))
            time.sleep(0.3)  # its messages have gone out
    daemon.stop()
    return found


def every(folder: Path, town: World, period: str, units: tuple[str, ...]) -> None:
    """How often which departments are polled."""
    for unit in units:
        stream = {
            "transport": "rest", "url": f"{town.address}/api/{unit}", "records": "data.list", "total": "data.total",
            "schedule": {"every": period},
        }  # fmt: skip
        name = "incident" if unit == "police" else POLLED[unit]
        connector(folder, unit, lambda _: stream, [name], lambda kind: {"url": f"{town.address}/inbox/{kind}"})  # noqa: B023 — called at once


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each quiet stretch")
    parser.add_argument("--news", type=int, default=40)
    options = parser.parse_args()
    town, units = Town(), tuple(POLLED)
    threading.Thread(target=town.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as made:
        alone, folder = Path(made) / "alone", Path(made) / "hub"
        address, _ = configured(alone, town.address, ("police",))
        first, ready, spent = starts(alone, town, address, options.starts)
        print(f"start to first poll      {told(first)}   processor time until then {statistics.median(spent):.2f} s")
        print(f"start to ready           {told(ready)}")
        address, _ = configured(folder, town.address)
        every(folder, town, "200ms", units)
        busy = idle(folder, town, address, options.seconds)
        every(folder, town, "1h", units)
        quiet = idle(folder, town, address, options.seconds)
        hub, below = ((busy[n] - quiet[n]) / max(1, busy[2]) * 1000 for n in (0, 1))
        print(f"an idle poll             {hub:.2f} ms of the hub, {below:.2f} ms of the connector ({busy[2]} polls)")
        print(f"a hub with nothing due   {quiet[0] / options.seconds:.1%} of a core")
        every(folder, town, "50ms", ("police",))
        seen = sorted(news(folder, town, address, options.news))
        print(
            f"a new record             {told(seen, 1000)} ms from answer to light and message ({os.cpu_count()} cores)"
        )


def told(values: list[float], factor: float = 1.0) -> str:
    """Median and worst."""
    found = sorted(value * factor for value in values)
    return f"p50 {statistics.median(found):.3g}, p99 {found[int(len(found) * 0.99)]:.3g}"


if __name__ == "__main__":
    main()
