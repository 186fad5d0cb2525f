"""What one record says beyond its columns, the codec of its facts, and what an older version leaves to a newer one."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from hub.core.records import SHANGHAI, Event, Facts, Key, Party
from hub.core.timeline import age_on, capacity_at, carry, derive, facts_from_json, facts_to_json, victim_of
from tests.core.light_cases import event


@pytest.mark.parametrize(
    "row",
    [
        "womens_federation.complaint W1 kind=domestic_violence violence=none",
        "womens_federation.complaint W1 kind=other violence=suspected",
        "education.concern K1 kind=suspected_dv",
        "health.treatment H1 violence_suspected=yes",
        "health.treatment H1 violence_suspected=no icd10=t74.1",
        "health.treatment H1 icd10=S00.9;Y07",
        "health.treatment H1 icd10=Y05",
        "community_grid.conflict X1 kind=suspected_violence",
        "community_grid.visit V1 finding=violence",
        "womens_federation.danger_scale D1 score=4",
        "womens_federation.danger_scale D1 score=1 lethal_items=1",
        "justice.mediation M1 violence=serious",
        "court.divorce_suit S1 violence_claimed=yes",
        "civil_affairs.shelter S1",
    ],
)
def test_any_one_field_makes_a_suspicion(row: str) -> None:
    """S14: flag, kind, code, grade or score; a code of maltreatment even when the flag says no."""
    assert derive(event(f"2026-03-01 {row}")).suspicion


@pytest.mark.parametrize(
    "row",
    [
        "womens_federation.complaint W1 kind=general_conflict",
        "health.treatment H1 icd10=S00.9",
        "health.treatment H1 harm_suspected=yes",
        "education.concern K1 kind=sexual_assault",
        "womens_federation.danger_scale D1 score=3",
        "justice.mediation M1 origin=transferred",
        "court.divorce_suit S1",
    ],
)
def test_unstated_is_no_suspicion(row: str) -> None:
    """What is unrecorded, plain, sexual or harm alone is no suspicion of violence."""
    assert not derive(event(f"2026-03-01 {row}")).suspicion


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(2008, 3, 1), date(2026, 3, 1), 17),
        (date(2008, 3, 1), date(2026, 3, 2), 18),
        (date(2004, 2, 29), date(2022, 2, 28), 17),
        (date(2004, 2, 29), date(2022, 3, 1), 18),
        (date(2004, 2, 29), date(2024, 2, 29), 19),
        (date(2004, 2, 29), date(2024, 3, 1), 20),
        (date(2018, 3, 1), date(2026, 3, 1), 7),
    ],
)
def test_a_year_is_complete_the_day_after_the_birthday(born: date, day: date, age: int) -> None:
    """S8, and 28 February in common years for those born on the 29th."""
    assert age_on(born, day) == age


@pytest.mark.parametrize(
    ("age", "recorded", "capacity"),
    [
        (7, None, "none"), (7, "full", "none"), (8, None, "limited"), (17, None, "limited"), (17, "full", "limited"),
        (12, "none", "none"), (18, None, "full"), (40, "limited", "limited"), (40, "none", "none"),
        (None, None, "unknown"), (None, "full", "full"),
    ],
)  # fmt: skip
def test_capacity_follows_from_age_unless_recorded(age: int | None, recorded: str | None, capacity: str) -> None:
    """A recorded capacity may lower a minor's, and rules for an adult (S8)."""
    assert capacity_at(age, recorded) == capacity


def test_in_visits_and_conflicts_the_minor_or_incapable_party_is_the_victim() -> None:
    """S22; in a call or mediation without a named victim nobody is."""
    assert victim_of(event("2026-03-01 education.visit V1 finding=violence a=2 b=3")) == Party(
        "party_b", 3, date(2015, 5, 20)
    )
    assert victim_of(event("2026-03-01 community_grid.conflict X1 a=2 b=1")) is None
    assert victim_of(event("2026-03-01 police.incident J1 a=2 b=3")) is None
    assert victim_of(event("2026-03-01 justice.mediation M1 a=2 b=3")) is None
    named = victim_of(event("2026-03-01 community_grid.conflict X1 a=2 b=3 victim=1"))
    assert named is not None
    assert named.person == 1


@pytest.mark.parametrize(
    ("facts", "family"),
    [
        ({"relation": "spouse"}, True), ({"relation": "former_spouse"}, True), ({"relation": "none"}, False), ({}, None),
        ({"within_family": True, "relation": "none"}, True), ({"within_family": False}, False), ({"relation": "self"}, None),
    ],
)  # fmt: skip
def test_family_by_its_own_flag_else_by_the_relation(facts: Facts, family: bool | None) -> None:
    """Unrecorded is neither within the family nor outside."""
    plain = event("2026-03-01 police.criminal_case C1")

    assert derive(plain._replace(facts={**plain.facts, **facts})).family is family


