"""`hub households`: the archive, and why a light is what it is."""

from __future__ import annotations

from typing import Any

import pytest

from hub import bootstrap
from tests.cli.conftest import District
from tests.end_to_end.story import COMMUNITY, HUSBAND, OTHER_MAN, OTHER_WOMAN, WIFE, between
from tests.end_to_end.story import call as police_call

AT = "2026-03-01 20:00:00"
EXPLANATION = {
    "household", "as_of", "light", "since", "concerns", "held", "next", "coverage", "valid_until", "policy_version",
}  # fmt: skip
CONCERN = {"rule", "light", "state", "since", "until", "clause", "law", "events", "closes_by", "missing"}


@pytest.fixture
def red(district: District) -> tuple[District, str]:
    """A district with one red household, and its id."""
    district.ingest("police", "incident", police_call("J1", AT, intensity="2"))
    listed = district("households", "list", "--json").json
    assert len(listed) == 1
    return district, listed[0]["household"]


def test_explanation_has_the_fields_of_the_contract(red: tuple[District, str]) -> None:
    """Every field stands there; the concern names clause, law and the record by its number."""
    district, household = red
    told = district("households", "explain", household, "--json").json

    assert told.keys() >= EXPLANATION
    assert (told["household"], told["light"], told["since"]) == (household, "red", "2026-03-01T20:00:00+08:00")
    concern = told["concerns"][0]
    assert concern.keys() >= CONCERN
    assert (concern["rule"], concern["state"], concern["until"]) == ("R6", "open", None)
    assert concern["events"] == [
        {"unit": "police", "stream": "incident", "key": "J1", "at": "2026-03-01T20:00:00+08:00"}
    ]
    assert concern["clause"]
    assert concern["closes_by"]
    assert told["next"].keys() >= {"at", "light", "by"}
    assert (told["next"]["at"], told["next"]["light"], told["next"]["owed_by"]) == (None, "orange", ["coordinator"])
    assert told["evidence"] == {"complete": True, "since": None, "streams": []}
    assert {heard["unit"] for heard in told["unheard"]} >= {"court", "health", "community_grid"}
    assert told["identity"][0]["why"] == "together"
    covered = {(c["unit"], c["stream"]): c for c in told["coverage"]}
    assert covered["police", "incident"]["heard_at"]
    assert covered["police", "incident"]["overdue"] is False


def test_as_of_a_day_means_its_end(red: tuple[District, str]) -> None:
    """The call of 20:00 is seen by --as-of that day, not by an instant before it, and a day without sense is refused."""
    district, household = red

    def light(as_of: str) -> str:
        return str(district("households", "explain", household, "--as-of", as_of, "--json").json["light"])

    assert [light(at) for at in ("2026-02-28", "2026-03-01T19:59", "2026-03-01", "2026-03-01T20:00:00+08:00")] == [
        "unlit", "unlit", "red", "red",
    ]  # fmt: skip
    assert district("households", "explain", household, "--as-of", "2026-02-30").code == 2


def test_known_at_is_what_the_hub_knew_then(red: tuple[District, str]) -> None:
    """A call that is retracted today was red when it was known; before it came in nothing was known; the light is none now."""
    district, household = red
    between_the_two = bootstrap.now()
    row = {**police_call("J1", AT, intensity="2"), "updated_at": "2026-03-02 08:00:00", "deleted": "1"}
    assert district.ingest("police", "incident", row)["applied"] == 1

    def explained(*options: str) -> dict[str, Any]:
        return dict(district("households", "explain", household, *options, "--json").json)

    known = explained("--known-at", between_the_two.isoformat())
    assert (known["light"], known["known_at"]) == ("red", between_the_two.isoformat())
    assert known["concerns"][0]["events"][0]["key"] == "J1"
    assert known["identity"][0]["why"] == "moved"
    assert known["recorded"]["light"] == "red"
    assert explained()["light"] == "unlit"
    before = explained("--known-at", "2026-03-05", "--as-of", "2026-11-01")
    assert (before["light"], before["recorded"]) == ("unlit", None)
    text = district("households", "explain", household, "--known-at", between_the_two.isoformat()).out
    assert "枢纽在" in text


def test_a_record_that_moved_stands_where_it_stood_then(district: District) -> None:
    """A correction that names other people takes a call to their household; then, it was still the first family's."""
    district.ingest("police", "incident", police_call("J1", AT, intensity="1"), police_call("J2", AT, intensity="2"))
    (household,) = (row["household"] for row in district("households", "list", "--json").json)
    before = bootstrap.now().isoformat()
    district.ingest("police", "incident", {
        **police_call("J2", AT, intensity="2"), **OTHER_MAN.block("party_a"), **OTHER_WOMAN.block("party_b"),
        "updated_at": "2026-03-02 08:00:00",
    })  # fmt: skip
    rows = {row["household"]: row["light"] for row in district("households", "list", "--json").json}
    (other,) = rows.keys() - {household}

    def explained(uid: str, *options: str) -> dict[str, Any]:
        return dict(district("households", "explain", uid, *options, "--json").json)

    assert (rows[household], rows[other]) == ("orange", "red")
    then = explained(household, "--known-at", before)
    assert (then["light"], {link["key"]: link["why"] for link in then["identity"]}) == (
        "red", {"J1": "together", "J2": "moved"},
    )  # fmt: skip
    assert explained(other, "--known-at", before)["light"] == "unlit"


