"""`hub policy …`: the rules in force, what another file would say, and whom it would change."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from hub import bootstrap
from hub.cli.bars import counting
from hub.cli.connectors import reloaded
from hub.cli.face import Json, UsageMistake, emit, face_of, note, show_pairs, show_table
from hub.cli.moments import parse_moment
from hub.cli.policy_words import told
from hub.core.errors import ConfigurationError
from hub.core.phrases import DUTIES, GROUPS, RULES
from hub.core.policy_check import findings, longer_than_province
from hub.core.policy_diff import differences
from hub.core.queue_words import unit_words
from hub.core.rules import Policy
from hub.core.sentences import Say
from hub.desk import looks, policies
from hub.read.backtest import SMALL
from hub.read.backtest import backtest as tried

app = typer.Typer(help="The dated rules behind lights, reports and duties.", no_args_is_help=True)


@app.command()
def show(ctx: typer.Context, as_json: Json = False) -> None:
    """Every rule with its clause and law, and the district's numbers and switches."""
    settings = bootstrap.read_settings(face_of(ctx).folder)
    policy = bootstrap.load_policy(settings)
    archive = policies.of_archive(settings)
    if as_json:
        emit(
            {
                "version": policy.version,
                "editions": [
                    {"version": one.version, "since": one.since.date().isoformat() if one.since else None}
                    for one in (policy, *policy.later)
                ],
                "sources": policies.sources(settings),
                "archive": archive,
                "rules": [{**rule._asdict(), "light": rule.light.name} for rule in policy.rules.values()],
                "reports": [
                    {"rule": r["id"], "clause": r.get("clause", ""), "law": r.get("law", "")}
                    for r in policy.raw.get("report", ())
                ],
                "duties": [dict(row) for row in policy.raw.get("duty", ())],
                "numbers": dict(policy.numbers),
                "switches": dict(policy.switches),
                "ladder": {name: span.total_seconds() for name, span in policy.ladder.items()},
                "calendar_years": sorted(policy.calendar.years),
            }
        )
        return
    say = face_of(ctx).say
    later = ", ".join(f"{e.version} ({e.since:%Y-%m-%d})" for e in policy.later if e.since)
    show_pairs(
        {
            say("version"): policy.version,
            say("later editions"): later,
            say("calendar"): ", ".join(map(str, sorted(policy.calendar.years))),
        }
    )
    show_table(
        ("RULE", "LIGHT", "ON", "TITLE", "CLAUSE", "LAW"),
        (
            (r.id, say(r.light.name), say("yes") if r.enabled else say("no"), r.title, r.clause, r.law)
            for r in policy.rules.values()
        ),
    )
    show_table(
        ("DUTY", "TO", "DUE", "WHAT", "CLAUSE", "LAW"),
        (
            (
                d["id"],
                say(", ").join(unit_words(to, say) for to in d["to"]),
                ", ".join(d["due"]),
                say(DUTIES.get(d["id"], d["duty"])),
                d["clause"],
                d["law"],
            )
            for d in policy.raw.get("duty", ())
        ),
    )


Notes = Annotated[bool, typer.Option("--notes", help="Also what is worth knowing and nothing to mend.")]
FILE = Annotated[Path, typer.Argument(metavar="FILE", help="A policy file, or an overlay.")]


def _candidate(ctx: typer.Context, file: Path) -> Policy:
    if not file.is_file():
        raise UsageMistake(f"{file}: no such file")
    return policies.compile_file(face_of(ctx).folder, file.read_bytes())


@app.command()
def check(ctx: typer.Context, file: FILE, notes: Notes = False, as_json: Json = False) -> None:
    """Whether a policy file or an overlay compiles, and what is missing, double or unreachable in it.

    Exits 1 with an error in it, or 2 when it cannot be read at all; nothing is adopted.
    """
    if not file.is_file():
        raise UsageMistake(f"{file}: no such file")
    text = file.read_bytes()
    found = list(policies.missing_clauses(text))
    policy = None
    try:
        policy = policies.compile_file(face_of(ctx).folder, text)
        found = [one for edition in (policy, *policy.later) for one in findings(edition)]
        found += longer_than_province(policies.without_level(face_of(ctx).folder, text), policy)
    except ConfigurationError:
        if not found:
            raise
    found = list(dict.fromkeys(found))
    errors = [one for one in found if one.level == "error"]
    if as_json:
        rows = [one._asdict() for one in found]
        version = policy.version if policy else None
        emit({"ok": not errors, "version": version, "rules": len(policy.rules) if policy else 0, "findings": rows})
    else:
        rows_shown = [one for one in found if notes or one.level != "note"]
        if rows_shown:
            show_table(("LEVEL", "CODE", "WHERE", "WHAT"), ((f.level, f.code, f.where, f.detail) for f in rows_shown))
        hidden = len(found) - len(rows_shown)
        state = f"compiles, {len(policy.rules)} rules, would be {policy.version}" if policy else "does not compile"
        note(f"{file}: {state}" + (f"; {hidden} notes (--notes)" if hidden else ""))
    if errors:
        raise typer.Exit(1)


