"""A year of a simulated district, compressed: every day its records, its due dates, its units that act, or do not.

``python -m benchmarks.year --households 20000``: registered homes, some with trouble; each day the records of all units
arrive (one in five late, some corrected, retracted or sent twice), the clock moves, whatever is due is judged, and the
units answer the duties and reports they got: most in time, some late, some never. At the end: every ``valid_until`` was
acted on on its day, every overdue duty was escalated, no unanswered report is missing on the late page, the accounting
identity holds, and the light of every home (each so many, with ``--every``) is the reference's (``tests/reference``).
Exits 1 and says what if not. The lean form is ``tests/line/test_year.py``.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.progress import Progress

from hub.core.records import SHANGHAI
from hub.read.reports import reports
from hub.store import pages
from hub.store.engine import SqlStore, open_store
from hub.store.schema import upgrade
from hub.store.times import from_us, to_us
from tests.line.line_kit import VAULT, Line
from tests.reference.incidents import reported
from tests.reference.lights import lights as walk
from tests.reference.makers import STREAMS
from tests.reference.opens import is_ours
from tests.reference.people import Row
from tests.reference.store_side import Resident, land, lights, register

FIRST = datetime(2026, 1, 1, 20, tzinfo=SHANGHAI)
OFTEN = {
    "incident": 12, "conflict": 14, "complaint": 6, "mediation": 5, "treatment": 3, "concern": 2, "protection_order": 1,
    "divorce_registration": 2, "divorce_suit": 1, "admonition": 1, "danger_scale": 1, "penalty": 0.5, "notice": 0.3,
    "shelter": 0.3, "criminal_case": 0.2, "action": 0.2, "forensic": 0.5, "legal_aid": 0.5,
}  # fmt: skip
"""How often each stream brings a record that no duty asked for."""
TROUBLED, RECORDS_EACH = 0.4, 2.5
"""The share of homes of which anything is heard in a year, and how many records on average."""
VISITED_BY = {"D6": "check_visit", "D7": "check_visit"}


class Year:
    """The district, its calendar of what is to happen, and the store."""

    def __init__(self, store: SqlStore, homes: int, seed: int) -> None:
        self.draw = random.Random(seed)
        self.line = Line(store, FIRST)
        self.lives = [Resident(home, FIRST) for home in range(homes)]
        self.plan: list[tuple[int, int, str, Any]] = []  # (day, order, what, details)
        self.seen_owed = self.count = self.acted = self.overdue = self.unanswered = 0
        self.wrong: list[str] = []
        weights = [OFTEN.get(stream, 0.0) for _, stream, *_ in STREAMS]
        for life in self.lives:
            life.weights = weights
            if self.draw.random() < TROUBLED:
                for _ in range(max(1, round(self.draw.expovariate(1 / RECORDS_EACH)))):
                    self.will(self.draw.randrange(365), "record", life.home)

    def will(self, day: int, what: str, details: Any) -> None:
        self.count += 1
        heapq.heappush(self.plan, (day, self.count, what, details))

    def begin(self) -> None:
        rows = register((life.home for life in self.lives), FIRST)
        for at in range(0, len(rows), 3000):
            self.line.land("community_grid", "household", *rows[at : at + 3000], mode="backfill")
        self.line.drain()

    def live(self, day: int) -> None:
        """One day: time passes, what is due is judged; records arrive; new duties and reports are planned for."""
        self.line.now = FIRST + timedelta(days=day)
        now = to_us(self.line.now)
        due = [home for (home,) in self.line.rows("SELECT id FROM household WHERE valid_until <= ?", now)]
        self.line.drain()
        self._was_acted_on(due, now)
        arrived: list[tuple[int, Row]] = []
        while self.plan and self.plan[0][0] <= day:
            _, _, what, details = heapq.heappop(self.plan)
            arrived += getattr(self, f"_{what}")(day, details)
        self.draw.shuffle(arrived)
        land(self.line, sorted(arrived, key=lambda a: (a[1]["unit"], a[1]["stream"], a[1]["live"])))
        self.line.drain()
        self._look_at_what_is_owed(day)

    def _was_acted_on(self, due: list[int], now: int) -> None:
        left = self.line.rows("SELECT count(*) FROM household WHERE valid_until <= ?", now)[0][0]
        if left:
            self.wrong.append(f"{left} households past their valid_until at {from_us(now)}")
        judged = {home for (home,) in self.line.rows("SELECT id FROM household WHERE judged_at = ?", now)}
        self.acted += len(due)
        if missed := [home for home in due if home not in judged]:
            self.wrong.append(f"households {missed[:5]} were due by {from_us(now)} and not judged then")

    # -- what happens --------------------------------------------------------------------------------------------------

    def _record(self, day: int, home: int) -> list[tuple[int, Row]]:
        life = self._life(home)
        before = {key: len(versions) for key, versions in life.versions.items()}
        life.arrive(life.a_time())
        roll = self.draw.random()
        if roll < 0.06:
            self.will(day + self.draw.randint(1, 20), "correction", home)
        if roll > 0.97:
            life.versions[next(reversed(life.versions))].append(life.versions[next(reversed(life.versions))][-1])
        return [(home, row) for row in life.settle(before)]

    def _correction(self, day: int, home: int) -> list[tuple[int, Row]]:
        life = self._life(home)
        before = {key: len(versions) for key, versions in life.versions.items()}
        if life.versions:
            (life.correct if self.draw.random() < 0.8 else life.retract)()
        return [(home, row) for row in life.settle(before)]

    def _duty(self, day: int, owed: tuple[int, str, str, str, int]) -> list[tuple[int, Row]]:
        """A unit does what it owes, if it still does: by a record of its own, else by an answer."""
        number, no, what, to, home = owed
        if self.line.rows("SELECT state FROM owed WHERE id = ?", number)[0][0] not in ("open", "accepted"):
            return []
        unit = "womens_federation" if to == "coordinator" else to.removeprefix("head:")
        at = self.line.now - timedelta(hours=self.draw.choice((1, 5, 9)))
        life = self._life(home)
        before = {key: len(versions) for key, versions in life.versions.items()}
        if what in ("D2", "D3", "D4", "D5") or (what in VISITED_BY and unit in ("police", "community_grid")):
            finding = self.draw.choices(("calm", "tension", "not_reached", "violence"), (85, 8, 6, 1))[0]
            stream = VISITED_BY[what] if unit == "police" else "visit"
            facts = {"at": at, "mode": self.draw.choice(("home", "home", "phone")), "finding": finding}
            life.put(unit, stream, facts, life.people("pair"))
        elif what == "D15" and unit in ("justice", "community_grid"):
            status = self.draw.choices(("resolved", "failed"), (6, 4))[0]
            facts = {"opened_on": at, "origin": "offered", "violence": "none", "status": status, "closed_on": at}
            life.put(unit, "mediation", facts, life.people("pair"))
        elif what == "D18":
            life.put("womens_federation", "review", {
                "at": at, "decision": "step_down", "signed_by": ["police", "womens_federation"],
            }, life.people("pair"))  # fmt: skip
        else:
            life.put(unit, "duty_answer", {"duty_no": no, "status": "done", "at": at}, [])
        return [(home, row) for row in life.settle(before)]

    def _report(self, day: int, told: tuple[str, str, int]) -> list[tuple[int, Row]]:
        no, step, home = told
        life = self._life(home)
        before = {key: len(versions) for key, versions in life.versions.items()}
        at = self.line.now - timedelta(minutes=30)
        life.put("police", "report_feedback", {"report_no": no, "step": step, "at": at, "receipt_no": f"R{no}"}, [])
        return [(home, row) for row in life.settle(before)]

    def _life(self, home: int) -> Resident:
        self.lives[home].now = self.line.now
        return self.lives[home]

    # -- what is owed, and who will do it when -------------------------------------------------------------------------

    def _look_at_what_is_owed(self, day: int) -> None:
        rows = self.line.rows(
            'SELECT o.id, o.no, o.what, o."to", o.due, h.registered FROM owed o LEFT JOIN household h ON h.id = o.household_id'
            " WHERE o.id > ? ORDER BY o.id",
            self.seen_owed,
        )
        for number, no, what, to, due, registered in rows:
            self.seen_owed = number
            if registered is None:
                continue
            home, roll = int(registered.removeprefix("HH")), self.draw.random()
            if what[0] == "M" and what[1:].isdigit() and roll < 0.85:
                slow = 0 if roll < 0.7 else self.draw.randint(2, 9)
                self.will(day + 1 + slow, "report", (no, "received", home))
                self.will(day + 1 + slow, "report", (no, "accepted", home))
                answer = self.draw.choices(("not_substantiated", "filed", "security_case"), (6, 2, 2))[0]
                self.will(day + 2 + slow, "report", (no, answer, home))
            elif what[0] == "D" and due is not None and roll < 0.9:
                left = max(1, (from_us(due) - self.line.now).days)
                when = self.draw.randint(1, left) if roll < 0.75 else left + self.draw.randint(1, 15)
                self.will(day + when, "duty", (number, no, what, to, home))

    # -- what must hold at the end -------------------------------------------------------------------------------------

    def check(self, every: int) -> list[str]:
        wrong = [*self.wrong, *self._lights(every), *self._escalations(), *self._late_reports()]
        with self.line.store.read() as sql:
            counts = dict(pages.accounting(sql))
        if counts["received"] != sum(counts[n] for n in ("applied", "unchanged", "quarantined", "rejected", "pending")):
            wrong.append(f"accounting: {counts}")
        if counts["pending"]:
            wrong.append(f"{counts['pending']} rows are pending")
        return wrong

    def _lights(self, every: int) -> list[str]:
        shown, standing = lights(self.line), self._reports()
        found = []
        for life in self.lives[::every]:
            rows = [row for row in life.rows() if is_ours(row)]
            slow = walk(rows, self.line.now, reports=standing.get(life.home) or reported(rows, []))
            if slow.light() != shown.get(life.home, "unlit"):
                found.append(
                    f"home {life.home}: reference {slow.light()} {slow.open_rules()}, store {shown.get(life.home)}"
                )
        return found

    def _reports(self) -> dict[int, list[Row]]:
        found: dict[int, dict[str, Row]] = {}
        rows = self.line.rows(
            "SELECT h.registered, o.no, o.what, r.unit, r.stream, r.no FROM owed o JOIN household h ON h.id = o.household_id"
            " JOIN owed_cause c ON c.owed_id = o.id JOIN record r ON r.id = c.record_id WHERE o.what GLOB 'M[1-7]'"
        )
        for registered, no, what, unit, stream, number in rows:
            report = {"no": no, "rule": what, "causes": set()}
            known = found.setdefault(int(registered.removeprefix("HH")), {}).setdefault(no, report)
            known["causes"].add((unit, stream, number))
        return {home: list(known.values()) for home, known in found.items()}

    def _escalations(self) -> list[str]:
        """Every duty that stood past its due date has its escalation.

        Not what is due at once (D21), which is owed to a list and reminds nobody, and not D26, which the coordinator
        has from the start. A record that came later may have moved the date after the coordinator was told.
        """
        told = set(self.line.rows("SELECT slot, household_id FROM owed WHERE what = 'escalation'"))
        grace = to_us(FIRST + timedelta(days=5)) - to_us(FIRST)
        stood = self.line.rows(
            'SELECT no, what, "to", slot, household_id FROM owed WHERE what LIKE \'D%\' AND live AND "to" <> \'coordinator\''
            " AND what <> 'D26' AND due > opened_at AND due <= ? AND state <> 'cancelled' AND (closed_at IS NULL OR closed_at > due + ?)",
            to_us(self.line.now), grace,
        )  # fmt: skip
        self.overdue = len(stood)
        missing = [no for no, what, to, slot, home in stood if (f"{what}:{to}:{slot}:overdue", home) not in told]
        return [f"{len(missing)} of {len(stood)} overdue duties without escalation: {missing[:5]}"] if missing else []

    def _late_reports(self) -> list[str]:
        """A report that the police did not take within two days, or took and left undecided for forty, is on the late page."""
        found = []
        for report in reports(self.line.store, VAULT):
            steps = {step["step"]: datetime.fromisoformat(step["at"]) for step in report["steps"]}
            if not steps.keys().isdisjoint(("filed", "security_case", "not_substantiated", "cancelled")):
                continue
            begun = datetime.fromisoformat(report["steps"][0]["at"])
            waits_since, days = (steps["accepted"], 40) if "accepted" in steps else (begun, 2)
            if waits_since < self.line.now - timedelta(days=days):
                self.unanswered += 1
                if not report["late"]:
                    found.append(f"report {report['report_no']} is late and not on the page")
        return found


def figures(year: Year, started: float, cpu: float) -> dict[str, Any]:
    line = year.line
    counts = line.rows("SELECT count(*), sum(light > 0) FROM household WHERE registered IS NOT NULL")[0]
    return {
        "households": counts[0], "lit": counts[1] or 0,
        "records": line.rows("SELECT count(*) FROM version")[0][0],
        "light_changes": line.rows("SELECT count(*) FROM light_change")[0][0],
        "reports": line.rows("SELECT count(*) FROM owed WHERE what GLOB 'M[1-7]'")[0][0],
        "duties": line.rows("SELECT count(*) FROM owed WHERE what LIKE 'D%'")[0][0],
        "overdue_duties": year.overdue, "late_reports": year.unanswered, "acted_on_when_due": year.acted,
        "wall_seconds": round(time.monotonic() - started), "cpu_seconds": round(time.process_time() - cpu),
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument(
        "--every", type=int, default=1, help="hold the light of each so-many-th home against the reference"
    )
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    started, cpu = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'hub.db'}")
        upgrade(store)
        year = Year(store, asked.households, asked.seed)
        with Progress() as bar:
            task = bar.add_task("days", total=asked.days)
            year.begin()
            for day in range(asked.days):
                year.live(day)
                bar.advance(task)
        wrong = year.check(asked.every)
        found = {**figures(year, started, cpu), "wrong": wrong}
        store.dispose()
    print(json.dumps(found, ensure_ascii=False) if asked.json else "\n".join(f"{n}: {v}" for n, v in found.items()))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
