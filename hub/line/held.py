"""The refused rows of one commit: which are new, which came before, and which a newer version has replaced.

A repeat has the status it had: *quarantined* while its item waits, *rejected* once a person gave it up or a newer version
of its record is known. It is one item of the list and one task (D26), however often it comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from hub.core.oversight import unreadable
from hub.core.policy import Policy
from hub.core.problems import remedy_of
from hub.core.records import Key, Owed, StreamKey
from hub.line.prepare import PreparedPage, Refused
from hub.store import refusals
from hub.store.compare import Outcome
from hub.store.refusals import SUPERSEDED, Item, RefusedRow, Settled, Waiting
from hub.store.times import to_us
from hub.store.tx import Tx

REDRIVE = "redrive:"
DISCARD = "discard:"
"""What the source of a page of waiting rows begins with; the uids of their items follow."""
REPLAY = "replay:"
"""What the source of a page of rows that were taken begins with; the ids of their versions follow."""

Line = dict[str, Any]


class _Fresh(NamedTuple):
    page: PreparedPage
    row: Refused
    closed_by: str = ""  # uid of a newer version that is known


class Held:
    """Sorted once the commit's versions are written; then what they owe, then quarantine and receipts."""

    def __init__(
        self,
        tx: Tx,
        pages: Sequence[PreparedPage],
        refused: Mapping[int, Sequence[Refused]],
        outcomes: Sequence[Outcome],
        policy: Policy,
        as_of: datetime,
    ) -> None:
        self._tx = tx
        self._policy = policy
        self._as_of = as_of
        self._refused = refused
        self._fresh: list[_Fresh] = []
        self._again: list[tuple[str, int, int]] = []
        self._lines: dict[int, list[Line]] = {}
        again = [page for page in pages if page.page.door == "redrive"]
        self._redriven = [page for page in again if page.page.source.startswith(REDRIVE)]
        self._discarded = [uid for page in again if page.page.source.startswith(DISCARD) for uid in uids_of(page)]
        told_only = {page.id for page in pages if page.page.door in ("redrive", "replay") or page.page.mode == "shadow"}
        self._sort([page for page in pages if page.id not in told_only])
        for page in pages:
            if page.id in told_only:
                self._lines[page.id] = [_line(row) for row in refused[page.id]]
        self._replaced = self._find_replaced(pages, outcomes)

    def _sort(self, pages: Sequence[PreparedPage]) -> None:
        """New items and repeats; a repeat within the commit is one too."""
        rows = [(page, row) for page in pages for row in self._refused[page.id]]
        known = refusals.known_refusals(self._tx, {row.digest for _, row in rows})
        dated = [(_key(page, row), row.updated_at) for page, row in rows if row.no is not None]
        newer = refusals.newer_known(self._tx, [(key, at) for key, at in dated if at is not None])
        for page, row in rows:
            item = known.get(row.digest)
            if item is None:
                closed_by = newer.get(_key(page, row), "") if row.updated_at is not None else ""
                item = Item(0, row.uid, "superseded" if closed_by else "open")
                known[row.digest] = item
                self._fresh.append(_Fresh(page, row, closed_by))
            else:
                self._again.append((item.uid, page.id, row.row))
            line = _line(row) if item.state == "open" else _closed_line(row, item.state)
            self._lines.setdefault(page.id, []).append(line)

    def _find_replaced(self, pages: Sequence[PreparedPage], outcomes: Sequence[Outcome]) -> list[tuple[Waiting, str]]:
        """Open items of records of which this commit took a version that is as new or newer, with its event."""
        aside = {page.id for page in pages if page.page.mode == "shadow" or page.page.door == "replay"}
        kept = [one for one in outcomes if one.status == "applied" and one.page_id not in aside]
        streams = {StreamKey(*one.incoming.sealed.event.key[:2]) for one in kept}
        waiting = {stream for stream in streams if refusals.waits(self._tx, stream)}
        if not waiting:
            return []
        taken: dict[StreamKey, dict[str, tuple[int, str]]] = {}
        for outcome in kept:
            key = outcome.incoming.sealed.event.key
            if (key.unit, key.stream) in waiting:
                updated = to_us(outcome.incoming.sealed.event.updated_at)
                numbers = taken.setdefault(StreamKey(key.unit, key.stream), {})
                numbers[key.no] = max((updated, outcome.event), numbers.get(key.no, (updated, outcome.event)))
        redriven = {uid for page in self._redriven for uid in uids_of(page)}
        return [
            (item, numbers[item.key.no][1])
            for stream, numbers in taken.items()
            for item in refusals.waiting_for(self._tx, stream, numbers)
            if item.uid not in redriven
            and (item.updated_at is None or item.updated_at <= numbers[item.key.no][0])
        ]  # fmt: skip

    def owed(self) -> Iterable[Owed]:
        """D26: a row nobody could read speaks of violence or of a child in danger; done once it is read or given up."""
        for page, row, closed_by in self._fresh:
            if row.speaks_of_harm and page.page.mode == "live" and not closed_by:
                yield from unreadable(_named(page.page.stream, row.no, row.uid), page.page.received_at, self._policy)
        over = [item.uid for item, _ in self._replaced] + self._discarded
        for page in self._redriven:
            uids = uids_of(page)
            again = {uids[row.row - page.page.first_row] for row in self._refused[page.id]}
            over += [uid for uid in uids if uid not in again]
        for uid, unit, stream, no in self._tx.rows_in(
            "SELECT uid, unit, stream, no FROM quarantine WHERE state = 'open' AND uid {in}", over
        ):
            key = _named(StreamKey(unit, stream), no, uid)
            yield from unreadable(key, self._as_of, self._policy, resolved_at=self._as_of)

    def lines(self, page: PreparedPage) -> list[Line]:
        """The receipt's lines of a page's refused rows."""
        return self._lines.get(page.id, [])

    def save(self, by_page: Mapping[int, Sequence[Outcome]]) -> None:
        """Quarantine, sightings, and what became of items that waited."""
        refusals.save_refused(self._tx, [_row(fresh) for fresh in self._fresh], self._as_of)
        refusals.see_again(self._tx, self._again, self._as_of)
        settled = [
            Settled(item.uid, "superseded", "rejected", {**_words(SUPERSEDED), "event": event})
            for item, event in self._replaced
        ]
        settled += [Settled(uid, "discarded", "rejected", {}) for uid in self._discarded]
        for page in self._redriven:
            settled += self._came_again(page, by_page.get(page.id, ()))
        refusals.settle(self._tx, settled, self._as_of)

    def _came_again(self, page: PreparedPage, outcomes: Sequence[Outcome]) -> Iterable[Settled]:
        uids, first = uids_of(page), page.page.first_row
        for outcome in outcomes:
            yield Settled(uids[outcome.row - first], "redriven", outcome.status, {"event": outcome.event})
        for row in self._refused[page.id]:
            told = {"code": row.code, "field": row.field, "remedy": row.remedy}
            yield Settled(uids[row.row - first], "open", "quarantined", told, row.shape)


