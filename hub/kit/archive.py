"""What a hub would hold after reading a source: the newest version of each record, and the cursor that landed with it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hub.kit.bench import Child, Mapped
from hub.kit.samples import comparable
from hub.sdk.cursor import is_higher

__all__ = ["Archive", "differences", "truth"]

MOST_PAGES = 400
"""A read of more pages does not end: no source here has so many."""


class Archive:
    """Pages land here as they would in the hub: same key and content is unchanged, a newer version wins."""

    def __init__(self) -> None:
        self.cursor: str | None = None
        self.cursors: list[str | None] = []
        self.pages = 0
        self.problems = 0
        self.held: dict[str, tuple[str, str]] = {}  # key → time of change, content

    def land(self, page: Mapped) -> None:
        """One page and its cursor, in one commit."""
        self.pages += 1
        self.take(page.entries)
        if page.cursor is not None:
            self.cursor = page.cursor
        self.cursors.append(self.cursor)

    def take(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """What rows became."""
        for entry in entries:
            if entry["what"] != "draft":
                self.problems += 1
                continue
            version = str(entry["updated_at"] or ""), json.dumps(comparable({**entry, "row": 0}), ensure_ascii=False)
            key = "/".join(map(str, entry["key"]))
            stands = self.held.get(key)
            if stands is None or stands[0] == version[0] or is_higher(version[0], stands[0]):
                self.held[key] = version

    def read(self, child: Child, stream: str, *, most: int = MOST_PAGES) -> Archive:
        """Everything the source has from our cursor on. Raises Died, Hung or Failed; what landed before stays."""
        for number, page in enumerate(child.fetch(stream, self.cursor), 1):
            self.land(page)
            if number >= most:
                break
        return self


def truth(entries: Iterable[Mapping[str, Any]]) -> Archive:
    """The archive after a calm day: what the rows become when they are simply mapped."""
    calm = Archive()
    calm.take(entries)
    return calm


def differences(after: Archive, calm: Archive) -> Iterator[str]:
    """How an archive after trouble differs from the calm one; by counts, no key and no value."""
    lost, more = calm.held.keys() - after.held.keys(), after.held.keys() - calm.held.keys()
    if lost:
        yield f"{len(lost)} of {len(calm.held)} records are missing"
    if more:
        yield f"{len(more)} records are there that the source does not have"
    other = [key for key in calm.held.keys() & after.held.keys() if calm.held[key] != after.held[key]]
    if other:
        yield f"{len(other)} records differ from what the source has"
