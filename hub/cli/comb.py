"""`hub comb`: years of a unit's history in bulk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from hub import bootstrap
from hub.cli.audit import Purpose
from hub.cli.bars import counting
from hub.cli.face import Json, emit, face_of, note, show_pairs, show_table
from hub.cli.ingest import stream_of
from hub.core.records import StreamKey
from hub.desk import looks


def comb(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="CSV, XLSX, NDJSON, Parquet, or a database URL.")],
    connector: Annotated[str, typer.Option("--connector", help="Whose records they are.")] = "police",
    stream: Annotated[str, typer.Option("--stream", help="Which kind of record.")] = "incident",
    table: Annotated[str, typer.Option("--table", help="The table, where the source is a database.")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="The review list; default: comb-….jsonl in the folder.")
    ] = None,
    days: Annotated[int, typer.Option("--repeat-days", help="Days with calls that make an address worth a look.")] = 3,
    engine: Annotated[str, typer.Option("--engine", help="The bulk engine.")] = "embedded",
    purpose: Purpose = "",
    as_json: Json = False,
) -> None:
    """Comb a unit's history: households worth a file, repeat addresses, pairs. Nothing lands, nothing is reported.

    Who is meant and which light it would be is decided as on the line. The review list holds personal data (0600); what
    it shows is taken up by `hub ingest … --mode backfill` and `hub households adopt`.
    """
    from hub.bulk.engine import open_engine
    from hub.desk import comb  # the bulk engine is loaded by who combs

    face = face_of(ctx)
    moment = bootstrap.now()
    with bootstrap.open_hub(face.folder) as hub, open_engine(engine) as bulk:
        worker, config = stream_of(hub, connector, stream)
        looks.look(hub, "comb", f"{connector}.{stream}", purpose)
        target = out or face.folder / f"comb-{moment:%Y%m%d%H%M%S}.jsonl"
        sealer = comb.Sealer(hub.vault, lambda kind: hub.policy.is_reporting(worker.unit, kind), moment)
        with counting(face.say("records"), None) as step:
            for drafts in comb.read(comb.Source(source, table), worker, stream, config, moment):
                bulk.add(sealer.rows(drafts))
                step(len(drafts))
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            key = StreamKey(worker.unit, stream)
            found = comb.write_list(bulk, file, hub.store, hub.vault, key, hub.policy, moment, days)
        told = {
            "engine": bulk.name,
            "received": sealer.counts["received"],
            **{name: sealer.counts[name] for name in ("taken", "rejected", "quarantined")},
            "problems": dict(sealer.codes.most_common()),
            **found,
            "review_list": str(target),
        }
    if as_json:
        emit(told)
    else:
        say = face.say
        show_table((say("light"), say("households")), ((say(name), n) for name, n in told["lights"].items()))
        names = ("received", "taken", "rejected", "quarantined", "households", "addresses", "pairs", "already_known")
        show_pairs({say(name): told[name] for name in names})
        note(f"{target}")
    if sealer.counts["quarantined"]:
        raise typer.Exit(1)
