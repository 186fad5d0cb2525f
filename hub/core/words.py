"""The shared schema: roles, relations and the kinds of record, as tables.

A connector maps its columns to the facts and texts named here; ``normalise`` drops what is not declared and turns raw
values into the types below. Source: the district's record catalogue (GB/T 2261.1, GB/T 4761, the 2020 opinion).
"""

from __future__ import annotations

from typing import NamedTuple

STATION = "station"
"""The hub's own unit: what people do and what the hub observes arrives as its records."""

ROLES: dict[str, str] = {
    # role word: what the policy reads it as
    "victim": "victim",  # 受害人, student, patient, applicant of an order, person sheltered
    "alleged": "alleged",  # 施暴人, respondent, suspect, defendant of a violence case
    "party_a": "party",  # 甲方, plaintiff of a divorce, husband
    "party_b": "party",  # 乙方, defendant of a divorce, wife
    "guardian": "guardian",
    "child": "child",  # accompanying child
    "member": "member",  # register and family file
    "subject": "subject",  # whom a category, an aid, a relief is about
    "reporter": "reporter",  # sealed in its own compartment; never a party of the event
    "worker": "worker",
}

# GB/T 4761 by first digit(s) → class; words are matched before numbers. "former_spouse", "cohabitant" have no code there.
KIN_BY_WORD: dict[str, str] = {
    "配偶": "spouse", "夫妻": "spouse", "丈夫": "spouse", "妻子": "spouse", "夫": "spouse", "妻": "spouse",
    "spouse": "spouse", "husband": "spouse", "wife": "spouse",
    "子女": "child", "儿子": "child", "女儿": "child", "子": "child", "女": "child", "child": "child", "son": "child",
    "daughter": "child", "女婿": "child", "儿媳": "child", "继子": "child", "继女": "child", "养子": "child", "养女": "child",
    "孙子女": "grandchild", "孙子": "grandchild", "孙女": "grandchild", "外孙": "grandchild", "grandchild": "grandchild",
    "父母": "parent", "父亲": "parent", "母亲": "parent", "父": "parent", "母": "parent", "parent": "parent",
    "father": "parent", "mother": "parent", "岳父": "parent", "岳母": "parent", "公公": "parent", "婆婆": "parent",
    "继父": "parent", "继母": "parent", "养父": "parent", "养母": "parent",
    "祖父母": "grandparent", "祖父": "grandparent", "祖母": "grandparent", "外祖父": "grandparent", "外祖母": "grandparent",
    "爷爷": "grandparent", "奶奶": "grandparent", "外公": "grandparent", "外婆": "grandparent", "grandparent": "grandparent",
    "兄弟姐妹": "sibling", "兄弟": "sibling", "姐妹": "sibling", "哥哥": "sibling", "弟弟": "sibling", "姐姐": "sibling",
    "妹妹": "sibling", "sibling": "sibling", "brother": "sibling", "sister": "sibling",
    "其他亲属": "kin", "亲属": "kin", "kin": "kin", "relative": "kin", "other_kin": "kin", "other kin": "kin",
    "家庭成员": "kin", "家属": "kin", "监护人": "kin", "叔叔": "kin", "伯父": "kin", "姑姑": "kin", "姑妈": "kin",
    "舅舅": "kin", "姨妈": "kin", "侄子": "kin", "侄女": "kin", "外甥": "kin", "外甥女": "kin", "堂兄弟": "kin",
    "表兄弟": "kin", "父子": "kin", "父女": "kin", "母子": "kin", "母女": "kin", "婆媳": "kin", "翁婿": "kin",
    "children": "child", "grandchildren": "grandchild", "parents": "parent", "grandparents": "grandparent",
    "siblings": "sibling", "继子女": "child", "养子女": "child", "继父母": "parent", "养父母": "parent",
    "岳父母": "parent", "公婆": "parent", "孙辈": "grandchild", "外孙女": "grandchild", "外孙子": "grandchild",
    "兄": "sibling", "弟": "sibling", "姐": "sibling", "妹": "sibling", "兄妹": "sibling", "姐弟": "sibling",
    "姐妹兄弟": "sibling", "兄弟姊妹": "sibling", "老公": "spouse", "老婆": "spouse", "爱人": "spouse",
    "前配偶": "former_spouse", "前夫": "former_spouse", "前妻": "former_spouse", "离异": "former_spouse",
    "former_spouse": "former_spouse", "former spouse": "former_spouse", "x1": "former_spouse",
    "ex-spouse": "former_spouse", "ex_spouse": "former_spouse", "ex_husband": "former_spouse",
    "ex_wife": "former_spouse", "离婚": "former_spouse", "前夫妻": "former_spouse",
    "同居者": "cohabitant", "同居男友": "cohabitant", "同居女友": "cohabitant", "cohabiting": "cohabitant",
    "同居": "cohabitant", "同居人": "cohabitant", "同居关系": "cohabitant", "cohabitant": "cohabitant", "x2": "cohabitant",
    "本人": "self", "户主": "self", "self": "self", "head": "self",
    "非亲属": "none", "无亲属关系": "none", "邻居": "none", "朋友": "none", "同事": "none", "保姆": "none", "none": "none",
    "non_kin": "none", "no family relation": "none", "no_family_relation": "none", "no kin": "none", "无亲属": "none",
    "无关系": "none", "陌生人": "none", "neighbour": "none", "neighbor": "none", "friend": "none", "nanny": "none",
}  # fmt: skip
KIN_BY_DIGIT: dict[str, str] = {
    "0": "self", "1": "spouse", "2": "child", "3": "child", "4": "grandchild", "5": "parent", "6": "grandparent",
    "7": "sibling", "8": "kin", "9": "kin",
}  # fmt: skip
FAMILY_KIN = frozenset(
    {"spouse", "child", "grandchild", "parent", "grandparent", "sibling", "kin", "cohabitant", "former_spouse"}
)
"""Relations that make an incident a family one (former spouse and cohabitant too, A8 and the total table of section 2)."""
HOUSEHOLD_KIN = FAMILY_KIN - {"former_spouse"}
"""Relations that make two persons one household unless they are registered in different ones."""


