"""`hub households file｜export｜import｜handover`: a household's file, and its way to another district."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hub import bootstrap
from hub.cli.audit import Purpose
from hub.cli.decisions import By
from hub.cli.face import Json, UsageMistake, emit, face_of, note, show_pairs, show_table
from hub.cli.households import Id, app
from hub.cli.moments import short
from hub.core.inaction import sentence
from hub.core.queue_words import named, unit_words
from hub.core.sentences import Say, decision_lines
from hub.desk import household_file, looks
from hub.read.file import contents
from hub.read.file import household_file as whole_file
from hub.read.households import find_household
from hub.runtime.station import station_page
from hub.security.handover import digest_of
from hub.store import history
from hub.store.numbers import new_no

Passphrase = Annotated[
    Path, typer.Option("--passphrase-file", metavar="FILE", help="A file with the passphrase, told by another way.")
]


@app.command("file")
def show_file(ctx: typer.Context, household: Id, purpose: Purpose = "", as_json: Json = False) -> None:
    """The household's file by category: members over time, categories with evidence, lights, duties, linked households."""
    face = face_of(ctx)
    with bootstrap.open_hub(face.folder) as hub:
        looks.look(hub, "household.file", household, purpose)
        bootstrap.bring_up_to_date(hub)
        with hub.store.read() as sql:
            told = whole_file(sql, hub.vault, find_household(sql, household), hub.policy, bootstrap.now())
    if as_json:
        emit(told)
        return
    say = face.say
    show_pairs(
        {say("Household"): told["household"], say("community"): told["community"], say("light"): say(told["light"])}
    )
    show_table(
        (say("name"), say("ID number"), say("role"), say("from"), say("until")),
        ((m["name"], m["id_number"], say(m["role"]), m["from"], m["until"]) for m in told["members"]),
    )
    show_table(
        (say("category"), say("from"), say("until"), say("evidence")),
        ((say(c["category"]), c["from"], c["until"], _where(c["evidence"], say)) for c in told["categories"]),
    )
    show_table(
        (say("light"), say("from"), say("until")),
        ((say(s["light"]), short(s["since"]), short(s["until"])) for s in told["lights"]),
    )
    show_table(
        (say("number"), say("duty"), say("unit"), say("due"), say("state")),
        (
            (d["no"], named(d["what"], say), unit_words(d["to"], say), short(d["due"]), say(d["state"]))
            for d in (*told["reports"], *told["duties"])
        ),
    )
    for line in (*(sentence(row, say) for row in told["inaction"]), *decision_lines(told, say)):
        typer.echo(line)
    show_table(
        (say("at"), say("unit"), say("record"), say("number")),
        ((short(e["at"]), say(e["unit"]), say(e["stream"]), e["key"]) for e in told["timeline"]),
    )
    for one in told["linked"]:
        typer.echo(say("linked household: {household}").format(household=one["household"]))


def _where(evidence: dict[str, Any], say: Say) -> str:
    return f"{say(evidence['unit'])} {say(evidence['stream'])} {evidence['key']}"


@app.command()
def export(
    ctx: typer.Context,
    household: Id,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="Where the sealed file goes.")],
    receiver: Annotated[str, typer.Option("--receiver", help="The district that gets it.")],
    passphrase: Passphrase,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Seal a household's file for another district. Custody and every duty stay here until its receipt code comes back."""
    moment = bootstrap.now()
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        looks.look(hub, "household.export", household, receiver)
        bootstrap.bring_up_to_date(hub)
        number = new_no("HF", moment)
        with hub.store.read() as sql:
            found = find_household(sql, household)
            told = whole_file(sql, hub.vault, found, hub.policy, moment)
            rows = contents(sql, hub.vault, found.id)
        file = household_file.with_rows(told, rows, bootstrap.table_of, number, receiver, moment)
        code = household_file.write(file, to, _secret(passphrase))
        receipt = _land(hub, number, found.uid, "offered", receiver, digest_of(code), by, moment)
    told_so = {"file_no": number, "household": found.uid, "rows": len(file["rows"]), "left_behind": file["left_behind"]}
    if as_json:
        emit({**told_so, "receipt": receipt})
    else:
        note(f"{number}: {len(file['rows'])} records in {to}; custody stays here until the receipt code comes back")


