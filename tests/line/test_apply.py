"""Apply: everything that follows from landed pages, in one commit or nothing."""

from __future__ import annotations

import random
from typing import Any

import pytest

from hub.line.apply import apply
from hub.line.prepare import prepare
from hub.store import pages
from hub.store.engine import SqlStore
from tests.line.line_kit import CHILD, HUSBAND, POLICY, VAULT, WIFE, Line, call, mediation

IDENTITY = ("applied", "unchanged", "quarantined", "rejected", "pending")


def accounts(line: Line) -> dict[str, int]:
    """The accounting of all departments' pages, its identity checked."""
    with line.store.read() as sql:
        found = pages.accounting(sql)
        every = sql.rows("SELECT uid FROM page")
        for (uid,) in every:
            one = pages.receipt(sql, uid)
            assert one is not None
            assert one["received"] == sum(one[name] for name in IDENTITY)
    assert found["received"] == sum(found[name] for name in IDENTITY)
    return found


def test_a_call_lights_its_household(store: SqlStore) -> None:
    """A general family conflict lights one household orange and owes its duties."""
    line = Line(store)
    receipt = line.send("police", "incident", call())
    assert receipt["applied"] == receipt["received"] == 1, receipt
    assert line.lights() == ["orange"]
    assert {what for what, _, _ in line.owed("D")} >= {"D1", "D3", "D15"}


def test_identity_holds_at_every_moment(store: SqlStore) -> None:
    """received = applied + unchanged + quarantined + rejected + pending, before, between and after every commit."""
    line = Line(store)
    line.land("police", "incident", call("C1"), call("C2", category="77"), call("C1"))
    assert accounts(line)["pending"] == 3
    line.drain()
    found = accounts(line)
    assert found == {"received": 3, "applied": 1, "unchanged": 1, "quarantined": 1, "rejected": 0, "pending": 0}
    line.land("police", "incident", call("C1"), call("C3", category="3", relation="邻居"))
    accounts(line)
    line.drain()
    assert accounts(line) == {
        "received": 5, "applied": 1, "unchanged": 2, "quarantined": 1, "rejected": 1, "pending": 0
    }  # fmt: skip


def test_applying_again_returns_the_stored_receipt(store: SqlStore) -> None:
    """A page is closed by a conditional update: a second apply of the same work changes nothing."""
    line = Line(store)
    line.land("justice", "mediation", mediation())
    with store.read() as sql:
        work = prepare(pages.next_landed(sql, 100), line.workers, VAULT, POLICY)
    first = apply(store, work, POLICY, line.now)
    before = [line.rows(f"SELECT COUNT(*) FROM {t}") for t in ("version", "owed", "parcel", "light_change")]
    assert apply(store, work, POLICY, line.now) == first
    assert [line.rows(f"SELECT COUNT(*) FROM {t}") for t in ("version", "owed", "parcel", "light_change")] == before


def test_judging_again_does_nothing(store: SqlStore) -> None:
    """When nothing is new, judging every household again opens, amends, closes and sends nothing."""
    line = Line(store)
    line.send("police", "incident", call("C1", injury="1", category="2"))
    line.send("justice", "mediation", mediation(related_no="C1"))
    line.send("community_grid", "conflict", conflict("K1"))
    state = snapshot(line)
    households = [number for (number,) in line.rows("SELECT id FROM household")]
    apply(store, prepare([], line.workers, VAULT, POLICY), POLICY, line.now, outward=line.plan.outward, due=households)
    assert snapshot(line) == state


def snapshot(line: Line) -> list[Any]:
    """Everything that stands outward."""
    return [
        line.rows("SELECT no, what, state, due, facts, household_id FROM owed ORDER BY id"),
        line.rows("SELECT no, channel, state FROM parcel ORDER BY id"),
        line.rows("SELECT COUNT(*) FROM light_change"),
        line.rows("SELECT id, light, since, valid_until FROM household ORDER BY id"),
        line.rows("SELECT COUNT(*) FROM review_item"),
    ]


def conflict(no: str, **facts: Any) -> dict[str, Any]:
    """A grid worker's finding about the same spouses."""
    return {
        "conflict_no": no, "at": "2026-11-19 09:00", "kind": "1", "updated_at": "2026-11-19 10:00:00", "relation": "配偶",
        "community_code": "310101001001", "party_a_name": "林晓梅", "party_a_id_number": WIFE,
        "party_b_name": "赵大伟", "party_b_id_number": HUSBAND,
    } | facts  # fmt: skip


