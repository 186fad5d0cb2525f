"""A community beside its own past."""

from __future__ import annotations

from datetime import timedelta

from hub.core.volume import BEFORE, COMMUNITY_WINDOW, is_thin
from hub.store.engine import SqlStore
from hub.store.volume import community_volumes
from tests.line.line_kit import Line, call


def test_a_community_that_falls_silent_is_seen(store: SqlStore) -> None:
    """Records are counted once, by window, where their household lives; history loaded as backfill does not count."""
    line = Line(store)

    def push(first: int, count: int, **more: str) -> None:
        at = line.now.isoformat()
        line.send(
            "police", "incident",
            *(call(f"C{first + n}", called_at=at, updated_at=at) for n in range(count)), **more,
        )  # fmt: skip

    for month in range(BEFORE + 1):
        push(month * 100, 21)
        line.now += COMMUNITY_WINDOW
    push(900, 2)
    push(800, 30, mode="backfill")
    line.now += timedelta(days=1)

    with store.read() as sql:
        found = community_volumes(sql, line.now, COMMUNITY_WINDOW, BEFORE + 1)
    assert found == {"310101001001": [2, 21, 21, 21, 21]}
    assert is_thin(found["310101001001"][0], found["310101001001"][1:])
