"""What a department finds beside its file: a receipt for machines (JSON) and the same for people (CSV and XLSX, Chinese).

A receipt names rows, columns, codes and remedies; it never repeats a value of the file.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from hub.core.problems import text_of
from hub.sdk.reading import Marks, sentence
from hub.sdk.strictjson import dumps

__all__ = [
    "FORMULA",
    "guarded",
    "in_own_words",
    "is_faulty",
    "receipt_files",
    "receipt_lines",
    "remedy_zh",
    "with_columns",
    "with_lines",
    "workbook_bytes",
]

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A cell that begins so is run by a spreadsheet: it gets an apostrophe in front, which our reader takes away again."""
COLUMNS = ("工作表", "行", "记录", "结果", "代码", "列", "问题", "怎么办")
STATUSES = {
    "applied": "已接收", "unchanged": "无变化", "quarantined": "待更正", "rejected": "不属接收范围", "pending": "处理中",
}  # fmt: skip
WIDTHS = (8, 8, 8, 14, 22, 18, 36, 60)
PEOPLE_ROWS = 50_000
"""Lines of the workbook; the CSV file holds all of them."""
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that no workbook can hold."""
EXPECTED = "expected one of: "


def guarded(value: Any) -> Any:
    """Safe for a spreadsheet."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def is_faulty(row: Mapping[str, Any]) -> bool:
    """Whether the department can do something about this row: it waits, or it was taken without one of its fields."""
    return row.get("status") == "quarantined" or (row.get("status") == "applied" and bool(row.get("code")))


def with_lines(receipt: Mapping[str, Any], marks: Marks, findings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The receipt with the line (and sheet) of the file in which each row stands, and what the reader found."""
    rows = []
    for row in receipt.get("rows", ()):
        sheet, line = marks.place(row["row"]) or (0, 0)
        rows.append({**row, **({"line": line} if line else {}), **({"sheet": sheet} if sheet else {})})
    return {**receipt, "rows": rows, "notes": list(findings)}


def in_own_words(receipt: Mapping[str, Any], codes: Mapping[str, str]) -> dict[str, Any]:
    """The receipt with the codes that its unit declared (field → what may be sent) where a row's code is unknown."""
    rows = [
        {**row, "remedy": f"{EXPECTED}{codes[row['field']]}"}
        if row.get("code") == "code.unknown" and row.get("field") in codes
        else row
        for row in receipt.get("rows", ())
    ]
    return {**receipt, "rows": rows}


def with_columns(receipt: Mapping[str, Any], label: Callable[[str], str]) -> dict[str, Any]:
    """The receipt with the department's own header as ``column`` beside each ``field``, where it has another name."""
    rows = []
    for row in receipt["rows"]:
        field = str(row.get("field") or "")
        column = label(field) if field else ""
        rows.append({**row, "column": column} if column != field and column.isprintable() else row)
    return {**receipt, "rows": rows}


def receipt_files(name: str, receipt: Mapping[str, Any], label: Callable[[str], str], code: str) -> dict[str, bytes]:
    """Suffix → content of every receipt of a file; ``code`` says why none of it could be read."""
    whole = {"file": name, **({"code": code} if code else {}), **receipt}
    lines = list(receipt_lines(whole, label))
    text = io.StringIO(newline="")
    csv.writer(text).writerows([COLUMNS, *lines])
    return {
        ".receipt.json": dumps(whole),
        ".receipt.csv": text.getvalue().encode("utf-8-sig", "replace"),
        ".receipt.xlsx": workbook_bytes("回执", [COLUMNS, *lines[:PEOPLE_ROWS]], WIDTHS),
    }


def receipt_lines(receipt: Mapping[str, Any], label: Callable[[str], str]) -> Iterator[tuple[Any, ...]]:
    """The receipt as lines under ``COLUMNS``: the sum, what the reader found, then the rows."""
    if code := receipt.get("code"):
        text = text_of(str(code))
        yield "", "", "", "未读取", code, "", text.chinese, text.remedy_zh
    if "received" in receipt:
        parts = " + ".join(f"{word} {receipt.get(status, 0)}" for status, word in STATUSES.items())
        yield "", "", "", "合计", "", "", f"收到 {receipt['received']} = {parts}", ""
    for found in receipt.get("notes", ()):
        yield found.get("sheet", ""), _first(found), "", "说明", found.get("code", ""), "", sentence(found), ""
    for row in receipt.get("rows", ()):
        yield tuple(map(guarded, _row(row, label)))


def _first(found: Mapping[str, Any]) -> Any:
    lines = found.get("lines")
    return lines[0] if lines else ""


def _row(row: Mapping[str, Any], label: Callable[[str], str]) -> tuple[Any, ...]:
    code = str(row.get("code") or "")
    text = text_of(code) if code else None
    status = STATUSES.get(str(row.get("status")), str(row.get("status")))
    if row.get("status") == "applied" and code:
        status = "已接收，缺此项"
    field = str(row.get("field") or "")
    return (
        row.get("sheet", ""), row.get("line", ""), row.get("row", ""), status, code, label(field) if field else "",
        text.chinese if text else "", remedy_zh(row, text.remedy_zh) if text else "",
    )  # fmt: skip


def remedy_zh(row: Mapping[str, Any], usual: str) -> str:
    """The usual remedy, and the values that are valid where the problem names them."""
    _, found, valid = str(row.get("remedy") or "").partition(EXPECTED)
    return f"{usual}。可填：{valid}" if found else usual


def workbook_bytes(title: str, lines: Iterable[Sequence[Any]], widths: Sequence[int] = ()) -> bytes:
    """One sheet of text cells as XLSX; columns have the format *text*, so that typed numbers keep their digits."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for number, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    for line in lines:
        cells = []
        for value in line:
            if isinstance(value, str):
                value = _NOT_XML.sub("", value)
            cell = WriteOnlyCell(sheet, None if value in (None, "") else value)
            if isinstance(value, str):
                cell.data_type, cell.number_format = "s", "@"
            cells.append(cell)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
