"""What one record says beyond its columns: facts that follow from others, one table of readers by kind of record.

``derive`` answers for one event. Everything about several events at once is in ``incident.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final, NamedTuple

from hub.core.ages import age_on, capacity_at
from hub.core.codes import UNITS
from hub.core.records import Event, Fact, Facts, Party
from hub.core.versions import carry, facts_from_json, facts_to_json
from hub.core.words import FAMILY_KIN

__all__ = ["Derived", "age_on", "capacity_at", "carry", "derive", "facts_from_json", "facts_to_json", "victim_of"]

VIOLENT_GRADES: Final = frozenset({"suspected", "general", "serious"})
INJURY_RANKS: Final = {"none": 0, "slight": 1, "minor": 2, "serious": 3, "dead": 4}
PLAIN_CHARGES: Final = frozenset(
    [
        "盗窃",
        "诈骗",
        "侵占",
        "抢夺",
        "职务侵占",
        "挪用资金",
        "危险驾驶",
        "交通肇事",
        "赌博",
        "开设赌场",
        "信用卡诈骗",
        "虚开发票",
    ]
)
"""Charges plainly without violence (S14); every other charge, and an unrecorded one, counts."""
SITUATION_IMPLIED_FOR: Final = frozenset({"civil_affairs", "womens_federation", "community_grid"})
"""Units whose suspected sexual assault of a minor is situation 9, also without the code (S28); sources outside the ten too."""
PARTIES_ONLY: Final = frozenset({"visit_recorded", "conflict_found"})
"""Kinds in which a minor or incapable party is the victim when no victim is named (S22)."""


class Derived(NamedTuple):
    """Facts that follow from others. Ages are full years by S8 (the birthday itself still belongs to the year before)."""

    suspicion: bool  # violence suspected or more, by any of flag, kind, code, grade or score (S14, S21, S28)
    sexual: bool  # sexual assault suspected
    harm: bool  # a hospital suspects harm
    grade: str  # none, suspected, general, serious; unstated when unrecorded
    r6: bool  # fierce, excessive act (a weapon is one), physical conflict or anyone injured, in a call
    dv_call: bool  # a call of category domestic violence
    family: bool | None  # within the family, by its own flag, else by the relation; None: unrecorded
    violent_charge: bool  # not plainly without violence
    situation: str | None  # of the 2020 opinion, also when implied (S28)
    injury_rank: int | None  # None unrecorded, 0 none … 4 dead
    in_person: bool  # home or appointment, and reached
    calm: bool
    tension: bool
    violence: bool  # a visit that found violence
    reached: bool  # a visit that met somebody
    victim: Party | None
    victim_age: int | None
    victim_minor: bool | None  # None: age unknown
    victim_capacity: str  # none, limited, full or unknown
    perhaps_minor: bool  # a minor, or age unknown and not known to be of full capacity (the safer side)


def derive(event: Event) -> Derived:
    """All derived facts of one event, amendments of other records already in its facts."""
    facts = event.facts
    get = facts.get
    kind = event.kind
    suspect, sexual_reader = _SUSPICION.get(kind, _SILENT)
    finding, reached, r6, dv_call = None, False, False, False
    if kind == "visit_recorded":
        finding = get("finding")
        reached = finding != "not_reached"
    elif kind == "police_call":
        r6, dv_call = _is_r6(facts), get("category") == "domestic_violence"
    injury = get("injury")
    victim = victim_of(event) if event.parties else None
    age = minor = None
    capacity = "unknown"
    if victim is not None:
        if victim.born is not None:
            age = age_on(victim.born, event.at.date())
            minor = age < 18
        capacity = capacity_at(age, victim.capacity)
    perhaps_minor = bool(minor) or (
        minor is None and capacity != "full" and (victim is not None or kind not in PARTIES_ONLY)
    )
    sexual = sexual_reader is not _never and sexual_reader(facts)
    fields = (  # in the order of the class: made for every event, by name it would cost three times as much
        suspect(facts),
        sexual,
        get("harm_suspected") is True,
        str(get("violence") or "unstated"),
        r6,
        dv_call,
        _family(facts),
        "charge" not in facts or _is_violent_charge(facts["charge"]),
        _situation(event, sexual, minor),
        None if injury is None else INJURY_RANKS[str(injury)],
        reached and get("mode") in ("home", "appointment"),
        finding == "calm",
        finding == "tension",
        finding == "violence",
        reached,
        victim,
        age,
        minor,
        capacity,
        perhaps_minor,
    )
    return tuple.__new__(Derived, fields)


def victim_of(event: Event) -> Party | None:
    """The victim the record names; in visits and conflicts with parties only the minor or incapable party (S22)."""
    for party in event.parties:
        if party.role == "victim":
            return party
    if event.kind not in PARTIES_ONLY:
        return None
    found: Party | None = None
    for party in event.parties:
        if party.role not in ("party_a", "party_b", "child", "member"):
            continue
        age = None if party.born is None else age_on(party.born, event.at.date())
        weak = (age is not None and age < 18) or capacity_at(age, party.capacity) in ("none", "limited")
        if weak and (found is None or (party.born or date.min) > (found.born or date.min)):
            found = party
    return found


def _situation(event: Event, sexual: bool, minor: bool | None) -> str | None:
    named = event.facts.get("situation")
    if named is not None:
        return str(named)
    implied = event.key.unit in SITUATION_IMPLIED_FOR or event.key.unit not in UNITS
    return "other_grave_harm" if sexual and minor and implied else None


# -- what the columns say ----------------------------------------------------------------------------------------------

Reader = Callable[[Facts], bool]


def _never(_facts: Facts) -> bool:
    return False


def _always(_facts: Facts) -> bool:
    return True


def _is_graded_violent(facts: Facts) -> bool:
    return facts.get("violence") in VIOLENT_GRADES


def _is_r6(facts: Facts) -> bool:
    get = facts.get
    return (
        get("intensity") == "fierce"
        or get("excessive_act") is True
        or get("physical_conflict") is True
        or get("weapon") is True
        or get("injury") not in (None, "none")
    )


def _family(facts: Facts) -> bool | None:
    within = facts.get("within_family")
    if within is not None:
        return within is True
    relation = facts.get("relation")
    if relation is None or relation == "self":
        return None
    return relation in FAMILY_KIN


_CHARGE_PARTS = re.compile(r"[、,，;；/\s]+|以及|及|和")


def _is_violent_charge(charge: Fact) -> bool:
    """False only when every charge named is in the list; ``盗窃罪`` and ``涉嫌盗窃案`` are the word of the list."""
    if not isinstance(charge, str):
        return True
    words = [word.removeprefix("涉嫌").removesuffix("案").removesuffix("罪") for word in _CHARGE_PARTS.split(charge)]
    named = [word for word in words if word]
    return not named or any(word not in PLAIN_CHARGES for word in named)


_MALTREATMENT = ("T74", "Y05", "Y06", "Y07")
_ICD = re.compile(r"[A-Z][0-9]{2}(?:\.?[0-9X]+)?")


def _icd_codes(facts: Facts) -> list[str]:
    code = facts.get("icd10")
    return _ICD.findall(code.upper()) if isinstance(code, str) else []


def _treatment_suspicion(facts: Facts) -> bool:
    """The doctor's flag, or a code of maltreatment even when the flag says no (S14)."""
    return facts.get("violence_suspected") is True or any(c.startswith(_MALTREATMENT) for c in _icd_codes(facts))


