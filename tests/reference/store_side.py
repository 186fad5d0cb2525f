"""The same rows told to the real line: as a department sends them, landed, mapped, placed, judged and kept in a store."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from hub.core.records import SHANGHAI, Key, Person
from hub.core.unmap import Table, row_of
from tests.line.line_kit import Line
from tests.loaded import connectors
from tests.reference.incidents import reported
from tests.reference.lights import lights as walk
from tests.reference.makers import BORN
from tests.reference.opens import is_ours
from tests.reference.people import Row
from tests.reference.steps import Life

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏"
GIVEN = "梅伟宝芳勇静磊娟强敏军丽杰霞涛艳超秀明英华平刚玲红健雪林峰云"
ENDS = ("valid_until", "valid_from", "until")
COMMUNITY = "310101001001"


@lru_cache(maxsize=64)
def table(unit: str, stream: str) -> Table:
    known = connectors()[unit].streams[stream]
    return Table(known.key, tuple((field.name, field.to, field.block) for field in known.fields))


@lru_cache(maxsize=200_000)
def id_number(home: int, person: int) -> str:
    """An invented resident ID number: division and sequence tell the home, the birth date is the person's.

    None ends in three zeros, as numbers do that a spreadsheet has ruined: no sequence is a multiple of four.
    """
    body = f"{310101 + home // 250:06d}{BORN[person]:%Y%m%d}{home % 250 * 4 + person:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11]


@lru_cache(maxsize=200_000)
def name(home: int, person: int) -> str:
    """Two homes at a time have people of the same names, born on the same days in the same community."""
    one, two = divmod((home // 2) * 3 + person, len(GIVEN))
    surname, first = divmod(one, len(GIVEN))
    return SURNAMES[surname % len(SURNAMES)] + GIVEN[first] + GIVEN[two]


def somebody(home: int, person: int, role: str) -> Person:
    return Person(role, name=name(home, person), id_number=id_number(home, person), born=BORN[person])


def raw(row: Row, home: int) -> dict[str, Any]:
    """One row under the English headers of its stream."""
    return told(row, [somebody(home, p["person"], p["role"]) for p in row["people"]])


def told(row: Row, persons: list[Person]) -> dict[str, Any]:
    """A row with its people as they are named there."""
    found = row_of(
        table(row["unit"], row["stream"]), Key(row["unit"], row["stream"], row["no"]), row["updated"], row["facts"],
        persons, {}, row["related"],
    )  # fmt: skip
    return {**found, "community_code": COMMUNITY, "deleted": "1" if row["deleted"] else ""}


def register(homes: Iterable[int], since: datetime) -> list[dict[str, Any]]:
    """The rows of the grid's household register: wife, husband and child of every home."""
    return [
        raw({
            "unit": "community_grid", "stream": "household", "no": f"HH{home}/{person}", "updated": since, "deleted": False,
            "facts": {"household_no": f"HH{home}", "member_no": str(person), "role": role, "from": date(2016, 1, 1)},
            "people": [{"role": "member", "person": person}], "related": [],
        }, home)
        for home in homes
        for person, role in ((2, "self"), (1, "spouse"), (3, "child"))
    ]  # fmt: skip


def land(line: Line, rows: Iterable[tuple[int, Row]], as_sent: Callable[[Row, int], dict[str, Any]] = raw) -> None:
    """Rows of many homes as pages, in the order given: one page for each run of one stream and mode."""
    page: list[dict[str, Any]] = []
    last: tuple[str, str, bool] | None = None
    for home, row in [*rows, (0, None)]:
        which = row and (row["unit"], row["stream"], row["live"])
        if page and which != last:
            line.land(last[0], last[1], *page, mode="live" if last[2] else "backfill")
            page = []
        if row is not None:
            page.append(as_sent(row, home))
        last = which


def lights(line: Line) -> dict[int, str]:
    """Home → the light that the store shows for its household now."""
    found = line.rows("SELECT registered, light FROM household WHERE registered IS NOT NULL AND successor_id IS NULL")
    return {
        int(number.removeprefix("HH")): ("unlit", "green", "yellow", "orange", "red")[light] for number, light in found
    }


