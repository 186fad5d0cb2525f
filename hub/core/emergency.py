"""Whether a row that nobody could read speaks of violence or of a child in danger: by its words, flags and codes (D26)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from hub.core.fields import readers_of
from hub.core.records import Draft, Event, Fact, Key
from hub.core.timeline import derive
from hub.core.words import KINDS
from hub.core.words_of_harm import triage

__all__ = ["is_emergency"]

_NEVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
_BY_CHARGE: Final = frozenset({"criminal_case_filed", "procuratorial_action"})
"""Kinds in which an unrecorded charge counts as violent: here it must be recorded."""


def is_emergency(original: bytes, draft: Draft | None) -> bool:
    """Whether a person must look at this row within the hour. ``draft``: as far as it could be mapped."""
    return triage(original) or (draft is not None and _coded(draft))


def _coded(draft: Draft) -> bool:
    """What the columns that can be read say in codes: ``类型=1`` is suspected violence, whatever else is broken."""
    if draft.kind not in KINDS:
        return False
    facts = _readable(draft)
    if draft.kind in _BY_CHARGE and not facts.get("charge"):
        return False
    told = derive(Event(Key("", "", ""), 0, draft.kind, _NEVER, facts, (), (), False, _NEVER, _NEVER))
    injured = told.injury_rank is not None and told.injury_rank > 0
    return told.suspicion or told.sexual or told.harm or told.r6 or told.violence or injured or bool(told.situation)


def _readable(draft: Draft) -> dict[str, Fact]:
    facts: dict[str, Fact] = {}
    readers = readers_of(draft.kind, draft.key.unit)
    for name, raw in draft.facts.items():
        reader = readers.get(name)
        try:
            value = reader.read(raw) if reader is not None else None
        except ValueError:
            continue
        if value is not None:
            facts[name] = value
    return facts
