"""A household's file: by category at home, sealed for another district, taken there as history, custody until accepted."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import District
from tests.end_to_end.story import CHILD, COMMUNITY, HUSBAND, WIFE, between
from tests.end_to_end.story import call as police_call

AT = "2026-03-01 20:00:00"


@pytest.fixture
def other(enabled_once: Path, tmp_path: Path) -> District:
    """Another district's hub: its own keys, its own archive."""
    shutil.copytree(enabled_once, tmp_path / "other")
    return District(tmp_path / "other")


@pytest.fixture
def family(district: District, tmp_path: Path) -> tuple[District, str, str]:
    """A red household with a child, a category, a visit and a teacher's concern; and a file with a passphrase."""
    district.ingest("police", "incident", police_call("J1", AT, intensity="2"))
    district.ingest("education", "concern", {
        "concern_no": "E1", "found_at": AT, "updated_at": AT, "kind": "1", "community_code": COMMUNITY,
        "reporter_name": "程老师", "reporter_phone": "13611112222", "narrative": "手臂有淤青",
        **CHILD.block("student"), **WIFE.block("guardian"), "relation": "子女",
    })  # fmt: skip
    district.ingest("civil_affairs", "special_household", {
        "register_no": "T1", "category": "left_behind_child", "from": "2026-01-01", "updated_at": AT,
        "community_code": COMMUNITY, **CHILD.block("person"),
    })  # fmt: skip
    district.ingest(
        "community_grid", "visit", between("visit_no", "V1", "2026-03-02", at="2026-03-02", mode="1", finding="1")
    )
    secret = tmp_path / "passphrase"
    secret.write_text("一句只由电话告知的口令\n", encoding="utf-8")
    rows = district("households", "list", "--light", "red", "--json").json
    return district, rows[0]["household"], str(secret)


def file_of(district: District, household: str) -> dict[str, Any]:
    return dict(district("households", "file", household, "--json").json)


def test_the_file_by_category(family: tuple[District, str, str]) -> None:
    """Members, categories with evidence, lights over time, duties, timeline: all in one place, the reporter nowhere."""
    district, household, _ = family
    told = file_of(district, household)

    assert {m["name"] for m in told["members"]} >= {HUSBAND.name, WIFE.name}
    assert told["lights"][0]["light"] == "red"
    assert {e["key"] for e in told["timeline"]} >= {"J1", "V1"}
    assert "D2" in {d["what"] for d in told["duties"]}
    assert "程老师" not in str(told)
    assert HUSBAND.name in district("households", "file", household).out
    child = next(
        row
        for row in district("households", "list", "--json").json
        if file_of(district, row["household"])["categories"]
    )
    (category,) = file_of(district, child["household"])["categories"]
    assert (category["category"], category["evidence"]["key"]) == ("left_behind_child", "T1")


def test_custody_stays_until_the_code_comes_back(
    family: tuple[District, str, str], other: District, tmp_path: Path
) -> None:
    """Offered: duties go on. Taken there: same light, nothing sent. Accepted by the code: open duties end here."""
    district, household, secret = family
    target = tmp_path / "family.hub"
    made = district(
        "households",
        "export",
        household,
        "--to",
        str(target),
        "--receiver",
        "邻区",
        "--passphrase-file",
        secret,
        "--json",
    )
    assert made.json["left_behind"] == []
    for hidden in (HUSBAND.name, "13611112222", "程老师"):
        assert hidden.encode() not in target.read_bytes()

    def open_duties(of: District) -> set[str]:
        return {d["duty"] for d in of("duties", "list", "--json").json if d["household"] == household}

    assert file_of(district, household)["custody"]["state"] == "offered"
    before = open_duties(district)
    assert "D2" in before

    taken = other("households", "import", str(target), "--passphrase-file", secret, "--json").json
    assert (taken["applied"], taken["not_taken"], taken["quarantined"]) == (made.json["rows"], [], 0)
    theirs = file_of(other, taken["households"][0])
    assert (theirs["light"], theirs["custody"]["state"]) == ("red", "taken")
    assert [s["light"] for s in theirs["lights"]] == [s["light"] for s in file_of(district, household)["lights"]]
    assert other("duties", "list", "--json").json == []
    again = other("households", "import", str(target), "--passphrase-file", secret, "--json").json
    assert (again["again"], again["receipt_code"]) == (True, taken["receipt_code"])

    assert district("households", "handover", household, "--receipt", "0000").code == 2
    accepted = district("households", "handover", household, "--receipt", taken["receipt_code"].lower(), "--json").json
    assert accepted["state"] == "accepted"
    assert open_duties(district) == set()
    assert file_of(district, household)["light"] == "red"
    assert "接收区签收" in district("households", "explain", household).out


def test_a_wrong_passphrase_and_a_taken_number(
    family: tuple[District, str, str], other: District, tmp_path: Path
) -> None:
    """A file that does not open says so; a number that is another family's there is left out and listed."""
    district, household, secret = family
    target, wrong = tmp_path / "family.hub", tmp_path / "wrong"
    district("households", "export", household, "--to", str(target), "--receiver", "邻区", "--passphrase-file", secret)
    wrong.write_text("another passphrase", encoding="utf-8")
    refused = other("households", "import", str(target), "--passphrase-file", str(wrong))
    assert (refused.code, "does not open" in refused.err) == (1, True)

    from tests.end_to_end.story import OTHER_MAN, OTHER_WOMAN

    stranger = police_call("J1", AT, intensity="1") | OTHER_MAN.block("party_a") | OTHER_WOMAN.block("party_b")
    other.ingest("police", "incident", stranger)
    told = other("households", "import", str(target), "--passphrase-file", secret, "--json")
    assert told.code == 1
    assert [(one["key"], one["why"]) for one in told.json["not_taken"]] == [("J1", "number_taken")]


def test_an_offer_can_be_taken_back(family: tuple[District, str, str], tmp_path: Path) -> None:
    """Withdrawn, the old code is worth nothing any more; without an offer there is nothing to accept."""
    district, household, secret = family
    assert district("households", "handover", household, "--receipt", "0000").code == 2
    target = tmp_path / "family.hub"
    district("households", "export", household, "--to", str(target), "--receiver", "邻区", "--passphrase-file", secret)

    assert district("households", "handover", household, "--withdraw", "--json").json["state"] == "withdrawn"
    assert district("households", "handover", household, "--receipt", "0000").code == 2