class Resident(Life):
    """A life within one registered home: wife, husband, child; the clock is the district's."""

    def __init__(self, seed: int, now: datetime) -> None:
        super().__init__(seed)
        self.now, self.home, self.prefix = now, seed, f"H{seed}"

    def happen(self) -> list[Row]:
        """One step without passing of time or silence; the versions that arrive because of it."""
        before = {key: len(versions) for key, versions in self.versions.items()}
        roll = self.draw.random()
        if roll < 0.55 or not self.versions:
            self.arrive(self.a_time())
        elif roll < 0.6:
            self.resolve()
        elif roll < 0.65:
            self.agree()
        elif roll < 0.75:
            self.visits()
        elif roll < 0.87:
            self.correct()
        elif roll < 0.93:
            self.retract()
        else:
            again = self.versions[self.draw.choice(list(self.versions))]
            again.append(self.draw.choice(again))
        return self.settle(before)

    def settle(self, before: dict[tuple[str, str, str], int]) -> list[Row]:
        """What arrived, made to fit the home; versions that tell of the future are taken back."""
        arrived = []
        for known in list(self.versions):
            fresh = self.versions[known][before.get(known, 0) :]
            self.versions[known] = self.versions[known][: before.get(known, 0)]
            for row in map(self.at_home, fresh):
                if not self.is_of_the_future(row):
                    self.versions.setdefault((row["unit"], row["stream"], row["no"]), []).append(row)
                    arrived.append(row)
        self.versions = {known: versions for known, versions in self.versions.items() if versions}
        return arrived

    def is_of_the_future(self, row: Row) -> bool:
        if row["updated"] - self.now > timedelta(hours=24):
            return True  # which quarantine would keep (S3)
        times = [v for name, v in row["facts"].items() if isinstance(v, date) and name not in ENDS]
        return any(
            (t if isinstance(t, datetime) else datetime(t.year, t.month, t.day, tzinfo=SHANGHAI)) > self.now
            for t in times
        )

    def at_home(self, row: Row) -> Row:
        facts = dict(row["facts"])
        if facts.get("relation") in ("none", "former_spouse"):
            facts["relation"] = "spouse"
        if facts.get("status") == "registered":
            facts["status"] = "withdrawn"
        if str(facts.get("result")).startswith("divorce_by"):
            facts["result"] = "withdrawn"
        people = [
            {**p, "person": 3, "born": BORN[3], "capacity": None} if p["person"] > 3 else p for p in row["people"]
        ]
        prefix = self.prefix
        no = row["no"] if row["no"].startswith(prefix) else prefix + row["no"]
        related = [n if n.startswith(prefix) else prefix + n for n in row["related"]]
        if facts.get("original_case_no") and not str(facts["original_case_no"]).startswith(prefix):
            facts["original_case_no"] = prefix + facts["original_case_no"]
        return {**row, "facts": facts, "people": people, "no": no, "related": related, "received": self.now}


def differences(line: Line, lives: Iterable[Resident]) -> list[str]:
    """Homes whose light in the store is not the reference's."""
    shown = lights(line)
    found = []
    for life in lives:
        rows = [row for row in life.rows() if is_ours(row)]
        slow = walk(rows, line.now, reports=reported(rows, []))
        if slow.light() != shown.get(life.home, "unlit"):
            found.append(
                f"home {life.home}: reference {slow.light()} {slow.open_rules()}, store {shown.get(life.home)}"
            )
    return found


STANDS = {
    "lights": "SELECT id, light, since, assessment FROM household WHERE successor_id IS NULL ORDER BY id",
    "owed": 'SELECT no, what, "to", slot, state, due, closed_by, how, household_id FROM owed ORDER BY no',
    "causes": "SELECT owed_id, record_id FROM owed_cause ORDER BY 1, 2",
    "messages": "SELECT no, channel, state FROM parcel ORDER BY 1, 2",
}


def judged_again(line: Line) -> list[str]:
    """What changes when everybody is judged again although nothing came and no time passed: nothing may."""
    before = {name: line.rows(query) for name, query in STANDS.items()}
    with line.store.write() as tx:
        tx.run("UPDATE household SET valid_until = 1 WHERE successor_id IS NULL")
    line.drain()
    after = {name: line.rows(query) for name, query in STANDS.items()}
    return [
        f"{name}: gone {sorted(set(before[name]) - set(after[name]), key=repr)}, more {sorted(set(after[name]) - set(before[name]), key=repr)}"
        for name in STANDS
        if before[name] != after[name]
    ]


def rounds(line: Line, lives: list[Resident], count: int, seed: int) -> Iterator[list[str]]:
    """Each round: time passes, every life has a step, everything lands and is applied; what differs then."""
    draw = random.Random(seed)
    line.land("community_grid", "household", *register([life.home for life in lives], line.now), mode="backfill")
    for _ in range(count):
        line.now += timedelta(days=draw.choice((0, 1, 3, 7, 30)), hours=draw.choice((0, 1, 7)))
        arrived = []
        for life in lives:
            life.now = line.now
            arrived += [(life.home, row) for row in life.happen()]
        draw.shuffle(arrived)
        land(line, sorted(arrived, key=lambda a: (a[1]["unit"], a[1]["stream"], a[1]["live"])))
        line.drain()
        yield differences(line, lives)
