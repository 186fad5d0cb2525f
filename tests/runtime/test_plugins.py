from __future__ import annotations

import sys
import textwrap
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from hub.runtime.plugins import GROUP, installed_connectors, load_connectors, read_manifests
from hub.sdk import find_manifest

BROKEN = {
    "raises": "raise RuntimeError('boom')",
    "exits": "raise SystemExit(3)",
    "misspelt": """
        from hub.sdk import hookimpl
        @hookimpl
        def hub_register_conectors(register): pass
    """,
    "silent": """
        from hub.sdk import hookimpl
        @hookimpl
        def hub_register_connectors(register): pass
    """,
    "hookless": "x = 1",
    "foreign": """
        from hub.sdk import hookimpl
        @hookimpl
        def hub_register_connectors(register): register("police")
    """,
    "renamed": """
        from hub.sdk import hookimpl
        @hookimpl
        def hub_register_connectors(register):
            from connectors.police.mapping import CONNECTOR
            register(CONNECTOR)
    """,
    "wrong_arguments": """
        from hub.sdk import hookimpl
        @hookimpl
        def hub_register_connectors(register, more): pass
    """,
}


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[EntryPoint]:
    """One package for each way of being broken, importable for this test."""
    for name, source in BROKEN.items():
        (tmp_path / f"broken_{name}.py").write_text(textwrap.dedent(source))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield [EntryPoint(name, f"broken_{name}", GROUP) for name in BROKEN]
    for name in BROKEN:
        sys.modules.pop(f"broken_{name}", None)


def test_broken_connectors_are_refused_by_name_and_the_others_are_ready(broken: list[EntryPoint]) -> None:
    """Eight ways of being broken, SystemExit among them: each refused with its reason, all ten of ours loaded."""
    loaded = load_connectors(points=[*broken, *installed_connectors().values()])

    assert set(loaded.refused) == set(BROKEN)
    assert set(loaded.connectors) == set(installed_connectors())
    assert "RuntimeError" in loaded.refused["raises"]
    assert "SystemExit" in loaded.refused["exits"]
    assert "hub_register_conectors" in loaded.refused["misspelt"]
    assert "no connector" in loaded.refused["silent"]
    assert "expected one connector called renamed" in loaded.refused["renamed"]


def test_only_the_named_connectors_are_imported(broken: list[EntryPoint]) -> None:
    """The daemon loads what is enabled; one that is not installed is named."""
    loaded = load_connectors(only=["police", "nobody"], points=[*broken, *installed_connectors().values()])

    assert list(loaded.connectors) == ["police"]
    assert dict(loaded.refused) == {"nobody": "it is not installed"}
    assert "broken_exits" not in sys.modules


def test_missing_package_is_refused() -> None:
    """An entry point left behind by a removed package stops nobody."""
    loaded = load_connectors(points=[EntryPoint("gone", "no_such_package", GROUP)])

    assert "ModuleNotFoundError" in loaded.refused["gone"]


def test_manifests_are_read_without_importing(broken: list[EntryPoint]) -> None:
    """A manifest is data; packages without one are refused and stay unimported."""
    found = read_manifests([*broken, installed_connectors()["court"]])

    assert list(found.manifests) == ["court"]
    assert set(found.refused) == set(BROKEN)
    assert "broken_raises" not in sys.modules


def test_unit_has_one_connector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two connectors that claim a unit the one of its name is taken; the other is refused, and told whose it is."""
    for name in ("alpha", "police"):
        folder = tmp_path / f"{name}_package"
        folder.mkdir()
        (folder / "__init__.py").touch()
        text = find_manifest("connectors.police").read_text(encoding="utf-8")
        (folder / "manifest.toml").write_text(text.replace('name = "police"', f'name = "{name}"'), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))

    found = read_manifests([EntryPoint(name, f"{name}_package", GROUP) for name in ("alpha", "police")])

    assert list(found.manifests) == ["police"]
    assert found.refused == {"alpha": "its unit police is connector police's already; a unit has one connector"}
