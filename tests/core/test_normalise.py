"""Drafts become clean drafts, or one problem that says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.normalise import normalise
from hub.core.problems import PROBLEMS
from hub.core.records import SHANGHAI, Draft, Key, Person, Problem
from hub.core.words import KINDS

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=SHANGHAI)
GOOD_ID = "11010519491231002X"
CHILD_ID = "110105201512310015"
RUINED = "310101199001011000"
CALL = {"called_at": "2026-11-01 20:31:00", "category": "2"}


def draft(kind: str, facts: Mapping[str, Any], *persons: Person, unit: str = "police", **changes: Any) -> Draft:
    """A raw draft of a kind."""
    made = Draft(1, Key(unit, "stream", "N1"), kind, "2026-11-02 08:00:00", "", facts, persons, (), {}, b"{}")
    return made._replace(**changes)


def clean(raw: Draft, *, lenient: bool = False) -> Draft:
    """The clean draft; the row must pass."""
    done = normalise(raw, received_at=NOW, lenient=lenient)
    assert isinstance(done, Draft), done.code
    return done


def problem(raw: Draft, *, lenient: bool = False) -> Problem:
    """The problem; the row must not pass."""
    done = normalise(raw, received_at=NOW, lenient=lenient)
    assert isinstance(done, Problem)
    assert done.code in PROBLEMS
    assert done.remedy
    return done


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """An instant of November 2026."""
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)


def test_a_call_is_read_whole() -> None:
    """Raw cells become typed facts; what the kind does not declare is dropped."""
    facts = {
        **CALL,
        "intensity": "激烈",
        "weapon": "无",
        "injury": "无",
        "relation": "10",
        "secret_column": "x",
        "excessive_act": "",
    }
    done = clean(
        draft(
            "police_call",
            facts,
            Person("party_a", " 张 三 ", phone="139-0000-0101", sex="男"),
            related=("J1；J2", "N1"),
        )
    )
    assert done.facts == {
        "called_at": at(1, 20, 31), "category": "domestic_violence", "intensity": "fierce", "weapon": False,
        "injury": "none", "relation": "spouse",
    }  # fmt: skip
    assert done.persons == (Person("party_a", "张三", phone="13900000101", sex="male"),)
    assert (done.updated_at, done.deleted, done.at, done.related, done.issues) == (
        at(2, 8),
        False,
        at(1, 20, 31),
        ("J1", "J2"),
        (),
    )


@pytest.mark.parametrize(
    ("occurred", "expected"),
    [
        ("2026-11-01 20:00:00", at(1, 20)),
        ("2026-11-01 21:00:00", at(1, 20, 31)),
        ("", at(1, 20, 31)),
        ("2026-11-01", at(1)),
    ],
)
def test_event_time_of_a_call(occurred: str, expected: datetime) -> None:
    """When it occurred, else when it was called; occurred later than called is a slip (S3)."""
    assert clean(draft("police_call", {**CALL, "occurred_at": occurred})).at == expected


def test_event_time_is_never_the_update_where_a_business_time_exists() -> None:
    """A letter's time is its own date; a register row without dates has only its update."""
    assert clean(draft("admonition_issued", {"issued_on": "2026-10-05"})).at == datetime(2026, 10, 5, tzinfo=SHANGHAI)
    assert clean(draft("special_household", {"category": "orphan"}, Person("subject", "李四"))).at == at(2, 8)


def test_empty_update_is_the_time_received() -> None:
    """Without ``updated_at`` a version is as new as its arrival (S4)."""
    assert clean(draft("police_call", CALL, updated_at=None)).updated_at == NOW
    assert clean(draft("police_call", CALL, updated_at="无")).updated_at == NOW


@pytest.mark.parametrize("no", ["", "无", "x" * 129, "a\x01b", None])
@pytest.mark.parametrize("lenient", [True, False])
def test_without_its_key_no_row_passes(no: Any, lenient: bool) -> None:
    """The key is what a record is; missing or damaged it is quarantined everywhere."""
    raw = draft("police_call", CALL, key=Key("police", "incident", no))
    found = problem(raw, lenient=lenient)
    assert found.code.startswith("key.")
    assert found.key is None


