"""`hub connectors replay`: what was taken, through the mapping of today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from hub import bootstrap
from hub.cli.connectors import Name, app, did_you_mean
from hub.cli.face import ATTENTION, Json, UsageMistake, emit, face_of, note
from hub.cli.moments import parse_moment
from hub.cli.progress import progress

Stream = Annotated[str, typer.Option("--stream", metavar="STREAM", help="Only this stream.")]
Since = Annotated[
    str, typer.Option("--since", metavar="T", help="Only what came in then or later: a day or an instant.")
]
COUNTED = ("applied", "unchanged", "rejected", "quarantined", "pending")


@app.command()
def replay(ctx: typer.Context, name: Name, stream: Stream = "", since: Since = "", as_json: Json = False) -> None:
    """Take the sealed originals of what was taken through the mapping of today. Lights follow; nothing is sent.

    Rows that the new mapping reads as before stay as they are. What would differ outside the archive goes to the review
    list; `hub households adopt` opens it.
    """
    manifest = bootstrap.manifests().get(name)
    if manifest is None:
        raise UsageMistake(f'no connector "{name}" is installed', did_you_mean(name, bootstrap.manifests()))
    if stream and stream not in manifest.streams:
        raise UsageMistake(f'{name} has no stream "{stream}"', did_you_mean(stream, manifest.streams))
    moment = parse_moment(since, start=True) if since else None
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        if manifest.unit not in hub.workers:
            raise UsageMistake(f"{name} is disabled: nothing can map its rows", f"hub connectors enable {name}")
        taken = bootstrap.taken(hub, manifest.unit, stream or None, moment)
        with progress(f"replay {name}", "rows", taken.rows) as step:
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


def _summary(receipts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    lines = (line for receipt in receipts for line in receipt["rows"])
    return {
        "replayed": sum(int(receipt["received"]) for receipt in receipts),
        **{name: sum(int(receipt[name]) for receipt in receipts) for name in COUNTED},
        "unreadable": dict(Counter(line["code"] for line in lines if line["status"] == "quarantined").most_common()),
    }
