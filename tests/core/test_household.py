"""Who lived with whom, and when: the register, ties, divorce."""

from __future__ import annotations

from datetime import date

import pytest

from hub.core.household import Row, settle_rows
from hub.core.kinship import read
from hub.core.records import Key
from tests.core.hood_builder import Archive, P, call, record, row, whys

HUSBAND = P("", "h", "H")
WIFE = P("", "w", "W")
CHILD = P("", "c", "C", born=date(2015, 1, 1))
GRID = Key("community_grid", "household", "R1/1")


def divorce(no: str, applied: str, on: date | None, status: str = "registered"):
    return record(
        no,
        "divorce_registration",
        applied,
        P("party_a", "h", "H"),
        P("party_b", "w", "W"),
        unit="civil_affairs",
        status=status,
        status_on=on,
    )


def couple(home: str = "R1", until: date | None = None):
    return row(home, "1", WIFE, date(2018, 1, 1)), row(home, "2", HUSBAND, date(2018, 1, 1), until)


# — ties


@pytest.mark.parametrize("relation", ["spouse", "cohabitant", "child", "parent", "sibling", "grandparent", "kin"])
def test_a_family_relation_makes_one_household(relation: str):
    """Parties with a family or cohabitation relation are one household."""
    archive = Archive()
    placing = archive.feed(call("1", "2026-03-01", HUSBAND, WIFE, relation))
    assert (len(archive.where("1")), whys(placing, "1")) == (1, ["together"])


@pytest.mark.parametrize("relation", ["none", "former_spouse"])
def test_strangers_and_former_spouses_are_two_households(relation: str):
    """Two strangers in one call are not one household, nor are former spouses; the call is on both."""
    archive = Archive()
    placing = archive.feed(call("1", "2026-03-01", HUSBAND, WIFE, relation))
    assert (len(archive.where("1")), whys(placing, "1")) == (2, ["party_side", "party_side"])


def test_an_unrecorded_relation_in_a_family_matter_is_one_household():
    """A call of category family dispute or domestic violence states a family matter (A4, A8)."""
    archive = Archive()
    archive.feed(call("1", "2026-03-01", HUSBAND, WIFE, None))
    assert len(archive.where("1")) == 1


def test_an_unrecorded_relation_leaves_registered_persons_where_they_are():
    """Both registered apart: the event is on both registered households."""
    archive = Archive()
    archive.feed(row("R1", "1", HUSBAND), row("R2", "1", WIFE), call("1", "2026-03-01", HUSBAND, WIFE, None))
    assert archive.where("1") == archive.where("R1/1") | archive.where("R2/1")


def test_an_unrecorded_relation_does_not_join_two_families():
    """Two homes of several persons stay two: a family matter without relation is too little to join them."""
    archive = Archive()
    archive.feed(
        call("1", "2026-03-01", HUSBAND, WIFE),
        call("2", "2026-03-01", P("", "x", "X"), P("", "y", "Y")),
        call("3", "2026-03-02", HUSBAND, P("", "x", "X"), None),
    )
    assert archive.where("1") != archive.where("2")
    assert archive.where("3") == archive.where("1") | archive.where("2")


def test_a_strangers_household_is_not_touched_where_the_victim_is_known():
    """A child assaulted by somebody outside the family lights the child's household, not the stranger's."""
    archive = Archive()
    archive.feed(row("R1", "1", CHILD), row("R2", "1", P("", "x", "X")))
    archive.feed(
        record(
            "S1",
            "concern_found",
            "2026-03-01",
            CHILD._replace(role="victim"),
            P("alleged", "x", "X"),
            kind="sexual_assault",
            relation="none",
        )
    )
    assert archive.where("S1") == archive.where("R1/1")


def test_a_guardian_and_a_child_are_one_household():
    """A school's record about a child with its guardian is on the guardian's household."""
    archive = Archive()
    archive.feed(*couple())
    archive.feed(record("S1", "concern_found", "2026-03-01", P("victim", "c"), P("guardian", "w", "W"), kind="neglect"))
    assert archive.where("S1") == archive.where("R1/1")


