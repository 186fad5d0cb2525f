"""The real line against the reference: rows as departments send them, landed, mapped, placed, judged, kept."""

from __future__ import annotations

from datetime import datetime

import pytest

from hub.core.records import SHANGHAI
from hub.store.engine import SqlStore
from tests.line.line_kit import Line
from tests.reference.store_side import Resident, judged_again, rounds


def test_the_store_shows_the_lights_of_the_reference(sqlite_store: SqlStore) -> None:
    """After every round of records, corrections, retractions, duplicates and passing time each home's light is the same."""
    line = Line(sqlite_store, datetime(2025, 6, 2, 10, tzinfo=SHANGHAI))
    lives = [Resident(home, line.now) for home in range(12)]

    for different in rounds(line, lives, 10, seed=5):
        assert not different


@pytest.mark.parametrize("seed", range(3))
def test_to_judge_again_changes_nothing(sqlite_store: SqlStore, seed: int) -> None:
    """What a commit decides is complete: judged again at once, no light, nothing owed and no message is another."""
    line = Line(sqlite_store, datetime(2025, 6, 2, 10, tzinfo=SHANGHAI))
    lives = [Resident(seed * 100 + home, line.now) for home in range(8)]

    for _ in rounds(line, lives, 10, seed=seed):
        assert judged_again(line) == []
