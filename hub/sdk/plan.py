"""Plans: a stream, the renames and one set of headers, compiled once into positions, then run for each row.

Two columns that mean the same field: the first that states something wins, the unit's renamed header before ours. A
contradiction between two headers is never a reason to hold back a record that may save somebody.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import orjson

from hub.core.problems import remedy_of
from hub.core.records import Draft, Key, Person, Problem
from hub.core.values import Unreadable, parse_code
from hub.sdk.fields import (
    EMPTY,
    PERSON_COLUMNS,
    UNSTATED_SEX,
    Columns,
    Field,
    cell_text,
    is_stated,
    split_list,
)

if TYPE_CHECKING:
    from hub.sdk.connector import Stream

Finish = Callable[[Draft, Mapping[str, Any]], Draft]
"""A stream's own pure last word on a draft; it also gets the row by English column, values as sent."""

_new = tuple.__new__
"""Makes a Person from its attributes in order at half the price of the generated constructor."""

Getter = Callable[[Sequence[Any]], tuple[Any, ...]]

_ATTRIBUTES = ("name", "id_type", "id_number", "id_masked", "sex", "born", "phone", "address", "capacity")
_COLUMN_OF = {attribute: column for column, _, attribute in PERSON_COLUMNS}
ALIASES = {column: attribute for column, _, attribute in PERSON_COLUMNS if column != attribute}
"""A person's attribute by the name of its column: ``birth_date`` is ``born``."""


class Plan:
    """How one set of headers becomes drafts; made by ``compile_plan``, holds positions only and no values."""

    __slots__ = (
        "blocks", "columns", "deleted", "facts", "finish", "key", "kind", "merges", "related", "stream", "texts",
        "translations", "unit", "updated_at",
    )  # fmt: skip

    unit: str
    stream: str
    kind: str
    finish: Finish | None
    merges: tuple[tuple[int, ...], ...]  # positions of columns of one meaning, each set adds one value
    key: tuple[tuple[str, int], ...]
    updated_at: int
    deleted: int
    facts: tuple[tuple[str, ...], Getter]
    translations: tuple[tuple[str, str | Mapping[str, str]], ...]  # fact, the table by which this stream numbers it
    texts: tuple[tuple[str, int], ...]
    blocks: tuple[tuple[str, Getter], ...]
    related: tuple[int, ...]
    columns: tuple[tuple[str, int], ...]

    def draft(self, row: Mapping[str, Any], number: int) -> Draft | Problem:
        """The draft of one source row, or the problem ``key.missing``."""
        values: list[Any] = [*row.values(), None]
        for positions in self.merges:
            values.append(_first_stated(values, positions))
        no = self._key(values)
        original = encode_row(row)
        if no is None:
            return _key_missing(self.key, values, number, original)
        names, get = self.facts
        facts = {
            name: value for name, value in zip(names, get(values), strict=True) if value is not None and value != ""
        }
        for name, table in self.translations:
            if name in facts:
                facts[name] = _translated(table, facts[name])
        drafted = Draft(
            number, Key(self.unit, self.stream, no), self.kind, values[self.updated_at], values[self.deleted], facts,
            self._persons(values), self._related(values), self._texts(values), original,
        )  # fmt: skip
        if self.finish is None:
            return drafted
        return self.finish(drafted, {column: values[position] for column, position in self.columns})

    def _key(self, values: list[Any]) -> str | None:
        if len(self.key) == 1:
            cell = values[self.key[0][1]]
            text = cell.strip() if type(cell) is str else cell_text(cell)
            return None if text.casefold() in EMPTY else text
        parts = [cell_text(values[position]) for _, position in self.key]
        return "/".join(parts) if all(is_stated(part) for part in parts) else None

    def _persons(self, values: list[Any]) -> tuple[Person, ...]:
        persons: list[Person] = []
        for role, get in self.blocks:
            block = get(values)
            name = block[0]
            if (type(name) is str and name.strip() not in EMPTY) or _is_somebody(block):
                person = _new(Person, (role, *block))
                if person not in persons:  # one person under two prefixes of one role (医生 and 报告人)
                    persons.append(person)
        return tuple(persons)

    def _related(self, values: list[Any]) -> tuple[str, ...]:
        found: list[str] = []
        for position in self.related:
            cell = values[position]
            if cell is not None and cell != "":
                found.extend(split_list(cell))
        return tuple(dict.fromkeys(found)) if found else ()

    def _texts(self, values: list[Any]) -> dict[str, str]:
        found = {}
        for name, position in self.texts:
            cell = values[position]
            if cell is not None and cell != "":
                found[name] = cell if type(cell) is str else cell_text(cell) or str(cell)
        return found