def test_a_household_by_prefix_number_or_not_at_all(red: tuple[District, str]) -> None:
    """The beginning of an id and the register's number will do; an unknown one says where to look."""
    district, _ = red
    row = {"household_no": "H1", "member_no": "1", "updated_at": AT, "community_code": COMMUNITY, "from": "2020-01-01"}
    district.ingest(
        "community_grid", "household", {**row, "role": "户主", **HUSBAND.block("member")},
        {**row, "member_no": "2", "role": "配偶", **WIFE.block("member")},
    )  # fmt: skip

    assert district("households", "show", "H1", "--json").json["registered"] == "H1"
    now = district("households", "list", "--json").json[0]["household"]
    assert district("households", "show", now[:30], "--json").json["household"] == now
    told = district("households", "show", "nobody")
    assert (told.code, "hub households list" in told.err) == (2, True)


def test_people_read_chinese_first(red: tuple[District, str]) -> None:
    """The text names light, rule, clause, event and unit in Chinese, in English when asked, and what would change it."""
    district, household = red
    chinese = district("households", "explain", household).out
    english = district("--lang", "en", "households", "explain", household).out

    for word in ("红灯", "R6", "关护〔二(一)〕", "公安分局 110接处警 J1", "下一次变化", "例会研判"):
        assert word in chinese
    for word in ("light red", "police, incident J1", "Next change", "meeting review"):
        assert word in english


def test_a_low_light_is_no_evidence_of_safety(district: District) -> None:
    """A yellow household's explanation says so; a red one's does not need to."""
    district.ingest("womens_federation", "complaint", {
        "complaint_no": "W1", "at": AT, "updated_at": AT, "kind": "1", "violence": "0", "relation": "配偶",
        **WIFE.block("victim"), **HUSBAND.block("abuser"),
    })  # fmt: skip
    household = district("households", "list", "--json").json[0]

    assert household["light"] == "yellow"
    assert "并不证明安全" in district("households", "explain", household["household"]).out


def test_list_filters_and_is_as_of_now(district: District) -> None:
    """A state that has run out since it was judged is not shown any more, also without a daemon; filters are exact."""
    district.ingest("civil_affairs", "divorce_registration", {
        "application_no": "L1", "updated_at": "2025-03-03", "status": "1", "received_on": "2025-03-03", "status_on": "2025-03-03",
        "community_code": COMMUNITY, **HUSBAND.block("husband"), **WIFE.block("wife"),
    })  # fmt: skip
    district.ingest("police", "incident", police_call("J1", AT, intensity="2"))

    assert [row["light"] for row in district("households", "list", "--json").json] == ["red"]
    assert len(district("households", "list", "--light", "red", "--community", COMMUNITY, "--json").json) == 1
    assert district("households", "list", "--light", "green", "--json").json == []
    assert district("households", "list", "--community", "310101001009", "--json").json == []
    assert district("households", "list", "--light", "blue").code == 2


def test_show_names_members_and_records(red: tuple[District, str]) -> None:
    """The archive shows who belongs to the household and what is on its timeline."""
    district, household = red
    district.ingest(
        "community_grid", "visit", between("visit_no", "V1", "2026-03-02", at="2026-03-02", mode="1", finding="1")
    )
    told = district("households", "show", household, "--json").json

    assert {(m["name"], m["id_number"]) for m in told["members"]} == {
        (HUSBAND.name, HUSBAND.id_number),
        (WIFE.name, WIFE.id_number),
    }
    assert [(e["kind"], e["key"]) for e in told["events"]] == [("police_call", "J1"), ("visit_recorded", "V1")]
    assert "林志远" in district("households", "show", household).out


def test_adopting_reviewed_history_opens_what_waited(district: District) -> None:
    """A backfill lights its household and owes nothing; adopted by a person its duties are opened, once."""
    path = district.file(police_call("J1", "2026-03-01 20:00:00", intensity="2"))
    district("ingest", "police", "incident", str(path), "--mode", "backfill")
    ((household, light),) = [(h["household"], h["light"]) for h in district("households", "list", "--json").json]
    assert (light, district("duties", "list", "--json").json) == ("red", [])
    first = district("households", "adopt", household, "--by", "W1", "--json")
    again = district("households", "adopt", household, "--json").json

    assert (first.code, first.json["adopted"], first.json["opened"]["reports"]) == (0, [household], 0)
    assert first.json["opened"]["duties"] > 0
    assert len(district("duties", "list", "--json").json) == first.json["opened"]["duties"]
    assert again["opened"] == {"reports": 0, "duties": 0}
    assert district("households", "adopt", "nobody").code == 2
