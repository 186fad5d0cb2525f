"""The hub's own unit: what people do and what the hub observes arrives as its records, by the same line.

A row is flat JSON: ``no`` (the record's own number), ``updated_at``, and the facts and texts of its kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson

from hub.core.freight import Answer, Drafts, Page, Parcel
from hub.core.records import Draft, Key, Owed, Problem, StreamKey
from hub.core.words import COMMON, KINDS, STATION
from hub.store.numbers import new_uid

STREAMS: dict[str, str] = {
    # stream of `station` → kind of record
    "report_feedback": "report_feedback",
    "duty_answer": "duty_answer",
    "receipt": "receipt",
    "silence": "silence",
    "adoption": "adoption",
    "override": "override",
    "objection": "objection",
    "handover": "handover",
    "identity": "identity_decision",
    "objection_answer": "objection_answer",
}


class StationWorker:
    """The four verbs for `station`: it maps rows that the hub itself wrote, and neither fetches nor sends."""

    unit = STATION

    def fetch(self, stream: str, cursor: str | None) -> Iterator[tuple[Page, Drafts]]:
        """Nothing: its records come from people and from the hub."""
        return iter(())

    def map(self, page: Page) -> Drafts:
        """One draft per row; a row without number is a problem."""
        kind = STREAMS[page.stream.stream]
        rows = orjson.loads(page.body)
        return [_draft(page, kind, page.first_row + index, row) for index, row in enumerate(rows)]

    def render(self, owed: Owed, body: Mapping[str, Any]) -> bytes:
        """Nothing is ever addressed to the hub itself."""
        raise NotImplementedError

    def send(self, parcel: Parcel) -> Answer:
        """Nothing is ever addressed to the hub itself."""
        return Answer("refused", detail="no_destination")


def _draft(page: Page, kind: str, number: int, row: Mapping[str, Any]) -> Draft | Problem:
    original = orjson.dumps(row)
    if not row.get("no"):
        return Problem(number, None, "key.missing", "no", "send the record's own number as no", original)
    declared = KINDS[kind]
    return Draft(
        row=number,
        key=Key(STATION, page.stream.stream, str(row["no"])),
        kind=kind,
        updated_at=row.get("updated_at"),
        deleted=row.get("deleted"),
        facts={name: row[name] for name in (*declared.facts, *COMMON) if row.get(name) is not None},
        persons=(),
        related=(),
        texts={name: str(row[name]) for name in declared.texts if row.get(name)},
        original=original,
    )


def station_page(stream: str, rows: list[dict[str, Any]], now: datetime) -> Page:
    """A page of what somebody did, ready to land; rows without a number get a time-ordered one."""
    numbered = [{"no": new_uid(), "updated_at": now.isoformat(), **row} for row in rows]
    return Page(
        uid=new_uid(),
        stream=StreamKey(STATION, stream),
        mode="live",
        door="station",
        body=orjson.dumps(numbered),
        rows=len(numbered),
        first_row=0,
        received_at=now,
    )