@app.command("import")
def take(ctx: typer.Context, file: Path, passphrase: Passphrase, by: By = "", as_json: Json = False) -> None:
    """Take a household's file from another district, as history: nothing is sent; `adopt` makes its duties ours.

    Prints the receipt code for the sender. A number that a record of ours has is not taken, and listed.
    """
    if not file.is_file():
        raise UsageMistake(f"{file}: no such file")
    moment = bootstrap.now()
    told, code = household_file.read(file, _secret(passphrase))
    number = str(told["file_no"])
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        with hub.store.read() as sql:
            known = history.handover(sql, number)
            taken = (
                set()
                if known
                else history.numbers_taken(sql, [(r["unit"], r["stream"], r["key"]) for r in told["rows"]])
            )
        pages, left = household_file.pages(told, bootstrap.manifests(), hub.settings, taken, moment)
        receipts = [bootstrap.submit(hub, page) for page in pages] if not known else []
        with hub.store.read() as sql:
            homes = history.households_of(sql, [(r["unit"], r["stream"], r["key"]) for r in told["rows"]])
        if homes and not known:
            _land(hub, number, homes[0], "taken", str(told["receiver"]), None, by, moment)
    summary = {
        "file_no": number,
        "receipt_code": code,
        "households": homes,
        "applied": sum(receipt["applied"] for receipt in receipts),
        "quarantined": sum(receipt["quarantined"] for receipt in receipts),
        "not_taken": left,
        "again": bool(known),
    }
    if as_json:
        emit(summary)
    else:
        note(f"{number}: {summary['applied']} records taken, {len(left)} not; receipt code {code}")
    if left or summary["quarantined"]:
        raise typer.Exit(1)


@app.command()
def handover(
    ctx: typer.Context,
    household: Id,
    receipt: Annotated[
        str | None, typer.Option("--receipt", metavar="CODE", help="The code the receiver gave back.")
    ] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take the offer back.")] = False,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Where a household's file is: with the receiver's code custody passes, and its open duties end here."""
    moment = bootstrap.now()
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        with hub.store.read() as sql:
            found = find_household(sql, household)
            offered = history.offered(sql, found.id)
        if receipt or withdraw:
            if offered is None:
                raise UsageMistake("no file of this household is on its way", "`hub households export` makes one")
            if receipt and digest_of(receipt) != offered.receipt:
                raise UsageMistake("the code is not that of the file", "ask the receiver for the code of its import")
            state = "accepted" if receipt else "withdrawn"
            _land(hub, offered.no, found.uid, state, offered.receiver, offered.receipt, by, moment)
        with hub.store.read() as sql:
            told = whole_file(sql, hub.vault, find_household(sql, found.uid), hub.policy, bootstrap.now())["custody"]
    if as_json:
        emit(told)
    else:
        show_pairs(told or {"custody": "here"})


def _land(
    hub: bootstrap.Hub, no: str, household: str, state: str, receiver: str, receipt: str | None, by: str, at: datetime
) -> Any:
    row = {
        "no": no, "household": household, "at": at.isoformat(), "state": state, "receiver": receiver[:64],
        "receipt": receipt, "by": by or looks.account(),
    }  # fmt: skip
    return bootstrap.submit(hub, station_page("handover", [row], at))


def _secret(path: Path) -> bytes:
    if not path.is_file():
        raise UsageMistake(
            f"{path}: no such file", "write the passphrase into a file of its own, readable by you alone"
        )
    return path.read_bytes().strip()
