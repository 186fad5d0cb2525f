"""`hub run`: the daemon in the foreground; and `hub demo`: a simulated district around it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.face import UsageMistake, face_of


def run(
    ctx: typer.Context,
    node_id: Annotated[str, typer.Option("--node-id", metavar="NAME", help="When nodes share one database.")] = "",
) -> None:
    """Fetch, take in, judge and deliver until SIGTERM; SIGHUP takes the whole configuration anew."""
    from hub.node import run_daemon  # the web is loaded by who needs it

    raise typer.Exit(run_daemon(face_of(ctx).folder, node_id))


def demo(
    keep: Annotated[Path | None, typer.Option("--keep", metavar="DIR", help="Keep the district's folder.")] = None,
    speed: Annotated[float, typer.Option("--speed", metavar="N", help="How fast the story is told.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Check the outcome and exit.")] = False,
) -> None:
    """The whole main job on a simulated district, with a live view."""
    try:
        play = import_module("hub.demo").main
    except (ImportError, AttributeError) as error:
        raise UsageMistake("the demo is not installed") from error
    raise typer.Exit(play(keep=keep, speed=speed, once=once))
