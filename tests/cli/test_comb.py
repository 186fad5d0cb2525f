"""`hub comb`: history in bulk decides as the line does, finds households, addresses and pairs, and lands nothing."""

from __future__ import annotations

import json
import sqlite3
import stat
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.bulk.engine import Row, open_engine
from tests.cli.conftest import District
from tests.end_to_end.story import GRANDMOTHER, HUSBAND, OTHER_MAN, OTHER_WOMAN, WIFE
from tests.end_to_end.story import call as police_call

duckdb = pytest.importorskip("duckdb", reason="the extra `bulk` is not installed")
STRANGERS = {**OTHER_MAN.block("party_a"), **OTHER_WOMAN.block("party_b")}
PLACE = "虚构路18弄3号201室"


def history() -> list[dict[str, Any]]:
    """Two families over three years: one fierce, one quarrelling; a neighbour's call, a correction, a retraction."""
    calls = [
        police_call("J1", "2023-01-05 20:00:00", intensity="1", place=PLACE),
        police_call("J2", "2023-06-05 20:00:00", intensity="2", place="虚构路 18弄3号 201室"),
        police_call("J3", "2024-02-05 20:00:00", intensity="1", place=PLACE),
        police_call("J4", "2025-03-01 09:00:00", intensity="1") | STRANGERS,
        police_call("J5", "2025-03-02 09:00:00", intensity="1") | STRANGERS,
        police_call("J6", "2025-04-02 09:00:00", category="3", relation="邻居") | GRANDMOTHER.block("party_b"),
        police_call("J7", "2025-05-02 09:00:00", intensity="2") | STRANGERS,
    ]
    calls.append({**calls[6], "updated_at": "2025-06-01 09:00:00", "deleted": "1"})
    calls.append({**calls[3], "updated_at": "2025-06-01 09:00:00", "intensity": "2"})
    return calls


def combed(district: District, source: str, *options: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    out = district.folder / "list.jsonl"
    told = district("comb", source, "--out", str(out), *options, "--json").json
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    return told, [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def of_kind(rows: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["type"] == kind]


def test_it_decides_as_the_line_does_and_lands_nothing(district: District) -> None:
    """The households and lights of a comb are those of the same rows taken as backfill; before, the archive is empty."""
    source = str(district.file(*history()))
    told, rows = combed(district, source)

    assert (told["received"], told["taken"], told["rejected"], told["quarantined"]) == (9, 8, 1, 0)
    assert district("households", "list", "--json").json == []
    assert district("reports", "list", "--json").json == []
    assert district("status", "--json").json["counts"]["received"] == 0

    district("ingest", "police", "incident", source, "--mode", "backfill")
    archive = {
        (row["light"], tuple(sorted(c["rule"] for c in row["concerns"])))
        for row in district("households", "list", "--json").json
    }
    assert {(row["light"], tuple(row["rules"])) for row in of_kind(rows, "household")} == archive
    again, _ = combed(district, source)
    assert again["already_known"] == again["households"] == 2


def test_households_addresses_and_pairs(district: District) -> None:
    """The highest first, with names and days; the address spelt two ways is one; two people on two days are a pair."""
    told, rows = combed(district, str(district.file(*history())))
    first, second = of_kind(rows, "household")

    assert (first["light"], first["days"], first["records"]) == ("red", 3, ["J1", "J2", "J3"])
    assert {p["name"] for p in first["people"]} == {HUSBAND.name, WIFE.name}
    assert (second["light"], second["records"], second["known"]) == ("red", ["J4", "J5"], False)
    (address,) = of_kind(rows, "address")
    assert (address["calls"], address["days"], address["records"]) == (3, 3, ["J1", "J2", "J3"])
    assert sorted(row["days"] for row in of_kind(rows, "pair")) == [2, 3]
    assert told["lights"]["red"] == 2


def test_parquet_and_a_table_are_read_too(district: District) -> None:
    """The same rows as Parquet and as a table of a database give the same list; a table must be named."""
    source = district.file(*history())
    _, expected = combed(district, str(source))
    parquet, database = district.folder / "calls.parquet", district.folder / "front.db"
    duckdb.sql(f"COPY (SELECT * FROM read_json('{source}')) TO '{parquet}' (FORMAT parquet)")
    rows = history()
    names = list(dict.fromkeys(name for row in rows for name in row))
    with sqlite3.connect(database) as front:
        front.execute(f"CREATE TABLE t_jjd ({', '.join(f'{name} TEXT' for name in names)})")
        front.executemany(
            f"INSERT INTO t_jjd VALUES ({', '.join('?' * len(names))})", [[row.get(n) for n in names] for row in rows]
        )

    assert combed(district, str(parquet))[1] == expected
    assert combed(district, f"sqlite:///{database}", "--table", "t_jjd")[1] == expected
    assert district("comb", f"sqlite:///{database}").code == 2
    assert district("comb", str(source), "--engine", "spark://cluster").code == 2


@given(st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=3), min_size=1, max_size=25))
@settings(max_examples=40, deadline=None)
def test_groups_are_the_connected_ones(values: list[list[int]]) -> None:
    """The engine's groups are the connected components of shared values, however long the chain."""
    with open_engine("embedded") as engine:
        engine.add(
            [
                Row(f"N{n}", 1, False, n, "police_call", "{}", "", "[]", tuple(f"v{v}" for v in own), "", f"u{n}", b"x")
                for n, own in enumerate(values)
            ]
        )
        found = {frozenset(kept.no for kept in group) for group in engine.groups()}

    parent = list(range(len(values)))

    def root(n: int) -> int:
        while parent[n] != n:
            n = parent[n]
        return n

    for a, mine in enumerate(values):
        for b, other in enumerate(values[:a]):
            if set(mine) & set(other):
                parent[root(a)] = root(b)
    expected: dict[int, set[str]] = {}
    for n in range(len(values)):
        expected.setdefault(root(n), set()).add(f"N{n}")
    assert found == {frozenset(group) for group in expected.values()}


@pytest.mark.parametrize("days", [2, 4])
def test_how_often_an_address_must_call_is_asked(district: District, days: int, tmp_path: Path) -> None:
    """--repeat-days moves the line between a bad evening and an address worth a look."""
    _, rows = combed(district, str(district.file(*history())), "--repeat-days", str(days))

    assert Counter(row["type"] for row in rows)["address"] == (1 if days <= 3 else 0)
