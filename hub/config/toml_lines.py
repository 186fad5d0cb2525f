"""Where each key of a TOML file stands, so that a mistake can be named with its line.

``tomllib`` gives values without places. This scanner reads headers and ``key =`` lines only; a key inside an inline
table has the line of the key that holds it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Place = tuple[str, ...]
"""A key as its parts: ``("streams", "incident", "url")``; an array of tables counts its entries: ``("tokens", "0")``."""

_PART = r"""(?:[A-Za-z0-9_\-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_NAME = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"^\s*(\[\[?)\s*({_NAME})\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(rf"^\s*({_NAME})\s*=(.*)$")
_SPLIT = re.compile(_PART)


def find_lines(text: str) -> dict[Place, int]:
    """Every key and table of the file → its line, from 1. Total: an unreadable line is passed over."""
    lines: dict[Place, int] = {}
    table: Place = ()
    counts: dict[Place, int] = {}
    quote = ""  # the open multi-line quote, if any
    for number, line in enumerate(text.splitlines(), start=1):
        if quote:
            quote = "" if quote in line else quote
            continue
        if header := _HEADER.match(line):
            table = _parts(header[2])
            if header[1] == "[[":
                index = counts.get(table, 0)
                counts[table] = index + 1
                lines.setdefault(table, number)
                table = (*table, str(index))
            _note(lines, table, number)
        elif key := _KEY.match(line):
            _note(lines, (*table, *_parts(key[1])), number)
            quote = next((q for q in ('"""', "'''") if key[2].count(q) % 2), "")
    return lines


def line_of(lines: Mapping[Place, int], place: Place) -> int:
    """The line of a key, or of the nearest table around it; 1 where nothing is known."""
    for length in range(len(place), 0, -1):
        if place[:length] in lines:
            return lines[place[:length]]
    return 1


def _parts(name: str) -> Place:
    return tuple(part[1:-1] if part[0] in "\"'" else part for part in _SPLIT.findall(name))


def _note(lines: dict[Place, int], place: Place, number: int) -> None:
    for length in range(1, len(place) + 1):
        lines.setdefault(place[:length], number)
