"""The tables. SQLModel classes are rows and nothing more: they do not validate, so never build one from outside data.

Integer keys inside, time-ordered UUID text (``uid``) outside. Instants are stored as integer microseconds since 1970
UTC (``*_at``) and calendar days as integer proleptic ordinals (``born``): both sort, both are the same on every
engine, and neither is readable text. Everything personal is in ``body``, ``reporter`` and the blind indexes.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel


def _id() -> Any:
    return Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    )


def _big(*, null: bool = False, index: bool = False) -> Any:
    return Field(default=None, sa_column=Column(BigInteger, nullable=null, index=index))


def _blob(*, null: bool = False) -> Any:
    return Field(default=None, sa_column=Column(LargeBinary, nullable=null))


def _text(*, null: bool = False) -> Any:
    return Field(default=None, sa_column=Column(Text, nullable=null))


class Page(SQLModel, table=True):
    """What came in at once. ``body`` (sealed) goes away when the page is applied."""

    __tablename__ = "page"
    __table_args__ = (
        UniqueConstraint("uid"),
        UniqueConstraint("unit", "idempotency_key"),
        Index("page_pending", "state", "urgent", "id"),
    )
    id: int | None = _id()
    uid: str
    unit: str
    stream: str
    mode: str
    door: str
    state: str = "landed"  # landed, applied
    urgent: bool = False  # a stream with a report rule, feedback or a person's act: applied first
    rows: int
    first_row: int = 0
    received: int = 0
    applied: int = 0
    unchanged: int = 0
    quarantined: int = 0
    rejected: int = 0
    received_at: int = _big()
    applied_at: int | None = _big(null=True)
    idempotency_key: str | None = None
    digest: str = ""
    source: str = ""  # file name digest and row, for files
    body: bytes | None = _blob(null=True)
    receipt: str | None = _text(null=True)  # JSON: lines that are not plainly applied, and event uids by row


class Record(SQLModel, table=True):
    """A key's identity and its current version."""

    __tablename__ = "record"
    __table_args__ = (UniqueConstraint("unit", "stream", "no"), Index("record_kind", "kind"))
    id: int | None = _id()
    uid: str
    unit: str
    stream: str
    no: str
    kind: str
    state: str  # applied, retracted, rejected
    version: int  # id-less number of the current version within the record, from 1
    updated_at: int = _big()
    received_at: int = _big()
    at: int = _big()
    live: bool
    facts: str = _text()  # JSON of core.timeline's codec, coded facts only
    related: str = ""  # numbers, ';' between
    digest: bytes = _blob()
    placed: str = ""  # where it stood until it moved (store.history)


class Version(SQLModel, table=True):
    """Every version of a record that ever came, newest or not. ``body`` is the sealed personal part."""

    __tablename__ = "version"
    __table_args__ = (UniqueConstraint("record_id", "number"), Index("version_page", "page_id"))
    id: int | None = _id()
    record_id: int = _big()
    number: int
    uid: str
    page_id: int = _big()
    updated_at: int = _big()
    received_at: int = _big()
    deleted: bool = False
    rejected: str = ""  # problem code
    at: int = _big()
    live: bool
    facts: str = _text()
    digest: bytes = _blob()
    issues: str = ""  # code:field;… of values applied empty
    row: int = 0  # position in its page, as shown on receipts
    body: bytes = _blob()
    reporter: bytes | None = _blob(null=True)
    replaced_by: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))  # by a replay


class PartyRow(SQLModel, table=True):
    """A person on the current version of a record."""

    __tablename__ = "party"
    __table_args__ = (Index("party_person", "person_id"), {"sqlite_with_rowid": False})
    record_id: int = Field(sa_column=Column(BigInteger, primary_key=True))
    idx: int = Field(primary_key=True)
    role: str
    person_id: int | None = _big(null=True)
    born: int | None = None  # ordinal day
    capacity: str | None = None
    sex: str | None = None
    indexes: bytes = _blob()  # kind and 16 bytes each: what decides, and what goes from blind_index with the record


