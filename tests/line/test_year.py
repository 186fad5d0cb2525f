"""A short year of a small simulated district on the real store: every due date honoured. The long one is in benchmarks."""

from __future__ import annotations

from benchmarks.year import Year
from hub.store.engine import SqlStore


def test_every_due_date_of_the_district_is_honoured(sqlite_store: SqlStore) -> None:
    """What is due is judged on its day, what is overdue escalated, late reports stand on the page, lights are right."""
    year = Year(sqlite_store, homes=40, seed=5)
    year.begin()
    for day in range(0, 365, 5):
        year.live(day)

    assert not year.check(every=1)
    assert year.acted > 20
    assert year.overdue > 5
    assert year.unanswered > 0
