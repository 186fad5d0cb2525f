"""A million random steps in the lives of households: the core's answers against a slow and obvious reference's.

``python -m benchmarks.model --steps 1000000``: after every step (a record, a correction, a retraction, a late, moved or
duplicate one, time that passes, a police answer, a review, a silent source) both are asked, and must agree on the light,
the open concerns, the whole history of the light, the reports to the police, the open duties with their due dates, and
(after every fourth step) until when nothing changes. The reference (``tests/reference``) is
written from the policy's words and imports nothing of the core. Exits 1 at the first difference, with the smallest
situation that shows it as JSON; ``--replay FILE`` asks both about it again. The lean form is in the tests.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from multiprocessing import Pool
from pathlib import Path

from rich.progress import track

from tests.reference.compare import Situation, difference, from_json, smallest, to_json
from tests.reference.steps import Life

STEPS_OF_A_LIFE = 20


def live(seed: int) -> tuple[int, str, str]:
    """One life: its steps, and the first difference with the smallest situation that shows it (or empty texts)."""
    life = Life(seed)
    for done in range(1, STEPS_OF_A_LIFE + 1):
        life.step()
        here = Situation.of(life)
        if wrong := difference(here, dates=done % 4 == 0):
            return done, f"seed {seed}, step {done}: {wrong}", to_json(smallest(here))
    return STEPS_OF_A_LIFE, "", ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--replay", type=Path, help="a situation printed before")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    asked = parser.parse_args()
    if asked.replay:
        wrong = difference(from_json(asked.replay.read_text(encoding="utf-8")))
        print(wrong or "no difference")
        return int(bool(wrong))
    lives, done, started = -(-asked.steps // STEPS_OF_A_LIFE), 0, time.monotonic()
    with Pool(asked.jobs) as pool:
        seeds = range(asked.first, asked.first + lives)
        for steps, wrong, situation in track(pool.imap_unordered(live, seeds, 20), "lives", total=lives):
            done += steps
            if wrong:
                print(f"{wrong}\n{situation}")
                return 1
    found = {"first_seed": asked.first, "lives": lives, "steps": done, "differences": 0}
    found["seconds"] = round(time.monotonic() - started)
    print(
        json.dumps(found) if asked.json else f"{done:,} steps in {lives:,} lives from seed {asked.first}: 0 differences"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
