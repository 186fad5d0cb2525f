"""Where everybody belongs: numbers that stay, records that move, what is touched, who is a member."""

from __future__ import annotations

from datetime import date

from hub.core.hood import Neighbourhood
from hub.core.place import place
from hub.core.records import Key
from tests.core.hood_builder import Archive, P, call, record, row, whys

HUSBAND, WIFE = P("", "h", "H", "138"), P("", "w", "W", "139")


def test_an_unknown_pair_is_a_household_of_its_own():
    """A first call about two certain persons makes one new household and two new persons, all touched."""
    placing = place(Neighbourhood((call("1", "2026-03-01", HUSBAND, WIFE),), {}, {}))
    assert set(placing.persons.values()) == {-1, -2}
    assert placing.households == {Key("police", "s", "1"): ((-1, "together"),)}
    assert placing.touched == {-1}
    assert not placing.homes[-1].provisional
    assert [(m.person, m.role) for m in placing.members[-1]] == [(-2, "spouse"), (-1, "spouse")]


def test_a_record_of_nobody_certain_has_a_provisional_household():
    """Names alone, or nobody at all: a household of its own, lit at once (S25)."""
    archive = Archive()
    placing = archive.feed(
        call("1", "2026-03-01", P("", "li"), P("", "wang")), record("2", "police_call", "2026-03-01")
    )
    assert [whys(placing, no) for no in "12"] == [["provisional"], ["provisional"]]
    assert archive.where("1") != archive.where("2")
    assert all(home.provisional for home in archive.homes.values())


def test_a_record_that_names_another_goes_to_its_household():
    """A number is certain where persons are not, in whichever order the two come."""
    letter = record(
        "L1",
        "admonition_issued",
        "2026-03-03",
        WIFE._replace(role="victim"),
        HUSBAND._replace(role="alleged"),
        related=("C1",),
        relation="spouse",
    )
    forensic = record("F1", "forensic_result", "2026-03-09", related=("C1",))
    archive = Archive()
    archive.feed(record("C1", "police_call", "2026-03-01", P("party_a", "lady")))
    provisional = archive.where("C1")
    archive.feed(letter)
    placing = archive.feed(forensic)
    assert archive.where("C1") == archive.where("L1") == archive.where("F1")
    assert whys(placing, "F1") == whys(placing, "C1") == ["number"]
    assert archive.where("L1") == provisional, "the provisional household became certain and kept its id"
    assert not archive.homes[next(iter(archive.where("L1")))].provisional


def test_a_number_links_however_it_is_written():
    """Full-width and half-width brackets are the same case number."""
    archive = Archive()
    archive.feed(record("（2026）沪0101民保令3号", "protection_order", "2026-03-01", WIFE._replace(role="victim")))
    archive.feed(record("F1", "forensic_result", "2026-03-09", related=("(2026)沪0101民保令3号",)))
    assert archive.where("F1") == archive.where("（2026）沪0101民保令3号")


def test_records_of_nobody_that_name_each_other_share_one_provisional_household():
    """A repeated call of the same event is no second household."""
    archive = Archive()
    archive.feed(call("1", "2026-03-01", P("", "li")), call("2", "2026-03-01", P("", "wang"), related=("1",)))
    assert archive.where("1") == archive.where("2")


def test_a_correction_with_numbers_moves_the_record_and_closes_its_provisional_household():
    """Parties' numbers come hours later: the record moves, nothing is doubled, the old household has a successor."""
    archive = Archive()
    archive.feed(row("R1", "1", WIFE, date(2018, 1, 1)), row("R1", "2", HUSBAND, date(2018, 1, 1)))
    archive.feed(call("1", "2026-03-01", P("", "li"), P("", "wang")))
    (old,) = archive.where("1")
    (registered,) = archive.where("R1/1")
    placing = archive.feed(call("1", "2026-03-01", HUSBAND, WIFE))
    assert archive.where("1") == {registered}
    assert placing.successors == {old: registered}
    assert {old, registered} <= placing.touched
    assert placing.members[old] == ()
    assert old not in archive.listed()


def test_a_correction_to_other_people_leaves_the_other_records_behind():
    """One of two records of a household is corrected to somebody else: it goes alone, and the household keeps its id."""
    archive = Archive()
    archive.feed(call("1", "2026-03-01", HUSBAND, WIFE), call("2", "2026-03-02", HUSBAND, WIFE))
    before = archive.where("1")
    placing = archive.feed(call("2", "2026-03-02", P("", "x", "X"), P("", "y", "Y")))
    assert archive.where("1") == before
    assert archive.where("2").isdisjoint(before)
    assert placing.successors == {}
    assert before | set(placing.homes) <= placing.touched
    assert len({m.person for e in archive.entries.values() for m in e.mentions}) == 4


