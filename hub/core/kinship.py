"""What one record says about family: who is tied to whom and how strongly, whose household it concerns, who parted.

Everything here reads one record alone (its roles, its relation, its kind); ``household`` puts the answers together.
Sources: A8 and S24 (whose household), S31 and section 4 (divorce), "Whose household" in the record catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from hub.core.hood import Entry
from hub.core.records import SHANGHAI, Fact, Facts
from hub.core.words import FAMILY_KIN

NEAREST, PARENTAL, KIN, UNRECORDED = 0, 1, 2, 3
"""Strength of a tie: spouse or cohabitant · child and parent or guardian · other kin · a family matter without relation."""

_ENDS: dict[str, tuple[int, str, str]] = {
    # relation of the first-named to the second: strength, role of the first, role of the second
    "spouse": (NEAREST, "spouse", "spouse"),
    "cohabitant": (NEAREST, "cohabitant", "cohabitant"),
    "child": (PARENTAL, "child", "parent"),
    "parent": (PARENTAL, "parent", "child"),
    "grandchild": (KIN, "grandchild", "grandparent"),
    "grandparent": (KIN, "grandparent", "grandchild"),
    "sibling": (KIN, "sibling", "sibling"),
    "kin": (KIN, "kin", "kin"),
}


def _always(facts: Facts) -> bool:
    return True


_FAMILY_MATTERS: dict[str, Callable[[Facts], bool]] = {
    # kinds that speak of a family matter even when the relation of the two is unrecorded. A8 with A4: unrecorded is not
    # "no", and the unit that sent such a record has already called it a matter of one family.
    "police_call": lambda facts: facts.get("category") in ("family_dispute", "domestic_violence"),
    "admonition_issued": _always,
    "security_penalty": lambda facts: facts.get("domestic_violence") is True,
    "criminal_case_filed": lambda facts: facts.get("within_family") is not False,
    "procuratorial_action": lambda facts: facts.get("within_family") is not False,
    "procuratorial_notice": _always,
    "protection_order": _always,
    "violence_case_decided": _always,
    "divorce_suit": _always,
    "divorce_registration": _always,
    "mediation": _always,
    "visit_recorded": _always,
    "review_concluded": _always,
    "conflict_found": _always,
    "danger_assessed": _always,
    "complaint_received": lambda facts: facts.get("kind") in ("general_conflict", "domestic_violence", "divorce"),
    "concern_found": lambda facts: facts.get("kind") == "suspected_dv",
    "treatment_recorded": lambda facts: facts.get("violence_suspected") is True,
}
_SPOUSES = frozenset({"divorce_registration", "divorce_suit"})
_DECREES = ("divorce_by_judgment", "divorce_by_mediation")


class Tie(NamedTuple):
    """Two of a record's mentions (by position) that it makes one household."""

    rank: int
    own: bool  # it is the child's own record, or it shows the child with this adult
    a: int
    b: int
    role_a: str
    role_b: str


class Reading(NamedTuple):
    """One record read for family."""

    ties: tuple[Tie, ...]
    sides: tuple[tuple[int, str], ...]  # whose household it concerns: position, why
    former: tuple[tuple[int, int], ...]  # pairs that it calls former spouses


def read(entry: Entry) -> Reading:
    """What ``entry`` says about family."""
    facts = entry.facts
    relation: Fact = "spouse" if entry.kind in _SPOUSES else facts.get("relation")
    test = _FAMILY_MATTERS.get(entry.kind)
    return _read(tuple([m.role for m in entry.mentions]), relation, test is not None and test(facts))


