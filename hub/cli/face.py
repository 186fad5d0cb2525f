"""What every command shares: the folder it works on, its language, its JSON, and how a failure is told.

Results go to standard output, one JSON document with ``--json``; everything else goes to standard error.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from hub.config.configuration import ConfigurationMistakes
from hub.core.acts import ActError
from hub.core.errors import ConfigurationError, HubError, RetryError
from hub.core.problems import text_of
from hub.core.sentences import Say
from hub.read.households import NotFoundError
from hub.speech import LOCALE as LOCALE
from hub.speech import speak as speak

DONE, ATTENTION, WRONG, BUSY = 0, 1, 2, 3
"""Exit codes of the contract: done · something needs attention · wrong usage or configuration · try again."""


@dataclass
class Face:
    """The command line as called: configuration folder, language, and whether a JSON document is wanted."""

    folder: Path
    lang: str = "zh"
    json: bool = False

    @property
    def say(self) -> Say:
        """Messages in the caller's language."""
        return speak(self.lang)


RUNNING: ContextVar[Face] = ContextVar("RUNNING", default=Face(Path(), "en"))  # noqa: B039  # nobody writes the default
"""The command line of the command that runs, for what has no context at hand."""


class HubGroup(TyperGroup):
    """The root command: turns the hub's own errors into a sentence and an exit code, never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; HubError → what, where, why, what to do."""
        try:
            return super().invoke(ctx)
        except HubError as error:
            face = ctx.obj if isinstance(ctx.obj, Face) else Face(Path())
            tell_error(error, as_json=face.json)
            raise typer.Exit(exit_code(error)) from error
        except Exception as error:
            if type(error).__module__.startswith(("click", "typer")):
                raise  # usage mistakes and exits are told by the library
            if logging.getLogger().isEnabledFor(logging.DEBUG):
                raise
            as_json = isinstance(ctx.obj, Face) and ctx.obj.json
            raise typer.Exit(tell_defect(error, as_json=as_json)) from error


def exit_code(error: HubError) -> int:
    """Which exit code a failure has."""
    if isinstance(error, ConfigurationError | UsageMistake | NotFoundError | ActError):
        return WRONG
    return BUSY if isinstance(error, RetryError) else ATTENTION


class UsageMistake(HubError):
    """The command was called with something that does not exist or does not fit."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, code="usage.invalid", remedy=remedy)


def tell_error(error: HubError, *, as_json: bool) -> None:
    """A failure on standard error, and as the one JSON document where that was asked for."""
    if as_json:
        told: dict[str, Any] = {"code": error.code, "message": str(error), "remedy": error.remedy}
        if isinstance(error, ConfigurationMistakes):
            told["mistakes"] = [mistake._asdict() for mistake in error.mistakes]
        emit({"error": told})
    message, todo, remedy = _words(error)
    typer.echo(f"hub: {message}", err=True)
    if remedy:
        typer.echo(f"  {todo}: {remedy}", err=True)


def _words(error: HubError) -> tuple[str, str, str]:
    """What is wrong and what to do; a refusal of what a person wants to do is said in that person's language."""
    if not isinstance(error, ActError) or running_face().lang != "zh":
        return str(error), "to do", error.remedy
    text = text_of(error.code)
    return text.chinese + (f"：{error.detail}" if error.detail else ""), running_face().say("to do"), text.remedy_zh


def tell_defect(error: Exception, *, as_json: bool = False) -> int:
    """A mistake of ours, by its class and place: its text might quote a record. The exit code."""
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ATTENTION
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    if as_json:
        emit({"error": {"code": "hub.defect", "message": f"{type(error).__name__} at {where}", "remedy": "report it"}})
    typer.echo(f"hub: a defect of the hub: {type(error).__name__} at {where}", err=True)
    typer.echo("  to do: report it with this line; --log-level debug shows the whole path", err=True)
    return ATTENTION


def _note_json(ctx: typer.Context, value: bool) -> bool:
    face = ctx.find_root().obj
    if value and isinstance(face, Face):
        face.json = True
    return value


Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.", callback=_note_json)]


def face_of(ctx: typer.Context) -> Face:
    """The shared state of this call."""
    face = ctx.find_root().obj
    assert isinstance(face, Face)
    return face


def emit(document: object) -> None:
    """One JSON document on standard output."""
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


def note(text: str) -> None:
    """A remark for the person at the terminal: standard error, so that results stay clean."""
    typer.echo(text, err=True)


def running_face() -> Face:
    """The command line of the command that runs; English where none does."""
    return RUNNING.get()


def show_table(headers: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """A table on standard output; its heads and title are messages, said in the language of the command."""
    say = running_face().say
    table = Table(
        *(say(head) for head in headers), title=say(title) if title else None, box=box.SIMPLE_HEAD, title_justify="left"
    )
    for row in rows:
        table.add_row(*("—" if cell in (None, "") else str(cell) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False, markup=False)
    console.print(table)


def show_pairs(pairs: Mapping[str, object]) -> None:
    """Names and values, one a line, on standard output."""
    for name, value in pairs.items():
        typer.echo(f"{name}: {'—' if value in (None, '') else value}")
