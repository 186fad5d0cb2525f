"""`hub identity accept | reject | merge | split | undo`: decisions with person and reason, told, judged, undone exactly."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import District
from tests.cli.test_decisions import worker
from tests.cli.test_queue import family
from tests.end_to_end.story import CHILD, COMMUNITY, HUSBAND, WIFE
from tests.end_to_end.story import call as police_call

AT = "2026-10-03 20:00:00"
WHY = ("--reason", "电话核实", "--by", "F1")


def complaint(no: str, **fields: str) -> dict[str, Any]:
    return {
        "complaint_no": no, "at": "2026-11-01 10:00:00", "updated_at": "2026-11-01 10:00:00", "kind": "2", "violence": "1",
        "relation": "配偶", "community_code": COMMUNITY, **fields,
    }  # fmt: skip


@pytest.fixture
def doubtful(district: District) -> District:
    """A red family of the register, and a complaint of somebody with the wife's telephone and half a name."""
    district.ingest("womens_federation", "worker", worker("F1", "区妇联"))
    district.ingest("community_grid", "household", *family("H1", AT, HUSBAND, WIFE, CHILD))
    district.ingest("police", "incident", police_call("J1", AT, intensity="2"))
    district.ingest(
        "womens_federation",
        "complaint",
        complaint("C1", victim_name="苏某", victim_phone=WIFE.phone, abuser_name="林某"),
    )
    return district


def homes(district: District) -> dict[str, str]:
    return {row["household"]: row["light"] for row in district("households", "list", "--json").json}


def placed(district: District) -> dict[str, Any]:
    """Everything the archive says about who and where: what an undo must give back."""
    lines = district("export", "events", "--jsonl", "-").out.splitlines()
    events = [line for line in lines if json.loads(line)["unit"] != "station"]
    return {"homes": homes(district), "events": events, "review": district("identity", "review", "--json").json}


def test_accept_moves_the_record_and_undo_gives_everything_back(doubtful: District) -> None:
    """One household and one person less; after the undo the same ids, lights, events and open item as before."""
    before = placed(doubtful)
    (item,) = before["review"]
    (no,) = doubtful("identity", "accept", item["id"], *WHY, "--json").json["decisions"]

    assert list(homes(doubtful).values()) == ["red"]
    assert doubtful("identity", "review", "--json").json == []
    told = doubtful("households", "explain", "H1", "--json").json
    assert [(d["no"], d["act"], d["by"]) for d in told["identity_decisions"]] == [(no, "accept", "F1")]
    assert "C1" in {event["key"] for concern in told["concerns"] for event in concern["events"]}
    assert "人工认定" in doubtful("households", "explain", "H1").out
    (row,) = doubtful("identity", "decisions", "--json").json
    assert (row["reason"], row["record"], row["unit"]) == (
        "电话核实",
        "womens_federation.complaint/C1",
        "womens_federation",
    )

    assert doubtful("identity", "undo", no, "--by", "F1").code == 0
    assert placed(doubtful) == before
    assert doubtful("identity", "decisions", "--json").json == []
    assert doubtful("identity", "undo", no, "--by", "F1").code == 2


def test_reject_keeps_them_apart_for_good(doubtful: District) -> None:
    """The item is answered; a newer version of the record asks no more, and the households stay two."""
    (item,) = doubtful("identity", "review", "--json").json
    assert doubtful("identity", "reject", item["id"], *WHY).code == 0
    doubtful.ingest("womens_federation", "complaint", complaint(
        "C1", victim_name="苏某", victim_phone=WIFE.phone, abuser_name="林某", violence="2", updated_at="2026-11-02 10:00:00",
    ) | {"updated_at": "2026-11-02 10:00:00"})  # fmt: skip

    assert doubtful("identity", "review", "--json").json == []
    assert len(homes(doubtful)) == 2


