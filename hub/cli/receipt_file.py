"""A receipt as a workbook: one line per row of the file, no values of the file itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from hub.cli.face import UsageMistake
from hub.core.problems import PROBLEMS
from hub.sdk.reading import sentence
from hub.sdk.receipts import guarded, remedy_zh

COLUMNS = ("row", "status", "code", "field", "column", "remedy", "event")


def write_receipt_file(path: Path, receipt: Mapping[str, Any]) -> None:
    """Write the accounting identity and every row. Raises UsageMistake when the file cannot be written."""
    book = Workbook(write_only=True)
    counts = book.create_sheet("合计")
    for name in ("batch", "received", "applied", "unchanged", "quarantined", "rejected", "pending"):
        counts.append([name, receipt[name]])
    rows = book.create_sheet("逐行")
    rows.append([*COLUMNS, "含义", "处理办法", "行"])
    for row in receipt["rows"]:
        text = PROBLEMS.get(str(row.get("code")))
        told = [guarded(row.get(name)) for name in COLUMNS]
        rows.append(
            [*told, text.chinese if text else None, remedy_zh(row, text.remedy_zh) if text else None, row.get("line")]
        )
    notes = book.create_sheet("说明")
    for found in receipt.get("notes", ()):
        notes.append([found["code"], sentence(found)])
    try:
        book.save(path)
    except OSError as error:
        raise UsageMistake(f"{path} cannot be written: {error.strerror}") from error
