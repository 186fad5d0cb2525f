"""A look at a source: its first records, mapped as they would be taken; nothing is stored and nothing is moved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from hub import bootstrap
from hub.cli.moments import short
from hub.core.errors import HubError
from hub.core.message import json_ready
from hub.core.normalise import normalise
from hub.core.records import Draft, Problem
from hub.runtime.unit_worker import UnitWorker
from hub.settings import Settings

OLD = timedelta(days=30)
"""Records older than this, taken live, would make duties about the past: `live_from` is asked for."""
LOOKED_AT = 500
"""Records of a source that are looked at."""


def old_records(settings: Settings, name: str) -> dict[str, int | None]:
    """Polled stream of a connector → how many of its first records are older than 30 days; None: not reached."""
    config = settings.connectors[name]
    polled = [stream for stream, how in config.streams.items() if how.transport != "push"]
    if not polled:
        return {}
    worker = bootstrap.make_worker(settings, config)
    try:
        return {stream: _old(worker, stream) for stream in polled}
    finally:
        worker.close()


def _old(worker: UnitWorker, stream: str) -> int | None:
    try:
        return sum(is_old(entry) for entry in looked_at(worker, stream, LOOKED_AT))
    except HubError:
        return None


def looked_at(worker: UnitWorker, stream: str, limit: int) -> Iterator[Draft | Problem]:
    """Mapped records from the beginning of a source; reading stops early, and no file is moved."""
    for drafts in worker.look(stream):
        yield from drafts[:limit]
        limit -= len(drafts)
        if limit <= 0:
            return


def is_old(entry: Draft | Problem) -> bool:
    """Whether a record speaks of something more than 30 days ago."""
    if isinstance(entry, Problem):
        return False
    moment = bootstrap.now()
    clean = normalise(entry, received_at=moment, lenient=True)
    return isinstance(clean, Draft) and clean.at is not None and moment - clean.at > OLD


def would_be(entry: Draft | Problem, *, lenient: bool) -> dict[str, Any]:
    """One record as the line would take it: by its problem, or by its facts and persons."""
    clean = entry if isinstance(entry, Problem) else normalise(entry, received_at=bootstrap.now(), lenient=lenient)
    if isinstance(clean, Problem):
        return {
            "row": clean.row,
            "key": clean.key.no if clean.key else None,
            "would_be": "rejected" if clean.rejected else "quarantined",
            "code": clean.code,
            "field": clean.field,
            "remedy": clean.remedy,
        }
    return {
        "row": clean.row,
        "key": clean.key.no,
        "kind": clean.kind,
        "at": short(clean.at.isoformat()) if clean.at else None,
        "would_be": "retracted" if clean.deleted else "applied",
        "facts": json_ready({name: value for name, value in clean.facts.items() if value is not None}),
        "persons": [json_ready({k: v for k, v in person._asdict().items() if v}) for person in _parties(clean)],
        "issues": [{"code": code, "field": field} for code, field in clean.issues],
    }


def _parties(draft: Draft) -> list[Any]:
    """Everybody but the reporter, who is shown to nobody."""
    return [person for person in draft.persons if person.role != "reporter"]
