"""`hub quarantine …`: rows that wait for a fix, grouped by what is wrong; once more after the fix, or discarded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import orjson
import typer

from hub import bootstrap
from hub.cli.face import ATTENTION, DONE, Json, UsageMistake, emit, face_of, note, show_pairs, show_table
from hub.cli.moments import short
from hub.core.problems import PROBLEMS
from hub.store import ledger
from hub.store.ledger import QuarantineView

app = typer.Typer(help="Rows that wait for a fix.", no_args_is_help=True)

Which = Annotated[
    str, typer.Argument(metavar="WHICH", help="A row's id (or its beginning), a problem code, or a batch.")
]


@app.command("list")
def list_groups(ctx: typer.Context, as_json: Json = False) -> None:
    """Waiting rows by problem code and stream, with the remedy."""
    face = face_of(ctx)
    with bootstrap.open_hub(face.folder) as hub, hub.store.read() as sql:
        groups: list[dict[str, Any]] = [
            {"code": code, "unit": unit, "stream": stream, "count": count, "since": since.isoformat(), **_words(code)}
            for code, unit, stream, count, since in ledger.quarantine_groups(sql)
        ]
    if as_json:
        emit(groups)
        return
    chinese = face.lang == "zh"
    show_table(
        ("CODE", "STREAM", "ROWS", "SINCE", "MEANS", "TO DO"),
        (
            (
                g["code"],
                f"{g['unit']}.{g['stream']}",
                str(g["count"]),
                short(g["since"]),
                g["title_zh" if chinese else "title"],
                g["remedy_zh" if chinese else "remedy"],
            )
            for g in groups
        ),
    )


def _words(code: str) -> dict[str, str]:
    text = PROBLEMS.get(code)
    if text is None:
        return {"title": code, "title_zh": code, "remedy": "", "remedy_zh": ""}
    return {"title": text.english, "title_zh": text.chinese, "remedy": text.remedy, "remedy_zh": text.remedy_zh}


@app.command()
def show(ctx: typer.Context, which: Which, as_json: Json = False) -> None:
    """Waiting rows with their originals opened: personal data, for whoever mends them."""
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        rows = [_shown(hub, row) for row in _chosen(hub, which)]
    if as_json:
        emit(rows)
        return
    for row in rows:
        original = row.pop("original")
        show_pairs(row)
        show_pairs({f"  {name}": value for name, value in original.items()})
        typer.echo("")


def _shown(hub: bootstrap.Hub, row: QuarantineView) -> dict[str, Any]:
    return {
        "id": row.uid,
        "batch": row.page,
        "row": row.row,
        "unit": row.unit,
        "stream": row.stream,
        "key": row.no,
        "code": row.code,
        "field": row.field,
        "remedy": row.remedy,
        "mode": row.mode,
        "at": row.at.isoformat(),
        "original": _original(hub, row),
    }


def _original(hub: bootstrap.Hub, row: QuarantineView) -> dict[str, Any]:
    found = orjson.loads(hub.vault.open_blob(row.uid, row.original) or b"{}")
    return found if isinstance(found, dict) else {"value": json.dumps(found, ensure_ascii=False)}


def _chosen(hub: bootstrap.Hub, which: str) -> list[QuarantineView]:
    """The waiting rows meant. Raises UsageMistake when there are none."""
    with hub.store.read() as sql:
        rows = (
            ledger.quarantined(sql, code=which)
            or ledger.quarantined(sql, page=which)
            or (ledger.quarantined(sql, uid=which) if which else [])
        )
    if not rows:
        raise UsageMistake(f'nothing waits under "{which}"', "`hub quarantine list` shows codes and counts")
    return rows


@app.command()
def redrive(ctx: typer.Context, which: Which, as_json: Json = False) -> None:
    """Take the sealed originals through the line again, after a mapping or configuration was mended."""
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        rows = _chosen(hub, which)
        receipts = bootstrap.redrive(hub, rows)
        now = _counts(receipts)
    _tell({"redriven": len(rows), **now}, as_json=as_json)
    if now["quarantined"] or now["pending"]:
        raise typer.Exit(ATTENTION)


def _counts(receipts: Sequence[dict[str, Any]]) -> dict[str, int]:
    names = ("applied", "unchanged", "rejected", "quarantined", "pending")
    return {name: sum(int(receipt[name]) for receipt in receipts) for name in names}


@app.command()
def discard(ctx: typer.Context, which: Which, as_json: Json = False) -> None:
    """Give rows up for good: they count as rejected from now on."""
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        count = bootstrap.discard(hub, _chosen(hub, which))
    _tell({"discarded": count}, as_json=as_json)
    raise typer.Exit(DONE)


def _tell(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        emit(told)
    else:
        note(", ".join(f"{count} {name}" for name, count in told.items()))
