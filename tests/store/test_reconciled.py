"""What the hub holds of a day, asked on both engines."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from hub.core.records import SHANGHAI, StreamKey
from hub.store.engine import SqlStore
from hub.store.reconciled import held, held_keys, not_held
from hub.store.times import to_us

CALLS = StreamKey("police", "incident")
DAY = date(2026, 11, 2)
NOON = datetime(2026, 11, 2, 12, tzinfo=SHANGHAI)


def record(
    sql: Any, no: str, updated: datetime, at: datetime = NOON, state: str = "applied", stream: str = "incident"
) -> None:
    sql.insert(
        "record",
        ("uid", "unit", "stream", "no", "kind", "state", "version", "updated_at", "received_at", "at", "live", "facts",
         "related", "digest", "placed"),
        [(f"u-{stream}-{no}", "police", stream, no, "call", state, 1, to_us(updated), to_us(updated), to_us(at), True, "{}", "", b"", "")],
    )  # fmt: skip


def waiting(sql: Any, no: str | None, updated: datetime | None, state: str = "open", mode: str = "live") -> None:
    sql.insert(
        "quarantine",
        ("uid", "page_id", "row", "unit", "stream", "no", "code", "field", "remedy", "state", "mode", "at", "original",
         "shape", "harm", "updated_at", "times", "last_at", "closed_by"),
        [(f"q-{no}-{state}-{mode}", 1, 0, *CALLS, no, "code.unknown", "", "", state, mode, to_us(NOON), b"", "", False,
          None if updated is None else to_us(updated), 1, to_us(NOON), "")],
    )  # fmt: skip


def test_a_day_holds_records_in_any_state_and_rows_that_wait(store: SqlStore) -> None:
    """From midnight to midnight in Shanghai; a row in quarantine counts once beside its record, shadow rows never."""
    midnight = datetime(2026, 11, 2, tzinfo=SHANGHAI)
    with store.claim() as sql:
        record(sql, "A", midnight)
        record(sql, "B", midnight + timedelta(days=1) - timedelta(microseconds=1), state="rejected")
        record(sql, "C", midnight - timedelta(microseconds=1))
        record(sql, "D", midnight + timedelta(days=1))
        record(sql, "A", midnight, stream="other")
        waiting(sql, "B", NOON)
        waiting(sql, "E", NOON, state="discarded")
        waiting(sql, "F", NOON, state="superseded")
        waiting(sql, "G", NOON, mode="shadow")
        waiting(sql, None, None)

    with store.read() as sql:
        assert held(sql, CALLS, "updated", DAY) == (3, 1)
        assert held_keys(sql, CALLS, "updated", DAY) == {"A", "B", "E"}
        assert not_held(sql, CALLS, "updated", DAY, ["A", "B", "C", "D", "E", "F", "X"]) == {"C", "F", "X"}
        assert not_held(sql, CALLS, "event", DAY, ["A", "C", "X"]) == {"X"}
        assert held(sql, CALLS, "event", DAY).number == 4
