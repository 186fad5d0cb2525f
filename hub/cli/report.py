"""`hub report monthly`: the situation report of a community for the monthly meeting, to print or to work with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub import bootstrap
from hub.cli.face import Json, UsageMistake, emit, face_of
from hub.desk import looks
from hub.desk.monthly_sheet import lines, month_of, sheet
from hub.read.monthly import Month
from hub.read.monthly import monthly as situation

app = typer.Typer(help="Reports for people.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Reports for people."""


@app.command()
def monthly(
    ctx: typer.Context,
    community: Annotated[str, typer.Option("--community", metavar="CODE", help="The community that meets.")],
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="The month that is looked at.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="FILE.html to print, or FILE.xlsx.")] = None,
    as_json: Json = False,
) -> None:
    """The situation of a community in a month: lights, changes, what units sent and owed, agenda, activities.

    No names; counts of single units below five are suppressed. A browser prints the HTML as PDF.
    """
    face = face_of(ctx)
    if out is not None and out.suffix not in (".html", ".xlsx"):
        raise UsageMistake(
            f"{out}: neither .html nor .xlsx", "write FILE.html (a browser prints it as PDF) or FILE.xlsx"
        )
    asked = _month(community, month)
    with bootstrap.open_hub(face.folder) as hub:
        looks.look(hub, "report.monthly", community)
        bootstrap.bring_up_to_date(hub)
        with hub.store.read() as sql:
            told = situation(sql, asked)
    if as_json:
        emit(told)
    if out is not None:
        out.write_bytes(sheet(told, out.suffix.removeprefix("."), face.say))
    elif not as_json:
        typer.echo("\n".join(lines(told, face.say)))


def _month(community: str, text: str) -> Month:
    try:
        return month_of(community, text, bootstrap.now())
    except ValueError as error:
        if str(error) == "ahead":
            raise UsageMistake(f"{text} has not begun", "name this month or one before it") from None
        raise UsageMistake(f'"{text}" is no month', "write a month such as 2026-03") from None
