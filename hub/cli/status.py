"""`hub status`: is everything heard, applied, sent and answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from hub import bootstrap
from hub.cli.connectors import state_word
from hub.cli.face import ATTENTION, Json, emit, face_of, running_face, show_pairs, show_table
from hub.cli.moments import short
from hub.cli.quarantine import cry_for_help
from hub.confinement import open_connectors
from hub.core.problems import remedy_of, text_of
from hub.read.status import status as read_status

COUNTED = ("applied", "unchanged", "quarantined", "rejected", "pending")
"""Of what was received: every record is in one of them."""


WAYS_OUT = {"refused": "refused by the receiver", "overdue": "past its time"}
"""What became of messages, where one word would not say of whom."""


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
    say, counts = running_face().say, told["counts"]
    each = say("{count} {name}")
    parts = [each.format(count=counts[name], name=say(name)) for name in COUNTED]
    owed = say("{open} open, {overdue} overdue")
    show_pairs(
        {
            say("daemon"): say("running") if told["daemon"] else say("not running"),
            say("records"): say("{received} received = {parts}").format(
                received=counts["received"], parts=" + ".join(parts)
            ),
            say("reports"): owed.format(**told["reports"]),
            say("duties"): owed.format(**told["duties"]),
            say("outbox"): say(", ").join(
                each.format(count=count, name=say(WAYS_OUT.get(name, name))) for name, count in told["outbox"].items()
            ),
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
                state_word(row["state"]),
                say(row["who_acts"]),
                short(max((s["last"] for s in row["streams"] if s["last"]), default=None)),
                ", ".join(s["stream"] for s in row["streams"] if s["fresh"] is False),
                "" if row["who_acts"] == "nobody" else say(row["todo"]),
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
            ((_what(i), i["subject"], short(i["since"]), _to_do(i)) for i in told["issues"]),
        )


def _what(issue: Mapping[str, Any]) -> str:
    """The code of an issue and what it means, in the language of the command."""
    text = text_of(issue["cause"])
    meaning = text.chinese if running_face().lang == "zh" else text.english
    return issue["cause"] if meaning in ("", issue["cause"]) else f"{issue['cause']}\n{meaning}"


def _to_do(issue: Mapping[str, Any]) -> str:
    """What to do, in the language of the command; what the issue itself says of the place stays beside it."""
    usual = remedy_of(issue["cause"], running_face().lang)
    own = issue["remedy"]
    return own if running_face().lang != "zh" and own else "\n".join(filter(None, (usual, own)))