def school(no: str, **facts: Any) -> dict[str, Any]:
    """A school's concern about a child."""
    return {
        "concern_no": no, "found_at": "2026-11-22 08:30", "kind": "1", "student_name": "赵小雨", "student_id_number": CHILD,
        "abuser_name": "赵大伟", "abuser_id_number": HUSBAND, "relation": "子女",
        "community_code": "310101001001", "updated_at": "2026-11-22 09:00:00", "narrative": "手臂有伤",
    } | facts  # fmt: skip


HISTORY: list[tuple[str, str, dict[str, Any]]] = [
    ("police", "incident", call("C1")),
    ("police", "incident", call("C1", intensity="2", updated_at="2026-11-20 23:00:00")),
    ("police", "incident", call("C2", called_at="2026-11-18 20:00", category="2", updated_at="2026-11-18 21:00:00")),
    ("police", "incident", call("C2", deleted="1", updated_at="2026-11-19 21:00:00")),
    ("justice", "mediation", mediation("J1", violence="0")),
    ("justice", "mediation", mediation("J1", violence="0", status="2", closed_on="2026-11-22", updated_at="2026-11-22 10:00:00")),
    ("justice", "mediation", mediation("J1", violence="0", status="5", closed_on="2026-11-23", updated_at="2026-11-23 10:00:00")),
    ("community_grid", "conflict", conflict("K1")),
    ("community_grid", "conflict", conflict("K2", at="2026-11-20 09:00", kind="3", updated_at="2026-11-20 10:00:00")),
    ("education", "concern", school("S1")),
    ("police", "incident", call("C9", party_a_name="孙建国", party_a_id_number="", party_b_name="周玉兰", victim_name="",
                                party_b_id_number="310101198706124824", victim_id_number="", updated_at="2026-11-20 12:00:00")),
]  # fmt: skip


def played(store: SqlStore, order: list[tuple[str, str, dict[str, Any]]], cuts: random.Random) -> tuple[Any, Any]:
    """Lights and what is owed after this order in these batches."""
    line = Line(store)
    for unit, stream, row in order:
        line.land(unit, stream, row)
        if cuts.random() < 0.5:
            line.drain()
    line.drain()
    rows = line.rows('SELECT what, "to", state FROM owed')
    standing = sorted((what, to) for what, to, state in rows if state not in ("done", "returned", "cancelled"))
    return line.lights(), standing


@pytest.mark.parametrize("seed", range(4))
def test_order_of_batches_does_not_matter(store: SqlStore, seed: int) -> None:
    """Any order and any cut into batches gives the same lights and the same reports and open duties."""
    straight = ["orange", "red"]
    chance = random.Random(seed)
    order = list(HISTORY)
    if seed:
        chance.shuffle(order)
    lights, standing = played(store, order, chance)
    assert lights == straight
    assert [one for one in standing if one[0].startswith("M")] == EXPECTED_REPORTS
    assert sorted({what for what, _ in standing if what.startswith("D")}) == EXPECTED_DUTIES


EXPECTED_REPORTS = [("M2", "police")]
EXPECTED_DUTIES = ["D1", "D10", "D12", "D15", "D2", "D21", "D3"]


def test_a_doubt_is_listed_once(store: SqlStore) -> None:
    """A doubtful person is one item of the review list for (record, person, why), however often the record comes or is corrected."""
    line = Line(store)
    line.send("police", "incident", call())
    doubtful = {"party_b_id_number": "310101********" + WIFE[-4:], "victim_id_number": "310101********" + WIFE[-4:]}
    asked = "SELECT record_id, idx, why, uid FROM review_item WHERE kind = 'identity' ORDER BY 1, 2, 3"
    line.send("police", "incident", call("C2", **doubtful))
    first = line.rows(asked)
    assert first
    assert len({row[:3] for row in first}) == len(first)
    for number in range(3):
        line.send("police", "incident", call("C2", **doubtful, updated_at=f"2026-11-21 1{number}:00:00"))

    assert line.rows(asked) == first
    line.send("police", "incident", call("C2", updated_at="2026-11-22 10:00:00"))
    assert line.rows(asked) == []


def test_a_mistake_sent_again_is_told_again(store: SqlStore) -> None:
    """A day that does not exist is left out of the record; sent again, as it was or wrong otherwise, the receipt says so."""
    line = Line(store)
    for day in ("2026-11-31 08:00:00", "2026-11-31 08:00:00", "2026-11-32 08:00:00"):
        batch = line.send("police", "incident", call(occurred_at=day))["batch"]
        (told,) = line.receipt(batch)["rows"]
        assert (told["code"], told["field"]) == ("date.invalid", "occurred_at")
