"""The situation report of a month for people: its tables, as lines, as HTML to print, as a workbook to work with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from html import escape
from typing import Any, NamedTuple

import orjson

from hub.core.clocks import add_months, start_of_day
from hub.core.queue_words import named, unit_words
from hub.core.sentences import Say
from hub.read.monthly import FEWEST, Month
from hub.sdk.receipts import workbook_bytes

STYLE = (
    "body{font:11pt/1.5 sans-serif;max-width:60em;margin:2em auto}table{border-collapse:collapse;margin:.5em 0 1.5em}"
    "td,th{border:1px solid #999;padding:.2em .6em;text-align:left}h2{font-size:1.1em}@page{size:A4;margin:18mm}"
)
FORMS = {
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""Form of the report → its media type."""


class Section(NamedTuple):
    """One table of the report."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[object]]


def month_of(community: str, text: str, now: datetime) -> Month:
    """``2026-03`` as a month that has begun. Raises ValueError with what is wrong: `month` or `ahead`."""
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise ValueError("month") from None
    if start_of_day(first) > now:
        raise ValueError("ahead")
    return Month(community, start_of_day(first), start_of_day(add_months(first, 1)), now)


def title_of(told: Mapping[str, Any], say: Say) -> str:
    """What stands at its head."""
    return say("Situation of community {community}, {month}").format(community=told["community"], month=told["month"])


def sheet(told: Mapping[str, Any], form: str, say: Say) -> bytes:
    """The report in one of FORMS; JSON is the document of `--json`, in no language."""
    if form == "json":
        return orjson.dumps(told)
    title, tables = title_of(told, say), list(sections(told, say))
    return _html(title, tables, told, say) if form == "html" else _xlsx(title, tables)


def lines(told: Mapping[str, Any], say: Say) -> list[str]:
    """The report as lines of text."""
    return [title_of(told, say), *_lines(list(sections(told, say)))]


def sections(told: Mapping[str, Any], say: Say) -> Iterator[Section]:
    """Its tables, in order."""
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
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(say('made'))} {escape(told['made_at'][:16].replace('T', ' '))}</p>",
    ]
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
