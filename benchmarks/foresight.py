"""100,000 random histories: whatever is foreseen happens on its date when nothing else arrives, and nothing before it.

``python benchmarks/foresight.py --histories 100000``; the lean form of the same property is in
``tests/core/test_foresight.py``. Exits 1 at the first history that breaks it, with the seed that shows it again.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from datetime import timedelta

from rich.progress import track

from hub.core.assess import amended, course
from hub.core.clocks import Moment
from hub.core.foresight import END, foresee
from hub.core.records import Light, Silence, StreamKey
from tests.core.light_cases import policy
from tests.core.test_light_properties import TEMPLATES, at_day, build, case_of


def breaks(seed: int) -> tuple[str, int]:
    """What went wrong with one random history (nothing: the empty text), and how many changes were foreseen."""
    draw = random.Random(seed)
    seeds = [
        (draw.randrange(len(TEMPLATES)), draw.randrange(500), draw.randrange(41), draw.randrange(201))
        for _ in range(draw.randrange(15))
    ]
    case, day, since = amended(case_of(build(seeds))), draw.randrange(900), draw.randrange(600)
    silences = []
    if draw.random() < 0.3:
        silences = [Silence(StreamKey("police", "incident"), at_day(since), at_day(since + draw.randrange(300)))]

    def light(at: object) -> Light:
        return course(case, policy(), Moment(at, silences)).light

    at, now = at_day(day), light(at_day(day))
    changes = foresee(case, policy(), Moment(at, silences), course(case, policy(), Moment(END, silences))).changes
    for coming in changes:
        assert coming.at is not None
        before = coming.at - timedelta(microseconds=1)
        if before >= at and (light(before) != now or light(at + (before - at) / 2) != now):
            return f"changed before {coming.at}", len(changes)
        if light(coming.at) != coming.light or coming.light == now:
            return f"not {coming.light.name} at {coming.at}", len(changes)
        at, now = coming.at, coming.light
    if any(light(at + timedelta(days=days)) != now for days in (1, 90, 400, 4000)):
        return f"changed after {at} unforeseen", len(changes)
    return "", len(changes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=100_000)
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    asked = parser.parse_args()
    foreseen, started = 0, time.process_time()
    for seed in track(range(asked.first, asked.first + asked.histories), "histories"):
        wrong, found = breaks(seed)
        foreseen += found
        if wrong:
            print(f"seed {seed}: {wrong}")
            return 1
    spent = time.process_time() - started
    print(
        f"{asked.histories} histories, {foreseen} changes foreseen, all on their date; {spent:.0f} s of processor time"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
