"""`hub ingest CONNECTOR STREAM FILE`: one file through the line, page by page, flat in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hub import bootstrap
from hub.cli.connectors import did_you_mean
from hub.cli.face import ATTENTION, Json, UsageMistake, emit, face_of, note, running_face
from hub.core.problems import remedy_of, text_of
from hub.core.sentences import Say
from hub.runtime.specs import FileSpec
from hub.runtime.submission import Receipt
from hub.runtime.unit_worker import UnitWorker
from hub.sdk.reading import Marks, sentence
from hub.sdk.receipts import is_faulty, remedy_zh, with_lines
from hub.settings import StreamConfig
from hub.store.pages import COUNTS

MODES = ("live", "backfill", "shadow")
RECEIPTS = (".xlsx", ".csv")
"""What a receipt can be written as."""
SHOWN = 20
"""Rows of a receipt shown at the terminal; all of them with --json or --receipt."""


def ingest(
    ctx: typer.Context,
    connector: Annotated[str, typer.Argument(metavar="CONNECTOR")],
    stream: Annotated[str, typer.Argument(metavar="STREAM")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, XLSX, XLS, NDJSON or JSON.")],
    mode: Annotated[str, typer.Option("--mode", help=f"One of {', '.join(MODES)}.")] = "live",
    all_rows: Annotated[bool, typer.Option("--all-rows", help="List plainly applied rows too.")] = False,
    receipt_file: Annotated[
        Path | None, typer.Option("--receipt", metavar="OUT.(xlsx|csv)", help="Row by row.")
    ] = None,
    returned: Annotated[
        Path | None, typer.Option("--returned", metavar="FOLDER", help="Write the rows to correct there, as a file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Take one file through the line and print its receipt."""
    if mode not in MODES:
        raise UsageMistake(f'no mode is called "{mode}"', f"choose one of {', '.join(MODES)}")
    if not file.is_file():
        raise UsageMistake(f"{file} is no file: nothing was taken", "name a CSV, XLSX, XLS, NDJSON or JSON file")
    if receipt_file is not None and receipt_file.suffix.lower() not in RECEIPTS:
        raise UsageMistake(f"{receipt_file} is neither .xlsx nor .csv: nothing was taken", "name a file that ends so")
    if returned is not None and not returned.is_dir():
        raise UsageMistake(f"{returned} is no folder", "name a folder for the rows to correct")
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        found, config = stream_of(hub, connector, stream)
        spec = _file_spec(hub, config, file)
        total = _whole_receipt(hub, found, stream, spec, mode, all_rows=all_rows or receipt_file is not None)
        given = found.hands.give_back(stream, spec, list(filter(is_faulty, total["rows"]))) if returned else None
    if returned and given is not None:
        total["returned"] = given[0]
        _write(returned / Path(given[0]).name, given[1])
    if receipt_file is not None:
        from hub.cli.receipt_file import write_receipt_file  # spreadsheets are loaded by who needs them

        write_receipt_file(receipt_file, total)
        if not all_rows:
            total["rows"] = [row for row in total["rows"] if row["status"] != "applied" or row.get("code")]
    if as_json:
        emit(total)
    else:
        _print(total)
    if total["quarantined"] or total["pending"]:
        raise typer.Exit(ATTENTION)


def stream_of(hub: bootstrap.Hub, name: str, stream: str) -> tuple[UnitWorker, StreamConfig]:
    """The connector's worker and how its stream is configured. Raises UsageMistake when it may not take records."""
    config = hub.settings.connectors.get(name)
    if config is None:
        raise UsageMistake(f'no connector "{name}"', did_you_mean(name, hub.settings.connectors))
    if not config.enabled:
        raise UsageMistake(f"{name} is disabled: nothing was taken", f"hub connectors enable {name}")
    manifest = bootstrap.manifests()[name]
    if stream not in manifest.streams:
        raise UsageMistake(f'{name} has no stream "{stream}"', did_you_mean(stream, manifest.streams))
    worker = hub.workers[manifest.unit]
    assert isinstance(worker, UnitWorker)
    return worker, config.streams.get(stream) or StreamConfig(name=stream, transport="push")


