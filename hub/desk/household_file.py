"""A household's file that travels to another hub: made here, sealed, opened there, its rows taken by the line.

The rows stand under the English headers of each stream, so whatever the receiving district's own headers are, its
connectors read them. Nothing is sent by taking a file: its rows come in as history, for a person to adopt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from hub.core.errors import QuarantineError
from hub.core.freight import Page
from hub.core.unmap import Table, row_of
from hub.read.file import Content
from hub.runtime.unit_worker import page_of_rows
from hub.sdk.manifest import Manifest
from hub.security.handover import open_file, receipt_code, seal_file
from hub.settings import Settings
from hub.store.numbers import new_uid

FORMAT = 1

Tables = Callable[[str, str], Table | None]
"""Unit and stream → its columns; None: no connector of ours has it."""


def with_rows(
    told: Mapping[str, Any],
    found: Iterable[Content],
    tables: Tables,
    no: str,
    receiver: str,
    now: datetime,
) -> dict[str, Any]:
    """The file with the rows of every record that a connector of ours can write."""
    rows, left = [], []
    for event, persons, texts in found:
        table = tables(event.key.unit, event.key.stream)
        if table is None:
            left.append({"unit": event.key.unit, "stream": event.key.stream, "key": event.key.no})
            continue
        row = row_of(table, event.key, event.updated_at, event.facts, persons, texts, event.related)
        rows.append({"unit": event.key.unit, "stream": event.key.stream, "key": event.key.no, "row": row})
    head = {"format": FORMAT, "file_no": no, "receiver": receiver, "made_at": now.isoformat()}
    return {**head, **told, "rows": rows, "left_behind": left}


def write(file: Mapping[str, Any], path: Path, passphrase: bytes) -> str:
    """Seal the file at ``path`` (0600, whole or not at all); the receipt code that its opening will give."""
    plain = orjson.dumps(file, option=orjson.OPT_SORT_KEYS)
    fresh = path.with_name(f".{path.name}.new")
    fresh.touch(0o600)
    fresh.write_bytes(seal_file(plain, passphrase))
    fresh.replace(path)
    return receipt_code(plain)


def read(path: Path, passphrase: bytes) -> tuple[dict[str, Any], str]:
    """The opened file and its receipt code. Raises QuarantineError when it does not open or is of another format."""
    plain = open_file(path.read_bytes(), passphrase)
    file: dict[str, Any] = orjson.loads(plain)
    if file.get("format") != FORMAT:
        raise QuarantineError(
            "the file is of another format",
            code="file.format",
            remedy="bring this hub up to date, or ask for the file anew",
        )
    return file, receipt_code(plain)


def pages(
    file: Mapping[str, Any],
    manifests: Mapping[str, Manifest],
    settings: Settings,
    taken: set[tuple[str, str, str]],
    now: datetime,
) -> tuple[list[Page], list[dict[str, Any]]]:
    """Pages of history by unit and stream, and the rows that are not taken, each with why.

    ``taken`` are numbers that a record of ours has already: another family's, until a person says otherwise.
    """
    by_unit = {manifest.unit: manifest for manifest in manifests.values()}
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    left = []
    for one in file["rows"]:
        spot = (str(one["unit"]), str(one["stream"]), str(one["key"]))
        why = "number_taken" if spot in taken else _why_not(by_unit.get(spot[0]), spot[1], settings)
        if why:
            left.append({"unit": spot[0], "stream": spot[1], "key": spot[2], "why": why})
        else:
            groups.setdefault(spot[:2], []).append(one["row"])
    made = [
        page_of_rows(
            by_unit[unit], stream, rows, uid=new_uid(), received_at=now, mode="backfill", door="ingest", first_row=1,
            source=str(file["file_no"]),
        )
        for (unit, stream), rows in sorted(groups.items())
    ]  # fmt: skip
    return made, left


def _why_not(manifest: Manifest | None, stream: str, settings: Settings) -> str:
    """Why rows of a stream cannot be taken here; nothing when they can."""
    if manifest is None or stream not in manifest.streams:
        return "no_connector"
    config = settings.connectors.get(manifest.name)
    return "" if config is not None and config.enabled else "disabled"
