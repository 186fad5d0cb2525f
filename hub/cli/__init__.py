"""The `hub` command: thin faces that parse, call and print. Every result can be had as one JSON document.

A call loads the module of its own command and no other: what the daemon does not need does not delay its first poll.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from hub import logs
from hub.cli.face import RUNNING, Face, HubGroup

__all__ = ["main", "typer_app"]

COMMANDS = {
    "demo": "run", "init": "init", "check": "check", "run": "run", "status": "status", "ingest": "ingest",
    "export": "export", "queue": "queue", "workers": "queue", "review": "review", "comb": "comb",
}  # fmt: skip
"""Command → the module that has a function of its name."""
GROUPS: Mapping[str, Sequence[str]] = {
    "connectors": ("connectors", "kit", "mappings", "sources"),
    "households": ("households", "decisions", "handover"),
    "reports": ("reports",),
    "report": ("report",),
    "duties": ("duties",),
    "notices": ("notices",),
    "quarantine": ("quarantine",),
    "policy": ("policy",),
    "audit": ("audit",),
    "identity": ("identity",),
    "edge": ("edge",),
    "db": ("db",),
}
"""Group → its modules: the first has its ``app``, the others add to it."""
VALUED = ("--config", "--lang", "--log-level")
"""Options before the command that take the next word."""


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"family-care-hub {metadata.version('family-care-hub')}{'' if _is_plain() else ' (compiled)'}")
        raise typer.Exit


def _is_plain() -> bool:
    """Whether the core runs as plain Python; else it was compiled (ADR 0019)."""
    found = find_spec("hub.core.fold")  # found, not loaded: a command loads only what it needs
    return found is None or str(found.origin).endswith(".py")


def hub(
    ctx: typer.Context,
    config: Annotated[Path, typer.Option("--config", envvar="HUB_CONFIG", help="The configuration folder.")] = Path(),
    lang: Annotated[str, typer.Option("--lang", envvar="HUB_LANG", help="Language for people: zh or en.")] = "zh",
    log_level: Annotated[str, typer.Option("--log-level", envvar="HUB_LOG_LEVEL", help="Logs on standard error.")] = "",
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="The version, whether it is compiled, and exit.", callback=_say_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Options that stand before every command."""
    if lang[:2] not in ("zh", "en"):
        raise typer.BadParameter(f"expected zh or en, found {lang}", param_hint="--lang")
    level = log_level.lower() or ("info" if ctx.invoked_subcommand in ("run", "demo") else "warning")
    if level not in ("debug", "info", "warning", "error"):
        raise typer.BadParameter(f"expected debug, info, warning or error, found {log_level}", param_hint="--log-level")
    logs.set_up(level)
    ctx.obj = Face(config, lang[:2])
    RUNNING.set(ctx.obj)


def typer_app(names: Iterable[str] = (*COMMANDS, *GROUPS)) -> typer.Typer:
    """The command with these of its commands and groups."""
    made = typer.Typer(
        cls=HubGroup,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="Family Care Hub 家事关护枢纽: nine units' records, one light, one guaranteed report.",
    )
    made.callback()(hub)
    for name in names:
        if name in COMMANDS:
            made.command()(getattr(import_module(f"hub.cli.{COMMANDS[name]}"), name))
        else:
            first, *_ = [import_module(f"hub.cli.{module}") for module in GROUPS[name]]
            made.add_typer(first.app, name=name)
    return made


def __getattr__(name: str) -> Any:
    """``app``: the whole command, made when somebody asks for it."""
    if name != "app":
        raise AttributeError(name)
    globals()["app"] = made = typer_app()
    return made


def asked_for(words: Sequence[str]) -> str:
    """The command among the words of a call; empty: none that there is, or only a question such as ``--help``."""
    rest = iter(words)
    for word in rest:
        if word in VALUED:
            next(rest, None)
        elif not word.startswith("-"):
            return word if word in COMMANDS or word in GROUPS else ""
    return ""


def main() -> None:
    """The console script."""
    gc.disable()  # modules stay: looking for cycles among them is in vain
    name = asked_for(sys.argv[1:])
    called = typer_app((name,) if name else (*COMMANDS, *GROUPS))
    gc.enable()
    called()
