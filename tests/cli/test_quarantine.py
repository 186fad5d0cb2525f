"""`hub quarantine`: rows that wait, once more after a fix, or given up; receipts show the present."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import District
from tests.end_to_end.story import HUSBAND
from tests.end_to_end.story import call as police_call

AT = "2026-03-01 20:00:00"


@pytest.fixture
def waiting(district: District) -> District:
    """Two calls whose category column is called otherwise by the police, and one bad code."""
    rows = []
    for number in ("J1", "J2"):
        row = police_call(number, AT)
        row["JQLB"] = row.pop("category")
        rows.append(row)
    receipt = district.ingest("police", "incident", *rows, police_call("J3", AT, category="77"))
    assert receipt["quarantined"] == 3
    return district


def test_rows_are_grouped_with_their_remedy(waiting: District) -> None:
    """One line for each code and stream, with meaning and remedy in both languages."""
    groups = waiting("quarantine", "list", "--json").json

    assert [(g["code"], g["unit"], g["stream"], g["count"]) for g in groups] == [
        ("field.missing", "police", "incident", 2),
        ("code.unknown", "police", "incident", 1),
    ]
    assert all(g["remedy"] and g["remedy_zh"] for g in groups)
    assert "代码不在码表内" in waiting("quarantine", "list").out


def test_originals_are_sealed_until_shown(waiting: District) -> None:
    """The archive's files hold no name; `show` opens the rows for whoever mends them."""
    for file in waiting.folder.glob("hub.db*"):
        assert HUSBAND.name.encode() not in Path(file).read_bytes()
    shown = waiting("quarantine", "show", "code.unknown", "--json").json

    assert [(row["key"], row["original"]["party_a_name"]) for row in shown] == [("J3", HUSBAND.name)]


def test_redrive_after_a_fix_moves_rows_to_applied(waiting: District) -> None:
    """With the column named in TOML the rows are taken; counts move from quarantined to applied, received stays."""
    waiting.append("police", '\n[streams.incident]\nfields = { "category" = "JQLB" }\n')
    told = waiting("quarantine", "redrive", "field.missing", "--json")

    assert (told.code, told.json["redriven"], told.json["applied"]) == (0, 2, 2)
    counts = waiting("status", "--json").json["counts"]
    assert (counts["received"], counts["applied"], counts["quarantined"]) == (3, 2, 1)
    assert [row["light"] for row in waiting("households", "list", "--json").json] == ["orange"]
    assert waiting("quarantine", "redrive", "field.missing").code == 2


def test_a_choice_that_names_nothing_is_repeated(waiting: District) -> None:
    """Conditions that no waiting row meets come back in the answer, so that a mistyped one is seen."""
    told = waiting("quarantine", "redrive", "--code", "field.mising", "--since", "2026-01-01")

    assert told.code == 2
    assert "code field.mising, since 2026-01-01 00:00" in told.err


def test_redrive_without_a_fix_changes_nothing(waiting: District) -> None:
    """The rows stay where they are and the command says that something needs attention."""
    told = waiting("quarantine", "redrive", "code.unknown", "--json")

    assert (told.code, told.json["quarantined"]) == (1, 1)
    counts = waiting("status", "--json").json["counts"]
    assert (counts["received"], counts["quarantined"]) == (3, 3)


def test_discard_by_id_makes_a_row_rejected(waiting: District) -> None:
    """A row given up counts as rejected; the others wait on."""
    row = waiting("quarantine", "show", "code.unknown", "--json").json[0]
    told = waiting("quarantine", "discard", row["id"], "--json")

    assert told.json == {"discarded": 1}
    counts = waiting("status", "--json").json["counts"]
    assert (counts["received"], counts["quarantined"], counts["rejected"]) == (3, 2, 1)
    assert waiting("quarantine", "discard", row["id"]).code == 2