@app.command()
def diff(
    ctx: typer.Context,
    was: Annotated[str, typer.Argument(metavar="A", help="A policy file or overlay, or `current`.")],
    now: Annotated[str, typer.Argument(metavar="B", help="A policy file or overlay, or `current`.")],
    as_json: Json = False,
) -> None:
    """What differs between two policies, in words: rules, ways down, reports, duties, numbers, switches."""
    face = face_of(ctx)
    one, other = (_named(ctx, name) for name in (was, now))
    found = differences(_newest(one).raw, _newest(other).raw)
    if as_json:
        emit({"from": _newest(one).version, "to": _newest(other).version, "differences": [d._asdict() for d in found]})
        return
    for line in told(found, face.say):
        typer.echo(line)


def _named(ctx: typer.Context, name: str) -> Policy:
    if name == "current":
        return bootstrap.load_policy(bootstrap.read_settings(face_of(ctx).folder))
    return _candidate(ctx, Path(name))


def _newest(policy: Policy) -> Policy:
    return policy.later[-1] if policy.later else policy


@app.command()
def backtest(
    ctx: typer.Context,
    file: FILE,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="T", help="A day (its end) or an instant; default: now.")
    ] = None,
    as_json: Json = False,
) -> None:
    """The whole archive judged by another policy: who would change, from what to what, why, and whom it hits.

    Counts of groups below five are suppressed. Nothing is adopted and nothing is sent.
    """
    face = face_of(ctx)
    candidate = _candidate(ctx, file)
    moment = parse_moment(as_of) if as_of else bootstrap.now()
    with bootstrap.open_hub(face.folder) as hub:
        looks.look(hub, "policy.backtest", candidate.version)
        bootstrap.bring_up_to_date(hub)
        with counting(face.say("households"), policies.count_households(hub)) as step:
            found = tried(hub.store, hub.policy, candidate, moment, step)
    if as_json:
        emit(found)
        return
    say = face.say
    if any(edition.since is not None and edition.since > moment for edition in candidate.later):
        note(say("Part of the other policy is not in force at that time: ask with --as-of."))
    note(say("{changed} of {households} households would change").format(**found))
    show_table(
        (say("was"), say("would be"), say("households")),
        ((say(r["was"]), say(r["light"]), r["households"]) for r in found["by_change"]),
    )
    rows = [*found["by_community"], *found["by_category"], *found["fairness"]]
    show_table(
        (say("group"), say("households"), say("up"), say("down")),
        ((_group(r, say), *(_count(r[n]) for n in ("households", "up", "down"))) for r in rows),
    )
    show_table(
        (say("Household"), say("community"), say("was"), say("would be"), say("why")),
        (
            (c["household"], c["community"], say(c["was"]), say(c["light"]), _why(c["why"], say))
            for c in found["changes"]
        ),
    )


def _group(row: Mapping[str, Any], say: Say) -> str:
    """A group as people call it; a value alone could be another table's word (a *minor* injury)."""
    phrase = GROUPS.get(f"{row['group']} {row['value']}")
    return say(phrase) if phrase else f"{say(row['group'])} {say(row['value'])}"


def _count(count: int | None) -> str:
    return f"<{SMALL}" if count is None else str(count)


def _why(why: Mapping[str, Any], say: Say) -> str:
    come = [f"+{one['rule']} {say(RULES.get(one['rule'], one['rule']))}" for one in why["opened"]]
    gone = [f"-{one['rule']} {say(RULES.get(one['rule'], one['rule']))}" for one in why["gone"]]
    return say("; ").join([*come, *gone])


@app.command()
def adopt(
    ctx: typer.Context,
    file: FILE,
    as_json: Json = False,
) -> None:
    """Put a policy file or an overlay in force here: kept beside hub.toml, named in it, everybody judged again.

    A file with an error is refused. The archive is judged in bounded batches between what comes in; a running daemon
    of this folder takes the file at once, and `hub policy show` says how far it has come.
    """
    folder = face_of(ctx).folder
    candidate = _candidate(ctx, file)
    errors = [one for edition in (candidate, *candidate.later) for one in findings(edition) if one.level == "error"]
    if errors:
        raise UsageMistake(f"{file}: {errors[0].where} {errors[0].detail}", "`hub policy check` names all of them")
    policies.put_in_force(folder, file)
    daemon = reloaded(folder)
    with bootstrap.open_hub(folder) as hub:
        bootstrap.bring_up_to_date(hub)
        archive = policies.of_archive(hub.settings)
    told_so = {"version": candidate.version, "archive": archive, **({"daemon": daemon} if daemon else {})}
    if as_json:
        emit(told_so)
    else:
        note(f"{candidate.version}: in force; {archive['waiting']} households to judge")
        if daemon:
            note(daemon)
