"""`hub status`: is everything heard, applied, sent and answered."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub import bootstrap
from hub.cli.face import ATTENTION, Json, emit, face_of, show_pairs, show_table
from hub.cli.moments import short
from hub.cli.quarantine import cry_for_help
from hub.confinement import open_connectors
from hub.read.status import status as read_status


def status(
    ctx: typer.Context,
    as_json: Json = False,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 while an issue or an emergency is open.")] = False,
) -> None:
    """Connectors, accounting identity, lights, outbox and open issues; exit 0 whenever it could be read, but see --check."""
    face = face_of(ctx)
    with bootstrap.open_hub(face.folder) as hub:
        bootstrap.bring_up_to_date(hub)
        processes = bootstrap.processes(hub.settings)
        told = read_status(hub.store, hub.settings, bootstrap.promised(hub.settings), bootstrap.now(), processes)
        told["daemon"] = processes is not None
        told["confinement"] = open_connectors(hub.settings)
    if as_json:
        emit(told)
    else:
        if told["emergencies"]["open"]:
            cry_for_help(face, told["emergencies"]["open"], told["emergencies"]["since"])
        _print(told)
    if check and (told["issues"] or told["emergencies"]["open"]):
        raise typer.Exit(ATTENTION)


def _print(told: dict[str, Any]) -> None:
    counts = told["counts"]
    parts = [f"{counts[name]} {name}" for name in ("applied", "unchanged", "quarantined", "rejected", "pending")]
    show_pairs(
        {
            "daemon": "running" if told["daemon"] else "not running",
            "records": f"{counts['received']} received = {' + '.join(parts)}",
            "reports": f"{told['reports']['open']} open, {told['reports']['overdue']} overdue",
            "duties": f"{told['duties']['open']} open, {told['duties']['overdue']} overdue",
            "outbox": ", ".join(f"{count} {name}" for name, count in told["outbox"].items()),
        }
    )
    for sentence in told["confinement"]:
        typer.echo(f"warning: {sentence}")
    show_table(
        ("COMMUNITY", "RED", "ORANGE", "YELLOW", "GREEN"),
        ((place, *(str(n) for n in lights.values())) for place, lights in told["lights"].items()),
    )
    show_table(
        ("CONNECTOR", "STATE", "WHO ACTS", "LAST HEARD", "NOT FRESH", "TO DO"),
        (
            (
                row["name"],
                row["state"],
                row["who_acts"],
                short(max((s["last"] for s in row["streams"] if s["last"]), default=None)),
                ", ".join(s["stream"] for s in row["streams"] if s["fresh"] is False),
                "" if row["who_acts"] == "nobody" else row["todo"],
            )
            for row in told["connectors"]
        ),
    )
    compared = [(row["name"], s) for row in told["connectors"] for s in row["streams"] if s["reconciled"]]
    if compared:
        show_table(
            ("COMPARED WITH ITS SOURCE", "STREAM", "DAYS", "AT", "DIFFERENT DAYS", "MISSING", "ONLY HERE"),
            (
                (name, s["stream"], r["days"], short(r["at"]), ", ".join(r["differ"]), r["missing"], r["extra"])
                for name, s in compared
                for r in [s["reconciled"]]
            ),
        )
    edges = [row["edge"] for row in told["connectors"] if row["edge"]]
    if edges:
        show_table(
            ("EDGE", "STATE", "CODE", "LAST HEARD", "WAITING", "BYTES", "CLOCK"),
            (
                (e["connector"], e["state"], e["code"], short(e["heard_at"]), e["waiting"], e["bytes"], e["skew"])
                for e in edges
            ),
        )
    if told["issues"]:
        show_table(
            ("ISSUE", "SUBJECT", "SINCE", "TO DO"),
            ((i["cause"], i["subject"], short(i["since"]), i["remedy"]) for i in told["issues"]),
        )
