"""Write what came in: records, versions, parties, blind indexes, numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.core.freight import Sealed
from hub.core.timeline import facts_to_json
from hub.core.values import link_form
from hub.store.compare import Truth
from hub.store.index_bytes import PARTIES, UNLISTED, look_up, pack, unpack
from hub.store.loaded import Loaded, PartyOf
from hub.store.sql import Sql
from hub.store.times import to_day, to_us
from hub.store.tx import Tx

_RECORD = (
    "id", "uid", "unit", "stream", "no", "kind", "state", "version", "updated_at", "received_at", "at", "live",
    "facts", "related", "digest", "placed",
)  # fmt: skip
_VERSION = (
    "record_id", "number", "uid", "page_id", "updated_at", "received_at", "deleted", "rejected", "at", "live", "facts",
    "digest", "issues", "row", "body", "reporter",
)  # fmt: skip
_STANDING = ("report_no", "duty_no", "message_no")
_NAMING = frozenset({*_STANDING, "original_case_no"})
"""Facts that name a number beside ``related``."""
_PARTY = ("record_id", "idx", "role", "person_id", "born", "capacity", "sex", "indexes")


def save_truths(tx: Tx, truths: Sequence[Truth]) -> list[int]:
    """Records and versions; the record id of each truth, new ones numbered."""
    next_id = tx.next_id("record")
    ids: list[int] = []
    new: list[tuple[object, ...]] = []
    old: list[tuple[object, ...]] = []
    versions: list[tuple[object, ...]] = []
    for truth in truths:
        record_id = truth.record_id
        if not record_id:
            record_id, next_id = next_id, next_id + 1
            new.append((record_id, truth.uid, *truth.key, *_values(truth), ""))
        else:
            old.append((*_values(truth), record_id))
        ids.append(record_id)
        versions += [_version(record_id, v.number, v.new.page_id, v.new.sealed, truth) for v in truth.fresh if v.new]
    tx.insert("record", _RECORD, new)
    tx.many(
        "UPDATE record SET kind = ?, state = ?, version = ?, updated_at = ?, received_at = ?, at = ?, live = ?,"
        " facts = ?, related = ?, digest = ? WHERE id = ?",
        old,
    )
    tx.insert("version", _VERSION, versions)
    tx.many(
        "UPDATE version SET replaced_by = ? WHERE id = ?",
        [(version.replaced_by, version.id) for truth in truths for version in truth.replaced if version.id],
    )
    return ids


def _values(truth: Truth) -> tuple[object, ...]:
    event = truth.event
    return (
        event.kind, truth.state, truth.newest.number, truth.newest.updated_at, to_us(event.received_at),
        to_us(event.at), event.live, truth.facts_text, ";".join(event.related), truth.newest.digest,
    )  # fmt: skip


def _version(record_id: int, number: int, page_id: int, sealed: Sealed, truth: Truth) -> tuple[object, ...]:
    event = sealed.event
    text = truth.facts_text if event.facts is truth.event.facts else facts_to_json(event.facts)
    return (
        record_id, number, sealed.uid, page_id, to_us(event.updated_at), to_us(event.received_at), sealed.deleted,
        sealed.rejected.code if sealed.rejected is not None else "", to_us(event.at), event.live,
        text, sealed.digest, ";".join(f"{code}:{field}" for code, field in sealed.issues),
        sealed.row, sealed.body, sealed.reporter,
    )  # fmt: skip


def save_content(
    sql: Sql, loaded: Loaded, truths: Sequence[tuple[int, Truth]], persons: Mapping[tuple[int, int], int]
) -> None:
    """Parties, blind indexes and numbers of records whose newest version came in this batch: the old ones go.

    ``persons`` says who is meant by (record, position), as placed.
    """
    _forget(sql, [record_id for record_id, truth in truths if truth.record_id])
    parties: list[tuple[object, ...]] = []
    indexes: set[tuple[int, int]] = set()
    numbers: set[tuple[str, int, bool]] = set()
    for record_id, truth in truths:
        rows = loaded.parties[record_id] = []
        if truth.content is None or truth.state != "applied":
            continue
        event = truth.content.event
        for idx, (party, found) in enumerate(zip(event.parties, truth.content.indexes, strict=True)):
            row = PartyOf(
                idx, party.role, persons.get((record_id, idx)), to_day(party.born), party.capacity, party.sex, found
            )
            rows.append(row)
            parties.append((record_id, *row[:6], pack(found)))
            spot = record_id * PARTIES + idx
            indexes.update([(look_up(value), spot) for kind, value in found if kind not in UNLISTED])
        own = link_form(truth.key.no)
        numbers.add((own, record_id, True))
        if event.related or not event.facts.keys().isdisjoint(_NAMING):
            numbers.update([(no, record_id, False) for no in named_numbers(event.facts, event.related) if no != own])
    sql.insert("party", _PARTY, parties)
    sql.insert("blind_index", ("value", "party"), sorted(indexes))
    sql.insert("number", ("no", "record_id", "own"), sorted(numbers))


def named_numbers(facts: Mapping[str, object], related: Sequence[str]) -> set[str]:
    """Numbers a record names: of its incident, of the report or duty it answers, of the order it replaces."""
    standing = {str(facts[name]) for name in _STANDING if facts.get(name)}
    linking = [*related, *([str(facts["original_case_no"])] if facts.get("original_case_no") else [])]
    return standing | {link_form(no) for no in linking}


def _forget(sql: Sql, records: Sequence[int]) -> None:
    gone = [
        (look_up(index.value), record_id * PARTIES + idx)
        for record_id, idx, packed in sql.rows_in(
            "SELECT record_id, idx, indexes FROM party WHERE record_id {in}", records
        )
        for index in unpack(bytes(packed))
    ]
    sql.many("DELETE FROM blind_index WHERE value = ? AND party = ?", gone)
    sql.run_in("DELETE FROM party WHERE record_id {in}", records)
    sql.run_in("DELETE FROM number WHERE record_id {in}", records)
