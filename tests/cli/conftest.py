"""The real command on a real folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli import app


class Told:
    """What one call of the command said."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Hub = Callable[..., Told]


def call(folder: Path, *arguments: str) -> Told:
    """``hub --config FOLDER …``."""
    result = CliRunner().invoke(app, ["--config", str(folder), *arguments], catch_exceptions=False)
    return Told(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "district"
    assert call(folder, "init", str(folder)).code == 0
    return folder


@pytest.fixture
def folder(made_once: Path, tmp_path: Path) -> Path:
    """A folder that ``hub init`` made."""
    shutil.copytree(made_once, tmp_path / "district")
    return tmp_path / "district"


@pytest.fixture
def hub(folder: Path) -> Hub:
    return lambda *arguments: call(folder, *arguments)


@pytest.fixture(scope="session")
def enabled_once(made_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("enabled") / "district"
    shutil.copytree(made_once, folder)
    for path in (folder / "connectors.d").glob("*.toml"):
        assert call(folder, "connectors", "enable", path.stem).code == 0
    return folder


class District:
    """A folder with every connector enabled, and rows to feed it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    def __call__(self, *arguments: str) -> Told:
        return call(self.folder, *arguments)

    def file(self, *rows: dict[str, Any]) -> Path:
        """An NDJSON file of rows."""
        self.count += 1
        path = self.folder / f"in{self.count}.ndjson"
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return path

    def ingest(self, unit: str, stream: str, *rows: dict[str, Any]) -> dict[str, Any]:
        """The receipt of some rows."""
        return dict(self("ingest", unit, stream, str(self.file(*rows)), "--json").json)

    def append(self, name: str, text: str) -> None:
        """Append to a connector's TOML, or to hub.toml."""
        path = self.folder / ("hub.toml" if name == "hub" else f"connectors.d/{name}.toml")
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


@pytest.fixture
def district(enabled_once: Path, tmp_path: Path) -> District:
    """Every connector enabled, an empty archive."""
    shutil.copytree(enabled_once, tmp_path / "enabled")
    return District(tmp_path / "enabled")
