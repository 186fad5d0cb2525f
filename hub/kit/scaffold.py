"""A new connector as a whole package of its own: everything a department's IT office needs to start from.

``write_package`` fills the templates under ``package/``. What it writes passes the kit untouched, for each transport;
its comments say why each thing is as it is, because whoever reads them has never seen the hub.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import keyword
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Any

from hub.core.codes import UNITS
from hub.core.errors import ConfigurationError

__all__ = ["TRANSPORTS", "write_package"]

TRANSPORTS = ("rest", "table", "files", "push")

NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
"""A connector's name is a Python module, a TOML key, a file name and a metric label at once."""

ENDINGS = {"rest": "json", "push": "json", "table": "csv", "files": "csv"}
"""In which form a transport's sample lies in the package: as the department would export it."""

ENCODINGS = {"table": "utf-8-sig", "files": "gb18030"}
"""CSV as a database tool writes it, and as an office program does."""

SAYS = {
    "rest": "How it arrives: the hub asks the department's REST interface every ten minutes, page by page, and starts\n"
    "again ten minutes before the last record it has, so that late ones are found.",
    "table": "How it arrives: the hub reads a table of the department's front-end database (前置库), read only, in order\n"
    "of 更新时间, and starts again ten minutes before the last record it has, so that late ones are found.",
    "files": "How it arrives: the department drops files into a folder. A file is taken once it no longer grows; beside it\n"
    "the hub leaves `NAME.receipt.json` and `.csv` with one line for each row that could not be taken, and why.",
    "push": "How it arrives: the department posts `{\"records\": [ … ]}` to `/v1/connectors/$name/streams/conflict/records`\n"
    "and reads the receipt of each row in the answer. What was answered with 200 or 202 is stored.",
}  # fmt: skip


def write_package(
    name: str, unit: str, transport: str, into: Path, *, stands_for: str = "", title: str = ""
) -> list[Path]:
    """The package of connector ``name`` as folder ``into/name`` (underscores as dashes); every file written, in order.

    Raises ConfigurationError for a name that cannot be one, an unknown unit or transport, or a folder that exists.
    """
    _check(name, unit, transport, stands_for)
    dashed = name.replace("_", "-")
    folder = into / dashed
    if folder.exists():
        raise ConfigurationError(
            f"{folder} exists already: nothing was written.",
            code="scaffold.exists",
            remedy="Choose another name, or another folder with --into.",
        )
    words = {
        "name": name, "dashed": dashed, "unit": unit, "title": title or UNITS.get(unit, (name,))[0],
        "ending": ENDINGS[transport], "stands_for_line": _stands_for(stands_for),
        "transport_readme": Template(SAYS[transport]).substitute(name=name),
    }  # fmt: skip
    written = [
        _write(folder / place, Template(text.read_text(encoding="utf-8")).substitute(words))
        for place, text in _templates(name, transport)
    ]
    return [*written, *_samples(folder / name / "samples", unit, transport)]


def _stands_for(unit: str) -> str:
    return f'stands_for = "{unit}"   # whose duties and rules its records fall under\n' if unit else ""


def _check(name: str, unit: str, transport: str, stands_for: str) -> None:
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise _mistake("name", "lower-case letters, digits and _, beginning with a letter, at most 40 characters", name)
    if importlib.util.find_spec(name) is not None:
        raise _mistake("name", "a name no installed Python package has", name)
    if stands_for and stands_for not in UNITS:
        raise _mistake("stands_for", f"one of {', '.join(UNITS)}", stands_for)
    if unit not in UNITS and not (stands_for and NAME.fullmatch(unit)):
        raise _mistake("unit", f"one of {', '.join(UNITS)}, or a name of its own with --stands-for", unit)
    if transport not in TRANSPORTS:
        raise _mistake("transport", f"one of {', '.join(TRANSPORTS)}", transport)


def _mistake(what: str, expected: str, found: str) -> ConfigurationError:
    return ConfigurationError(
        f"{what}: expected {expected}, found {found!r}.", code="scaffold.invalid", remedy="Call the command again."
    )


def _templates(name: str, transport: str) -> list[tuple[str, Traversable]]:
    """(place in the package, template) in the order in which a reader should meet them."""
    package = files("hub.kit") / "package"
    module = ("__init__.py", "manifest.toml", "schema.py", "mapping.py", "quality.toml")
    return [
        ("README.md", package / "README.md.in"),
        ("pyproject.toml", package / "pyproject.toml.in"),
        *((f"{name}/{file}", package / "module" / f"{file}.in") for file in module),
        (f"settings/{name}.toml", package / "settings" / f"{transport}.toml.in"),
        ("tests/test_conformance.py", package / "tests" / "test_conformance.py.in"),
    ]


def _samples(folder: Path, unit: str, transport: str) -> list[Path]:
    """The invented rows in the form of the transport, and the drafts they must become."""
    samples = files("hub.kit") / "package" / "module" / "samples"
    rows = json.loads((samples / "conflict.rows.json.in").read_text(encoding="utf-8"))
    golden = (samples / "conflict.drafts.json.in").read_text(encoding="utf-8").replace("$unit", unit)
    encoding = ENCODINGS.get(transport, "utf-8")
    content = _as_csv(rows) if transport in ENCODINGS else json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
    return [
        _write(folder / f"conflict.{ENDINGS[transport]}", content, encoding),
        _write(folder / "conflict.drafts.json", golden),
    ]


def _as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    headers = list(dict.fromkeys(header for row in rows for header in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, headers, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _write(path: Path, content: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding=encoding, newline="")
    return path