class BlindIndex(SQLModel, table=True):
    """Keyed HMACs of the current version's identifiers, for look-ups: their first eight bytes, as a signed integer.

    Whole values lie in ``party.indexes``; whoever looks up compares those.
    """

    __tablename__ = "blind_index"
    __table_args__ = ({"sqlite_with_rowid": False},)
    value: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    party: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))  # record * 1024 + idx


class Number(SQLModel, table=True):
    """Every incident number a current record carries or names, so that numbers link records (A6)."""

    __tablename__ = "number"
    __table_args__ = (Index("number_record", "record_id"), {"sqlite_with_rowid": False})
    no: str = Field(primary_key=True)
    record_id: int = Field(sa_column=Column(BigInteger, primary_key=True))
    own: bool  # True: the record's own key


class PersonRow(SQLModel, table=True):
    """A person; everything about them lies in their records."""

    __tablename__ = "person"
    __table_args__ = (UniqueConstraint("uid"),)
    id: int | None = _id()
    uid: str
    alias_of: int | None = _big(null=True)
    protected: bool = False  # sheltered: new addresses from any feed are withheld


class Household(SQLModel, table=True):
    """A household and the light it stands at."""

    __tablename__ = "household"
    __table_args__ = (
        UniqueConstraint("uid"),
        Index("household_registered", "registered"),
        Index("household_valid_until", "valid_until"),
        Index("household_light", "community", "light"),
    )
    id: int | None = _id()
    uid: str
    registered: str | None = None  # the register's household number
    community: str | None = None
    provisional: bool = False
    successor_id: int | None = _big(null=True)  # set: left with nothing, not listed
    light: int = 0
    since: int | None = _big(null=True)
    judged_at: int | None = _big(null=True)
    valid_until: int | None = _big(null=True)
    assessment: str | None = _text(null=True)  # JSON: concerns, held, next, categories (coded, keys only)


class Membership(SQLModel, table=True):
    """Who belongs to a household; rebuilt by every placement of it."""

    __tablename__ = "membership"
    __table_args__ = (Index("membership_person", "person_id"), {"sqlite_with_rowid": False})
    household_id: int = Field(sa_column=Column(BigInteger, primary_key=True))
    person_id: int = Field(sa_column=Column(BigInteger, primary_key=True))
    n: int = Field(primary_key=True)
    role: str = ""
    born: int | None = None
    capacity: str | None = None
    since: int | None = None
    until: int | None = None


class EventPlace(SQLModel, table=True):
    """On which households a current record counts, and why."""

    __tablename__ = "event_place"
    __table_args__ = (Index("event_place_household", "household_id"), {"sqlite_with_rowid": False})
    record_id: int = Field(sa_column=Column(BigInteger, primary_key=True))
    household_id: int = Field(sa_column=Column(BigInteger, primary_key=True))
    why: str


class WaitsOn(SQLModel, table=True):
    """Households whose answer changes when a silent stream is heard."""

    __tablename__ = "waits_on"
    __table_args__ = (Index("waits_on_stream", "unit", "stream"), {"sqlite_with_rowid": False})
    household_id: int = Field(sa_column=Column(BigInteger, primary_key=True))
    unit: str = Field(primary_key=True)
    stream: str = Field(primary_key=True)


class LightChange(SQLModel, table=True):
    """Every transition, in order; ``id`` is the change feed's cursor."""

    __tablename__ = "light_change"
    __table_args__ = (Index("light_change_household", "household_id"),)
    id: int | None = _id()
    no: str
    household_id: int = _big()
    community: str | None = None
    was: int
    light: int
    since: int | None = _big(null=True)
    at: int = _big()
    rule: str = ""
    reason: str = ""


