"""The way back: a record of the hub as a row of its stream, under the English headers, so that another hub can take it.

What a stream maps, this writes: the own number, time, facts, texts and persons of their blocks. A reporter is never
written, and what only the stream's own hook reads stays behind; ``unwritten`` says whether somebody was lost by that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from hub.core.records import Fact, Key, Person

NEVER = frozenset({"reporter"})
"""Roles that leave the hub in the message to the police only."""


class Table(NamedTuple):
    """A stream's columns as its connector describes them: those of the own number, and (column, target, block)."""

    key: tuple[str, ...]
    fields: tuple[tuple[str, str, str], ...]

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Table:
        """From a connector's description of a stream."""
        return cls(tuple(described["key"]), tuple((str(n), str(to), str(b)) for n, to, b in described["fields"]))


def row_of(
    stream: Table,
    key: Key,
    updated_at: datetime,
    facts: Mapping[str, Fact],
    persons: Sequence[Person],
    texts: Mapping[str, str],
    related: Iterable[str],
) -> dict[str, Any]:
    """One record as a row of ``stream`` with English headers; unrecorded columns are left out."""
    row: dict[str, Any] = dict(zip(stream.key, key.no.split("/"), strict=False))
    blocks = _blocks(stream, persons)
    for column, target, block in stream.fields:
        what, _, name = target.partition(":")
        value: Any = None
        if what == "updated_at":
            value = updated_at
        elif what == "related":
            value = ";".join(related)
        elif what == "fact":
            value = facts.get(name)
        elif what == "text":
            value = texts.get(name)
        elif what == "person" and block in blocks:
            value = _of_person(blocks[block], name.partition(".")[2])
        if value not in (None, "") and column not in row:
            row[column] = _cell(value)
    return row


def _blocks(stream: Table, persons: Sequence[Person]) -> dict[str, Person]:
    """Block of the stream → the person it names: of one role in the order they stand."""
    roles: dict[str, list[str]] = {}
    for _, target, block in stream.fields:
        role = target.partition(":")[2].partition(".")[0] if target.startswith("person:") else ""
        if role and role not in NEVER and block not in roles.setdefault(role, []):
            roles[role].append(block)
    found: dict[str, Person] = {}
    for role, blocks in roles.items():
        found.update(zip(blocks, (person for person in persons if person.role == role), strict=False))
    return found


def unwritten(stream: Table, persons: Sequence[Person]) -> int:
    """How many persons have no block of their own in the stream."""
    return sum(person.role not in NEVER for person in persons) - len(_blocks(stream, persons))


def _of_person(person: Person, attribute: str) -> object:
    if attribute == "id_number":
        return person.id_number or person.id_masked
    return getattr(person, attribute)


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple | list):
        return ";".join(str(item) for item in value)
    return value.isoformat() if isinstance(value, date) else str(value)
