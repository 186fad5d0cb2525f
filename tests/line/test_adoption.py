"""Another policy: everybody is judged again, in bounded batches, and what comes in meanwhile does not wait for it."""

from __future__ import annotations

from typing import Any

from hub.core.policy import load_policy
from hub.core.records import Light
from hub.line.writer import drain
from hub.store import adoption
from hub.store.engine import SqlStore
from hub.store.numbers import new_uid
from tests.line.line_kit import POLICIES, POLICY, VAULT, Line, call

TEXT = (POLICIES / "district-2021-08-30.toml").read_bytes()
ONE_CALL_IS_RED = load_policy(TEXT, b"[switches]\nE1 = true\n[numbers]\ncalls_days = 1\n")
MANY = 2 * adoption.BATCH + 200


def test_everybody_is_judged_by_the_policy_in_force(store: SqlStore) -> None:
    """The first policy finds nobody; another one turns the light and says so in the feed; the same one again does nothing."""
    line = Line(store)
    line.send("police", "incident", call())
    assert line.lights() == ["orange"]
    with store.read() as sql:
        assert adoption.progress(sql) == {"policy": adoption.stamp(POLICY), "waiting": 0}

    for _ in range(2):
        assert drain(store, line.workers, VAULT, ONE_CALL_IS_RED, line.clock, line.plan)
    assert line.lights() == ["red"]
    assert line.rows("SELECT was, light, rule FROM light_change ORDER BY id")[1:] == [(Light.orange, Light.red, "E1")]
    line.drain()
    assert line.lights() == ["orange"]


def test_what_comes_in_meanwhile_is_applied_between_two_batches(store: SqlStore) -> None:
    """With twelve hundred households to judge again, a call that lands is applied while most of them still wait."""
    line = Line(store)
    line.send("police", "incident", call())
    with store.claim() as sql:
        sql.insert(
            "household",
            ("id", "uid", "community", "provisional", "light"),
            [(1000 + n, new_uid(), "310101001001", False, 0) for n in range(MANY)],
        )
    line.land("police", "incident", call("C2", intensity="2"))
    waiting: list[int] = []

    def applied(receipts: list[dict[str, Any]]) -> None:
        if receipts:
            with store.read() as sql:
                waiting.append(int(str(adoption.progress(sql)["waiting"])))

    plan = line.plan._replace(applied=applied)
    assert drain(store, line.workers, VAULT, ONE_CALL_IS_RED, line.clock, plan)

    assert waiting == [MANY + 1 - adoption.BATCH]
    assert line.lights() == ["red"]
    with store.read() as sql:
        assert adoption.progress(sql)["waiting"] == 0
    assert line.rows("SELECT COUNT(*) FROM household WHERE judged_at IS NULL") == [(0,)]
