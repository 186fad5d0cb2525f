"""Reads the sample files of the connectors and writes drafts as plain JSON values, for comparison with golden files."""

from __future__ import annotations

import csv
import importlib
import io
import json
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from hub.sdk import Connector, Draft, Problem

ROOT = Path(__file__).parents[2] / "connectors"
NAMES = (
    "civil_affairs", "community_grid", "court", "education", "health", "justice", "police", "procuratorate",
    "womens_federation", "youth_league",
)  # fmt: skip
ANY_UNIT = ("activity", "special_household", "worker", "duty_answer")


def connector(name: str) -> Connector:
    """The connector that the package ``connectors.NAME`` registers."""
    registered: list[Connector] = []
    importlib.import_module(f"connectors.{name}").hub_register_connectors(registered.append)
    return registered[0]


def samples() -> list[tuple[str, str]]:
    """(connector, stream) of every golden file."""
    found = sorted(ROOT.glob("*/samples/*.drafts.json"))
    return [(path.parents[1].name, path.name.removesuffix(".drafts.json")) for path in found]


def sample_rows(name: str, stream: str) -> list[dict[str, Any]]:
    """The rows of a sample in whichever form it lies there: CSV (UTF-8 or GB18030), JSON or XLSX."""
    (path,) = (p for p in (ROOT / name / "samples").glob(f"{stream}.*") if not p.name.endswith(".drafts.json"))
    if path.suffix == ".json":
        return list(json.loads(path.read_text(encoding="utf-8")))
    if path.suffix == ".csv":
        return list(csv.DictReader(io.StringIO(_decoded(path.read_bytes()))))
    with path.open("rb") as file:
        heads, *rows = load_workbook(file).worksheets[0].iter_rows(values_only=True)
    return [dict(zip(heads, row, strict=True)) for row in rows]


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("gb18030")


def golden(name: str, stream: str) -> list[dict[str, Any]]:
    """The drafts that the sample must become."""
    return list(json.loads((ROOT / name / "samples" / f"{stream}.drafts.json").read_text(encoding="utf-8")))


def plain(entry: Draft | Problem) -> dict[str, Any]:
    """A draft without its ``original``, empty attributes left out."""
    assert isinstance(entry, Draft), entry.code
    persons = [{k: v for k, v in person._asdict().items() if v not in (None, "")} for person in entry.persons]
    return {
        "row": entry.row, "key": list(entry.key), "kind": entry.kind, "updated_at": entry.updated_at,
        "deleted": entry.deleted, "facts": dict(entry.facts), "persons": persons, "related": list(entry.related),
        "texts": dict(entry.texts),
    }  # fmt: skip