def test_half_a_composite_key_is_none() -> None:
    """A member's number without its household's is no key."""
    raw = draft(
        "household_member",
        {"household_no": "H1"},
        Person("member", "张三"),
        key=Key("community_grid", "household", "H1/"),
    )
    assert problem(raw).code == "key.missing"


def test_unknown_kind() -> None:
    """A kind that the hub does not know is the connector's mistake."""
    assert problem(draft("moon_phase", {})).code == "kind.unknown"


STRICT = [
    ("police_call", {**CALL, "intensity": "7"}, "code.unknown", "intensity"),
    ("police_call", {**CALL, "weapon": "也许"}, "code.unknown", "weapon"),
    ("police_call", {**CALL, "called_at": "昨天"}, "date.invalid", "called_at"),
    ("police_call", {**CALL, "called_at": "2026-11-22 12:00:01"}, "date.future", "called_at"),
    ("police_call", {"category": "2"}, "field.missing", "called_at"),
    ("police_call", {"called_at": "2026-11-01"}, "field.missing", "category"),
    (
        "protection_order",
        {"result": "2", "decided_on": "2026-11-10", "valid_until": "2026-11-09"},
        "date.order",
        "valid_until",
    ),
    (
        "protection_order",
        {"result": "2", "decided_on": "2026-11-10", "valid_months": "半年"},
        "count.invalid",
        "valid_months",
    ),
    ("divorce_suit", {"stage": "4", "filed_on": "2026-11-10", "closed_on": "2026-11-09"}, "date.order", "closed_on"),
    ("admonition_issued", {"issued_on": "2026-11-10", "community": "3.10101E+11"}, "value.ruined", "community_code"),
    ("household_member", {"household_no": "H1"}, "person.none", "member_name"),
]


@pytest.mark.parametrize(("kind", "facts", "code", "field"), STRICT)
def test_bad_field_in_a_strict_stream(kind: str, facts: dict[str, Any], code: str, field: str) -> None:
    """Elsewhere than in M streams a bad field holds the row back, with code, field and remedy."""
    found = problem(draft(kind, facts))
    assert (found.code, found.field, found.rejected) == (code, field, False)


@pytest.mark.parametrize(("kind", "facts", "code", "field"), STRICT)
def test_bad_field_in_a_lenient_stream_is_applied_empty(
    kind: str, facts: dict[str, Any], code: str, field: str
) -> None:
    """In a stream with a report rule the same rows are applied, each with its issue: lights and reports first (S23)."""
    done = clean(draft(kind, facts), lenient=True)
    assert (code, field) in done.issues
    assert {"community_code": "community"}.get(field, field) not in done.facts


@pytest.mark.parametrize(
    ("kind", "fact"),
    [("concern_found", "kind"), ("concern_found", "situation"), ("complaint_received", "violence"), ("visit_recorded", "finding"),
     ("danger_assessed", "score"), ("treatment_recorded", "violence_suspected"), ("mediation", "sexual_assault_suspected")],
)  # fmt: skip
def test_unreadable_suspicion_is_held_back_everywhere(kind: str, fact: str) -> None:
    """Whether somebody suspects harm is never guessed: unreadable, it is quarantined also in an M stream (S23)."""
    found = problem(draft(kind, {fact: "说不清"}, unit="education"), lenient=True)
    assert (found.code in ("code.unknown", "count.invalid"), found.field) == (True, fact)


def test_bad_times_of_a_lenient_row_fall_back() -> None:
    """A bad date, or one more than 24 h ahead, becomes the update's; that bad too, the time received (S23)."""
    for bad in ("昨天", "2027-01-01"):
        done = clean(draft("concern_found", {"found_at": bad, "kind": "1"}, unit="education"), lenient=True)
        assert (done.at, done.issues[0][1]) == (at(2, 8), "found_at")
    done = clean(
        draft("concern_found", {"found_at": "x", "kind": "1"}, unit="education", updated_at="2030-01-01"), lenient=True
    )
    assert (done.at, done.updated_at) == (NOW, NOW)


