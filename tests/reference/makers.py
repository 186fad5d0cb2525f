"""Random records of every stream, as the district's record catalogue words them: facts and the people on them."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.people import Row

if TYPE_CHECKING:
    from tests.reference.steps import Life

BORN = {
    1: date(1987, 7, 9), 2: date(1985, 3, 2), 3: date(2015, 5, 20), 4: date(1950, 2, 1), 5: date(1990, 1, 1), 6: None,
    7: date(2008, 2, 29),
}  # fmt: skip
CAPACITY = {5: "none"}
SITUATIONS = ("intimate_injury", "many_injuries", "abandoned", "missing_or_trafficked", "other_grave_harm")
RELATIONS = ("spouse", "spouse", "spouse", "cohabitant", "child", "former_spouse", "none", None)
Draw = random.Random


def person(role: str, number: int) -> Row:
    return {"role": role, "person": number, "born": BORN[number], "capacity": CAPACITY.get(number)}


def couple(draw: Draw, *, victim: bool = True) -> list[Row]:
    who = draw.choice((1, 1, 1, 3, 3, 4, 5, 6, 7)) if victim else 1
    return [person("victim", who), person("alleged", 2)]


def parties(draw: Draw) -> list[Row]:
    found = [person("party_a", 1), person("party_b", draw.choice((2, 2, 2, 3)))]
    return found + [person("victim", draw.choice((1, 3)))] * (draw.random() < 0.2)


def perhaps(draw: Draw, chance: float, *values: Any) -> Any:
    return draw.choice(values) if draw.random() < chance else None


def flag(draw: Draw) -> bool | None:
    return draw.choice((True, False, False, None))


def _incident(draw: Draw, at: Any, life: Life) -> Row:
    return {
        "called_at": at, "category": draw.choice(("family_dispute",) * 4 + ("domestic_violence",) * 2 + ("neighbours", "other")),
        "intensity": draw.choice(("general", "general", "fierce", None)), "excessive_act": perhaps(draw, 0.1, True, False),
        "physical_conflict": perhaps(draw, 0.2, True, False), "injury": perhaps(draw, 0.3, "none", "none", "slight", "serious"),
        "weapon": perhaps(draw, 0.1, True, False), "relation": draw.choice(RELATIONS),
        "minor_present": perhaps(draw, 0.2, True, False),
    }  # fmt: skip


def _letter(draw: Draw, at: Any, life: Life) -> Row:
    return {
        "issued_on": at, "kind": draw.choice(("domestic_violence", "domestic_violence", None, "sexual_harassment")),
        "violence": draw.choice(("general", "general", "serious", None, "suspected", "none")),
        "relation": draw.choice(RELATIONS),
    }  # fmt: skip


def _penalty(draw: Draw, at: Any, life: Life) -> Row:
    return {"decided_on": at, "domestic_violence": draw.choice((True, False, None)), "relation": draw.choice(RELATIONS)}


def _charge(draw: Draw) -> str | None:
    return draw.choice(("故意伤害", "虐待", "盗窃", "诈骗", None, "强奸"))


def _criminal_case(draw: Draw, at: Any, life: Life) -> Row:
    return {
        "filed_on": at, "charge": _charge(draw), "within_family": draw.choice((True, None, False)),
        "relation": draw.choice(RELATIONS),
    }  # fmt: skip


def _order(draw: Draw, at: Any, life: Life) -> Row:
    result = draw.choice(
        ("pending", "issued", "issued", "issued", "denied", "withdrawn", "varied", "revoked", "extended")
    )
    decided = None if result == "pending" else life.after(at, 0, 5)
    facts = {"applied_on": at, "result": result, "decided_on": decided, "relation": "spouse"}
    if result in ("issued", "varied", "extended"):
        facts["valid_from"] = perhaps(draw, 0.3, life.after(at, 0, 8))
        facts["valid_until"] = perhaps(draw, 0.5, life.day_after(decided, 20, 200))
        if facts["valid_until"] is None and draw.random() < 0.4:
            facts |= {"valid_months": draw.choice((1, 3, None)), "valid_days": draw.choice((None, 10))}
    others = [key[2] for key in life.versions if key[1] == "protection_order"]
    if (others and result not in ("issued", "denied")) or (others and draw.random() < 0.2):
        facts["original_case_no"] = draw.choice(others)
    elif draw.random() < 0.05:
        facts["original_case_no"] = "nowhere"
    return facts


def _suit(draw: Draw, at: Any, life: Life) -> Row:
    stage = draw.choice(("filed", "mediation", "waiting", "closed", "closed"))
    facts = {"filed_on": at, "stage": stage, "violence_claimed": flag(draw)}
    if stage == "closed":
        results = ("divorce_by_judgment", "divorce_by_mediation", "reconciled", "reconciled", "refused", "withdrawn")
        facts |= {"closed_on": life.after(at, 0, 90), "result": draw.choice(results)}
    return facts


def _verdict(draw: Draw, at: Any, life: Life) -> Row:
    kind = draw.choice(("criminal", "civil", None))
    return {"decided_on": at, "kind": kind, "result": draw.choice(("convicted", "acquitted", "granted", "refused"))}


def _notice(draw: Draw, at: Any, life: Life) -> Row:
    return {"issued_on": at}


def _action(draw: Draw, at: Any, life: Life) -> Row:
    did = ("arrest_approved", "arrest_refused", "prosecuted", "not_prosecuted", "filing_supervised", "suit_urged")
    return {
        "at": at,
        "action": draw.choice(did),
        "charge": _charge(draw),
        "within_family": draw.choice((True, None, False)),
    }


def _mediation(draw: Draw, at: Any, life: Life) -> Row:
    status = draw.choice(("open", "resolved", "resolved", "resolved", "failed", "withdrawn"))
    return {
        "opened_on": at, "origin": draw.choice(("applied", "applied", "offered", "transferred", None)),
        "violence": draw.choice(("none", "none", None, None, "suspected", "general", "serious")),
        "sexual_assault_suspected": perhaps(draw, 0.1, True, False), "situation": perhaps(draw, 0.05, *SITUATIONS),
        "status": status, "closed_on": None if status == "open" else life.after(at, 0, 30),
    }  # fmt: skip


def _forensic(draw: Draw, at: Any, life: Life) -> Row:
    return {"at": at, "injury": draw.choice(("none", "slight", "minor", None))}


def _registration(draw: Draw, at: Any, life: Life) -> Row:
    status = draw.choice(("applied", "applied", "withdrawn", "registered", "deemed_withdrawn"))
    ended = None if status == "applied" else life.after(at, 1, 70)
    return {"received_on": at, "status": status, "status_on": ended}


def _shelter(draw: Draw, at: Any, life: Life) -> Row:
    return {"from": at, "until": perhaps(draw, 0.5, life.after(at, 1, 30))}


def _concern(draw: Draw, at: Any, life: Life) -> Row:
    kind = draw.choice(("suspected_dv", "sexual_assault", "neglect", "other"))
    return {"found_at": at, "kind": kind, "situation": perhaps(draw, 0.15, *SITUATIONS)}


def _treatment(draw: Draw, at: Any, life: Life) -> Row:
    return {
        "at": at, "icd10": perhaps(draw, 0.3, "T74.1", "Y05", "Y06", "Y07.0", "S00.0", "F43.1"), "violence_suspected": flag(draw),
        "harm_suspected": perhaps(draw, 0.1, True, False), "situation": perhaps(draw, 0.1, *SITUATIONS),
        "injury": perhaps(draw, 0.4, "none", "slight", "minor"), "relation": draw.choice(RELATIONS),
    }  # fmt: skip


def _womens_complaint(draw: Draw, at: Any, life: Life) -> Row:
    kind = draw.choice(
        ("general_conflict", "general_conflict", "domestic_violence", "divorce", "sexual_assault", "other")
    )
    return {
        "at": at, "kind": kind, "violence": draw.choice((None, None, "none", "suspected", "general")),
        "situation": perhaps(draw, 0.1, *SITUATIONS), "wants_order": perhaps(draw, 0.2, True, False),
        "needs_shelter": perhaps(draw, 0.2, True, False),
    }  # fmt: skip


def _youth_complaint(draw: Draw, at: Any, life: Life) -> Row:
    kind = draw.choice(("domestic_violence", "sexual_assault", "bullying", "other"))
    return {"at": at, "kind": kind, "situation": perhaps(draw, 0.1, *SITUATIONS)}


def _scale(draw: Draw, at: Any, life: Life) -> Row:
    return {"at": at, "score": draw.randrange(10), "lethal_items": draw.choice((0, 0, 0, 1, None))}


def _conflict(draw: Draw, at: Any, life: Life) -> Row:
    kind = draw.choice(("general_conflict", "disturbs_neighbours", "disturbs_neighbours", "suspected_violence"))
    return {
        "at": at,
        "kind": kind,
        "frequent": perhaps(draw, 0.2, True, False),
        "situation": perhaps(draw, 0.05, *SITUATIONS),
    }


def _visit(draw: Draw, at: Any, life: Life) -> Row:
    return {
        "at": at, "mode": draw.choice(("home", "home", "phone", "wechat", "appointment")),
        "finding": draw.choice(("calm", "calm", "calm", "calm", "tension", "violence", "not_reached")),
    }  # fmt: skip


def _review(draw: Draw, at: Any, life: Life) -> Row:
    signed = draw.choice((["police", "womens_federation"], ["police", "court"], ["police"], []))
    return {"at": at, "decision": draw.choice(("step_down", "step_down", "step_down", "keep")), "signed_by": signed}


def _aid(draw: Draw, at: Any, life: Life) -> Row:
    return {"at": at}


Maker = Callable[[Draw, Any, "Life"], Row]
# unit, stream, kind of the hub, facts, who is on it, how often
STREAMS: tuple[tuple[str, str, str, Maker, str, int], ...] = (
    ("police", "incident", "police_call", _incident, "parties", 8),
    ("police", "admonition", "admonition_issued", _letter, "couple", 3),
    ("police", "penalty", "security_penalty", _penalty, "couple", 2),
    ("police", "criminal_case", "criminal_case_filed", _criminal_case, "couple", 1),
    ("police", "check_visit", "visit_recorded", _visit, "parties", 2),
    ("court", "protection_order", "protection_order", _order, "wife", 4),
    ("court", "divorce_suit", "divorce_suit", _suit, "pair", 2),
    ("court", "violence_case", "violence_case_decided", _verdict, "couple", 1),
    ("procuratorate", "notice", "procuratorial_notice", _notice, "couple", 1),
    ("procuratorate", "action", "procuratorial_action", _action, "couple", 2),
    ("justice", "mediation", "mediation", _mediation, "parties", 7),
    ("justice", "forensic", "forensic_result", _forensic, "alone", 2),
    ("justice", "legal_aid", "service_given", _aid, "alone", 1),
    ("civil_affairs", "divorce_registration", "divorce_registration", _registration, "pair", 3),
    ("civil_affairs", "shelter", "shelter", _shelter, "alone", 1),
    ("civil_affairs", "concern", "concern_found", _concern, "alone", 1),
    ("education", "concern", "concern_found", _concern, "child", 2),
    ("education", "visit", "visit_recorded", _visit, "parties", 1),
    ("health", "treatment", "treatment_recorded", _treatment, "couple", 3),
    ("womens_federation", "complaint", "complaint_received", _womens_complaint, "couple", 4),
    ("womens_federation", "visit", "visit_recorded", _visit, "parties", 6),
    ("womens_federation", "danger_scale", "danger_assessed", _scale, "couple", 1),
    ("womens_federation", "review", "review_concluded", _review, "pair", 5),
    ("youth_league", "complaint", "complaint_received", _youth_complaint, "child", 1),
    ("youth_league", "intervention", "visit_recorded", _visit, "parties", 1),
    ("community_grid", "conflict", "conflict_found", _conflict, "parties", 6),
    ("community_grid", "mediation", "mediation", _mediation, "parties", 3),
    ("community_grid", "visit", "visit_recorded", _visit, "parties", 6),
)  # fmt: skip
WEIGHTS = [stream[5] for stream in STREAMS]
KIND = {(unit, stream): kind for unit, stream, kind, *_ in STREAMS} | {
    ("police", "report_feedback"): "report_feedback", ("station", "override"): "override",
    ("station", "objection"): "objection", ("station", "objection_answer"): "objection_answer",
}  # fmt: skip
TIME_OF = {
    "incident": ("occurred_at", "called_at"), "admonition": ("issued_on",), "penalty": ("decided_on",),
    "criminal_case": ("filed_on",), "protection_order": ("applied_on", "accepted_at", "decided_on", "valid_from"),
    "divorce_suit": ("filed_on",), "violence_case": ("decided_on",), "notice": ("issued_on",), "mediation": ("opened_on",),
    "divorce_registration": ("received_on",), "shelter": ("from",), "concern": ("found_at",),
}  # fmt: skip
