"""The audit chain: every look at a person by a person, written before anything is shown.

Each entry holds the digest of the one before it under the hub's key, so an entry cannot be changed, taken out, put in or
swapped without the key. The last number and digest also stand in ``audit.head`` beside the configuration: a chain that is
shorter than its head was cut, or comes from an older backup. If the entry cannot be written, nothing is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import orjson

from hub.core.errors import HubError
from hub.store.audit import Entry, entries, insert_entry, last_entry
from hub.store.engine import SqlStore
from hub.store.sql import Sql
from hub.store.times import to_us

__all__ = ["HEAD", "Look", "Verdict", "record", "verify"]

HEAD = "audit.head"
FIRST = b"\0" * 32
"""What stands before the first entry."""
TRIES = 8
"""Nodes of one archive may take the same number at once: the later one tries the next."""
LONGEST = 200

Mark = Callable[[bytes], bytes]
"""The vault's keyed digest."""


class Look(NamedTuple):
    """Who looks at what, and what for. Never a name of the person looked at: the id of a household or report."""

    who: str
    role: str
    act: str  # export.households, quarantine.show, household.show …
    subject: str = ""
    purpose: str = ""


class Verdict(NamedTuple):
    """What a check of the chain found: ``bad`` is the first entry that is wrong, ``why`` how."""

    entries: int
    bad: int | None = None
    why: str = ""


def record(store: SqlStore, mark: Mark, look: Look, at: datetime, folder: Path) -> None:
    """Durable when it returns. Raises HubError: then nothing may be shown."""
    look = Look(*(text[:LONGEST] for text in look))
    for left in range(TRIES, 0, -1):
        try:
            with store.write() as tx:
                entry = _next(tx, mark, look, at)
                insert_entry(tx, entry)
            break
        except HubError as error:
            if error.code != "store.refused" or left == 1:
                raise
    _write_head(folder / HEAD, entry)


def _next(sql: Sql, mark: Mark, look: Look, at: datetime) -> Entry:
    last = last_entry(sql)
    number, before = (last.number + 1, last.digest) if last is not None else (1, FIRST)
    entry = Entry(number, at, *look, before, b"")
    return entry._replace(digest=mark(_content(entry)))


def _content(entry: Entry) -> bytes:
    parts = [entry.number, to_us(entry.at), *entry[2:7], entry.before.hex()]
    return b"audit\0" + orjson.dumps(parts)


def _write_head(path: Path, entry: Entry) -> None:
    fresh = path.with_name(f".{HEAD}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(f"{entry.number} {entry.digest.hex()}\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def verify(store: SqlStore, mark: Mark, folder: Path) -> Verdict:
    """Walk the whole chain; the first entry that was changed, taken out, put in or cut off."""
    with store.read() as sql:
        return _walk(entries(sql), mark, _read_head(folder / HEAD))


def _walk(chain: Iterable[Entry], mark: Mark, head: tuple[int, str] | None) -> Verdict:
    count, before = 0, FIRST
    for entry in chain:
        if entry.number != count + 1:
            return Verdict(count, count + 1, "missing")
        if entry.before != before:
            return Verdict(count, entry.number, "swapped or put in")
        if entry.digest != mark(_content(entry)):
            return Verdict(count, entry.number, "changed")
        count, before = entry.number, entry.digest
        if head is not None and head[0] == count and head[1] != before.hex():
            return Verdict(count, count, "another chain than the head's")
    if head is not None and head[0] > count:
        return Verdict(count, count + 1, "cut off, or an older backup")
    if head is None and count:
        return Verdict(count, None, "no head to compare with")
    return Verdict(count)


def _read_head(path: Path) -> tuple[int, str] | None:
    try:
        number, digest = path.read_text(encoding="ascii").split()
        return int(number), digest
    except (OSError, ValueError):
        return None
