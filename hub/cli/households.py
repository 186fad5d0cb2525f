"""`hub households …`: the archive, and why a light is what it is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from hub import bootstrap
from hub.cli.audit import Purpose
from hub.cli.face import ATTENTION, Json, UsageMistake, emit, face_of, note, show_pairs, show_table
from hub.cli.moments import parse_moment, short
from hub.core.phrases import RULES
from hub.core.records import Light
from hub.core.sentences import render
from hub.desk import looks
from hub.read.explain import explain_household
from hub.read.households import find_household, list_households, show_household
from hub.runtime.station import station_page
from hub.store import ledger

app = typer.Typer(help="Households and their lights.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="A household's id, its beginning, or its registered number.")]


@app.command("list")
def list_all(
    ctx: typer.Context,
    community: Annotated[str | None, typer.Option("--community", metavar="CODE", help="Only this community.")] = None,
    light: Annotated[
        str | None, typer.Option("--light", help="Only this light: red, orange, yellow, green, unlit.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Living households with their lights, as of now."""
    face = face_of(ctx)
    wanted = _light(light)
    with bootstrap.open_hub(face.folder) as hub:
        bootstrap.bring_up_to_date(hub)
        rows = list_households(hub.store, community=community, light=wanted)
        if as_json:
            emit(list(rows))
            return
        say = face.say
        show_table(
            (say("Household"), say("community"), say("light"), say("since"), say("concerns")),
            (
                (
                    row["household"],
                    row["community"],
                    say(row["light"]),
                    short(row["since"]),
                    say("; ").join(f"{c['rule']} {say(RULES.get(c['rule'], c['rule']))}" for c in row["concerns"]),
                )
                for row in rows
            ),
        )


def _light(word: str | None) -> Light | None:
    if word is None:
        return None
    if word not in Light.__members__:
        raise UsageMistake(f'no light is called "{word}"', f"choose one of {', '.join(reversed(Light.__members__))}")
    return Light[word]


@app.command()
def show(ctx: typer.Context, household: Id, purpose: Purpose = "", as_json: Json = False) -> None:
    """One household: light, members, categories and records."""
    face = face_of(ctx)
    with bootstrap.open_hub(face.folder) as hub:
        looks.look(hub, "household.show", household, purpose)
        bootstrap.bring_up_to_date(hub)
        with hub.store.read() as sql:
            told = show_household(sql, hub.vault, find_household(sql, household))
    if as_json:
        emit(told)
        return
    say = face.say
    pairs = {
        say("Household"): told["household"],
        say("registered number"): told["registered"],
        say("community"): told["community"],
        say("light"): say(told["light"]),
        say("since"): short(told["since"]),
    }
    if told["successor"]:
        pairs[say("closed; its records are on")] = told["successor"]
    show_pairs(pairs)
    show_table(
        (say("name"), say("ID number"), say("role"), say("from"), say("until")),
        ((m["name"], m["id_number"], say(m["role"]), m["from"], m["until"]) for m in told["members"]),
    )
    show_table(
        (say("at"), say("unit"), say("record"), say("number")),
        ((short(e["at"]), say(e["unit"]), say(e["stream"]), e["key"]) for e in told["events"]),
    )


@app.command()
def explain(
    ctx: typer.Context,
    household: Id,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="T", help="A day (its end) or an instant; default: now.")
    ] = None,
    known_at: Annotated[
        str | None,
        typer.Option("--known-at", metavar="T", help="Only what the hub knew then; as of the same moment by default."),
    ] = None,
    purpose: Purpose = "",
    as_json: Json = False,
) -> None:
    """Why the light is what it is: every concern with clause, events and units, and what would change it next."""
    face = face_of(ctx)
    known = parse_moment(known_at) if known_at else None
    moment = parse_moment(as_of) if as_of else known or bootstrap.now()
    with bootstrap.open_hub(face.folder) as hub:
        looks.look(hub, "household.explain", household, purpose)
        told = _explained(hub, household, moment, known)
    if as_json:
        emit(told)
    else:
        typer.echo(render(told, face.say))


def _explained(
    hub: bootstrap.Hub, household: str, moment: datetime, known_at: datetime | None = None
) -> dict[str, object]:
    with hub.store.read() as sql:
        return explain_household(sql, hub.vault, find_household(sql, household), hub.policy, moment, known_at)


@app.command()
def adopt(
    ctx: typer.Context,
    households: Annotated[list[str], typer.Argument(metavar="ID…", help="Households whose history was reviewed.")],
    by: Annotated[str, typer.Option("--by", help="The worker's number.")] = "",
    as_json: Json = False,
) -> None:
    """Take reviewed history as live: what a backfill or a replay held back is opened now, once."""
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        with hub.store.read() as sql:
            uids = list(dict.fromkeys(find_household(sql, name).uid for name in households))
            before = ledger.open_of(sql, uids)
        moment = bootstrap.now()
        rows = [{"household": uid, "at": moment.isoformat(), "by": by or None} for uid in uids]
        receipt = bootstrap.submit(hub, station_page("adoption", rows, moment))
        with hub.store.read() as sql:
            after = ledger.open_of(sql, uids)
    opened = {name: after[name] - before[name] for name in after}
    if as_json:
        emit({"adopted": uids, "opened": opened, "receipt": receipt})
    else:
        note(f"{len(uids)} adopted; opened: {opened['reports']} reports, {opened['duties']} duties")
    if receipt["quarantined"] or receipt["rejected"] or receipt["pending"]:
        raise typer.Exit(ATTENTION)
