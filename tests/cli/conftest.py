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