@lru_cache(maxsize=4096)
def _read(roles: tuple[str, ...], relation: Fact, matter: bool) -> Reading:
    at: dict[str, list[int]] = {}
    for position, role in enumerate(roles):
        at.setdefault(role, []).append(position)
    pairs = _pairs(at)
    unrecorded = matter and relation in (None, "self")
    former = tuple(pairs) if relation == "former_spouse" else ()
    ties = [*_relation_ties(pairs, relation, unrecorded), *_child_ties(at)]
    if unrecorded or relation in FAMILY_KIN:
        ties += _third_party_ties(at, pairs)
    return Reading(tuple(ties), _sides(at, near=unrecorded or relation in FAMILY_KIN), former)


def _pairs(at: dict[str, list[int]]) -> list[tuple[int, int]]:
    """The principal pairs, first-named first: ``relation`` is what the first is to the second."""
    firsts, seconds = at.get("victim", []), at.get("alleged", [])
    if not (firsts and seconds):
        firsts, seconds = at.get("party_a", []), at.get("party_b", [])
    return [(a, b) for a in firsts for b in seconds]


def _relation_ties(pairs: list[tuple[int, int]], relation: Fact, unrecorded: bool) -> list[Tie]:
    ends = _ENDS.get(str(relation), (UNRECORDED, "", "") if unrecorded else None)
    if ends is None:
        return []
    rank, first, second = ends
    return [Tie(rank, first == "child", a, b, first, second) for a, b in pairs]


def _child_ties(at: dict[str, list[int]]) -> list[Tie]:
    """A guardian and the person in their care; a person sheltered and the children who came along."""
    wards = [*at.get("victim", ()), *at.get("subject", ())] or at.get("child", [])
    cared = [Tie(PARENTAL, True, w, g, "child", "guardian") for w in wards for g in at.get("guardian", ())]
    along = [Tie(PARENTAL, True, c, v, "child", "parent") for c in at.get("child", ()) for v in at.get("victim", ())]
    return cared + along


def _third_party_ties(at: dict[str, list[int]], pairs: list[tuple[int, int]]) -> list[Tie]:
    """A victim named beside the two parties of a family matter (often one of them) is of that family."""
    inside = {position for pair in pairs for position in pair}
    victims = [v for v in at.get("victim", ()) if v not in inside]
    parties = [*at.get("party_a", ()), *at.get("party_b", ())]
    return [Tie(UNRECORDED, True, v, p, "", "") for v in victims for p in parties]


def _sides(at: dict[str, list[int]], *, near: bool) -> tuple[tuple[int, str], ...]:
    """Whose households a record concerns. A stranger's is not one of them where the victim is known (A8)."""
    victims, alleged = at.get("victim", []), at.get("alleged", [])
    parties = [*at.get("party_a", ()), *at.get("party_b", ())]
    sides = [(v, "victim_side") for v in victims]
    if near or not victims:
        sides += [(a, "alleged_side") for a in alleged] + [(p, "party_side") for p in parties]
    if sides:
        return tuple(sides)
    for role in ("subject", "member", "guardian", "child"):
        if role in at:
            return tuple((position, "home") for position in at[role])
    return ()


class Parting(NamedTuple):
    """When a couple parted; ``legal`` by certificate or decree, else because a record calls them former spouses."""

    at: datetime
    legal: bool


def parting(entry: Entry, former: bool) -> Parting | None:
    """The end of a marriage that ``entry`` records (section 4: divorce certificate or decree), if it does."""
    facts = entry.facts
    if entry.kind == "divorce_registration" and facts.get("status") == "registered":
        return Parting(_ended(facts.get("status_on"), entry.at), True)
    if entry.kind == "divorce_suit" and facts.get("result") in _DECREES and facts.get("stage") == "closed":
        return Parting(_ended(facts.get("closed_on"), entry.at), True)
    return Parting(entry.at, False) if former else None


def _ended(when: Fact, otherwise: datetime) -> datetime:
    """A certificate or decree of a day counts from the last moment of that day (S1)."""
    if isinstance(when, datetime):
        return when
    if isinstance(when, date):
        return datetime.combine(when, time(), SHANGHAI) + timedelta(days=1)
    return otherwise
