"""A fresh hub folder per test, copied from one made by ``hub init``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.end_to_end.story import Hub


@pytest.fixture(scope="session")
def made_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Hub(tmp_path_factory.mktemp("template")).folder


@pytest.fixture
def hub(made_folder: Path, tmp_path: Path) -> Hub:
    made = Hub.__new__(Hub)
    made.folder, made.inbox, made.count = tmp_path / "district", tmp_path / "inbox", 0
    made.inbox.mkdir()
    shutil.copytree(made_folder, made.folder)
    return made
