"""`hub queue`, `hub workers`, `hub duties accept | hand-over | refuse`: today's work, whose it is, and what they carry."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import District
from tests.cli.test_decisions import worker
from tests.end_to_end.story import CHILD, COMMUNITY, HUSBAND, OTHER_MAN, OTHER_WOMAN, WIFE
from tests.end_to_end.story import call as police_call


def family(no: str, at: str, *people: Any) -> list[dict[str, Any]]:
    row = {"household_no": no, "updated_at": at, "community_code": COMMUNITY, "from": "2020-01-01"}
    roles = ("户主", "配偶", "子女")
    return [
        {**row, "member_no": str(n), "role": role, **human.block("member")}
        for n, (human, role) in enumerate(zip(people, roles, strict=False), 1)
    ]


@pytest.fixture
def station(district: District) -> District:
    """A red family that F1 is responsible for, an orange one that is nobody's, and a team of four."""
    at = "2026-10-01 08:00:00"
    district.ingest("womens_federation", "worker", worker("F1", "区妇联"), worker("F2", "区妇联"))
    district.ingest("community_grid", "worker", worker("G1", "社区智慧大脑"))
    district.ingest("police", "worker", worker("P1", "公安"))
    district.ingest(
        "community_grid",
        "household",
        *family("H1", at, HUSBAND, WIFE, CHILD),
        *family("H2", at, OTHER_MAN, OTHER_WOMAN),
    )
    district.ingest("womens_federation", "family_file", {
        "file_no": "A1", "member_no": "1", "household_no": "H1", "worker_no": "F1", "from": "2026-10-02", "role": "户主",
        "updated_at": at, "community_code": COMMUNITY, **HUSBAND.block("member"),
    })  # fmt: skip
    district.ingest("police", "incident", police_call("J1", "2026-10-03 20:00:00", intensity="2"), {
        **police_call("J2", "2026-11-20 20:00:00", intensity="1"), **OTHER_MAN.block("party_a"), **OTHER_WOMAN.block("party_b"),
    })  # fmt: skip
    return district


def test_the_queue_of_the_district_a_unit_and_a_worker(station: District) -> None:
    """Red stands before orange; a unit sees its own duties; a worker the household that the family file gives them."""
    whole = station("queue", "--json").json["queue"]

    assert [place["light"] for place in whole if place["rank"] in ("red", "orange", "danger")] == ["red", "orange"]
    open_now = {row["duty_no"] for row in station("duties", "list", "--json").json}
    assert open_now == {one["no"] for place in whole for one in place["owed"] if one["what"][0] == "D"}
    units = {
        one["unit"]
        for place in station("queue", "--unit", "community_grid", "--json").json["queue"]
        for one in place["owed"]
    }
    assert units == {"community_grid"}
    mine = station("queue", "--worker", "F1", "--json").json
    assert {one["what"] for place in mine["queue"] for one in place["owed"]} == {"D1", "D2"}
    assert mine["load"]["lights"] == {"red": 1}
    assert station("queue", "--community", "310101001009", "--json").json["queue"] == []
    said = station("queue", "--worker", "F1").out
    assert "红灯随访 D2" in said
    assert "排在此处：红灯家庭（二(一), 三(二)二" in said
    refused = station("queue", "--worker", "F9")
    assert (refused.code, "F9" in refused.err) == (2, True)


def test_every_workers_load_is_shown_and_too_much_is_said(station: District) -> None:
    """Names, lights, duties; what nobody has stands last; above the policy's number exit code 1 and a warning."""
    rows = {row["worker"]: row for row in station("workers", "--json").json}

    assert (rows["F1"]["households"], rows["F1"]["name"], rows["F2"]["duties"]) == (1, "郑可欣", 0)
    assert rows[None]["lights"] == {"orange": 1}
    assert not rows["F1"]["heavy"]
    with (station.folder / "overlay.toml").open("a", encoding="utf-8") as overlay:
        overlay.write("\n[workload]\nmost = 0\n")
    assert 'overlay = "overlay.toml"' in (station.folder / "hub.toml").read_text(encoding="utf-8")
    told = station("workers")
    assert (told.code, "超出一人可承担的户数" in told.out) == (1, True)