def compile_plan(unit: str, stream: Stream, columns: Columns, headers: tuple[str, ...]) -> Plan:
    """Compile the positions of ``stream``'s fields among ``headers``; position ``len(headers)`` holds None."""
    absent = len(headers)
    found: dict[str, list[tuple[bool, int]]] = {}
    for position, header in enumerate(headers):
        names, by_rename = columns.columns_of(header)
        for name in names:
            found.setdefault(name, []).append((not by_rename, position))
    at: dict[str, int] = {}
    merges: list[tuple[int, ...]] = []
    for name, places in found.items():
        positions = tuple(position for _, position in sorted(places))
        at[name] = positions[0] if len(positions) == 1 else absent + 1 + len(merges)
        if len(positions) > 1:
            merges.append(positions)
    return _fill(Plan(), unit, stream, at, merges, absent)


def _fill(
    plan: Plan, unit: str, stream: Stream, at: Mapping[str, int], merges: list[tuple[int, ...]], absent: int
) -> Plan:
    plan.unit, plan.stream, plan.kind, plan.finish = unit, stream.name, stream.kind, stream.finish
    plan.merges = tuple(merges)
    plan.key = tuple((name, at.get(name, absent)) for name in stream.key)
    present = [field for field in stream.fields if field.name in at]
    plan.updated_at = _position_of("updated_at", present, at, absent)
    plan.deleted = _position_of("deleted", present, at, absent)
    facts = [(field.to.removeprefix("fact:"), at[field.name]) for field in present if field.to.startswith("fact:")]
    plan.facts = tuple(name for name, _ in facts), _getter([position for _, position in facts])
    plan.translations = tuple((field.to.removeprefix("fact:"), field.codes) for field in present if field.codes)
    plan.texts = tuple(
        (field.to.removeprefix("text:"), at[field.name]) for field in present if field.to.startswith("text:")
    )
    plan.blocks = _blocks(present, at, absent)
    plan.related = tuple(at[field.name] for field in present if field.to == "related")
    plan.columns = tuple(at.items())
    return plan


def _position_of(target: str, present: list[Field], at: Mapping[str, int], absent: int) -> int:
    return next((at[field.name] for field in present if field.to == target), absent)


def _blocks(present: list[Field], at: Mapping[str, int], absent: int) -> tuple[tuple[str, Getter], ...]:
    blocks: dict[tuple[str, str], dict[str, int]] = {}
    for field in present:
        if field.to.startswith("person:"):
            role, attribute = field.to.removeprefix("person:").split(".")
            blocks.setdefault((field.block, role), {})[ALIASES.get(attribute, attribute)] = at[field.name]
    return tuple(
        (role, _getter([positions.get(attribute, absent) for attribute in _ATTRIBUTES]))
        for (_, role), positions in blocks.items()
    )


def _getter(positions: list[int]) -> Getter:
    if len(positions) > 1:
        return itemgetter(*positions)
    if positions:
        only = positions[0]
        return lambda values: (values[only],)
    return lambda values: ()


def _first_stated(values: Sequence[Any], positions: tuple[int, ...]) -> Any:
    stated = (values[position] for position in positions if is_stated(values[position]))
    return next(stated, values[positions[0]])


def _is_somebody(block: Sequence[Any]) -> bool:
    """Whether a block states anything: a kind of document or an unknown sex alone is nobody."""
    name, _, number, _, sex, born, phone, address, capacity = block
    return (
        any(is_stated(cell) for cell in (name, number, born, phone, address, capacity))
        or cell_text(sex) not in UNSTATED_SEX
    )


def _translated(table: str | Mapping[str, str], cell: object) -> object:
    """Our word for this stream's own code; an unknown one stays as sent, for ``normalise`` to judge."""
    if not isinstance(table, str):
        return table.get(cell_text(cell), cell)
    try:
        return parse_code(table, cell) or cell
    except Unreadable:
        return cell


def _key_missing(key: tuple[tuple[str, int], ...], values: list[Any], number: int, original: bytes) -> Problem:
    missing = next(name for name, position in key if not is_stated(values[position]))
    return Problem(number, None, "key.missing", missing, remedy_of("key.missing"), original)


def encode_row(row: object) -> bytes:
    """The source row as compact JSON; what JSON cannot hold (a date, a decimal, half a character) as text."""
    try:
        return orjson.dumps(row, default=str)
    except (TypeError, orjson.JSONEncodeError):
        return json.dumps(_as_json(row), ensure_ascii=True, separators=(",", ":"), default=str).encode()


def _as_json(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _as_json(cell) for key, cell in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_json(cell) for cell in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
