"""The table of clauses: which rule, way down, report, duty, rank of the queue, test and command answers to each of them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
POLICY = "district-2021-08-30.toml"
ORDER = "一二三四五六七八九"
TABLES = {"rules": "light", "ways": "descent", "reports": "report", "duties": "duty", "queue": "queue"}
"""Column → table of the policy file."""

_RANGE = re.compile(r"([一二三四五])\(([一二三四五六七八九])\)–\(([一二三四五六七八九])\)")
_CLAUSE = re.compile(r"([一二三四五])\(([一二三四五六七八九])\)([一二三①②③④]?)")


def policy() -> dict[str, Any]:
    """The shipped policy file."""
    return tomllib.loads(files("hub.policies").joinpath(POLICY).read_text(encoding="utf-8"))


def rows() -> list[dict[str, Any]]:
    """The hand-kept part of the table."""
    found: list[dict[str, Any]] = tomllib.loads((HERE / "clauses.toml").read_text(encoding="utf-8"))["clause"]
    return found


def cited(text: str) -> set[str]:
    """The clauses that a ``clause`` field of the policy cites; a range names each clause in it."""
    found = set()
    for part, first, last in _RANGE.findall(text):
        inside = ORDER[ORDER.index(first) : ORDER.index(last) + 1]
        found.update(f"{part}({number})" for number in inside)
    found.update(f"{part}({number}){item}" for part, number, item in _CLAUSE.findall(_RANGE.sub("", text)))
    return found


def answers(row: Mapping[str, Any], raw: Mapping[str, Any]) -> dict[str, list[str]]:
    """Rules, ways, reports and duties of one clause: those that cite it, and those the row names besides."""
    found: dict[str, list[str]] = {}
    for column, table in TABLES.items():
        named = row.get(column, [])
        found[column] = [
            one["id"]
            for one in raw[table]
            if row["id"] in cited(one.get("clause", ""))
            or (isinstance(named, list) and one["id"] in named)
            or (column == "rules" and one.get("light") == row.get("light"))
            or (column == "ways" and named is True)
        ]
    return found


def by_law_alone(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What rests on a law and on no clause of the document: id and law."""
    for table in TABLES.values():
        for one in raw[table]:
            if not cited(one.get("clause", "")):
                yield one["id"], one["law"]


def page(made: str) -> str:
    """``docs/clauses.md``."""
    raw = policy()
    lines = [
        made,
        "# Clause by clause",
        "",
        f"{raw['source']}, {raw['effective_from']}: what answers to each clause. Numbers and short titles only.",
        "",
        "| clause | | rules | ways down | reports | duties | queue | tests | commands |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows():
        found = answers(row, raw)
        title = row["title"] + (f" ({row['note']})" if row.get("note") else "")
        cells = [row["id"], title, *(", ".join(found[column]) for column in TABLES)]
        cells += ["<br>".join(f"`{test.removeprefix('tests/')}`" for test in row["tests"])]
        cells += ["<br>".join(f"`{command}`" for command in row["commands"])]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "## By law alone", "", "| | law |", "|---|---|"]
    lines += [f"| {name} | {law} |" for name, law in by_law_alone(raw)]
    return "\n".join([*lines, ""])