def uids_of(page: PreparedPage) -> list[str]:
    """The items (redrive, discard) or versions (replay) that the rows of such a page are."""
    return page.page.source.partition(":")[2].split(",")


def _key(page: PreparedPage, row: Refused) -> Key:
    return Key(*page.page.stream, row.no or "")


def _named(stream: StreamKey, no: str | None, uid: str) -> Key:
    """The row as D26 names it."""
    return Key(*stream, no or f"row:{uid}")


def _row(fresh: _Fresh) -> RefusedRow:
    page, r, closed_by = fresh
    return RefusedRow(
        r.uid, page.id, r.row, page.page.stream, r.no, r.code, r.field, r.remedy, page.page.mode, r.original, r.digest,
        r.shape, r.speaks_of_harm, r.updated_at, closed_by,
    )  # fmt: skip


def _line(row: Refused) -> Line:
    return {"row": row.row, "status": "quarantined", "code": row.code, "field": row.field, "remedy": row.remedy}


def _closed_line(row: Refused, state: str) -> Line:
    """A repeat of what was given up, or of what a newer version has replaced."""
    words = _words(SUPERSEDED) if state == "superseded" else {}
    return {**_line(row), "status": "rejected", **words}


def _words(code: str) -> Line:
    return {"code": code, "field": "", "remedy": remedy_of(code)}
