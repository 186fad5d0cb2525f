from __future__ import annotations

import sys
import textwrap
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from hub.core.errors import ConfigurationError
from hub.runtime.plugins import GROUP, installed_connectors, read_manifests
from hub.runtime.supervisor import Bounds, ChildSpec, Supervisor
from hub.sdk import find_manifest

BROKEN = {
    "raises": "raise RuntimeError('boom')",
    "exits": "raise SystemExit(3)",
    "ends": "import os; os._exit(0)",
    "crashes": "import ctypes; ctypes.memset(0, 1, 4096)",
    "hangs": "import time; time.sleep(3600)",
    "prints": "print('x' * 1_000_000); raise KeyError('张三 13800000000')",
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


def refusal(name: str, entry: str, *, load: float = 20.0) -> str:
    """Why a connector is refused in its own process."""
    asked = Supervisor(ChildSpec(name=name, entry=entry, unit="police", bounds=Bounds(load=load)))
    with pytest.raises(ConfigurationError) as caught:
        asked.start()
    assert (asked.state, asked.pid, caught.value.code) == ("refused", None, "connector.refused")
    asked.close()
    return str(caught.value)


REASONS = {
    "raises": "RuntimeError", "exits": "SystemExit", "ends": "ends while loading", "crashes": "ends while loading",
    "hangs": "too long to load", "prints": "KeyError", "misspelt": "hub_register_conectors", "silent": "no connector",
    "hookless": "no connector", "foreign": "a str, not a Connector", "renamed": "expected one connector called renamed",
    "wrong_arguments": "more",
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_connector_is_refused_by_name_with_its_reason(name: str, broken: list[EntryPoint]) -> None:
    """Exit, crash, hang, noise or a wrong hook on import: the child is lost, the hub reads the reason, without values."""
    reason = refusal(name, f"broken_{name}", load=1.0 if name == "hangs" else 20.0)

    assert name in reason
    assert REASONS[name] in reason
    assert "张三" not in reason
    assert "13800000000" not in reason
    assert f"broken_{name}" not in sys.modules


def test_missing_package_is_refused() -> None:
    """An entry point left behind by a removed package stops nobody."""
    assert "ModuleNotFoundError" in refusal("gone", "no_such_package")


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
