"""Judging a case beside plain hand-written rules, as a ratio: ``python benchmarks/assess.py``.

*Rules* (H) is what somebody would write by hand for the same light: one loop over the events, no reasons, no law, no
way down, nothing owed. Ours folds the timeline with reasons and proofs (*course*), adds everything owed (*assess*), and
compares it with what stands, which is nothing (*settle*). User CPU time of one process; the best of several rounds.
"""

from __future__ import annotations

import argparse
import gc
import random
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from hub.core.assess import assess, course
from hub.core.clocks import Moment
from hub.core.policy import Policy, load_policy
from hub.core.records import SHANGHAI, Case, Event, Fact, Key, Light, Owed, Party
from hub.core.settle import Act, settle

POLICIES = Path(__file__).parents[1] / "hub" / "policies"
START = datetime(2026, 1, 1, tzinfo=SHANGHAI)
AS_OF = datetime(2026, 6, 1, tzinfo=SHANGHAI)
OTHERS: tuple[tuple[str, str, str, dict[str, Fact]], ...] = (
    ("community_grid", "visit", "visit_recorded", {"mode": "home", "finding": "calm"}),
    ("community_grid", "conflict", "conflict_found", {"kind": "disturbs_neighbours"}),
    ("police", "admonition", "admonition_issued", {"violence": "general"}),
    ("justice", "mediation", "mediation", {"origin": "applied", "violence": "none", "status": "failed"}),
    ("womens_federation", "visit", "visit_recorded", {"mode": "phone", "finding": "tension"}),
    ("womens_federation", "complaint", "complaint_received", {"kind": "general_conflict"}),
    ("court", "protection_order", "protection_order", {"result": "issued", "decided_on": date(2026, 2, 1)}),
)


def policy() -> Policy:
    calendars = {int(file.stem): file.read_bytes() for file in (POLICIES / "calendar").glob("*.toml")}
    return load_policy((POLICIES / "district-2021-08-30.toml").read_bytes(), None, calendars)


def call(draw: random.Random, number: int, at: datetime, live: bool) -> Event:
    """A call as ``benchmarks/source.py`` makes them, after ``normalise`` and ``place``."""
    facts: dict[str, Fact] = {
        "called_at": at,
        "category": draw.choice(("family_dispute", "family_dispute", "family_dispute", "domestic_violence")),
        "intensity": draw.choice(("general", "general", "fierce", None)),
        "physical_conflict": draw.choice((True, False, False, None)),
        "injury": draw.choice(("none", "none", "slight", None)),
        "relation": "spouse",
        "community": "310101001001",
    }
    facts = {name: value for name, value in facts.items() if value is not None}
    parties = (Party("party_a", 1, date(1987, 7, 9)), Party("party_b", 2, date(1985, 3, 2)))
    key = Key("police", "incident", f"JJ{number:09d}")
    return Event(key, 1, "police_call", at, facts, parties, (), live, at, at + timedelta(minutes=3))


def other(number: int, at: datetime, live: bool) -> Event:
    unit, stream, kind, facts = OTHERS[number % len(OTHERS)]
    parties = (Party("party_a", 1, date(1987, 7, 9)), Party("party_b", 2, date(1985, 3, 2)))
    known = {**facts, "at": at, "issued_on": at, "opened_on": at, "applied_on": at}
    return Event(Key(unit, stream, f"X{number}"), 1, kind, at, known, parties, (), live, at, at)


def cases(calls: int, others: int, *, live: bool, fresh: bool, count: int) -> list[Case]:
    """``count`` households; ``fresh``: within the last days, else spread over five months."""
    draw = random.Random(20210830)
    span = timedelta(days=3 if fresh else 150)
    found = []
    for household in range(count):
        times = sorted(AS_OF - span * draw.random() for _ in range(calls + others))
        events = [
            call(draw, household * 100 + n, at, live) if n % (calls + others) < calls else other(n, at, live)
            for n, at in enumerate(times)
        ]
        found.append(Case(household, "310101001001", (), tuple(sorted(events, key=lambda e: (e.at, e.key)))))
    return found