def test_sexual_assault_of_a_minor_is_situation_nine_for_three_units() -> None:
    """S28: civil affairs, women's federation, grid; not for an adult, not for a school."""
    assert (
        derive(event("2026-03-01 womens_federation.complaint W1 kind=sexual_assault victim=3")).situation
        == "other_grave_harm"
    )
    assert derive(event("2026-03-01 womens_federation.complaint W1 kind=sexual_assault victim=1")).situation is None
    assert derive(event("2026-03-01 education.concern K1 kind=sexual_assault victim=3")).situation is None


def test_facts_survive_the_codec() -> None:
    """Dates, instants, flags, counts, words and tuples come back as they went; unrecorded ones are left out."""
    facts: Facts = {
        "at": datetime(2026, 3, 1, 20, 15, tzinfo=SHANGHAI), "valid_until": date(2026, 9, 1), "urgent": True, "score": 4,
        "result": "issued", "measures": ("no_violence", "move_out"), "resolved_on": date(2026, 3, 5), "relation": None,
    }  # fmt: skip
    back = facts_from_json(facts_to_json(facts))

    assert back == {name: value for name, value in facts.items() if value is not None}
    at = back["at"]
    assert isinstance(at, datetime)
    assert at.tzinfo is SHANGHAI


def test_a_broken_or_reopened_mediation_keeps_its_resolution() -> None:
    """S4: only these two keep the earlier date, along any number of versions; a new resolution has its own."""
    resolved: Facts = {"status": "resolved", "closed_on": date(2026, 3, 10)}
    broken = carry(resolved, {"status": "broken", "closed_on": date(2026, 4, 1)})

    assert broken["resolved_on"] == date(2026, 3, 10)
    assert carry(broken, {"status": "open"})["resolved_on"] == date(2026, 3, 10)
    assert "resolved_on" not in carry(broken, {"status": "resolved", "closed_on": date(2026, 5, 1)})
    assert "resolved_on" not in carry(resolved, {"status": "failed"})
    when = datetime(2026, 3, 11, 9, tzinfo=SHANGHAI)
    assert carry({"status": "resolved"}, {"status": "broken"}, older_updated=when)["resolved_on"] == when


def test_a_revoked_order_keeps_the_day_it_came_into_force() -> None:
    """The path of one order: issued, then revoked in the same row."""
    issued: Facts = {"result": "issued", "decided_on": date(2026, 3, 5), "valid_from": date(2026, 3, 1)}

    assert carry(issued, {"result": "revoked", "decided_on": date(2026, 4, 1)})["in_force_from"] == date(2026, 3, 1)
    assert "in_force_from" not in carry(issued, {"result": "revoked", "original_case_no": "B1"})


def test_an_order_keeps_the_hour_it_came_into_force_and_when_it_was_asked_for() -> None:
    """S4: the newest version carries the dates of its path, an hour as an hour; its own dates stay its own."""
    made = datetime(2026, 3, 5, 21, tzinfo=SHANGHAI)
    issued = carry({"result": "pending", "applied_on": date(2026, 3, 1)}, {"result": "issued", "decided_on": made})
    revoked = carry(issued, {"result": "revoked", "decided_on": date(2026, 4, 1), "applied_on": date(2026, 3, 2)})

    assert issued["applied_on"] == date(2026, 3, 1)
    assert (revoked["in_force_from"], revoked["applied_on"]) == (made, date(2026, 3, 2))


def test_visits_say_who_was_met_and_how() -> None:
    """In person is home or appointment; not reached is no visit."""
    met = derive(event("2026-03-01 community_grid.visit V1 finding=calm mode=appointment"))
    missed = derive(event("2026-03-01 community_grid.visit V1 finding=not_reached mode=home"))

    assert (met.in_person, met.calm, met.reached) == (True, True, True)
    assert (missed.in_person, missed.calm, missed.reached) == (False, False, False)


def test_derive_is_total() -> None:
    """A record with nothing but its key derives: everything unknown, nothing suspected."""
    at = datetime(2026, 3, 1, tzinfo=SHANGHAI)
    bare = derive(Event(Key("police", "incident", "J1"), 1, "police_call", at, {}, (), (), True, at, at))

    assert (bare.grade, bare.r6, bare.family, bare.injury_rank, bare.victim_capacity) == (
        "unstated",
        False,
        None,
        None,
        "unknown",
    )
