"""Rows of the audit chain."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from hub.store.sql import Row, Sql
from hub.store.times import from_us, to_us

_COLUMNS = ("number", "at", "who", "role", "act", "subject", "purpose", "before", "digest")
BATCH = 1000


class Entry(NamedTuple):
    """One look at personal data; ``before`` is the digest of the entry before it."""

    number: int
    at: datetime
    who: str
    role: str
    act: str
    subject: str
    purpose: str
    before: bytes
    digest: bytes


def last_entry(sql: Sql) -> Entry | None:
    """The newest entry."""
    row = sql.one(f"SELECT {', '.join(_COLUMNS)} FROM audit ORDER BY number DESC LIMIT 1")
    return None if row is None else _entry(row)


def insert_entry(sql: Sql, entry: Entry) -> None:
    """A new entry; its number must be free."""
    sql.insert("audit", _COLUMNS, [(entry.number, to_us(entry.at), *entry[2:])])


def entries(sql: Sql) -> Iterator[Entry]:
    """All entries in order."""
    after = 0
    text = f"SELECT {', '.join(_COLUMNS)} FROM audit WHERE number > ? ORDER BY number LIMIT ?"
    while rows := sql.rows(text, (after, BATCH)):
        yield from map(_entry, rows)
        after = int(rows[-1][0])


def _entry(row: Row) -> Entry:
    number, at, who, role, act, subject, purpose, before, digest = row
    return Entry(int(number), from_us(at), who, role, act, subject, purpose, bytes(before), bytes(digest))
