"""Checks of what a source says of its own days (对账): the account is right, and what was lost comes back by it.

A stream that is read by ``rest`` or ``table`` is asked as IT staff would have it asked; a source of a connector's own by
its ``reconcile``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from itertools import islice

from hub.kit.bench import Child, Died, Failed, Hung
from hub.kit.faults import CLASSES, rows_of, start_at
from hub.kit.samples import Row, with_cell
from hub.kit.sites import Site, polled_ways, site_of
from hub.kit.work import Exempt, Work, attempt

DAY = date(2026, 11, 2)
BEFORE, AFTER = date(2026, 11, 1), date(2026, 11, 3)
TIMES = (
    "2026-11-01 23:59:59", "2026-11-02 00:00:00", "2026-11-02 08:00:00", "2026-11-02 08:00:00", "2026-11-02 23:59:59",
    "2026-11-03 00:00:00", "2026-11-03 09:00:00",
)  # fmt: skip
"""When the rows were changed: up to both ends of a day, two of one second."""
MOST_PAGES = 40
"""Pages of a few rows after which a day does not end."""
TROUBLES = ("refuse", "garbage", "page", "error_code")


def _ways(work: Work) -> list[str]:
    if work.has_own_source and not work.calm.described["reconciles"]:
        raise Exempt("its own source gives no account of its days")
    if not any(field.to == "updated_at" for field in work.main[0].fields):
        raise Exempt("its records have no time of change")
    return polled_ways(work, "rest", "table")


def _rows(work: Work) -> list[Row]:
    rows = rows_of(work, len(TIMES))
    return [with_cell(work.main[0], row, "updated_at", time) for row, time in zip(rows, TIMES, strict=True)]


def _keys(work: Work, rows: Sequence[Row]) -> dict[date, set[str]]:
    """Day → the keys of its records, as the mapping makes them."""
    found: dict[date, set[str]] = {BEFORE: set(), DAY: set(), AFTER: set()}
    for entry, time in zip(work.map(work.main[0].name, list(rows)).entries, TIMES, strict=True):
        if entry["key"]:
            found[date.fromisoformat(time[:10])].add(entry["key"][2])
    return found


def account(work: Work) -> Iterator[str]:
    """Counts and keys of each day are those of its records, to the second at midnight; in trouble they are an error."""
    rows = _rows(work)
    expected = _keys(work, rows)
    for way in _ways(work):
        with site_of(way, work, rows) as site:
            found: list[str] = []
            child = start_at(site)
            told = attempt(found, f"{way}: counts", child.counts, site.stream.name, BEFORE, AFTER)
            yield from found
            if told is not None:
                yield from _compared(child, site, told, expected)
        yield from _in_trouble(work, way, rows)


def _compared(
    child: Child, site: Site, told: tuple[dict[str, int] | None, bool], expected: dict[date, set[str]]
) -> Iterator[str]:
    counts, names_keys = told
    if counts is None and not names_keys:
        yield f"{site.way}: it offers neither counts nor keys"
    for day, keys in expected.items():
        if counts is not None and counts.get(day.isoformat()) != len(keys):
            yield f"{site.way}: {day}: it counts {counts.get(day.isoformat())} records and has {len(keys)}"
        found: list[str] = []
        named = attempt(found, f"{site.way}: keys", partial(_named, child, site, day)) if names_keys else None
        yield from found
        if named is not None and named != keys:
            yield f"{site.way}: {day}: {len(keys - named)} keys are not named, {len(named - keys)} are of other days"


def _named(child: Child, site: Site, day: date) -> set[str]:
    return {key for part in islice(child.keys(site.stream.name, day), MOST_PAGES) for key in part}


def _in_trouble(work: Work, way: str, rows: Sequence[Row]) -> Iterator[str]:
    for number in range(len(TROUBLES) if way == "rest" else 1):
        with site_of(way, work, rows) as site:
            trouble: Callable[[], None] = (
                partial(site.peer.trouble, TROUBLES[number]) if way == "rest" else next(iter(site.troubles()))
            )
            trouble()
            yield from _expected(start_at(site), site, TROUBLES[number] if way == "rest" else "no table")


def _expected(child: Child, site: Site, when: str) -> Iterator[str]:
    try:
        counts, names_keys = child.counts(site.stream.name, BEFORE, AFTER)
        if counts is None and names_keys:
            _named(child, site, DAY)
    except Failed as failed:
        if not failed.is_a(*CLASSES):
            yield f"{site.way}: {when}: expected an error of hub.sdk, got {failed.told['type']}"
    except (Died, Hung) as ended:
        yield f"{site.way}: {when}: {'the process ended' if isinstance(ended, Died) else 'no answer in time'}"
    else:
        yield f"{site.way}: {when}: it gives an account as if nothing were wrong"


def lost(work: Work) -> Iterator[str]:
    """A record that never came is given again for its day, the read ends, and no page of it moves a cursor."""
    rows = _rows(work)
    expected = _keys(work, rows)
    for way in _ways(work):
        with site_of(way, work, rows) as site:
            child, found = start_at(site), list[str]()
            for wanted in ([sorted(expected[DAY])[0]], []):
                pages = attempt(found, f"{way}: again", partial(_again, child, site, wanted))
                yield from found
                if pages is not None:
                    yield from _given(way, pages, set(wanted) or expected[DAY])


def _again(child: Child, site: Site, keys: Sequence[str]) -> list[tuple[set[str], str | None]]:
    pages = islice(child.again(site.stream.name, DAY, keys), MOST_PAGES)
    return [({entry["key"][2] for entry in page.entries if entry["key"]}, page.cursor) for page in pages]


def _given(way: str, pages: Sequence[tuple[set[str], str | None]], wanted: set[str]) -> Iterator[str]:
    given = set().union(*(keys for keys, _ in pages))
    if missing := wanted - given:
        yield f"{way}: {len(missing)} of {len(wanted)} records of the day are not given again"
    if len(pages) >= MOST_PAGES:
        yield f"{way}: the day does not end: {len(pages)} pages"
    if any(cursor is not None for _, cursor in pages):
        yield f"{way}: reading a day again moves the cursor"
