"""Reassess everybody, and try a policy on the archive, in households a second of one core, beside SQL and a rule engine.

``python -m benchmarks.backtest --households 4000``: registered homes with five events each (calls, disturbances,
complaints, mediations, calm visits over eighteen months) go through the whole line as history. Then, processor time of one
process, the cyclic collector off as in the writer: the light of each case and its whole course by the definition of the
live line; ``hub policy backtest``'s code with a candidate (two policies, reading included); the same rules as one statement of
DuckDB SQL, and in rule-engine from PyPI (``benchmarks/rivals.py``). All four must give every household the same colour
under both policies, or it exits 1.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.progress import track

from benchmarks.rivals import ByEngine, InSql, events_of
from hub.core.assess import amended, course, light_alone
from hub.core.clocks import Moment
from hub.core.known import known
from hub.core.policy import load_policy
from hub.core.records import SHANGHAI, Case
from hub.core.rules import Policy
from hub.read.backtest import backtest
from hub.store import snapshot
from hub.store.archive import read_timelines
from hub.store.engine import SqlStore, open_store
from hub.store.schema import upgrade
from tests.line.line_kit import POLICIES, Line
from tests.reference.store_side import land, register

AS_OF = datetime(2026, 6, 1, 20, tzinfo=SHANGHAI)
SPAN = timedelta(days=540)
EVENTS = 5
CANDIDATE = b"[numbers]\noften_days = 2\ngreen_days = 180\n"


def policies() -> tuple[Policy, Policy]:
    """The one in force, and a candidate: two noisy days suffice, and green lasts half a year."""
    calendars = {int(file.stem): file.read_bytes() for file in (POLICIES / "calendar").glob("[0-9]*.toml")}
    text = (POLICIES / "district-2021-08-30.toml").read_bytes()
    return load_policy(text, None, calendars), load_policy(text, CANDIDATE, calendars)


def record(draw: random.Random, home: int, number: int, fierce: float) -> dict[str, Any]:
    """One event of a home, as a department tells it."""
    at = (AS_OF - SPAN * draw.random()).replace(second=0, microsecond=0)
    stream = draw.choices(("incident", "conflict", "complaint", "mediation", "visit"), (25, 35, 12, 18, 10))[0]
    unit, facts = {
        "incident": ("police", {
            "called_at": at, "category": "domestic_violence" if draw.random() < fierce else "family_dispute",
            "intensity": "fierce" if draw.random() < fierce else "general", "relation": "spouse",
        }),
        "conflict": ("community_grid", {"at": at, "kind": "disturbs_neighbours", "frequent": draw.random() < 0.05}),
        "complaint": ("womens_federation", {"at": at, "kind": "general_conflict"}),
        "mediation": ("justice", {
            "opened_on": at.date(), "origin": "applied", "violence": "none",
            "status": "resolved" if draw.random() < 0.7 else "failed", "closed_on": min(at.date() + timedelta(days=9), AS_OF.date()),
        }),
        "visit": ("community_grid", {"at": at, "mode": "home", "finding": "calm"}),
    }[stream]  # fmt: skip
    roles = ("alleged", "victim") if stream == "complaint" else ("party_a", "party_b")
    people = [{"role": role, "person": person} for role, person in zip(roles, (2, 1), strict=True)]
    return {
        "unit": unit, "stream": stream, "no": f"H{home}N{number}", "facts": facts, "people": people, "related": [],
        "deleted": False, "live": False, "updated": AS_OF, "at": at,
    }  # fmt: skip


def archive(store: SqlStore, homes: int, *, quiet: bool = False) -> None:
    """Registered homes and their events, through the whole line."""
    line, draw = Line(store, AS_OF), random.Random(20210830)
    for first in track(range(0, homes, 500), "archive", disable=quiet):
        some = range(first, min(first + 500, homes))
        line.land("community_grid", "household", *register(some, AS_OF - 2 * SPAN), mode="backfill")
        told = [
            (home, record(draw, home, number, 0.5 if home % 3 == 0 else 0.0))
            for home in some
            for number in range(EVENTS)
        ]
        land(line, sorted(told, key=lambda one: (one[1]["unit"], one[1]["stream"])))
        line.drain()


def read(store: SqlStore) -> list[Case]:
    """Every case, amended as the fold takes it."""
    with store.read() as sql:
        return [
            amended(case)
            for batch in snapshot.all_households(sql)
            for case in read_timelines(sql, batch).values()
            if case.events
        ]


def light(case: Case, policy: Policy) -> str:
    """As the back-test asks for it: the fold of the live line, without reasons."""
    return light_alone(case, policy, Moment(AS_OF), known(case.events)).name


def timed(work: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    """Processor seconds of the best round, and what the last one gave."""
    best, given = float("inf"), None
    gc.disable()
    for _ in range(rounds):
        begun = time.process_time()
        given = work()
        best = min(best, time.process_time() - begun)
        gc.collect()
    gc.enable()
    return best, given


def differences(store: SqlStore, cases: list[Case], told: dict[str, Any]) -> list[str]:
    """Households to which the four do not give one colour, under either policy."""
    found, rows = [], events_of(cases)
    sql, engine, moved = InSql(rows), ByEngine(rows), {row["household"]: row["light"] for row in told["changes"]}
    with store.read() as read:
        uids = {home.id: home.uid for batch in snapshot.all_households(read) for home in batch}
    for which, policy in enumerate(policies()):
        by_sql, by_engine = sql.lights(policy, AS_OF), engine.lights(policy, AS_OF)
        for case in cases:
            ours = light(case, policy)
            tried = moved.get(uids[case.household], ours) if which else ours
            if len({ours, tried, by_sql[case.household], by_engine[case.household]}) > 1:
                found.append(
                    f"household {case.household}, {('in force', 'candidate')[which]}: hub {ours}, back-test {tried},"
                    f" SQL {by_sql[case.household]}, rule engine {by_engine[case.household]}"
                )
    return found


def measured(store: SqlStore, rounds: int) -> tuple[dict[str, float], list[str], dict[str, Any]]:
    """Processor seconds of each way over all households, the differences, and what the back-test told."""
    now, candidate = policies()
    cases = read(store)
    rows = events_of(cases)
    sql, engine = InSql(rows), ByEngine(rows)
    seconds, told = {}, {}
    for name, work in {
        "read the cases": lambda: read(store),
        "light, live definition": lambda: [light(case, now) for case in cases],
        "reassess (course with reasons)": lambda: [course(case, now, Moment(AS_OF)) for case in cases],
        "back-test, two policies, reading": lambda: backtest(store, now, candidate, AS_OF),
        "DuckDB SQL, one policy": lambda: sql.lights(now, AS_OF),
        "rule-engine, one policy": lambda: engine.lights(now, AS_OF),
    }.items():
        seconds[name], given = timed(work, rounds)
        if name.startswith("back-test"):
            told = given
    return seconds, differences(store, cases, told), {**told, "cases": len(cases)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--households", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'hub.db'}")
        upgrade(store)
        archive(store, asked.households, quiet=asked.json)
        seconds, wrong, told = measured(store, asked.rounds)
        store.dispose()
    homes = told["cases"]
    if asked.json:
        print(json.dumps({"households": homes, "changed": told["changed"], "seconds": seconds, "differences": wrong}))
        return int(bool(wrong))
    print(f"{homes} households, {EVENTS} events each; the candidate changes {told['changed']}")
    slowest = seconds["rule-engine, one policy"]
    for name, spent in seconds.items():
        print(f"{name:34} {homes / spent:10,.0f} households/s of a core   {slowest / spent:7.2f} × rule-engine")
    print("\n".join(wrong[:20]) or "all four give every household the same colour under both policies")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
