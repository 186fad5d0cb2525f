"""Which records are one incident (A6), and what a forensic result corrects (S17)."""

from __future__ import annotations

from hub.core.incident import amend, incidents
from tests.core.light_cases import event


def groups(*rows: str) -> list[str]:
    found = incidents(sorted((event(row) for row in rows), key=lambda e: (e.at, e.key)))
    return ["+".join(e.key.no for e in group) for group in found]


def test_without_a_linking_number_never() -> None:
    """Same people, same hour, no number: two incidents."""
    assert groups("2026-03-01T10:00 police.incident J1", "2026-03-01T10:00 health.treatment H1") == ["H1", "J1"]


def test_a_number_links_within_24_hours() -> None:
    """A link by ``related_no`` holds for 24 hours, not longer."""
    near = groups("2026-03-01T10:00 police.incident J1", "2026-03-02T10:00 health.treatment H1 ~J1")
    far = groups("2026-03-01T10:00 police.incident J1", "2026-03-02T10:01 health.treatment H1 ~J1")

    assert near == ["J1+H1"]
    assert far == ["J1", "H1"]


def test_a_letter_is_linked_to_its_call_for_good() -> None:
    """接警编号 of a letter, penalty or forensic result has no time limit."""
    assert groups(
        "2026-03-01 police.incident J1", "2026-05-01 police.admonition G1 ~J1", "2026-06-01 police.penalty P1 ~J1"
    ) == ["J1+G1+P1"]


def test_two_that_name_the_same_third_number_are_linked() -> None:
    """Also when the third record itself never came."""
    assert groups(
        "2026-03-01T10:00 education.concern K1 victim=3 ~J9", "2026-03-01T12:00 health.treatment H1 victim=3 ~J9"
    ) == ["K1+H1"]


def test_different_victims_are_different_incidents() -> None:
    """The victim is the same, or unknown in one; an unknown one joins the first it is linked with."""
    assert groups(
        "2026-03-01T10:00 education.concern K1 victim=3", "2026-03-01T12:00 health.treatment H1 victim=1 ~K1"
    ) == ["K1", "H1"]
    assert groups(
        "2026-03-01T09:00 police.incident J1",
        "2026-03-01T10:00 education.concern K1 victim=3 ~J1",
        "2026-03-01T12:00 health.treatment H1 victim=1 ~J1",
    ) == ["J1+K1", "H1"]


def test_forensic_injury_corrects_its_call_in_either_order() -> None:
    """An injury above none becomes the call's; none corrects nothing; another call keeps its own."""
    call = event("2026-03-01 police.incident J1 injury=none")
    other = event("2026-03-01 police.incident J2 injury=none")
    result = event("2026-03-08 justice.forensic F1 injury=minor ~J1")
    none = event("2026-03-08 justice.forensic F2 injury=none ~J2")

    for order in ([call, other, result, none], [result, none, other, call]):
        corrected = {e.key.no: e.facts.get("injury") for e in amend(order)}
        assert (corrected["J1"], corrected["J2"]) == ("minor", "none")
