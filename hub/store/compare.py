"""Incoming versions against what the store has: which one is the truth now, and what becomes of every row.

The truth of a key is its newest version by (``updated_at``, retraction first on a tie, then arrival); facts carry the
dates of its path (S4). Both are functions of the set of versions, so order of arrival cannot matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from hub.core.freight import Sealed
from hub.core.records import Event, Facts, Key
from hub.core.timeline import carry, facts_from_json, facts_to_json
from hub.store.sql import Row, Sql
from hub.store.times import from_us, to_us


class Incoming(NamedTuple):
    """One sealed row of one page, in order of arrival."""

    page_id: int
    sealed: Sealed
    again: int = 0  # the stored version (its id) whose original this is, under the mapping of today


class Version(NamedTuple):
    """One version of a key, stored or new."""

    number: int
    updated_at: int
    deleted: bool
    rejected: str
    digest: bytes
    live: bool
    new: Incoming | None  # None: stored before
    facts: str = ""  # of a stored one
    id: int = 0  # of a stored one
    replaced_by: int = 0  # number of the version that a replay put in its place; it counts no more


class Outcome(NamedTuple):
    """What one row came to."""

    page_id: int
    row: int
    status: str  # applied, unchanged, rejected
    event: str  # the record's uid
    incoming: Incoming


class Truth(NamedTuple):
    """A key whose truth may have changed: what is to be stored, and whether a timeline changes."""

    key: Key
    record_id: int  # 0: no record yet
    uid: str
    state: str  # applied, retracted, rejected
    was: str  # its state before; "" if there was none
    event: Event  # of the newest version, facts carried, version numbered, no person ids
    facts_text: str
    newest: Version
    fresh: tuple[Version, ...]  # versions to insert
    changed: bool  # the timeline changes: other content, time or state than before
    content: Sealed | None  # of the newest version if it came in this batch: its parties and indexes are to be written
    live: bool  # the change may have side effects: the version that made it is live
    replaced: tuple[Version, ...] = ()  # stored versions that a replay put others in the place of


class Stored(NamedTuple):
    """A record as it stands."""

    record_id: int
    uid: str
    kind: str
    state: str
    version: int
    updated_at: int
    received_at: int
    at: int
    live: bool
    facts: str
    related: str
    digest: bytes


_STORED = (
    "SELECT no, id, uid, kind, state, version, updated_at, received_at, at, live, facts, related, digest FROM record"
)


def _stored(row: Row) -> Stored:
    record_id, uid, kind, state, version, updated, received, at, live, facts, related, digest = row
    return Stored(
        int(record_id), uid, kind, state, version, updated, received, at, bool(live), facts, related, bytes(digest)
    )


def stored_records(sql: Sql, keys: Iterable[Key]) -> dict[Key, Stored]:
    """Records that exist, by key: one query a stream."""
    by_stream: dict[tuple[str, str], list[str]] = {}
    for key in keys:
        by_stream.setdefault((key.unit, key.stream), []).append(key.no)
    found: dict[Key, Stored] = {}
    for (unit, stream), numbers in by_stream.items():
        for row in sql.rows_in(f"{_STORED} WHERE unit = ? AND stream = ? AND no {{in}}", numbers, (unit, stream)):
            found[Key(unit, stream, row[0])] = _stored(row[1:])
    return found


def _stored_versions(sql: Sql, records: Iterable[int]) -> dict[int, list[Version]]:
    found: dict[int, list[Version]] = {}
    rows = sql.rows_in(
        "SELECT record_id, number, updated_at, deleted, rejected, digest, live, facts, id, replaced_by FROM version"
        " WHERE record_id {in} ORDER BY record_id, number",
        records,
    )
    for record_id, number, updated, deleted, rejected, digest, live, facts, id_, replaced_by in rows:
        found.setdefault(int(record_id), []).append(
            Version(
                number, updated, bool(deleted), rejected, bytes(digest), bool(live), None, facts, id_, replaced_by
            )
        )  # fmt: skip
    return found


def compare(sql: Sql, batch: Sequence[Incoming]) -> tuple[list[Outcome], list[Truth]]:
    """Every row's outcome, and the keys whose records are to be written. Two queries at most per stream."""
    by_key: dict[Key, list[Incoming]] = {}
    for incoming in batch:
        by_key.setdefault(incoming.sealed.event.key, []).append(incoming)
    stored = stored_records(sql, by_key)
    versions = _stored_versions(sql, [s.record_id for s in stored.values()])
    outcomes: list[Outcome] = []
    truths: list[Truth] = []
    for key, rows in by_key.items():
        before = stored.get(key)
        if before is None and len(rows) == 1:
            outcome, truth = _first(key, rows[0])
            outcomes.append(outcome)
            truths.append(truth)
            continue
        known = versions.get(before.record_id, []) if before is not None else []
        uid = before.uid if before is not None else rows[0].sealed.uid
        told, after = take_in(known, rows, uid)
        outcomes += told
        if len(after) > len(known):
            truths.append(_truth(key, before, uid, known, after))
    return outcomes, truths