def test_groups_have_fingerprints_and_no_values(waiting: District) -> None:
    """Rows that fail alike are one group by code, stream, field and shape; the list holds no value and no name."""
    waiting.ingest("police", "incident", *(police_call(f"K{n}", AT, category=f"{n}7.甲") for n in (1, 2)))
    waiting.ingest("police", "incident", police_call("J3", AT, category="77"))
    told = waiting("quarantine", "list", "--json")
    groups = {(g["code"], g["field"], g["shape"]): g for g in told.json}

    assert {spot: (g["count"], g["times"]) for spot, g in groups.items()} == {
        ("field.missing", "category", "empty"): (2, 2),
        ("code.unknown", "category", "9{2}"): (1, 2),
        ("code.unknown", "category", "9{2}.字"): (2, 2),
    }
    assert "17.甲" not in told.out
    assert HUSBAND.name not in told.out
    group = groups["code.unknown", "category", "9{2}.字"]["group"]
    rows = waiting("quarantine", "list", "--group", group, "--json").json
    assert [(row["key"], row["group"]) for row in rows] == [("K1", group), ("K2", group)]
    assert waiting("quarantine", "list", "--group", "00000000").code == 2


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (("--code", "field.missing"), 2),
        (("--stream", "police.incident"), 3),
        (("--since", "2020-01-01"), 3),
        (("--since", "2020-01-01", "--code", "code.unknown"), 1),
    ],
)
def test_redrive_by_code_stream_and_time(waiting: District, options: tuple[str, ...], count: int) -> None:
    """Conditions hold together; the summary says what still stops which rows."""
    told = waiting("quarantine", "redrive", *options, "--json")

    assert (told.code, told.json["redriven"], told.json["quarantined"]) == (1, count, count)
    assert sum(told.json["still"].values()) == count
    assert waiting("quarantine", "redrive", "--until", "2020-01-01").code == 2
    assert waiting("quarantine", "redrive").code == 2


def test_redrive_by_batch_and_group(waiting: District) -> None:
    """The batch of a receipt and a group of the list name their rows."""
    batch = waiting("quarantine", "show", "code.unknown", "--json").json[0]["batch"]
    group = waiting("quarantine", "list", "--json").json[0]["group"]

    assert waiting("quarantine", "redrive", "--page", batch, "--json").json["redriven"] == 3
    assert waiting("quarantine", "redrive", "--group", group, "--json").json["redriven"] == 2


def test_what_became_of_a_row_is_shown(waiting: District) -> None:
    """A superseded row is found by its id, with the event that took its place."""
    row = waiting("quarantine", "show", "code.unknown", "--json").json[0]
    event = waiting.ingest("police", "incident", police_call("J3", AT))
    told = waiting("quarantine", "show", row["id"], "--json").json[0]

    assert event["applied"] == 1
    assert (told["state"], told["closed_at"] is not None) == ("superseded", True)
    assert told["superseded_by"] == json.loads(waiting("export", "events").out.splitlines()[0])["event"]
    assert waiting("quarantine", "show", "code.unknown").code == 2


def test_a_cry_for_help_comes_first(waiting: District) -> None:
    """An unreadable row that speaks of violence stands first in the list and in `hub status`, and nowhere in words."""
    words = "丈夫持刀追打，孩子受伤"
    waiting.ingest("police", "incident", police_call("J9", AT, category="77.9", narrative=words))
    listed, status = waiting("quarantine", "list"), waiting("status")

    assert waiting("quarantine", "list", "--json").json[0]["urgent"] == 1
    assert waiting("status", "--json").json["emergencies"]["open"] == 1
    assert listed.out.startswith("!! 1 ")
    assert status.out.startswith("!! 1 ")
    assert words not in listed.out + listed.err + status.out + status.err
    waiting("quarantine", "discard", "--group", waiting("quarantine", "list", "--json").json[0]["group"])
    assert waiting("status", "--json").json["emergencies"] == {"open": 0, "since": None}


def test_who_reported_is_withheld_from_whoever_mends_a_row(district: District) -> None:
    """The caller's columns of a refused 110 call are not shown, under our names or the police's; the parties are."""
    district.append("police", '\n[streams.incident]\nfields = { "报警人联系电话" = "BJRDH" }\n')
    caller = {"caller_name": "邻居张", "BJRDH": "13900007777", "报警人地址": "隔壁三号"}
    district.ingest("police", "incident", police_call("J9", AT, category="77") | caller)
    shown = district("quarantine", "show", "code.unknown", "--json")

    assert [shown.json[0]["original"].get(name) for name in caller] == ["withheld"] * 3
    assert shown.json[0]["original"]["party_a_name"] == HUSBAND.name
    assert "邻居张" not in district("quarantine", "show", "code.unknown").out