def test_a_day_ahead_is_only_a_clock() -> None:
    """Up to 24 hours ahead is taken as it is."""
    assert clean(draft("police_call", {**CALL, "called_at": "2026-11-21 12:00:00"})).at == at(21, 12)


def test_ends_of_states_may_lie_ahead() -> None:
    """An order's end, a stay's end and a category's end may be in the future; their order is checked."""
    done = clean(draft("protection_order", {"result": "2", "decided_on": "2026-11-10", "valid_until": "2027-05-10"}))
    assert done.facts["valid_until"] == date(2027, 5, 10)
    done = clean(draft("protection_order", {"result": "2", "decided_on": "2026-11-10", "valid_until": "2026-11-10"}))
    assert done.facts["valid_until"] == date(2026, 11, 10)


@pytest.mark.parametrize("lenient", [True, False])
def test_retraction_needs_only_its_key(lenient: bool) -> None:
    """Whatever else stands in a retracted row, it is taken (S4)."""
    facts = {"called_at": "昨天", "category": "77"}
    raw = draft(
        "police_call", facts, Person("party_a", "张三", id_number=RUINED, born="x"), deleted="是", updated_at="x"
    )
    done = clean(raw, lenient=lenient)
    assert (done.deleted, done.facts, done.updated_at, done.issues) == (True, {}, NOW, ())
    assert clean(draft("police_call", {}, deleted=1), lenient=lenient).deleted is True


def test_unreadable_deletion_mark() -> None:
    """A deletion mark that says neither is held back in a strict stream."""
    assert problem(draft("police_call", CALL, deleted="也许")).field == "deleted"
    assert clean(draft("concern_found", {"kind": "1"}, deleted="也许"), lenient=True).deleted is False


@pytest.mark.parametrize(("person", "passes"), [
    (Person("alleged", "张三", id_number=RUINED), False),
    (Person("alleged", None, id_number=RUINED), False),
    (Person("alleged", "张某", id_number=RUINED, phone="13900000101"), False),
    (Person("alleged", "张三", id_number=RUINED, phone="13900000101"), True),
    (Person("alleged", "张三", id_number="110105194912310021", born="1949-12-31"), True),
    (Person("alleged", "张三", id_number="3101****0012"), True),
])  # fmt: skip
def test_bad_id_number_in_a_strict_stream(person: Person, passes: bool) -> None:
    """Quarantined only if nothing else identifies that person; a masked number is applied (S23)."""
    raw = draft("admonition_issued", {"issued_on": "2026-11-10"}, person)
    if passes:
        done = clean(raw)
        assert done.persons[0].id_number is None
        assert [field for _, field in done.issues] == ([] if "*" in str(person.id_number) else ["abuser_id_number"])
    else:
        assert (problem(raw).code, problem(raw).field) == ("id_number.ruined", "abuser_id_number")


def test_bad_id_number_in_a_lenient_stream() -> None:
    """Applied without the number, with an issue that names the column."""
    done = clean(
        draft("concern_found", {"kind": "1"}, Person("victim", id_number="3.10101E+17"), unit="education"), lenient=True
    )
    assert done.issues == (("id_number.ruined", "student_id_number"),)
    assert done.persons == (Person("victim"),)


def test_birth_date_and_sex_come_from_a_valid_number() -> None:
    """Where they are not recorded they come from the number; two birth dates: the younger one (S8)."""
    call = draft("police_call", CALL, Person("party_a", "张三", id_number="110105491231002"))
    assert clean(call).persons[0][2:7] == ("111", GOOD_ID, None, "female", date(1949, 12, 31))
    for born in ("1940-01-01", "1949-12-31", "1950-01-01"):
        person = Person("party_a", "张三", id_number=GOOD_ID, born=born)
        assert clean(draft("police_call", CALL, person)).persons[0].born == max(
            date(1949, 12, 31), date.fromisoformat(born)
        )


def test_other_documents_are_kept_with_their_type() -> None:
    """A passport number is kept under its type and not checked."""
    done = clean(draft("police_call", CALL, Person("party_a", "Ann Lee", id_type="护照", id_number="E12345678")))
    assert done.persons[0][2:4] == ("414", "E12345678")


