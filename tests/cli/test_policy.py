"""`hub policy`: what is wrong in a file, what it changes in words, whom it would change, and everybody judged again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub import bootstrap
from hub.core.policy_check import findings
from hub.core.records import Light
from hub.read.backtest import shown
from hub.store import snapshot
from hub.store.archive import read_timelines
from hub.store.cases import read_cases
from tests.cli.conftest import District, Hub
from tests.cli.test_reports_and_duties import concern
from tests.core.light_cases import policy
from tests.end_to_end.story import COMMUNITY, HUSBAND, OTHER_MAN, OTHER_WOMAN, WIFE
from tests.end_to_end.story import call as police_call

SHIPPED = Path(__file__).parents[2] / "hub" / "policies" / "district-2021-08-30.toml"
AT = "2026-03-01 20:00:00"
WITHOUT_PENALTIES = "[switches]\nR2 = false\nE1 = true\n"


def written(folder: Path, text: str, name: str = "candidate.toml") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def penalty(no: str, man: Any, woman: Any) -> dict[str, Any]:
    return {
        "decision_no": no, "decided_on": "2026-03-02", "penalty": "2", "domestic_violence": "1", "relation": "配偶",
        "updated_at": AT, "community_code": COMMUNITY, **woman.block("victim", sex="女"), **man.block("abuser"),
    }  # fmt: skip


def test_the_shipped_policy_has_nothing_to_mend() -> None:
    """No error and no warning; what overlaps or says nothing by itself is noted, found by trying every record."""
    found = findings(policy())

    assert {one.level for one in found} == {"note"}
    overlaps = {one.where for one in found if one.code == "rules.overlap"}
    assert "light O5, light R5" in overlaps
    assert not any("R6" in where and "O1" in where for where in overlaps)
    assert ("review_concluded", "decision = keep: opens, closes and signals nothing by itself") in {
        (one.where, one.detail) for one in found
    }


@pytest.mark.parametrize(
    ("was", "now", "code", "where"),
    [
        ('law = "人民检察院组织法 21"', 'law = ""', "clause.missing", "light R4"),
        ('when = { all = ["status = resolved"] }', 'when = { all = ["status = resolved"], none = ["status = resolved"] }',
         "", ""),
        ('when = { all = ["grade = general"], none = ["r6", "kind = sexual_harassment"] }',
         'when = { all = ["grade = general", "grade = serious"] }', "rule.unreachable", "light O2"),
        ('closes = ["R3"]', 'closes = ["O6"]', "way.missing", "light R3"),
        ('closer = "report_filed"', 'closer = "report_field"', "way.unreachable", "descent report_filed"),
        ('id = "D27"', 'id = "D77"', "duty.unreachable", "duty D77"),
        ('to = ["court"]', 'to = ["courts"]', "unit.unknown", "duty D7b"),
        ('whom = "minor"\nwhen = { all = ["sexual"] }', 'whom = "minor"\nwhen = { all = ["sexual"], none = ["sexual"] }',
         "report.unreachable", "report M5"),
    ],
)  # fmt: skip
def test_what_is_missing_or_unreachable_is_found(
    hub: Hub, folder: Path, was: str, now: str, code: str, where: str
) -> None:
    """A clause left out, a rule, way, duty or report that nothing can reach, a unit that is none: exit 1 and named."""
    text = SHIPPED.read_text(encoding="utf-8")
    assert was in text
    told = hub("policy", "check", written(folder, text.replace(was, now, 1)), "--json")

    if not code:
        assert told.code == 0  # another record is such a closer still
        return
    found = {(one["code"], one["where"]) for one in told.json["findings"] if one["level"] == "error"}
    assert told.code == 1
    assert (code, where) in found or any(one == code and where.split()[0] in at for one, at in found)


def test_a_district_may_not_be_slower_than_its_province(hub: Hub, folder: Path) -> None:
    """A clock that the district's overlay makes longer than the province's is a warning with both."""
    province = written(folder, 'level = "province"\n[duty.D6]\ndue = ["7d", "1mo"]\n', "province.toml")
    hub_toml = folder / "hub.toml"
    hub_toml.write_text(
        hub_toml.read_text(encoding="utf-8").replace('overlay = "overlay.toml"', 'overlay = ["province.toml"]'),
        encoding="utf-8",
    )
    assert Path(province).is_file()
    slow = written(folder, '[duty.D6]\ndue = ["7d", "2mo"]\n')
    found = hub("policy", "check", slow, "--json").json["findings"]

    assert [(one["code"], one["where"]) for one in found if one["level"] == "warning"] == [("clock.longer", "duty D6")]


def test_differences_in_words(hub: Hub, folder: Path) -> None:
    """Numbers by their meaning, switches by theirs, rows by name; in Chinese and in English; nothing when alike."""
    candidate = written(
        folder, '[numbers]\nobservation_days = 60\n[switches]\nE1 = true\n[duty.D2]\ndue = ["12h", "72h", "7d"]\n'
    )
    english = hub("--lang", "en", "policy", "diff", "current", candidate).out

    assert "figure (days of observation after red): observation_days was 90, would be 60" in english
    assert "switch (three calls on different days within the window light red): E1 was no, would be yes" in english
    assert "duty D2: due was 24h, 72h, 7d, would be 12h, 72h, 7d" in english
    assert "红灯后观察天数" in hub("policy", "diff", "current", candidate).out
    assert len(hub("policy", "diff", "current", candidate, "--json").json["differences"]) == 3
    assert "相同" in hub("policy", "diff", "current", "current").out


@pytest.fixture
def penalised(district: District) -> District:
    """Two households red by a penalty, one of them by a call too."""
    district.ingest("police", "penalty", penalty("P1", HUSBAND, WIFE), penalty("P2", OTHER_MAN, OTHER_WOMAN))
    district.ingest("police", "incident", police_call("J1", AT, intensity="2"))
    return district


def test_backtest_says_who_would_change_and_why(penalised: District) -> None:
    """Only the household that rests on a penalty alone changes; small groups are suppressed; nothing is adopted."""
    candidate = written(penalised.folder, WITHOUT_PENALTIES)
    told = penalised("policy", "backtest", candidate, "--json").json

    assert (told["households"], told["changed"]) == (2, 1)
    assert told["by_change"] == [{"was": "red", "light": "unlit", "households": 1}]
    (change,) = told["changes"]
    assert ([one["rule"] for one in change["why"]["gone"]], change["why"]["opened"]) == (["R2"], [])
    (community,) = told["by_community"]
    assert (community["value"], community["households"], community["suppressed"]) == (COMMUNITY, None, True)
    assert told["policy"]["from"] != told["policy"]["to"]
    out = penalised("policy", "backtest", candidate).out
    assert "<5" in out
    assert "受害人为女性" in out
    assert "轻伤" not in out  # a minor who was hurt is no minor injury
    assert {row["light"] for row in penalised("households", "list", "--json").json} == {"red"}


def test_a_backtest_reads_the_cases_that_a_commit_reads(penalised: District) -> None:
    """Events, members and mandatory reports are those of ``read_cases``; only duties and answers are left out."""
    penalised.ingest("education", "concern", concern())
    with bootstrap.open_hub(penalised.folder) as hub, hub.store.read() as sql:
        households = [household for batch in snapshot.all_households(sql) for household in batch]
        lean = read_timelines(sql, households)
        full = read_cases(sql, lean, (), {}).cases

    assert [len(case.reports) for case in lean.values()].count(1) >= 1
    for number, case in lean.items():
        reports = tuple(report._replace(answers=frozenset()) for report in full[number].reports)
        assert case == full[number]._replace(duties=(), reports=reports)


@pytest.mark.parametrize(("count", "told"), [(0, 0), (1, None), (4, None), (5, 5)])
def test_counts_that_name_a_family_are_suppressed(count: int, told: int | None) -> None:
    """One to four is nobody's business."""
    assert shown(count) == told


