"""`hub connectors replay | shadow`: what was taken, through the mapping of today, or of tomorrow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from hub import bootstrap
from hub.cli.bars import counting
from hub.cli.connectors import Name, app, did_you_mean
from hub.cli.face import ATTENTION, Json, UsageMistake, emit, face_of, note, show_table
from hub.cli.moments import parse_moment
from hub.desk import candidates
from hub.sdk.manifest import Manifest

Stream = Annotated[str, typer.Option("--stream", metavar="STREAM", help="Only this stream.")]
Since = Annotated[
    str, typer.Option("--since", metavar="T", help="Only what came in then or later: a day or an instant.")
]
SHOWN = 20
"""Lines of each table on a terminal; `--json` has them all."""
COUNTED = ("applied", "unchanged", "rejected", "quarantined", "pending")


@app.command()
def replay(ctx: typer.Context, name: Name, stream: Stream = "", since: Since = "", as_json: Json = False) -> None:
    """Take the sealed originals of what was taken through the mapping of today. Lights follow; nothing is sent.

    Rows that the new mapping reads as before stay as they are. What would differ outside the archive goes to the review
    list; `hub households adopt` opens it.
    """
    manifest = _known(name, stream)
    moment = parse_moment(since, start=True) if since else None
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        _mapped(hub, name, manifest.unit)
        taken = bootstrap.taken(hub, manifest.unit, stream or None, moment)
        with counting(f"replay {name}", taken.rows) as step:
            receipts = bootstrap.replay(hub, taken, step)
    told = _summary(receipts)
    if as_json:
        emit({"connector": name, **told})
    else:
        note(", ".join(f"{told[key]} {key}" for key in ("replayed", *COUNTED)))
        for code, count in told["unreadable"].items():
            note(f"  {count} × {code}: the version of before stays")
    if told["quarantined"] or told["pending"]:
        raise typer.Exit(ATTENTION)


def _known(name: str, stream: str) -> Manifest:
    manifest = bootstrap.manifests().get(name)
    if manifest is None:
        raise UsageMistake(f'no connector "{name}" is installed', did_you_mean(name, bootstrap.manifests()))
    if stream and stream not in manifest.streams:
        raise UsageMistake(f'{name} has no stream "{stream}"', did_you_mean(stream, manifest.streams))
    return manifest


def _mapped(hub: bootstrap.Hub, name: str, unit: str) -> None:
    if unit not in hub.workers:
        raise UsageMistake(f"{name} is disabled: nothing can map its rows", f"hub connectors enable {name}")


def _summary(receipts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    lines = (line for receipt in receipts for line in receipt["rows"])
    return {
        "replayed": sum(int(receipt["received"]) for receipt in receipts),
        **{name: sum(int(receipt[name]) for receipt in receipts) for name in COUNTED},
        "unreadable": dict(Counter(line["code"] for line in lines if line["status"] == "quarantined").most_common()),
    }


@app.command()
def shadow(
    ctx: typer.Context,
    name: Name,
    candidate: Annotated[
        Path, typer.Option("--candidate", metavar="PATH", help="A TOML file or a folder with another version.")
    ],
    stream: Stream = "",
    since: Since = "",
    as_json: Json = False,
) -> None:
    """Run a candidate mapping beside the live one on the same raw input; what would differ. Nothing is kept or sent.

    The input: what the unit sent and what waits in quarantine, with everything else on the households it touches.
    """
    manifest = _known(name, stream)
    moment = parse_moment(since, start=True) if since else None
    if not candidate.exists():
        raise UsageMistake(f"{candidate} is not there", "name a TOML file or a folder")
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        _mapped(hub, name, manifest.unit)
        with counting(f"shadow {name}") as step:
            told = candidates.rehearse(hub, name, candidate, stream or None, moment, step)
    if as_json:
        emit(told)
    else:
        _print(told)
    if differs(told):
        raise typer.Exit(ATTENTION)


def differs(told: Mapping[str, Any]) -> bool:
    """Whether a candidate changes anything."""
    records, owed = told["records"], (told["reports"], told["duties"])
    return bool(
        records["changed"] or records["only_live"] or records["only_candidate"] or told["refused"]["changed"]
        or told["lights"] or any(part["only_live"] or part["only_candidate"] for part in owed)
    )  # fmt: skip


def _print(told: Mapping[str, Any]) -> None:
    records, refused = told["records"], told["refused"]
    note(f"records: {records['same']} same, {len(records['changed'])} changed")
    note(f"refused: {refused['was']} now, {refused['would_be']} with the candidate")
    changed = Counter(field["field"] for row in records["changed"] for field in row["fields"])
    show_table(("FIELD", "RECORDS"), changed.most_common(), "Fields that differ")
    show_table(
        ("STREAM", "NUMBER", "NOW", "CANDIDATE"),
        ((row["stream"], row["key"], row["was"], row["would_be"]) for row in refused["changed"][:SHOWN]),
        "Rows refused by one of them",
    )
    show_table(
        ("HOUSEHOLD", "NOW", "CANDIDATE", "RECORDS"),
        (
            (
                ", ".join(row["households"]),
                _lit(row["was"]),
                _lit(row["would_be"]),
                ", ".join(row["records"][:5]),
            )
            for row in told["lights"][:SHOWN]
        ),
        "Lights",
    )
    for what in ("reports", "duties"):
        rows = [(side, row) for side in ("only_live", "only_candidate") for row in told[what][side]]
        show_table(
            ("RULE", "TO", "ONLY", "BECAUSE OF"),
            ((row["rule"], row["to"], side.removeprefix("only_"), ", ".join(row["causes"][:5])) for side, row in rows[:SHOWN]),
            what.capitalize(),
        )  # fmt: skip


def _lit(homes: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{home['light']} {' '.join(home['rules'])}".strip() for home in homes)
