"""Pages made from code and data: ``docs/policy.md``, ``problem-codes.md``, ``commands.md``, ``clauses.md``,
``connectors.md``, ``conformance.md``.

``python -m docs.generate`` writes them; ``--check`` exits 1 when a page differs from what the code says.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import typer.main

from docs import clauses, connectors, kinds, sdk
from docs.slices import fill, same_blocks
from hub.cli import app
from hub.core.problems import PROBLEMS

HERE = Path(__file__).parent
POLICY = "district-2021-08-30.toml"
MADE = "<!-- made by `make docs`; do not edit -->\n"


def policy_page() -> str:
    """Every rule with its clause and law."""
    raw = tomllib.loads(files("hub.policies").joinpath(POLICY).read_text(encoding="utf-8"))
    lines = [MADE, "# The policy, rule by rule", "", f"{raw['source']}, in force from {raw['effective_from']}.", ""]
    lines += [
        "## Lights",
        "",
        *_table(("rule", "light", "shape", "title", "basis", "clause", "law"), raw["light"], "id"),
    ]
    lines += [
        "",
        "## Ways down",
        "",
        *_table(("way", "proofs", "closes", "leads to", "clause", "law"), raw["descent"], "id"),
    ]
    lines += [
        "",
        "## Mandatory reports",
        "",
        *_table(("report", "by", "whom", "basis", "clause", "law"), raw["report"], "id"),
    ]
    lines += ["", "## Duties", "", *_table(("duty", "cause", "to", "due", "clause", "law"), raw["duty"], "id")]
    lines += ["", "## The daily queue", "", *_table(("rank", "light", "what", "clause", "law"), raw["queue"], "id")]
    for section in ("numbers", "switches", "ladder", "workload"):
        lines += ["", f"## {section.capitalize()}", "", "| name | value |", "|---|---|"]
        lines += [f"| `{name}` | {_cell(value)} |" for name, value in raw.get(section, {}).items()]
    lines += [
        "",
        "An overlay (`[policy] overlay` in hub.toml) changes numbers, switches and clocks; it never adds a rule.",
        "",
        "## Editions and provinces that come along",
        "",
        "| file | whose | level | from | changes |",
        "|---|---|---|---|---|",
        *_overlays(),
        "",
    ]
    return "\n".join(lines)


def _overlays() -> Iterator[str]:
    for folder in ("laws", "provinces"):
        for file in sorted(files("hub.policies").joinpath(folder).iterdir(), key=lambda one: one.name):
            if not file.name.endswith(".toml"):
                continue
            raw = tomllib.loads(file.read_text(encoding="utf-8"))
            changed = [f"{table} {name}" for table, rows in raw.items() if isinstance(rows, dict) for name in rows]
            told = (f"`{folder}/{file.name}`", raw["name"], raw["level"], raw.get("effective_from", ""), changed)
            yield "| " + " | ".join(_cell(cell) for cell in told) + " |"


def _table(columns: tuple[str, ...], rows: list[dict[str, Any]], key: str) -> Iterator[str]:
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        cells = [f"**{row[key]}**", *(_cell(row.get(column.replace(" ", "_"), "")) for column in columns[1:])]
        yield "| " + " | ".join(cells) + " |"


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {_cell(item)}" for name, item in value.items())
    return str(value).replace("|", "\\|")


def problems_page() -> str:
    """Every problem code with its remedy."""
    lines = [MADE, "# Problem codes", "", "A code is never renamed; a remedy never holds a value.", ""]
    lines += ["| code | means | what to do | 含义 | 处理办法 |", "|---|---|---|---|---|"]
    lines += [
        f"| `{code}` | {text.english} | {text.remedy} | {text.chinese} | {text.remedy_zh} |"
        for code, text in PROBLEMS.items()
    ]
    return "\n".join([*lines, ""])


def commands_page() -> str:
    """Every command with its arguments and options."""
    lines = [
        MADE,
        "# Commands",
        "",
        "Exit codes: 0 done · 1 something needs attention · 2 wrong usage or configuration ·",
        "3 not reachable or busy, try again.",
        "",
    ]
    root = typer.main.get_command(app)
    for path, command in _commands(root, ("hub",)):
        lines += [f"## `{' '.join(path)}`", "", (command.help or "").strip(), ""]
        for parameter in command.params:
            record = getattr(parameter, "help", None) or ""
            names = ", ".join((*parameter.opts, *parameter.secondary_opts))
            kind = "argument" if parameter.param_type_name == "argument" else "option"
            lines.append(f"- {kind} `{names}` {record}".rstrip())
        lines.append("")
    return "\n".join(lines)


def clauses_page() -> str:
    """Every clause of the document with what answers to it."""
    return clauses.page(MADE)


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name in sorted(inner):
        if not inner[name].hidden:
            yield from _commands(inner[name], (*path, name))


def connector_page() -> str:
    """The tutorial, its code cut from the example that the tests install and run."""
    return fill((HERE / "writing-a-connector.md").read_text(encoding="utf-8"), HERE.parent)


def chinese_readme() -> str:
    """The Chinese README with the very blocks of commands and pictures of the English one, in their order."""
    english, chinese = ((HERE.parent / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md"))
    return same_blocks(english, chinese)


PAGES = {
    "policy.md": policy_page,
    "problem-codes.md": problems_page,
    "commands.md": commands_page,
    "clauses.md": clauses_page,
    "connectors.md": lambda: "\n".join([MADE, *connectors.connectors_page(), ""]),
    "sdk.md": lambda: "\n".join([MADE, *sdk.sdk_page(), ""]),
    "kinds.md": lambda: "\n".join([MADE, *kinds.kinds_page(), ""]),
    "conformance.md": lambda: "\n".join([MADE, *connectors.conformance_page(), ""]),
    "writing-a-connector.md": connector_page,
    "../README.zh-CN.md": chinese_readme,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is stale")
    check = parser.parse_args().check
    stale = []
    for name, make in PAGES.items():
        page, path = make(), HERE / name
        if not path.exists() or path.read_text(encoding="utf-8") != page:
            stale.append(name)
            if not check:
                path.write_text(page, encoding="utf-8")
    if stale and check:
        print(f"stale: {', '.join(stale)}; run make docs", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
