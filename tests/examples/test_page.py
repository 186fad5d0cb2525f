"""The page "Writing a connector" is made of the example, and names only commands that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from docs.slices import fill, slice_of
from hub.cli import app

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "writing-a-connector.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("hub ")
]


def test_page_is_made_of_the_example() -> None:
    """Every slice stands on the page as its file has it now."""
    assert fill(PAGE, ROOT) == PAGE
    assert not re.search(r"-->\n```\w+\n```", PAGE)


def test_every_region_is_shown() -> None:
    """No marked region of the example is left out, and a region that does not exist is an error."""
    example = ROOT / "examples" / "hotline-12345"
    marked = [
        f"{file.relative_to(ROOT)}#{name}"
        for file in sorted(example.rglob("*.*"))
        if file.suffix in (".py", ".toml")
        for name in re.findall(r"^# region: (\S+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert [place for place in marked if f"<!-- slice {place} -->" not in PAGE] == []
    with pytest.raises(LookupError):
        slice_of(example / "pyproject.toml", "nowhere")


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_of_the_page_exist(line: str) -> None:
    """Each `hub …` of the page is a command of ours with these options."""
    words = shlex.split(line)[1:]
    command = typer.main.get_command(app)
    if words[0] == "--config":
        words = words[2:]
    while hasattr(command, "commands"):
        name = words.pop(0) if words[0] in command.commands else "run"  # hub edge NAME
        command = command.commands[name]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert [word for word in words if word.startswith("--") and word not in known] == []
