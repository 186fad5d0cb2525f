"""A scaffolded package is whole, its names are checked, and it passes the kit untouched."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.config.configuration import examine as examine_settings
from hub.core.errors import ConfigurationError
from hub.kit.checks import CHECKS
from hub.kit.scaffold import TRANSPORTS, write_package
from hub.kit.target import find_target
from hub.kit.verdict import examine
from hub.sdk.manifest import read_manifest
from hub.settings import Installed

GOLD = {check.id for check in CHECKS if check.level != "platinum"}
QUICK = {check.id for check in CHECKS if check.level in ("bronze", "silver")}


def run(*arguments: str) -> tuple[int, str]:
    """The command's exit code and its standard output."""
    result = CliRunner().invoke(app, ["--lang", "en", *arguments])
    return result.exit_code, result.stdout


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_untouched_package_is_silver(tmp_path: Path, transport: str) -> None:
    """What the scaffold writes for any transport maps its samples as its golden drafts say, lawfully and quietly."""
    write_package("night_line", "night_line", transport, tmp_path, stands_for="civil_affairs")

    verdict = examine(find_target(str(tmp_path / "night-line")), only=QUICK)

    assert [(r.check.id, r.found) for r in verdict.results if r.state not in ("passed", "exempt")] == []


def test_untouched_package_is_gold(tmp_path: Path) -> None:
    """By the command a stranger uses, from an empty folder to gold in two lines; --json tells every check."""
    assert run("connectors", "new", "night_line", "--unit", "health", "--into", str(tmp_path))[0] == 0
    manifest = read_manifest(tmp_path / "night-line" / "night_line" / "manifest.toml")
    assert (manifest.unit, manifest.stands_for) == ("night_line", "health")  # the unit itself has a connector already

    code, told = run("connectors", "test", str(tmp_path / "night-line"), "--level", "gold", "--json")

    document = json.loads(told)
    assert [
        (c["id"], c["found"]) for c in document["checks"] if c["level"] != "platinum" and c["state"] == "failed"
    ] == []
    assert (code, document["level"], document["reached"]) == (0, "gold", True)
    assert {check["id"] for check in document["checks"]} == {check.id for check in CHECKS}


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    """Two connectors of one name refuse each other, so the second is not even written."""
    assert run("connectors", "new", "police", "--unit", "police", "--into", str(tmp_path))[0] == 2
    assert list(tmp_path.iterdir()) == []


def test_package_is_complete(tmp_path: Path) -> None:
    """A package, its entry point, its settings for IT staff and a test of three lines."""
    write_package("night_line", "health", "table", tmp_path, title="某热线")
    folder = tmp_path / "night-line"
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    settings = tomllib.loads((folder / "settings" / "night_line.toml").read_text(encoding="utf-8"))

    assert project["build-system"]["build-backend"] == "hatchling.build"
    assert project["project"]["entry-points"] == {"hub.connectors": {"night_line": "night_line"}}
    assert settings["streams"]["conflict"]["transport"] == "table"
    assert {path.name for path in (folder / "night_line").iterdir()} == {
        "__init__.py", "manifest.toml", "schema.py", "mapping.py", "quality.toml", "samples",
    }  # fmt: skip
    code = [
        line for line in (folder / "tests" / "test_conformance.py").read_text(encoding="utf-8").splitlines() if line
    ]
    assert [line for line in code if not line.lstrip().startswith('"""')] == [
        "from hub.sdk.testing import conformance",
        "def test_conformance() -> None:",
        '    conformance("night_line", level="gold")',
    ]
    assert "$" not in "".join(p.read_text(encoding="utf-8") for p in folder.rglob("*.py"))


@pytest.mark.parametrize("name", ["Line", "1line", "line-x", "class", "l", "x" * 41, "json", "hub", "../line"])
def test_names_are_checked(tmp_path: Path, name: str) -> None:
    """A name that cannot be a module, or is one already, is refused and nothing is written."""
    with pytest.raises(ConfigurationError, match="name: expected"):
        write_package(name, "health", "rest", tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_unit_outside_the_ten_says_whom_it_stands_for(tmp_path: Path) -> None:
    """A unit of its own names the unit under whose rules it falls; without that it is refused."""
    with pytest.raises(ConfigurationError, match="--stands-for"):
        write_package("night_line", "night_line", "rest", tmp_path)
    write_package("night_line", "night_line", "rest", tmp_path, stands_for="community_grid")

    verdict = examine(
        find_target(str(tmp_path / "night-line")), only={"manifest.valid", "load.alone", "samples.golden"}
    )

    assert [result.state for result in verdict.results] == ["passed"] * 3


def test_existing_folder_is_refused(tmp_path: Path) -> None:
    """A second call overwrites nothing; exit code 2."""
    (tmp_path / "night-line").mkdir()

    assert run("connectors", "new", "night_line", "--unit", "health", "--into", str(tmp_path))[0] == 2
    assert list((tmp_path / "night-line").iterdir()) == []


def test_golden_drafts_are_written_on_request(tmp_path: Path) -> None:
    """--write-golden puts down what the samples become now, one draft a line."""
    write_package("night_line", "health", "files", tmp_path)
    golden = tmp_path / "night-line" / "night_line" / "samples" / "conflict.drafts.json"
    before = golden.read_text(encoding="utf-8")
    golden.write_text("[]", encoding="utf-8")

    from hub.kit.golden import write_golden

    assert write_golden(find_target(str(tmp_path / "night-line"))) == [golden]
    assert json.loads(golden.read_text(encoding="utf-8")) == json.loads(before)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_settings_are_good_as_they_stand(tmp_path: Path, transport: str) -> None:
    """What IT staff copy into connectors.d is read without a mistake, whatever the transport."""
    write_package("night_line", "health", transport, tmp_path)
    (tmp_path / "hub" / "connectors.d").mkdir(parents=True)
    (tmp_path / "hub" / "hub.toml").touch()
    settings = tmp_path / "night-line" / "settings" / "night_line.toml"
    (tmp_path / "hub" / "connectors.d" / "night_line.toml").write_bytes(settings.read_bytes())

    read, mistakes = examine_settings(
        tmp_path / "hub", {"night_line": Installed(("conflict", "duty_answer"), ("duty",))}
    )

    assert mistakes == []
    assert read.connectors["night_line"].streams["conflict"].transport == transport


def test_package_is_found_by_its_name_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its three-line test runs in its folder before anything is installed."""
    write_package("night_line", "health", "push", tmp_path)
    monkeypatch.chdir(tmp_path / "night-line")

    assert find_target("night_line").folder == tmp_path / "night-line" / "night_line"
    with pytest.raises(ConfigurationError, match="no connector"):
        find_target("day_line")