def test_pupil_numbers_with_g_are_id_numbers() -> None:
    """G and an ID number is the pupil's own; J numbers have a valid check character and are none."""
    for student_no, expected in ((f"G{CHILD_ID}", CHILD_ID), (f"J{CHILD_ID}", None), (f"L{CHILD_ID}", None)):
        raw = draft(
            "concern_found", {"kind": "1"}, Person("victim", "小明"), unit="education", texts={"student_no": student_no}
        )
        done = clean(raw, lenient=True)
        assert (done.persons[0].id_number, done.issues) == (expected, ())


def test_phone_that_is_none_never_holds_a_row_back() -> None:
    """A bad telephone number is an issue, in strict streams too."""
    done = clean(draft("police_call", CALL, Person("party_a", "张三", phone="打不通")))
    assert (done.persons[0].phone, done.issues) == (None, (("phone.invalid", "party_a_phone"),))


def test_nobody_is_dropped_and_somebody_stays() -> None:
    """A block of placeholders is nobody; one that states only a capacity is somebody."""
    nobody = Person("party_b", "不详", id_number="无", phone="-", sex="0", address="未知")
    somebody = Person("victim", capacity="限制")
    assert clean(draft("police_call", CALL, nobody, somebody)).persons == (Person("victim", capacity="limited"),)


def test_unknown_role() -> None:
    """A role that nobody declared is the connector's mistake."""
    assert problem(draft("police_call", CALL, Person("bystander", "张三"))).code == "person.role"


def test_shelter_addresses_are_never_kept() -> None:
    """No address on a shelter's row survives, whatever column it came in."""
    done = clean(
        draft("shelter", {"from": "2026-11-01"}, Person("victim", "方晓岚", address="某路1号"), unit="civil_affairs"),
        lenient=True,
    )
    assert done.persons[0].address is None


def test_never_store_is_never_stored() -> None:
    """Fields a manifest forbids are dropped from facts, texts and persons."""
    raw = draft(
        "police_call",
        {**CALL, "injury": "1"},
        Person("party_a", "张三", address="某路1号"),
        texts={"place": "某路", "narrative": "争吵"},
    )
    done = normalise(raw, received_at=NOW, never_store=frozenset({"address", "place", "injury"}))
    assert isinstance(done, Draft)
    assert (done.persons[0].address, done.texts, done.facts.get("injury")) == (None, {"narrative": "争吵"}, None)


def test_codes_of_streams_that_number_their_own_way() -> None:
    """Complaint code 2 is violence for the women's federation and sexual assault for the youth league."""
    for unit, word in (("womens_federation", "domestic_violence"), ("youth_league", "sexual_assault")):
        assert clean(draft("complaint_received", {"kind": "2"}, unit=unit), lenient=True).facts == {"kind": word}


WILD = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.integers(),
    st.booleans(),
    st.floats(),
    st.lists(st.text(max_size=3), max_size=2),
)


@given(st.data())
def test_any_row_gets_an_answer(data: st.DataObject) -> None:
    """Whatever stands in the cells, there is a clean draft or a problem, never an exception and never a value in words."""
    kind = data.draw(st.sampled_from(sorted(KINDS)))
    facts = {name: data.draw(WILD) for name in KINDS[kind].facts}
    role = data.draw(st.sampled_from(["victim", "alleged", "party_a", "subject", "member", "nobody"]))
    canary = data.draw(st.text("甲乙丙丁", min_size=8, max_size=9))
    person = Person(
        role, canary, *(data.draw(WILD) for _ in range(3)), data.draw(WILD), data.draw(WILD), data.draw(WILD), canary
    )
    raw = draft(
        kind,
        {**facts, "mystery": canary},
        person,
        updated_at=data.draw(WILD),
        deleted=data.draw(WILD),
        texts={"narrative": canary},
    )
    for lenient in (True, False):
        done = normalise(raw, received_at=NOW, lenient=lenient)
        if isinstance(done, Problem):
            assert canary not in done.remedy + done.field + done.code
        else:
            assert done.at is not None
            again = normalise(done, received_at=NOW, lenient=lenient)
            assert isinstance(again, Problem) or again.facts == done.facts