class OwedRow(SQLModel, table=True):
    """A report, duty or other owed thing that was opened. No household in any unique index: settle matches causes."""

    __tablename__ = "owed"
    __table_args__ = (UniqueConstraint("no"), Index("owed_open", "state", "due"))
    id: int | None = _id()
    no: str
    what: str
    to: str
    slot: str
    state: str = "open"  # open, accepted, done, returned, cancelled; a report: queued … answered, cancelled
    live: bool = True
    opened_at: int = _big()
    due: int | None = _big(null=True)
    closed_at: int | None = _big(null=True)
    closed_by: str = ""
    how: str = ""
    facts: str = _text()  # JSON, coded
    body: bytes | None = _blob(null=True)  # sealed message data fixed at opening (reports)
    household_id: int | None = _big(null=True, index=True)  # where it shows now; follows its causes
    replaces: str = ""  # number of the one it was opened anew for


class OwedCause(SQLModel, table=True):
    """The records that cause an owed thing."""

    __tablename__ = "owed_cause"
    __table_args__ = (Index("owed_cause_record", "record_id"), {"sqlite_with_rowid": False})
    owed_id: int = Field(sa_column=Column(BigInteger, primary_key=True))
    record_id: int = Field(sa_column=Column(BigInteger, primary_key=True))


class ParcelRow(SQLModel, table=True):
    """The outbox: one row per message and channel, committed with its cause."""

    __tablename__ = "parcel"
    __table_args__ = (
        UniqueConstraint("no", "channel"),
        Index("parcel_due", "state", "next_at"),
        Index("parcel_turn", "state", "urgent", "next_at"),
        Index("parcel_owed", "owed_id"),
    )
    id: int | None = _id()
    no: str  # message number = idempotency key
    channel: str = "first"
    owed_id: int | None = _big(null=True)
    to: str
    kind: str
    urgent: bool = False
    state: str = "queued"  # queued, sent (no answer can come back here), received, refused, withdrawn
    body: bytes = _blob()  # sealed message data
    rendered: bytes | None = _blob(null=True)  # sealed bytes, fixed before the first send
    attempts: int = 0
    next_at: int = _big()
    lease_owner: str | None = None
    lease_until: int | None = _big(null=True)
    created_at: int = _big()
    sent_at: int | None = _big(null=True)
    received_at: int | None = _big(null=True)
    receipt_no: str | None = None
    last: str = ""  # coded result of the last attempt


class Quarantined(SQLModel, table=True):
    """A row that waits for a fix, original sealed; the same bytes again are the same row, seen once more."""

    __tablename__ = "quarantine"
    __table_args__ = (
        Index("quarantine_code", "state", "code"),
        Index("quarantine_page", "page_id"),
        Index("quarantine_digest", "digest"),
        Index("quarantine_key", "state", "unit", "stream", "no"),
    )
    id: int | None = _id()
    uid: str
    page_id: int = _big()
    row: int
    unit: str
    stream: str
    no: str | None = None
    code: str
    field: str
    remedy: str = ""
    state: str = "open"  # open, redriven, discarded, superseded
    mode: str = "live"
    at: int = _big()
    original: bytes = _blob()
    digest: bytes | None = _blob(null=True)  # keyed, of stream, mode and original; None: from before it was kept
    shape: str = ""  # of the refused value, never the value
    harm: bool = False  # speaks of violence or of a child in danger: a person must read it (D26)
    updated_at: int | None = _big(null=True)  # the row's own time of update, if that could be read
    times: int = 1
    last_at: int = _big()
    closed_at: int | None = _big(null=True)
    closed_by: str = ""  # uid of the event that took its place


class SeenAgain(SQLModel, table=True):
    """Where else a quarantined row came in: its status there follows the first one's."""

    __tablename__ = "quarantine_again"
    __table_args__ = (Index("quarantine_again_item", "quarantine_id"), {"sqlite_with_rowid": False})
    page_id: int = Field(sa_column=Column(BigInteger, primary_key=True))
    row: int = Field(primary_key=True)
    quarantine_id: int = _big()


