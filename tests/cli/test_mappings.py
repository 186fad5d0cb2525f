"""`hub connectors replay`: a mapping that was mended reads again what was taken; nothing goes out twice."""

from __future__ import annotations

from typing import Any

import pytest

from hub.bootstrap import open_hub
from tests.cli.conftest import District
from tests.end_to_end.story import call as police_call

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
