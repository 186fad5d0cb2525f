"""Facts about every timeline, tried on random ones: order, repetition, time, violence, retraction."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.assess import assess, course
from hub.core.clocks import Moment, end_of_day, start_of_day
from hub.core.records import SHANGHAI, Case, Course, Event, Facts, Key, Light, Silence, StreamKey
from hub.core.timeline import carry
from tests.core.light_cases import event, policy

FIRST = date(2025, 1, 1)
TEMPLATES = (
    "police.incident {no} category=family_dispute intensity=general",
    "police.incident {no} category=family_dispute intensity=fierce",
    "police.incident {no} category=domestic_violence",
    "police.admonition {no} violence=general",
    "police.admonition {no}",
    "procuratorate.notice {no}",
    "justice.mediation {no} origin=applied violence=none status=resolved closed_on={later}",
    "justice.mediation {no} origin=transferred status=open",
    "justice.mediation {no} origin=applied status=broken resolved_on={later} closed_on={latest}",
    "education.concern {no} kind=suspected_dv victim=3",
    "womens_federation.complaint {no} kind=general_conflict",
    "health.treatment {no} icd10=T74.1 backfill",
    "community_grid.conflict {no} kind=disturbs_neighbours",
    "community_grid.visit {no} finding=calm mode=home",
    "womens_federation.visit {no} finding=calm mode=phone",
    "womens_federation.visit {no} finding=violence mode=home",
    "womens_federation.review {no} decision=step_down signed_by=police;court",
    "court.protection_order {no} result=issued applied_on={at} decided_on={later} valid_until={latest}",
    "court.divorce_suit {no} stage=closed closed_on={later} result=reconciled",
    "civil_affairs.divorce_registration {no} status=applied",
)
Seed = tuple[int, int, int, int]  # template, day, days to `later`, days to `latest`
SEEDS = st.lists(
    st.tuples(st.integers(0, len(TEMPLATES) - 1), st.integers(0, 500), st.integers(0, 40), st.integers(0, 200)),
    max_size=14,
)
DAYS = st.integers(0, 900)


def build(seeds: list[Seed]) -> list[Event]:
    found = []
    for n, (template, day, later, latest) in enumerate(seeds):
        at = FIRST + timedelta(days=day)
        then = at + timedelta(days=later)
        text = TEMPLATES[template].format(no=f"N{n}", at=at, later=then, latest=then + timedelta(days=latest))
        found.append(event(f"{at} {text}"))
    return found


def case_of(events: list[Event]) -> Case:
    return Case(1, None, (), tuple(events))


def at_day(day: int) -> datetime:
    return end_of_day(FIRST + timedelta(days=day))


def judge(events: list[Event], day: int, silences: tuple[Silence, ...] = ()) -> Course:
    return course(case_of(events), policy(), Moment(at_day(day), silences))


@given(SEEDS, DAYS, st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_order_of_events_does_not_matter(seeds: list[Seed], day: int, shuffler: random.Random) -> None:
    """A shuffled case has the same course."""
    events = build(seeds)
    shuffled = list(events)
    shuffler.shuffle(shuffled)

    assert judge(shuffled, day) == judge(events, day)


def newest(versions: list[tuple[datetime, Facts]]) -> Facts:
    """The facts of the newest version, carried along all known versions in order of ``updated_at``."""
    facts: Facts | None = None
    before = None
    for updated, own in sorted(dict(versions).items()):
        facts = carry(facts, own, older_updated=before) if facts is not None else own
        before = updated
    assert facts is not None
    return facts


@given(
    st.lists(st.sampled_from(["open", "resolved", "failed", "broken"]), min_size=1, max_size=5),
    st.randoms(use_true_random=False),
)
def test_order_of_arrival_and_repetition_of_versions_do_not_matter(states: list[str], shuffler: random.Random) -> None:
    """Versions in any order, each perhaps twice, carry the same facts."""
    versions: list[tuple[datetime, Facts]] = [
        (
            at_day(10 * n),
            {"status": state, "closed_on": FIRST + timedelta(days=10 * n) if state == "resolved" else None},
        )
        for n, state in enumerate(states)
    ]
    mixed = [*versions, *versions[:2]]
    shuffler.shuffle(mixed)

    assert newest(mixed) == newest(versions)


@given(SEEDS, DAYS, st.integers(0, 600), st.integers(0, 300))
@settings(max_examples=150, deadline=None)
def test_nothing_changes_before_valid_until(seeds: list[Seed], day: int, since: int, span: int) -> None:
    """Between the moment and ``valid_until`` the assessment and what is owed are the same, also while a stream is silent."""
    events = build(seeds)
    silence = Silence(StreamKey("police", "incident"), at_day(since), at_day(since + span))
    moment = Moment(at_day(day), [silence])
    first = assess(case_of(events), policy(), moment)
    until = moment.valid_until or at_day(day + 2000)
    for at in (at_day(day) + (until - at_day(day)) / 2, until - timedelta(microseconds=1)):
        if at > at_day(day):
            later = Moment(at, [silence])

            assert assess(case_of(events), policy(), later) == first


@given(SEEDS, st.integers(0, 500), DAYS)
@settings(max_examples=150, deadline=None)
def test_violence_never_turns_a_light_greener(seeds: list[Seed], when: int, day: int) -> None:
    """One more fierce call never makes a light lower (green and unlit count alike), and is red for 180 days.

    Tension is left out: it opens Y3 only if nothing is open, so violence before it changes what it opens.
    """
    events = build(seeds)
    fierce = event(f"{FIRST + timedelta(days=when)} police.incident X category=family_dispute intensity=fierce")
    before, after = judge(events, day).light, judge([*events, fierce], day).light

    assert max(after, Light.green) >= max(before, Light.green)
    if when <= day < when + 180:
        assert after == Light.red


@given(SEEDS, DAYS)
@settings(max_examples=100, deadline=None)
def test_history_agrees_with_every_earlier_moment(seeds: list[Seed], day: int) -> None:
    """The span that covers a moment shows the light that was judged then: the fold does not rewrite its past."""
    events = build(seeds)
    spans = judge(events, 900).spans
    at = at_day(day)
    covering = [span.light for span in spans if span.since <= at and (span.until is None or at < span.until)]

    assert judge(events, day).light == (covering[-1] if covering else Light.unlit)


@given(SEEDS, DAYS)
@settings(max_examples=100, deadline=None)
def test_concerns_do_not_overlap_and_spans_follow_each_other(seeds: list[Seed], day: int) -> None:
    """Every closed concern ends after it began and names how; spans touch and always change the light."""
    went = judge(build(seeds), day)

    for concern in went.concerns:
        assert concern.until is None or (concern.until >= concern.since and concern.closed_by)
    for one, following in zip(went.spans, went.spans[1:], strict=False):
        assert one.until == following.since
        assert one.light != following.light


def test_retraction_is_as_if_it_had_never_been() -> None:
    """A timeline without the retracted record has no trace of it: no observation, no closing."""
    order = event("2026-01-01 court.protection_order B1 result=issued decided_on=2026-01-01 valid_until=2026-02-01")
    call = event("2026-03-01 police.incident J1 category=family_dispute")
    with_order = course(case_of([order, call]), policy(), Moment(start_of_day(date(2026, 4, 1))))
    without = course(case_of([call]), policy(), Moment(start_of_day(date(2026, 4, 1))))

    assert {c.rule for c in with_order.concerns} == {"R3", "T1", "O1"}
    assert {c.rule for c in without.concerns} == {"O1"}
    assert without.spans[0].since == datetime(2026, 3, 1, tzinfo=SHANGHAI)


def test_keys_of_different_streams_never_meet() -> None:
    """Two records with one number in two streams are two sources of one concern."""
    first = event("2026-01-01 health.treatment N1 violence_suspected=yes backfill")
    second = event("2026-01-02 education.concern N1 kind=suspected_dv victim=3 backfill")
    went = course(case_of([first, second]), policy(), Moment(start_of_day(date(2026, 4, 1))))

    assert [c.events for c in went.concerns] == [(Key("health", "treatment", "N1"), Key("education", "concern", "N1"))]
