"""What people decide: up by one, down from red by two of two units, never hiding a new concern, always with an end."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.assess import assess, course
from hub.core.clocks import Moment, opening
from hub.core.records import Course, Event, Key, Light
from tests.core.light_cases import event, policy, when
from tests.core.test_light_properties import DAYS, FIRST, SEEDS, Seed, at_day, build, case_of

FIERCE = "2026-03-01T20:00 police.incident J1 category=family_dispute intensity=fierce"
GENERAL = "2026-03-01T20:00 police.incident J1 category=family_dispute intensity=general"


def decision(no: str, at: str, light: str | None, until: str | None, by: str, unit: str, **more: object) -> Event:
    """One override, or a release (``light`` None), as the station's page makes it."""
    moment = opening(when(at))
    facts = {
        "household": "h",
        "light": light,
        "at": moment,
        "until": until and when(until),
        "by": by,
        "unit": unit,
        **more,
    }
    return Event(Key("station", "override", no), 1, "override", moment, facts, (), (), True, moment, moment)


def at(events: list[Event], moment: str) -> Course:
    return course(case_of(sorted(events, key=lambda e: (e.at, e.key))), policy(), Moment(opening(when(moment))))


def test_up_by_one_person_until_its_last_day() -> None:
    """Orange is held at red from the minute it is decided through its last day, and no observation follows."""
    events = [event(GENERAL), decision("V1", "2026-03-02T10:00", "red", "2026-03-20", "W1", "police")]

    assert at(events, "2026-03-02T09:59").light == Light.orange
    assert at(events, "2026-03-20T23:59").light == Light.red
    after = at(events, "2026-03-21T00:00")
    assert (after.light, after.since) == (Light.orange, datetime.fromisoformat("2026-03-21T00:00+08:00"))
    assert {c.rule: c.closed_by for c in after.concerns} == {"O1": None, "P1": "override_ended"}


def test_down_from_red_needs_two_persons_of_two_units() -> None:
    """One signature waits and says so; the same person, or a colleague, is no second; another unit's person is."""
    first = decision("V1", "2026-03-02T10:00", "yellow", "2026-06-01", "W1", "police")
    again = decision("V2", "2026-03-02T11:00", "yellow", "2026-06-01", "W1", "police")
    colleague = decision("V3", "2026-03-02T12:00", "yellow", "2026-06-01", "W2", "police")
    other = decision("V4", "2026-03-02T13:00", "yellow", "2026-05-01", "W3", "womens_federation")
    events = [event(FIERCE), first, again, colleague, other]

    waits = at(events, "2026-03-02T12:30")
    assert (waits.light, waits.notes) == (Light.red, ("override_waits",))
    decided = at(events, "2026-03-02T13:00")
    assert (decided.light, decided.notes) == (Light.yellow, ())
    assert {c.rule for c in decided.concerns if c.until is None} == {"R6", "P2"}
    assert at(events, "2026-05-01T23:59").light == Light.yellow  # the earlier of the two ends
    assert at(events, "2026-05-02").light == Light.red


def test_down_from_orange_by_one_person() -> None:
    """Below red one person of a unit is enough."""
    events = [event(GENERAL), decision("V1", "2026-03-02", "green", "2026-06-01", "W1", "community_grid")]

    assert at(events, "2026-03-03").light == Light.green


@pytest.mark.parametrize(
    "row",
    [
        "2026-03-10 police.incident J2 category=family_dispute intensity=fierce",
        "2026-03-10 health.treatment H1 violence_suspected=yes",
        "2026-03-10 court.protection_order B1 result=pending applied_on=2026-03-10",
    ],
)
def test_a_new_concern_above_ends_a_downward_decision_and_says_so(row: str) -> None:
    """Whatever opens or joins a concern above the decided light ends it at once; the record that did it is named."""
    new = event(row)
    both = [
        decision(f"V{n}", "2026-03-02", "yellow", "2026-06-01", f"W{n}", unit)
        for n, unit in ((1, "police"), (2, "court"))
    ]
    went = at([event(FIERCE), *both, new], "2026-03-11")

    assert went.light == Light.red
    over = next(c for c in went.concerns if c.rule == "P2")
    assert (over.closed_by, over.closing_key, over.until) == ("new_concern_above", new.key, new.at)


def test_a_new_concern_takes_half_a_signature_back() -> None:
    """What was signed before the violence does not count together with what is signed after it."""
    events = [
        event(FIERCE), decision("V1", "2026-03-02", "yellow", "2026-06-01", "W1", "police"),
        event("2026-03-10 police.incident J2 category=family_dispute intensity=fierce"),
        decision("V2", "2026-03-11", "yellow", "2026-06-01", "W2", "court"),
    ]  # fmt: skip

    assert (at(events, "2026-03-12").light, at(events, "2026-03-12").notes) == (Light.red, ("override_waits",))


