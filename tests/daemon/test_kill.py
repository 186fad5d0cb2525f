"""SIGKILL at random moments of the demo: nothing is lost and nothing happens twice."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from hub.demo.district import SimulatedDistrict
from hub.demo.verdict import failures, outcome
from tests.children import connectors_of
from tests.local_peer import until

KILLS = 50
PUBLISH_AT = {0: 0, 8: 1, 20: 2, 32: 3}  # kill number → wave that is shown just before it
READY = 5  # every fifth daemon is ready before its time begins: on a slow machine the others die while they start
HITS = 8  # connectors' processes that are killed at least, if need be while the last daemon catches up
PATIENCE = 480.0  # seconds after the last kill: everything on its way must have arrived by then


@pytest.mark.slow
def test_fifty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    """Fifty SIGKILLs of the daemon, and some of its connectors between them, end with exactly the lights, reports, duties and receipts of a quiet run."""
    world = SimulatedDistrict(tmp_path, speed=2.0)
    draw = random.Random(50)
    pause = threading.Event()
    killed = 0
    try:
        for kill in range(KILLS):
            if kill in PUBLISH_AT:
                world.publish(PUBLISH_AT[kill])
            world.daemon.start()
            if kill % READY == 0:
                world.daemon.wait_ready()
            end = time.monotonic() + draw.uniform(0.3, 2.2)
            while time.monotonic() < end:
                world.breathe()
                pause.wait(0.05)
                killed += hit_a_connector(world, draw, 0.08)
            world.daemon.kill()

        world.daemon.start()
        world.daemon.wait_ready()
        while killed < HITS:  # while it catches up, however slow the machine is
            until(lambda: connectors_of(world.daemon.process.pid))
            killed += hit_a_connector(world, draw, 1.0)
        end = time.monotonic() + PATIENCE
        wrong = ["not asked yet"]
        while wrong and time.monotonic() < end:
            world.breathe()
            pause.wait(1.0)
            seen = outcome(world)
            wrong = list(failures(world, seen, read_again=True))
    finally:
        stopped = world.daemon.stop()
        world.close()

    assert wrong == []
    assert stopped == 0


def hit_a_connector(world: SimulatedDistrict, draw: random.Random, chance: float) -> int:
    """SIGKILL one connector's process of the running daemon, perhaps; how many were hit."""
    running = connectors_of(world.daemon.process.pid)
    if not running or draw.random() >= chance:
        return 0
    with contextlib.suppress(ProcessLookupError):
        os.kill(draw.choice(running), signal.SIGKILL)
    return 1
