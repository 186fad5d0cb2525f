"""How late others are polled beside a connector that misbehaves: ``python benchmarks/drift.py --seconds 20``.

Nine departments' real HTTP servers are polled each second by a real daemon, each with a new record every time. Beside them
runs a tenth connector, an outside package made for this, that hangs, burns its processor, hoards memory, ends its process
at every call, or floods the hub with 100,000 rows. Measured is, for every second of every department, how late its poll
arrives; the run before each has no tenth connector. Exits 1 when anybody's poll is a second late or more.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import tomlkit
from latency import POLLED, World, configured

from hub.demo.daemon import Daemon

MISDEEDS = ("hang", "burn", "hoard", "exit", "flood")
PACKAGE = {
    "noisy/__init__.py": """
        from hub.sdk import hookimpl

        @hookimpl
        def hub_register_connectors(register):
            from noisy.mapping import CONNECTOR
            register(CONNECTOR)
        """,
    "noisy/manifest.toml": """
        name = "noisy"
        unit = "noisy"
        stands_for = "health"
        title = "喧闹"
        owner = "虚构科室"
        api = ">=1,<2"
        [config.misdeed]
        title = "行为"
        kind = "text"
        [streams.conflict]
        title = "矛盾纠纷"
        kind = "conflict_found"
        freshness = "1d"
        legal_basis = "反家庭暴力法第13条"
        data_classes = ["identity", "contact", "family"]
        """,
    "noisy/mapping.py": """
        import os, time
        from pathlib import Path
        from hub.sdk import COMMON, Connector, Field, Stream, person_block, read_manifest

        CONFLICT = Stream("conflict", "矛盾纠纷", "conflict_found", ("conflict_no",), (
            Field("conflict_no", "编号", "key"), Field("at", "时间", "fact:at"), Field("kind", "类型", "fact:kind"),
            *person_block("party_a", "甲方", "party_a"), *COMMON,
        ))

        def row(n):
            at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(1764000000 + n))
            return {"编号": f"C{n:06d}", "时间": at, "更新时间": at, "类型": "一般矛盾", "甲方姓名": f"甲{n}"}

        def fetch(stream, cursor, context):
            misdeed, hoard = context.config["misdeed"], []
            while misdeed == "hang":
                time.sleep(60)
            while misdeed == "burn":
                pass
            while misdeed == "hoard":
                hoard.append(bytearray(os.urandom(1 << 20)))
            if misdeed == "exit":
                os._exit(9)
            for first in range(0, 100_000, 500):
                yield [row(n) for n in range(first, first + 500)], row(first + 499)["更新时间"]

        CONNECTOR = Connector(
            name="noisy", unit="noisy", streams={"conflict": CONFLICT}, fetch=fetch,
            manifest=read_manifest(Path(__file__).with_name("manifest.toml")),
        )
        """,
    "noisy-1.dist-info/METADATA": """
        Metadata-Version: 2.1
        Name: noisy
        Version: 1
        """,
    "noisy-1.dist-info/entry_points.txt": """
        [hub.connectors]
        noisy = noisy
        """,
}


def install(site: Path) -> None:
    """The tenth connector as an installed package, found by every process that is started from now on."""
    for name, text in PACKAGE.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
    os.environ["PYTHONPATH"] = str(site)


def settle(folder: Path, world: World, misdeed: str) -> str:
    """A folder with nine departments, and the tenth as it misbehaves (or not at all); the hub's address."""
    address, _ = configured(folder, world.address, sorted(POLLED.keys() - {"health"}))
    if misdeed:
        path = folder / "connectors.d" / "noisy.toml"
        document = tomlkit.parse(path.read_text(encoding="utf-8"))
        document["connector"]["enabled"] = True
        document["config"] = {"misdeed": misdeed}
        document["streams"] = {"conflict": {"transport": "rest", "url": world.address, "schedule": {"every": "1s"}}}
        path.write_text(tomlkit.dumps(document), encoding="utf-8")
    return address


def lags(arrivals: list[float], begin: float, end: float) -> list[float]:
    """For each second between ``begin`` and ``end``: how long after it the first poll came."""
    found, at = [], 0
    for second in range(int(begin) + 1, int(end)):
        while at < len(arrivals) and arrivals[at] < second:
            at += 1
        found.append((arrivals[at] if at < len(arrivals) else end) - second)
    return found


def measure(misdeed: str, seconds: float) -> tuple[list[float], str]:
    """(lags of every second of every department, how the daemon ended)."""
    world = World()
    threading.Thread(target=world.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "hub"
        daemon = Daemon(folder, settle(folder, world, misdeed))
        daemon.start()
        daemon.wait_ready()
        time.sleep(3.0)  # every department has been asked, the tenth is at it
        begin = time.time()
        time.sleep(seconds)
        end = time.time()
        code = daemon.stop()
    world.shutdown()
    world.server_close()
    return [lag for arrivals in world.arrivals.values() for lag in lags(arrivals, begin, end)], f"exit {code}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each run")
    parser.add_argument("--only", choices=MISDEEDS)
    options = parser.parse_args()
    worst = 0.0
    with tempfile.TemporaryDirectory() as site:
        install(Path(site))
        print(f"{'lag of a poll, ms':22}{'polls':>7}{'p50':>7}{'p99':>7}{'max':>7}   the same without it")
        for misdeed in (options.only,) if options.only else MISDEEDS:
            calm, _ = measure("", options.seconds)
            found, code = measure(misdeed, options.seconds)
            worst = max(worst, *found)
            told = "".join(f"{value * 1000:7.0f}" for value in spread(found))
            beside = "".join(f"{value * 1000:7.0f}" for value in spread(calm))
            print(f"{misdeed:22}{len(found):7}{told}   {beside}   {code}", flush=True)
    sys.exit(0 if worst < 1.0 else 1)


def spread(values: list[float]) -> tuple[float, float, float]:
    """p50, p99, max."""
    found = sorted(values)
    return statistics.median(found), found[min(len(found) - 1, int(len(found) * 0.99))], found[-1]


if __name__ == "__main__":
    main()
