"""The audit chain: every look is written first; what is changed, taken out, swapped or cut off is found."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from hub.custody import audit
from hub.custody.audit import Look
from hub.store.engine import SqlStore
from tests.cli.conftest import District
from tests.end_to_end.story import HUSBAND
from tests.end_to_end.story import call as police_call
from tests.line.line_kit import NOW, VAULT

AT = "2026-03-01 20:00:00"


@pytest.fixture
def looked(district: District) -> District:
    """Looks of several kinds, one with its purpose."""
    district.ingest("police", "incident", police_call("J1", AT, intensity="2"), police_call("J2", AT, category="77"))
    household = district("households", "list", "--json").json[0]["household"]
    assert district("households", "show", household, "--purpose", "月度例会").code == 0
    assert district("households", "explain", household).code == 0
    assert district("quarantine", "show", "code.unknown").code == 0
    assert district("export", "households").code == 0
    assert district("reports", "show", "MR-1").code == 2
    return district


def acts(district: District) -> list[str]:
    return [json.loads(line)["act"] for line in district("export", "audit").out.splitlines()]


def test_every_look_is_on_the_chain(looked: District) -> None:
    """Shows, explanations, exports and a look for something absent: who, what, what for, and no name."""
    told = looked("export", "audit", "--purpose", "检查")

    assert acts(looked) == [
        "household.show", "household.explain", "quarantine.show", "export.households", "report.show", "export.audit",
        "export.audit",
    ]  # fmt: skip
    assert "月度例会" in told.out
    assert HUSBAND.name not in told.out
    assert looked("audit", "verify", "--json").json == {"entries": 7, "first_bad": None, "why": ""}


@pytest.mark.parametrize(
    ("harm", "bad", "why"),
    [
        ("UPDATE audit SET who = 'nobody' WHERE number = 2", 2, "changed"),
        ("DELETE FROM audit WHERE number = 2", 2, "missing"),
        ("DELETE FROM audit WHERE number = 5", 5, "cut off, or an older backup"),
        (
            "UPDATE audit SET digest = (SELECT a.digest FROM audit a WHERE a.number = 1) WHERE number = 3",
            3,
            "changed",
        ),
        ("UPDATE audit SET number = -number WHERE number IN (2, 3); UPDATE audit SET number = 5 + number WHERE number < 0", 2, "swapped or put in"),
    ],
)  # fmt: skip
def test_harm_to_the_chain_is_found(looked: District, harm: str, bad: int, why: str) -> None:
    """The first bad entry is named, and the command exits 1."""
    with sqlite3.connect(looked.folder / "hub.db") as raw:
        raw.executescript(harm)
    raw.close()
    told = looked("audit", "verify", "--json")

    assert (told.code, told.json["first_bad"], told.json["why"]) == (1, bad, why)


def test_a_look_that_cannot_be_written_shows_nothing(looked: District) -> None:
    """Without its entry nothing personal is read."""
    with sqlite3.connect(looked.folder / "hub.db") as raw:
        raw.execute("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END")
    raw.close()
    told = looked("export", "households")

    assert told.code == 1
    assert told.out == ""


def test_two_nodes_make_one_chain(store: SqlStore, tmp_path: Path) -> None:
    """On both engines entries follow each other without gap, whoever writes them."""
    for number in range(5):
        audit.record(store, VAULT.mark_of, Look(f"node{number % 2}", "exporter", "export.events"), NOW, tmp_path)

    assert audit.verify(store, VAULT.mark_of, tmp_path) == audit.Verdict(5)