def test_release_takes_it_back_and_red_needs_two_for_that_too() -> None:
    """A downward decision is released by one; one that holds red only by two persons of two units."""
    down = [
        decision("V1", "2026-03-02", "green", "2026-06-01", "W1", "court"),
        decision("V2", "2026-03-03", None, None, "W1", "court"),
    ]
    assert at([event(GENERAL), *down], "2026-03-04").light == Light.orange

    up = [
        decision("V1", "2026-03-02", "red", "2026-06-01", "W1", "court"),
        decision("V2", "2026-03-03", None, None, "W1", "court"),
    ]
    assert at([event(GENERAL), *up], "2026-03-04").light == Light.red
    second = decision("V3", "2026-03-04", None, None, "W2", "police")
    assert at([event(GENERAL), *up, second], "2026-03-05").light == Light.orange


def test_an_observation_that_begins_is_no_new_concern() -> None:
    """The order that ends opens T1: a step down, which a decision below it outlives."""
    order = event("2026-01-01 court.protection_order B1 result=issued decided_on=2026-01-01 valid_until=2026-03-10")
    both = [
        decision(f"V{n}", "2026-03-02", "yellow", "2026-06-01", f"W{n}", unit)
        for n, unit in ((1, "police"), (2, "court"))
    ]
    went = at([order, *both], "2026-03-20")

    assert (went.light, {c.rule for c in went.concerns if c.until is None}) == (Light.yellow, {"T1", "P2"})


def test_it_is_looked_at_again_and_an_objection_is_answered() -> None:
    """D28 falls to the deciding unit on the day it named, D29 to the coordinator; a visit and an answer close them."""
    held = decision("V1", "2026-03-02", "red", "2026-06-01", "W1", "police", recheck=date(2026, 3, 12))
    moment = opening(when("2026-03-05"))
    said = {"household": "h", "at": moment, "about": "light"}
    objection = Event(Key("station", "objection", "OB-1"), 1, "objection", moment, said, (), (), True, moment, moment)
    answered = {"household": "h", "at": moment + timedelta(days=3), "objection_no": "OB-1", "decision": "refused"}
    answer = objection._replace(
        key=Key("station", "objection_answer", "OA-1"),
        kind="objection_answer",
        at=moment + timedelta(days=3),
        facts=answered,
    )
    visit = event("2026-03-11 community_grid.visit V1 finding=calm mode=home")

    def owed(events: list[Event], what: str) -> list[tuple[str, str, str | None]]:
        found = assess(
            case_of(sorted(events, key=lambda e: (e.at, e.key))), policy(), Moment(opening(when("2026-04-01")))
        ).owed
        return [(o.to, f"{o.due:%m-%d}", o.closed and o.closed.how) for o in found if o.what == what]

    assert owed([event(GENERAL), held], "D28") == [("police", "03-12", None)]
    assert owed([event(GENERAL), held, visit], "D28") == [("police", "03-12", "done"), ("police", "04-10", None)]
    assert owed([event(GENERAL), objection], "D29") == [("coordinator", "03-19", None)]
    assert owed([event(GENERAL), objection, answer], "D29") == [("coordinator", "03-19", "done")]


DECISIONS = st.lists(
    st.tuples(
        st.integers(0, 500), st.sampled_from([*Light.__members__, None]), st.integers(1, 200), st.sampled_from("ABC"),
        st.sampled_from(["police", "court", "health"]),
    ),
    max_size=5,
)  # fmt: skip


@given(SEEDS, DECISIONS, DAYS)
@settings(max_examples=150, deadline=None)
def test_decisions_leave_the_records_as_they_were(
    seeds: list[Seed], made: list[tuple[int, str | None, int, str, str]], day: int
) -> None:
    """With any decisions the concerns of the records are the same, and the light lies where the open decision says."""
    events = build(seeds)
    decisions = [
        decision(
            f"V{n}", str(FIRST + timedelta(days=start)), light, str(FIRST + timedelta(days=start + days)), by, unit
        )
        for n, (start, light, days, by, unit) in enumerate(made)
    ]
    bare = course(case_of(events), policy(), Moment(at_day(day)))
    went = course(case_of(sorted([*events, *decisions], key=lambda e: (e.at, e.key))), policy(), Moment(at_day(day)))

    assert [c for c in went.concerns if c.rule not in ("P1", "P2")] == list(bare.concerns)
    standing = {c.rule: c.light for c in went.concerns if c.rule in ("P1", "P2") and c.until is None}
    assert len(standing) <= 1
    assert went.light == max(min(bare.light, standing.get("P2", Light.red)), standing.get("P1", Light.unlit))


