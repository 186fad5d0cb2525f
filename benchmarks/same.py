"""The same answers, compiled or not: ``python benchmarks/same.py --cases 2000`` prints one digest of everything that random
cases are judged to be and to owe; ``--like LINE`` exits 1 if that is not the line. ``make test-compiled`` runs it in both.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys

from assess import AS_OF, cases, policy

from hub.core import fold
from hub.core.assess import assess, light_of
from hub.core.clocks import Moment
from hub.core.records import Case, Silence, StreamKey
from hub.core.settle import settle
from tests.core.test_light_properties import TEMPLATES, at_day, build, case_of


def drawn(draw: random.Random) -> Case:
    """A household with up to fourteen records of every kind, days apart or in one instant."""
    seeds = [
        (draw.randrange(len(TEMPLATES)), draw.randrange(500), draw.randrange(41), draw.randrange(201))
        for _ in range(draw.randrange(15))
    ]
    return case_of(build(seeds))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--like", help="what the other environment printed")
    parser.add_argument("--form", choices=("plain", "compiled"), help="exit 2 if the core is not of this form")
    asked = parser.parse_args()
    if asked.form not in (None, "plain" if fold.__file__.endswith(".py") else "compiled"):
        parser.error(f"the core that is imported is not {asked.form}: {fold.__file__}")
    draw, rules, digest = random.Random(20210830), policy(), hashlib.sha256()
    found = [drawn(draw) for _ in range(asked.cases)]
    found += cases(4, 6, live=True, fresh=False, count=asked.cases // 20)
    for case in found:
        since = draw.randrange(600)
        silences = [Silence(StreamKey("police", "incident"), at_day(since), at_day(since + draw.randrange(300)))]
        moment = Moment(draw.choice((AS_OF, at_day(draw.randrange(900)))), silences if draw.random() < 0.3 else ())
        judged = assess(case, rules, moment)
        digest.update(told(judged).encode())
        digest.update(told(light_of(case, rules, moment.fresh())).encode())
        digest.update(told(settle((), judged.owed)).encode())
    line = f"{len(found)} cases: {digest.hexdigest()}"
    print(line)
    return int(asked.like not in (None, line))


def told(value: object) -> str:
    """Every field of an answer as text; what has no order is put in one."""
    if isinstance(value, dict):
        return f"{{{', '.join(sorted(f'{key!r}: {told(part)}' for key, part in value.items()))}}}"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(told, value)))}}}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}({', '.join(map(told, value))})"
    return repr(value)


if __name__ == "__main__":
    sys.exit(main())
