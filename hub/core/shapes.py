"""The shape of a refused value: what kind of characters stood where, never the value itself.

Rows that fail alike have one shape, so that one mistake of a sending system is one line of the quarantine list.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from itertools import groupby
from typing import Final

from hub.core.people import column_of
from hub.core.records import Draft, Person, Problem

__all__ = ["fingerprint_of", "refused_value", "shape_of"]

MOST: Final = 48
"""Characters of a shape: beyond it values differ in ways that say nothing about their mistake."""
LONGEST_RUN: Final = 18
"""Runs are counted up to the length of a resident ID number."""
_LOOKED_AT: Final = 256
_FACT_COLUMNS: Final[Mapping[str, str]] = {"community_code": "community", "grid_code": "grid"}


def shape_of(value: object) -> str:
    """``2021-13-45`` → ``9{4}-9{2}-9{2}``: 9 digit, a letter, 字 Chinese character, _ space; other signs stand as they are.

    >>> shape_of("2021年2月30日"), shape_of("非常激烈"), shape_of(None), shape_of("E-77")
    ('9{4}字9字9{2}字', '字{4}', 'empty', 'a-9{2}')
    """
    if value is None or value == "":
        return "empty"
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, float) and not math.isfinite(value):
        return "not a number"
    if isinstance(value, Mapping):
        return "object"
    if isinstance(value, list | tuple):
        return "list"
    text = str(value)[:_LOOKED_AT]
    runs = ((sign, sum(1 for _ in run)) for sign, run in groupby(map(_sign, text)))
    shape = "".join(sign if count == 1 else f"{sign}{{{_length(count)}}}" for sign, count in runs)
    return shape if len(shape) <= MOST else shape[:MOST] + "…"


def _length(count: int) -> str:
    return str(count) if count <= LONGEST_RUN else f"{LONGEST_RUN}+"


def _sign(character: str) -> str:
    if character.isdecimal():
        return "9" if character.isascii() else "９"
    if "一" <= character <= "鿿":
        return "字"
    if character.isalpha():
        return "a"
    if character.isspace():
        return "_"
    return character if character.isprintable() else "?"


def refused_value(problem: Problem, draft: Draft | None) -> object:
    """The raw value of the field that a problem names; None when it is empty or cannot be told."""
    field = problem.field
    if not field:
        return None
    if draft is not None:
        if field in ("updated_at", "deleted"):
            return draft.updated_at if field == "updated_at" else draft.deleted
        facts = draft.facts
        name = _FACT_COLUMNS.get(field, field)
        if name in facts:
            return facts[name]
        for person in draft.persons:
            for attribute in Person._fields[1:]:
                if column_of(draft.kind, person.role, attribute, draft.key.unit) == field:
                    return getattr(person, attribute)
    return _cell(problem.original, field)


def _cell(original: bytes, field: str) -> object:
    try:
        row = json.loads(original)
    except ValueError:
        return None
    return row.get(field) if isinstance(row, dict) else None


def fingerprint_of(code: str, unit: str, stream: str, field: str, shape: str) -> str:
    """The name of a group: the same mistake in the same column of the same stream, spelled alike."""
    return " ".join(part for part in (code, f"{unit}.{stream}", field, shape) if part)
