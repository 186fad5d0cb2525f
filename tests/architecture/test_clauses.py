"""Every clause of the district document is answered: by a rule, duty, report, test and command that exist."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from docs import clauses
from hub.cli import app

ROOT = Path(__file__).parents[2]
DOCUMENT = (
    "一", "二(一)", "二(一)红", "二(一)橙", "二(一)黄", "二(一)绿", "二(一)转换", "二(二)", "二(二)①", "二(二)②", "二(二)③",
    "二(二)④", "三", "三(一)", "三(一)一", "三(一)二", "三(一)三", "三(二)一", "三(二)二", "三(二)三", "三(三)一", "三(三)二",
    "四(一)", "四(二)", "四(三)", "四(四)", "五", *(f"五({n})" for n in "一二三四五六七八九"),
)  # fmt: skip
"""Every clause of the document, in its order."""
RAW = clauses.policy()
ROWS = {row["id"]: row for row in clauses.rows()}


@lru_cache
def functions_of(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def commands_of(command: Any, path: str = "hub") -> set[str]:
    inner = getattr(command, "commands", None)
    if inner is None:
        return {path}
    return {one for name, sub in inner.items() for one in commands_of(sub, f"{path} {name}")}


def test_every_clause_of_the_document_has_its_row() -> None:
    """The table has the clauses of the document, all of them, in their order."""
    assert tuple(ROWS) == DOCUMENT


@pytest.mark.parametrize("clause", DOCUMENT)
def test_what_answers_to_a_clause_exists(clause: str) -> None:
    """At least one test and one command, and everything the row names is there."""
    row = ROWS[clause]
    known = {column: {one["id"] for one in RAW[table]} for column, table in clauses.TABLES.items()}

    assert row["tests"]
    assert row["commands"]
    for test in row["tests"]:
        file, _, name = test.partition("::")
        assert name in functions_of(file), test
    assert set(row["commands"]) <= commands_of(typer.main.get_command(app))
    for column, ids in known.items():
        named = row.get(column, [])
        assert named is True or set(named) <= ids


def test_nothing_in_the_policy_is_left_without_a_clause_or_a_law() -> None:
    """Every rule, way down, report and duty stands in a row, or in the list of what rests on a law alone."""
    placed = {one for row in ROWS.values() for found in clauses.answers(row, RAW).values() for one in found}
    placed |= {name for name, law in clauses.by_law_alone(RAW) if law}

    assert {one["id"] for table in clauses.TABLES.values() for one in RAW[table]} - placed == set()


def test_the_policy_cites_clauses_that_exist() -> None:
    """No rule cites a clause that the document does not have."""
    cited = {
        one for table in clauses.TABLES.values() for row in RAW[table] for one in clauses.cited(row.get("clause", ""))
    }

    assert cited - set(DOCUMENT) == set()
