"""`hub quarantine`: rows that wait, once more after a fix, or given up; receipts show the present."""

from __future__ import annotations

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
