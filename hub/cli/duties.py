"""`hub duties …`: referrals and follow-ups, and their outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from hub import bootstrap
from hub.cli.face import Json, UsageMistake, emit, face_of, note, show_table
from hub.cli.moments import parse_moment, short
from hub.core import acts
from hub.core.book import book_of
from hub.core.queue_words import named, unit_words
from hub.core.sentences import Say
from hub.desk import looks
from hub.read.reports import LIVING, duties, find_duty
from hub.runtime.station import station_page
from hub.store.workers import worker

app = typer.Typer(help="Referrals and follow-ups.", no_args_is_help=True)
No = Annotated[str, typer.Argument(metavar="NO", help="The duty's number.")]
By = Annotated[str, typer.Option("--by", metavar="WORKER_NO", help="Who: a number of the worker stream.")]
At = Annotated[str | None, typer.Option("--at", metavar="T", help="When; default: now.")]


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
            and (what is None or row["duty"].upper() == what.upper())
            and (not overdue or row["overdue"])
            and (all_of_them or row["state"] in LIVING)
        ]
        book = book_of(hub.policy).duties
        about = next((rule for no, rule in book.items() if no.upper() == (what or "").upper()), None)
        if what and about is None and not rows:
            raise UsageMistake(f'no duty is called "{what}"', f"choose one of {', '.join(book)}")
    rows.sort(key=lambda row: (row["due"] is None, row["due"] or "", row["duty_no"]))
    if as_json:
        emit(rows)
        return
    say = face.say
    if about is not None:
        basis = "；".join(filter(None, (about.raw.get("clause"), about.raw.get("law"))))
        note(f"{about.id}: {say(about.raw['cause'])}" + (say(" ({meaning})").format(meaning=basis) if basis else ""))
    heads = ("number", "duty", "unit", "due", "state", "Household", *(("evidence",) if about else ()))
    show_table(tuple(map(say, heads)), (_line(row, say, evidence=about is not None) for row in rows))


def _line(row: Mapping[str, Any], say: Say, *, evidence: bool) -> tuple[str, ...]:
    due = short(row["due"]) + (f" {say('late')}" if row["overdue"] else "")
    told = (
        row["duty_no"],
        named(row["duty"], say),
        unit_words(row["unit"], say),
        due,
        say(row["state"]),
        row["household"],
    )
    records = say(", ").join(f"{say(r['unit'])} {say(r['stream'])} {r['key']}" for r in row["records"])
    return (*told, records) if evidence else told


@app.command()
def done(
    ctx: typer.Context,
    no: No,
    outcome: Annotated[str, typer.Option("--outcome", help="A short word, without personal data.")],
    at: At = None,
    by: By = "",
    returned: Annotated[bool, typer.Option("--returned", help="Given back instead of done: as `refuse`.")] = False,
    as_json: Json = False,
) -> None:
    """Close a duty with its outcome: a record of the station, as the unit's own answer is."""
    _answer(ctx, no, "returned" if returned else "done", by, at, outcome=outcome, as_json=as_json)


@app.command()
def accept(ctx: typer.Context, no: No, by: By, at: At = None, as_json: Json = False) -> None:
    """Take a duty: from then on it is this worker's."""
    _answer(ctx, no, "accepted", by, at, as_json=as_json)


@app.command("hand-over")
def hand_over(
    ctx: typer.Context,
    no: No,
    to: Annotated[str, typer.Option("--to", metavar="WORKER_NO", help="Who has it from now on.")],
    by: By,
    at: At = None,
    as_json: Json = False,
) -> None:
    """Hand a duty over to another worker of the unit; it stays open, with its dates."""
    _answer(ctx, no, "accepted", by, at, to=to, as_json=as_json)


@app.command()
def refuse(
    ctx: typer.Context,
    no: No,
    reason: Annotated[str, typer.Option("--reason", help="Why, in a few words without personal data.")],
    by: By = "",
    at: At = None,
    as_json: Json = False,
) -> None:
    """Give a duty back with the reason: it ends for the unit, and the coordinator is told."""
    _answer(ctx, no, "returned", by, at, outcome=reason, as_json=as_json)


def _answer(
    ctx: typer.Context, no: str, status: str, by: str, at: str | None, *, outcome: str = "", to: str = "", as_json: bool
) -> None:
    """Land a step of a duty and tell how it stands then."""
    moment = parse_moment(at) if at else bootstrap.now()
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        found = find_duty(hub.store, no, moment)
        if found is None:
            raise UsageMistake(f'no duty "{no}"', "`hub duties list` shows the numbers")
        with hub.store.read() as sql:
            who, heir = (worker(sql, name, moment.date()) if name else None for name in (by, to))
        if to and heir is None:
            raise acts.ActError("act.nameless", to)
        actor = acts.Actor(by or looks.account(), who.unit if who else None, moment)
        row = acts.duty_answer(found, actor, status, outcome, to)
        receipt = bootstrap.submit(hub, station_page("duty_answer", [row], moment))
        told = find_duty(hub.store, no, bootstrap.now())
    assert told is not None
    if as_json:
        emit({"receipt": receipt, "duty": told})
    else:
        note(f"{no}: {face_of(ctx).say(told['state'])}")
    if receipt["quarantined"] or receipt["rejected"] or receipt["pending"]:
        raise typer.Exit(1)
