"""What a process of its own costs a connector, per record and in memory: ``python benchmarks/isolation.py --records 20000``.

The same invented police calls go through the whole line (fetch over HTTP, land, map, seal, place, assess, save; SQLite) with
the connector's verbs in the hub's process and behind the pipe, in turns, whoever goes first changing from pair to pair.
Processor time is of all processes together: it holds on a busy machine, wall time does not.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from line import configure, source

from hub import bootstrap
from hub.core.records import StreamKey
from hub.runtime.loading import load_connector
from hub.runtime.supervisor import ChildSpec, Supervisor
from hub.runtime.verbs import Verbs

INCIDENT = StreamKey("police", "incident")


def spent() -> float:
    """Processor seconds of this process and of those it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def run(address: str, *, piped: bool) -> tuple[float, float]:
    """(processor seconds, wall seconds) of one whole read."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "hub"
        configure(folder, address, "", True)
        before, began = spent(), time.perf_counter()
        with bootstrap.open_hub(folder) as hub:
            if not piped:
                (worker,) = hub.workers.connectors()
                worker.hands = Verbs(load_connector("police", "connectors.police"), clock=bootstrap.now)
            bootstrap.poll_once(hub, INCIDENT)
        return spent() - before, time.perf_counter() - began


def pair(address: str, *, piped_first: bool) -> tuple[tuple[float, float], tuple[float, float]]:
    """(in the hub, own process), one right after the other; whoever goes first changes from pair to pair."""
    if piped_first:
        outside = run(address, piped=True)
        return run(address, piped=False), outside
    return run(address, piped=False), run(address, piped=True)


def footprint() -> list[tuple[str, float]]:
    """Proportional memory (MB) of each connector's process once it has loaded."""
    found = []
    for name, manifest in bootstrap.manifests().items():
        one = Supervisor(ChildSpec(name=name, entry=f"connectors.{name}", unit=manifest.unit))
        began = time.perf_counter()
        one.start()
        started = time.perf_counter() - began
        lines = Path(f"/proc/{one.pid}/smaps_rollup").read_text().splitlines()
        pss = next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
        one.close()
        found.append((f"{name} ({started * 1000:.0f} ms to start)", pss))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--pairs", type=int, default=6)
    options = parser.parse_args()
    with source(options.records, False) as address:
        pairs = [pair(address, piped_first=bool(number % 2)) for number in range(options.pairs)]
    print(f"{'':16}{'in the hub':>12}{'own process':>13}{'ratio':>8}")
    for index, what in enumerate(("processor", "wall")):
        inside = statistics.median(pair[0][index] for pair in pairs) / options.records * 1e6
        outside = statistics.median(pair[1][index] for pair in pairs) / options.records * 1e6
        ratio = statistics.median(pair[1][index] / pair[0][index] for pair in pairs)
        each = " ".join(f"{pair[1][index] / pair[0][index]:.2f}" for pair in pairs)
        print(f"{what:16}{inside:9.1f} µs{outside:10.1f} µs{ratio:8.2f}   of each pair: {each}")
    for name, megabytes in footprint():
        print(f"{name:40}{megabytes:6.1f} MB")


if __name__ == "__main__":
    main()
