"""`hub identity review`: what a person should look at, in the order in which it matters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import typer

from hub import bootstrap
from hub.cli.connectors import did_you_mean
from hub.cli.face import Face, Json, UsageMistake, emit, face_of, show_table
from hub.cli.moments import short
from hub.core.acts import ActError, Actor, Row
from hub.core.problems import PROBLEMS
from hub.core.sentences import word
from hub.desk import looks
from hub.read import identity
from hub.runtime.station import station_page
from hub.store.numbers import new_no
from hub.store.reviews import KINDS
from hub.store.sql import Sql
from hub.store.workers import worker

app = typer.Typer(help="Who is meant, and what waits for a person.", no_args_is_help=True)

TO_DO = {
    "emergency": "hub quarantine show ROW",
    "identity": "hub identity accept ITEM --candidate PERSON | hub identity reject ITEM",
    "backfill": "hub households adopt HOUSEHOLD",
}
"""Kind of item → what a person does about it; in `--json`, with the words in capitals left to fill in."""


@app.callback()
def group() -> None:
    """Who is meant, and what waits for a person."""


@app.command()
def review(
    ctx: typer.Context,
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help=f"Only one of {', '.join(KINDS)}.")] = "",
    as_json: Json = False,
) -> None:
    """Open items: unreadable cries for help, doubtful persons, history that waits for adoption. Keys and ids, no names."""
    if kind and kind not in KINDS:
        raise UsageMistake(f'no item is of kind "{kind}"', did_you_mean(kind, dict.fromkeys(KINDS)))
    with bootstrap.open_hub(face_of(ctx).folder) as hub, hub.store.read() as sql:
        items = [{**told, "to_do": TO_DO[told["kind"]]} for told in identity.review(sql, kind)]
    if as_json:
        emit(items)
        return
    for item in items:
        typer.echo("\n".join(_block(item, face_of(ctx))))


def _block(item: Mapping[str, Any], face: Face) -> Iterator[str]:
    """One item; each id alone at the end of its line, and the commands that answer it ready to be copied."""
    say, text = face.say, PROBLEMS.get(item["why"])
    why = word(item["why"], say) if text is None else text.chinese if face.lang == "zh" else text.english
    record = f"{say(item['unit'])} {say(item['stream'])} {item['key']}" if item["unit"] else "—"
    yield f"{word('review_' + item['kind'], say)}　{short(item['since'])}　{record}　{why}"
    yield f"  {say('item')}: {item['id']}"
    yield from (f"  {say('Household')}: {one}" for one in item["households"])
    if item["kind"] == "identity":
        yield from (f"  {say('candidate')}: {one}" for one in item["candidates"])
    yield from (f"  → {todo}" for todo in _to_do(item))


def _to_do(item: Mapping[str, Any]) -> Iterator[str]:
    if item["kind"] == "emergency":
        yield from (f"hub quarantine show {row}" for row in item["candidates"])
    elif item["kind"] == "backfill":
        yield from (f"hub households adopt {home}" for home in item["households"])
    else:
        yield from (f"hub identity accept {item['id']} --candidate {one}" for one in item["candidates"])
        yield f"hub identity reject {item['id']}"


By = Annotated[str, typer.Option("--by", metavar="WORKER_NO", help="Who decides: a number of the worker stream.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; sealed, shown to those who may read it.")]
ItemId = Annotated[str, typer.Argument(metavar="ITEM", help="Its id on the review list, or the beginning of it.")]
Candidate = Annotated[str, typer.Option("--candidate", metavar="PERSON", help="Which one, if there are several.")]


@app.command()
def accept(
    ctx: typer.Context, item: ItemId, reason: Reason, by: By, candidate: Candidate = "", as_json: Json = False
) -> None:
    """The doubtful person is this candidate: the record moves to them, and lights are judged again."""
    _rule(ctx, "accept", item, by, as_json, lambda sql, who: identity.accept(sql, who, reason, item, candidate))


@app.command()
def reject(
    ctx: typer.Context, item: ItemId, reason: Reason, by: By, candidate: Candidate = "", as_json: Json = False
) -> None:
    """The doubtful person is none of the candidates (or not the one named): nothing joins them from now on."""
    _rule(ctx, "reject", item, by, as_json, lambda sql, who: identity.reject(sql, who, reason, item, candidate))


@app.command()
def merge(
    ctx: typer.Context,
    one: Annotated[str, typer.Argument(metavar="ONE", help="A person or a household.")],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The same kind.")],
    reason: Reason,
    by: By,
    as_json: Json = False,
) -> None:
    """Two persons, or two households, are one. Two valid ID numbers, and two households of the register, never are."""
    _rule(ctx, "merge", one, by, as_json, lambda sql, who: identity.merge(sql, who, reason, one, other))


@app.command()
def split(
    ctx: typer.Context,
    record: Annotated[
        str, typer.Argument(metavar="UNIT.STREAM/NO", help="The record in which the wrong person is named.")
    ],
    reason: Reason,
    by: By,
    position: Annotated[int, typer.Option("--position", min=0, help="Of the person among the record's parties.")] = 0,
    as_json: Json = False,
) -> None:
    """The person named there is not the one they were taken for: the record stands apart, in a household of its own."""
    _rule(
        ctx,
        "split",
        record,
        by,
        as_json,
        lambda sql, who: identity.split(sql, who, reason, identity.key_of(record), position),
    )


@app.command()
def undo(
    ctx: typer.Context,
    no: Annotated[str, typer.Argument(metavar="NO", help="The decision's number.")],
    by: By,
    as_json: Json = False,
) -> None:
    """Take a decision back: persons and households as before it, what came in between decided again."""

    def rows(sql: Sql, who: Actor) -> list[Row]:
        if who.unit is None:
            raise ActError("act.nameless", who.by)
        return identity.undo(sql, no)

    _rule(ctx, "undo", no, by, as_json, rows)


@app.command()
def decisions(ctx: typer.Context, as_json: Json = False) -> None:
    """What people decided about who is meant, as far as it stands: with person, reason and number."""
    face = face_of(ctx)
    with bootstrap.open_hub(face.folder) as hub:
        looks.look(hub, "identity.decisions")
        with hub.store.read() as sql:
            found = identity.decisions(sql, hub.vault)
    if as_json:
        emit(found)
        return
    say = face.say
    show_table(
        (say("number"), say("at"), say("decision"), say("who decided"), say("record"), say("other record"), say("reason")),
        (
            (row["no"], short(row["at"]), word(f"identity_{row['act']}", say), f"{say(row['unit'])} {row['by']}",
             row["record"], row["other"], row["reason"])
            for row in found
        ),
    )  # fmt: skip


def _rule(
    ctx: typer.Context, act: str, subject: str, by: str, as_json: bool, rows_of: Callable[[Sql, Actor], list[Row]]
) -> None:
    """Land a decision as a record of the station, and tell which households are judged otherwise now."""
    now = bootstrap.now()
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        bootstrap.bring_up_to_date(hub)
        looks.look(hub, f"identity.{act}", subject)
        with hub.store.read() as sql:
            person = worker(sql, by, now.date())
            rows = rows_of(sql, Actor(by, person.unit if person else None, now))
        numbered = [{"no": new_no("ID", now), **row} for row in rows]
        receipt = bootstrap.submit(hub, station_page("identity", numbered, now))
    if as_json:
        emit({"receipt": receipt, "decisions": [row["no"] for row in numbered]})
    else:
        for row in numbered:
            typer.echo(row["no"])
    if receipt["quarantined"] or receipt["rejected"] or receipt["pending"]:
        raise typer.Exit(1)