def test_two_households_are_merged_and_parted_again(doubtful: District) -> None:
    """Duties of the household that is merged keep their numbers; after the undo the same households stand."""
    other = next(name for name, light in homes(doubtful).items() if light == "orange")
    before = placed(doubtful)
    moving = {d["duty_no"] for d in doubtful("duties", "list", "--json").json if d["household"] == other}
    assert moving
    (no,) = doubtful("identity", "merge", "H1", other, *WHY, "--json").json["decisions"]

    assert list(homes(doubtful).values()) == ["red"]
    assert moving & {d["duty_no"] for d in doubtful("duties", "list", "--all", "--json").json}
    assert doubtful("identity", "decisions", "--json").json[0]["what"] == "home"
    assert doubtful("identity", "undo", no, "--by", "F1").code == 0
    assert placed(doubtful)["homes"] == before["homes"]
    assert placed(doubtful)["events"] == before["events"]


def test_what_was_decided_about_a_household_goes_and_comes_with_it(doubtful: District) -> None:
    """A light that people hold up, and what a family objects to, follow into the merged household and return by undo."""
    other = next(name for name, light in homes(doubtful).items() if light == "orange")
    held = (
        "households",
        "override",
        other,
        "--light",
        "red",
        "--reason",
        "危险",
        "--until",
        "2027-01-31",
        "--by",
        "F1",
    )
    assert doubtful(*held).code == 0
    assert (
        doubtful("households", "objection", other, "--about", "light", "--statement", "不属实", "--by", "F1").code == 0
    )
    (no,) = doubtful("identity", "merge", "H1", other, *WHY, "--json").json["decisions"]
    assert [len(said(doubtful, "H1", what)) for what in ("overrides", "objections")] == [1, 1]
    assert doubtful("identity", "undo", no, "--by", "F1").code == 0

    assert [len(said(doubtful, "H1", what)) for what in ("overrides", "objections")] == [0, 0]
    assert [len(said(doubtful, other, what)) for what in ("overrides", "objections")] == [1, 1]
    assert homes(doubtful)[other] == "red"


def said(district: District, household: str, what: str) -> list[Any]:
    return list(district("households", "explain", household, "--json").json[what])


def test_a_borrowed_card_is_split_off(doubtful: District) -> None:
    """The record of somebody who used another's card stands alone, is judged alone, and goes back by undo."""
    (no,) = doubtful("identity", "split", "police.incident/J1", "--position", "1", *WHY, "--json").json["decisions"]
    told = doubtful("households", "explain", "H1", "--json").json

    assert [d["act"] for d in told["identity_decisions"]] == ["split"]
    assert doubtful("identity", "undo", no, "--by", "F1").code == 0
    assert doubtful("households", "explain", "H1", "--json").json["light"] == "red"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("merge", "H1", "nobody", *WHY), "identity.unknown"),
        (("merge", "H1", "H1", *WHY), "identity.one"),
        (("merge", "H1", "H2", *WHY), "identity.registered"),
        (("accept", "nothing", *WHY), "identity.item"),
        (("split", "police.incident/J9", *WHY), "identity.unknown"),
        (("split", "J9", *WHY), "identity.unknown"),
        (("merge", "H1", "H2", "--reason", "x", "--by", "F9"), "identity.registered"),
        (("split", "police.incident/J1", "--reason", "x", "--by", "F9"), "act.nameless"),
        (("split", "police.incident/J1", "--reason", " ", "--by", "F1"), "act.reason"),
        (("undo", "ID-0", "--by", "F1"), "identity.decision"),
    ],
)
def test_what_cannot_be_ruled_is_refused(doubtful: District, arguments: tuple[str, ...], code: str) -> None:
    """Each refusal has its code, exit code 2, and changes nothing."""
    doubtful.ingest("community_grid", "household", *family("H2", AT, *_others()))
    told = doubtful("identity", *arguments, "--json")

    assert (told.code, told.json["error"]["code"]) == (2, code)
    assert doubtful("identity", "decisions", "--json").json == []


def test_two_valid_numbers_are_two_persons(doubtful: District) -> None:
    """Nobody can rule that the husband is the wife."""
    members = doubtful("households", "show", "H1", "--json").json["members"]
    told = doubtful("identity", "merge", members[0]["person"], members[1]["person"], *WHY, "--json")

    assert (told.code, told.json["error"]["code"]) == (2, "identity.numbers")


