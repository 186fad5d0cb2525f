"""What people rule about who is meant outranks every value, in any order, and leaves nothing behind when it is taken back."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import pytest

from hub.core.hood import Entry, Neighbourhood, Placing, Ruling, Spot
from hub.core.place import place
from hub.core.rulings import WHATS
from tests.core.hood_builder import P, record

ANNA = P("victim", "苏婉清", id="A", born=date(1987, 7, 9), sex="female")
KNOWN = record("1", "police_call", "2026-03-01", ANNA, P("alleged", "林志远", id="B", sex="male"), relation="spouse")
VAGUE = record("2", "complaint_received", "2026-03-02", P("victim", "苏某", phone="139"), relation="spouse")
OTHER = record("3", "conflict_found", "2026-03-03", P("victim", "苏婉清", phone="139", sex="female"))
CARD = record("4", "treatment_recorded", "2026-03-04", P("victim", "韩立群", id="A", sex="female"))


def spot(entry: Entry, position: int = 0) -> Spot:
    return entry.key, position


def placed(entries: tuple[Entry, ...], *rulings: Ruling) -> Placing:
    return place(Neighbourhood(entries, {}, {}, rulings=rulings))


def together(found: Placing, a: Spot, b: Spot) -> bool:
    return found.persons[a] == found.persons[b]


def rule(what: str, a: Entry, b: Entry | None = None) -> Ruling:
    return Ruling(what, (a.key, 0), None if b is None else (b.key, 0))


@pytest.mark.parametrize(
    ("entries", "ruling", "before", "after"),
    [
        ((KNOWN, VAGUE), rule("is", VAGUE, KNOWN), False, True),
        ((KNOWN, OTHER), rule("same", KNOWN, OTHER), False, True),
        ((KNOWN, CARD), rule("alone", CARD), True, False),
        ((KNOWN, CARD), rule("apart", CARD, KNOWN), True, False),
        ((KNOWN, CARD), rule("is", VAGUE, KNOWN), True, True),  # about a record that is not here: no effect
    ],
)
def test_a_ruling_outranks_values(entries: tuple[Entry, ...], ruling: Ruling, before: bool, after: bool) -> None:
    """With it the two mentions are one person, or two; without it what their values say."""
    a, b = spot(entries[0]), spot(entries[1])

    assert together(placed(entries), a, b) is before
    assert together(placed(entries, ruling), a, b) is after


def test_what_a_mention_is_ruled_to_be_its_own_values_pull_no_more() -> None:
    """A mention accepted as one person is not torn towards the one its telephone points to."""
    entries = (
        KNOWN,
        OTHER,
        record("5", "complaint_received", "2026-03-05", P("victim", "苏婉清", phone="139", sex="female")),
    )
    found = placed(entries, rule("is", entries[2], KNOWN))

    assert together(placed(entries), spot(entries[2]), spot(OTHER))
    assert together(found, spot(entries[2]), spot(KNOWN))
    assert not together(found, spot(entries[2]), spot(OTHER))


def test_two_households_become_one_and_part_again() -> None:
    """A household ruling puts the records of both on one household; without it they stand apart."""
    entries = (KNOWN, VAGUE)

    def homes(*rulings: Ruling) -> set[int]:
        return {home for spots in placed(entries, *rulings).households.values() for home, _ in spots}

    assert len(homes()) == 2
    assert len(homes(rule("home", KNOWN, VAGUE))) == 1


def test_a_record_that_names_nobody_can_be_put_on_a_household() -> None:
    """It stands there because people say so, and says so."""
    nameless = record("7", "police_call", "2026-03-07")

    assert placed((KNOWN, nameless)).households[nameless.key][0][1] == "provisional"
    found = placed((KNOWN, nameless), rule("home", KNOWN, nameless))
    assert found.households[nameless.key] == ((found.households[KNOWN.key][0][0], "ruled"),)


def test_the_order_of_records_and_rulings_is_no_matter() -> None:
    """Whatever order they come in: the same persons."""
    entries, rulings = (
        (KNOWN, VAGUE, OTHER, CARD),
        (rule("same", KNOWN, OTHER), rule("apart", CARD, KNOWN), rule("is", VAGUE, OTHER)),
    )

    def parts(found: Placing) -> set[frozenset[object]]:
        groups: dict[int, set[object]] = {}
        for where, person in found.persons.items():
            groups.setdefault(person, set()).add(where)
        return {frozenset(group) for group in groups.values()}

    expected = parts(placed(entries, *rulings))
    assert all(
        parts(placed(some, *ruled)) == expected for some in permutations(entries) for ruled in permutations(rulings)
    )


def test_a_refused_candidate_is_not_asked_about_again() -> None:
    """The review list leaves out whom somebody has ruled out, and keeps the others."""
    phone = record("6", "complaint_received", "2026-03-06", P("victim", "苏某", phone="139"))
    asked = placed((OTHER, phone))
    told = placed((OTHER, phone), rule("apart", phone, OTHER))

    assert [(item.key, item.why) for item in asked.reviews if item.key == phone.key] == [(phone.key, "phone")]
    assert [item for item in told.reviews if item.key == phone.key] == []


def test_every_word_has_its_effect() -> None:
    """No ruling is without a test."""
    assert set(WHATS) == {"same", "is", "alone", "apart", "home"}


def numbered(no: str, what: str, a: Entry, b: Entry | None = None, *more: Entry) -> Ruling:
    return rule(what, a, b)._replace(no=no, more=tuple((entry.key, 0) for entry in more))


def test_the_newer_word_on_a_mention_holds() -> None:
    """Split off after it was merged, a mention stands alone; merged after it was split off, it is that person."""
    merge, split = numbered("1", "same", VAGUE, KNOWN), numbered("2", "alone", VAGUE)

    assert not together(placed((KNOWN, VAGUE), merge, split), spot(VAGUE), spot(KNOWN))
    assert together(placed((KNOWN, VAGUE), merge._replace(no="3"), split), spot(VAGUE), spot(KNOWN))


def test_who_is_split_off_takes_nobody_along() -> None:
    """The person whom a mention stood for stays merged when that mention is split off, or its record taken back."""
    also = record("8", "conflict_found", "2026-03-08", P("victim", "苏婉清", phone="139", sex="female"))
    merge, split = numbered("1", "same", OTHER, KNOWN, also), numbered("2", "alone", OTHER)
    found = placed((KNOWN, OTHER, also), merge, split)

    assert together(placed((KNOWN, OTHER, also), merge), spot(also), spot(KNOWN))
    assert together(found, spot(also), spot(KNOWN))
    assert not together(found, spot(also), spot(OTHER))
    assert together(placed((KNOWN, also), merge), spot(also), spot(KNOWN))


def test_a_sex_that_a_row_states_is_no_veto_against_people() -> None:
    """Vetoes hold for what is decided automatically; a merge by a person takes every record of both along."""
    man = record("8", "conflict_found", "2026-03-08", P("victim", "苏婉清", phone="139", sex="male"))
    again = record("9", "conflict_found", "2026-03-09", P("victim", "苏婉清", phone="139", sex="male"))
    found = placed((KNOWN, man, again), rule("same", KNOWN, man))

    assert together(found, spot(KNOWN), spot(man))
    assert together(found, spot(KNOWN), spot(again))
    assert not together(placed((KNOWN, man)), spot(KNOWN), spot(man))


def test_who_was_somebody_by_a_word_about_nobody_is_themselves_again() -> None:
    """What kept the accepted person apart from others says nothing of a mention whose acceptance rests on nothing now."""
    twin = record("8", "complaint_received", "2026-03-08", P("victim", "苏某", phone="139"), relation="spouse")
    accepted = numbered("1", "is", VAGUE, KNOWN)
    refused = numbered("2", "apart", twin, KNOWN)._replace(other_more=(spot(VAGUE),))

    assert not together(placed((KNOWN, VAGUE, twin), accepted, refused), spot(VAGUE), spot(twin))
    assert together(placed((VAGUE, twin), accepted, refused), spot(VAGUE), spot(twin))