def test_households_that_turn_out_to_be_one_keep_the_older_id():
    """A tie between two households of ours joins them; the younger one names its successor."""
    archive = Archive()
    archive.feed(call("1", "2026-03-01", HUSBAND))
    archive.feed(call("2", "2026-03-02", WIFE))
    (older,), (younger,) = archive.where("1"), archive.where("2")
    placing = archive.feed(call("3", "2026-03-03", HUSBAND, WIFE))
    assert archive.listed() == {older}
    assert placing.successors == {younger: older}


def test_a_registered_household_keeps_its_id_above_an_older_one():
    """A household of ours that merges into a registered one goes by the registered one's id."""
    archive = Archive()
    archive.feed(call("1", "2026-03-01", HUSBAND))
    (ours,) = archive.where("1")
    archive.feed(row("R1", "1", WIFE, date(2018, 1, 1)))
    (registered,) = archive.where("R1/1")
    placing = archive.feed(call("2", "2026-03-02", HUSBAND, WIFE))
    assert archive.listed() == {registered}
    assert placing.successors == {ours: registered}


def test_a_retraction_touches_the_household_it_leaves():
    """The household of a retracted record is judged again, without members if nothing is left."""
    archive = Archive()
    archive.feed(call("1", "2026-03-01", HUSBAND))
    (home,) = archive.where("1")
    placing = archive.retract(Key("police", "s", "1"))
    assert placing.touched == {home}
    assert placing.members == {home: ()}
    assert placing.successors == {}


def test_members_carry_the_best_known_birth_date_and_capacity():
    """When birth dates disagree the younger counts (S8); of two recorded capacities the later."""
    archive = Archive()
    archive.feed(call("1", "2026-03-01", P("", "w", "W", born=date(1990, 1, 1), capacity="full"), HUSBAND))
    placing = archive.feed(call("2", "2026-03-02", P("", "w", "W", born=date(1991, 1, 1), capacity="limited"), HUSBAND))
    (home,) = archive.where("1")
    assert {(m.born, m.capacity) for m in placing.members[home]} == {(date(1991, 1, 1), "limited"), (None, None)}


def test_a_member_in_two_registers_is_listed_once():
    """Rows of the grid and of the family file that overlap are one stay."""
    archive = Archive()
    archive.feed(
        row("R1", "1", WIFE, date(2018, 1, 1), role="self"),
        record(
            "F1/1",
            "household_member",
            "2020-01-01",
            P("member", "w", "W"),
            unit="womens_federation",
            household_no="R1",
            **{"from": date(2020, 1, 1)},
        ),
        call("1", "2026-03-01", WIFE, P("", "k", "K"), "parent"),
    )
    (home,) = archive.listed()
    assert {(m.role, m.since) for m in archive.members[home]} == {("self", date(2018, 1, 1)), ("child", None)}
    assert len(archive.members[home]) == 2


def test_the_registers_community_counts_before_that_of_an_event():
    """A home lies where its register says, else where its last event that says so happened."""
    archive = Archive()
    archive.feed(
        call("1", "2026-03-01", WIFE, community="E1"),
        call("2", "2026-03-05", WIFE, community="E2"),
        call("3", "2026-03-06", WIFE),
    )
    (home,) = archive.where("1")
    assert archive.homes[home].community == "E2"
    archive.feed(row("R1", "1", WIFE, date(2018, 1, 1), community="G"))
    assert archive.homes[home].community == "G"


def test_a_special_category_lies_where_its_family_lives_now():
    """A category is a state of the household: long recorded, it is shown where the person lives."""
    archive = Archive()
    archive.feed(
        row("R1", "1", WIFE, date(2025, 1, 1)),
        record("S1", "special_household", "2015-01-01", P("subject", "w", "W"), category="single_parent"),
    )
    assert archive.where("S1") == archive.where("R1/1")


def test_somebody_who_may_be_two_persons_of_one_household_belongs_to_it():
    """The household is sure though the person is not: the event goes there now."""
    archive = Archive()
    archive.feed(row("R1", "1", P("", "li", "L1", "138")), row("R1", "2", P("", "li", "L2", "138")))
    placing = archive.feed(call("1", "2026-03-01", P("", "li", phone="138")))
    assert archive.where("1") == archive.where("R1/1")
    assert [r.why for r in placing.reviews] == ["ambiguous"]


def test_records_about_numbers_are_not_placed_here():
    """Feedback on a report and activities are of no household by themselves."""
    feedback = record("F", "report_feedback", "2026-03-01", step="filed", report_no="x")
    activity = record("A", "activity", "2026-03-01", kind="meeting")
    assert place(Neighbourhood((feedback, activity), {}, {})).households == {}
