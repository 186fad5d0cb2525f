"""Checks of what comes out: messages that are the same bytes each time, and canaries that must appear nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hub.kit.bench import Died, Failed, Hung, Refused
from hub.kit.mapped import HOSTILE
from hub.kit.samples import Row, headers_of, many
from hub.kit.sites import SECRET, site_of, ways_in
from hub.kit.work import Exempt, Work, attempt
from hub.sdk.connector import Stream

NAME, NUMBER, PHONE = "金丝雀甲乙丙", "310101199903037719", "13900009173"
TEXT, NEVER = "金丝雀所述之事", "金丝雀不存之值"
CANARIES = {
    "a name": NAME,
    "an ID number": NUMBER,
    "a telephone number": PHONE,
    "a narrative": TEXT,
    "a secret": SECRET,
}
"""What is planted, and what it stands for: found outside drafts it is somebody's data in a log."""

BY_ATTRIBUTE = {"name": NAME, "id_number": NUMBER, "phone": PHONE, "address": TEXT}

MESSAGE: dict[str, Any] = {
    "message_no": "M-0001", "unit": "station", "addressee": "unit", "created_at": "2026-11-02T08:00:00+08:00",
    "body": {
        "duty_no": "D-0001", "duty": "D1", "household": "H-0001", "reason": "R1", "state": "open",
        "due": "2026-11-09T00:00:00+08:00", "members": [{"name": NAME, "phone": PHONE, "role": "victim"}],
    },
}  # fmt: skip
REPORT: dict[str, Any] = {
    "report_no": "MR-0001", "rule": "M1", "also": [], "clause": "五(一)", "kind": "dv", "urgency": "high",
    "reporting_unit": "station", "victim": {"name": NAME, "id_number": NUMBER}, "alleged": {"name": NAME}, "place": TEXT,
    "narrative": TEXT, "injury": "none", "situation": None, "evidence": [], "reporter": {"name": NAME},
    "created_at": "2026-11-02T08:00:00+08:00",
}  # fmt: skip


def stable(work: Work) -> Iterator[str]:
    """A message is rendered to the same bytes twice and in another process: what is sent again is the same message."""
    if not work.manifest.receives:
        raise Exempt("the unit receives no messages")
    other = work.start(seed="2")
    for kind in work.manifest.receives:
        found: list[str] = []
        bodies = [
            attempt(found, f"render {kind}", child.render, message(kind)) for child in (work.calm, work.calm, other)
        ]
        yield from found
        if not found and len(set(bodies)) > 1:
            yield f"{kind}: rendered again, it is another message"
        if not found and not bodies[0]:
            yield f"{kind}: rendered to nothing"


def message(kind: str) -> dict[str, Any]:
    return REPORT if kind == "mandatory_report" else {"type": kind, **MESSAGE}


def planted(stream: Stream, rows: list[Row], count: int) -> list[Row]:
    """Rows in which every person, every text and every secret column is a canary."""
    made = many(stream, rows, count)
    for row in made:
        for header in headers_of(stream, row, "text"):
            row[header] = TEXT
        for attribute, canary in BY_ATTRIBUTE.items():
            for field in stream.fields:
                if field.to.startswith("person:") and field.to.endswith(f".{attribute}"):
                    row[field.header or field.name] = canary
    return made


def quiet(work: Work) -> Iterator[str]:
    """Nobody's data stands in what the connector prints, logs, raises, refuses or leaves behind while it maps."""
    child = work.start()
    for stream in work.streams.values():
        sample = work.samples.get(stream.name)
        rows: list[Any] = planted(stream, sample.rows if sample else [{}], 4)
        broken = [{**row, header: {"inner": NAME}} for row in rows[:1] for header in list(row)]
        for some in (rows, [*HOSTILE, *broken]):
            attempt([], "", child.map, stream.name, some)
    for kind in work.manifest.receives:
        attempt([], "", child.render, message(kind))
    yield from found_canaries(work)


def quiet_in_trouble(work: Work) -> Iterator[str]:
    """Nor does it while its source refuses, breaks off or sends garbage: neither data nor the credential."""
    stream, sample = work.main
    for way in ways_in(work):
        with site_of(way, work, planted(stream, sample, 12)) as site:
            for trouble in site.troubles():
                trouble()
                try:
                    for _ in work.start(*site.settings()).fetch(stream.name, None):
                        pass
                except (Died, Hung, Failed, Refused):
                    continue
    yield from found_canaries(work)


def found_canaries(work: Work) -> Iterator[str]:
    """Each canary that got out, by what it stands for and where it was found; never by its value."""
    told = set()
    for where, text in work.outputs():
        for what, canary in CANARIES.items():
            if canary in text or json.dumps(canary)[1:-1] in text:
                told.add(f"{what} stands in {where}")
    yield from sorted(told)


def never_stored(work: Work) -> Iterator[str]:
    """Columns that may never be stored are gone before a page lands, wherever they stand and whoever fetches it."""
    forbidden = {name: stream.never_store for name, stream in work.manifest.streams.items() if stream.never_store}
    if not forbidden:
        raise Exempt("no stream has columns that may never be stored")
    for name, patterns in forbidden.items():
        stream = work.streams[name]
        sample = work.samples.get(name)
        extra = {pattern.replace("*", end): NEVER for pattern in patterns for end in ("", "一")}
        rows = [{**row, **extra, "更多": extra} for row in many(stream, sample.rows if sample else [{}], 3)]
        mapped = work.map(name, rows)
        if NEVER in mapped.body or NEVER in json.dumps(mapped.entries, ensure_ascii=False):
            yield f"{name}: mapped, the value of such a column is still there"
        if name == work.main[0].name:
            flat = [{**row, **extra} for row in many(stream, sample.rows if sample else [{}], 3)]
            yield from _never_fetched(work, stream, flat)


def _never_fetched(work: Work, stream: Stream, rows: list[Row]) -> Iterator[str]:
    for way in ways_in(work):
        with site_of(way, work, rows) as site:
            for page in work.start(*site.settings()).fetch(stream.name, None):
                if NEVER in page.body or NEVER in json.dumps(page.entries, ensure_ascii=False):
                    yield f"{stream.name}: fetched by {way}, the value of such a column is still there"
                    break


def left_behind(work: Work) -> Iterator[str]:
    """Its folder is empty when it ends."""
    for path in sorted(Path(work.folder / "work").rglob("*")):
        if path.is_file():
            yield f"it left a file {path.name}"
