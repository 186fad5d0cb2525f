"""Which source rows may lie in the main body: those that do not tell who reported.

Nobody can know all of a unit's own columns, so the whole row of a record that names a reporter goes to the reporter's
compartment; likewise a row in which a header that nobody mapped speaks of one and its cell says something.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import orjson

from hub.core.records import Draft

__all__ = ["tells_reporter"]

_WORDS: Final = (
    "报告人",
    "报警人",
    "举报人",
    "调解员",
    "医生",
    "reporter",
    "caller",
    "doctor",
    "mediator",
    "bjr",
    "bjdh",
)
_MARKS: Final = (*(word.encode() for word in _WORDS), b"Reporter", b"Caller", b"Doctor", b"BJR", b"BJDH")


def tells_reporter(draft: Draft) -> bool:
    """True when the original row must be sealed with the reporter."""
    if any(person.role == "reporter" for person in draft.persons):
        return True
    original = draft.original
    if not any(mark in original for mark in _MARKS):
        return False
    try:
        row: Any = orjson.loads(original)
    except orjson.JSONDecodeError:
        return True
    if not isinstance(row, dict):
        return True
    return any(cell is not None and cell != "" and _tells(header) for header, cell in row.items())


@lru_cache(maxsize=4096)
def _tells(header: str) -> bool:
    folded = header.casefold()
    return any(word in folded for word in _WORDS)
