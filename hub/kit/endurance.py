"""Endurance: what no source is to blame for. Hangs, exits, leaks, giants, reads that never end, and one bad day of all.

Each runs the connector calmly first; a connector that cannot do its work at all is told so here by name.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from hub.kit.archive import Archive
from hub.kit.bench import Died, Failed, Hung
from hub.kit.faults import ROWS, compared, later, read_on, rows_of, start_at
from hub.kit.samples import Row, headers_of, many
from hub.kit.sites import polled_ways, site_of, ways_in
from hub.kit.work import Exempt, Work, attempt
from hub.sdk.connector import Stream

GIANT = 2_000_000
"""Characters of one cell: more than any text a person wrote, less than a page may hold."""


def giant(work: Work) -> Iterator[str]:
    """One record of two million characters among others: they all arrive, and memory stays bounded."""
    stream, _ = work.main
    rows = rows_of(work)
    texts = headers_of(stream, rows[3], "text") or headers_of(stream, rows[3], "fact") or list(rows[3])
    rows[3] = {**rows[3], texts[0]: "虚" * (GIANT // 2)}
    found: list[str] = []
    child = work.start()
    mapped = attempt(found, "map", child.map, stream.name, rows)
    for way in polled_ways(work, "rest") if not work.has_own_source or "rest" in ways_in(work) else ():
        with site_of(way, work, rows) as site:
            archive = Archive()
            read_on(found, archive, site)
            if not found and len(archive.held) + archive.problems < len(rows):
                found.append(f"{way}: {len(rows) - len(archive.held) - archive.problems} records are missing beside it")
    yield from found
    if mapped is not None and len(mapped.entries) != len(rows):
        yield f"map: {len(rows)} rows became {len(mapped.entries)} entries"


def answered(work: Work) -> Iterator[str]:
    """Every call is answered in time."""
    yield from (what for what in _walked(work) if "no answer in time" in what)


def lives(work: Work) -> Iterator[str]:
    """No call ends the process."""
    yield from (what for what in _walked(work) if "the process ended" in what)


def _walked(work: Work) -> list[str]:
    """Every verb once, calmly: map, render, fetch. Walked once for both who ask."""
    if work.walked is not None:
        return work.walked
    found = work.walked = list[str]()
    for name, sample in work.samples.items():
        attempt(found, f"map {name}", work.map, name, sample.rows)
    for kind in work.manifest.receives:
        attempt(found, f"render {kind}", work.start().render, {"type": kind, "body": {}, "message_no": "M-1"})
    for way in _fed(work):
        with site_of(way, work, rows_of(work)) as site:
            read_on(found, Archive(), site)
    return found


def _fed(work: Work) -> list[str]:
    try:
        return ways_in(work)
    except Exempt:
        return []


LEAK_PAGES, LEAK_ROWS = 80, 150
LEAK_NOISE = 3 * 512 * 1024
"""Bytes by which the memory of a calm connector moves over so many pages; twice what was seen."""
LEAK_SHARE = 4
"""One byte kept of so many that went through is a leak: a connector runs for months."""


def leak(work: Work) -> Iterator[str]:
    """Memory does not grow with the pages that went through it."""
    stream, sample = work.main
    child = work.start()
    rows, warm, volume = many(stream, sample, LEAK_ROWS), 0, 0
    for number in range(LEAK_PAGES):
        page = child.map(stream.name, _with_keys(stream, rows, f"L{number}"))
        if number == LEAK_PAGES // 4:
            warm, volume = child.memory(), 0
        volume += len(page.body.encode())
    if (grown := child.memory() - warm) > max(LEAK_NOISE, volume // LEAK_SHARE):
        yield f"memory grew by {grown // 1024} KiB while {volume // 1024} KiB of rows went through"


def _with_keys(stream: Stream, rows: Sequence[Row], prefix: str) -> list[Row]:
    """The rows under keys of their own."""
    keys = {header for row in rows[:1] for header in headers_of(stream, row, "key")}
    return [{**row, **dict.fromkeys(keys, f"{prefix}-{number}")} for number, row in enumerate(rows)]


def ends(work: Work) -> Iterator[str]:
    """A read ends, and reading again without anything new gives nothing more than the overlap."""
    for way in ways_in(work):
        with site_of(way, work, rows_of(work)) as site:
            archive, found = Archive(), list[str]()
            child = start_at(site)
            read_on(found, archive, site, child)
            yield from found
            if archive.pages > 3 * ROWS:
                yield f"{way}: {archive.pages} pages for {ROWS} rows: the read does not end"
                continue
            yield from compared(site, archive, "on a calm day")
            if archive.cursor is None and archive.pages:
                yield f"{way}: no page says what has been read: every read would begin at the beginning"


def everything(work: Work) -> Iterator[str]:
    """A day on which it all happens, by chance but always the same: kills, late rows, corrections, repeats, refusals."""
    for way in ways_in(work):
        chance = random.Random(12)  # noqa: S311 - the same bad day every time
        rows = rows_of(work, 60)
        with site_of(way, work, rows[:20]) as site:
            archive = Archive()
            for step in range(6):
                _bad_hour(chance, site, archive, rows[20 + 5 * step : 25 + 5 * step])
            if way == "rest":
                site.peer.calm()
            found: list[str] = []
            read_on(found, archive, site)
            yield from found
            yield from compared(site, archive, "after a bad day")


def _bad_hour(chance: random.Random, site: Any, archive: Archive, fresh: Sequence[Row]) -> None:
    late_rows = (
        [later(site, row, chance.randint(0, 20)) for row in chance.sample(site.rows, 2)] if site.way == "files" else []
    )
    site.put([*fresh, *late_rows])
    if site.way == "rest" and chance.random() < 0.5:
        site.peer.trouble(chance.choice(("storm", "refuse", "cut", "page")), after=chance.randint(0, 4))
    elif site.way == "rest":
        site.peer.calm()
    child = start_at(site)
    stop_at = chance.randint(1, 5)
    try:
        for number, page in enumerate(child.fetch(site.stream.name, archive.cursor), 1):
            if number == stop_at and chance.random() < 0.7:
                child.kill()
                return
            archive.land(page)
    except (Died, Hung, Failed):
        return
