"""Coded facts as text and back (the store's codec), and what an older version of a record leaves to a newer one (S4)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

import orjson

from hub.core.clocks import opening
from hub.core.records import SHANGHAI, Fact, Facts
from hub.core.words import COMMON, KINDS

CARRIED: Final = ("resolved_on", "in_force_from")
"""Facts no source sends: what ``carry`` keeps of an older version."""
_ASKED: Final = ("applied_on", "accepted_at")
"""Of an order: a court that sends the new state alone has not taken back when it was applied for."""
_WHEN_NAMES: Final = frozenset(
    name
    for facts in (COMMON, *(kind.facts for kind in KINDS.values()))
    for name, t in facts.items()
    if t.form == "when"
) | frozenset(CARRIED)
_TUPLE_NAMES: Final = frozenset(
    name for kind in KINDS.values() for name, t in kind.facts.items() if t.form in ("codes", "units")
)
_TYPED: Final = _WHEN_NAMES | _TUPLE_NAMES


def facts_to_json(facts: Facts) -> str:
    """Coded facts as JSON text: dates ``2021-08-30``, instants ``2021-08-30T09:30:00+08:00``, unrecorded ones left out."""
    return orjson.dumps(
        {name: value for name, value in facts.items() if value is not None}, option=orjson.OPT_SORT_KEYS
    ).decode()


def facts_from_json(text: str) -> dict[str, Fact]:
    """The inverse of ``facts_to_json``; instants carry the one zone object of the core."""
    facts: dict[str, Fact] = orjson.loads(text)
    for name in facts.keys() & _TYPED:
        value = facts[name]
        if name in _TUPLE_NAMES:
            facts[name] = tuple(value)  # type: ignore[arg-type]  # JSON knows no tuple: a list of words
        elif type(value) is str:
            facts[name] = _when(value)
    return facts


def _when(text: str) -> date | datetime:
    if len(text) == 10:
        return date.fromisoformat(text)
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=SHANGHAI) if text.endswith("+08:00") else instant.astimezone(SHANGHAI)


def carry(older: Facts, newer: Facts, *, older_updated: datetime | None = None) -> Facts:
    """What the newest version keeps of the one before it by ``updated_at`` (S4): the newer facts, perhaps with one more.

    A mediation that is *broken*, or *open* again, keeps the day it was resolved as ``resolved_on``. A court order that
    is revoked keeps when it came into force as ``in_force_from``, and any order when it was asked for. Apply along all known versions in ``updated_at``
    order: ``facts = carry(carried_facts_of_the_version_before, facts)``; then order of arrival cannot matter.
    """
    if newer.get("status") in ("broken", "open"):
        if older.get("status") == "resolved":
            return {**newer, "resolved_on": older.get("closed_on") or older_updated}
        if older.get("resolved_on") is not None:
            return {**newer, "resolved_on": older["resolved_on"]}
    asked = {name: older[name] for name in _ASKED if older.get(name) is not None and newer.get(name) is None}
    if asked and newer.get("result") is not None:
        newer = {**newer, **asked}
    if newer.get("result") == "revoked" and newer.get("original_case_no") is None:
        if older.get("result") in ("issued", "varied", "extended"):
            begins = [when for name in ("decided_on", "valid_from") if isinstance(when := older.get(name), date)]
            return {**newer, "in_force_from": min(begins, key=opening)} if begins else newer
        if older.get("in_force_from") is not None:
            return {**newer, "in_force_from": older["in_force_from"]}
    return newer
