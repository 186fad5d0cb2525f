"""`hub connectors replay | shadow`: a mended mapping reads again what was taken, a candidate is only compared."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from hub.bootstrap import open_hub
from tests.cli.conftest import District, Told
from tests.end_to_end.story import HUSBAND
from tests.end_to_end.story import call as police_call

ROOT = Path(__file__).parents[2]
AT = "2026-03-01 20:00:00"
RENAMED = '\n[streams.incident]\nfields = { "intensity" = "CTCD" }\n'


@pytest.fixture
def mismapped(district: District) -> District:
    """Two calls whose intensity stands under a header that nobody mapped; one says fierce."""
    for number, intensity in (("J1", "2"), ("J2", "1")):
        row = police_call(number, AT, CTCD=intensity, JQ="77")
        row.pop("intensity")
        assert district.ingest("police", "incident", row)["applied"] == 1
    return district


def rows(district: District, text: str) -> list[tuple[Any, ...]]:
    with open_hub(district.folder) as hub, hub.store.read() as sql:
        return sql.rows(text)


def lights(district: District) -> list[str]:
    return [row["light"] for row in district("households", "list", "--json").json]


def test_replay_reads_the_originals_again(mismapped: District) -> None:
    """The light follows the mended mapping; every receipt and count of before stays; a second replay changes nothing."""
    before = mismapped("status", "--json").json["counts"]
    assert lights(mismapped) == ["orange"]
    mismapped.append("police", RENAMED)
    told = mismapped("connectors", "replay", "police", "--json")

    assert (told.code, told.json["replayed"], told.json["applied"]) == (0, 2, 2)
    assert lights(mismapped) == ["red"]
    assert mismapped("status", "--json").json["counts"] == before
    again = mismapped("connectors", "replay", "police", "--stream", "incident", "--since", "2026-01-01", "--json").json
    assert (again["replayed"], again["unchanged"]) == (2, 2)


def test_replay_sends_nothing(mismapped: District) -> None:
    """Messages and duties are the same before and after; what the new light would owe waits for review and adoption."""
    told = 'SELECT no, what, "to" FROM owed ORDER BY no'
    before = rows(mismapped, told), rows(mismapped, "SELECT no FROM parcel ORDER BY no")
    mismapped.append("police", RENAMED)
    mismapped("connectors", "replay", "police")

    assert (rows(mismapped, told), rows(mismapped, "SELECT no FROM parcel ORDER BY no")) == before
    assert rows(mismapped, "SELECT COUNT(*) > 0 FROM review_item WHERE kind = 'backfill' AND state = 'open'") == [(1,)]
    ((household,),) = [(row["household"],) for row in mismapped("households", "list", "--json").json]
    assert mismapped("households", "adopt", household, "--json").json["opened"]["duties"] > 0


def test_replay_can_be_taken_back(mismapped: District) -> None:
    """With the old mapping back in place a replay restores what was, and the same rows read again are unchanged."""
    path = mismapped.folder / "connectors.d" / "police.toml"
    text = path.read_text(encoding="utf-8")
    mismapped.append("police", RENAMED)
    mismapped("connectors", "replay", "police")
    path.write_text(text, encoding="utf-8")
    told = mismapped("connectors", "replay", "police", "--json").json

    assert (told["applied"], lights(mismapped)) == (2, ["orange"])
    row = police_call("J1", AT, CTCD="2", JQ="77")
    row.pop("intensity")
    assert mismapped.ingest("police", "incident", row)["unchanged"] == 1


def test_what_was_known_before_a_replay_stays_known(mismapped: District) -> None:
    """`explain --known-at` a moment before the replay answers with the mapping of then."""
    ((household,),) = [(row["household"],) for row in mismapped("households", "list", "--json").json]
    ((moment,),) = rows(mismapped, "SELECT MAX(applied_at) FROM page")
    mismapped.append("police", RENAMED)
    mismapped("connectors", "replay", "police")
    at = rows(mismapped, f"SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', {moment} / 1000000.0, 'unixepoch')")[0][0]

    assert mismapped("households", "explain", household, "--known-at", at, "--json").json["light"] == "orange"
    assert mismapped("households", "explain", household, "--json").json["light"] == "red"


def test_rows_the_new_mapping_cannot_read_stay_as_they_are(mismapped: District) -> None:
    """A replay under a mapping that breaks rows leaves their versions, lists their codes, and says so."""
    mismapped.append("police", '\n[streams.incident]\nfields = { "category" = "JQ" }\n')
    told = mismapped("connectors", "replay", "police", "--json")

    assert (told.code, told.json["unreadable"]) == (1, {"code.unknown": 2})
    assert lights(mismapped) == ["orange"]
    assert mismapped("quarantine", "list", "--json").json == []
    assert mismapped("connectors", "replay", "nobody").code == 2
    assert mismapped("connectors", "replay", "police", "--stream", "nothing").code == 2


def shadow(district: District, candidate: Path, *options: str) -> Told:
    return district("connectors", "shadow", "police", "--candidate", str(candidate), *options, "--json")


@pytest.fixture
def candidate(mismapped: District, tmp_path: Path) -> Path:
    """The live configuration with the header that nobody mapped."""
    text = (mismapped.folder / "connectors.d" / "police.toml").read_text(encoding="utf-8")
    path = tmp_path / "tomorrow.toml"
    path.write_text(text + RENAMED, encoding="utf-8")
    return path


def test_shadow_tells_what_a_candidate_would_change(mismapped: District, candidate: Path) -> None:
    """Records by field, the light by its household, duties by their causes; the archive is the same before and after."""
    tables = ("page", "record", "version", "owed", "parcel", "light_change", "review_item", "quarantine")
    before = [rows(mismapped, f"SELECT * FROM {table} ORDER BY 1") for table in tables]
    household = mismapped("households", "list", "--json").json[0]["household"]
    told = shadow(mismapped, candidate)

    assert told.code == 1
    assert [(r["key"], r["fields"]) for r in told.json["records"]["changed"]] == [
        ("J1", [{"field": "intensity", "was": None, "would_be": "fierce"}]),
        ("J2", [{"field": "intensity", "was": None, "would_be": "general"}]),
    ]
    (light,) = told.json["lights"]
    assert light["households"] == [household]
    assert ([h["light"] for h in light["was"]], [h["light"] for h in light["would_be"]]) == (["orange"], ["red"])
    assert "police.incident J1" in light["records"]
    assert told.json["duties"]["only_candidate"]
    assert [rows(mismapped, f"SELECT * FROM {table} ORDER BY 1") for table in tables] == before


def test_shadow_of_the_live_mapping_changes_nothing(mismapped: District) -> None:
    """The live configuration as its own candidate: no difference, exit 0."""
    told = shadow(mismapped, mismapped.folder / "connectors.d" / "police.toml")

    assert (told.code, told.json["lights"], told.json["records"]["same"]) == (0, [], 2)
    assert "red" not in mismapped("connectors", "shadow", "police", "--candidate", "connectors").out


def test_shadow_of_another_version_of_the_package(mismapped: District, tmp_path: Path) -> None:
    """A candidate's own package runs in a process of its own: rows that wait are read by it, and no name is told."""
    mismapped.ingest("police", "incident", police_call("J9", AT, category="警情一类"))
    package = tmp_path / "next" / "connectors" / "police"
    shutil.copytree(ROOT / "connectors" / "police", package, ignore=shutil.ignore_patterns("__pycache__"))
    schema = package / "schema.py"
    text = schema.read_text(encoding="utf-8")
    schema.write_text(text.replace('"intensity", "冲突程度"', '"intensity", "CTCD"'), encoding="utf-8")
    told = shadow(mismapped, package)

    assert schema.read_text(encoding="utf-8") != text
    assert [row["fields"][0]["would_be"] for row in told.json["records"]["changed"]] == ["fierce", "general"]
    assert (told.json["refused"]["was"], told.json["refused"]["would_be"]) == (1, 1)
    assert HUSBAND.name not in told.out + told.err
    assert mismapped("connectors", "shadow", "police", "--candidate", str(package)).code == 1
    assert shadow(mismapped, tmp_path).code == 2
    assert shadow(mismapped, tmp_path / "nothing.toml").code == 2


def test_shadow_reads_what_waits(district: District, tmp_path: Path) -> None:
    """A row that the live mapping refuses and the candidate reads is gained: its report of tomorrow is told, not made."""
    row = police_call("J1", AT, intensity="2")
    row["JQLB"] = row.pop("category")
    assert district.ingest("police", "incident", row)["quarantined"] == 1
    path = tmp_path / "police.toml"
    text = (district.folder / "connectors.d" / "police.toml").read_text(encoding="utf-8")
    path.write_text(text + '\n[streams.incident]\nfields = { "category" = "JQLB" }\n', encoding="utf-8")
    told = shadow(district, path).json

    assert told["records"]["only_candidate"] == ["police.incident J1"]
    assert told["refused"]["changed"] == [
        {"stream": "incident", "key": "J1", "field": "category", "was": "field.missing", "would_be": None}
    ]
    assert [home["light"] for home in told["lights"][0]["would_be"]] == ["red"]
    assert district("status", "--json").json["counts"]["quarantined"] == 1