def test_a_childs_record_goes_where_the_child_lives():
    """A child registered with its grandparents is not moved by a guardian who lives elsewhere."""
    archive = Archive()
    archive.feed(row("R1", "1", CHILD), row("R2", "1", WIFE))
    archive.feed(
        record(
            "S1", "concern_found", "2026-03-01", CHILD._replace(role="victim"), P("guardian", "w", "W"), kind="neglect"
        )
    )
    assert archive.where("S1") == archive.where("R1/1")


def test_children_sheltered_with_a_parent_are_of_that_parents_household():
    """Accompanying children are tied to the person sheltered."""
    archive = Archive()
    archive.feed(record("B1", "shelter", "2026-03-01", P("victim", "w", "W"), P("child", "c", "C")))
    archive.feed(record("S1", "concern_found", "2026-03-02", P("victim", "c", "C"), kind="neglect"))
    assert archive.where("B1") == archive.where("S1")


def test_a_familys_record_makes_only_ties_it_states():
    """Nothing is tied by a record of one person, nor by a stated non-relation."""
    assert read(call("1", "2026-03-01", HUSBAND)).ties == ()
    assert read(call("1", "2026-03-01", HUSBAND, WIFE, "none")).ties == ()


# — the register


def test_registered_persons_are_one_household_under_the_registers_number():
    """Members of one registered household are one; grid and family file use the same number."""
    archive = Archive()
    archive.feed(
        row("R1", "1", WIFE),
        record(
            "F/1", "household_member", "2020-01-01", P("member", "h", "H"), unit="womens_federation", household_no="R1"
        ),
    )
    (home,) = archive.listed()
    assert archive.homes[home].registered == "R1"
    assert not archive.homes[home].provisional


def test_registered_apart_is_two_households_and_each_says_why():
    """Spouses registered in different households: the event is on both (A8)."""
    archive = Archive()
    archive.feed(row("R1", "1", HUSBAND), row("R2", "1", WIFE))
    placing = archive.feed(
        record(
            "1",
            "complaint_received",
            "2026-03-01",
            WIFE._replace(role="victim"),
            HUSBAND._replace(role="alleged"),
            kind="domestic_violence",
            relation="spouse",
        )
    )
    assert archive.where("1") == archive.where("R1/1") | archive.where("R2/1")
    assert whys(placing, "1") == ["victim_side", "alleged_side"]


def test_an_unregistered_relative_belongs_to_the_registered_household():
    """A husband whom the register does not know lives where his registered wife lives."""
    archive = Archive()
    archive.feed(row("R1", "1", WIFE), call("1", "2026-03-01", HUSBAND, WIFE), call("2", "2026-03-02", HUSBAND))
    assert archive.where("2") == archive.where("R1/1")


def test_a_persons_household_is_the_one_at_the_event_time():
    """A move in the register sends later events to the new household and leaves earlier ones (S24)."""
    archive = Archive()
    archive.feed(row("R1", "1", WIFE, date(2018, 1, 1), date(2026, 2, 28)), row("R2", "1", WIFE, date(2026, 3, 1)))
    archive.feed(call("1", "2026-02-28 23:00", WIFE), call("2", "2026-03-01", WIFE), call("3", "2017-01-01", WIFE))
    assert archive.where("1") == archive.where("R1/1")
    assert archive.where("2") == archive.where("R2/1")
    assert archive.where("3").isdisjoint(archive.where("1") | archive.where("2"))


def test_a_later_row_of_another_home_counts_even_if_the_older_was_never_closed():
    """Of two open rows the one that began last says where a person lives; the older one shows as ended."""
    archive = Archive()
    placing = archive.feed(
        row("R1", "1", WIFE, date(2018, 1, 1)), row("R2", "1", WIFE, date(2026, 3, 1)), call("1", "2026-03-02", WIFE)
    )
    assert archive.where("1") == archive.where("R2/1")
    ends = {m.since: m.until for members in placing.members.values() for m in members}
    assert ends == {date(2018, 1, 1): date(2026, 2, 28), date(2026, 3, 1): None}


