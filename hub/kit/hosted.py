"""The connector where it will live: in the hub's own child process, within its bounds, behind the real pipe.

All other checks use children of the bench, which let everything out that a connector says. The hub's child lets nothing
out, bounds memory and files, and checks every draft that comes over the pipe; here both must agree.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from hub.core.errors import HubError
from hub.core.records import StreamKey
from hub.kit.archive import Archive, differences, truth
from hub.kit.bench import Mapped
from hub.kit.samples import many
from hub.kit.sites import site_of, ways_in
from hub.kit.wire import plain
from hub.kit.work import Exempt, Work, attempt
from hub.runtime.reach import Reach
from hub.runtime.specs import source_spec
from hub.runtime.supervisor import ChildSpec, Supervisor
from hub.settings import Limits

ROWS = 12


def in_the_hub(work: Work) -> Iterator[str]:
    """Loaded, mapped and fetched by the hub's own process, it gives the drafts that it gives on the bench."""
    with _on_path(work.target.paths):
        supervisor = Supervisor(ChildSpec(name=work.target.name, entry=work.target.entry, unit=work.manifest.unit))
        try:
            supervisor.start()
            yield from _maps_alike(work, supervisor)
            yield from _fetches(work, supervisor)
        except HubError as error:
            yield f"{error} ({error.code})"
        finally:
            supervisor.close()


@contextmanager
def _on_path(paths: tuple[str, ...]) -> Iterator[None]:
    """The hub gives its child its own module path; a package that is not installed is put there for a while."""
    before = list(sys.path)
    sys.path[:0] = paths
    try:
        yield
    finally:
        sys.path[:] = before


def own_files(work: Work) -> Iterator[str]:
    """While it fetches it asks for no file but its own: Python's, its package's, its source's."""
    stream, sample = work.main
    for way in ways_in(work):
        with site_of(way, work, many(stream, sample, ROWS)) as site:
            child = work.start(*site.settings())
            del child.acts[:]
            attempt([], "", list, child.fetch(stream.name, None))
            reach = Reach(reads=(str(work.target.folder), str(site.folder), str(child.folder)))
            asked = {os.path.join(child.folder, what) for act, what in child.acts if act.startswith("open")}
        yield from (f"{way}: it asks for {path}" for path in sorted(asked) if not reach.lets_open(path))


def _maps_alike(work: Work, supervisor: Supervisor) -> Iterator[str]:
    for name, sample in work.samples.items():
        mapped = work.map(name, sample.rows)
        body = mapped.body.encode()
        drafts = supervisor.map(StreamKey(work.manifest.unit, name), body, len(mapped.entries), 1, {})
        if json.loads(json.dumps([plain(draft) for draft in drafts], default=str)) != mapped.entries:
            yield f"{name}: over the hub's pipe the sample becomes other drafts"


def _fetches(work: Work, supervisor: Supervisor) -> Iterator[str]:
    stream, sample = work.main
    try:
        ways = ways_in(work)
    except Exempt:
        return
    for number, way in enumerate(ways):
        rows = many(stream, sample, ROWS, first=number * ROWS)  # one process knows again what it has read
        calm = truth(work.map(stream.name, rows).entries)
        with site_of(way, work, rows) as site:
            streams, options = site.settings()
            spec = source_spec(streams[stream.name], Limits(rows_per_page=5), options)
            archive = Archive()
            for batch in supervisor.read(spec, None, Event()):
                entries = [plain(draft) for draft in batch.drafts]
                archive.land(Mapped(batch.body.decode(), entries, batch.cursor))
            yield from (f"{way}: {what}" for what in differences(archive, calm))
