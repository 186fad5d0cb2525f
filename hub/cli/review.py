"""`hub review`: one household's worst day, unit by unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from hub import bootstrap
from hub.cli.audit import Purpose
from hub.cli.face import Json, UsageMistake, emit, face_of
from hub.cli.households import Id
from hub.cli.moments import parse_moment, short
from hub.core.queue_words import named, span
from hub.core.rules import Policy
from hub.core.sentences import Say, word
from hub.desk import looks, policies
from hub.read.households import find_household
from hub.read.review import Asked
from hub.read.review import review as reviewed


def review(
    ctx: typer.Context,
    household: Id,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="T", help="Look no further than this; default: now.")
    ] = None,
    day: Annotated[str | None, typer.Option("--day", metavar="DAY", help="This day; default: the worst one.")] = None,
    policy: Annotated[
        list[Path] | None, typer.Option("--policy", metavar="FILE", help="Also under this policy or overlay.")
    ] = None,
    purpose: Purpose = "",
    as_json: Json = False,
) -> None:
    """For the worst day of a household: what each unit knew, was told, acknowledged and did, and what came too late.

    Beside it the light that the policy in force, its switches all on, and other policies would have shown.
    """
    face = face_of(ctx)
    until = parse_moment(as_of) if as_of else bootstrap.now()
    with bootstrap.open_hub(face.folder) as hub:
        looks.look(hub, "household.review", household, purpose)
        bootstrap.bring_up_to_date(hub)
        policies = [hub.policy, *_others(face.folder, hub.policy, policy or [])]
        wanted = parse_moment(day).date() if day else None
        with hub.store.read() as sql:
            told = reviewed(sql, hub.vault, find_household(sql, household), Asked(wanted, until, policies))
    if as_json:
        emit(told)
    else:
        say = face.say
        switched = [say("the policy with all its switches on")] if len(policies) > 1 + len(policy or []) else []
        told_of = [say("the policy in force"), *switched, *(file.name for file in policy or [])]
        for line in _lines(told, told_of, say):
            typer.echo(line)


def _others(folder: Path, policy: Policy, named: list[Path]) -> Iterator[Policy]:
    """Policies to compare: the one in force with every switch on, and those that were named."""
    off = [name for name, on in policy.switches.items() if not on]
    if off:
        yield policies.laid_over(folder, ("[switches]\n" + "".join(f"{name} = true\n" for name in off)).encode())
    for file in named:
        if not file.is_file():
            raise UsageMistake(f"{file}: no such file")
        yield policies.compile_file(folder, file.read_bytes())


def _lines(told: Mapping[str, Any], told_of: list[str], say: Say) -> Iterator[str]:
    if told["day"] is None:
        yield say("Nothing on file.")
        return
    text = say("Household {household}, {day}: {because}")
    yield text.format(household=told["household"], day=told["day"], because=word(told["because"], say))
    if told["silent"]:
        yield say("Not heard that day: {streams}").format(streams=", ".join(told["silent"]))
    for unit in told["units"]:
        yield say(unit["unit"]) + (say(": nothing") if _is_empty(unit) else "")
        yield from (f"  {line}" for line in _unit_lines(unit, say))
    for one, whose in zip(told["policies"], told_of, strict=True):
        text = say("{version}: {then} with what was known then, {now} with what is known now ({rules})")
        yield text.format(
            version=whose or one["policy_version"], then=say(one["known_then"]["light"]), now=say(one["known_now"]["light"]),
            rules=" ".join(one["known_now"]["rules"]) or "—",
        )  # fmt: skip


def _is_empty(unit: Mapping[str, Any]) -> bool:
    return not any(
        unit[name] for name in ("known", "came_later", "told", "done", "open", "overdue", "owed_but_unknown")
    )


def _unit_lines(unit: Mapping[str, Any], say: Say) -> Iterator[str]:
    for name, text in (("known", say("known")), ("came_later", say("came in later"))):
        for one in unit[name]:
            after = say("{span} after").format(span=span(timedelta(hours=one["hours_after"]), say))
            yield f"{text}: {say(one['stream'])} {one['key']}, {short(one['at'])}, {after}"
    for one in unit["told"]:
        taken = short(one["received"]) or say("not acknowledged that day")
        yield f"{say('told')}: {word(one['kind'], say)} {one['message_no']}, {short(one['made'])}; {taken}"
    states = {
        "done": say("done"), "open": say("open"), "overdue": say("overdue"),
        "owed_but_unknown": say("owed, had the records been there"),
    }  # fmt: skip
    for name, text in states.items():
        for one in unit[name]:
            yield f"{text}: {named(one['what'], say)} ({one['no']}), {say('due')} {short(one['due']) or '—'}"