def test_a_family_registered_after_the_event_takes_its_household_along():
    """A couple that the register takes in together later is that household (A8: live or lived)."""
    archive = Archive()
    archive.feed(call("1", "2017-03-01", HUSBAND, WIFE))
    before = archive.where("1")
    archive.feed(*couple())
    assert archive.where("1") == archive.where("R1/1") == before


def test_who_has_left_a_registered_home_is_not_brought_back_by_a_tie():
    """Only the register ends what the register says: an adult child elsewhere is the other side of the event."""
    archive = Archive()
    archive.feed(row("R1", "1", WIFE, date(2010, 1, 1)), row("R1", "2", CHILD, date(2010, 1, 1), date(2025, 1, 1)))
    placing = archive.feed(call("1", "2026-03-01", CHILD, WIFE, "child"))
    assert len(archive.where("1")) == 2
    assert whys(placing, "1") == ["party_side", "party_side"]


def test_an_end_in_one_register_ends_the_open_row_of_the_other():
    """The grid's end of a membership also ends the family file's older open row of the same household."""
    rows = [
        Row("R1", date(2018, 1, 1), date(2026, 1, 1), "", "g"),
        Row("R1", date(2020, 1, 1), None, "", "f"),
        Row("R1", date(2027, 1, 1), None, "", "g2"),
    ]
    assert [r.until for r in settle_rows(rows)] == [date(2026, 1, 1), date(2026, 1, 1), None]


# — divorce


def test_an_unregistered_couple_is_two_households_from_the_certificate_on():
    """Earlier events count on each side as of its former household, later ones each at their own (S31)."""
    archive = Archive()
    archive.feed(call("1", "2026-01-01", HUSBAND, WIFE), call("2", "2026-01-02", WIFE))
    assert len(archive.listed()) == 1
    placing = archive.feed(divorce("D", "2026-01-20", date(2026, 3, 1)))
    assert len(archive.listed()) == 2
    assert archive.where("1") == archive.where("2") == archive.where("D") == archive.listed()
    assert whys(placing, "2") == ["home", "successor"]
    assert set(whys(placing, "1")) == {"successor"}
    archive.feed(call("3", "2026-03-02", WIFE), call("4", "2026-03-02", HUSBAND), call("5", "2026-03-01 12:00", WIFE))
    assert len(archive.where("3")) == len(archive.where("4")) == 1
    assert archive.where("3") != archive.where("4")
    assert len(archive.where("5")) == 2, "a certificate counts from the last moment of its day (S1)"
    placing = archive.feed(call("6", "2026-03-03", HUSBAND, WIFE, "former_spouse"))
    assert (len(archive.where("6")), whys(placing, "6")) == (2, ["party_side", "party_side"])


def test_an_application_is_no_divorce():
    """Applied, withdrawn or deemed withdrawn: husband and wife are one household."""
    archive = Archive()
    archive.feed(divorce("D", "2026-01-20", None, "applied"))
    assert len(archive.where("D")) == 1


@pytest.mark.parametrize(
    ("result", "homes"), [("divorce_by_judgment", 2), ("divorce_by_mediation", 2), ("reconciled", 1), ("refused", 1)]
)
def test_a_decree_parts_a_couple(result: str, homes: int):
    """A suit closed with a divorce parts the couple from its closing date; other results do not."""
    archive = Archive()
    archive.feed(
        record(
            "D",
            "divorce_suit",
            "2026-01-01",
            HUSBAND._replace(role="party_a"),
            WIFE._replace(role="party_b"),
            unit="court",
            stage="closed",
            closed_on=date(2026, 2, 1),
            result=result,
        )
    )
    archive.feed(call("1", "2026-02-02", WIFE), call("2", "2026-02-02", HUSBAND))
    assert len(archive.where("1") | archive.where("2")) == homes


def test_a_registered_couple_parts_when_the_register_says_so():
    """Until a row ends they share the household; then the leaver's new household has the old events too, linked."""
    archive = Archive()
    archive.feed(*couple(), call("1", "2026-01-01", HUSBAND, WIFE), divorce("D", "2026-01-20", date(2026, 3, 1)))
    archive.feed(call("2", "2026-03-05", HUSBAND, WIFE, "former_spouse"))
    assert archive.where("1") == archive.where("2") == archive.where("R1/1")
    placing = archive.feed(*couple(until=date(2026, 4, 1)))
    (registered,) = archive.where("R1/1")
    assert registered in archive.where("1")
    assert len(archive.where("1")) == len(archive.where("2")) == 2
    assert whys(placing, "1") == ["together", "successor"]
    archive.feed(call("3", "2026-04-02", HUSBAND), call("4", "2026-04-02", WIFE))
    assert archive.where("3") == archive.where("1") - {registered}
    assert archive.where("4") == {registered}


