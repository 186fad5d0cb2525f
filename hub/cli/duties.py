"""`hub duties …`: referrals and follow-ups, and their outcome."""

from __future__ import annotations

from typing import Annotated

import typer

from hub import bootstrap
from hub.cli.face import Json, UsageMistake, emit, face_of, note, show_table
from hub.cli.moments import parse_moment, short
from hub.core.book import book_of
from hub.read.reports import LIVING, duties, find_duty
from hub.runtime.station import station_page

app = typer.Typer(help="Referrals and follow-ups.", no_args_is_help=True)


@app.command("list")
def list_all(
    ctx: typer.Context,
    unit: Annotated[str | None, typer.Option("--unit", metavar="U", help="Only this unit's.")] = None,
    what: Annotated[
        str | None, typer.Option("--what", metavar="D21", help="Only this duty: D21 under-action, D22 many calls …")
    ] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those past their date.")] = False,
    all_of_them: Annotated[bool, typer.Option("--all", help="Ended ones too.")] = False,
    as_json: Json = False,
) -> None:
    """Open duties, by due date."""
    face = face_of(ctx)
    with bootstrap.open_hub(face.folder) as hub:
        bootstrap.bring_up_to_date(hub)
        rows = [
            row
            for row in duties(hub.store, bootstrap.now())
            if (unit is None or row["unit"] in (unit, f"head:{unit}"))
            and (what is None or row["duty"] == what.upper())
            and (not overdue or row["overdue"])
            and (all_of_them or row["state"] in LIVING)
        ]
        about = book_of(hub.policy).duties.get((what or "").upper())
    rows.sort(key=lambda row: (row["due"] is None, row["due"] or "", row["duty_no"]))
    if as_json:
        emit(rows)
        return
    say = face.say
    if about is not None:
        note(f"{about.id}: {about.raw['cause']} ({about.raw.get('clause', '')}; {about.raw.get('law', '')})")
    show_table(
        (say("number"), say("duty"), say("unit"), say("due"), say("state"), say("Household"), say("evidence")),
        (
            (
                row["duty_no"],
                row["duty"],
                say(row["unit"]),
                short(row["due"]) + (f" {say('late')}" if row["overdue"] else ""),
                say(row["state"]),
                row["household"],
                ", ".join(f"{r['unit']}/{r['stream']}/{r['key']}" for r in row["records"]) if about else "",
            )
            for row in rows
        ),
    )


@app.command()
def done(
    ctx: typer.Context,
    no: Annotated[str, typer.Argument(metavar="NO", help="The duty's number.")],
    outcome: Annotated[str, typer.Option("--outcome", help="A short word, without personal data.")],
    at: Annotated[str | None, typer.Option("--at", help="When; default: now.")] = None,
    by: Annotated[str, typer.Option("--by", help="The worker's number.")] = "",
    returned: Annotated[bool, typer.Option("--returned", help="Given back instead of done.")] = False,
    as_json: Json = False,
) -> None:
    """Close a duty with its outcome: a record of the station, as the unit's own answer is."""
    moment = bootstrap.now()
    row = {
        "duty_no": no,
        "status": "returned" if returned else "done",
        "at": (parse_moment(at) if at else moment).isoformat(),
        "outcome": outcome,
        "worker_no": by or None,
    }
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        if find_duty(hub.store, no, moment) is None:
            raise UsageMistake(f'no duty "{no}"', "`hub duties list` shows the numbers")
        receipt = bootstrap.submit(hub, station_page("duty_answer", [row], moment))
        told = find_duty(hub.store, no, bootstrap.now())
    assert told is not None
    if as_json:
        emit({"receipt": receipt, "duty": told})
    else:
        note(f"{no}: {told['state']}")
    if receipt["quarantined"] or receipt["rejected"] or receipt["pending"]:
        raise typer.Exit(1)