def test_adoption_judges_everybody_again(penalised: District) -> None:
    """The file is kept and named in hub.toml; every household stands under it at once, and the feed says what changed."""
    before = penalised("policy", "show", "--json").json
    candidate = written(penalised.folder, WITHOUT_PENALTIES)
    told = penalised("policy", "adopt", candidate, "--json").json

    assert told["archive"]["waiting"] == 0
    assert told["version"] != before["version"]
    assert sorted(row["light"] for row in penalised("households", "list", "--json").json) == ["red", "unlit"]
    after = penalised("policy", "show", "--json").json
    assert (after["version"], after["archive"]["policy"]) == (told["version"], told["version"])
    broken = SHIPPED.read_text(encoding="utf-8").replace('id = "D27"', 'id = "D77"')
    assert penalised("policy", "adopt", written(penalised.folder, broken, "broken.toml")).code == 2
    assert Light.red.name in {row["light"] for row in penalised("households", "list", "--json").json}


def test_a_province_is_named_in_the_configuration(hub: Hub, folder: Path) -> None:
    """Its limits are laid under the district's; one that is not there is a mistake with those that are."""
    before = hub("policy", "show", "--json").json["version"]
    hub_toml = folder / "hub.toml"
    text = hub_toml.read_text(encoding="utf-8")
    hub_toml.write_text(text.replace('# province = "yunnan"', 'province = "yunnan"'), encoding="utf-8")
    told = hub("policy", "show", "--json").json

    assert told["version"] != before
    assert next(d for d in told["duties"] if d["id"] == "D21")["hours"] == 24
    assert {"what": "overlay", "name": "云南省", "level": "province", "effective_from": None} in told["sources"]
    hub_toml.write_text(text.replace('# province = "yunnan"', 'province = "atlantis"'), encoding="utf-8")
    wrong = hub("check")
    assert "yunnan" in wrong.out + wrong.err


def test_a_policy_to_come_is_tried_at_its_time(penalised: District) -> None:
    """An overlay in force from next year changes nobody today and says so; asked as of then, it changes who it will."""
    coming = written(penalised.folder, f"effective_from = 2099-01-01\n{WITHOUT_PENALTIES}")

    assert penalised("policy", "backtest", coming, "--json").json["changed"] == 0
    assert "--as-of" in penalised("policy", "backtest", coming).err
    told = penalised("policy", "backtest", coming, "--as-of", "2099-06-01", "--json").json
    assert (told["changed"], told["policy"]["from"] != told["policy"]["to"]) == (0, True)  # its penalties are older


def test_a_misspelt_switch_is_answered_with_those_there_are(district: District) -> None:
    """Where no name comes near, the few that may stand there are listed."""
    overlay = district.folder / "other.toml"
    overlay.write_text("[switches]\nR6 = false\n", encoding="utf-8")

    told = district("policy", "check", str(overlay))
    assert (told.code, "write one of E1, E2, R2" in told.err) == (2, True)