def by_hand(case: Case) -> Light:
    """H: the light of the same records in plain code, as a first draft would read."""
    light = Light.unlit
    fierce = 0
    noisy: list[date] = []
    for event in case.events:
        facts, kind = event.facts, event.kind
        family = facts.get("category") in ("family_dispute", "domestic_violence") or facts.get("relation") == "spouse"
        hurt = facts.get("injury") not in (None, "none")
        if kind == "police_call" and family:
            rough = facts.get("intensity") == "fierce" or facts.get("physical_conflict") is True
            if rough or facts.get("excessive_act") is True or facts.get("weapon") is True or hurt:
                light, fierce = Light.red, fierce + 1
            else:
                light = max(light, Light.orange)
        elif kind == "admonition_issued":
            light = max(light, Light.orange if facts.get("violence") == "general" and not fierce else Light.red)
        elif kind in ("security_penalty", "procuratorial_notice", "criminal_case_filed") or (
            kind == "protection_order" and facts.get("result") == "issued"
        ):
            light = Light.red
        elif kind == "conflict_found":
            noisy.append(event.at.date())
            near = {day for day in noisy if (event.at.date() - day).days <= 90}
            light = max(light, Light.orange if len(near) >= 3 else Light.yellow)
        elif kind == "mediation" and facts.get("origin") == "transferred":
            light = max(light, Light.red if facts.get("violence") in ("serious", None) else Light.orange)
        elif kind == "mediation" and facts.get("status") == "resolved" and not fierce:
            light = Light.green
        elif kind in ("complaint_received", "mediation"):
            light = max(light, Light.yellow)
        elif kind == "visit_recorded" and facts.get("finding") == "violence":
            light = max(light, Light.orange)
    return light


def per_case(work: Callable[[Case], object], found: list[Case], rounds: int) -> float:
    """Microseconds of CPU a case: the best round, without the cyclic collector, as in the writer (hub/line/writer.py)."""
    best = float("inf")
    gc.disable()
    for _ in range(rounds):
        begun = time.process_time()
        for case in found:
            work(case)
        best = min(best, time.process_time() - begun)
        gc.collect()
    return best / len(found) * 1e6


def fresh(owed: Mapping[int, tuple[Owed, ...]], case: Case) -> list[Act]:
    """Settle against nothing that stands."""
    return settle((), owed[case.household])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="households of each kind")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rules, moment = policy(), Moment(AS_OF)
    shapes = [
        (f"{calls} call{'s' * (calls > 1)}, {'days' if fresh else 'months'} old, {'live' if live else 'history'}",
         cases(calls, 0, live=live, fresh=fresh, count=options.count))
        for calls in (1, 2, 3)
        for live, fresh in ((False, False), (True, True))
    ]  # fmt: skip
    shapes.append(("8 events of several kinds", cases(3, 5, live=True, fresh=False, count=options.count)))
    shapes.append(("60 events of several kinds", cases(20, 40, live=True, fresh=False, count=options.count // 10 + 1)))
    print(f"{'':32} {'H':>7} {'course':>9} {'assess':>9} {'settle':>9}   µs a case; × H: course, assess + settle")
    for name, found in shapes:
        hand = per_case(by_hand, found, options.rounds)
        went = per_case(lambda case: course(case, rules, moment.fresh()), found, options.rounds)
        judged = per_case(lambda case: assess(case, rules, moment.fresh()), found, options.rounds)
        owed = {case.household: assess(case, rules, moment.fresh()).owed for case in found}
        settled = per_case(partial(fresh, owed), found, options.rounds)
        ratio = f"{hand / went:.3f} {hand / (judged + settled):.3f}"
        things = sum(map(len, owed.values())) / len(owed)
        print(f"{name:32} {hand:7.1f} {went:9.1f} {judged:9.1f} {settled:9.1f}   {ratio}   {things:.1f} owed")


if __name__ == "__main__":
    main()
