"""What is foreseen comes true on its date when nothing else arrives, and nothing else happens before."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.assess import amended, assess, course
from hub.core.clocks import Moment
from hub.core.explain import coming_next
from hub.core.foresight import END, Foresight, foresee
from hub.core.records import Case, Light, Silence, StreamKey
from tests.core.light_cases import event, policy
from tests.core.test_light_properties import DAYS, FIRST, SEEDS, Seed, at_day, build, case_of


def look_ahead(case: Case, day: int, silences: tuple[Silence, ...] = ()) -> Foresight:
    found = amended(case)
    return foresee(found, policy(), Moment(at_day(day), silences), course(found, policy(), Moment(END, silences)))


def light_at(case: Case, moment: Moment) -> Light:
    return course(case, policy(), moment).light


@given(SEEDS, DAYS, st.integers(0, 600), st.integers(0, 300))
@settings(max_examples=120, deadline=None)
def test_the_foreseen_change_happens_on_its_date(seeds: list[Seed], day: int, since: int, span: int) -> None:
    """At each foreseen instant the light is what was foreseen; a moment before and half-way it is still the old one."""
    case = case_of(build(seeds))
    silences = (Silence(StreamKey("police", "incident"), at_day(since), at_day(since + span)),)
    at, light = at_day(day), light_at(case, Moment(at_day(day), silences))
    for coming in look_ahead(case, day, silences).changes:
        assert coming.at is not None
        for quiet in (at + (coming.at - at) / 2, coming.at - timedelta(microseconds=1)):
            assert light_at(case, Moment(max(quiet, at), silences)) == light
        assert light_at(case, Moment(coming.at, silences)) == coming.light != light
        at, light = coming.at, coming.light

    for later in (1, 90, 400, 4000):
        assert light_at(case, Moment(at + timedelta(days=later), silences)) == light


@given(SEEDS, st.integers(500, 900))
@settings(max_examples=60, deadline=None)
def test_every_open_concern_has_a_way_down_or_joins_one(seeds: list[Seed], day: int) -> None:
    """No concern stands without a date, a record that would end it, or the answer that its report waits for."""
    case = case_of(build(seeds))
    ahead = look_ahead(case, day)
    for concern in course(amended(case), policy(), Moment(at_day(day))).concerns:
        if concern.until is None:
            ways = ahead.of(concern)
            assert ways or "mediation" in str(concern.closes_by), concern
            assert all(way.at or way.owed_by or way.missing or way.way == "green_lapsed" for way in ways), ways


def test_a_way_names_what_is_missing_and_who_owes_it() -> None:
    """A fierce call: the review may come after 180 days, two units sign, the visits are owed by the units of D2."""
    case = case_of([event("2026-03-01T20:00 police.incident J1 category=family_dispute intensity=fierce")])
    ahead = look_ahead(case, (event("2026-03-10 police.incident J2 category=family_dispute").at.date() - FIRST).days)
    concern = course(case, policy(), Moment(at_day(500))).concerns[0]
    (way,) = ahead.of(concern)

    assert (way.way, way.light, way.at, way.owed_by) == ("review_red", Light.orange, None, ("coordinator",))
    assert str(way.not_before)[:10] == "2026-08-28"
    lacks = {lack.proof: lack.owed_by for lack in way.missing}
    assert lacks.keys() == {"signed", "red_days", "no_visit_overdue", "visit_since_violence"}
    assert lacks["no_visit_overdue"] == ("womens_federation", "community_grid")


def test_two_red_concerns_name_what_must_end_together() -> None:
    """Neither the review nor the order's end alone changes the light: both are named, to the light after the last."""
    case = case_of([
        event("2026-03-01T20:00 police.incident J1 category=family_dispute intensity=fierce"),
        event("2026-03-02 court.protection_order B1 result=issued decided_on=2026-03-02 valid_until=2026-09-01"),
    ])  # fmt: skip
    day = (date(2026, 3, 10) - FIRST).days
    found = assess(case, policy(), Moment(at_day(day)))
    coming = coming_next(found, look_ahead(case, day))

    assert {(one["by"], one["light"], one["at"], one["together"]) for one in coming} == {
        ("review_red", "orange", None, True), ("order_ended", "orange", None, True),
    }  # fmt: skip
