"""The whole line beside the plain script, as ratios: ``make bench`` or ``python benchmarks/line.py --records 20000``.

Both read the same invented police calls in Chinese columns from the same local paged HTTP server into SQLite (WAL,
synchronous FULL); ours also lands, maps, normalises, seals, indexes, looks up, places, judges, and writes the outbox.
*History* takes them as backfill (lights and the review list, nothing is sent), on SQLite and on a real PostgreSQL with
``fsync``; *live* makes duties and messages too. Peak memory is the hub's own process; the connector's and the preparing
one take 40 and 60 MB beside it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tomlkit
from postgres import postgres

HERE = Path(__file__).parent


def hub(folder: Path, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "hub.cli", "--config", str(folder), *arguments], check=True, stdout=subprocess.DEVNULL
    )


def configure(folder: Path, address: str, url: str, history: bool) -> None:
    """A folder whose police connector polls ``address``."""
    hub(folder, "init", str(folder))
    main = tomlkit.parse((folder / "hub.toml").read_text(encoding="utf-8"))
    if url:
        main["database"]["url"] = url
        (folder / "hub.toml").write_text(tomlkit.dumps(main), encoding="utf-8")
    path = folder / "connectors.d" / "police.toml"
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    document["connector"]["enabled"] = True
    stream = {
        "transport": "rest", "url": address, "schedule": {"every": "1h"},
        "page": {"size": 500, "param": "pageNo", "size_param": "size"}, "records": "data.list", "total": "data.total",
    }  # fmt: skip
    document["streams"] = {"incident": stream | ({"live_from": "2030-01-01"} if history else {})}
    path.write_text(tomlkit.dumps(document), encoding="utf-8")


def measure(address: str, url: str, history: bool) -> dict[str, Any]:
    """Seconds, steps and peak memory of one poll of everything."""
    with tempfile.TemporaryDirectory() as made:
        folder, told = Path(made) / "hub", Path(made) / "steps.json"
        configure(folder, address, url, history)
        command = [sys.executable, str(HERE / "timed.py"), str(told), "--config", str(folder)]
        started = time.perf_counter()
        subprocess.run([*command, "connectors", "poll", "police", "incident"], check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - started
        return {"seconds": seconds, **json.loads(told.read_text(encoding="utf-8"))}


@contextmanager
def source(records: int, numbered: bool) -> Iterator[str]:
    """The department's server, in a process of its own; its address."""
    command = [sys.executable, str(HERE / "source.py"), "--records", str(records)]
    with subprocess.Popen(
        command + (["--numbered"] if numbered else []), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.terminate()


def plain(address: str) -> float:
    """Records a second of the plain script."""
    with tempfile.TemporaryDirectory() as made:
        done = subprocess.run(
            [sys.executable, str(HERE / "plain.py"), address, f"{made}/plain.db"], check=True, capture_output=True
        )
    told = json.loads(done.stdout)
    return float(told["records"] / told["seconds"])


def show(name: str, records: int, base: float, found: dict[str, Any]) -> None:
    """One run: its ratio, its memory, and the share of each step of the writer's time."""
    rate = records / found["seconds"]
    print(f"{name:22}{rate:12,.0f}{rate / base:8.3f}{found['peak_mb']:9,.0f} MB", flush=True)
    whole = found["whole"]
    for step, seconds in sorted(found["steps"].items(), key=lambda item: -item[1]):
        if seconds / whole >= 0.005:
            print(f"    {step:30}{seconds / whole:6.1%}{seconds / records * 1e6:8.1f} µs a record")
    beside = ", ".join(f"{step} {seconds / records * 1e6:.1f} µs" for step, seconds in found["beside"].items())
    print(f"    beside it: {beside}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000, help="of the history; live takes a fifth of them")
    parser.add_argument("--only", choices=("history", "live", "postgres"), help="one of the three runs")
    parser.add_argument("--numbered", action="store_true", help="both parties with an ID number in every call")
    options = parser.parse_args()
    print(f"{'':22}{'records/s':>12}{'ratio':>8}{'peak':>12}")
    with source(options.records, options.numbered) as address:
        base = plain(address)
        print(f"{'plain script':22}{base:12,.0f}{1:8.2f}", flush=True)
        if options.only in (None, "history"):
            show("history, SQLite", options.records, base, measure(address, "", True))
        if options.only in (None, "postgres"):
            with postgres() as url:
                show("history, PostgreSQL", options.records, base, measure(address, url, True))
    if options.only in (None, "live"):
        few = max(1, options.records // 5)
        with source(few, options.numbered) as address:
            show("live, SQLite", few, plain(address), measure(address, "", False))


if __name__ == "__main__":
    main()
