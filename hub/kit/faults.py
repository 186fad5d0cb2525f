"""Fault injection: whatever a source or a machine does, nothing is lost, nothing is there twice, and the call ends.

Each check puts the connector's own sample rows, multiplied, into real sources, makes trouble, and compares the archive
afterwards with that of a calm day.
"""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Generator, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from hub.kit.archive import Archive, differences, truth
from hub.kit.bench import Child, Died, Failed, Hung
from hub.kit.samples import START, STEP, Row, at, many, with_cell
from hub.kit.sites import LATENESS, FolderSite, Site, as_csv, polled_ways, site_of, ways_in
from hub.kit.work import Work, attempt

ROWS = 22
"""Five pages of five: full ones, and a last one that is not."""
KILLED_ROWS = 11
"""Three pages, the last one not full: each is a place to be killed at."""
CLASSES = ("RetryError", "CredentialsError", "PersonError", "QuarantineError")
"""Errors that say what happens next."""
STORM_CALLS = 6
"""A polite caller asks a peer that says 429 a few times at most, then leaves it to the schedule."""


def start_at(site: Site) -> Child:
    return site.work.start(*site.settings())


def rows_of(work: Work, count: int = ROWS, first: int = 0) -> list[Row]:
    stream, sample = work.main
    return many(stream, sample, count, first=first)


def _calm(work: Work, rows: Sequence[Row]) -> Archive:
    return truth(work.map(work.main[0].name, list(rows)).entries)


def read_on(found: list[str], archive: Archive, site: Site, child: Child | None = None) -> None:
    """One read to its end; how it failed goes to ``found``."""
    attempt(found, site.way, archive.read, child or start_at(site), site.stream.name)


def compared(site: Site, archive: Archive, when: str) -> Iterator[str]:
    yield from (f"{site.way}: {when}: {what}" for what in differences(archive, _calm(site.work, site.rows)))


def kill(work: Work) -> Iterator[str]:
    """Killed with every page in flight, and with the last one landed: nothing is lost or doubled by the next process."""
    for way in ways_in(work):
        for number in itertools.count(1):
            if (yield from _killed(work, way, number, landed=False)):
                yield from _killed(work, way, number - 1, landed=True)
                break


def _killed(work: Work, way: str, number: int, *, landed: bool) -> Generator[str, None, bool]:
    """Kill at one page and read on; whether the source had fewer pages."""
    with site_of(way, work, rows_of(work, KILLED_ROWS)) as site:
        archive, found = Archive(), list[str]()
        is_over = _killed_after(start_at(site), archive, site.stream.name, number, landed=landed)
        read_on(found, archive, site)
        yield from found
        yield from compared(site, archive, f"killed at page {number}")
    return is_over or number > KILLED_ROWS


def _killed_after(child: Child, archive: Archive, stream: str, number: int, *, landed: bool) -> bool:
    """Read ``number`` pages and end the process; whether the source had no more."""
    pages = child.fetch(stream, None)
    for count, page in enumerate(pages, 1):
        if count < number or landed:
            archive.land(page)
        if count == number:
            child.kill()
            return False
    return True


def repeats(work: Work) -> Iterator[str]:
    """Pages that overlap, repeat rows and come out of order, newest first; and a kill in the middle of such a read."""
    for way in ways_in(work):
        rows = rows_of(work)
        with site_of(way, work, rows) as site:
            newer = [later(site, row, 300) for row in rows[3:6]]
            archive, found = Archive(), list[str]()
            if way == "rest":
                site.put(newer)
                site.peer.pages = _muddled([*newer, *rows])
                _killed_after(start_at(site), archive, site.stream.name, 2, landed=True)
                site.peer.pages = None
            else:
                site.put([*newer[::-1], *rows[::-1][:7], *rows[:4]])
            read_on(found, archive, site)
            read_on(found, archive, site)
            yield from found
            yield from compared(site, archive, "repeated and out of order")


def _muddled(rows: Sequence[Row]) -> list[list[Row]]:
    """Pages of five in no order, each beginning with two rows of the one before."""
    order = list(rows)
    random.Random(5).shuffle(order)  # noqa: S311 - the same disorder every time
    return [order[max(0, start - 2) : start + 5] for start in range(0, len(order), 5)]


def later(site: Site, row: Row, minutes: int) -> Row:
    return with_cell(site.stream, row, "updated_at", at(START + timedelta(minutes=minutes)))


def border(work: Work) -> Iterator[str]:
    """Many rows of one time across the border of two pages, and one more of the same time after the read."""
    for way in polled_ways(work, "rest", "table"):
        stream, _ = work.main
        same = [with_cell(stream, row, "updated_at", at(START)) for row in rows_of(work, 13)]
        with site_of(way, work, same[:-1]) as site:
            archive, found = Archive(), list[str]()
            read_on(found, archive, site)
            site.put(same[-1:])
            read_on(found, archive, site)
            yield from found
            yield from compared(site, archive, "rows of one time")


def late(work: Work) -> Iterator[str]:
    """A row that turns up late, with a time before the last one read, is found at the next read."""
    for way in polled_ways(work, "rest", "table"):
        with site_of(way, work, rows_of(work)) as site:
            archive, found = Archive(), list[str]()
            read_on(found, archive, site)
            (row,) = rows_of(work, 1, first=900)
            site.put([with_cell(site.stream, row, "updated_at", at(START + ROWS * STEP - LATENESS / 2))])
            read_on(found, archive, site)
            yield from found
            yield from compared(site, archive, f"{LATENESS / 2} late")


