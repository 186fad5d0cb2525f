"""What opens what (section 2): one function per stream, in the order of the policy's table."""

from __future__ import annotations

from tests.reference.people import Row, may_be_incapable, may_be_minor, minor, victim, within_family

SUSPECTED_UP = ("suspected", "general", "serious")
PLAIN = {
    "盗窃", "诈骗", "侵占", "抢夺", "职务侵占", "挪用资金", "危险驾驶", "交通肇事", "赌博", "开设赌场", "信用卡诈骗", "虚开发票",
}  # fmt: skip


def incident(row: Row) -> list[str]:
    facts = row["facts"]
    if facts["category"] in ("neighbours", "other") and within_family(row) is not True:
        return []  # not ours: rejected
    return ["R6"] if is_r6(facts) else ["O1 dv" if facts["category"] == "domestic_violence" else "O1"]


def is_r6(facts: Row) -> bool:
    """Fierce, excessive act (wielding a weapon is one, S14), physical conflict or anyone injured."""
    return (
        facts.get("intensity") == "fierce"
        or facts.get("excessive_act") is True
        or facts.get("weapon") is True
        or facts.get("physical_conflict") is True
        or is_hurt(facts)
    )


def admonition(row: Row) -> list[str]:
    """A1: general in so many words O2; everything else R1 (none and suspected too, S28)."""
    if row["facts"].get("kind") == "sexual_harassment":
        return []
    return ["O2"] if row["facts"].get("violence") == "general" else ["R1"]


def penalty(row: Row) -> list[str]:
    """Unknown whether domestic: counts with a family relation (S14)."""
    domestic = row["facts"].get("domestic_violence")
    return ["R2"] if domestic is True or (domestic is None and within_family(row) is True) else []


def violent_charge(row: Row) -> bool:
    return row["facts"].get("charge") not in PLAIN


def criminal_case(row: Row) -> list[str]:
    return ["R7"] if violent_charge(row) and within_family(row) is not False else []


def violence_case(row: Row) -> list[str]:
    facts = row["facts"]
    if facts.get("kind") == "criminal":
        return ["R7"] if facts.get("result") == "convicted" else []
    return ["O5"] if facts.get("result") == "granted" else []


def notice(row: Row) -> list[str]:
    return ["R4"]


def action(row: Row) -> list[str]:
    if not violent_charge(row) or within_family(row) is False:
        return []
    did = row["facts"]["action"]
    return ["R7"] if did in ("arrest_approved", "prosecuted") else ["O5"] if did == "filing_supervised" else []


def mediation(row: Row) -> list[str]:
    """A2 when transferred, S15 otherwise, S28 for what stands beside a transferred one."""
    facts = row["facts"]
    grade, sexual = facts.get("violence"), facts.get("sexual_assault_suspected") is True
    if facts.get("origin") == "transferred":
        own = {"serious": "R5", None: "R5", "general": "O3", "suspected": "O5", "none": "Y3"}[grade]
        return [own] + ["O5"] * (sexual and own != "O5")
    return ["O5"] if grade in SUSPECTED_UP or sexual else ["Y3"]


def shelter(row: Row) -> list[str]:
    return ["O5"]


def divorce_suit(row: Row) -> list[str]:
    return ["O5"] if row["facts"].get("violence_claimed") is True else []


def concern(row: Row) -> list[str]:
    return ["O5"] if row["facts"].get("kind") in ("suspected_dv", "sexual_assault") else []


def treatment(row: Row) -> list[str]:
    return ["O5"] if treatment_suspicion(row) or row["facts"].get("harm_suspected") is True else []


def treatment_suspicion(row: Row) -> bool:
    """S14: T74 and Y05–Y07 count even when the flag says no."""
    code = row["facts"].get("icd10") or ""
    return row["facts"].get("violence_suspected") is True or code[:3] in ("T74", "Y05", "Y06", "Y07")


def complaint(row: Row) -> list[str]:
    kind, grade = row["facts"].get("kind"), row["facts"].get("violence")
    if kind in ("domestic_violence", "sexual_assault") or grade in SUSPECTED_UP:
        return ["O5"]
    return ["Y3"] if kind in ("general_conflict", "divorce") else []


def danger_scale(row: Row) -> list[str]:
    score, lethal = row["facts"].get("score") or 0, row["facts"].get("lethal_items") or 0
    return ["R9"] if score >= 6 or lethal >= 1 else ["O5"] if score >= 4 else []


def conflict(row: Row) -> list[str]:
    """O4 on the third day is counted elsewhere; here only *recorded as frequent*."""
    facts = row["facts"]
    if facts.get("kind") == "suspected_violence":
        return ["O5"]
    return ["Y3", "O4"] if facts.get("kind") == "disturbs_neighbours" and facts.get("frequent") else ["Y3"]


