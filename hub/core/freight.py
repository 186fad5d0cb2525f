"""What travels on the line: a page that came in, a record made ready for the store, a parcel on its way out.

They stand below ``line`` because ``security`` makes them and ``store`` keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from hub.core.hood import Index
from hub.core.records import Draft, Event, Problem, StreamKey

MODES = ("live", "backfill", "replay", "shadow")
DOORS = ("poll", "push", "file", "ingest", "answer", "station", "redrive", "replay")
"""answer: what came back from a delivery; station: what people do; redrive: quarantined rows once more, or given up;
replay: rows that were taken, through the mapping of today. These do not count in the accounting of departments."""


_PART = "#"
DAYS = ":days"
"""The feed of a stream that compares it with its source, day by day."""


def feed_of(stream: StreamKey, part: str) -> StreamKey:
    """What is due, leased and read by itself: a stream, or a part of it (``part`` empty: the stream itself)."""
    return StreamKey(stream.unit, f"{stream.stream}{_PART}{part}") if part else stream


def is_part(name: str) -> bool:
    """Whether a text can name a part of a stream: 1 to 60 characters, none of them reserved or blank."""
    return 0 < len(name) <= 60 and name.isprintable() and not (set(name) & set("#/:{} "))


def stream_of(feed: StreamKey) -> tuple[StreamKey, str]:
    """The stream of a feed, and which part of it the feed is."""
    name, _, part = feed.stream.partition(_PART)
    return StreamKey(feed.unit, name), part


class Lease(NamedTuple):
    """A claim won by one conditional UPDATE: ``fence`` grows with each take-over."""

    what: str
    owner: str
    fence: int
    until: datetime


class Page(NamedTuple):
    """What came in at once by any door. ``body`` is the source rows as a JSON array (UTF-8), `never_store` dropped."""

    uid: str  # time-ordered UUID (text); the name of the receipt
    stream: StreamKey
    mode: str
    door: str
    body: bytes
    rows: int
    first_row: int  # number of the first row as shown on receipts: 0 for push, 1 and on for files
    received_at: datetime
    cursor: str | None = None  # where the stream's next read starts once this page is stored
    lease: Lease | None = None  # fencing for polls; None: whoever calls may land
    idempotency_key: str | None = None
    digest: str = ""  # SHA-256 of the body as received, for the idempotency conflict
    source: str = ""  # where it came from: digest of a file, `redrive:…` or `discard:…` of quarantined rows (coded)


Drafts = Sequence[Draft | Problem]
"""One per row of the page, in order."""


class Parcel(NamedTuple):
    """Bytes on their way to a unit; ``no`` is the idempotency key; ``body`` is rendered once, re-sent unchanged."""

    no: str
    to: str
    kind: str  # mandatory_report, duty, light_change, answer, addendum, cancellation, report_copy, notice, escalation
    body: bytes
    attempt: int
    channel: str = "first"  # first or second


class Answer(NamedTuple):
    """What a delivery gave: ``sent`` (no answer can come back), ``received`` (number), ``later`` or ``refused``."""

    step: str
    number: str | None = None
    rows: Sequence[Mapping[str, Any]] = ()  # records that came with it (feedback), landed as a page of the unit
    detail: str = ""  # coded, without personal data: http.503, timeout, no_destination …
    after: float | None = None  # Retry-After, seconds


class Sealed(NamedTuple):
    """A record ready for the store: coded facts in the clear, everything personal in one encrypted body."""

    event: Event  # parties without person ids yet
    deleted: bool
    rejected: Problem | None  # a newer version that is not ours: takes the place of an applied one like a retraction
    digest: bytes  # of the normalised content, decides corrected or unchanged
    indexes: tuple[tuple[Index, ...], ...]  # per party, same order as event.parties
    uid: str  # record-version uid, associated data of the seal
    body: bytes
    reporter: bytes | None
    row: int
    issues: tuple[tuple[str, str], ...]
