"""`hub report monthly`: the situation report of a community for the monthly meeting, to print or to work with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from html import escape
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from hub import bootstrap
from hub.cli.face import Json, UsageMistake, emit, face_of
from hub.cli.moments import short
from hub.core.clocks import add_months, start_of_day
from hub.core.queue_words import named, unit_words
from hub.core.sentences import Say
from hub.desk import looks
from hub.read.monthly import FEWEST, Month
from hub.read.monthly import monthly as situation
from hub.sdk.receipts import workbook_bytes

app = typer.Typer(help="Reports for people.", no_args_is_help=True)
STYLE = (
    "body{font:11pt/1.5 sans-serif;max-width:60em;margin:2em auto}table{border-collapse:collapse;margin:.5em 0 1.5em}"
    "td,th{border:1px solid #999;padding:.2em .6em;text-align:left}h2{font-size:1.1em}@page{size:A4;margin:18mm}"
)


@app.callback()
def group() -> None:
    """Reports for people."""


class Section(NamedTuple):
    """One table of the report."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[object]]


@app.command()
def monthly(
    ctx: typer.Context,
    community: Annotated[str, typer.Option("--community", metavar="CODE", help="The community that meets.")],
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="The month that is looked at.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="FILE.html to print, or FILE.xlsx.")] = None,
    as_json: Json = False,
) -> None:
    """The situation of a community in a month: lights, changes, what units sent and owed, agenda, activities.

    No names; counts of single units below five are suppressed. A browser prints the HTML as PDF.
    """
    face = face_of(ctx)
    if out is not None and out.suffix not in (".html", ".xlsx"):
        raise UsageMistake(
            f"{out}: neither .html nor .xlsx", "write FILE.html (a browser prints it as PDF) or FILE.xlsx"
        )
    asked = _month(community, month, bootstrap.now())
    with bootstrap.open_hub(face.folder) as hub:
        looks.look(hub, "report.monthly", community)
        bootstrap.bring_up_to_date(hub)
        with hub.store.read() as sql:
            told = situation(sql, asked)
    if as_json:
        emit(told)
    say = face.say
    title = say("Situation of community {community}, {month}").format(community=community, month=month)
    sections = list(_sections(told, say))
    if out is not None:
        made = _html(title, sections, told, say) if out.suffix == ".html" else _xlsx(title, sections)
        out.write_bytes(made)
    elif not as_json:
        typer.echo("\n".join([title, *_lines(sections)]))


def _month(community: str, text: str, now: datetime) -> Month:
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise UsageMistake(f'"{text}" is no month', "write a month such as 2026-03") from None
    if start_of_day(first) > now:
        raise UsageMistake(f"{text} has not begun", "name this month or one before it")
    return Month(community, start_of_day(first), start_of_day(add_months(first, 1)), now)


def _sections(told: Mapping[str, Any], say: Say) -> Iterator[Section]:
    yield Section(
        say("Households by light (critical, prominent, general)"),
        (say("light"), say("at the beginning"), say("at the end")),
        [(say(light), told["lights_before"][light], count) for light, count in told["lights"].items()],
    )
    changes = told["changes"]
    yield Section(
        say("Changes of light"),
        (say("up"), say("down"), say("newly red")),
        [(changes["up"], changes["down"], changes["new_red"])],
    )
    yield Section(
        say("What units sent"),
        (say("unit"), say("record"), say("count")),
        [(say(r["unit"]), say(r["stream"]), _count(r["count"])) for r in told["records"]],
    )
    for name, title in (("reports", say("Mandatory reports")), ("duties", say("Duties"))):
        yield Section(
            title,
            (say("duty"), say("unit"), say("opened"), say("done"), say("given back"), say("open"), say("late")),
            [
                (named(r["what"], say), unit_words(r["unit"], say),
                 *(_count(r[key]) for key in ("opened", "done", "returned", "open", "overdue")))
                for r in told[name]
            ],
        )  # fmt: skip
    yield Section(say("Agenda: households to be reviewed"), (say("Household"),), [(one,) for one in told["agenda"]])
    yield Section(
        say("Activities"),
        (say("kind"), say("count"), say("attendees")),
        [(say(r["kind"]), r["count"], r["attendees"]) for r in told["activities"]],
    )
    yield Section(say("Far fewer records than before"), (say("source or community"),), [(one,) for one in told["thin"]])


def _count(count: int | None) -> object:
    return f"<{FEWEST}" if count is None else count


def _lines(sections: Sequence[Section]) -> Iterator[str]:
    for section in sections:
        yield f"\n{section.title}"
        yield from (
            "  " + "　".join(f"{h} {cell}" for h, cell in zip(section.headers, row, strict=True))
            for row in section.rows
        )
        if not section.rows:
            yield "  —"


def _html(title: str, sections: Sequence[Section], told: Mapping[str, Any], say: Say) -> bytes:
    body = [f"<h1>{escape(title)}</h1>", f"<p>{escape(say('made'))} {escape(short(told['made_at']))}</p>"]
    for section in sections:
        body += [f"<h2>{escape(section.title)}</h2>", "<table><tr>"]
        body += [f"<th>{escape(header)}</th>" for header in section.headers]
        body += [
            "</tr>",
            *(_row(row) for row in section.rows or [["—"] + [""] * (len(section.headers) - 1)]),
            "</table>",
        ]
    note = say("Counts below {few} are not shown.").format(few=FEWEST)
    page = f'<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f"{page}</head><body>{''.join(body)}<p>{escape(note)}</p></body></html>\n".encode()


def _row(row: Sequence[object]) -> str:
    return "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>"


def _xlsx(title: str, sections: Sequence[Section]) -> bytes:
    lines: list[Sequence[object]] = [[title]]
    for section in sections:
        lines += [[], [section.title], list(section.headers), *([*row] for row in section.rows)]
    return workbook_bytes(title[:31], lines, (28, 22, 12, 12, 12, 12, 12))