def _treatment_sexual(facts: Facts) -> bool:
    """T74.2 sexual abuse, Y05 sexual assault by bodily force."""
    return any(c.replace(".", "").startswith(("T742", "Y05")) for c in _icd_codes(facts))


def _scale_suspicion(facts: Facts) -> bool:
    return _count(facts, "score") >= 4 or _count(facts, "lethal_items") >= 1


def _count(facts: Facts, name: str) -> int:
    value = facts.get(name)
    return value if isinstance(value, int) else 0


def _equals(name: str, *values: object) -> Reader:
    return lambda facts: facts.get(name) in values


def _is_true(name: str) -> Reader:
    return lambda facts: facts.get(name) is True


def _complaint_suspicion(facts: Facts) -> bool:
    return facts.get("kind") == "domestic_violence" or _is_graded_violent(facts)


_SUSPICION: Final[Mapping[str, tuple[Reader, Reader]]] = {
    # kind: (violence suspected or more, sexual assault suspected)
    "police_call": (_equals("category", "domestic_violence"), _never),
    "admonition_issued": (_always, _never),
    "security_penalty": (_is_true("domestic_violence"), _never),
    "criminal_case_filed": (lambda facts: _is_violent_charge(facts.get("charge")), _never),
    "visit_recorded": (_equals("finding", "violence"), _never),
    "divorce_suit": (_is_true("violence_claimed"), _never),
    "violence_case_decided": (_equals("result", "convicted", "granted"), _never),
    "procuratorial_notice": (_always, _never),
    "procuratorial_action": (lambda facts: _is_violent_charge(facts.get("charge")), _never),
    "mediation": (_is_graded_violent, _is_true("sexual_assault_suspected")),
    "shelter": (_always, _never),
    "concern_found": (_equals("kind", "suspected_dv"), _equals("kind", "sexual_assault")),
    "treatment_recorded": (_treatment_suspicion, _treatment_sexual),
    "complaint_received": (_complaint_suspicion, _equals("kind", "sexual_assault")),
    "danger_assessed": (_scale_suspicion, _never),
    "conflict_found": (_equals("kind", "suspected_violence"), _never),
}
_SILENT: Final = (_never, _never)
