"""Sources to fetch from: a real HTTP server, a real SQLite table, a real folder, each with troubles of its own.

A connector that is tables can be fed by each of them. One with a source of its own is fed by those that its options
name: an option of kind ``url`` gets the server's address, ``table`` the database's, ``folder`` the folder.
"""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from hub.kit.peer import Peer
from hub.kit.samples import Row
from hub.kit.work import Exempt, Work
from hub.sdk.connector import Stream
from hub.settings import Auth, ReconcileConfig, SecretRef, StreamConfig

__all__ = ["LATENESS", "SECRET", "Site", "polled_ways", "site_of", "ways_in"]

SECRET = "canary-credential-7f3a91"  # noqa: S105 - opens nothing
"""What the source asks for; it may stand in no output."""

LATENESS = timedelta(minutes=10)
"""How late a record may turn up and must still be found: the overlap of every polled stream."""

WAYS = {"rest": "url", "table": "table", "files": "folder"}
"""Transport → the kind of option by which a source of a connector's own is led to it."""

_numbers = count(1)


def ways_in(work: Work) -> list[str]:
    """By which transports this connector can be fed here. Raises Exempt for a source no option leads anywhere."""
    if not work.has_own_source:
        return list(WAYS)
    kinds = {option.kind for option in work.manifest.config.values()}
    found = [way for way, kind in WAYS.items() if kind in kinds]
    if not found:
        raise Exempt("no option of its manifest ([config], kind url, table or folder) leads its source to the kit")
    return found


def polled_ways(work: Work, *only: str) -> list[str]:
    """Of these transports the ones that apply. Raises Exempt for none."""
    found = [way for way in ways_in(work) if way in only]
    if not found:
        raise Exempt(f"its source is fed by {', '.join(ways_in(work))}")
    return found


class Site:
    """One source with rows in it. ``settings()`` is what a child is started with to read it."""

    way = ""

    def __init__(self, work: Work, rows: Sequence[Row]) -> None:
        self.work = work
        self.stream: Stream = work.main[0]
        self.folder = work.folder / f"site-{next(_numbers)}"
        self.folder.mkdir()
        self.updated = next((f.header or f.name for f in self.stream.fields if f.to == "updated_at"), "")
        self._secret = self.folder / "secret"
        self._secret.touch(mode=0o600)
        self._secret.write_text(SECRET, encoding="ascii")
        self.rows: list[Row] = []
        self.put(rows)

    def put(self, rows: Sequence[Row]) -> None:
        """More rows appear in the source."""
        raise NotImplementedError

    def address(self) -> str:
        """Where it is."""
        raise NotImplementedError

    def close(self) -> None:
        """Give everything back."""

    def troubles(self) -> Iterator[Callable[[], None]]:
        """Each puts the source into another trouble."""
        yield from ()

    def config(self) -> StreamConfig:
        """The stream as IT staff would configure it."""
        raise NotImplementedError

    def settings(self) -> tuple[Mapping[str, StreamConfig], Mapping[str, Any]]:
        """Streams and the connector's own options: what the child is started with."""
        given = {"secret": SecretRef(file=str(self._secret)), WAYS[self.way]: self.address()}
        options = {name: given[o.kind] for name, o in self.work.manifest.config.items() if o.kind in given}
        return {self.stream.name: self.config()}, options


class RestSite(Site):
    """A REST interface: page by number, ``size`` rows each, in order of change, from a time on if one is asked for."""

    way = "rest"

    def __init__(self, work: Work, rows: Sequence[Row]) -> None:
        self.peer = Peer(
            work.main[0], next((f.header or f.name for f in work.main[0].fields if f.to == "updated_at"), "")
        )
        super().__init__(work, rows)

    def put(self, rows: Sequence[Row]) -> None:
        """See Site."""
        self.rows.extend(rows)
        self.peer.rows = sorted(self.rows, key=lambda row: str(row.get(self.updated, "")))

    def address(self) -> str:
        """See Site."""
        return self.peer.url

    def close(self) -> None:
        """See Site."""
        self.peer.close()

    def troubles(self) -> Iterator[Callable[[], None]]:
        """Refusals, garbage and a broken answer, each from the second page on."""
        for trouble in ("refuse", "garbage", "cut", "page", "error_code"):
            yield partial(self.peer.trouble, trouble, after=1)

    def config(self) -> StreamConfig:
        """See Site."""
        return StreamConfig(
            name=self.stream.name, transport="rest", url=self.peer.url, cursor_field=self.updated, overlap=LATENESS,
            options={"page": {"size": 5, "param": "page", "size_param": "size"}, "records": "data.list", "cursor_param": "since"},
            auth=Auth(kind="bearer", secret=SecretRef(file=str(self._secret))), reconcile=ReconcileConfig(options=self._days()),
        )  # fmt: skip

    def _days(self) -> dict[str, Any]:
        page = {
            "page": {"size": 5, "param": "page", "size_param": "size"},
            "records": "data.list",
            "url": self.peer.url,
        }
        counts = {"what": "counts", "from": "{from}", "to": "{to}"}
        return {
            "counts": {**page, "params": counts, "day": "day", "count": "count"},
            "keys": {**page, "params": {"what": "keys", "day": "{day}"}},
            "rows": {**page, "params": {"what": "rows", "day": "{day}"}},
        }


