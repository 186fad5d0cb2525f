"""`hub reports …`: mandatory reports and their ladder. The reporter is shown to nobody."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hub import bootstrap
from hub.cli.audit import Purpose
from hub.cli.face import ATTENTION, Face, Json, UsageMistake, emit, face_of, note, show_table
from hub.cli.moments import parse_moment, short
from hub.cli.sheet import page, report_sheet
from hub.core.ladder import STEPS, step_of
from hub.core.queue_words import unit_words
from hub.desk import looks
from hub.read.reports import find_report, reporter_for_police, reports
from hub.runtime.station import station_page
from hub.security.handover import open_file

app = typer.Typer(help="Mandatory reports to the police.", no_args_is_help=True)

No = Annotated[str, typer.Argument(metavar="NO", help="The report's number.")]
ENDED = ("answered", "cancelled")


@app.command("open")
def open_sealed(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="NAME.sealed, as it was dropped.")],
    passphrase: Annotated[
        Path, typer.Option("--passphrase-file", metavar="FILE", help="The passphrase, told by another way.")
    ],
    to: Annotated[Path, typer.Option("--to", metavar="OUT", help="Where the message goes: readable for you alone.")],
) -> None:
    """Open a message that came as a sealed file: for its receiver, with any hub and no configuration."""
    for path in (file, passphrase):
        if not path.is_file():
            raise UsageMistake(f"{path}: no such file")
    plain = open_file(file.read_bytes(), passphrase.read_bytes().strip())
    with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(plain)


@app.command("list")
def list_all(
    ctx: typer.Context,
    all_of_them: Annotated[bool, typer.Option("--all", help="Answered and cancelled ones too.")] = False,
    late: Annotated[bool, typer.Option("--late", help="Only those with a late step; exit 1: there are some.")] = False,
    as_json: Json = False,
) -> None:
    """Reports and where each stands; --late: every step that is late, since when, and who was told."""
    face = face_of(ctx)
    with bootstrap.open_hub(face.folder) as hub:
        if late:
            bootstrap.bring_up_to_date(hub)
        looks.look(hub, "report.list")
        rows = [row for row in reports(hub.store, hub.vault) if row["late"] or not late]
    if as_json:
        emit(rows)
    elif late:
        _show_late(face, rows)
    else:
        _show(face, rows, all_of_them=all_of_them)
    if late and rows:
        raise typer.Exit(ATTENTION)


def _show_late(face: Face, rows: list[dict[str, Any]]) -> None:
    say, now = face.say, bootstrap.now()
    late = sorted(((step, row) for row in rows for step in row["late"]), key=lambda pair: str(pair[0]["since"]))
    show_table(
        (say("report"), say("rule"), say("reporting unit"), say("urgency"), say("step that is late"), say("late since"), say("hours"),
         say("told")),
        (
            (
                row["report_no"],
                row["rule"],
                say(str(row.get("reporting_unit") or "unknown")),
                say(str(row.get("urgency") or "unknown")),
                say(step["step"]),
                short(step["since"]),
                int((now - datetime.fromisoformat(step["since"])).total_seconds() // 3600),
                say(", ").join(unit_words(unit, say) for unit in step["told"]),
            )
            for step, row in late
        ),
    )  # fmt: skip


def _show(face: Face, rows: list[dict[str, Any]], *, all_of_them: bool) -> None:
    say = face.say
    shown = rows if all_of_them else [row for row in rows if row["step"] not in ENDED]
    show_table(
        (say("report"), say("rule"), say("reporting unit"), say("urgency"), say("made"), say("step"), say("due")),
        (
            (
                row["report_no"],
                row["rule"],
                say(str(row.get("reporting_unit") or "unknown")),
                say(str(row.get("urgency") or "unknown")),
                short(row.get("created_at")),
                say(row["step"]),
                short(row["due"]),
            )
            for row in shown
        ),
    )


@app.command()
def show(
    ctx: typer.Context,
    no: No,
    printed: Annotated[bool, typer.Option("--print", help="A sheet for the second channel.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="The sheet as a file: .html for a browser, else text.")
    ] = None,
    police: Annotated[
        bool, typer.Option("--for-police", help="With who reported: only to a file, and with --purpose.")
    ] = False,
    purpose: Purpose = "",
    as_json: Json = False,
) -> None:
    """One report, its steps and addenda; --print makes the sheet that is handed over by other means."""
    face = face_of(ctx)
    if police and (out is None or not purpose.strip() or as_json):
        raise UsageMistake(
            "who reported is not shown on a screen",
            "add --out FILE and --purpose TEXT, and hand the file to the police",
        )
    if out is not None and out.exists():
        raise UsageMistake(f"{out} exists", "name a new file: a sheet is never written over")
    with bootstrap.open_hub(face.folder) as hub:
        looks.look(hub, "report.sheet" if police else "report.show", no, purpose)
        told = _find(hub, no)
        reporter = reporter_for_police(hub.store, hub.vault, no) if police else None
    if as_json:
        emit(told)
        return
    sheet = report_sheet(told, face.say, full=printed or out is not None, reporter=reporter)
    if out is None:
        typer.echo(sheet)
        return
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(page(sheet) if out.suffix == ".html" else sheet + "\n")
    note(f"{no}: {out}")


def _find(hub: bootstrap.Hub, no: str) -> dict[str, Any]:
    told = find_report(hub.store, hub.vault, no)
    if told is None:
        raise UsageMistake(f'no report "{no}"', "`hub reports list --all` shows the numbers")
    return told


@app.command()
def retry(ctx: typer.Context, no: No, as_json: Json = False) -> None:
    """Send the messages of a report that have no receipt yet at once, not when their back-off ends."""
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        _find(hub, no)
        count = bootstrap.retry_messages(hub, no)
    if as_json:
        emit({"report_no": no, "due_now": count})
    else:
        note(f"{no}: {count} message(s) due now; the daemon sends them")


@app.command()
def acknowledge(
    ctx: typer.Context,
    no: No,
    step: Annotated[str, typer.Option("--step", help=f"One of {', '.join(STEPS)}.")],
    by: Annotated[str, typer.Option("--by", help="Who says so: number or post.")] = "",
    at: Annotated[str | None, typer.Option("--at", help="When; default: now.")] = None,
    receipt_no: Annotated[str, typer.Option("--receipt-no", help="The receipt's number.")] = "",
    note_text: Annotated[str, typer.Option("--note", help="A remark; kept sealed.")] = "",
    until: Annotated[str | None, typer.Option("--until", help="The new end of an extension.")] = None,
    as_json: Json = False,
) -> None:
    """Record a step of the police that came by telephone or on paper: a record of the station, as feedback is."""
    word = _step(step)
    moment = parse_moment(at) if at else bootstrap.now()
    row = {
        "report_no": no, "step": word, "at": _instant(moment, at), "receipt_no": receipt_no or None, "by": by or None,
        "note": note_text or None, "until": until,
    }  # fmt: skip
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        _find(hub, no)
        receipt = bootstrap.submit(hub, station_page("report_feedback", [row], bootstrap.now()))
        told = _find(hub, no)
    if as_json:
        emit({"receipt": receipt, "report": told})
    else:
        note(f"{no}: {told['step']}")
        for line in receipt["rows"]:
            if line.get("code"):
                note(f"  refused: {line.get('field')}: {line['code']}: {line.get('remedy', '')}")
    if receipt["quarantined"] or receipt["rejected"] or receipt["pending"]:
        raise typer.Exit(1)


def _instant(moment: datetime, typed: str | None) -> str:
    """As typed when it is a day, so that S1 decides what it means; else the instant."""
    return typed if typed and len(typed) == len("2026-03-01") else moment.isoformat()


def _step(word: str) -> str:
    found = step_of(word)
    if found is None:
        raise UsageMistake(f'no step is called "{word}"', f"choose one of {', '.join(STEPS)}")
    return found