class FactType(NamedTuple):
    """How ``normalise`` reads a raw value: ``form`` is when, flag, code, codes, count, kin, units, persons or word."""

    form: str
    table: str = ""  # of CODES, for code and codes


WHEN = FactType("when")
FLAG = FactType("flag")
COUNT = FactType("count")  # a whole number; ``table`` may bound it ("0-9") or say that fractions are cut ("yuan")
KIN = FactType("kin")  # GB/T 4761 code or word → class word of KIN_BY_WORD
UNIT_NAMES = FactType("units")  # names of units, any separator → tuple of our names; unknown ones dropped (S20)
NUMBER = FactType("number")  # of a report, duty or message of ours: compared in one form, however it was typed back
WORD = FactType("word")  # a short opaque code without personal data (≤ 64 characters), kept as it is


def _code(table: str) -> FactType:
    return FactType("code", table)


class Kind(NamedTuple):
    """One kind of record: typed facts, texts (sealed), which facts give the event time (S3), what may not be missing."""

    facts: dict[str, FactType]
    texts: tuple[str, ...] = ()
    at: tuple[str, ...] = ("at",)  # first recorded one wins
    ends: tuple[str, ...] = ()  # times that may lie in the future
    subject: str = "people"  # people, standing (a report's or duty's number), household (its uid) or none
    suspicion: tuple[str, ...] = ()  # unreadable: quarantine even in a stream with an M rule (S23)
    required: tuple[str, ...] = ()


COMMON: dict[str, FactType] = {"community": WORD, "grid": WORD, "immediate_danger": FLAG, "words_of_harm": FLAG}
"""Facts every kind may carry (community_code, grid_code, 紧急); ``words_of_harm`` is the hub's own reading of its texts (D25)."""

_VISIT = Kind(
    facts={"at": WHEN, "mode": _code("visit_mode"), "finding": _code("finding"), "counselled": FLAG, "relation": KIN,
           "situation": _code("situation"), "duty_no": NUMBER},
    texts=("narrative",), suspicion=("finding", "situation"),
)  # fmt: skip

