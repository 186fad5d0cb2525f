"""What is not ours: the table of rejected rows (policy, "What opens what", and S14)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from hub.core.normalise import normalise
from hub.core.problems import PROBLEMS
from hub.core.records import SHANGHAI, Draft, Key, Person, Problem

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=SHANGHAI)
CHILD = Person("victim", "小明", born="2016-05-01")
GROWN = Person("victim", "方晓岚", born="1986-09-03")


def taken(
    kind: str,
    facts: dict[str, Any],
    *persons: Person,
    deleted: object = "",
    related: tuple[str, ...] = (),
    **texts: str,
) -> str:
    """``ours``, or the code by which the row is rejected."""
    raw = Draft(1, Key("x", "s", "N1"), kind, "2026-11-02", deleted, facts, persons, related, texts, b"{}")
    done = normalise(raw, received_at=NOW, lenient=kind == "treatment_recorded")
    if isinstance(done, Draft):
        return "ours"
    assert done.rejected
    assert done.code in PROBLEMS
    assert isinstance(done.draft, Draft)
    assert done.original == b""
    return done.code


@pytest.mark.parametrize(("category", "relation", "expected"), [
    ("1", "", "ours"), ("2", "", "ours"), ("2", "99", "ours"),
    ("3", "", "not_ours.neighbours"), ("3", "99", "not_ours.neighbours"), ("9", "", "not_ours.other_call"), ("9", "邻居", "not_ours.other_call"),
    ("3", "配偶", "ours"), ("9", "前配偶", "ours"), ("9", "同居", "ours"), ("9", "51", "ours"),
])  # fmt: skip
def test_calls(category: str, relation: str, expected: str) -> None:
    """Calls among neighbours and other calls only where the row itself states a family or cohabitation relation."""
    assert taken("police_call", {"called_at": "2026-11-01", "category": category, "relation": relation}) == expected


@pytest.mark.parametrize(("kind", "expected"), [("1", "ours"), ("", "ours"), ("2", "not_ours.harassment_letter")])
def test_letters(kind: str, expected: str) -> None:
    """A letter for sexual harassment is not ours."""
    assert taken("admonition_issued", {"issued_on": "2026-11-01", "kind": kind}) == expected


@pytest.mark.parametrize(("domestic", "relation", "expected"), [
    ("是", "", "ours"), ("是", "99", "ours"), ("否", "配偶", "not_ours.not_domestic"), ("", "配偶", "ours"),
    ("", "前配偶", "ours"), ("", "99", "not_ours.not_domestic"), ("", "", "not_ours.not_domestic"),
])  # fmt: skip
def test_penalties(domestic: str, relation: str, expected: str) -> None:
    """An unknown field counts with a family relation, and only then (S14)."""
    facts = {"decided_on": "2026-11-01", "domestic_violence": domestic, "relation": relation}
    assert taken("security_penalty", facts) == expected


@pytest.mark.parametrize(("within", "relation", "expected"), [
    ("是", "", "ours"), ("否", "配偶", "not_ours.outside_family"), ("", "配偶", "ours"), ("", "99", "not_ours.outside_family"), ("", "", "ours"),
])  # fmt: skip
def test_criminal_cases(within: str, relation: str, expected: str) -> None:
    """Within the family by its field, else by the relation; both empty counts."""
    assert (
        taken("criminal_case_filed", {"filed_on": "2026-11-01", "within_family": within, "relation": relation})
        == expected
    )


@pytest.mark.parametrize(("facts", "person", "text", "expected"), [
    ({"violence_suspected": "是"}, GROWN, "", "ours"),
    ({"harm_suspected": "1"}, GROWN, "", "ours"),
    ({"icd10": "T74.1", "violence_suspected": "否"}, GROWN, "", "ours"),
    ({"icd10": "S00.1;y07.0"}, GROWN, "", "ours"),
    ({"situation": "4"}, GROWN, "", "ours"),
    ({"injury": "1", "relation": "配偶"}, GROWN, "", "ours"),
    ({"injury": "1"}, GROWN, "", "not_ours.not_needed"),
    ({"injury": "0", "relation": "配偶"}, GROWN, "", "not_ours.not_needed"),
    ({"icd10": "J00"}, CHILD, "", "not_ours.not_needed"),
    ({"icd10": "S00.1"}, CHILD, "面部挫伤", "ours"),
    ({"icd10": "S00.1"}, CHILD, "未见挫伤", "not_ours.not_needed"),
    ({"icd10": "S00.1"}, GROWN, "面部挫伤", "not_ours.not_needed"),
    ({"icd10": "S00.1"}, GROWN._replace(capacity="限制"), "面部挫伤", "ours"),
])  # fmt: skip
def test_treatments(facts: dict[str, Any], person: Person, text: str, expected: str) -> None:
    """Kept: any suspicion, maltreatment codes, any situation, family injuries, a minor's row with words of the list."""
    assert taken("treatment_recorded", {"at": "2026-11-01", **facts}, person, diagnosis=text) == expected


def test_treatment_of_an_incident_with_a_number_is_kept() -> None:
    """An injury that cites an incident's number belongs to it."""
    assert taken("treatment_recorded", {"injury": "1"}, GROWN, related=("JJ1",)) == "ours"


def test_a_retraction_is_always_ours() -> None:
    """A retraction of a row is taken whatever the row was."""
    assert taken("police_call", {"category": "3"}, deleted="1") == "ours"


def test_rejected_rows_keep_what_the_archive_needs() -> None:
    """Key, time and content for the digest are in the clean draft of the problem."""
    raw = Draft(
        3,
        Key("police", "incident", "N9"),
        "police_call",
        "2026-11-02",
        "",
        {"called_at": "2026-11-01", "category": "3"},
        (),
        (),
        {},
        b"{}",
    )
    done = normalise(raw, received_at=NOW)
    assert isinstance(done, Problem)
    assert done.draft is not None
    assert (done.row, done.key, done.draft.updated_at) == (3, raw.key, datetime(2026, 11, 2, tzinfo=SHANGHAI))
