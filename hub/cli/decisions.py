"""`hub households override …`, `objection …`: what people decide about a light, and what its family says to it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

import typer

from hub import bootstrap
from hub.cli.face import Json, UsageMistake, emit, face_of, note, show_table
from hub.cli.households import Id, app
from hub.cli.moments import parse_moment, short
from hub.core import acts
from hub.core.phrases import RULES
from hub.core.queue_words import named
from hub.core.sentences import Say, word
from hub.desk import looks
from hub.read.decisions import rates
from hub.read.explain import explain_household
from hub.read.households import find_household
from hub.read.reclassified import reclassified as lowered
from hub.runtime.station import station_page
from hub.store.numbers import new_no
from hub.store.workers import worker

RELEASE = "release"
By = Annotated[str, typer.Option("--by", metavar="WORKER_NO", help="Who decides: a number of the worker stream.")]
At = Annotated[str | None, typer.Option("--at", metavar="T", help="When; default: now.")]


@app.command()
def override(
    ctx: typer.Context,
    household: Id,
    act: Annotated[str | None, typer.Argument(metavar="[release]", help="`release` takes a decision back.")] = None,
    light: Annotated[str | None, typer.Option("--light", help="The light that is decided.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; sealed, shown to those who may read it.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="DAY", help="Its last day.")] = None,
    recheck: Annotated[str | None, typer.Option("--recheck", metavar="DAY", help="When to look again.")] = None,
    by: By = "",
    at: At = None,
    as_json: Json = False,
) -> None:
    """Decide a light, with name, reason and end; down from red two persons of two units say the same.

    A new concern above it ends a decision that holds the light down. `release` takes it back.
    """
    moment = parse_moment(at) if at else bootstrap.now()
    if act not in (None, RELEASE):
        raise UsageMistake(f'"{act}" is nothing that can be done', "write `hub households override ID release --by …`")
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        bootstrap.bring_up_to_date(hub)
        before = _looked_at(hub, "override", household, moment)
        who = _actor(hub, by, moment)
        row = (
            acts.release(before, who, reason or "")
            if act == RELEASE
            else acts.override(before, who, light or "", reason or "", until or "", recheck or "")
        )
        receipt = bootstrap.submit(hub, station_page("override", [{"no": new_no("OV", moment), **row}], moment))
        told = _explained(hub, before["household"], bootstrap.now())
    _tell(ctx, receipt, told, as_json)


@app.command()
def release(ctx: typer.Context, household: Id, by: By = "", at: At = None, as_json: Json = False) -> None:
    """Take a decision back: as `override ID release`."""
    override(ctx, household, RELEASE, by=by, at=at, as_json=as_json)


def _actor(hub: bootstrap.Hub, by: str, moment: datetime) -> acts.Actor:
    """Who does it: of the worker stream with their unit, else the account of this machine without one."""
    with hub.store.read() as sql:
        person = worker(sql, by, moment.date()) if by else None
    return acts.Actor(by or looks.account(), person.unit if person else None, moment)


def _looked_at(hub: bootstrap.Hub, act: str, household: str, moment: datetime) -> dict[str, Any]:
    """The explanation, the look at it written down before."""
    looks.look(hub, f"household.{act}", household)
    return _explained(hub, household, moment)


def _explained(hub: bootstrap.Hub, household: str, moment: datetime) -> dict[str, Any]:
    with hub.store.read() as sql:
        return explain_household(sql, hub.vault, find_household(sql, household), hub.policy, moment)


def _tell(ctx: typer.Context, receipt: Any, told: dict[str, Any], as_json: bool) -> None:
    say = face_of(ctx).say
    if as_json:
        emit({"receipt": receipt, "explanation": told})
    else:
        note(say("light {light}").format(light=say(told["light"])))
        if "override_waits" in told["notes"]:
            note(word("override_waits", say))
    if receipt["quarantined"] or receipt["rejected"] or receipt["pending"]:
        raise typer.Exit(1)


@app.command()
def overrides(ctx: typer.Context, as_json: Json = False) -> None:
    """How often each unit decides against the records, up and down: a rubber stamp and a misfit show alike."""
    face = face_of(ctx)
    with bootstrap.open_hub(face.folder) as hub:
        bootstrap.bring_up_to_date(hub)
        rows = rates(hub.store, hub.policy, bootstrap.now())
    if as_json:
        emit(rows)
        return
    say = face.say
    show_table(
        (
            say("unit"), say("lit households"), say("up"), say("down"), say("waiting"), say("ended by a new concern"),
            say("second signatures"), say("minutes to the second"), say("signs"),
        ),
        (
            (
                say(r["unit"]), r["lit_households"], r["up"], r["down"], r["waiting"], r["ended_by_new_concern"],
                r["second_signatures"], r["second_signature_minutes"], say(", ").join(word(s, say) for s in r["signs"]),
            )
            for r in rows
        ),
    )  # fmt: skip


@app.command()
def objection(
    ctx: typer.Context,
    household: Id,
    statement: Annotated[str, typer.Option("--statement", help="What the family says; sealed.")],
    about: Annotated[
        str,
        typer.Option(
            "--about", metavar="UNIT.STREAM/NO", help="The record or decision objected to; default: the light."
        ),
    ] = "light",
    by: By = "",
    at: At = None,
    as_json: Json = False,
) -> None:
    """Take down what the family objects to: it stays, and is answered within ten working days."""
    moment = parse_moment(at) if at else bootstrap.now()
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        told = _looked_at(hub, "objection", household, moment)
        number = new_no("OB", moment)
        row = {"no": number, **acts.objection(told, _actor(hub, by, moment), statement, about)}
        receipt = bootstrap.submit(hub, station_page("objection", [row], moment))
    if as_json:
        emit({"receipt": receipt, "objection_no": number, "household": told["household"]})
    else:
        typer.echo(number)
    if receipt["quarantined"] or receipt["rejected"] or receipt["pending"]:
        raise typer.Exit(1)


@app.command()
def answer(
    ctx: typer.Context,
    household: Id,
    no: Annotated[str, typer.Argument(metavar="NO", help="The objection's number.")],
    decision: Annotated[str, typer.Option("--decision", help="upheld, partly or refused.")],
    text: Annotated[str, typer.Option("--text", help="What the family is told; sealed.")],
    by: By,
    at: At = None,
    as_json: Json = False,
) -> None:
    """Answer an objection; nobody of the unit whose act is objected to may."""
    moment = parse_moment(at) if at else bootstrap.now()
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        told = _looked_at(hub, "answer", household, moment)
        row = acts.objection_answer(told, _actor(hub, by, moment), no, decision, text)
        receipt = bootstrap.submit(hub, station_page("objection_answer", [{"no": new_no("OA", moment), **row}], moment))
        told = _explained(hub, told["household"], bootstrap.now())
    if as_json:
        emit({"receipt": receipt, "objection": next(o for o in told["objections"] if o["no"] == no)})
    if receipt["quarantined"] or receipt["rejected"] or receipt["pending"]:
        raise typer.Exit(1)


@app.command()
def objections(ctx: typer.Context, household: Id, as_json: Json = False) -> None:
    """What the family of a household objected to, and what it was answered."""
    face = face_of(ctx)
    with bootstrap.open_hub(face.folder) as hub:
        rows = _looked_at(hub, "objections", household, bootstrap.now())["objections"]
    if as_json:
        emit(rows)
        return
    say = face.say
    show_table(
        (say("number"), say("at"), say("about"), say("state"), say("answer")),
        (
            (r["no"], short(r["at"]), r["about"], say(r["state"]), "; ".join(say(a["decision"]) for a in r["answers"]))
            for r in rows
        ),
    )


@app.command()
def reclassified(ctx: typer.Context, as_json: Json = False) -> None:
    """Records that their own unit took back or classed lower after they had lit a household orange or red.

    What was owed because of the record stands beside it, and whether the unit owed the act itself.
    """
    face = face_of(ctx)
    with bootstrap.open_hub(face.folder) as hub:
        told = lowered(hub.store, hub.policy)
    if as_json:
        emit(told)
        return
    say = face.say
    show_table(
        (say("unit"), say("lowered"), say("while owing the act")),
        ((say(r["unit"]), r["lowered"], r["while_owing_the_act"]) for r in told["units"]),
    )
    show_table(
        (say("at"), say("unit"), say("record"), say("was"), say("now"), say("owed then")),
        (
            (
                short(r["received_at"]), say(r["unit"]), f"{say(r['stream'])} {r['key']}", _rules(r["was"], say),
                say("retracted") if r["now"] == "retracted" else _rules(r["now"], say),
                say(", ").join(named(what, say) for what in r["owed_then"]),
            )
            for r in told["records"]
        ),
    )  # fmt: skip


def _rules(rules: Iterable[str], say: Say) -> str:
    return say("; ").join(f"{rule} {say(RULES.get(rule, rule))}" for rule in rules)
