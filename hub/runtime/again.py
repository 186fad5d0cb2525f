"""Rows once more through the line: redriven after a fix, given up, or replayed from the originals of what was taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from hub.core.freight import Page
from hub.core.records import StreamKey
from hub.line.held import DISCARD, REDRIVE, REPLAY
from hub.line.ports import Vault
from hub.runtime.submission import Receipt, Submission
from hub.store.engine import SqlStore
from hub.store.numbers import new_uid
from hub.store.originals import TakenPage, TakenRow, taken_rows
from hub.store.quarantine import QuarantineView, originals
from hub.store.refusals import still_open

__all__ = ["Tell", "discard", "original_of", "redrive", "replay"]

Tell = Callable[[int], object]
"""Told how many rows are done."""


def redrive(
    way: Submission, store: SqlStore, vault: Vault, rows: Sequence[QuarantineView], size: int, at: datetime, tell: Tell
) -> list[Receipt]:
    """Waiting rows as pages of their stream and mode, at most ``size`` rows each; a receipt for each page."""
    receipts: list[Receipt] = []
    with way.door() as take:
        for stream, mode, some in _parts(rows, size):
            with store.read() as sql:
                sealed = originals(sql, [row.uid for row in some])
            plain = [vault.open_blob(row.uid, sealed[row.uid]) or b"{}" for row in some]
            receipts.append(way.receipt(take(_page(stream, mode, REDRIVE, some, plain, at))))
            tell(len(some))
    return receipts


def discard(way: Submission, store: SqlStore, rows: Sequence[QuarantineView], size: int, at: datetime) -> int:
    """Waiting rows given up for good, in commits of the line; how many no longer wait."""
    with way.door() as take:
        for stream, mode, some in _parts(rows, size):
            way.receipt(take(_page(stream, mode, DISCARD, some, [], at)))
    with store.read() as sql:
        return len(rows) - len(still_open(sql, [row.uid for row in rows]))


def _parts(rows: Sequence[QuarantineView], size: int) -> Iterator[tuple[StreamKey, str, list[QuarantineView]]]:
    groups: dict[tuple[StreamKey, str], list[QuarantineView]] = {}
    for row in rows:
        groups.setdefault((row.stream, row.mode), []).append(row)
    for (stream, mode), found in groups.items():
        for start in range(0, len(found), size):
            yield stream, mode, found[start : start + size]


def _page(
    stream: StreamKey, mode: str, word: str, rows: Sequence[QuarantineView], plain: Sequence[bytes], at: datetime
) -> Page:
    """A page of waiting rows; without originals it only says something about them."""
    return Page(
        uid=new_uid(), stream=stream, mode=mode, door="redrive", body=b"[" + b",".join(plain) + b"]", rows=len(plain),
        first_row=0, received_at=at, source=word + ",".join(row.uid for row in rows),
    )  # fmt: skip


def replay(
    way: Submission, store: SqlStore, vault: Vault, taken: Sequence[TakenPage], size: int, tell: Tell
) -> list[Receipt]:
    """What was taken once more through the mapping of today, page by page with its own time of arrival; receipts.

    Nothing is sent for it (mode *replay*): what would differ goes to the review list.
    """
    receipts: list[Receipt] = []
    with way.door() as take:
        for page in taken:
            with store.read() as sql:
                rows = taken_rows(sql, page.id)
            for start in range(0, len(rows), size):
                some = rows[start : start + size]
                receipts.append(way.receipt(take(_replayed(page, some, vault))))
                tell(len(some))
    return receipts


def _replayed(page: TakenPage, rows: Sequence[TakenRow], vault: Vault) -> Page:
    plain = [original_of(row, vault) for row in rows]
    return Page(
        uid=new_uid(), stream=page.stream, mode="replay", door="replay", body=b"[" + b",".join(plain) + b"]",
        rows=len(plain), first_row=0, received_at=page.received_at, source=REPLAY + ",".join(str(r.id) for r in rows),
    )  # fmt: skip


def original_of(row: TakenRow, vault: Vault) -> bytes:
    """The row as the department sent it."""
    if row.reporter is not None:
        return bytes(vault.open_reporter(row.uid, row.reporter)["original"])
    return bytes(vault.open_body(row.uid, row.body)["original"])
