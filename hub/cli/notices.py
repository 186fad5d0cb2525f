"""`hub notices …`: corrections on their way, and who has not said that they have them."""

from __future__ import annotations

from typing import Annotated

import typer

from hub import bootstrap
from hub.cli.audit import Purpose
from hub.cli.face import ATTENTION, Json, UsageMistake, emit, face_of, note, show_table
from hub.cli.moments import short
from hub.core.records import Key
from hub.desk import looks
from hub.read.notices import messages_about, open_notices
from hub.runtime.station import station_page

app = typer.Typer(help="Corrections that were sent, and who has not acknowledged them.", no_args_is_help=True)


@app.command("list")
def list_all(
    ctx: typer.Context,
    all_of_them: Annotated[bool, typer.Option("--all", help="Acknowledged ones too.")] = False,
    as_json: Json = False,
) -> None:
    """Retractions, corrections, moves, addenda and requests to cancel that wait for an acknowledgement; exit 1: some do."""
    face = face_of(ctx)
    with bootstrap.open_hub(face.folder) as hub:
        bootstrap.bring_up_to_date(hub)
        looks.look(hub, "notice.list")
        rows = open_notices(hub.store, hub.vault, bootstrap.now(), answered=all_of_them)
    if as_json:
        emit(rows)
    else:
        say = face.say
        show_table(
            (say("number"), say("unit"), say("kind of message"), say("about"), say("made"), say("hours"), say("state")),
            (
                (
                    row["message_no"],
                    say(row["to"]),
                    say(row["says"]),
                    row["corrects"],
                    short(row["created_at"]),
                    row["waiting_hours"],
                    say(row["state"]) + (f" ({row['last']})" if row["last"] else ""),
                )
                for row in rows
            ),
        )
    if any(row["waiting_hours"] is not None for row in rows):
        raise typer.Exit(ATTENTION)


@app.command()
def about(
    ctx: typer.Context,
    record: Annotated[str, typer.Argument(metavar="UNIT/STREAM/KEY", help="A record, as explanations name it.")],
    purpose: Purpose = "",
    as_json: Json = False,
) -> None:
    """Everybody who was told of a record: receiver, purpose, version, and whether that is still the truth."""
    face = face_of(ctx)
    parts = record.split("/", 2)
    if len(parts) != len(Key._fields):
        raise UsageMistake(f'"{record}" is no record', "name it as UNIT/STREAM/KEY, e.g. education/concern/E1")
    with bootstrap.open_hub(face.folder) as hub:
        looks.look(hub, "notice.about", record, purpose)
        rows = messages_about(hub.store, hub.vault, Key(*parts))
    if rows is None:
        raise UsageMistake(f'no record "{record}"', "`hub export events` lists them")
    if as_json:
        emit(rows)
        return
    say = face.say
    show_table(
        (say("number"), say("unit"), say("kind of message"), say("purpose"), say("made"), say("state"), say("version")),
        (
            (
                row["message_no"],
                say(row["to"]),
                say(row["says"]),
                row["purpose"],
                short(row["created_at"]),
                say(row["state"]),
                ", ".join(f"{told['version']}/{told['now']}" for told in row["records"] if told["key"] == parts[2]),
            )
            for row in rows
        ),
    )


@app.command()
def acknowledge(
    ctx: typer.Context,
    no: Annotated[str, typer.Argument(metavar="NO", help="The message's number.")],
    receipt_no: Annotated[str, typer.Option("--receipt-no", help="The receiver's own number.")] = "",
    as_json: Json = False,
) -> None:
    """Record that the receiver has a message: told by telephone, or signed for on paper."""
    moment = bootstrap.now()
    row = {
        "no": f"{no}:by-hand",
        "updated_at": moment.isoformat(),
        "at": moment.isoformat(),
        "message_no": no,
        "receipt_no": receipt_no or None,
    }
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        if all(found["message_no"] != no for found in open_notices(hub.store, hub.vault, moment)):
            raise UsageMistake(f'no notice "{no}" waits', "`hub notices list` shows those that do")
        receipt = bootstrap.submit(hub, station_page("receipt", [row], moment))
    if as_json:
        emit({"message_no": no, "receipt": receipt})
    else:
        note(f"{no}: received")
    if receipt["quarantined"] or receipt["rejected"] or receipt["pending"]:
        raise typer.Exit(ATTENTION)
