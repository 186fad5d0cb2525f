"""The light that a back-test asks for, beside the same rules in DuckDB SQL and in a general rule engine. Timed in benchmarks."""

from __future__ import annotations

from benchmarks.backtest import AS_OF, archive, differences, policies, read
from hub.read.backtest import backtest
from hub.store.engine import SqlStore


def test_the_hub_sql_and_a_rule_engine_give_every_household_the_same_colour(sqlite_store: SqlStore) -> None:
    """Under the policy in force and under a candidate that moves some of them, in all colours."""
    archive(sqlite_store, 150, quiet=True)
    cases = read(sqlite_store)
    told = backtest(sqlite_store, *policies(), AS_OF)

    assert len(cases) == 150
    assert {len(case.events) for case in cases} == {5 + 3}  # and the three of the register
    assert not differences(sqlite_store, cases, told)
    assert told["changed"] > 5
    assert {row["was"] for row in told["by_change"]} >= {"green", "yellow"}
