"""``hub demo``: the whole main job on a simulated district, played, watched and judged."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from hub.demo.district import SimulatedDistrict
from hub.demo.verdict import Outcome, failures, later_lights, outcome, unexplained
from hub.demo.view import View

WAVES = (
    (0, "the grid's register and old visits come in"),
    (1, "calls, letters, orders, complaints: the first events"),
    (2, "schools, hospitals and the youth league report; mediations end"),
    (3, "corrections, retractions, repeats and late records"),
)
PACE = 6.0
"""Seconds a wave is given at speed 1: enough for every stream to be polled several times at 500 ms."""
SETTLE = 75.0
"""Seconds the end is waited for: receipts, decisions and answers travel by polling and files."""


def main(keep: Path | None = None, speed: float = 1.0, once: bool = False) -> int:
    """Plays the story; the exit code: 0 if everything came out (or, without ``once``, when stopped), else 1."""
    console = Console()
    folder = keep or Path(tempfile.mkdtemp(prefix="hub-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    console.print(f"A simulated district in {folder}: {speed:g} × speed", highlight=False)
    world = SimulatedDistrict(folder, speed)
    try:
        return _play(world, console, speed, once)
    finally:
        world.daemon.stop()
        world.close()
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _play(world: SimulatedDistrict, console: Console, speed: float, once: bool) -> int:
    started = time.monotonic()
    world.daemon.start()
    world.daemon.wait_ready()
    with View(world.address, world.tokens["coordinator"], console) as view:
        for wave, title in WAVES:
            shown = world.publish(wave)
            view.say(f"{title} ({len(shown)} records)")
            _watch(world, view, PACE / speed)
        view.say("receipts, decisions and answers travel")
        seen, wrong = _until_right(world, view)
    wrong += [*later_lights(world, seen), *unexplained(world, seen)]
    _summary(world, console, seen, wrong, time.monotonic() - started)
    if once:
        stopped = world.daemon.stop()
        if stopped != 0:
            console.print(f"[red]the daemon exited {stopped} after SIGTERM")
        return 1 if wrong or stopped else 0
    console.print(f"The daemon stays up at {world.address} (Ctrl-C ends the demo).", highlight=False)
    try:
        while True:
            world.breathe()
            time.sleep(0.5)
    except KeyboardInterrupt:
        return 1 if wrong else 0


def _watch(world: SimulatedDistrict, view: View, seconds: float) -> None:
    """Lets the district live for some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        world.breathe()
        view.look()
        time.sleep(0.25)


def _until_right(world: SimulatedDistrict, view: View) -> tuple[Outcome, list[str]]:
    """Asks again until everything is as the story demands, or the time is up."""
    end = time.monotonic() + SETTLE
    while True:
        _watch(world, view, 2.0)
        seen = outcome(world)
        wrong = list(failures(world, seen))
        if not wrong or time.monotonic() > end:
            return seen, wrong


def _summary(world: SimulatedDistrict, console: Console, seen: Outcome, wrong: list[str], seconds: float) -> None:
    counts = seen.status["counts"]
    table = Table(title="What came out", show_header=False)
    lights: dict[str, int] = {}
    for home in seen.households:
        lights[home["light"]] = lights.get(home["light"], 0) + 1
    for name, value in (
        ("households", len(seen.households)),
        ("lights", ", ".join(f"{light} {count}" for light, count in sorted(lights.items()))),
        ("records", ", ".join(f"{fate} {count}" for fate, count in counts.items())),
        ("mandatory reports", ", ".join(sorted(f"{r['rule']} {r['step']}" for r in seen.reports))),
        ("duties", f"{len(seen.duties)}, open {sum(d['state'] == 'open' for d in seen.duties)}"),
        ("time", f"{seconds:.0f} s"),
    ):
        table.add_row(name, str(value))
    console.print(table)
    for sentence in wrong:
        console.print(f"[red]✗[/red] {sentence}", highlight=False)
    if not wrong:
        console.print("[green]✓[/green] every expected light, report, duty and quarantined record came out")
