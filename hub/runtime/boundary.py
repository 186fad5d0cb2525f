"""Boundary dedupe: an inclusive start with overlap reads the last rows again; those that have landed are not landed twice.

The memory is this process's own and bounded. What it forgets, or never knew after a restart, lands again and is
*unchanged*: it saves work, it decides nothing.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

REMEMBERED = 20_000
"""Rows remembered per stream: more than an overlap of minutes holds; 32 bytes each."""


class Boundary:
    """Which rows of one stream have landed lately."""

    def __init__(self) -> None:
        self._landed: OrderedDict[bytes, None] = OrderedDict()

    def fresh(self, rows: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[bytes]]:
        """The rows that have not landed, and their marks for ``landed``."""
        marked = [(row, _mark(row)) for row in rows]
        left = [(row, mark) for row, mark in marked if mark not in self._landed]
        for _, mark in marked:
            if mark in self._landed:
                self._landed.move_to_end(mark)
        return [row for row, _ in left], [mark for _, mark in left]

    def landed(self, marks: Iterable[bytes]) -> None:
        """These rows are stored now; called only after their page has landed."""
        self._landed.update(dict.fromkeys(marks))
        while len(self._landed) > REMEMBERED:
            self._landed.popitem(last=False)


def _mark(row: dict[str, Any]) -> bytes:
    text = orjson.dumps(row, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)
    return hashlib.blake2b(text, digest_size=16).digest()