def visit(row: Row) -> list[str]:
    """Tension opens Y3 only if nothing is open: ``Y3?`` says that the walk must look."""
    return {"violence": ["O5"], "tension": ["Y3?"]}.get(row["facts"].get("finding") or "", [])


BY_STREAM = {
    "incident": incident, "admonition": admonition, "penalty": penalty, "criminal_case": criminal_case,
    "violence_case": violence_case, "notice": notice, "action": action, "mediation": mediation, "shelter": shelter,
    "divorce_suit": divorce_suit, "concern": concern, "treatment": treatment, "complaint": complaint,
    "danger_scale": danger_scale, "conflict": conflict, "visit": visit, "check_visit": visit, "intervention": visit,
}  # fmt: skip
WITH_SITUATION = {"mediation", "concern", "treatment", "complaint", "conflict", "visit", "check_visit", "intervention"}


def opened_by(row: Row) -> list[str]:
    """The event rules that one record opens by itself."""
    reader = BY_STREAM.get(row["stream"])
    rules = reader(row) if reader else []
    if row["stream"] in WITH_SITUATION and row["facts"].get("situation") and may_be_minor(row):
        rules = rules + ["O5"] * ("O5" not in rules)  # one of the nine situations, of a minor
    return rules


def is_ours(row: Row) -> bool:
    """False: *rejected*, a record of no household (section 2, the total table)."""
    stream, facts = row["stream"], row["facts"]
    if stream in ("incident", "admonition", "penalty", "criminal_case"):
        return bool(opened_by(row))
    if stream == "treatment":  # kept: any suspicion, any situation, an injury in a family incident
        return bool(opened_by(row) or facts.get("situation") or (is_hurt(facts) and within_family(row)))
    return True


def is_hurt(facts: Row) -> bool:
    return facts.get("injury") in ("slight", "minor", "serious", "dead")


# -- section 5: which mandatory reports one record asks for ------------------------------------------------------------


def suspected_violence(row: Row) -> bool:
    """Domestic violence suspected or more, by flag, kind, code, grade, finding or score (S14, S21, S28)."""
    facts, stream = row["facts"], row["stream"]
    return {
        "mediation": facts.get("violence") in SUSPECTED_UP,
        "shelter": True,
        "concern": facts.get("kind") == "suspected_dv",
        "treatment": stream == "treatment" and treatment_suspicion(row),
        "complaint": facts.get("kind") == "domestic_violence" or facts.get("violence") in SUSPECTED_UP,
        "danger_scale": bool((facts.get("score") or 0) >= 4 or (facts.get("lethal_items") or 0) >= 1),
        "conflict": facts.get("kind") == "suspected_violence",
        "visit": facts.get("finding") == "violence",
        "intervention": facts.get("finding") == "violence",
    }.get(stream, False)


def suspected_assault(row: Row) -> bool:
    if row["stream"] == "mediation":
        return row["facts"].get("sexual_assault_suspected") is True
    return row["stream"] in ("concern", "complaint") and row["facts"].get("kind") == "sexual_assault"


def situation(row: Row) -> bool:
    """One of the nine; S28: suspected sexual assault of a minor found by three units is situation 9, also unsaid."""
    if row["stream"] in WITH_SITUATION and row["facts"].get("situation"):
        return True
    who = victim(row)
    return (
        row["unit"] in ("civil_affairs", "womens_federation", "community_grid")
        and suspected_assault(row)
        and who is not None
        and minor(who, row) is True
    )


M7_UNITS = {
    "justice", "civil_affairs", "education", "health", "womens_federation", "youth_league", "community_grid",
}  # fmt: skip


def reports_of(row: Row) -> list[str]:
    """The M rules of one record in table order: the first is the report, the others are listed (S21)."""
    unit, violence, assault = row["unit"], suspected_violence(row), suspected_assault(row)
    nobody_such = row["stream"] in ("visit", "intervention", "conflict") and victim(row) is None  # S22
    if nobody_such:
        return []
    rules = []
    if row["stream"] == "mediation" and (violence or assault):
        rules.append("M1")
    if unit == "education" and (violence or assault) and (row["stream"] == "concern" or may_be_incapable(row)):
        rules.append("M2")
    if unit == "health" and (violence or row["facts"].get("harm_suspected") is True) and may_be_incapable(row):
        rules.append("M3")
    if unit == "youth_league" and violence and may_be_minor(row):
        rules.append("M4")
    if unit == "youth_league" and assault and may_be_minor(row):
        rules.append("M5")
    if unit in ("civil_affairs", "community_grid", "womens_federation") and violence and may_be_incapable(row):
        rules.append("M6")
    if unit in M7_UNITS and situation(row) and may_be_minor(row):
        rules.append("M7")
    return rules
