"""The ``hub`` command with a stopwatch on each step of the line: ``python benchmarks/timed.py OUT.json ARGUMENTS…``.

Writes seconds by step. Steps of the writer's thread follow one another; what stands in *beside* runs in other processes or
threads at the same time. Functions are found by name, so a renamed one stops the benchmark rather than being left out.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = {
    "compare with what is stored": ("hub.line.intake", "compare"),
    "write records and versions": ("hub.line.intake", "save_truths"),
    "look up the neighbourhood": ("hub.line.intake", "read_hood"),
    "place": ("hub.line.intake", "place"),
    "write persons and households": ("hub.line.intake", "save_placing"),
    "write parties and indexes": ("hub.line.intake", "save_content"),
    "read cases": ("hub.line.judge", "read_cases"),
    "assess": ("hub.line.judge", "assess"),
    "assess (light alone)": ("hub.line.judge", "light_of"),
    "settle": ("hub.line.judge", "settle"),
    "outbox": ("hub.line.judge", "Outbox.save"),
    "write lights": ("hub.line.judge", "save_lights"),
}
WHOLE = ("hub.line.writer", "apply")
BESIDE = {"land": ("hub.line.fetch", "land"), "prepare (wait for it)": ("hub.line.writer", "prepare")}

taken: dict[str, float] = defaultdict(float)
_lock = threading.Lock()


def watch(step: str, module: str, name: str) -> None:
    """Put a stopwatch on one function."""
    owner: Any = importlib.import_module(module)
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    inner: Callable[..., Any] = getattr(owner, last)

    def timed(*arguments: Any, **named: Any) -> Any:
        started = time.perf_counter()
        try:
            return inner(*arguments, **named)
        finally:
            with _lock:
                taken[step] += time.perf_counter() - started

    setattr(owner, last, timed)


def main() -> None:
    out = Path(sys.argv[1])
    for step, (module, name) in {**STEPS, **BESIDE, "whole": WHOLE}.items():
        watch(step, module, name)
    from hub.cli import main as command

    sys.argv = ["hub", *sys.argv[2:]]
    try:
        command()
    finally:
        whole = taken.pop("whole", 0.0)
        beside = {step: taken.pop(step, 0.0) for step in BESIDE}
        rest = whole - sum(taken.values())
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        steps = {**taken, "commit and the rest": rest}
        out.write_text(json.dumps({"whole": whole, "steps": steps, "beside": beside, "peak_mb": own}), encoding="utf-8")


if __name__ == "__main__":
    main()
