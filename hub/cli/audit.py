"""`hub audit …`: who looked at whom, and whether the chain of entries is whole."""

from __future__ import annotations

from typing import Annotated

import typer

from hub import bootstrap
from hub.cli.face import ATTENTION, Json, emit, face_of, note
from hub.custody import audit

app = typer.Typer(help="Who looked at whom.", no_args_is_help=True)

Purpose = Annotated[str, typer.Option("--purpose", metavar="TEXT", help="What for: stands on the audit chain.")]


@app.callback()
def group() -> None:
    """Who looked at whom."""


@app.command()
def verify(ctx: typer.Context, as_json: Json = False) -> None:
    """Walk the whole chain; names the first entry that was changed, taken out, put in or cut off."""
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        found = audit.verify(hub.store, hub.vault.mark_of, hub.settings.folder)
    if as_json:
        emit({"entries": found.entries, "first_bad": found.bad, "why": found.why})
    else:
        note(
            f"{found.entries} entries"
            + (f"; entry {found.bad}: {found.why}" if found.bad else found.why and f"; {found.why}")
        )
    if found.bad is not None:
        raise typer.Exit(ATTENTION)
