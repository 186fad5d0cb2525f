"""What is not ours: rows that belong to no household's safety, by kind, in one table.

Policy section 2, "What opens what", and S14. A rejected row is counted and its content erased; a newer version that
states what was missing is taken, and one that takes it back replaces the older like a retraction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from hub.core.ages import age_on
from hub.core.records import Draft, Person
from hub.core.words import FAMILY_KIN
from hub.core.words_of_harm import speaks_of_harm

__all__ = ["why_not_ours"]

_MALTREATMENT: Final = re.compile(r"(?<![A-Z0-9])(?:T74|Y0[567])", re.IGNORECASE)
"""ICD-10 by prefix: T74 maltreatment syndromes, Y05–Y07 assault, neglect, maltreatment."""


def why_not_ours(draft: Draft) -> str | None:
    """The problem code (``not_ours.*``) of a clean draft that the hub must not keep; None when it is ours."""
    judge = _TABLE.get(draft.kind)
    return judge(draft) if judge else None


def _family(draft: Draft) -> bool | None:
    """Whether the row's own relation is one of family or cohabitation (former spouse too); None: unrecorded."""
    relation = draft.facts.get("relation")
    return None if relation in (None, "self") else relation in FAMILY_KIN


def _call(draft: Draft) -> str | None:
    category = draft.facts.get("category")
    if category in ("neighbours", "other") and not _family(draft):
        return "not_ours.neighbours" if category == "neighbours" else "not_ours.other_call"
    return None


def _letter(draft: Draft) -> str | None:
    return "not_ours.harassment_letter" if draft.facts.get("kind") == "sexual_harassment" else None


def _penalty(draft: Draft) -> str | None:
    """Unknown counts with a family relation, and only then (S14)."""
    domestic = draft.facts.get("domestic_violence")
    return None if domestic or (domestic is None and _family(draft)) else "not_ours.not_domestic"


def _case(draft: Draft) -> str | None:
    """Outside the family by its own field; that empty: by the relation; that empty too: counts."""
    within = draft.facts.get("within_family")
    if within is None:
        within = _family(draft)
    return "not_ours.outside_family" if within is False else None


def _treatment(draft: Draft) -> str | None:
    facts = draft.facts
    if facts.get("violence_suspected") or facts.get("harm_suspected") or facts.get("situation"):
        return None
    if _MALTREATMENT.search(str(facts.get("icd10") or "")):
        return None
    if facts.get("injury") not in (None, "none") and (_family(draft) or draft.related):
        return None  # in a family incident: by its relation, or by the incident's number
    if any(_is_unsafe(person, draft) for person in draft.persons) and any(map(speaks_of_harm, draft.texts.values())):
        return None
    return "not_ours.not_needed"


def _is_unsafe(person: Person, draft: Draft) -> bool:
    """A minor on the day of the treatment, or somebody of no or limited capacity."""
    if person.role != "victim":
        return False
    minor = person.born is not None and draft.at is not None and age_on(person.born, draft.at.date()) < 18
    return minor or person.capacity in ("none", "limited")


_TABLE: Final[Mapping[str, Callable[[Draft], str | None]]] = {
    "police_call": _call,
    "admonition_issued": _letter,
    "security_penalty": _penalty,
    "criminal_case_filed": _case,
    "procuratorial_action": _case,
    "treatment_recorded": _treatment,
}
"""Kind → its judge; every other kind is always ours."""
