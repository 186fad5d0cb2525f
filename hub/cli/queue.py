"""`hub queue`, `hub workers`: what is to be done today and in which order, and what everybody carries."""

from __future__ import annotations

from typing import Annotated

import typer

from hub import bootstrap
from hub.cli.face import ATTENTION, Json, UsageMistake, emit, face_of, show_table
from hub.core.queue_words import heading, item_line, load_line, why_here
from hub.core.sentences import thin_line
from hub.desk import looks
from hub.read.workload import Asked, Day, day, load_told, loads, names, told

Unit = Annotated[str | None, typer.Option("--unit", metavar="U", help="Only this unit's.")]


def queue(
    ctx: typer.Context,
    worker: Annotated[str | None, typer.Option("--worker", metavar="W", help="Only what this worker has.")] = None,
    unit: Unit = None,
    community: Annotated[str | None, typer.Option("--community", metavar="CODE", help="Only this community.")] = None,
    as_json: Json = False,
) -> None:
    """Today's work in order: by clause, by the last event, by what is overdue; each place says why it is there.

    A duty is a worker's when they accepted it, or when the family file names them and their unit owes it.
    """
    face = face_of(ctx)
    asked = Asked(worker or "", unit or "", (community,) if community else ())
    with bootstrap.open_hub(face.folder) as hub:
        bootstrap.bring_up_to_date(hub)
        at = bootstrap.now()
        found = day(hub.store, hub.policy, asked, at)
        if worker and found.load is None:
            raise UsageMistake(f'no worker "{worker}" is on the team', "`hub workers` shows the numbers")
        most = int(hub.policy.at(at).raw.get("workload", {}).get("most", 0))
    if as_json:
        load = load_told(found.load) if found.load else None
        emit(
            {
                "at": at.isoformat(),
                "queue": [told(p) for p in found.places],
                "load": load,
                "nobodys": found.nobodys,
                "thin": _thin(found),
            }
        )
        return
    say = face.say
    items = [item for place in found.places for item in place.entry.items]
    late = sum(item.due is not None and item.due < at for item in items)
    text = say("Work of {at}: {entries} entries, {items} things owed, {late} overdue")
    typer.echo(text.format(at=f"{at:%Y-%m-%d %H:%M}", entries=len(found.places), items=len(items), late=late))
    if found.load is not None:
        typer.echo(load_line(found.load, most, say))
    for thin in _thin(found):
        typer.echo(thin_line(thin, say))
    for place in found.places:
        typer.echo("\n" + heading(place, say))
        for item in place.entry.items:
            typer.echo("   · " + item_line(item, at, say))
        typer.echo("   " + why_here(place, at, say))
    if found.nobodys:
        typer.echo("\n" + say("{n} things of this unit are nobody's yet.").format(n=found.nobodys))


def _thin(found: Day) -> list[dict[str, str]]:
    return [{"subject": subject, "since": since.isoformat()} for subject, since in found.thin.items()]


def workers(ctx: typer.Context, unit: Unit = None, as_json: Json = False) -> None:
    """What every worker of the team carries: open red and orange households, duties, what is overdue; the heaviest first.

    More than one person can carry (the policy's [workload] most): a warning, and exit code 1.
    """
    face = face_of(ctx)
    with bootstrap.open_hub(face.folder) as hub:
        bootstrap.bring_up_to_date(hub)
        at = bootstrap.now()
        found = loads(hub.store, hub.policy, unit or "", at)
        looks.look(hub, "workers.list")
        with hub.store.read() as sql:
            named = names(sql, hub.vault, at)
        most = int(hub.policy.at(at).raw.get("workload", {}).get("most", 0))
    if as_json:
        emit([{**load_told(one), "name": named.get(one.no)} for one in found])
    else:
        say = face.say
        show_table(
            (say("worker number"), say("name"), say("unit"), say("kind"), say("carries")),
            (
                (
                    one.no or say("nobody's"), named.get(one.no), say(one.unit) if one.unit else "",
                    say(one.kind) if one.on_team else say("not on the team any more") if one.no else "",
                    load_line(one, most, say),
                )
                for one in found
            ),
        )  # fmt: skip
    if any(one.heavy for one in found):
        raise typer.Exit(ATTENTION)