class Issue(SQLModel, table=True):
    """Something a person should act on; one open row per (code, subject)."""

    __tablename__ = "issue"
    __table_args__ = (Index("issue_open", "closed_at", "code"),)
    id: int | None = _id()
    uid: str
    code: str
    subject: str
    since: int = _big()
    closed_at: int | None = _big(null=True)
    remedy: str = ""


class Schedule(SQLModel, table=True):
    """One row per polled stream: next due, lease, fencing token, cursor. ``stream`` is a feed's name (`core/freight.py`)."""

    __tablename__ = "schedule"
    unit: str = Field(primary_key=True)
    stream: str = Field(primary_key=True)
    next_due: int = _big()
    lease_owner: str | None = None
    lease_until: int | None = _big(null=True)
    fence: int = 0
    cursor: str | None = _text(null=True)
    heard_at: int | None = _big(null=True)  # last answer, an empty one too
    missed: int = 0
    failures: int = 0
    last: str = ""


class SilenceRow(SQLModel, table=True):
    """Recorded spans in which a scheduled stream was not heard (S12)."""

    __tablename__ = "silence"
    unit: str = Field(primary_key=True)
    stream: str = Field(primary_key=True)
    since: int = Field(sa_column=Column(BigInteger, primary_key=True))
    until: int | None = _big(null=True)


class Reconciled(SQLModel, table=True):
    """One day of one stream beside what its source says of it."""

    __tablename__ = "reconciled"
    unit: str = Field(primary_key=True)
    stream: str = Field(primary_key=True)
    day: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})  # ordinal
    theirs: int | None = None
    ours: int
    missing: int
    extra: int
    pulled: int
    tries: int
    state: str  # agrees, extra, differs
    at: int = _big()


class LeaseRow(SQLModel, table=True):
    """Named leases (the writer's, a node's heartbeat): taken by one conditional UPDATE."""

    __tablename__ = "lease"
    what: str = Field(primary_key=True)
    owner: str | None = None
    fence: int = 0
    until: int | None = _big(null=True)


class ReviewItem(SQLModel, table=True):
    """Links a person should look at, and side effects that the fence held back."""

    __tablename__ = "review_item"
    __table_args__ = (Index("review_open", "state"), Index("review_record", "record_id"))
    id: int | None = _id()
    uid: str
    kind: str  # identity, backfill, emergency (record_id 0, candidates: the uid of a quarantined row)
    record_id: int = _big()
    idx: int = 0
    candidates: str = ""  # person ids, or what was owed
    why: str = ""
    state: str = "open"
    at: int = _big()


class EdgeRow(SQLModel, table=True):
    """A connector's edge: invited by a one-time code, then known by its public key, then perhaps revoked."""

    __tablename__ = "edge"
    __table_args__ = (UniqueConstraint("key_id"), UniqueConstraint("code_hash"), Index("edge_connector", "connector"))
    id: int | None = _id()
    connector: str
    state: str  # invited, active, revoked
    code_hash: str | None = None  # until it has joined
    code_until: int | None = _big(null=True)
    key_id: str | None = None
    public_key: bytes | None = _blob(null=True)
    invited_at: int = _big()
    joined_at: int | None = _big(null=True)
    revoked_at: int | None = _big(null=True)
    heard_at: int | None = _big(null=True)
    told: str | None = _text(null=True)  # the state it last told of itself, JSON without personal data


class EdgeNonce(SQLModel, table=True):
    """Nonces of signed requests, each until its signature is stale: a replay finds its own row."""

    __tablename__ = "edge_nonce"
    __table_args__ = (Index("edge_nonce_until", "kept_until"),)
    key_id: str = Field(primary_key=True)
    nonce: str = Field(primary_key=True)
    kept_until: int = _big()


class AuditRow(SQLModel, table=True):
    """One look at personal data by a person; ``before`` is the digest of the entry before it."""

    __tablename__ = "audit"
    number: int = Field(
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False)
    )
    at: int = _big()
    who: str
    role: str
    act: str  # export.households, quarantine.show, household.show …
    subject: str = ""
    purpose: str = ""
    before: bytes = _blob()
    digest: bytes = _blob()
