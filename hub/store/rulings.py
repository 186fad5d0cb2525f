"""What people ruled about who is meant, as stored: decisions of the station about (record, position) of the archive.

A decision is a record (`identity_decision`) whose facts name the store's own numbers; it holds while it is not taken back.
There are few of them, so a commit reads those that stand, and nothing at all where there are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from hub.core.hood import Ruling, Spot
from hub.core.records import Facts, Key
from hub.core.timeline import facts_from_json
from hub.core.values import MAX_WORD
from hub.store.compare import Truth
from hub.store.sql import Sql
from hub.store.tx import Tx

KIND = "identity_decision"
ITEM_STATE = {"accept": "accepted", "reject": "rejected"}
"""What becomes of the review item that a decision answers."""


class Decision(NamedTuple):
    """One decision: what was ruled about which mention, and about which other one (0: none)."""

    no: str
    what: str
    record: int
    position: int
    other: int
    other_position: int
    more: tuple[tuple[int, int], ...] = ()  # further mentions that stood for the same person or household
    other_more: tuple[tuple[int, int], ...] = ()

    @property
    def records(self) -> set[int]:
        """The records it is about."""
        return {self.record, self.other, *(record for record, _ in (*self.more, *self.other_more))} - {0}

    def ruling(self, keys: Mapping[int, Key]) -> Ruling | None:
        """As ``place`` reads it; None while nothing that it is about is among ``keys``."""
        a = _spots(((self.record, self.position), *self.more), keys)
        b = _spots(((self.other, self.other_position), *self.other_more), keys)
        if not a or (self.other and not b):
            return None
        return Ruling(self.what, a[0], b[0] if b else None, a[1:], b[1:], self.no)


def _spots(mentions: Iterable[tuple[int, int]], keys: Mapping[int, Key]) -> tuple[Spot, ...]:
    return tuple([(keys[record], position) for record, position in mentions if record in keys])


def decision(no: str, facts: Mapping[str, Any]) -> Decision:
    """The decision of a record's facts."""
    names = ("record", "position", "other", "other_position")
    record, position, other, other_position = (int(facts.get(name) or 0) for name in names)
    more, other_more = unwritten(facts.get("more")), unwritten(facts.get("other_more"))
    return Decision(no, str(facts.get("what")), record, position, other, other_position, more, other_more)


def written(mentions: Iterable[tuple[int, int]]) -> str | None:
    """Mentions as one word of a decision's facts, as many as fit."""
    found = ""
    for record, position in mentions:
        longer = f"{found} {record}:{position}".strip()
        if len(longer) > MAX_WORD:
            break
        found = longer
    return found or None


def unwritten(word: object) -> tuple[tuple[int, int], ...]:
    """The inverse of ``written``."""
    pairs = [one.partition(":") for one in str(word or "").split()]
    return tuple([(int(record), int(position)) for record, _, position in pairs])


def standing(sql: Sql) -> list[Decision]:
    """Every decision that stands, in the order of their numbers."""
    rows = sql.rows(f"SELECT no, facts FROM record WHERE kind = '{KIND}' AND state = 'applied' ORDER BY no")
    return [decision(str(no), facts_from_json(facts)) for no, facts in rows]


class Ruled(NamedTuple):
    """What this commit changes: records to be placed again, and what a decision that is taken back gives back."""

    records: frozenset[int] = frozenset()
    persons: Mapping[tuple[int, int], int] = {}  # (record, position) → person before
    homes: Mapping[int, int] = {}  # record → household before


def take(tx: Tx, changed: Sequence[tuple[int, Truth]]) -> Ruled:
    """Decisions that came or were taken back in this batch: answered review items, and what has to be placed again."""
    records: set[int] = set()
    persons: dict[tuple[int, int], int] = {}
    homes: dict[int, int] = {}
    for number, truth in changed:
        if truth.event.kind != KIND:
            continue
        facts = truth.event.facts if truth.state == "applied" else _said(tx, number)
        one = decision(truth.key.no, facts)
        records |= {one.record, one.other} - {0} if truth.state == "applied" else one.records
        item = facts.get("item")
        if item:
            state = ITEM_STATE.get(str(facts.get("act")), "open") if truth.state == "applied" else "open"
            tx.run("UPDATE review_item SET state = ? WHERE uid = ?", (state, item))
        if truth.state != "applied":
            _give_back(facts, one, persons, homes)
    tx.run_in("UPDATE person SET alias_of = NULL WHERE id {in}", sorted(set(persons.values())))
    tx.run_in("UPDATE household SET successor_id = NULL WHERE id {in}", sorted(set(homes.values())))
    return Ruled(frozenset(records), persons, homes)


def _said(sql: Sql, record: int) -> Facts:
    """What a decision said before it was taken back."""
    row = sql.one("SELECT facts FROM version WHERE record_id = ? AND NOT deleted ORDER BY number DESC", (record,))
    return facts_from_json(str(row[0])) if row is not None else {}


def _give_back(facts: Facts, one: Decision, persons: dict[tuple[int, int], int], homes: dict[int, int]) -> None:
    spots = ((one.record, one.position, ""), (one.other, one.other_position, "other_"))
    for record, position, prefix in spots:
        person, home = facts.get(f"{prefix}person"), facts.get(f"{prefix}household")
        if record and isinstance(person, int):
            persons[record, position] = person
        if record and isinstance(home, int):
            homes[record] = home


def of_records(sql: Sql, records: Iterable[int]) -> list[Decision]:
    """Decisions that stand and are about one of these records."""
    wanted = set(records)
    return [one for one in standing(sql) if one.records & wanted]


def said(sql: Sql, numbers: Iterable[str]) -> dict[str, tuple[Facts, str, bytes]]:
    """Decision number → (facts, uid of the version, its sealed body)."""
    rows = sql.rows_in(
        "SELECT r.no, r.facts, v.uid, v.body FROM record r JOIN version v ON v.record_id = r.id AND v.number = r.version"
        f" WHERE r.kind = '{KIND}' AND r.no {{in}}",
        numbers,
    )
    return {str(no): (facts_from_json(facts), str(uid), bytes(body)) for no, facts, uid, body in rows}
