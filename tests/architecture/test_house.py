"""The house is straight: the facts about the code that keep the line one line."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HUB = ROOT / "hub"
TESTS = ROOT / "tests"


def python_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "migrations/versions" not in path.as_posix())


def test_only_three_functions_and_custody_write() -> None:
    """`store.write(` stands in land, apply and deliver, each once, and nowhere else but custody."""
    places = {
        path.relative_to(HUB).as_posix(): len(
            re.findall(r"store\.write(?:_together)?\(", path.read_text(encoding="utf-8"))
        )
        for path in python_files(HUB)
        if not path.is_relative_to(HUB / "custody")
    }

    assert {name: n for name, n in places.items() if n} == {
        "line/land.py": 1,
        "line/apply.py": 1,
        "line/deliver.py": 1,
    }


def test_only_moments_compare_with_as_of() -> None:
    """No code of the core but clocks.py compares anything with a name `as_of`."""
    guilty = [
        f"{path.name}:{node.lineno}"
        for path in python_files(HUB / "core")
        if path.name != "clocks.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare)
        and any("as_of" in ast.unparse(side) for side in (node.left, *node.comparators))
    ]

    assert guilty == []


def test_owed_rows_have_no_household_in_a_unique_index() -> None:
    """Reports and duties are known by what causes them, so that a household's merge or move doubles nothing."""
    from hub.store.tables import OwedRow

    unique = [
        {column.name for column in constraint.columns}
        for constraint in OwedRow.__table__.constraints
        if constraint.__class__.__name__ == "UniqueConstraint"
    ]

    assert all("household_id" not in columns for columns in unique)


@pytest.mark.parametrize("banned", ["utils", "helpers", "manager", "misc", "common"])
def test_modules_are_named_after_what_they_do(banned: str) -> None:
    """No module is a drawer for things without a name."""
    assert [path for path in (*python_files(HUB), *python_files(ROOT / "connectors")) if path.stem == banned] == []


def test_every_test_says_what_it_proves() -> None:
    """Each test function has a docstring that states a fact."""
    silent = [
        f"{path.relative_to(TESTS)}::{node.name}"
        for path in python_files(TESTS)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]

    assert silent == []


def test_readme_names_the_rooms_that_exist() -> None:
    """The table of folders in the README and the folders of the house are the same rooms."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(hub/\w+)/`", readme))

    assert {name for name in named if not (ROOT / name).is_dir()} == set()
    for room in ("core", "line", "read", "store", "security", "sdk", "runtime", "cli", "web", "policies"):
        assert f"hub/{room}" in named


def test_files_stay_small() -> None:
    """Core files have about 250 lines at most, others about 400: past that a file holds two things."""
    sizes = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in (*python_files(HUB), *python_files(ROOT / "connectors"))
    }
    tables = {"hub/core/codes.py", "hub/store/tables.py", "hub/core/words.py"}
    large = {
        name: size
        for name, size in sizes.items()
        if name not in tables and size > (350 if name.startswith("hub/core/") else 470)
    }

    assert large == {}


def test_every_silenced_check_says_why() -> None:
    """A `noqa` or `type: ignore` names its rule and is followed by a reason; so is every rule ignored for whole files."""
    silenced = re.compile(r"#\s*(?:noqa|type: ignore)")
    reasoned = re.compile(r"#\s*(?:noqa: [A-Z0-9, ]+|type: ignore\[[a-z, -]+\])\W+\w")
    guilty = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in (HUB, ROOT / "connectors", TESTS, ROOT / "benchmarks", ROOT / "docs", ROOT / "examples")
        for path in python_files(folder)
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if silenced.search(line) and not reasoned.search(line)
    ]
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    ignores = settings.split("[tool.ruff.lint.per-file-ignores]")[1].split("\n\n")[0].strip().splitlines()

    assert guilty == []
    assert [line for line in ignores if "#" not in line] == []


def test_whatever_opens_the_vault_for_people_writes_the_look() -> None:
    """Every file of the command line, and the web's desks, that opens sealed bodies writes on the audit chain first."""
    opening = re.compile(r"(hub|acting)\.vault(?!\.mark_of)|self\._vault(?!\.mark_of)\b")
    silent = [
        path.name
        for path in (*python_files(HUB / "cli"), HUB / "office.py", HUB / "desk/work.py", HUB / "desk/meeting.py")
        if opening.search(text := path.read_text(encoding="utf-8"))
        and not re.search(r"looks\.look\(|self\._look\(|acting\.look\(", text)
    ]

    assert silent == []