KINDS: dict[str, Kind] = {
    "police_call": Kind(
        facts={"called_at": WHEN, "occurred_at": WHEN, "category": _code("call_category"), "intensity": _code("intensity"),
               "excessive_act": FLAG, "physical_conflict": FLAG, "injury": _code("injury"), "weapon": FLAG,
               "minor_present": FLAG, "outcome": _code("call_outcome"), "relation": KIN},
        texts=("narrative", "place"), at=("occurred_at", "called_at"), required=("called_at", "category"),
    ),
    "admonition_issued": Kind(
        facts={"kind": _code("letter_kind"), "issued_on": WHEN, "served_on": WHEN, "violence": _code("violence"),
               "relation": KIN},
        at=("issued_on",), required=("issued_on",),
    ),
    "security_penalty": Kind(
        facts={"decided_on": WHEN, "penalty": _code("penalty"), "domestic_violence": FLAG, "relation": KIN},
        at=("decided_on",), required=("decided_on",),
    ),
    "criminal_case_filed": Kind(
        facts={"filed_on": WHEN, "charge": WORD, "within_family": FLAG, "relation": KIN},
        at=("filed_on",), required=("filed_on",),
    ),
    "report_feedback": Kind(
        facts={"report_no": NUMBER, "step": _code("report_step"), "at": WHEN, "receipt_no": WORD, "until": WHEN,
               "case_no": WORD, "by": WORD},
        texts=("note",), ends=("until",), subject="standing", required=("report_no", "step", "at"),
    ),
    "visit_recorded": _VISIT,
    "protection_order": Kind(
        facts={"applied_on": WHEN, "accepted_at": WHEN, "urgent": FLAG, "result": _code("order_result"),
               "decided_on": WHEN, "valid_from": WHEN, "valid_until": WHEN, "valid_months": COUNT, "valid_days": COUNT,
               "measures": FactType("codes", "measure"), "original_case_no": WORD, "relation": KIN},
        at=("applied_on", "accepted_at", "decided_on", "valid_from"), ends=("valid_until", "valid_from"),
        required=("result",),
    ),
    "divorce_suit": Kind(
        facts={"filed_on": WHEN, "stage": _code("suit_stage"), "closed_on": WHEN, "result": _code("suit_result"),
               "violence_claimed": FLAG, "evidence_asked_on": WHEN, "evidence_result": _code("evidence_result")},
        at=("filed_on",), required=("filed_on", "stage"),
    ),
    "violence_case_decided": Kind(
        facts={"kind": _code("case_kind"), "decided_on": WHEN, "result": _code("case_result"), "relation": KIN,
               "evidence_asked_on": WHEN, "evidence_result": _code("evidence_result")},
        at=("decided_on",), required=("decided_on",),
    ),
    "procuratorial_notice": Kind(
        facts={"issued_on": WHEN, "relation": KIN}, texts=("reason",), at=("issued_on",), required=("issued_on",),
    ),
    "procuratorial_action": Kind(
        facts={"at": WHEN, "action": _code("action"), "charge": WORD, "within_family": FLAG, "relation": KIN},
        required=("at", "action"),
    ),
    "mediation": Kind(
        facts={"opened_on": WHEN, "origin": _code("mediation_origin"), "violence": _code("violence"),
               "sexual_assault_suspected": FLAG, "situation": _code("situation"), "status": _code("mediation_status"),
               "closed_on": WHEN, "joint": FLAG, "participants": UNIT_NAMES, "relation": KIN},
        texts=("narrative",), at=("opened_on",), suspicion=("violence", "sexual_assault_suspected", "situation"),
        required=("opened_on",),
    ),
    "service_given": Kind(facts={"at": WHEN, "kind": WORD, "status": _code("aid_status"), "amount": FactType("count", "yuan")},
                          texts=("matter",), required=("at",)),
    "forensic_result": Kind(facts={"at": WHEN, "injury": _code("injury")}, required=("at",)),
    "divorce_registration": Kind(
        facts={"received_on": WHEN, "status": _code("divorce_status"), "status_on": WHEN},
        at=("received_on",), required=("received_on", "status"),
    ),
    "shelter": Kind(
        facts={"from": WHEN, "until": WHEN, "place_code": WORD}, at=("from",), ends=("until",), required=("from",),
    ),
    "special_household": Kind(
        facts={"category": _code("category"), "from": WHEN, "until": WHEN}, at=("from",), ends=("until",),
        required=("category",),
    ),
    "concern_found": Kind(
        facts={"found_at": WHEN, "kind": _code("concern_kind"), "situation": _code("situation"), "relation": KIN},
        texts=("narrative", "school", "student_no"), at=("found_at",), suspicion=("kind", "situation"),
    ),
    "treatment_recorded": Kind(
        facts={"at": WHEN, "icd10": WORD, "injury": _code("injury"), "violence_suspected": FLAG, "harm_suspected": FLAG,
               "situation": _code("situation"), "relation": KIN},
        texts=("narrative", "institution", "diagnosis"),
        suspicion=("violence_suspected", "harm_suspected", "situation"),
    ),
    "complaint_received": Kind(
        facts={"at": WHEN, "kind": _code("complaint_kind"), "violence": _code("violence"),
               "situation": _code("situation"), "wants_order": FLAG, "needs_shelter": FLAG, "relation": KIN},
        texts=("narrative",), suspicion=("kind", "violence", "situation"),
    ),
    "danger_assessed": Kind(
        facts={"at": WHEN, "score": FactType("count", "0-9"), "lethal_items": COUNT, "relation": KIN}, suspicion=("score",),
    ),
    "review_concluded": Kind(
        facts={"at": WHEN, "decision": _code("decision"), "signed_by": UNIT_NAMES, "relation": KIN}, texts=("narrative",),
        required=("at", "decision"),
    ),
    "household_member": Kind(
        facts={"household_no": WORD, "member_no": WORD, "file_no": WORD, "worker_no": WORD, "role": KIN, "from": WHEN,
               "until": WHEN},
        at=("from",), ends=("until",), required=("household_no",),
    ),
    "conflict_found": Kind(
        facts={"at": WHEN, "kind": _code("conflict_kind"), "frequent": FLAG, "situation": _code("situation"),
               "relation": KIN},
        texts=("narrative", "place"), suspicion=("kind", "situation"),
    ),
    "activity": Kind(
        facts={"at": WHEN, "kind": _code("activity_kind"), "units": UNIT_NAMES, "attendees": COUNT}, texts=("topic",),
        subject="none", required=("at", "kind"),
    ),
    "worker": Kind(
        facts={"kind": _code("worker_kind"), "unit": WORD, "from": WHEN, "until": WHEN}, at=("from",), ends=("until",),
        subject="none",
    ),
    "duty_answer": Kind(
        facts={"duty_no": NUMBER, "status": _code("answer_status"), "at": WHEN, "worker_no": WORD, "outcome": WORD},
        texts=("narrative",), subject="standing", required=("duty_no", "status", "at"),
    ),
    # of the hub's own unit `station`
    "receipt": Kind(
        facts={"message_no": NUMBER, "receipt_no": WORD, "at": WHEN}, subject="standing", required=("message_no", "at"),
    ),
    "adoption": Kind(facts={"household": WORD, "at": WHEN, "by": WORD}, subject="none", required=("household",)),
    "override": Kind(
        facts={"household": WORD, "light": WORD, "at": WHEN, "until": WHEN, "recheck": WHEN, "by": WORD, "unit": WORD},
        texts=("reason",), ends=("until", "recheck"), subject="household", required=("household", "at"),
    ),
    "objection": Kind(
        facts={"household": WORD, "at": WHEN, "about": WORD, "of_unit": WORD, "by": WORD}, texts=("statement", "family"),
        subject="household", required=("household", "at"),
    ),
    "objection_answer": Kind(
        facts={"household": WORD, "objection_no": WORD, "at": WHEN, "decision": WORD, "by": WORD, "unit": WORD},
        texts=("answer",), subject="household", required=("household", "objection_no", "at", "decision"),
    ),
    "identity_decision": Kind(
        facts={"at": WHEN, "act": WORD, "what": WORD, "by": WORD, "unit": WORD, "item": WORD,
               "record": COUNT, "position": COUNT, "other": COUNT, "other_position": COUNT, "person": COUNT,
               "other_person": COUNT, "household": COUNT, "other_household": COUNT, "more": WORD, "other_more": WORD},
        texts=("reason",), subject="none", required=("act", "at"),
    ),
    "handover": Kind(
        facts={"household": WORD, "at": WHEN, "state": WORD, "receiver": WORD, "receipt": WORD, "by": WORD},
        subject="household", required=("household", "at", "state"),
    ),
    "silence": Kind(
        facts={"unit": WORD, "stream": WORD, "from": WHEN, "until": WHEN}, at=("from",), ends=("until",), subject="none",
    ),
}  # fmt: skip

KIND_WITH_STATE: dict[str, str] = {
    # kinds whose public name carries their state (`export events`): protection_order_issued, mediation_resolved …
    "protection_order": "result", "divorce_suit": "stage", "mediation": "status", "divorce_registration": "status",
}  # fmt: skip


def public_kind(kind: str, facts: object) -> str:
    """The kind as exported: ``protection_order`` with result *issued* is ``protection_order_issued``."""
    fact = KIND_WITH_STATE.get(kind)
    value = facts.get(fact) if fact and hasattr(facts, "get") else None
    return f"{kind}_{value}" if value else kind
