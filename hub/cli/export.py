"""`hub export …`: everything, one JSON object a line. Full personal data: run by the exporter on the hub's own machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import orjson
import typer

from hub import bootstrap
from hub.cli.audit import Purpose
from hub.cli.connectors import did_you_mean
from hub.cli.face import UsageMistake, face_of, note
from hub.desk import looks
from hub.read.export import EXPORTS

FLUSH_ROWS = 1000


def export(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(metavar="WHAT", help=f"One of {', '.join(EXPORTS)}.")],
    jsonl: Annotated[str, typer.Option("--jsonl", metavar="FILE", help="Where to; - is standard output.")] = "-",
    purpose: Purpose = "",
) -> None:
    """Write households, events, reports, duties or the audit chain as JSON lines, as of now."""
    if what not in EXPORTS:
        raise UsageMistake(f'nothing called "{what}" can be exported', did_you_mean(what, EXPORTS))
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        looks.look(hub, f"export.{what}", "", purpose)
        bootstrap.bring_up_to_date(hub)
        count = 0
        with _target(jsonl) as out:
            for row in EXPORTS[what](hub.store, hub.vault, bootstrap.now()):
                out.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
                count += 1
                if count % FLUSH_ROWS == 0:
                    out.flush()
    if jsonl != "-":
        note(f"{jsonl}: {count} {what}")


@contextmanager
def _target(name: str) -> Iterator[BinaryIO]:
    """Standard output, or a file that stands whole and private (0600) or not at all."""
    if name == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(name)
    fresh = path.with_name(f".{path.name}.part")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise UsageMistake(f"{name} cannot be written: {error.strerror}") from error
    finally:
        fresh.unlink(missing_ok=True)
