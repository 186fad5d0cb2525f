"""What ``place`` reads and gives: the neighbourhood of fresh records, and where everybody belongs after it.

Ids are the store's integers; a negative id is new and is given its number when the batch is saved. The same negative
number in one ``Placing`` means the same new person (or household).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple

from hub.core.records import Facts, Key, Member

CERTAIN = ("id", "name_phone", "name_born_area", "name_number")
"""Index kinds that decide a person alone: a valid ID number; exact name + phone; exact name + birth date + community;
exact name + a number of the same incident (A6: a letter names the persons of the call it cites)."""
REVIEW = ("masked", "phone", "name_area")
"""Index kinds that only make candidates for the review list."""


BOND = "bond"
"""Index kind that no record carries: two mentions that people ruled to be one person share one (``core.rulings``)."""


class Index(NamedTuple):
    """One blind index of one person as named by one record: kind (CERTAIN or REVIEW) and 16 bytes of keyed HMAC."""

    kind: str
    value: bytes


class Mention(NamedTuple):
    """One person as one current record names them."""

    idx: int  # position among the record's parties
    role: str
    person: int | None  # as stored now; None: not yet placed
    indexes: tuple[Index, ...]
    born: date | None = None
    capacity: str | None = None
    sex: str | None = None


class Entry(NamedTuple):
    """One current record (retracted ones are not among them) as ``place`` sees it."""

    key: Key
    kind: str
    at: datetime
    facts: Facts  # relation, household_no, role, from, until, result, status, status_on, closed_on, community
    related: tuple[str, ...]
    mentions: tuple[Mention, ...]
    households: tuple[int, ...]  # where it stands now
    fresh: bool


class Home(NamedTuple):
    """A household as stored: ``registered`` is the register's own number (grid, family file), None for one of ours."""

    registered: str | None
    provisional: bool
    community: str | None


Spot = tuple[Key, int]
"""A mention: its record and its position among the record's parties."""


class Ruling(NamedTuple):
    """What a person ruled about mentions: a word of ``rulings.WHATS``; ``b`` None: about one mention alone.

    A mention that stands for a person or a household may be taken back or split off; then the next of ``more`` does.
    """

    what: str
    a: Spot
    b: Spot | None = None
    more: tuple[Spot, ...] = ()
    other_more: tuple[Spot, ...] = ()
    no: str = ""  # numbers grow with time: the newer word on a mention holds


class Neighbourhood(NamedTuple):
    """Fresh records and every current record they may concern (shared index, shared household, shared number)."""

    entries: tuple[Entry, ...]
    homes: Mapping[int, Home]
    left: Mapping[Key, tuple[int, ...]]  # households of fresh records that are retracted or rejected now
    generic: frozenset[bytes] = frozenset()  # index values the store did not follow: carried by too many persons
    similar: Mapping[bytes, tuple[int, ...]] = {}  # REVIEW value → stored persons that carry it, seen or not in entries
    rulings: tuple[Ruling, ...] = ()
    back_persons: Mapping[Spot, int] = {}  # a ruling was taken back: the persons these mentions were before it
    back_homes: Mapping[Key, int] = {}  # and the households these records stood on


class Review(NamedTuple):
    """A link that a person should look at."""

    key: Key
    idx: int
    candidates: tuple[int, ...]  # person ids
    why: str  # masked, phone, name_area, ambiguous, borrowed_card


class Placing(NamedTuple):
    """Where everybody belongs now; a pure function of the neighbourhood's current records and existing ids."""

    persons: Mapping[tuple[Key, int], int]
    households: Mapping[Key, tuple[tuple[int, str], ...]]  # (household, why), for every entry
    members: Mapping[int, tuple[Member, ...]]  # for every touched household
    homes: Mapping[int, Home]  # every new or changed household
    aliases: Mapping[int, int]  # person id that is no longer used → the one kept
    successors: Mapping[int, int]  # household left with nothing → its successor (S25)
    reviews: tuple[Review, ...]
    touched: frozenset[int]  # both sides of every change, and the households of every fresh record
