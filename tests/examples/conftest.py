"""A clean environment with the hub's wheel and the example's wheel, made as a department would make it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "hotline-12345"


def run(*arguments: str | Path, code: int = 0, **options: Any) -> str:
    """Standard output of a command that ends with ``code``; its environment knows nothing of this tree."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "HUB_CONFIG", "VIRTUAL_ENV")}
    done = subprocess.run([*map(str, arguments)], capture_output=True, text=True, env=env, timeout=300, **options)
    assert done.returncode == code, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Installed(NamedTuple):
    """The environment's folder of commands, and one configuration folder."""

    bin: Path
    folder: Path

    def hub(self, *arguments: str, code: int = 0) -> str:
        return run(self.bin / "hub", "--config", self.folder, *arguments, code=code, cwd=self.bin)

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.hub(*arguments, "--json", code=code))

    def export(self, what: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.hub("export", what, "--jsonl", "-").splitlines()]


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The hub's wheel and the example's, built from copies, so that this tree stays as it is."""
    folder = tmp_path_factory.mktemp("wheels")
    source = folder / "hub-source"
    source.mkdir()
    left_out = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "dist")
    for name in ("hub", "connectors"):
        shutil.copytree(ROOT / name, source / name, ignore=left_out)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    shutil.copytree(EXAMPLE, folder / "example-source", ignore=left_out)
    for name in ("hub-source", "example-source"):
        run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder / "dist", folder / name)
    return sorted((folder / "dist").glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Both wheels in an environment that holds nothing else, and a folder that ``hub init`` made there."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder / "venv", with_pip=True)
    made = Installed(folder / "venv" / "bin", folder / "district")
    pip = (made.bin / "python", "-m", "pip", "install", "--quiet", "--no-compile", "-c", ROOT / "constraints.txt")
    run(*pip, *wheels)
    run(made.bin / "hub", "init", made.folder, cwd=folder)
    return made
