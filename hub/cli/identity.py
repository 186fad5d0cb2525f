"""`hub identity review`: what a person should look at, in the order in which it matters."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub import bootstrap
from hub.cli.connectors import did_you_mean
from hub.cli.face import Json, UsageMistake, emit, face_of, show_table
from hub.cli.moments import short
from hub.store.reviews import KINDS, ReviewView, open_items

app = typer.Typer(help="Who is meant, and what waits for a person.", no_args_is_help=True)

TO_DO = {
    "emergency": "hub quarantine show ROW",
    "identity": "compare the record with the candidates",
    "backfill": "hub households adopt HOUSEHOLD",
}


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
        items = [_told(item) for item in open_items(sql, kind)]
    if as_json:
        emit(items)
        return
    show_table(
        ("KIND", "SINCE", "RECORD", "HOUSEHOLD", "WHY", "CANDIDATES", "TO DO"),
        (
            (
                item["kind"],
                short(item["since"]),
                f"{item['unit']}.{item['stream']} {item['key']}" if item["unit"] else "",
                ", ".join(item["households"]),
                item["why"],
                ", ".join(item["candidates"]),
                item["to_do"],
            )
            for item in items
        ),
    )


def _told(item: ReviewView) -> dict[str, Any]:
    return {
        "id": item.uid,
        "kind": item.kind,
        "since": item.at.isoformat(),
        "unit": item.key.unit if item.key else None,
        "stream": item.key.stream if item.key else None,
        "key": item.key.no if item.key else None,
        "position": item.position,
        "households": list(item.households),
        "why": item.why,
        "candidates": list(item.candidates),
        "to_do": TO_DO[item.kind],
    }
