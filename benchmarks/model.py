"""A million random steps in the lives of households: the core's answers against a slow and obvious reference's.

``python -m benchmarks.model --steps 1000000``: after every step (a record, a correction, a retraction, a late, moved or
duplicate one, time that passes, a police answer, a review, a silent source) both are asked, and must agree on the light,
the open concerns, the whole history of the light, the reports to the police, the open duties with their due dates, and
(after every fourth step) until when nothing changes. The reference (``tests/reference``) is
written from the policy's words and imports nothing of the core. ``--identity``: small districts on the real line instead, in
which reviewers merge, split, accept, refuse and take back while families object. Exits 1 at the first difference, with the smallest
situation that shows it as JSON; ``--replay FILE`` asks both about it again. The lean form is in the tests.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from datetime import datetime
from multiprocessing import Pool
from pathlib import Path

from rich.progress import track

from hub.core.records import SHANGHAI
from hub.store.engine import open_store
from hub.store.schema import upgrade
from tests.line.line_kit import Line
from tests.reference.compare import Situation, difference, from_json, smallest, to_json
from tests.reference.reviewers import rounds
from tests.reference.steps import Life

STEPS_OF_A_LIFE = 20
ROUNDS_OF_A_DISTRICT, STEPS_OF_A_DISTRICT = 20, 175  # about as many records and rulings
BEGIN = datetime(2025, 6, 2, 10, tzinfo=SHANGHAI)


def live(seed: int) -> tuple[int, str, str]:
    """One life: its steps, and the first difference with the smallest situation that shows it (or empty texts)."""
    life = Life(seed)
    for done in range(1, STEPS_OF_A_LIFE + 1):
        life.step()
        here = Situation.of(life)
        if wrong := difference(here, dates=done % 4 == 0):
            return done, f"seed {seed}, step {done}: {wrong}", to_json(smallest(here))
    return STEPS_OF_A_LIFE, "", ""


def district(seed: int) -> tuple[int, str, str]:
    """One district on the real line: records and rulings, and what first differs with all that was ruled before."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/hub.db")
        upgrade(store)
        done = 0
        for steps, different in rounds(Line(store, BEGIN), seed, ROUNDS_OF_A_DISTRICT):
            done += steps
            if different:
                return done, f"district {seed}, step {done}: {different[-1]}", "\n".join(different)
        store.dispose()
    return done, "", ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--identity", action="store_true", help="districts with reviewers, on the real line")
    parser.add_argument("--replay", type=Path, help="a situation printed before")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    asked = parser.parse_args()
    if asked.replay:
        wrong = difference(from_json(asked.replay.read_text(encoding="utf-8")))
        print(wrong or "no difference")
        return int(bool(wrong))
    one, each = (district, STEPS_OF_A_DISTRICT) if asked.identity else (live, STEPS_OF_A_LIFE)
    lives, done, started = -(-asked.steps // each), 0, time.monotonic()
    with Pool(asked.jobs) as pool:
        seeds = range(asked.first, asked.first + lives)
        for steps, wrong, situation in track(
            pool.imap_unordered(one, seeds, 4 if asked.identity else 20), "lives", total=lives
        ):
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
