"""`hub policy …`: the rules in force, and whether another file would compile."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub import bootstrap
from hub.cli.face import Json, UsageMistake, emit, face_of, note, show_pairs, show_table
from hub.core.book import compile_book

app = typer.Typer(help="The dated rules behind lights, reports and duties.", no_args_is_help=True)


@app.command()
def show(ctx: typer.Context, as_json: Json = False) -> None:
    """Every rule with its clause and law, and the district's numbers and switches."""
    policy = bootstrap.load_policy(bootstrap.read_settings(face_of(ctx).folder))
    if as_json:
        emit(
            {
                "version": policy.version,
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
    show_pairs({"version": policy.version, "calendar": ", ".join(map(str, sorted(policy.calendar.years)))})
    show_table(
        ("RULE", "LIGHT", "ON", "TITLE", "CLAUSE", "LAW"),
        ((r.id, r.light.name, "yes" if r.enabled else "no", r.title, r.clause, r.law) for r in policy.rules.values()),
    )
    show_table(
        ("DUTY", "TO", "DUE", "WHAT", "CLAUSE", "LAW"),
        (
            (d["id"], ", ".join(d["to"]), ", ".join(d["due"]), d["duty"], d["clause"], d["law"])
            for d in policy.raw.get("duty", ())
        ),
    )


@app.command()
def check(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A policy file, or an overlay.")],
    as_json: Json = False,
) -> None:
    """Whether a policy file or an overlay compiles; nothing is adopted."""
    if not file.is_file():
        raise UsageMistake(f"{file}: no such file")
    policy = bootstrap.compile_file(face_of(ctx).folder, file.read_bytes())
    compile_book(policy.raw)
    if as_json:
        emit({"ok": True, "version": policy.version, "rules": len(policy.rules)})
    else:
        note(f"{file}: compiles, {len(policy.rules)} rules, would be {policy.version}")
