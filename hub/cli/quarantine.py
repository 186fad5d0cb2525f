"""`hub quarantine …`: rows that wait for a fix, grouped by what is wrong; once more after the fix, or discarded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import typer

from hub import bootstrap
from hub.cli.audit import Purpose
from hub.cli.bars import counting
from hub.cli.face import (
    ATTENTION,
    DONE,
    Face,
    Json,
    UsageMistake,
    emit,
    face_of,
    note,
    show_pairs,
    show_table,
)  # fmt: skip
from hub.cli.moments import parse_moment, short
from hub.core.records import StreamKey
from hub.desk import looks
from hub.read import quarantine as told
from hub.store import quarantine
from hub.store.quarantine import Choice, QuarantineView
from hub.store.sql import Sql

app = typer.Typer(help="Rows that wait for a fix.", no_args_is_help=True)

COUNTED = ("applied", "unchanged", "rejected", "quarantined", "pending")

Which = Annotated[
    str | None,
    typer.Argument(metavar="WHICH", help="A row's id (or its beginning), a problem code, a group, or a batch."),
]
Group = Annotated[str, typer.Option("--group", metavar="GROUP", help="Rows of one group of the list.")]
Code = Annotated[str, typer.Option("--code", metavar="CODE", help="Rows with this problem code.")]
Batch = Annotated[str, typer.Option("--page", metavar="BATCH", help="Rows of one batch (its receipt's number).")]
Stream = Annotated[str, typer.Option("--stream", metavar="UNIT.STREAM", help="Rows of one stream.")]
Since = Annotated[str, typer.Option("--since", metavar="T", help="Rows first seen then or later: a day or an instant.")]
Until = Annotated[
    str, typer.Option("--until", metavar="T", help="Rows first seen then or earlier: a day or an instant.")
]


@app.command("list")
def list_groups(ctx: typer.Context, group: Group = "", as_json: Json = False) -> None:
    """Waiting rows by problem code and fingerprint (field, stream and shape of the value); cries for help first."""
    face = face_of(ctx)
    with bootstrap.open_hub(face.folder) as hub, hub.store.read() as sql:
        if group:
            rows = [told.row_told(row) for row in _chosen(sql, None, _choice(sql, group=group))]
            _list_rows(rows, as_json=as_json)
            return
        groups = told.groups(sql)
        urgent, since = quarantine.emergencies(sql)
    if as_json:
        emit(groups)
        return
    chinese = face.lang == "zh"
    if urgent and since:
        cry_for_help(face, urgent, since.isoformat())
    show_table(
        ("GROUP", "CODE", "STREAM", "FIELD", "SHAPE", "ROWS", "URGENT", "SEEN", "FIRST", "LAST", "MEANS", "TO DO"),
        (
            (
                g["group"],
                g["code"],
                f"{g['unit']}.{g['stream']}",
                g["field"],
                g["shape"],
                g["count"],
                g["urgent"] or "",
                g["times"],
                short(g["since"]),
                short(g["last"]),
                g["title_zh" if chinese else "title"],
                g["remedy_zh" if chinese else "remedy"],
            )
            for g in groups
        ),
    )


def cry_for_help(face: Face, count: int, since: str) -> None:
    """The first line of what people see: unreadable rows that somebody must read now."""
    text = face.say("{n} unreadable rows speak of violence or of a child in danger and wait for a person since {t}")
    typer.echo(f"!! {text.format(n=count, t=short(since))}")


def _list_rows(rows: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        emit(rows)
        return
    show_table(
        ("ROW", "BATCH", "NO", "NUMBER", "URGENT", "SEEN", "FIRST", "LAST"),
        (
            (
                row["id"],
                row["batch"],
                row["row"],
                row["key"],
                "!!" if row["urgent"] else "",
                row["times"],
                short(row["at"]),
                short(row["last"]),
            )
            for row in rows
        ),
    )


@app.command()
def show(
    ctx: typer.Context,
    which: Which = None,
    group: Group = "",
    purpose: Purpose = "",
    as_json: Json = False,
) -> None:
    """Rows with their originals opened: personal data, for whoever mends them; who reported is withheld here too.

    By its id also one that waits no longer.
    """
    with bootstrap.open_hub(face_of(ctx).folder) as hub, hub.store.read() as sql:
        found = _chosen(sql, which, _choice(sql, group=group), closed=True)
        looks.look(hub, "quarantine.show", found[0].uid if len(found) == 1 else which or group, purpose)
        rows = told.opened(sql, hub.vault, found, partial(bootstrap.tells_the_reporter, hub.settings))
    if as_json:
        emit(rows)
        return
    for row in rows:
        original = row.pop("original")
        show_pairs(row)
        show_pairs({f"  {name}": value for name, value in original.items()})
        typer.echo("")


@app.command()
def redrive(
    ctx: typer.Context,
    which: Which = None,
    code: Code = "",
    page: Batch = "",
    group: Group = "",
    stream: Stream = "",
    since: Since = "",
    until: Until = "",
    as_json: Json = False,
) -> None:
    """Take the sealed originals through the line again, after a mapping or configuration was mended."""
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        with hub.store.read() as sql:
            choice = _choice(sql, code=code, page=page, group=group, stream=stream, since=since, until=until)
            rows = _chosen(sql, which, choice)
        with counting("redrive", len(rows)) as step:
            receipts = bootstrap.redrive(hub, rows, step)
    now = _counts(receipts)
    _tell({"redriven": len(rows), **now, "still": _still(receipts)}, as_json=as_json)
    if now["quarantined"] or now["pending"]:
        raise typer.Exit(ATTENTION)


def _choice(
    sql: Sql,
    *,
    code: str = "",
    page: str = "",
    group: str = "",
    stream: str = "",
    since: str = "",
    until: str = "",
) -> Choice:
    fingerprint = told.fingerprint_named(sql, group) if group else None
    if group and fingerprint is None:
        raise UsageMistake(f'nothing waits in group "{group}"', "`hub quarantine list` shows the groups")
    unit, _, name = stream.partition(".")
    if stream and not name:
        raise UsageMistake(f'"{stream}" names no stream', "write it as UNIT.STREAM")
    return Choice(
        code=code,
        page=page,
        group=fingerprint,
        stream=StreamKey(unit, name) if stream else None,
        since=parse_moment(since, start=True) if since else None,
        until=parse_moment(until) if until else None,
    )


def _chosen(sql: Sql, which: str | None, choice: Choice, *, closed: bool = False) -> list[QuarantineView]:
    """The rows meant. ``closed``: an id names also a row that waits no longer. Raises UsageMistake when there are none."""
    if not which:
        if choice == Choice():
            raise UsageMistake(
                "which rows are meant?", "name a row, code, group or batch, or use --code, --page, --since"
            )
        rows = quarantine.chosen(sql, choice)
    else:
        rows = (
            quarantine.chosen(sql, choice._replace(code=which))
            or quarantine.chosen(sql, choice._replace(page=which))
            or quarantine.chosen(sql, choice._replace(uid=which, closed=closed))
        )
        if not rows and (group := told.fingerprint_named(sql, which)) is not None:
            rows = quarantine.chosen(sql, choice._replace(group=group))
    if not rows:
        asked = f'under "{which}"' if which else f"with {_in_words(choice)}"
        raise UsageMistake(f"nothing waits {asked}", "`hub quarantine list` shows codes, groups and counts")
    return rows


def _in_words(choice: Choice) -> str:
    """The conditions of a choice as they were asked for; a fingerprint without its name."""
    named = {
        "code": choice.code,
        "page": choice.page,
        "stream": ".".join(choice.stream or ()),
        "since": f"{choice.since:%Y-%m-%d %H:%M}" if choice.since else "",
        "until": f"{choice.until:%Y-%m-%d %H:%M}" if choice.until else "",
        "group": "this fingerprint" if choice.group else "",
    }
    return ", ".join(f"{name} {value}" for name, value in named.items() if value)


def _counts(receipts: Sequence[dict[str, Any]]) -> dict[str, int]:
    return {name: sum(int(receipt[name]) for receipt in receipts) for name in COUNTED}


def _still(receipts: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Problem code → how many rows it stopped again."""
    lines = (line for receipt in receipts for line in receipt["rows"])
    return dict(Counter(line["code"] for line in lines if line["status"] == "quarantined").most_common())


@app.command()
def discard(
    ctx: typer.Context,
    which: Which = None,
    group: Group = "",
    as_json: Json = False,
) -> None:
    """Give rows up for good: they count as rejected from now on, and so does the same row when it comes again."""
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        with hub.store.read() as sql:
            rows = _chosen(sql, which, _choice(sql, group=group))
        count = bootstrap.discard(hub, rows)
    _tell({"discarded": count}, as_json=as_json)
    raise typer.Exit(DONE)


def _tell(summary: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        emit(summary)
        return
    note(", ".join(f"{count} {name}" for name, count in summary.items() if isinstance(count, int)))
    for code, count in summary.get("still", {}).items():
        note(f"  {count} × {code}")
