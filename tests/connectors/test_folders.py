"""Every connector folder looks the same, keeps to the SDK, and proves what its quality file calls done."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.core.codes import CODES
from hub.core.words import KINDS
from tests.connectors.sample_files import ANY_UNIT, NAMES, ROOT, connector, sample_rows, samples

FILES = ("__init__.py", "manifest.toml", "mapping.py", "quality.toml", "samples", "schema.py")
WORLD = ("socket", "subprocess", "httpx", "sqlalchemy", "os", "time", "datetime", "random", "logging")
"""Modules a table has no use for."""


def own_streams(name: str) -> list[str]:
    """Streams of the unit itself; those of any unit are shown once, with the grid platform."""
    return [s for s in connector(name).streams if s not in ANY_UNIT or (name, s) in samples()]


def modules_of(path: Path) -> set[str]:
    """Names of the modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def folder_layout(name: str) -> bool:
    """The same files under the same names."""
    return {path.name for path in (ROOT / name).iterdir() if path.name != "__pycache__"} == set(FILES)


def manifest_complete(name: str) -> bool:
    """Every stream of the tables with freshness, legal basis and data classes."""
    made = connector(name)
    return made.streams.keys() == made.manifest.streams.keys() and all(
        promise.legal_basis and promise.data_classes for promise in made.manifest.streams.values()
    )


def tables_only(name: str) -> bool:
    """Standard library without a world in it, the SDK, and itself."""
    modules = {module for path in (ROOT / name).glob("*.py") for module in modules_of(path)}
    return all(
        module == "hub.sdk"
        or module.startswith(f"connectors.{name}.")
        or (module.split(".")[0] in sys.stdlib_module_names and module.split(".")[0] not in WORLD)
        for module in modules
    )


def both_headers(name: str) -> bool:
    """Two headers for each column (紧急 of a protection order is another column's)."""
    missing = {f.name for s in connector(name).streams.values() for f in s.fields if not f.header}
    return missing <= {"immediate_danger"}


def golden_samples(name: str) -> bool:
    """At least five rows for each stream of its own."""
    return all(len(sample_rows(name, stream)) >= 5 for stream in own_streams(name))


def codes_both_ways(name: str) -> bool:
    """A number and a word for at least one code of each stream that has codes."""
    return all(_shows_both(name, stream) for stream in own_streams(name))


def _shows_both(name: str, stream: str) -> bool:
    table = connector(name).streams[stream]
    coded = {
        field.header: field.codes or KINDS[table.kind].facts[field.to[5:]].table
        for field in table.fields
        if field.to.startswith("fact:") and field.to[5:] in KINDS[table.kind].facts
        and KINDS[table.kind].facts[field.to[5:]].form in ("code", "codes")
    }  # fmt: skip
    cells = {(header, str(row.get(header))) for row in sample_rows(name, stream) for header in coded}
    numbers = any(cell == number for header, cell in cells for number, _, _ in CODES[coded[header]] if number)
    words = any(cell in code[1:] for header, cell in cells for code in CODES[coded[header]])
    return not coded or (words and (numbers or stream in ("special_household", "report_feedback")))


def retraction_sample(name: str) -> bool:
    """A retracted row in each sample."""
    return all(
        any(row.get("删除标志") not in ("", None, False) for row in sample_rows(name, stream))
        for stream in own_streams(name)
    )


def identity_samples(name: str) -> bool:
    """A masked and an empty ID number in each sample that has persons."""
    for stream in own_streams(name):
        cells = [
            str(c or "")
            for row in sample_rows(name, stream)
            for h, c in row.items()
            if h.endswith(("证件号码", "学籍号"))
        ]
        if cells and not (any("*" in cell for cell in cells) and "" in cells):
            return False
    return True


def hostile_rows(name: str) -> bool:
    """Proved by test_golden; here: a row that is no object is one problem."""
    return all(len(connector(name).map_rows(stream, [None, "", 3])) == 3 for stream in connector(name).streams)


def never_store(name: str) -> bool:
    """Some stream names columns that are dropped before a page is stored."""
    return any(promise.never_store for promise in connector(name).manifest.streams.values())


def real_headers(name: str) -> bool:
    """The headers of the real system are written down beside the samples."""
    return "fields" in (ROOT / name / "samples" / "README.md").read_text(encoding="utf-8")


CHECKS: dict[str, Callable[[str], bool]] = {
    check.__name__: check
    for check in (
        folder_layout, manifest_complete, tables_only, both_headers, golden_samples, codes_both_ways, retraction_sample,
        identity_samples, hostile_rows, never_store, real_headers,
    )
}  # fmt: skip


def test_folders_are_the_installed_connectors() -> None:
    """Each folder is an installed connector and each installed one of this distribution has a folder."""
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    points = project["entry-points"]["hub.connectors"]

    assert (
        {path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "__pycache__"}
        == set(points)
        == set(NAMES)
    )
    assert all(module == f"connectors.{name}" for name, module in points.items())
    assert not (ROOT / "__init__.py").exists()


@pytest.mark.parametrize("name", NAMES)
def test_connector_is_small(name: str) -> None:
    """A connector is at most 400 lines of Python in all."""
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / name).rglob("*.py")) <= 400


@pytest.mark.parametrize("name", NAMES)
def test_package_says_what_it_sends(name: str) -> None:
    """The package's docstring says what the unit sends, by which law and in which rhythm, and holds the one hook."""
    tree = ast.parse((ROOT / name / "__init__.py").read_text(encoding="utf-8"))
    text = ast.get_docstring(tree) or ""

    assert all(word in text for word in ("Sends:", "Receives:", "Legal basis:", "Rhythm:"))
    assert [node.name for node in tree.body if isinstance(node, ast.FunctionDef)] == ["hub_register_connectors"]


@pytest.mark.parametrize("name", NAMES)
def test_every_message_received_has_a_form(name: str) -> None:
    """The kinds of message the mapping renders are those the manifest says the unit receives."""
    made = connector(name)

    assert made.renderers.keys() == made.manifest.receives.keys()


@pytest.mark.parametrize("name", NAMES)
def test_done_is_proved(name: str) -> None:
    """Every quality rule is declared; each one called done passes its check, each other one gives a reason."""
    declared = tomllib.loads((ROOT / name / "quality.toml").read_text(encoding="utf-8"))["rules"]

    assert declared.keys() == CHECKS.keys()
    for rule, state in declared.items():
        if state == "done":
            assert CHECKS[rule](name), f"{name}: {rule} is called done and is not"
        else:
            assert list(state) in (["exempt"], ["todo"])
            assert next(iter(state.values())).strip()


@pytest.mark.parametrize("name", NAMES)
def test_people_in_samples_are_invented(name: str) -> None:
    """Sample phone numbers lie in the invented range and addresses in the invented road."""
    for stream in own_streams(name):
        for row in sample_rows(name, stream):
            for header, cell in row.items():
                if header.endswith("联系电话") and cell:
                    assert str(cell).startswith("139000001")
                if header.endswith("地址") and cell:
                    assert "虚构" in cell
