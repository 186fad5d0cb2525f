"""`hub connectors probe | try | poll`: does the source answer, what would its records become, take them now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from hub import bootstrap
from hub.cli.connectors import Name, app, configured, did_you_mean
from hub.cli.face import ATTENTION, DONE, Json, UsageMistake, emit, exit_code, face_of, note, show_table
from hub.cli.moments import short
from hub.core.errors import HubError
from hub.core.freight import Drafts
from hub.core.message import json_ready
from hub.core.normalise import normalise
from hub.core.records import Draft, Problem, StreamKey
from hub.runtime.worker import ThreadWorker, page_of_rows
from hub.sdk.tabular import read_rows
from hub.store.numbers import new_uid

OLD = timedelta(days=30)
"""Records older than this, taken live, would make duties about the past: `live_from` is asked for."""
LOOKED_AT = 500
"""Records of a source that `probe` looks at."""

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
                found = list(_looked_at(worker, one, LOOKED_AT))
                row["records"] = len(found)
                row["older_than_30_days"] = sum(_is_old(draft) for draft in found)
            except HubError as error:
                row |= {"reached": False, "code": error.code, "says": str(error), "remedy": error.remedy}
                code = max(code, exit_code(error))
            told.append(row)
    if as_json:
        emit({"connector": name, "streams": told})
    else:
        show_table(
            ("STREAM", "REACHED", "RECORDS", "OLDER THAN 30 DAYS", "SAYS"),
            (
                (
                    row["stream"],
                    "yes" if row["reached"] else "no",
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


@app.command("try")
def try_out(
    ctx: typer.Context,
    name: Name,
    stream: Stream = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="Records of each stream.")] = 10,
    as_json: Json = False,
) -> None:
    """Show records as they would be taken; nothing is stored and no cursor moves."""
    told = []
    with bootstrap.open_hub(face_of(ctx).folder) as hub, _worker(hub, name) as worker:
        for one in _streams(hub, name, stream):
            kind = bootstrap.connectors()[name].streams[one].kind
            lenient = hub.policy.is_reporting(worker.unit, kind)
            told += [{"stream": one, **_would_be(entry, lenient=lenient)} for entry in _looked_at(worker, one, limit)]
    if as_json:
        emit(told)
    else:
        for row in told:
            typer.echo(f"{row['stream']} {row.get('key') or '—'}: {row['would_be']} {row.get('code', '')}".rstrip())
            for field, value in row.get("facts", {}).items():
                typer.echo(f"    {field} = {value}")
            for person in row.get("persons", ()):
                typer.echo("    " + ", ".join(f"{key} {value}" for key, value in person.items() if value))
    if any(row["would_be"] == "quarantined" for row in told):
        raise typer.Exit(ATTENTION)


@app.command()
def poll(ctx: typer.Context, name: Name, stream: Stream = None, as_json: Json = False) -> None:
    """Read the streams of a connector once, now; the daemon does it where one runs."""
    told = []
    with bootstrap.open_hub(face_of(ctx).folder) as hub, _worker(hub, name) as worker:
        told += [
            {"stream": one, **bootstrap.poll_once(hub, StreamKey(worker.unit, one))}
            for one in _streams(hub, name, stream)
        ]
    if as_json:
        emit({"connector": name, "streams": told})
    else:
        for row in told:
            note(f"{name} {row['stream']}: {row['rows']} record(s) in {row['pages']} page(s)")


@contextmanager
def _worker(hub: bootstrap.Hub, name: str) -> Iterator[ThreadWorker]:
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


def _looked_at(worker: ThreadWorker, stream: str, limit: int) -> Iterator[Draft | Problem]:
    """Mapped records from the beginning of a source; reading stops early, so no file is moved."""
    config = worker.stream_config(stream)
    if config.transport == "files":
        yield from islice(_of_files(worker, stream, config.options), limit)
        return
    for _, drafts in worker.fetch(stream, None):
        yield from drafts[:limit]
        limit -= len(drafts)
        if limit <= 0:
            return


def _of_files(worker: ThreadWorker, stream: str, options: Mapping[str, Any]) -> Iterator[Draft | Problem]:
    """The files that lie there, read in place."""
    folder = Path(str(options["folder"]))
    if not folder.is_dir():
        raise HubError(
            f"{folder}: no such folder", code="files.folder", remedy="create it, or give the hub access to it"
        )
    for path in sorted(folder.glob(str(options.get("pattern", "*")))):
        if path.is_file() and not path.name.startswith("."):
            rows = read_rows(
                path, options.get("encoding", "auto"), options.get("sheet", 1), options.get("header_row", 1)
            )
            while part := list(islice(rows, LOOKED_AT)):
                yield from _mapped(worker, stream, part)


def _mapped(worker: ThreadWorker, stream: str, rows: list[dict[str, Any]]) -> Drafts:
    config = worker.stream_config(stream)
    page = page_of_rows(
        worker.connector, stream, rows, uid=new_uid(), received_at=bootstrap.now(), first_row=1, renames=config.fields
    )
    return worker.map(page)


def _is_old(entry: Draft | Problem) -> bool:
    if isinstance(entry, Problem):
        return False
    moment = bootstrap.now()
    clean = normalise(entry, received_at=moment, lenient=True)
    return isinstance(clean, Draft) and clean.at is not None and moment - clean.at > OLD


def _would_be(entry: Draft | Problem, *, lenient: bool) -> dict[str, Any]:
    """One record as the line would take it: by its problem, or by its facts and persons."""
    clean = entry if isinstance(entry, Problem) else normalise(entry, received_at=bootstrap.now(), lenient=lenient)
    if isinstance(clean, Problem):
        return {
            "row": clean.row,
            "key": clean.key.no if clean.key else None,
            "would_be": "rejected" if clean.rejected else "quarantined",
            "code": clean.code,
            "field": clean.field,
            "remedy": clean.remedy,
        }
    return {
        "row": clean.row,
        "key": clean.key.no,
        "kind": clean.kind,
        "at": short(clean.at.isoformat()) if clean.at else None,
        "would_be": "retracted" if clean.deleted else "applied",
        "facts": json_ready({name: value for name, value in clean.facts.items() if value is not None}),
        "persons": [json_ready({k: v for k, v in person._asdict().items() if v}) for person in _parties(clean)],
        "issues": [{"code": code, "field": field} for code, field in clean.issues],
    }


def _parties(draft: Draft) -> list[Any]:
    """Everybody but the reporter, who is shown to nobody."""
    return [person for person in draft.persons if person.role != "reporter"]
