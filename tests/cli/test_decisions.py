"""`hub households override`, `objection`: people decide, with names; the family is heard; nothing disappears."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import District, Told
from tests.end_to_end.story import COMMUNITY
from tests.end_to_end.story import call as police_call

AT = "2026-03-01 20:00:00"
UNTIL = ("--reason", "两人当面核实，已分居", "--until", "2027-12-31")


def worker(no: str, unit: str) -> dict[str, Any]:
    return {"worker_no": no, "kind": "2", "unit": unit, "from": "2020-01-01", "updated_at": AT, "worker_name": "郑可欣",
            "community_code": COMMUNITY}  # fmt: skip


@pytest.fixture
def red(district: District) -> tuple[District, str]:
    """A red household, and three workers of two units."""
    district.ingest("police", "incident", police_call("J1", AT, intensity="2"))
    district.ingest("police", "worker", worker("P1", "区公安分局"), worker("P2", "公安"))
    district.ingest("womens_federation", "worker", worker("F1", "区妇联"))
    return district, district("households", "list", "--json").json[0]["household"]


def test_two_persons_of_two_units_step_a_red_light_down(red: tuple[District, str]) -> None:
    """The first signature waits; the second takes effect, is listed with names and reason, and falls with the next call."""
    district, household = red

    def decide(by: str) -> dict[str, Any]:
        return dict(
            district("households", "override", household, "--light", "yellow", *UNTIL, "--by", by, "--json").json
        )

    first = decide("P1")["explanation"]
    assert (first["light"], first["notes"], first["overrides"][0]["state"]) == ("red", ["override_waits"], "waiting")
    assert decide("P2")["explanation"]["light"] == "red"
    told = decide("F1")["explanation"]
    assert (told["light"], told["notes"]) == ("yellow", [])
    assert {c["rule"] for c in told["concerns"] if c["state"] == "open"} == {"R6", "P2"}
    assert [(one["by"], one["unit"]) for one in told["overrides"] if one["state"] == "in_force"] == [
        ("P1", "police"), ("P2", "police"), ("F1", "womens_federation"),
    ]  # fmt: skip
    assert told["overrides"][0]["reason"] == UNTIL[1]
    assert district("households", "list", "--json").json[0]["light"] == "yellow"

    district.ingest("police", "incident", police_call("J2", "2026-11-20 10:00:00", intensity="2"))
    assert told["as_of"] > "2026-11-20"
    assert district("households", "list", "--json").json[0]["light"] == "yellow"  # it came before the decision


def test_up_by_anybody_here_and_back_by_release(district: District) -> None:
    """Up needs no worker number; a nameless release is refused; the words are in the people's language."""
    district.ingest("police", "incident", police_call("J1", AT, intensity="1"))
    district.ingest("police", "worker", worker("P1", "公安"))
    household = district("households", "list", "--json").json[0]["household"]

    assert district("households", "override", household, "--light", "yellow", *UNTIL).code == 2
    assert district("households", "override", household, "--light", "red", *UNTIL).code == 0
    told = district("households", "explain", household)
    assert "人工研判" in told.out
    assert "红灯" in told.out
    assert district("households", "override", household, "release").code == 2
    assert district("households", "override", household, "release", "--by", "P1").code == 0  # held red: waits
    assert district("households", "list", "--json").json[0]["light"] == "red"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--light", "blue", *UNTIL), ("--light", "red", "--until", "2027-01-01"), ("--light", "red", "--reason", "x"),
        ("--light", "red", "--reason", "x", "--until", "2020-01-01"), ("undo",),
        ("--light", "red", *UNTIL, "--recheck", "2028-01-01"),
    ],
)  # fmt: skip
def test_a_decision_without_light_reason_or_end_is_refused(
    red: tuple[District, str], arguments: tuple[str, ...]
) -> None:
    """Wrong usage, and nothing is recorded."""
    district, household = red

    assert district("households", "override", household, *arguments).code == 2
    assert district("households", "explain", household, "--json").json["overrides"] == []


