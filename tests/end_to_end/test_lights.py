"""Whole-line scenarios: records in by ``hub ingest``, the light out by ``hub households explain --as-of``."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from tests.end_to_end.story import CHILD, COMMUNITY, HUSBAND, OTHER_MAN, WIFE, Hub, between, by_couple, call

Row = tuple[str, str, dict[str, Any]]  # unit, stream, row
Look = tuple[str, str, set[str]]  # as of, light, open rules


class Story(NamedTuple):
    name: str
    rows: list[Row]
    looks: list[Look]


def visit(number: str, at: str, finding: str, mode: str = "1") -> dict[str, Any]:
    return between("visit_no", number, at, at=at, mode=mode, finding=finding)


def review(number: str, at: str, signed_by: str = "区公安分局;区妇联", decision: str = "2") -> dict[str, Any]:
    return between("review_no", number, at, at=at, decision=decision, signed_by=signed_by)


def mediation(number: str, opened: str, status: str, closed: str = "", **columns: Any) -> dict[str, Any]:
    when = closed or opened
    return between(
        "mediation_no", number, when, opened_on=opened, status=status, closed_on=closed, origin="2", **columns
    )  # fmt: skip


def order(number: str, result: str, at: str, **columns: Any) -> dict[str, Any]:
    return {
        "case_no": number, "updated_at": at, "result": result, "relation": "配偶", "community_code": COMMUNITY,
        **WIFE.block("applicant"), **HUSBAND.block("respondent"), **columns,
    }  # fmt: skip


def divorce(number: str, status: str, at: str, **columns: Any) -> dict[str, Any]:
    return {
        "application_no": number, "updated_at": at, "status": status, "community_code": COMMUNITY,
        **HUSBAND.block("husband"), **WIFE.block("wife"), **columns,
    }  # fmt: skip


def weekly_visits(first_month: int, last_month: int) -> list[Row]:
    """A calm home visit by women's federation and grid every 7 days of 2025, from March 3 on."""
    from datetime import date, timedelta

    day, out, n = date(2025, first_month, 3), [], 0
    while day.year == 2025 and day.month <= last_month:
        n += 1
        row = visit(f"V{n}", day.isoformat(), "1")
        out += [("womens_federation", "visit", row), ("community_grid", "visit", dict(row))]
        day += timedelta(days=7)
    return out


FIERCE = call("J1", "2026-03-01 20:00:00", intensity="2")
FIERCE_2025 = call("J1", "2025-03-01 20:00:00", intensity="2")
PLAIN = call("J1", "2026-03-01 20:00:00")

