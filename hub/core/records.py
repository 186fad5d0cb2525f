"""The words of the line: what a record, an event, a case and an owed thing are.

NamedTuples because they are made by the hundred thousand (0.3 µs each against 1.1 µs for a frozen dataclass).
No name, text or address stands outside ``Draft``, ``Person`` and sealed bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from enum import IntEnum
from typing import NamedTuple

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""All instants of the core carry this zone object, so that comparing two of them is cheap (no DST since 1991)."""

When = date | datetime
"""A ``date`` when the source gave no time of day (S1 decides what it means), else an aware ``datetime``."""

Fact = str | int | bool | date | datetime | tuple[str, ...] | None
Facts = Mapping[str, Fact]
"""Coded facts by name (words.KINDS); a name that is missing or None is *unrecorded*, which is never "no" (A4)."""


class Light(IntEnum):
    """The four-colour light, ordered: the highest open concern wins (A6)."""

    unlit = 0
    green = 1
    yellow = 2
    orange = 3
    red = 4


class StreamKey(NamedTuple):
    """One kind of record from one unit."""

    unit: str
    stream: str


class Key(NamedTuple):
    """A record's identity, for ever: ``no`` is the unit's own number (composite numbers joined with ``/``)."""

    unit: str
    stream: str
    no: str


class Person(NamedTuple):
    """A person as one record names them. Raw text before ``normalise``; after it checked values."""

    role: str  # a word of words.ROLES
    name: str | None = None
    id_type: str | None = None
    id_number: str | None = None  # normalised: 18 characters, valid check character; else None
    id_masked: str | None = None  # normalised: the pattern of a masked number, kept for the review list only
    sex: str | None = None  # male, female or None
    born: date | None = None
    phone: str | None = None
    address: str | None = None
    capacity: str | None = None  # none, limited, full or None (unrecorded)


class Draft(NamedTuple):
    """One source record, mapped. ``facts``, ``persons`` and times hold raw values before ``normalise``, typed after."""

    row: int  # position in its page, from 0 (push) or 1 (files)
    key: Key
    kind: str  # a word of words.KINDS
    updated_at: object  # raw, then datetime; None: the time received
    deleted: object  # raw, then bool
    facts: Mapping[str, object]  # raw, then Facts of the kind
    persons: tuple[Person, ...]
    related: tuple[str, ...]  # numbers of the same incident elsewhere, in order
    texts: Mapping[str, str]  # narrative, place, school …: sealed, never judged (but for D25's list of words)
    original: bytes  # the source row as JSON, `never_store` columns removed
    at: datetime | None = None  # event time by S3, set by normalise
    issues: tuple[tuple[str, str], ...] = ()  # (code, field) of values applied empty in an M stream (S23)


class Problem(NamedTuple):
    """Why one row was refused: a stable dotted code, the field, and what to do about it. Never a value."""

    row: int
    key: Key | None
    code: str
    field: str
    remedy: str
    original: bytes
    rejected: bool = False  # True: not ours by rule (counted rejected); False: quarantined
    draft: Draft | None = None  # of a rejected row: clean, so that the vault can keep its key, time and digest


class Party(NamedTuple):
    """A person on an event, without name: ``person`` is the hub's id, filled by ``place``."""

    role: str
    person: int | None
    born: date | None = None
    capacity: str | None = None  # as recorded; None: derive from age at the event
    sex: str | None = None


class Event(NamedTuple):
    """The newest version of one record, on a timeline."""

    key: Key
    version: int
    kind: str
    at: datetime
    facts: Facts
    parties: tuple[Party, ...]
    related: tuple[str, ...]
    live: bool
    updated_at: datetime
    received_at: datetime
    linked: bool = False  # True: counts here because a former spouse's old household had it (S31)


class Member(NamedTuple):
    """Somebody of a household, from the register, the family file or a record's relation."""

    person: int
    role: str
    born: date | None
    capacity: str | None
    since: date | None
    until: date | None