class Reference:
    """The same rules, slow and obvious: one decision in force at most, signatures on a list, nothing else."""

    def __init__(self) -> None:
        self.held: tuple[str, Light, datetime] | None = None  # up or down, light, end
        self.signed: list[tuple[Light | None, datetime | None, str, str]] = []

    def shown(self, records: Light, at: datetime) -> Light:
        """The light where the records say ``records``."""
        if self.held is not None and self.held[2] <= at:
            self.held = None
        if self.held is None:
            return records
        return max(records, self.held[1]) if self.held[0] == "up" else min(records, self.held[1])

    def touched(self, light: Light) -> None:
        """A concern of this light opened or was joined."""
        if self.held is not None and self.held[0] == "down" and light > self.held[1]:
            self.held = None
        self.signed = [s for s in self.signed if s[0] is None or s[0] >= light]

    def decide(self, event: Event, records: Light, at: datetime) -> None:
        """Somebody decides, or takes a decision back."""
        word, until = event.facts["light"], event.facts["until"]
        light = None if word is None else Light[str(word)]
        end = opening(until) + timedelta(days=1) if isinstance(until, date) else None
        now = self.shown(records, at)
        if (light is None and self.held is None) or (light is not None and (end is None or end <= at)):
            return
        mine = (light, end, str(event.facts["by"]), str(event.facts["unit"]))
        alike = [
            s
            for s in self.signed
            if s[0] == light and s[2] != mine[2] and s[3] != mine[3] and (s[1] is None or s[1] > at)
        ]
        falls = now == Light.red and (light is not None or records != Light.red) and (light is None or light < now)
        if falls and not alike:
            self.signed.append(mine)
            return
        together = [*alike, mine]
        self.signed = [s for s in self.signed if s not in together]
        self.held = None
        if light is not None:
            self.held = ("up" if light >= records else "down", light, min(s[1] for s in together if s[1] is not None))


def by_reference(events: list[Event], decisions: list[Event], day: int) -> list[tuple[datetime, Light]]:
    """The light over time: that of the records by the fold without decisions, then the reference on top of it."""
    bare = course(case_of(events), policy(), Moment(at_day(day)))
    times = {e.key: e.at for e in events}
    touches = [(times[key], c.light) for c in bare.concerns if c.rule not in ("T1", "Y4", "G1") for key in c.events]
    reference, told = Reference(), []
    ends = [opening(d.facts["until"]) + timedelta(days=1) for d in decisions if isinstance(d.facts["until"], date)]
    for at in sorted({*(s.since for s in bare.spans), *(t for t, _ in touches), *(d.at for d in decisions), *ends}):
        if at > at_day(day):
            break
        records = next((s.light for s in reversed(bare.spans) if s.since <= at), Light.unlit)
        reference.shown(records, at)  # what has ended is over before anything else happens
        for when_, light in touches:
            if when_ == at:
                reference.touched(light)
        for one in sorted((d for d in decisions if d.at == at), key=lambda d: d.key):
            reference.decide(one, records, at)
        light = reference.shown(records, at)
        if light != (told[-1][1] if told else Light.unlit):
            told.append((at, light))
    return told


APART = ("police.incident", "procuratorate.notice", "health.treatment", "womens_federation.complaint")


@given(SEEDS, DECISIONS, DAYS)
@settings(max_examples=300, deadline=None)
def test_the_fold_decides_as_the_reference(
    seeds: list[Seed], made: list[tuple[int, str | None, int, str, str]], day: int
) -> None:
    """Over histories of any records and decisions the light goes up and down when the slow reference says so."""
    events = [e for e in build(seeds) if f"{e.key.unit}.{e.key.stream}" in APART]
    decisions = [
        decision(
            f"V{n}",
            f"{FIRST + timedelta(days=start)}T12:00",
            light,
            str(FIRST + timedelta(days=start + days)),
            by,
            unit,
        )
        for n, (start, light, days, by, unit) in enumerate(made)
    ]
    went = course(case_of(sorted([*events, *decisions], key=lambda e: (e.at, e.key))), policy(), Moment(at_day(day)))

    assert [(span.since, span.light) for span in went.spans] == by_reference(events, decisions, day)


def test_what_happens_in_the_same_instant_counts() -> None:
    """A fierce call of the very minute of a decision: it would lead down from red, and one person is not enough."""
    events = [
        event("2026-03-02T10:00 police.incident J1 category=family_dispute intensity=fierce"),
        decision("V1", "2026-03-02T10:00", "yellow", "2026-06-01", "W1", "police"),
    ]

    assert at(events, "2026-03-02T11:00").light == Light.red