def test_the_old_events_follow_a_former_spouse_into_a_new_registered_home():
    """Old concerns count where a former spouse lives (S31)."""
    archive = Archive()
    archive.feed(call("1", "2026-01-01", HUSBAND, WIFE), divorce("D", "2026-01-20", date(2026, 3, 1)))
    archive.feed(row("R5", "1", HUSBAND, date(2026, 5, 1)))
    assert archive.where("R5/1") < archive.where("1")


def test_children_stay_with_the_parent_their_own_records_name_else_with_the_wife():
    """The last record of a child's own decides; without one the children stay with party B."""
    archive = Archive()
    school = record(
        "S1",
        "concern_found",
        "2026-01-05",
        CHILD._replace(role="victim"),
        HUSBAND._replace(role="guardian"),
        kind="neglect",
    )
    archive.feed(
        school,
        call("1", "2026-01-01", P("", "d", "D"), HUSBAND, "child"),
        call("2", "2026-01-01", P("", "d", "D"), WIFE, "child"),
    )
    archive.feed(divorce("D", "2026-01-20", date(2026, 3, 1)))
    archive.feed(
        *[
            call(no, "2026-04-01", P("", who, who.upper()))
            for no, who in (("w", "w"), ("h", "h"), ("c", "c"), ("d", "d"))
        ]
    )
    assert archive.where("c") == archive.where("h") != archive.where("w") == archive.where("d")


def test_children_stay_on_the_registered_side():
    """Where only one parent is registered, children nobody's record decides on stay there (S31)."""
    archive = Archive()
    archive.feed(
        row("R1", "1", HUSBAND),
        call("1", "2026-01-01", CHILD, HUSBAND, "kin"),
        call("2", "2026-01-01", CHILD, WIFE, "kin"),
    )
    archive.feed(divorce("D", "2026-01-20", date(2026, 3, 1)), call("3", "2026-04-01", CHILD))
    assert archive.where("3") == archive.where("R1/1")


def test_a_new_spouses_earlier_life_stays_out_of_the_old_marriage():
    """Who joins after the divorce brings no old events to the former spouse's household."""
    archive = Archive()
    archive.feed(call("1", "2026-01-01", HUSBAND, WIFE), divorce("D", "2026-01-20", date(2026, 3, 1)))
    archive.feed(
        call("2", "2025-06-01", P("", "n", "N")),
        call("3", "2026-06-01", HUSBAND, P("", "n", "N")),
        call("4", "2026-06-02", WIFE),
    )
    assert archive.where("2") == archive.where("3")
    assert archive.where("2").isdisjoint(archive.where("4"))


def test_cohabitation_after_the_divorce_is_one_household_again():
    """A later record that says cohabitation unites; one that still says spouse does not."""
    archive = Archive()
    archive.feed(call("1", "2026-01-01", HUSBAND, WIFE), divorce("D", "2026-01-20", date(2026, 3, 1)))
    archive.feed(call("2", "2026-04-01", HUSBAND, WIFE, "spouse"))
    assert len(archive.where("2")) == 2
    archive.feed(call("3", "2026-05-01", HUSBAND, WIFE, "cohabitant"))
    assert len(archive.listed()) == 1


def test_a_retracted_divorce_leaves_one_household():
    """Without its certificate the couple is what it was, and the other household has a successor."""
    archive = Archive()
    archive.feed(call("1", "2026-01-01", HUSBAND, WIFE))
    before = archive.where("1")
    archive.feed(divorce("D", "2026-01-20", date(2026, 3, 1)))
    placing = archive.retract(Key("civil_affairs", "s", "D"))
    assert archive.where("1") == before
    assert set(placing.successors.values()) == before
