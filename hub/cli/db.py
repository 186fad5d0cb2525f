"""`hub db …`: the schema of the archive."""

from __future__ import annotations

import typer

from hub import bootstrap
from hub.cli.face import Json, emit, face_of, note
from hub.core.errors import RetryError

app = typer.Typer(help="The archive's schema.", no_args_is_help=True)


@app.command()
def upgrade(ctx: typer.Context, as_json: Json = False) -> None:
    """Bring the archive to the schema of this version, in one commit; any other command does so too when it is needed.

    Exits 2 when the archive is newer than this version, 3 while a daemon of this folder runs.
    """
    settings = bootstrap.read_settings(face_of(ctx).folder)
    if bootstrap.daemon_answers(settings):
        raise RetryError(
            "a daemon of this folder runs: nothing was changed", code="hub.locked", remedy="end it, then upgrade"
        )
    was, now = bootstrap.make_database(settings)
    if as_json:
        emit({"was": was, "now": now, "changed": was != now})
    else:
        note(f"the archive is at schema {now}" + ("" if was == now else f" (was {was or 'empty'})"))
