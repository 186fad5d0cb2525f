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


def tells_reporter(draft: Draft) -> bool:
    """True when the original row must be sealed with the reporter."""
    if any(person.role == "reporter" for person in draft.persons):
        return True
    try:
        row: Any = orjson.loads(draft.original)
    except orjson.JSONDecodeError:
        return True
    if not isinstance(row, dict):
        return True
    return any(row[header] is not None and row[header] != "" for header in _telling(tuple(row)))


@lru_cache(maxsize=1024)
def _telling(headers: tuple[str, ...]) -> tuple[str, ...]:
    """Headers that speak of a reporter; a stream's rows share theirs, so they are looked at once."""
    return tuple(header for header in headers if any(word in header.casefold() for word in _WORDS))
