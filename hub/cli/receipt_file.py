"""A receipt as a workbook or CSV file: one line per row of the file, no values of the file itself."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from hub.cli.face import UsageMistake
from hub.core.problems import PROBLEMS
from hub.sdk.reading import sentence
from hub.sdk.receipts import guarded, remedy_zh
from hub.store.pages import COUNTS

COLUMNS = ("row", "status", "code", "field", "column", "remedy", "event")


def write_receipt_file(path: Path, receipt: Mapping[str, Any]) -> None:
    """Write the accounting identity and every row, as XLSX or CSV. Raises UsageMistake when the file cannot be written."""
    counts = [[name, receipt[name]] for name in ("batch", "received", *COUNTS, "pending")]
    rows = [[*COLUMNS, "含义", "处理办法", "行"], *map(_told, receipt["rows"])]
    notes = [[found["code"], sentence(found)] for found in receipt.get("notes", ())]
    try:
        if path.suffix.lower() == ".csv":
            with path.open("w", encoding="utf-8-sig", newline="") as file:
                csv.writer(file).writerows([*rows, [], *counts, *notes])
            return
        book = Workbook(write_only=True)
        for title, lines in (("合计", counts), ("逐行", rows), ("说明", notes)):
            sheet = book.create_sheet(title)
            for line in lines:
                sheet.append(line)
        book.save(path)
    except OSError as error:
        raise UsageMistake(f"{path} cannot be written: {error.strerror}") from error


def _told(row: Mapping[str, Any]) -> list[Any]:
    text = PROBLEMS.get(str(row.get("code")))
    told = [guarded(row.get(name)) for name in COLUMNS]
    return [*told, text.chinese if text else None, remedy_zh(row, text.remedy_zh) if text else None, row.get("line")]
