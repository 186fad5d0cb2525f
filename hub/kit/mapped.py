"""Checks of the mapping: rows become what was promised, nothing else, and the same in any order and process."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from hub.core.errors import PersonError
from hub.core.normalise import normalise
from hub.core.records import SHANGHAI, Draft, Key, Person, Problem
from hub.core.words import COMMON, KINDS, ROLES
from hub.kit.samples import Samples, comparable, headers_of, many, read_samples
from hub.kit.work import Exempt, Work, attempt
from hub.sdk.connector import Stream

FEW = 5
"""Invented rows of each stream: fewer show neither codes nor corrections nor people without numbers."""

HOSTILE: list[Any] = [
    None, "row", 7, [], [1, 2], {}, {"": ""}, {"nothing": "known"}, {"编号": {"nested": ["x"]}}, {"编号": True},
    {"编号": 10**60}, {"编号": "\ud800"}, {"编号": "\x00"}, {"编号": ["a", {"b": None}]},
]  # fmt: skip
"""Rows no unit should ever send."""

MARK = "未声明的列"
CANARY = "金丝雀之言"


def samples_of(work: Work) -> Iterator[tuple[Stream, Samples]]:
    if not work.samples:
        raise Exempt("no stream has a sample to work with")
    for name, sample in work.samples.items():
        yield work.streams[name], sample


def one_per_row(work: Work) -> Iterator[str]:
    """Exactly one draft or problem for each row, numbered in order, whatever stands in the rows."""
    for stream in work.streams.values():
        rows = [*HOSTILE, dict.fromkeys(stream.key, "N1"), *_broken(work, stream)]
        found: list[str] = []
        mapped = attempt(found, stream.name, work.map, stream.name, rows)
        yield from found
        if mapped is None:
            continue
        if [entry.get("row") for entry in mapped.entries] != list(range(1, len(rows) + 1)):
            yield f"{stream.name}: {len(rows)} rows became {len(mapped.entries)} entries, or their numbers differ"
        for entry in mapped.entries:
            if entry["what"] not in ("draft", "problem"):
                yield f"{stream.name}: a row became a {entry['what']}"


def _broken(work: Work, stream: Stream) -> list[dict[str, Any]]:
    """Sample rows with one cell each that no table expects."""
    rows = many(stream, work.samples[stream.name].rows, 1) if stream.name in work.samples else []
    cells: tuple[Any, ...] = ({"a": 1}, ["x"], 1e300, True, "\x00", "\ud800", "x" * 5000, None)
    return [{**row, header: cells[number % len(cells)]} for row in rows for number, header in enumerate(row) if header]


def undeclared(work: Work) -> Iterator[str]:
    """A column that no table names leaves nothing in a draft; only the original, sealed apart, still holds it."""
    for stream, sample in samples_of(work):
        rows = [{**row, MARK: CANARY, "extra": {"inner": CANARY}} for row in many(stream, sample.rows, 3)]
        for entry in work.map(stream.name, rows).entries:
            if CANARY in json.dumps({**entry, "original": ""}, ensure_ascii=False):
                yield f"{stream.name}: row {entry['row']} carries what stood in an undeclared column"


def own_words(work: Work) -> Iterator[str]:
    """Drafts speak for their own unit and stream, of the stream's kind, in roles, facts and texts the hub knows."""
    for stream, sample in samples_of(work):
        for entry in work.map(stream.name, sample.rows).entries:
            if entry["what"] == "draft":
                yield from (f"{stream.name}: row {entry['row']}: {what}" for what in _foreign(work, stream, entry))


def _foreign(work: Work, stream: Stream, entry: Mapping[str, Any]) -> Iterator[str]:
    spec = KINDS[stream.kind]
    if entry["key"][:2] != [work.manifest.unit, stream.name]:
        yield f"its key is of {'.'.join(map(str, entry['key'][:2]))}"
    if entry["kind"] != stream.kind:
        yield f"its kind is {entry['kind']}, the stream's {stream.kind}"
    for fact in entry["facts"]:
        if fact not in spec.facts and fact not in COMMON:
            yield f"{stream.kind} has no fact {fact}"
    for text in entry["texts"]:
        if text not in spec.texts:
            yield f"{stream.kind} has no text {text}"
    for person in entry["persons"]:
        if person.get("role") not in ROLES:
            yield "a person stands in a role the hub does not know"


def present(work: Work) -> Iterator[str]:
    """Each stream of its own has at least five invented rows and the drafts they must become."""
    try:
        samples = read_samples(work.target.folder / "samples", work.streams)
    except PersonError as error:
        yield f"samples: {error}"
        return
    for name in work.own_streams:
        sample = samples.get(name)
        if sample is None:
            yield f"{name}: no sample (samples/{name}.csv, .xlsx, .json …)"
        elif len(sample.rows) < FEW:
            yield f"{name}: {len(sample.rows)} rows"
        elif sample.golden is None:
            yield f"{name}: no golden drafts (samples/{name}.drafts.json)"


def golden(work: Work) -> Iterator[str]:
    """Each sample becomes exactly the drafts that lie beside it."""
    for stream, sample in samples_of(work):
        if sample.golden is None:
            continue
        found = [comparable(entry) for entry in work.map(stream.name, sample.rows).entries]
        yield from _differences(stream.name, found, sample.golden)