class Report(NamedTuple):
    """A mandatory report that exists (history, S29): its number, first rule and the records it stands on."""

    no: str
    rule: str
    causes: frozenset[Key]
    opened_at: datetime
    victim: int | None
    cancelled: bool = False
    answers: frozenset[str] = frozenset()  # numbers of the messages that carry the police's answer to the reporters


class Case(NamedTuple):
    """What ``assess`` reads: members, and current events (no retracted ones) ordered by (at, key)."""

    household: int
    community: str | None
    members: tuple[Member, ...]
    events: tuple[Event, ...]
    reports: tuple[Report, ...] = ()
    registered: bool = True  # False: a provisional household
    duties: tuple[Standing, ...] = ()  # duties that were opened for it: what a `duty_no` of a record names


class Concern(NamedTuple):
    """One reason for a light, open or closed."""

    rule: str
    light: Light
    since: datetime
    until: datetime | None  # None: open
    events: tuple[Key, ...]
    closes_by: tuple[str, ...]  # words of the policy's descents that would close it
    closed_by: str | None = None  # the descent that closed it
    closing_key: Key | None = None  # the record that closed it, if one did
    missing: tuple[str, ...] = ()  # proofs that failed at the last try, or are still missing
    leads_to: str | None = None
    notes: tuple[str, ...] = ()  # explanation codes: replaced, mediation_without_effect, no_duplicate …


class Span(NamedTuple):
    """The household stood at ``light`` from ``since`` until ``until`` (None: still)."""

    light: Light
    since: datetime
    until: datetime | None


class Held(NamedTuple):
    """A step down that waits because a source is silent (section 4)."""

    since: datetime
    streams: tuple[StreamKey, ...]
    would_be: Light


class Closing(NamedTuple):
    """What ended an owed thing: when, by which record (None: by a date), with which outcome word."""

    at: datetime
    by: Key | None
    how: str


class Owed(NamedTuple):
    """Something that must go out or be done, known by (what, to, slot) and the records that cause it."""

    what: str  # M1 … M7, D1 … D27, light_change, answer, addendum, cancellation, report_copy, escalation
    to: str  # unit name, coordinator or head:<unit>
    slot: str  # tells apart things of one kind and cause: "1", "2" …; a report's victim; a ladder step
    causes: frozenset[Key]
    opened: datetime
    due: datetime | None
    closed: Closing | None = None
    facts: Mapping[str, object] = {}
    live: bool = True  # the fence: at least one cause may have side effects
    household: int | None = None  # where it shows; no part of its identity but for D1–D5 on two households at once


class Next(NamedTuple):
    """What would change the light next: at a date, or by an event that is missing."""

    at: datetime | None
    light: Light | None
    by: str


class Course(NamedTuple):
    """How the light went, from the first event until the moment: what duties and reports are computed from."""

    light: Light
    since: datetime | None
    concerns: tuple[Concern, ...]  # all that ever were, open and closed, by (since, rule)
    spans: tuple[Span, ...]  # the whole history of the light, oldest first; the last one is open
    held: Held | None
    next: tuple[Next, ...]
    categories: tuple[tuple[str, date | None, date | None], ...]  # (category, from, until), special households
    notes: tuple[str, ...] = ()


class Assessment(NamedTuple):
    """Everything there is to say about a case at a moment."""

    light: Light
    since: datetime | None
    concerns: tuple[Concern, ...]
    spans: tuple[Span, ...]
    owed: tuple[Owed, ...]
    held: Held | None
    next: tuple[Next, ...]
    categories: tuple[tuple[str, date | None, date | None], ...]
    valid_until: datetime | None
    waits_on: frozenset[StreamKey]
    notes: tuple[str, ...] = ()


class Standing(NamedTuple):
    """What was opened before, as stored."""

    no: str
    owed: Owed
    state: str  # open, accepted, done, returned, cancelled
    sent: bool


class Silence(NamedTuple):
    """A recorded span in which a stream was not heard; ``until`` None: still silent."""

    stream: StreamKey
    since: datetime
    until: datetime | None