STORIES = [
    Story("fierce call is red", [("police", "incident", FIERCE)], [("2026-02-28", "unlit", set()), ("2026-03-01", "red", {"R6"}), ("2027-03-01", "red", {"R6"})]),
    Story("plain call is orange", [("police", "incident", PLAIN)], [("2026-03-01", "orange", {"O1"})]),
    Story("call of category domestic violence without facts is O1", [("police", "incident", call("J1", "2026-03-01 20:00:00", category="家庭暴力"))], [("2026-03-01", "orange", {"O1"})]),
    Story("weapon is an excessive act", [("police", "incident", call("J1", "2026-03-01 20:00:00", weapon="是"))], [("2026-03-01", "red", {"R6"})]),
    Story("injury none is no injury", [("police", "incident", call("J1", "2026-03-01 20:00:00", injury="无"))], [("2026-03-01", "orange", {"O1"})]),
    Story("letter without grade is red", [("police", "admonition", by_couple("letter_no", "G1", "2026-03-02 10:00:00", kind="1", issued_on="2026-03-02"))], [("2026-03-02", "red", {"R1"})]),
    Story("letter graded general is orange", [("police", "admonition", by_couple("letter_no", "G1", "2026-03-02 10:00:00", kind="1", issued_on="2026-03-02", violence="一般"))], [("2026-03-02", "orange", {"O2"})]),
    Story("letter graded general of a fierce call is red by the call alone", [("police", "incident", FIERCE), ("police", "admonition", by_couple("letter_no", "G1", "2026-03-02 10:00:00", kind="1", issued_on="2026-03-02", violence="一般", call_no="J1"))], [("2026-03-02", "red", {"R6"})]),
    Story("penalty is red", [("police", "penalty", by_couple("decision_no", "P1", "2026-03-02", decided_on="2026-03-02", penalty="3", domestic_violence="是"))], [("2026-03-02", "red", {"R2"})]),
    Story("criminal case is red", [("police", "criminal_case", by_couple("case_no", "C1", "2026-03-02", filed_on="2026-03-02", charge="故意伤害", within_family="是"))], [("2026-03-02", "red", {"R7"})]),
    Story("theft in the family lights nothing", [("police", "criminal_case", by_couple("case_no", "C1", "2026-03-02", filed_on="2026-03-02", charge="盗窃", within_family="是")), ("police", "incident", PLAIN)], [("2026-03-02", "orange", {"O1"})]),
    Story("notice is red", [("procuratorate", "notice", by_couple("document_no", "N1", "2026-03-02", issued_on="2026-03-02", reason="家暴"))], [("2026-03-02", "red", {"R4"})]),
    Story("prosecution is red", [("procuratorate", "action", by_couple("document_no", "N1", "2026-03-02", at="2026-03-02", action="3", charge="故意伤害", within_family="是"))], [("2026-03-02", "red", {"R7"})]),
    Story("order pending then issued then ended opens the observation", [("court", "protection_order", order("民保令1", "2", "2026-03-05", applied_on="2026-03-01", decided_on="2026-03-05", valid_until="2026-06-05"))], [("2026-03-01", "orange", {"O6"}), ("2026-03-04", "orange", {"O6"}), ("2026-03-05", "red", {"R3"}), ("2026-06-05", "red", {"R3"}), ("2026-06-06", "orange", {"T1"})]),
    Story("order without dates lasts six months to month's end", [("court", "protection_order", order("民保令1", "2", "2025-08-31", applied_on="2025-08-30", decided_on="2025-08-31"))], [("2026-02-28", "red", {"R3"}), ("2026-03-01", "orange", {"T1"})]),
    Story("order denied", [("court", "protection_order", order("民保令1", "3", "2026-03-05", applied_on="2026-03-01", decided_on="2026-03-05"))], [("2026-03-04", "orange", {"O6"}), ("2026-03-05", "unlit", set())]),
    Story("orders that touch leave no observation between", [("court", "protection_order", order("民保令1", "2", "2026-03-05", applied_on="2026-03-01", decided_on="2026-03-05", valid_until="2026-06-05")), ("court", "protection_order", order("民保更1", "7", "2026-06-01", applied_on="2026-05-25", decided_on="2026-06-01", original_case_no="民保令1"))], [("2026-06-06", "red", {"R3"}), ("2026-12-05", "red", {"R3"}), ("2026-12-06", "orange", {"T1"})]),
    Story("order revoked by a case of its own", [("court", "protection_order", order("民保令1", "2", "2026-03-05", applied_on="2026-03-01", decided_on="2026-03-05")), ("court", "protection_order", order("民保更1", "6", "2026-04-01", decided_on="2026-04-01", original_case_no="民保令1"))], [("2026-03-31", "red", {"R3"}), ("2026-04-01", "orange", {"T1"})]),
    Story("cooling-off of thirty days then the window then nothing", [("civil_affairs", "divorce_registration", divorce("L1", "1", "2026-03-03", received_on="2026-03-03", status_on="2026-03-03"))], [("2026-03-03", "yellow", {"Y1"}), ("2026-04-02", "yellow", {"Y1"}), ("2026-04-03", "yellow", {"Y2"}), ("2026-05-06", "yellow", {"Y2"}), ("2026-05-07", "unlit", set())]),
    Story("divorce withdrawn", [("civil_affairs", "divorce_registration", divorce("L1", "2", "2026-03-10", received_on="2026-03-03", status_on="2026-03-10"))], [("2026-03-09", "yellow", {"Y1"}), ("2026-03-10", "unlit", set())]),
    Story("divorce suit pending", [("court", "divorce_suit", {"case_no": "民初1", "updated_at": "2026-03-02", "filed_on": "2026-03-02", "stage": "1", "community_code": COMMUNITY, **WIFE.block("plaintiff"), **HUSBAND.block("defendant")})], [("2026-03-02", "yellow", {"Y2"})]),
    Story("divorce suit with violence claimed", [("court", "divorce_suit", {"case_no": "民初1", "updated_at": "2026-03-02", "filed_on": "2026-03-02", "stage": "1", "violence_claimed": "是", "community_code": COMMUNITY, **WIFE.block("plaintiff"), **HUSBAND.block("defendant")})], [("2026-03-02", "orange", {"Y2", "O5"})]),
    Story("transferred mediation serious is red", [("justice", "mediation", mediation("M1", "2026-03-02", "1", violence="严重") | {"origin": "1"})], [("2026-03-02", "red", {"R5"})]),
    Story("transferred mediation unstated is red", [("justice", "mediation", mediation("M1", "2026-03-02", "1") | {"origin": "1"})], [("2026-03-02", "red", {"R5"})]),
    Story("transferred mediation general is orange", [("justice", "mediation", mediation("M1", "2026-03-02", "1", violence="2") | {"origin": "1"})], [("2026-03-02", "orange", {"O3"})]),
    Story("transferred mediation none is yellow", [("justice", "mediation", mediation("M1", "2026-03-02", "1", violence="0") | {"origin": "1"})], [("2026-03-02", "yellow", {"Y3"})]),
    Story("transferred mediation suspected is O5", [("justice", "mediation", mediation("M1", "2026-03-02", "1", violence="1") | {"origin": "1"})], [("2026-03-02", "orange", {"O5"})]),
    Story("mediation resolved after a plain call is green and lapses", [("police", "incident", PLAIN), ("justice", "mediation", mediation("M1", "2026-03-02", "2", "2026-03-10"))], [("2026-03-09", "orange", {"O1", "Y3"}), ("2026-03-10", "green", {"G1"}), ("2027-03-09", "green", {"G1"}), ("2027-03-10", "unlit", set())]),
    Story("mediation cannot wash violence away", [("police", "incident", FIERCE), ("justice", "mediation", mediation("M1", "2026-03-02", "2", "2026-03-10"))], [("2026-03-10", "red", {"R6", "Y3"})]),
    Story("mediation broken afterwards gives the conflict back", [("justice", "mediation", mediation("M1", "2026-03-02", "2", "2026-03-10")), ("justice", "mediation", mediation("M1", "2026-03-02", "5", "2026-04-01"))], [("2026-03-20", "green", {"G1"}), ("2026-04-01", "yellow", {"Y3"})]),
    Story("grid disturbances on three days", [("community_grid", "conflict", between("conflict_no", f"X{d}", f"2026-03-0{d} 22:00:00", at=f"2026-03-0{d} 22:00:00", kind="2")) for d in (1, 2, 3)], [("2026-03-02", "yellow", {"Y3"}), ("2026-03-03", "orange", {"Y3", "O4"})]),
    Story("five disturbances of one day are one day", [("community_grid", "conflict", between("conflict_no", f"X{h}", f"2026-03-01 1{h}:00:00", at=f"2026-03-01 1{h}:00:00", kind="2")) for h in range(5)], [("2026-03-03", "yellow", {"Y3"})]),
    Story("frequent disturbance at once", [("community_grid", "conflict", between("conflict_no", "X1", "2026-03-01", at="2026-03-01", kind="2", frequent="是"))], [("2026-03-01", "orange", {"Y3", "O4"})]),
    Story("danger scale six", [("womens_federation", "danger_scale", by_couple("scale_no", "S1", "2026-03-01", at="2026-03-01", score="6", lethal_items="0"))], [("2026-03-01", "red", {"R9"})]),
    Story("danger scale lethal item", [("womens_federation", "danger_scale", by_couple("scale_no", "S1", "2026-03-01", at="2026-03-01", score="2", lethal_items="1"))], [("2026-03-01", "red", {"R9"})]),
    Story("danger scale four", [("womens_federation", "danger_scale", by_couple("scale_no", "S1", "2026-03-01", at="2026-03-01", score="4", lethal_items="0"))], [("2026-03-01", "orange", {"O5"})]),
    Story("complaint general conflict", [("womens_federation", "complaint", by_couple("complaint_no", "W1", "2026-03-01", at="2026-03-01", kind="1"))], [("2026-03-01", "yellow", {"Y3"})]),
    Story("complaint of violence", [("womens_federation", "complaint", by_couple("complaint_no", "W1", "2026-03-01", at="2026-03-01", kind="2"))], [("2026-03-01", "orange", {"O5"})]),
    Story("complaint retracted", [("womens_federation", "complaint", by_couple("complaint_no", "W1", "2026-03-01", at="2026-03-01", kind="2")), ("police", "incident", PLAIN), ("womens_federation", "complaint", {"complaint_no": "W1", "updated_at": "2026-03-05", "deleted": "1"})], [("2026-03-06", "orange", {"O1"})]),
    Story("complaint corrected to no violence", [("womens_federation", "complaint", by_couple("complaint_no", "W1", "2026-03-01", at="2026-03-01", kind="2")), ("womens_federation", "complaint", by_couple("complaint_no", "W1", "2026-03-04", at="2026-03-01", kind="1", violence="0"))], [("2026-03-01", "yellow", {"Y3"})]),
    Story("tension with nothing open is yellow", [("womens_federation", "visit", visit("V1", "2026-03-01", "2"))], [("2026-03-01", "yellow", {"Y3"})]),
    Story("calm visit lights nothing", [("police", "incident", PLAIN), ("womens_federation", "visit", visit("V1", "2026-02-01", "1"))], [("2026-02-15", "unlit", set())]),
    Story("violence found by a police check visit", [("police", "check_visit", visit("V1", "2026-03-01", "3"))], [("2026-03-01", "orange", {"O5"})]),
    Story("treatment T74 against the flag", [("health", "treatment", {"visit_no": "H1", "at": "2026-03-01 10:00:00", "updated_at": "2026-03-01 11:00:00", "icd10": "T74.1", "violence_suspected": "否", "relation": "配偶", "community_code": COMMUNITY, **WIFE.block("patient", capacity="3"), **HUSBAND.block("abuser")})], [("2026-03-01", "orange", {"O5"})]),
    Story("forensic injury makes its call red", [("police", "incident", call("J1", "2026-03-01 20:00:00", injury="0")), ("justice", "forensic", {"document_no": "F1", "at": "2026-03-08", "updated_at": "2026-03-08", "injury": "轻微伤", "call_no": "J1", **WIFE.block("victim")})], [("2026-03-01", "red", {"R6"})]),
    Story("forensic that comes first", [("justice", "forensic", {"document_no": "F1", "at": "2026-03-08", "updated_at": "2026-03-08", "injury": "轻微伤", "call_no": "J1", **WIFE.block("victim")}), ("police", "incident", call("J1", "2026-03-01 20:00:00", injury="0"))], [("2026-03-01", "red", {"R6"})]),
    Story("review before 180 days does nothing", [("police", "incident", FIERCE_2025), *weekly_visits(3, 7), ("womens_federation", "review", review("B1", "2025-07-01"))], [("2025-07-02", "red", {"R6"})]),
    Story("review after 180 days with visits opens the observation", [("police", "incident", FIERCE_2025), *weekly_visits(3, 9), ("womens_federation", "review", review("B1", "2025-09-10"))], [("2025-09-09", "red", {"R6"}), ("2025-09-10", "orange", {"T1"})]),
    Story("review signed by one unit twice does nothing", [("police", "incident", FIERCE_2025), *weekly_visits(3, 9), ("womens_federation", "review", review("B1", "2025-09-10", "区妇联；妇联"))], [("2025-09-10", "red", {"R6"})]),
    Story("observation ends after ninety days with three calm visits", [("police", "incident", FIERCE_2025), *weekly_visits(3, 12), ("womens_federation", "review", review("B1", "2025-09-10"))], [("2025-12-08", "orange", {"T1"}), ("2025-12-09", "yellow", {"Y4"})]),
    Story("two police calls of the same violence stay one concern", [("police", "incident", FIERCE), ("police", "incident", call("J2", "2026-03-04 20:00:00", intensity="2"))], [("2026-03-05", "red", {"R6"})]),
    Story("neighbour call without relation is not ours", [("police", "incident", call("J9", "2026-03-01 20:00:00", category="3", relation="")), ("police", "incident", call("J1", "2026-03-02 20:00:00"))], [("2026-03-01", "unlit", set()), ("2026-03-02", "orange", {"O1"})]),
    Story("youth complaint of violence", [("youth_league", "complaint", {"complaint_no": "Q1", "at": "2026-03-01", "updated_at": "2026-03-01", "kind": "1", "relation": "子女", "community_code": COMMUNITY, **CHILD.block("victim"), **HUSBAND.block("abuser")})], [("2026-03-01", "orange", {"O5"})]),
    Story("acquittal lights nothing and closes nothing", [("police", "incident", FIERCE), ("court", "violence_case", {"case_no": "刑初1", "kind": "1", "decided_on": "2026-05-01", "updated_at": "2026-05-01", "result": "2", "relation": "配偶", **WIFE.block("victim"), **HUSBAND.block("defendant")})], [("2026-05-02", "red", {"R6"})]),
    Story("shelter", [("civil_affairs", "shelter", {"shelter_no": "B1", "from": "2026-03-01", "updated_at": "2026-03-01", "place_code": "P7", "community_code": COMMUNITY, **WIFE.block("victim")})], [("2026-03-01", "orange", {"O5"})]),
]  # fmt: skip


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_story(hub: Hub, story: Story) -> None:
    """Every look at the household shows the light and the open rules that the policy says."""
    for unit, stream, row in story.rows:
        receipt = hub.ingest(unit, stream, row)
        assert receipt["quarantined"] == 0, receipt

    someone = next(h for h in (WIFE, CHILD, HUSBAND, OTHER_MAN) if h.id_number in str(story.rows))
    assert [(at, *hub.light(someone, at)) for at, _, _ in story.looks] == story.looks
