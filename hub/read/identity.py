"""What a person may rule about who is meant, checked against the archive; and the rulings that stand.

Each function gives the rows of the station's stream `identity`, or raises ActError under a stable code. A ruling is a
record: it is dated, has a person and a reason, and taking it back gives what there was without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hub.core.acts import ActError, Actor, Row
from hub.core.records import Key
from hub.security.vault import Vault
from hub.store import meant, rulings
from hub.store.meant import Item, Meant
from hub.store.places import keys_of
from hub.store.reviews import open_items
from hub.store.sql import Sql


def accept(sql: Sql, actor: Actor, reason: str, item: str, candidate: str = "") -> list[Row]:
    """The mention is this candidate, whatever its own values say."""
    asked = _item(sql, item)
    chosen = _candidates(sql, asked, candidate)
    if len(chosen) != 1:
        raise ActError("identity.candidate")
    mention, other = _spot(sql, asked), _meant(meant.of_person(sql, chosen[0]))
    if mention.person == other.person:
        raise ActError("identity.one")
    own = meant.own_numbers(sql, mention)
    if own and other.numbers and own.isdisjoint(other.numbers):
        raise ActError("identity.numbers")
    return [_row(actor, reason, "accept", "is", mention, other, asked.uid)]


def reject(sql: Sql, actor: Actor, reason: str, item: str, candidate: str = "") -> list[Row]:
    """The mention is none of these candidates (or not the one named): nothing joins them from now on."""
    asked = _item(sql, item)
    chosen = _candidates(sql, asked, candidate)
    mention = _spot(sql, asked)
    return [
        _row(actor, reason, "reject", "apart", mention, _meant(meant.of_person(sql, one)), asked.uid, gives_back="")
        for one in chosen
        if one != mention.person
    ]


def merge(sql: Sql, actor: Actor, reason: str, one: str, other: str) -> list[Row]:
    """Two persons are one; or two households are one, if the register does not say otherwise."""
    persons = meant.person(sql, one), meant.person(sql, other)
    if persons[0] is not None and persons[1] is not None:
        a, b = (_meant(meant.of_person(sql, number)) for number in persons if number is not None)
        if persons[0] == persons[1]:
            raise ActError("identity.one")
        if a.numbers and b.numbers and a.numbers.isdisjoint(b.numbers):
            raise ActError("identity.numbers")
        return [_row(actor, reason, "merge", "same", a, b)]
    homes = meant.household(sql, one), meant.household(sql, other)
    if homes[0] is None or homes[1] is None:
        raise ActError("identity.unknown")
    if homes[0] == homes[1]:
        raise ActError("identity.one")
    if homes[0][1] and homes[1][1]:
        raise ActError("identity.registered")
    a, b = (_meant(meant.of_household(sql, home[0]))._replace(household=home[0]) for home in homes if home is not None)
    return [_row(actor, reason, "merge", "home", a, b)]


def split(sql: Sql, actor: Actor, reason: str, key: Key, position: int) -> list[Row]:
    """The person at a position of a record is not the one its values say: it stands alone from now on."""
    number = meant.record(sql, key)
    mention = None if number is None else meant.of_spot(sql, number, position)
    if mention is None:
        raise ActError("identity.unknown")
    return [_row(actor, reason, "split", "alone", mention, None, gives_back="first")]


def undo(sql: Sql, no: str) -> list[Row]:
    """A ruling taken back: what came in between is decided again."""
    if not any(one.no == no for one in rulings.standing(sql)):
        raise ActError("identity.decision")
    return [{"no": no, "deleted": True}]


def key_of(text: str) -> Key:
    """``unit.stream/number``. Raises ActError."""
    place, _, no = text.partition("/")
    unit, _, stream = place.partition(".")
    if not (unit and stream and no):
        raise ActError("identity.unknown")
    return Key(unit, stream, no)


def _item(sql: Sql, uid: str) -> Item:
    found = meant.item(sql, uid)
    if found is None:
        raise ActError("identity.item")
    return found


def _candidates(sql: Sql, item: Item, candidate: str) -> tuple[int, ...]:
    if not candidate:
        return item.candidates
    chosen = meant.person(sql, candidate)
    if chosen is None or chosen not in item.candidates:
        raise ActError("identity.candidate")
    return (chosen,)


def _spot(sql: Sql, item: Item) -> Meant:
    return _meant(meant.of_spot(sql, item.record, item.position))


def _meant(found: Meant | None) -> Meant:
    if found is None:
        raise ActError("identity.unknown")
    return found


def _row(
    actor: Actor, reason: str, act: str, what: str, a: Meant, b: Meant | None, item: str = "", gives_back: str = "both"
) -> Row:
    """A decision's row. ``gives_back``: whose person and household of today it restores when it is taken back."""
    if actor.unit is None:
        raise ActError("act.nameless", actor.by)
    if not reason.strip():
        raise ActError("act.reason")
    row: Row = {
        "at": actor.at.isoformat(), "act": act, "what": what, "by": actor.by, "unit": actor.unit, "reason": reason,
        "item": item or None, "record": a.record, "position": a.position,
    }  # fmt: skip
    if gives_back:
        row |= {"person": a.person, "household": a.household}
    if what in ("same", "home"):
        row["more"] = rulings.written(a.more)
    if b is not None:
        row |= {"other": b.record, "other_position": b.position, "other_more": rulings.written(b.more)}
        if gives_back == "both":
            row |= {"other_person": b.person, "other_household": b.household}
    return row


# -- what waits, and what stands -------------------------------------------------------------------------------------------------------


def review(sql: Sql, kind: str = "") -> list[dict[str, Any]]:
    """Open items of the review list (of one kind), in the order in which they are to be looked at. Keys and ids."""
    return [
        {
            "id": item.uid,
            "kind": item.kind,
            "since": item.at.isoformat(),
            "unit": item.key.unit if item.key else None,
            "stream": item.key.stream if item.key else None,
            "key": item.key.no if item.key else None,
            "position": item.position,
            "households": list(item.households),
            "why": item.why,
            "candidates": list(item.candidates),
        }
        for item in open_items(sql, kind)
    ]


def decisions(sql: Sql, vault: Vault | None = None, records: Iterable[int] | None = None) -> list[dict[str, Any]]:
    """The rulings that stand (about ``records``; None: all), oldest first; with their reasons if the vault is given."""
    found = rulings.standing(sql) if records is None else rulings.of_records(sql, records)
    keys = keys_of(sql, {number for one in found for number in one.records})
    said = rulings.said(sql, [one.no for one in found])
    return [_told(one, keys, *said[one.no], vault) for one in found]


def _told(
    one: rulings.Decision, keys: dict[int, Key], facts: Any, uid: str, body: bytes, vault: Vault | None
) -> dict[str, Any]:
    told = {
        "no": one.no,
        "act": facts.get("act"),
        "what": one.what,
        "at": facts["at"].isoformat() if facts.get("at") else None,
        "by": facts.get("by"),
        "unit": facts.get("unit"),
        "record": _named(keys.get(one.record)),
        "other": _named(keys.get(one.other)),
    }
    return told if vault is None else {**told, "reason": vault.open_body(uid, body)["texts"].get("reason")}


def _named(key: Key | None) -> str | None:
    return f"{key.unit}.{key.stream}/{key.no}" if key is not None else None
