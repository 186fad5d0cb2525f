"""The readers of each kind's facts, compiled once from the shared schema (words.KINDS)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from hub.core.records import Fact
from hub.core.unit_names import parse_units
from hub.core.values import (
    CODED,
    FLAGS,
    parse_code,
    parse_codes,
    parse_count,
    parse_flag,
    parse_kin,
    parse_standing_number,
    parse_when,
    parse_word,
)
from hub.core.words import COMMON, KIN_BY_WORD, KINDS, FactType

__all__ = ["Reader", "readers_of"]


class Reader(NamedTuple):
    """How one fact is read: raises ``ValueError`` (``Unreadable``) for what it cannot read."""

    read: Callable[[object], Fact]
    known: Mapping[object, Fact] = {}  # spellings that need no reading
    is_time: bool = False
    bounded: bool = False  # a time that must not lie ahead


_FORMS: Final[Mapping[str, Callable[[str], Callable[[object], Fact]]]] = {
    "when": lambda _table: parse_when,
    "flag": lambda _table: parse_flag,
    "count": lambda table: partial(_count, table),
    "code": lambda table: partial(parse_code, table),
    "codes": lambda table: partial(parse_codes, table),
    "kin": lambda _table: parse_kin,
    "units": lambda _table: parse_units,
    "word": lambda _table: parse_word,
    "number": lambda _table: parse_standing_number,
}
_OWN_NUMBERING: Final[Mapping[tuple[str, str], str]] = {
    ("womens_federation", "complaint_kind"): "womens_complaint",
    ("youth_league", "complaint_kind"): "youth_complaint",
}
"""Units that number a table in their own way; their words are the table's."""


def _count(table: str, raw: object) -> Fact:
    return parse_count(raw, table)


def _reader(form: FactType, unit: str, ends: bool) -> Reader:
    table = _OWN_NUMBERING.get((unit, form.table), form.table)
    is_time = form.form == "when"
    return Reader(_FORMS[form.form](table), _known(form.form, table), is_time, is_time and not ends)


def _known(form: str, table: str) -> Mapping[object, Fact]:
    """Text → value of the forms that are tables."""
    tables: dict[str, Mapping[Any, Fact]] = {"flag": FLAGS, "kin": KIN_BY_WORD, "code": CODED.get(table, {})}
    return {raw: value for raw, value in tables.get(form, {}).items() if isinstance(raw, str)}


def _compile(kind: str, unit: str) -> Mapping[str, Reader]:
    spec = KINDS[kind]
    return {name: _reader(form, unit, name in spec.ends) for name, form in {**COMMON, **spec.facts}.items()}


_PLAIN: Final = {kind: _compile(kind, "") for kind in KINDS}
_SPECIAL: Final = {
    (kind, unit): _compile(kind, unit)
    for unit, table in _OWN_NUMBERING
    for kind, spec in KINDS.items()
    if any(form.table == table for form in spec.facts.values())
}


def readers_of(kind: str, unit: str) -> Mapping[str, Reader]:
    """Fact → reader, for a kind as this unit numbers it."""
    return _SPECIAL.get((kind, unit)) or _PLAIN[kind]