def test_what_was_accepted_can_be_split_off_again(doubtful: District) -> None:
    """The newer decision holds: the record stands apart, and the older one stays on record."""
    (item,) = doubtful("identity", "review", "--json").json
    doubtful("identity", "accept", item["id"], *WHY)
    assert list(homes(doubtful).values()) == ["red"]
    assert doubtful("identity", "split", "womens_federation.complaint/C1", *WHY).code == 0

    assert sorted(homes(doubtful).values()) == ["orange", "red"]
    assert len(doubtful("identity", "decisions", "--json").json) == 2


def test_a_ruling_leaves_other_questions_open(doubtful: District) -> None:
    """What was asked about one person of a record is still asked after somebody ruled about another of it."""
    (item,) = doubtful("identity", "review", "--json").json
    doubtful("identity", "split", "womens_federation.complaint/C1", "--position", str(1 - item["position"]), *WHY)

    assert item["id"] in {row["id"] for row in doubtful("identity", "review", "--json").json}


def test_a_merge_outlives_the_record_it_was_said_by(doubtful: District) -> None:
    """Two persons are one, whichever record named them first: a later one of the same person still counts there."""
    for no in ("C2", "C3"):
        doubtful.ingest(
            "womens_federation", "complaint", complaint(no, victim_name="苏大妹", victim_phone="13912340001")
        )
    other = next(home for home in homes(doubtful) if "C3" in keys(doubtful, home))
    assert doubtful("identity", "merge", person(doubtful, other), person(doubtful, "H1"), *WHY).code == 0
    assert {"C2", "C3"} <= keys(doubtful, "H1")
    doubtful.ingest(
        "womens_federation", "complaint", complaint("C2") | {"deleted": "1", "updated_at": "2026-11-03 10:00:00"}
    )

    assert "C3" in keys(doubtful, "H1")


def keys(district: District, household: str) -> set[str]:
    told = district("households", "explain", household, "--json").json
    return {event["key"] for concern in told["concerns"] for event in concern["events"]}


def person(district: District, household: str) -> str:
    """The first who is known there."""
    return str(district("households", "show", household, "--json").json["members"][0]["person"])


def test_whose_card_it_is_not_can_be_said_after_the_split(doubtful: District) -> None:
    """A person split off from a borrowed card has no number of theirs, and may be merged with whoever they are."""
    doubtful.ingest("community_grid", "household", *family("H2", AT, *_others()))
    doubtful.ingest("womens_federation", "complaint", complaint(
        "C2", victim_name="苏大妹", victim_id_number=WIFE.id_number))  # fmt: skip
    doubtful("identity", "split", "womens_federation.complaint/C2", *WHY)
    other = next(home for home in homes(doubtful) if "C2" in keys(doubtful, home))

    assert doubtful("identity", "merge", person(doubtful, other), person(doubtful, "H2"), *WHY).code == 0
    assert "C2" in keys(doubtful, "H2")


def test_a_household_given_back_is_nobody_elses(district: District) -> None:
    """What an undo gives back is no longer shared with the stranger who has come to bear it meanwhile."""
    district.ingest("womens_federation", "worker", worker("F1", "区妇联"))
    for no in ("C1", "C2"):
        district.ingest(
            "womens_federation", "complaint", complaint(no, victim_name="苏大妹", victim_phone="13912340001")
        )
    (no,) = district("identity", "split", "womens_federation.complaint/C2", *WHY, "--json").json["decisions"]
    district.ingest("womens_federation", "complaint", complaint("C1", victim_name="苏大妹", victim_phone="13912340002") | {
        "updated_at": "2026-11-02 10:00:00"})  # fmt: skip
    assert district("identity", "undo", no, "--by", "F1").code == 0

    assert list(homes(district).values()) == ["orange", "orange"]


def _others() -> tuple[Any, ...]:
    from tests.end_to_end.story import OTHER_MAN, OTHER_WOMAN

    return OTHER_MAN, OTHER_WOMAN
