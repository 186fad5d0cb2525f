"""The `hub` command: thin faces that parse, call and print. Every result can be had as one JSON document."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from hub import logs
from hub.cli import (
    audit,
    connectors,
    db,
    decisions,
    duties,
    edge,
    handover,
    households,
    identity,
    kit,
    mappings,
    notices,
    policy,
    quarantine,
    reports,
    sources,
)
from hub.cli.check import check
from hub.cli.comb import comb
from hub.cli.export import export
from hub.cli.face import Face, HubGroup
from hub.cli.ingest import ingest
from hub.cli.init import init
from hub.cli.queue import queue, workers
from hub.cli.review import review
from hub.cli.run import demo, run
from hub.cli.status import status

__all__ = ["app", "decisions", "handover", "kit", "main", "mappings", "sources"]

app = typer.Typer(
    cls=HubGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Family Care Hub 家事关护枢纽: nine units' records, one light, one guaranteed report.",
)


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"family-care-hub {metadata.version('family-care-hub')}")
        raise typer.Exit


@app.callback()
def hub(
    ctx: typer.Context,
    config: Annotated[Path, typer.Option("--config", envvar="HUB_CONFIG", help="The configuration folder.")] = Path(),
    lang: Annotated[str, typer.Option("--lang", envvar="HUB_LANG", help="Language for people: zh or en.")] = "zh",
    log_level: Annotated[str, typer.Option("--log-level", envvar="HUB_LOG_LEVEL", help="Logs on standard error.")] = "",
    version: Annotated[
        bool, typer.Option("--version", help="The version, and exit.", callback=_say_version, is_eager=True)
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


for command in (demo, init, check, run, status, ingest, export, queue, workers, review, comb):
    app.command()(command)
for name, group in {
    "connectors": connectors.app,  # and what `sources`, `mappings` and `kit` add to it
    "households": households.app,  # and what `decisions` adds to it
    "reports": reports.app,
    "duties": duties.app,
    "notices": notices.app,
    "quarantine": quarantine.app,
    "policy": policy.app,
    "audit": audit.app,
    "identity": identity.app,
    "edge": edge.app,
    "db": db.app,
}.items():
    app.add_typer(group, name=name)


def main() -> None:
    """The console script."""
    app()
