"""Merges, splits and objections on the real line against the reference. The long run is ``benchmarks/model.py --identity``."""

from __future__ import annotations

from datetime import datetime

import pytest

from hub.core.records import SHANGHAI
from hub.store.engine import SqlStore
from tests.line.line_kit import Line
from tests.reference.reviewers import rounds


@pytest.mark.parametrize("seed", range(4))
def test_every_record_stands_where_the_reference_says(sqlite_store: SqlStore, seed: int) -> None:
    """After every round and every ruling: the same persons and households, with the same lights, concerns and duties."""
    for _, different in rounds(Line(sqlite_store, datetime(2025, 6, 2, 10, tzinfo=SHANGHAI)), seed, 12):
        assert not different, "\n".join(different)
