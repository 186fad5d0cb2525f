"""Who is meant: certain values join mentions, and nothing else does."""

from __future__ import annotations

from datetime import date

import pytest

from hub.core.persons import GENERIC
from tests.core.hood_builder import Archive, P, call, record

ZHANG = P("victim", "zhang", "Z1", "138")


def _persons(archive: Archive) -> dict[str, list[int | None]]:
    return {e.key.no: [m.person for m in e.mentions] for e in archive.entries.values()}


def _one(archive: Archive, *nos: str) -> bool:
    found = _persons(archive)
    return len({found[no][0] for no in nos}) == 1


def test_the_same_valid_number_is_the_same_person_whatever_else_differs():
    """A resident ID number decides alone."""
    archive = Archive()
    archive.feed(call("1", "2026-03-01", ZHANG), call("2", "2026-03-02", P("", "zhng", "Z1", "139")))
    assert _one(archive, "1", "2")


@pytest.mark.parametrize(
    ("known", "fresh"),
    [
        (P("", "li", "L1", "138"), P("", "li", phone="138")),
        (P("", "li", "L1", born=date(1990, 1, 1)), P("", "li", born=date(1990, 1, 1))),
        (P("", "li", phone="138"), P("", "li", "L1", "138")),
    ],
)
def test_a_mention_without_number_joins_the_only_person_it_can_be(known: P, fresh: P):
    """Exact name with phone, or with birth date and community, leads to one person."""
    archive = Archive()
    archive.feed(call("1", "2026-03-01", known))
    archive.feed(call("2", "2026-03-02", fresh))
    assert _one(archive, "1", "2")


def test_a_letter_names_the_persons_of_the_call_it_cites():
    """An exact name under a number of the same incident is the same person."""
    archive = Archive()
    archive.feed(call("C1", "2026-03-01", P("", "li")))
    archive.feed(record("L1", "admonition_issued", "2026-03-03", P("alleged", "li", "L1"), related=("C1",)))
    assert _one(archive, "C1", "L1")


def test_two_valid_numbers_never_merge():
    """A mention that two numbered persons could be is its own person and goes to review with both."""
    archive = Archive()
    archive.feed(call("1", "2026-03-01", P("", "li", "L1", "138")), call("2", "2026-03-01", P("", "li", "L2", "138")))
    placing = archive.feed(call("3", "2026-03-02", P("", "li", phone="138")))
    persons = _persons(archive)
    assert len({persons[no][0] for no in "123"}) == 3
    (review,) = [r for r in placing.reviews if r.key.no == "3"]
    assert (review.why, set(review.candidates)) == ("ambiguous", {persons["1"][0], persons["2"][0]})


def test_the_other_sex_is_another_person():
    """Sex differing vetoes a join by name and phone."""
    archive = Archive()
    archive.feed(call("1", "2026-03-01", P("", "li", "L1", "138", sex="male")))
    archive.feed(call("2", "2026-03-02", P("", "li", phone="138", sex="female")))
    assert not _one(archive, "1", "2")


def test_someone_of_unstated_sex_between_a_man_and_a_woman_is_ambiguous():
    """Who could be either of two persons is neither by itself."""
    archive = Archive()
    placing = archive.feed(
        call("1", "2026-03-01", P("", "li", phone="138", sex="male")),
        call("2", "2026-03-01", P("", "li", phone="138", sex="female")),
        call("3", "2026-03-01", P("", "li", phone="138")),
    )
    assert len({p[0] for p in _persons(archive).values()}) == 3
    assert [(r.key.no, r.why) for r in placing.reviews if r.why == "ambiguous"] == [("3", "ambiguous")]


def test_both_sides_of_one_record_are_two_persons():
    """A caller's name and phone typed into both blocks does not make the couple one person."""
    archive = Archive()
    archive.feed(call("1", "2026-03-01", P("", "li", phone="138"), P("", "li", phone="138")))
    assert len(set(_persons(archive)["1"])) == 2


def test_a_victim_named_beside_the_parties_is_one_of_them():
    """In a mediation the victim block repeats one of the two parties."""
    archive = Archive()
    archive.feed(record("M1", "mediation", "2026-03-01", P("party_a", "li"), P("party_b", "wang"), P("victim", "wang")))
    a, b, victim = _persons(archive)["M1"]
    assert victim == b != a


def test_a_borrowed_card_goes_to_review():
    """One number with two birth dates and two sexes stays one person, and somebody looks at it."""
    archive = Archive()
    placing = archive.feed(
        call("1", "2026-03-01", P("", "li", "L1", born=date(1980, 1, 1), sex="male")),
        call("2", "2026-03-02", P("", "wang", "L1", born=date(1990, 1, 1), sex="female")),
    )
    assert _one(archive, "1", "2")
    assert {(r.key.no, r.why) for r in placing.reviews} == {("1", "borrowed_card"), ("2", "borrowed_card")}


def test_a_value_of_very_many_persons_names_nobody():
    """More different numbers than the limit behind one name and phone: the value is ignored, without review."""
    archive = Archive()
    many = [call(f"N{i}", "2026-03-01", P("", "x", f"X{i}", "000")) for i in range(GENERIC + 1)]
    placing = archive.feed(
        *many, call("1", "2026-03-01", P("", "x", phone="000")), call("2", "2026-03-01", P("", "x", phone="000"))
    )
    assert not _one(archive, "1", "2")
    assert placing.reviews == ()


def test_a_phone_or_a_masked_number_only_makes_candidates():
    """A shared phone speaks for review, never for the same person; people of one record are no candidates of each other."""
    together = Archive()
    placing = together.feed(
        call("1", "2026-03-01", P("", "li", "L1", "138", masked="3101")),
        call("2", "2026-03-02", P("", "wang", phone="138"), P("", "zhao", phone="138")),
        call("3", "2026-03-02", P("", "", masked="3101")),
    )
    assert not _one(together, "1", "2")
    assert {(r.key.no, r.idx, r.why) for r in placing.reviews} == {
        ("2", 0, "phone"),
        ("2", 1, "phone"),
        ("3", 0, "masked"),
    }


def test_a_person_found_by_number_later_keeps_the_number_that_is_known():
    """An anonymous person who turns out to be a known one is an alias of that one."""
    archive = Archive()
    archive.feed(call("1", "2026-03-01", P("", "", "L1")))
    archive.feed(call("2", "2026-03-02", P("", "li", phone="138")))
    known, anonymous = (_persons(archive)[no][0] for no in "12")
    placing = archive.feed(call("2", "2026-03-02", P("", "li", "L1", "138")))
    assert placing.aliases == {anonymous: known}
    assert _one(archive, "1", "2")
