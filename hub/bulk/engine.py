"""The bulk port: what an engine must do for a comb. It sees coded facts, blind indexes and sealed bodies, never a name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from hub.core.errors import ConfigurationError


class Row(NamedTuple):
    """One version of one record, sealed: what is joined on is a keyed mark, what is judged is coded."""

    no: str
    updated_at: int  # microseconds
    deleted: bool
    at: int
    kind: str
    facts: str  # JSON of the core's codec
    related: str  # numbers, ';' between
    parties: str  # JSON: role, birth day, capacity, sex, indexes by kind in hex
    links: tuple[str, ...]  # values that tie records to each other: deciding indexes and numbers
    place: str  # keyed mark of the address; empty: none
    uid: str
    body: bytes


class Kept(NamedTuple):
    """The newest version of one record, with the group it hangs together with."""

    group: int
    no: str
    updated_at: int
    at: int
    kind: str
    facts: str
    related: str
    parties: str
    uid: str
    body: bytes


class Place(NamedTuple):
    """An address that calls on several days: how many, on how many days, when, which records, and one body that names it."""

    calls: int
    days: int
    first: int
    last: int
    numbers: tuple[str, ...]
    uid: str
    body: bytes


class Engine(Protocol):
    """Takes rows in any order and gives groups of records that hang together."""

    name: str

    def add(self, rows: Sequence[Row]) -> None:
        """Take a batch."""
        ...

    def groups(self) -> Iterator[list[Kept]]:
        """Newest versions, retracted ones left out, by group and time; call once, after the last ``add``."""
        ...

    def places(self, days: int) -> Iterator[Place]:
        """Addresses with calls on at least so many days, most calls first; after ``groups``."""
        ...


def open_engine(wanted: str) -> AbstractContextManager[Engine]:
    """The engine of a name: ``embedded``. Raises ConfigurationError: what is not there and how to get it."""
    if wanted != "embedded":
        raise ConfigurationError(
            f"no bulk engine {wanted!r} in this hub", code="bulk.engine", remedy="leave --engine out: the embedded one"
        )
    try:
        from hub.bulk.duck import open_duck
    except ImportError as error:
        raise ConfigurationError(
            "the embedded engine is not installed", code="bulk.engine", remedy="install family-care-hub[bulk]"
        ) from error
    return open_duck()