class TableSite(Site):
    """A table of a front-end database, every column text, without a key: repeats lie in it as they were written."""

    way = "table"

    def put(self, rows: Sequence[Row]) -> None:
        """See Site."""
        self.rows.extend(rows)
        columns = list(dict.fromkeys(header for row in self.rows for header in row))
        names = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
        marks = ", ".join("?" for _ in columns)
        with sqlite3.connect(self.folder / "front.db") as database:
            database.execute("PRAGMA synchronous = OFF")
            database.execute("DROP TABLE IF EXISTS records")
            database.execute(f"CREATE TABLE records ({names})")
            database.executemany(
                f"INSERT INTO records VALUES ({marks})",  # noqa: S608 - marks are question marks
                [[row.get(name, "") for name in columns] for row in self.rows],
            )
        database.close()

    def address(self) -> str:
        """See Site."""
        return f"sqlite:///{self.folder / 'front.db'}"

    def troubles(self) -> Iterator[Callable[[], None]]:
        """The table is gone; the file is none."""
        yield lambda: self._run("ALTER TABLE records RENAME TO elsewhere")
        yield self._ruin

    def _ruin(self) -> None:
        (self.folder / "front.db").write_bytes(b"no database" * 100)

    def _run(self, statement: str) -> None:
        with sqlite3.connect(self.folder / "front.db") as database:
            database.execute(statement)
        database.close()

    def config(self) -> StreamConfig:
        """See Site."""
        return StreamConfig(
            name=self.stream.name, transport="table", url=self.address(), options={"table": "records"},
            cursor_field=self.updated, overlap=LATENESS, reconcile=ReconcileConfig(),
        )  # fmt: skip


class FolderSite(Site):
    """A drop folder; each ``put`` is one more file, written under another name and renamed."""

    way = "files"
    ready = "rename"

    def put(self, rows: Sequence[Row]) -> None:
        """See Site."""
        self.rows.extend(rows)
        name = f"drop-{next(_numbers):06d}.csv"
        partial = self.folder / "in" / f"{name}.part"
        partial.parent.mkdir(exist_ok=True)
        partial.write_bytes(as_csv(rows))
        partial.rename(partial.with_name(name))

    def address(self) -> str:
        """See Site."""
        return str(self.folder / "in")

    def troubles(self) -> Iterator[Callable[[], None]]:
        """A file that is no text, one without a header, one with rows of another shape."""
        for content in (b"\x00\x01\x02\xff" * 50, b"\n\n\n", b"a,b\n1,2,3,4\n"):
            yield partial(self._drop, content)

    def _drop(self, content: bytes) -> None:
        (self.folder / "in" / f"drop-{next(_numbers):06d}.csv").write_bytes(content)

    def config(self) -> StreamConfig:
        """See Site."""
        return StreamConfig(
            name=self.stream.name, transport="files",
            options={
                "folder": Path(self.address()), "pattern": "*.csv", "ready": self.ready,
                "settle": timedelta(milliseconds=50), "done": self.folder / "done", "failed": self.folder / "failed",
            },
        )  # fmt: skip


def as_csv(rows: Sequence[Row]) -> bytes:
    """Rows as an office program writes them: GB18030, one header for all."""
    headers = list(dict.fromkeys(header for row in rows for header in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, headers, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("gb18030")


SITES: dict[str, type[Site]] = {"rest": RestSite, "table": TableSite, "files": FolderSite}


@contextmanager
def site_of(way: str, work: Work, rows: Sequence[Row]) -> Iterator[Any]:
    """A source of this transport with ``rows`` in it, closed at the end."""
    site = SITES[way](work, rows)
    try:
        yield site
    finally:
        site.close()