def test_the_family_is_heard_and_answered_by_another_unit(red: tuple[District, str]) -> None:
    """An objection to a police record stands, makes a duty, and is answered by somebody else than the police."""
    district, household = red

    def answer(no: str, by: str) -> Told:
        return district(
            "households", "answer", household, no, "--decision", "partly", "--text", "已更正", "--by", by, "--json"
        )

    no = district(
        "households", "objection", household, "--about", "police.incident/J1", "--statement", "并无肢体冲突", "--json"
    ).json["objection_no"]
    assert district("households", "objections", household, "--json").json[0]["state"] == "open"
    assert [d["unit"] for d in district("duties", "list", "--json").json if d["duty"] == "D29"] == ["coordinator"]
    refused = answer(no, "P1")
    assert (refused.code, "不得由本单位答复" in refused.err) == (2, True)
    assert answer(no, "F1").json["objection"]["answers"][0]["answer"] == "已更正"
    assert [d["state"] for d in district("duties", "list", "--all", "--json").json if d["duty"] == "D29"] == ["done"]
    assert no in district("households", "explain", household).out
    assert district("households", "objection", household, "--about", "police.incident/J9", "--statement", "x").code == 2


def test_rates_per_unit_both_ways(red: tuple[District, str]) -> None:
    """Each unit's decisions up and down stand against the lit households it has records on."""
    district, household = red
    for by in ("P1", "F1"):
        district("households", "override", household, "--light", "yellow", *UNTIL, "--by", by)
    rows = {row["unit"]: row for row in district("households", "overrides", "--json").json}

    assert (rows["police"]["down"], rows["police"]["lit_households"], rows["police"]["rate_down"]) == (1, 1, 1.0)
    assert (rows["womens_federation"]["down"], rows["womens_federation"]["second_signatures"]) == (1, 1)
    assert rows["police"]["up"] == 0
    assert "区公安分局" in district("households", "overrides").out or "公安" in district("households", "overrides").out


def test_a_decision_follows_its_household(red: tuple[District, str]) -> None:
    """When the register takes a provisional household's records over, what was decided about it goes along."""
    district, household = red
    for by in ("P1", "F1"):
        district("households", "override", household, "--light", "yellow", *UNTIL, "--by", by)
    from tests.end_to_end.story import HUSBAND, WIFE

    row = {"household_no": "H1", "member_no": "1", "updated_at": AT, "community_code": COMMUNITY, "from": "2020-01-01"}
    district.ingest(
        "community_grid", "household", {**row, "role": "户主", **HUSBAND.block("member")},
        {**row, "member_no": "2", "role": "配偶", **WIFE.block("member")},
    )  # fmt: skip
    told = district("households", "explain", "H1", "--json").json

    assert (told["light"], [one["state"] for one in told["overrides"]]) == ("yellow", ["in_force", "in_force"])


def test_what_a_unit_takes_back_stays_to_be_seen(red: tuple[District, str]) -> None:
    """A fierce call that the police class as a neighbours' quarrel: the light goes, the step and what was owed stay."""
    district, _ = red
    district.ingest("police", "incident", {
        **police_call("J1", AT, category="3", relation="邻居"), "updated_at": "2026-03-02 08:00:00",
    })  # fmt: skip
    assert [row["light"] for row in district("households", "list", "--json").json] != ["red"]
    told = district("households", "reclassified", "--json").json

    (step,) = told["records"]
    assert (step["unit"], step["key"], step["was"], step["now"]) == ("police", "J1", ["R6"], "retracted")
    assert {"D1", "D2", "D21"} <= set(step["owed_then"])
    assert told["units"] == [{"unit": "police", "lowered": 1, "while_owing_the_act": 1}]
    assert "J1" in district("households", "reclassified").out
