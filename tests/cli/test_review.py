"""`hub review`: a household's worst day, unit by unit, with what came too late and what another policy would have shown."""

from __future__ import annotations

from typing import Any

import pytest

from hub import bootstrap
from tests.cli.conftest import District
from tests.end_to_end.story import COMMUNITY, HUSBAND, WIFE, between
from tests.end_to_end.story import call as police_call

SECOND = "2026-03-09 21:00:00"


@pytest.fixture
def family(district: District) -> tuple[District, str]:
    """Three calls, the second with an injury; a treatment of that night; a visit."""
    district.ingest("police", "incident", police_call("J1", "2026-03-01 20:00:00", intensity="1"))
    district.ingest("police", "incident", police_call("J2", SECOND, intensity="2", injury="1"))
    district.ingest("police", "incident", police_call("J3", "2026-03-20 20:00:00", intensity="1"))
    district.ingest("health", "treatment", {
        "visit_no": "H1", "at": SECOND, "updated_at": SECOND, "violence_suspected": "1", "relation": "配偶",
        "community_code": COMMUNITY, **WIFE.block("patient"), **HUSBAND.block("abuser"),
    })  # fmt: skip
    district.ingest(
        "community_grid", "visit", between("visit_no", "V1", "2026-03-02", at="2026-03-02", mode="1", finding="1")
    )
    return district, district("households", "list", "--json").json[0]["household"]


def units_of(told: dict[str, Any]) -> dict[str, Any]:
    return {unit["unit"]: unit for unit in told["units"]}


def test_the_worst_day_is_that_of_the_injury(family: tuple[District, str]) -> None:
    """The day of the injury is chosen; what was recorded weeks later came later, for every unit; silence is shown too."""
    district, household = family
    told = district("review", household, "--json").json

    assert (told["day"], told["because"]) == ("2026-03-09", "gravest_injury")
    units = units_of(told)
    assert [one["key"] for one in units["police"]["came_later"]] == ["J1", "J2"]
    assert units["police"]["came_later"][1]["hours_after"] > 24
    assert [one["key"] for one in units["health"]["came_later"]] == ["H1"]
    assert units["court"]["said_nothing"]
    assert [one["what"] for one in units["court"]["owed_but_unknown"]] == ["D10"]
    assert all(unit["open"] == unit["overdue"] == unit["told"] == [] for unit in told["units"])
    assert told["recorded_light"] is None
    in_force, all_on = told["policies"]
    assert (in_force["known_then"]["light"], in_force["known_now"]["light"]) == ("unlit", "red")
    assert in_force["known_now"]["rules"] == ["O1", "O5", "R6"]
    assert all_on["policy_version"] != in_force["policy_version"]


def test_a_day_of_its_own_shows_what_was_told_and_done(family: tuple[District, str]) -> None:
    """Today everything is known: the grid's visit is there, duties are open or overdue, and E1 would be red as well."""
    district, household = family
    told = district("review", household, "--day", f"{bootstrap.now():%Y-%m-%d}", "--json").json
    units = units_of(told)

    assert [one["key"] for one in units["police"]["known"]] == ["J1", "J2", "J3"]
    assert units["police"]["came_later"] == []
    assert {one["what"] for one in units["community_grid"]["overdue"]} >= {"D2"}
    assert told["recorded_light"] == "red"
    assert "E1" in told["policies"][1]["known_now"]["rules"]
    assert "E1" not in told["policies"][0]["known_now"]["rules"]


def test_in_words_and_under_a_named_policy(family: tuple[District, str]) -> None:
    """The text names every unit in Chinese; a named overlay stands beside the others; an empty household says so."""
    district, household = family
    overlay = district.folder / "other.toml"
    overlay.write_text("[numbers]\nreview_red_days = 365\n", encoding="utf-8")
    out = district("review", household, "--policy", str(overlay)).out

    for text in ("伤情最重之日", "公安分局", "区检察院：无", "事后才到", "如记录已到则应办", "按当时所知"):
        assert text in out
    assert out.count("按当时所知") == 3
    assert district("review", household, "--policy", str(district.folder / "none.toml")).code == 2
    assert district("review", household, "--as-of", "2026-01-01", "--json").json["day"] is None
