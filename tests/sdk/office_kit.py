"""Awkward files as departments send them, made by hand from parts. Everybody in them is invented."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from hub.sdk.tabular import Form, Reading, read_rows

COLUMNS = frozenset(
    {"接警编号", "报警时间", "更新时间", "警情类别", "描述", "甲方姓名", "甲方证件号码", "乙方姓名", "乙方证件号码"}
)
STYLES = (
    '<styleSheet><numFmts><numFmt numFmtId="170" formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;"/>'
    '<numFmt numFmtId="171" formatCode="[$-804]yyyy/mm/dd hh:mm;@"/></numFmts><cellXfs>'
    '<xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/><xf numFmtId="171"/><xf numFmtId="49"/><xf numFmtId="20"/>'
    "</cellXfs></styleSheet>"
)
"""Cell styles by number: 0 general, 1 date, 2 Chinese date, 3 date and time, 4 text, 5 time of day."""


def known(header: str) -> bool:
    """Whether a stream of these columns has this header."""
    return "".join(header.split()) in COLUMNS


def read(path: Path, **form: Any) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]], Reading]:
    """Rows, findings by code, and the reading."""
    reading = read_rows(path, Form(**form), known=known)
    rows = list(reading)
    return rows, {found["code"]: found for found in reading.findings.to_json()}, reading


def cell(place: str, value: Any, style: int = 0, formula: str = "") -> str:
    """One cell as XML: text inline, numbers as they are; a formula with its stored result (None: without one)."""
    calculated = f"<f>{escape(formula)}</f>" if formula else ""
    if isinstance(value, str) and not formula:
        return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    kind = ' t="str"' if isinstance(value, str) else ""
    result = "" if value is None else f"<v>{escape(str(value))}</v>"
    return f'<c r="{place}" s="{style}"{kind}>{calculated}{result}</c>'


def row(number: int, *values: Any, hidden: bool = False) -> str:
    """A line of cells; a tuple is (value, style), ready XML stays."""
    cells = []
    for column, value in enumerate(values):
        place = f"{chr(65 + column)}{number}"
        if isinstance(value, str) and value.startswith("<c "):
            cells.append(value)
        elif value is not None:
            cells.append(cell(place, *(value if isinstance(value, tuple) else (value,))))
    return f'<row r="{number}"{" hidden=" + chr(34) + "1" + chr(34) if hidden else ""}>{"".join(cells)}</row>'


def workbook(
    path: Path,
    *sheets: Sequence[str],
    merged: Sequence[str] = (),
    states: Sequence[str] = (),
    date1904: bool = False,
    columns: str = "",
    shared: Sequence[str] = (),
    wrap: Callable[[str], str] = lambda xml: xml,
) -> Path:
    """An XLSX file of sheets of lines; ``merged`` areas are the first sheet's."""
    names = "".join(
        f'<sheet name="表{n}" sheetId="{n}" r:id="rId{n}"{f" state={chr(34)}{states[n - 1]}{chr(34)}" if states else ""}/>'
        for n in range(1, len(sheets) + 1)
    )
    links = "".join(f'<Relationship Id="rId{n}" Target="worksheets/sheet{n}.xml"/>' for n in range(1, len(sheets) + 1))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns:r="r"><workbookPr date1904="{int(date1904)}"/><sheets>{names}</sheets></workbook>',
        )
        package.writestr("xl/_rels/workbook.xml.rels", f"<Relationships>{links}</Relationships>")
        package.writestr("xl/styles.xml", STYLES)
        if shared:
            texts = "".join(f"<si>{text}</si>" for text in shared)
            package.writestr("xl/sharedStrings.xml", f"<sst>{texts}</sst>")
        for number, lines in enumerate(sheets, 1):
            areas = "".join(f'<mergeCell ref="{area}"/>' for area in merged) if number == 1 else ""
            merge = f"<mergeCells>{areas}</mergeCells>" if areas else ""
            xml = f"<worksheet>{columns}<sheetData>{''.join(lines)}</sheetData>{merge}</worksheet>"
            package.writestr(f"xl/worksheets/sheet{number}.xml", wrap(xml))
    return path
