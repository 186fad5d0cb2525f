"""`hub connectors probe | try | poll | reconcile`: does the source answer, what would its records become, take them now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from hub import bootstrap
from hub.cli.audit import Purpose
from hub.cli.connectors import Name, app, configured, did_you_mean, manifest_of, show_days
from hub.cli.face import ATTENTION, DONE, Json, UsageMistake, emit, exit_code, face_of, note, running_face, show_table
from hub.cli.looking import LOOKED_AT, is_old, looked_at, would_be
from hub.config.stream_settings import MOST_DAYS
from hub.core.errors import HubError
from hub.core.problems import remedy_of
from hub.core.records import StreamKey
from hub.desk import looks
from hub.runtime.unit_worker import UnitWorker

Stream = Annotated[str | None, typer.Argument(metavar="[STREAM]", help="One stream; default: all that are polled.")]


@app.command()
def probe(ctx: typer.Context, name: Name, stream: Stream = None, as_json: Json = False) -> None:
    """Reach the sources of a connector and write nothing; says how many records are older than 30 days."""
    code = DONE
    told = []
    with bootstrap.open_hub(face_of(ctx).folder) as hub, _worker(hub, name) as worker:
        for one in _streams(hub, name, stream):
            row: dict[str, Any] = {"stream": one, "reached": True, "records": 0, "older_than_30_days": 0}
            try:
                found = list(looked_at(worker, one, LOOKED_AT))
                row["records"] = len(found)
                row["older_than_30_days"] = sum(is_old(draft) for draft in found)
            except HubError as error:
                row |= {"reached": False, **_failed(ctx, error)}
                code = max(code, exit_code(error))
            told.append(row)
    if as_json:
        emit({"connector": name, "streams": told})
    else:
        say = running_face().say
        show_table(
            ("STREAM", "REACHED", "RECORDS", "OLDER THAN 30 DAYS", "SAYS"),
            (
                (
                    row["stream"],
                    say("yes") if row["reached"] else say("no"),
                    str(row["records"]),
                    str(row["older_than_30_days"]),
                    row.get("says"),
                )
                for row in told
            ),
        )
        if any(row["older_than_30_days"] for row in told):
            note("  set live_from on a stream to take its older records as history, without reports and duties")
    raise typer.Exit(code)


def _failed(ctx: typer.Context, error: HubError) -> dict[str, str]:
    """Why a stream could not be read, and what to do."""
    return {
        "code": error.code, "says": str(error), "remedy": error.remedy or remedy_of(error.code, face_of(ctx).lang),
    }  # fmt: skip


@app.command("try")
def try_out(
    ctx: typer.Context,
    name: Name,
    stream: Stream = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="Records of each stream.")] = 10,
    purpose: Purpose = "",
    as_json: Json = False,
) -> None:
    """Show records as they would be taken; nothing is stored and no cursor moves."""
    told = []
    with bootstrap.open_hub(face_of(ctx).folder) as hub, _worker(hub, name) as worker:
        looks.look(hub, "connector.try", name, purpose)
        for one in _streams(hub, name, stream):
            lenient = hub.policy.is_reporting(worker.unit, bootstrap.kind_of(name, one))
            told += [{"stream": one, **would_be(entry, lenient=lenient)} for entry in looked_at(worker, one, limit)]
    if as_json:
        emit(told)
    else:
        for row in told:
            typer.echo(
                f"{row['stream']} {row.get('key') or '—'}: would be {row['would_be']} {row.get('code', '')}".rstrip()
            )
            for field, value in row.get("facts", {}).items():
                typer.echo(f"    {field} = {value}")
            for person in row.get("persons", ()):
                typer.echo("    " + ", ".join(f"{key} {value}" for key, value in person.items() if value))
    if any(row["would_be"] == "quarantined" for row in told):
        raise typer.Exit(ATTENTION)


@app.command()
def poll(ctx: typer.Context, name: Name, stream: Stream = None, as_json: Json = False) -> None:
    """Read the streams of a connector once, now; the daemon does it where one runs. One that fails holds up no other."""
    code, told = DONE, []
    with bootstrap.open_hub(face_of(ctx).folder) as hub, _worker(hub, name) as worker:
        for one in _streams(hub, name, stream):
            row: dict[str, Any] = {"stream": one}
            try:
                row |= bootstrap.poll_once(hub, StreamKey(worker.unit, one))
            except HubError as error:
                row |= _failed(ctx, error)
                code = max(code, exit_code(error))
            told.append(row)
    if as_json:
        emit({"connector": name, "streams": told})
    else:
        for row in told:
            if "code" in row:
                note(f"{name} {row['stream']}: {row['code']}: {row['says']}")
                note(f"  to do: {row['remedy']}")
            else:
                note(f"{name} {row['stream']}: {row['rows']} record(s) in {row['pages']} page(s)")
    raise typer.Exit(code)


@app.command()
def reconcile(
    ctx: typer.Context,
    name: Name,
    stream: Stream = None,
    days: Annotated[
        int | None, typer.Option("--days", metavar="N", min=1, max=MOST_DAYS, help="Whole days back; default: as set.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare streams day by day with what their source says of itself (对账), and read again what is missing.

    Exits 1 while records are missing that the source does not give again.
    """
    told: list[dict[str, Any]] = []
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        unit = manifest_of(name).unit
        for one in _compared(hub, name, stream):
            note(f"{name} {one}: comparing")
            told += bootstrap.reconcile_once(hub, StreamKey(unit, one), days)
    if as_json:
        emit({"connector": name, "days": told})
    else:
        show_days(told)
    if any(day["state"] == "differs" for day in told):
        raise typer.Exit(ATTENTION)


def _compared(hub: bootstrap.Hub, name: str, stream: str | None) -> Sequence[str]:
    if stream is not None:
        return [configured(hub.settings, name, stream).name]
    config = hub.settings.connectors.get(name)
    found = [one for one, how in config.streams.items() if how.reconcile is not None] if config else []
    if not found:
        raise UsageMistake(
            f"{name}: no stream says how its days can be asked for",
            f"set [streams.….reconcile] in connectors.d/{name}.toml; see docs/operations.md",
        )
    return found


@contextmanager
def _worker(hub: bootstrap.Hub, name: str) -> Iterator[UnitWorker]:
    """The connector's worker, enabled or not: trying comes before enabling."""
    config = hub.settings.connectors.get(name)
    if config is None:
        raise UsageMistake(f'no connector "{name}"', did_you_mean(name, hub.settings.connectors))
    worker = bootstrap.make_worker(hub.settings, config)
    try:
        yield worker
    finally:
        worker.close()


def _streams(hub: bootstrap.Hub, name: str, stream: str | None) -> Sequence[str]:
    if stream is not None:
        return [configured(hub.settings, name, stream).name]
    config = hub.settings.connectors[name]
    found = [one for one, how in config.streams.items() if how.transport != "push"]
    if not found:
        raise UsageMistake(
            f"{name}: no source is set, it takes records by push and ingest",
            f"set a transport for a stream in connectors.d/{name}.toml",
        )
    return found