def _first(key: Key, row: Incoming) -> tuple[Outcome, Truth]:
    """What a key's only row comes to when nothing is stored: the same as the whole comparison, for most rows there are."""
    sealed = row.sealed
    event, code = sealed.event, sealed.rejected.code if sealed.rejected is not None else ""
    state = "retracted" if sealed.deleted else "rejected" if code else "applied"
    updated = to_us(event.updated_at)
    version = Version(1, updated, sealed.deleted, code, sealed.digest, event.live, row)
    outcome = Outcome(row.page_id, sealed.row, "rejected" if code else "applied", sealed.uid, row)
    truth = Truth(
        key, 0, sealed.uid, state, "", event._replace(version=1), facts_to_json(event.facts), version, (version,),
        state == "applied", sealed, event.live,
    )  # fmt: skip
    return outcome, truth


def _order(version: Version) -> tuple[int, bool, int]:
    return version.updated_at, version.deleted, version.number


def take_in(known: Sequence[Version], rows: Sequence[Incoming], uid: str) -> tuple[list[Outcome], list[Version]]:
    """Rows of one key in order of arrival against its versions: outcomes, and all versions there are then."""
    versions = list(known)
    outcomes: list[Outcome] = []
    for row in rows:
        sealed = row.sealed
        updated = to_us(sealed.event.updated_at)
        was = _replayed(versions, row.again) if row.again else None
        status = _status([v for v in versions if not v.replaced_by] if was is None else [was], sealed, updated, was)
        outcomes.append(Outcome(row.page_id, sealed.row, status.removesuffix("+"), uid, row))
        if status.endswith("+"):
            code = sealed.rejected.code if sealed.rejected is not None else ""
            if was is not None:
                versions[was.number - 1] = was._replace(replaced_by=len(versions) + 1)
            versions.append(
                Version(len(versions) + 1, updated, sealed.deleted, code, sealed.digest, sealed.event.live, row)
            )
    return outcomes, versions


def _replayed(versions: Sequence[Version], number: int) -> Version | None:
    """What stands for a stored version now: itself, or what an earlier replay put in its place. None: another record's."""
    found = next((v for v in versions if v.id == number), None)
    while found is not None and found.replaced_by:
        found = versions[found.replaced_by - 1]
    return found


def _status(versions: Sequence[Version], sealed: Sealed, updated: int, was: Version | None = None) -> str:
    """applied, unchanged or rejected; ``+`` when the version is to be kept. ``was``: replayed, it alone is compared."""
    rejected = sealed.rejected is not None
    alike = [
        v
        for v in versions
        if v.digest == sealed.digest and v.deleted == sealed.deleted and bool(v.rejected) == rejected
    ]
    if any(v.updated_at == updated for v in alike):
        return "rejected" if rejected else "unchanged"
    if was is None and alike and updated > (current := max(versions, key=_order)).updated_at and current in alike:
        # The same content with a newer time: nothing new to tell, but the time counts against late older versions.
        # A source that gives no time has it only from us: the first one stands.
        timed = sealed.event.updated_at != sealed.event.received_at
        return ("rejected" if rejected else "unchanged") + ("+" if timed else "")
    return "rejected+" if rejected else "applied+"


def _truth(key: Key, before: Stored | None, uid: str, known: Sequence[Version], every: Sequence[Version]) -> Truth:
    after = [version for version in every if not version.replaced_by]
    newest = max(after, key=_order)
    facts = carried(after)
    state = "retracted" if newest.deleted else "rejected" if newest.rejected else "applied"
    text = facts_to_json(facts)
    if newest.new is not None:
        sealed = newest.new.sealed
        event = sealed.event._replace(version=newest.number, facts=facts)
    else:
        assert before is not None
        sealed = None
        event = event_of(key, before, facts)
    changed = before is None or newest.new is not None or text != before.facts
    if before is None and state != "applied":
        changed = False
    fresh = tuple(v for v in every if v.new is not None)
    replaced = tuple(v for v, was in zip(every, known, strict=False) if v.replaced_by != was.replaced_by)
    live = newest.live if newest.new is not None else any(v.live for v in fresh)
    return Truth(
        key=key,
        record_id=before.record_id if before is not None else 0,
        uid=uid,
        state=state,
        was=before.state if before is not None else "",
        event=event,
        facts_text=text,
        newest=newest,
        fresh=fresh,
        changed=changed,
        content=sealed,
        live=live,
        replaced=replaced,
    )


def carried(versions: Sequence[Version]) -> Facts:
    """Facts of the newest version with the dates of its path; a retraction or rejection breaks the path."""
    facts: Facts = {}
    before: datetime | None = None
    for version in sorted(versions, key=_order):
        own: Facts = version.new.sealed.event.facts if version.new is not None else facts_from_json(version.facts)
        if version.deleted or version.rejected:
            facts, before = own, None
            continue
        facts = carry(facts, own, older_updated=before) if before is not None else own
        before = from_us(version.updated_at)
    return facts


def event_of(key: Key, stored: Stored, facts: Facts) -> Event:
    """The event of a stored record, parties left out."""
    return Event(
        key=key,
        version=stored.version,
        kind=stored.kind,
        at=from_us(stored.at),
        facts=facts,
        parties=(),
        related=tuple(stored.related.split(";")) if stored.related else (),
        live=stored.live,
        updated_at=from_us(stored.updated_at),
        received_at=from_us(stored.received_at),
    )