def _differences(name: str, found: Sequence[Mapping[str, Any]], golden: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if len(found) != len(golden):
        yield f"{name}: {len(found)} drafts, {len(golden)} golden ones"
    for ours, theirs in zip(found, golden, strict=False):
        expected = comparable({"what": "problem" if "code" in theirs else "draft", **theirs})
        differing = [part for part in {**ours, **expected} if ours.get(part) != expected.get(part)]
        if differing:
            yield f"{name}: row {theirs.get('row')} differs in {', '.join(differing)}"


def both_headers(work: Work) -> Iterator[str]:
    """The same rows under the English headers, in another case, become the same drafts."""
    for stream, sample in samples_of(work):
        english = {field.header: field.name.upper() for field in stream.fields if field.header}
        rows = [{english.get(header, header): cell for header, cell in row.items()} for row in sample.rows]
        ours = [comparable(entry) for entry in work.map(stream.name, sample.rows).entries]
        theirs = [comparable(entry) for entry in work.map(stream.name, rows).entries]
        yield from _differences(f"{stream.name} under English headers", theirs, ours)


def accepted(work: Work) -> Iterator[str]:
    """The hub takes the sample rows: its own reading of dates, codes and numbers finds them good."""
    for stream, sample in samples_of(work):
        drafts = [draft for entry in work.map(stream.name, sample.rows).entries if (draft := _draft(entry))]
        now = datetime.now(SHANGHAI) + timedelta(days=366)
        judged = [normalise(draft, received_at=now) for draft in drafts]
        refused = [clean for clean in judged if isinstance(clean, Problem) and not clean.rejected]
        if len(refused) * 2 > len(judged):
            codes = ", ".join(sorted({f"{problem.code} {problem.field}".strip() for problem in refused}))
            yield f"{stream.name}: {len(refused)} of {len(judged)} rows would be quarantined: {codes}"


def _draft(entry: Mapping[str, Any]) -> Draft | None:
    """A draft again, from what the child told of it."""
    if entry["what"] != "draft":
        return None
    persons = tuple(Person(**person) for person in entry["persons"])
    parts = {name: entry[name] for name in ("row", "kind", "updated_at", "deleted", "facts", "texts")}
    return Draft(
        **parts, key=Key(*entry["key"]), persons=persons, related=tuple(entry["related"]),
        original=entry["original"].encode("utf-8", "replace"),
    )  # fmt: skip


def deterministic(work: Work) -> Iterator[str]:
    """The same row becomes the same draft: in another process, in another order, alone or among others."""
    other = work.start(seed="2")
    for stream, sample in samples_of(work):
        once = _contents(work.map(stream.name, sample.rows).entries)
        if _contents(work.map(stream.name, sample.rows).entries) != once:
            yield f"{stream.name}: mapped twice, it gives two results"
        elif _contents(other.map(stream.name, sample.rows).entries) != once:
            yield f"{stream.name}: another process gives another result"
        elif _contents(work.map(stream.name, sample.rows[::-1]).entries)[::-1] != once:
            yield f"{stream.name}: the result depends on the order of the rows"
        elif [_contents(work.map(stream.name, [row]).entries)[0] for row in sample.rows] != once:
            yield f"{stream.name}: the result of a row depends on its neighbours"


def _contents(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """What entries say, without their place in the page."""
    return [json.dumps({**entry, "row": 0}, ensure_ascii=False, default=str) for entry in entries]


def untouched(work: Work) -> Iterator[str]:
    """The original kept of a row is the row as it was sent, but for columns that may never be stored."""
    for stream, sample in samples_of(work):
        mapped = work.map(stream.name, sample.rows)
        sent = json.loads(mapped.body)
        for row, entry in zip(sent, mapped.entries, strict=False):
            if json.loads(entry["original"]) != row:
                yield f"{stream.name}: the original of row {entry['row']} is not the row as sent"


def pure(work: Work) -> Iterator[str]:
    """While rows are mapped nothing is opened, asked, written or started."""
    child = work.start()
    del child.acts[:]
    for stream, sample in samples_of(work):
        child.map(stream.name, sample.rows)
    for act, what in child.acts:
        if not (act == "open.read" and what.endswith((".py", ".pyc"))):  # a module imported when first needed
            yield f"while rows were mapped: {act} {what}"


def retraction(work: Work) -> Iterator[str]:
    """Each sample shows a record that was retracted."""
    for stream, sample in samples_of(work):
        headers = {header for row in sample.rows for header in headers_of(stream, row, "deleted")}
        if not any(row.get(header) not in ("", None, False, "0", "否") for row in sample.rows for header in headers):
            yield f"{stream.name}: no row has its 删除标志 set"


def invented(work: Work) -> Iterator[str]:
    """Nobody in a sample exists: telephone numbers begin with 1390000, addresses hold 虚构."""
    for stream, sample in samples_of(work):
        attribute = {
            field.name: field.to.rpartition(".")[2] for field in stream.fields if field.to.startswith("person:")
        }
        for number, row in enumerate(sample.rows, 1):
            for header, cell in row.items():
                what = attribute.get(stream.own.get("".join(header.split()).casefold(), ""))
                if what == "phone" and cell and not str(cell).startswith("1390000"):
                    yield f"{stream.name}: row {number}: {header} is not of the invented range 1390000…"
                if what == "address" and cell and "虚构" not in str(cell):
                    yield f"{stream.name}: row {number}: {header} holds no 虚构"
