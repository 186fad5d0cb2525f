"""The spool keeps what was fetched until the hub has it, sealed, within a bound."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import orjson
import pytest

from hub.core.errors import StopError
from hub.core.records import SHANGHAI
from hub.runtime.edge_spool import Spool, SpoolFullError

NOW = datetime(2026, 11, 24, 12, tzinfo=SHANGHAI)
SECRET = bytes(32)


def opened(folder: Path, limit: int = 10_000, secret: bytes = SECRET) -> Spool:
    return Spool(folder / "spool.db", secret, limit)


def page(count: int, first: int = 0) -> bytes:
    return orjson.dumps([{"no": f"CANARY{n}"} for n in range(first, first + count)])


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = opened(tmp_path)
    yield made
    made.close()


def test_page_and_cursor_survive_together(tmp_path: Path) -> None:
    """What was put is there after a restart, oldest first, with the cursor behind it."""
    first = opened(tmp_path)
    first.put("u1", "incident", page(2), 2, "c1", NOW)
    first.put("u2", "incident", page(1), 1, "c2", NOW)
    first.close()

    again = opened(tmp_path)
    batch = again.next()
    assert batch is not None
    assert (batch.uid, batch.body, again.cursor("incident")) == ("u1", page(2), "c2")
    again.done(batch)
    assert [again.state()[key] for key in ("waiting", "sent")] == [1, {"batches": 1, "rows": 2}]
    again.close()


def test_empty_page_moves_the_cursor_only(spool: Spool) -> None:
    """Nothing to send, and the next read starts further on; a page without cursor leaves it where it is."""
    spool.put("u1", "incident", b"[]", 0, "c1", NOW)
    spool.put("u2", "incident", page(1), 1, None, NOW)

    assert (spool.cursor("incident"), spool.state()["waiting"]) == ("c1", 1)


def test_full_spool_takes_nothing_and_drops_nothing(tmp_path: Path) -> None:
    """A page without room is refused whole, its cursor too; room comes back when a batch leaves."""
    spool = opened(tmp_path, limit=2000)
    spool.put("u1", "incident", b"x" * 1500, 1, "c1", NOW)
    with pytest.raises(SpoolFullError) as caught:
        spool.put("u2", "incident", b"x" * 1500, 1, "c2", NOW)

    assert (caught.value.code, spool.cursor("incident"), spool.state()["waiting"]) == ("edge.full", "c1", 1)
    batch = spool.next()
    assert batch is not None
    spool.done(batch)
    spool.put("u2", "incident", b"x" * 1500, 1, "c2", NOW)
    assert spool.cursor("incident") == "c2"
    spool.close()


def test_file_stays_bounded(tmp_path: Path) -> None:
    """A hundred times the limit passes through, and the files on disk stay a small multiple of it."""
    spool = opened(tmp_path, limit=200_000)
    for number in range(200):
        spool.put(f"u{number}", "incident", b"x" * 100_000, 1, str(number), NOW)
        batch = spool.next()
        assert batch is not None
        spool.done(batch)

    assert sum(file.stat().st_size for file in tmp_path.glob("spool.db*")) < 4_000_000  # 20 MB went through
    spool.close()


def test_disk_image_tells_nothing(tmp_path: Path, spool: Spool) -> None:
    """Bodies are sealed, only the owner reads the file, and another key opens nothing."""
    spool.put("u1", "incident", page(3), 3, "c1", NOW)
    spool.keep_answer("D1-1", {"step": "received", "number": "CANARY"})
    assert all(b"CANARY" not in file.read_bytes() for file in tmp_path.glob("spool.db*"))
    assert stat.S_IMODE((tmp_path / "spool.db").stat().st_mode) == 0o600

    other = opened(tmp_path, secret=bytes(31) + b"1")
    with pytest.raises(StopError) as caught:
        other.next()
    assert caught.value.code == "edge.spool_foreign"
    other.close()


def test_held_batch_waits_for_a_person_and_stops_no_other(spool: Spool) -> None:
    """The next one is served; `release` sends the held one out again."""
    spool.put("u1", "incident", page(1), 1, "c1", NOW)
    spool.put("u2", "incident", page(1, 1), 1, "c2", NOW)
    first = spool.next()
    assert first is not None
    spool.hold(first, "batch.invalid")
    second = spool.next()
    assert second is not None
    assert (second.uid, spool.state()["held"]) == ("u2", {"batch.invalid": 1})
    assert spool.release() == 1
    again = spool.next()
    assert again is not None
    assert again.uid == "u1"


def test_too_large_batch_is_cut_in_two(spool: Spool) -> None:
    """Both halves together are the batch, in order; one row cannot be cut."""
    spool.put("u1", "incident", page(3), 3, "c1", NOW)
    batch = spool.next()
    assert batch is not None
    assert spool.split(batch, ("a", "b"), NOW)
    halves = []
    while (half := spool.next()) is not None:
        halves += orjson.loads(half.body)
        last = half
        spool.done(half)

    assert halves == orjson.loads(page(3))
    assert not spool.split(last._replace(body=page(1)), ("c", "d"), NOW)