def _file_spec(hub: bootstrap.Hub, config: StreamConfig, file: Path) -> FileSpec:
    return FileSpec(
        path=str(file.absolute()),
        options=config.options,
        rows_per_page=hub.settings.limits.rows_per_page,
        file_bytes=hub.settings.limits.file_bytes,
        fields=config.fields,
    )


def _whole_receipt(
    hub: bootstrap.Hub, worker: UnitWorker, stream: str, spec: FileSpec, mode: str, *, all_rows: bool
) -> Receipt:
    """Land every page of the file, then add up their receipts; `first_row` counts from 1 through the file."""
    uids: list[str] = []
    found: dict[str, Any] = {}
    file = Path(spec.path)
    with bootstrap.taking(hub) as take, _progress(file) as step:
        for page, drafts in worker.ingest(stream, spec, mode=mode, source=_digest(file), found=found):
            uids.append(take(page, drafts))
            step(page.rows)
    submission = bootstrap.submission(hub)
    total = _added_up(submission.receipt(uid, all_rows=all_rows) for uid in uids)
    total = bootstrap.worded(worker.manifest.name, stream, spec.fields, total)
    return with_lines(total, Marks(found.get("marks", ())), found.get("notes", ()))


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UsageMistake(f"{path} cannot be written: {error.strerror}") from error
    note(f"rows to correct: {path}")


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


@contextmanager
def _progress(file: Path) -> Iterator[Any]:
    """A bar on a terminal's standard error; nothing anywhere else."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda count: None
        return
    columns = (TextColumn(file.name), BarColumn(), MofNCompleteColumn(), TextColumn("rows"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(file.name, total=None)
        yield lambda count: bar.advance(task, count)


def _added_up(receipts: Iterable[Receipt]) -> Receipt:
    """One receipt for all pages of a file; ``batch`` names the first page, ``batches`` all of them."""
    total: Receipt = {"batch": None, "received": 0, **dict.fromkeys(COUNTS, 0), "pending": 0, "batches": [], "rows": []}
    for receipt in receipts:
        total["batch"] = total["batch"] or receipt["batch"]
        total["batches"].append(receipt["batch"])
        for name in ("received", *COUNTS, "pending"):
            total[name] += receipt[name]
        total["rows"] += receipt["rows"]
    return total


def _print(total: Mapping[str, Any]) -> None:
    say = running_face().say
    each = say("{count} {name}")
    parts = " + ".join(each.format(count=total[name], name=say(name)) for name in (*COUNTS, "pending"))
    typer.echo(say("{received} received = {parts}").format(received=total["received"], parts=parts))
    for found in total["notes"]:
        typer.echo(f"  {sentence(found)}")
    told = [row for row in total["rows"] if row["status"] not in ("unchanged",)]
    for row in told[:SHOWN]:
        where = say("row {row}").format(row=row["row"]) + _line(row, say)
        typer.echo(f"  {where}: {say(row['status'])} {row.get('code', '')} {_column(row)} {_remedy(row)}".rstrip())
    if len(told) > SHOWN:
        note(f"  … and {len(told) - SHOWN} more: --json or --receipt OUT.xlsx lists them")


def _column(row: Mapping[str, Any]) -> str:
    """The field that a problem names, under the department's own header where it has one."""
    field = str(row.get("field", ""))
    return f"{row['column']} ({field})" if row.get("column") else field


def _remedy(row: Mapping[str, Any]) -> str:
    code = str(row.get("code", ""))
    if running_face().lang == "zh":
        return remedy_zh(row, text_of(code).remedy_zh) if code else ""
    return str(row.get("remedy") or remedy_of(code))


def _line(row: Mapping[str, Any], say: Say) -> str:
    """Where a row stands in the file, if that is another number."""
    if not row.get("line"):
        return ""
    if row.get("sheet"):
        return say(" (sheet {sheet} line {line})").format(sheet=row["sheet"], line=row["line"])
    return say(" (line {line})").format(line=row["line"]) if row["line"] != row["row"] else ""
