"""The level a connector claims is the level the kit computes; no built-in one is below gold."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.kit.bench import Forge
from hub.kit.checks import CHECKS, LEVELS, Check
from hub.kit.scaffold import write_package
from hub.kit.target import find_target
from hub.kit.verdict import Result, Verdict, examine, is_enough
from hub.runtime.plugins import installed_connectors
from hub.sdk.testing import conformance

BUILT_IN = sorted(name for name, point in installed_connectors().items() if point.module.startswith("connectors."))


@pytest.fixture(scope="module")
def forge() -> Iterator[Forge]:
    """One set of processes that fork children, for the whole module."""
    made = Forge()
    yield made
    made.close()


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_connector_is_gold(name: str, forge: Forge) -> None:
    """Every check up to gold passes, and quality.toml claims exactly the level that was computed."""
    target = find_target(name)
    claimed = tomllib.loads((target.folder / "quality.toml").read_text(encoding="utf-8"))["level"]

    verdict = examine(target, forge=forge)

    below = {c.id for c in CHECKS if c.level != "platinum"}
    assert [(r.check.id, r.found) for r in verdict.results if r.state == "failed" and r.check.id in below] == []
    assert verdict.level == claimed
    assert is_enough(claimed, "gold")


def verdict_of(**states: str) -> Verdict:
    """A verdict with one check for each level, in the given state; passed where none is given."""
    return Verdict("x", tuple(Result(_check(level), states.get(level, "passed"), ("found",)) for level in LEVELS))


def _check(level: str) -> Check:
    return next(check for check in CHECKS if check.level == level)


@pytest.mark.parametrize(
    ("states", "level"),
    [
        ({}, "platinum"),
        ({"platinum": "failed"}, "gold"),
        ({"gold": "exempt", "platinum": "skipped"}, "gold"),
        ({"silver": "failed"}, "bronze"),
        ({"bronze": "skipped"}, ""),
        ({"bronze": "failed", "gold": "failed"}, ""),
    ],
)
def test_level_is_the_highest_without_a_gap(states: dict[str, str], level: str) -> None:
    """A failed or skipped check caps the level below its own, whatever passes above; exempt does not."""
    assert verdict_of(**states).level == level


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_check_explains_itself(check: Check) -> None:
    """Every check has a level, a sentence of what it proves and a remedy, in Chinese and in English."""
    assert check.level in LEVELS
    assert all(len(text) > 5 for text in (check.proves, check.proves_zh, check.remedy, check.remedy_zh))
    assert any("\u4e00" <= mark <= "\u9fff" for mark in check.proves_zh)
    assert any("\u4e00" <= mark <= "\u9fff" for mark in check.remedy_zh)


def test_ids_are_unique() -> None:
    """No two checks share a name."""
    assert len({check.id for check in CHECKS}) == len(CHECKS)


def test_door_of_the_kit_says_what_failed(tmp_path: Path) -> None:
    """The three-line test fails with each check below the level asked for, what it found, and what to do."""
    write_package("night_line", "health", "files", tmp_path)
    manifest = tmp_path / "night-line" / "night_line" / "manifest.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(">=1,<2", ">=2"), encoding="utf-8")

    with pytest.raises(AssertionError) as told:
        conformance(str(tmp_path / "night-line"), level="silver")

    lines = str(told.value).splitlines()
    assert lines[0].endswith("night-line is below bronze, silver was asked for:")
    assert lines[1].startswith("manifest.valid (bronze): ")
    assert "expected a range that holds 1" in lines[1]
    assert lines[2].startswith("    to do: ")
    assert not any("fault." in line for line in lines)