def regress(work: Work) -> Iterator[str]:
    """From an older cursor, as after a restored backup, the source is read again and the archive is the same."""
    for way in ways_in(work):
        with site_of(way, work, rows_of(work)) as site:
            archive, found = Archive(), list[str]()
            read_on(found, archive, site)
            yield from found
            if found:
                continue
            if way == "files":
                site.put(site.rows[:5])  # the same rows dropped once more
            for cursor in (archive.cursors[0], None):
                again = Archive()
                again.cursor, again.held = cursor, dict(archive.held)
                read_on(found, again, site)
                yield from compared(site, again, "from an older cursor")
            yield from found


def future(work: Work) -> Iterator[str]:
    """A row whose clock was wrong, fifty years ahead, hides none of those that come after it."""
    for way in polled_ways(work, "rest", "table"):
        rows = rows_of(work)
        with site_of(way, work, rows[:12]) as site:
            wrong = with_cell(site.stream, rows[12], "updated_at", "2076-11-02 08:00:00")
            site.put([wrong])
            archive, found = Archive(), list[str]()
            read_on(found, archive, site)
            site.put(rows[13:])
            read_on(found, archive, site)
            yield from found
            yield from compared(site, archive, "after a row from the future")


def storm(work: Work) -> Iterator[str]:
    """A peer that says 429 with Retry-After is left alone, its wish is passed on, and the read goes on later."""
    for way in polled_ways(work, "rest"):
        with site_of(way, work, rows_of(work)) as site:
            archive = Archive()
            site.peer.trouble("storm", after=2)
            yield from _expected(archive, site, "429", "RetryError", after=30)
            if site.peer.asked > STORM_CALLS + 2:
                yield f"{way}: asked {site.peer.asked - 2} times while the peer said 429"
            site.peer.calm()
            yield from _goes_on(archive, site, "after the storm")


def credentials(work: Work) -> Iterator[str]:
    """A credential that expires in mid-run is reported as one, what has landed stays, and renewed it goes on."""
    for way in polled_ways(work, "rest"):
        with site_of(way, work, rows_of(work)) as site:
            archive = Archive()
            site.peer.trouble("refuse", after=2)
            yield from _expected(archive, site, "401", "CredentialsError")
            site.peer.calm()
            yield from _goes_on(archive, site, "with a new credential")


def answers(work: Work) -> Iterator[str]:
    """Garbage, half an answer, a login page, an error code, a table that is gone: an error with a name, and no data lost."""
    for way in ways_in(work):
        for number in itertools.count():
            with site_of(way, work, rows_of(work)) as site:
                trouble = next(itertools.islice(site.troubles(), number, None), None)
                if trouble is None:
                    break
                trouble()
                yield from _expected(Archive(), site, f"trouble {number + 1}", *CLASSES)


def _expected(archive: Archive, site: Site, when: str, *classes: str, after: float | None = None) -> Iterator[str]:
    """The read must end with an error of these classes."""
    try:
        archive.read(start_at(site), site.stream.name)
    except Failed as failed:
        if not failed.is_a(*classes):
            yield f"{site.way}: {when}: expected {' or '.join(classes)}, got {failed.told['type']}"
        elif after is not None and failed.told["after"] != after:
            yield f"{site.way}: {when}: Retry-After is lost ({failed.told['after']} instead of {after:g} s)"
    except Died:
        yield f"{site.way}: {when}: the process ended"
    except Hung:
        yield f"{site.way}: {when}: no answer in time"
    else:
        if not archive.problems:  # a row that cannot be read is a problem of its own, and that is an answer too
            yield f"{site.way}: {when}: the read ended as if all had been read"


def _goes_on(archive: Archive, site: Site, when: str) -> Iterator[str]:
    found: list[str] = []
    read_on(found, archive, site)
    yield from found
    yield from compared(site, archive, when)


def half_file(work: Work) -> Iterator[str]:
    """A file that is still being written, or whose writer has died, is not taken for a whole one."""
    polled_ways(work, "files")
    with site_of("files", work, []) as site:
        for path in Path(site.address()).iterdir():
            path.unlink()
        whole = as_csv(rows_of(work))
        yield from _not_taken(
            site, "a file of another name (.part)", Path(site.address()) / "drop-900000.csv.part", whole
        )
        site.ready = "stable"
        yield from _growing(work, site, whole)


def _not_taken(site: FolderSite, what: str, path: Path, whole: bytes) -> Iterator[str]:
    path.write_bytes(whole[: len(whole) // 2])
    archive, found = Archive(), list[str]()
    read_on(found, archive, site)
    yield from found
    if archive.held or archive.problems:
        yield f"files: {what} was read"
    path.unlink(missing_ok=True)


def _growing(work: Work, site: FolderSite, whole: bytes) -> Iterator[str]:
    path, stop = Path(site.address()) / "drop-900001.csv", threading.Event()
    path.write_bytes(whole[: len(whole) // 3])

    def write() -> None:
        for place in range(len(whole) // 3, 2 * len(whole) // 3, 7):
            with path.open("ab") as opened:
                opened.write(whole[place : place + 7])
            if stop.wait(0.005):
                return

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    archive, found = Archive(), list[str]()
    read_on(found, archive, site)
    stop.set()
    writer.join()
    yield from found
    if archive.held or archive.problems:
        yield "files: a file was read while it still grew"
        return
    path.write_bytes(whole)
    site.rows = rows_of(work)
    read_on(found, archive, site)
    read_on(found, archive, site)
    yield from found
    yield from compared(site, archive, "once the file is whole")


def drip(work: Work) -> Iterator[str]:
    """A peer that sends a byte now and then, for ever, holds up nobody: the call ends by its own time limit."""
    for way in polled_ways(work, "rest"):
        with site_of(way, work, rows_of(work)) as site:
            archive = Archive()
            site.peer.trouble("drip", after=2)
            yield from _expected(archive, site, "an answer that drips", "RetryError")
            site.peer.calm()
            yield from _goes_on(archive, site, "after it")
