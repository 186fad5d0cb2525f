"""The whole line beside the plain script, as a ratio: ``make bench`` or ``python benchmarks/line.py --records 20000``.

Both read the same invented police calls in Chinese columns from the same local paged HTTP server into SQLite (WAL,
synchronous FULL); ours also lands, maps, normalises, seals, indexes, places, assesses, owes, and writes the outbox.
``--history`` takes the calls as backfill (lights, but neither duties nor messages). PostgreSQL: ``--url postgresql+psycopg://…``.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import tomlkit
from source import serve

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--history", action="store_true", help="as backfill: neither duties nor messages")
    parser.add_argument("--url", default="", help="database URL; empty: SQLite in a temporary folder")
    options = parser.parse_args()
    server = serve(options.records)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/api/incidents"
    with tempfile.TemporaryDirectory() as made:
        plain = subprocess.run(
            [sys.executable, str(HERE / "plain.py"), address, f"{made}/plain.db"], check=True, capture_output=True
        )
        base = json.loads(plain.stdout)
        folder = Path(made) / "hub"
        configure(folder, address, options.url, options.history)
        started = time.perf_counter()
        hub(folder, "connectors", "poll", "police", "incident")
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    ours, theirs = options.records / seconds, base["records"] / base["seconds"]
    print(f"{'':14}{'records/s':>12}{'ratio':>8}")
    print(f"{'plain script':14}{theirs:12,.0f}{1:8.2f}")
    print(f"{'whole line':14}{ours:12,.0f}{ours / theirs:8.3f}   peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
