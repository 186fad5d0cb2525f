"""Rows that are given back: whatever stood in them, they come again as they were, and nothing in them is run."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.sdk.fields import offered
from hub.sdk.receipts import FORMULA, in_own_words, receipt_files, remedy_zh, workbook_bytes
from hub.sdk.returned import returned_file
from hub.sdk.tabular import Reading, read_rows

HEADERS = ("接警编号", "描述", "备注")
CELLS = st.text(alphabet="=+-@'\"0129,;\t\n甲é＝ a", max_size=8).filter(lambda text: "\r" not in text)
ALL = [{"row": number, "status": "quarantined", "code": "date.invalid"} for number in range(1, 6)]


def known(header: str) -> bool:
    return header in HEADERS


def read(path: Path) -> Reading:
    return read_rows(path, known=known)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5))
def test_a_returned_file_reads_as_the_rows_it_gives_back(
    suffix: str, tmp_path: Path, cells: list[tuple[str, str]]
) -> None:
    """Any text in any cell: the file is read to the same rows, and no cell of it begins like a formula."""
    lines = [HEADERS, *((f"J{number}", *pair) for number, pair in enumerate(cells))]
    path = tmp_path / f"a{suffix}"
    if suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as opened:
            csv.writer(opened).writerows(lines)
    else:
        path.write_bytes(workbook_bytes("a", lines))
    first = list(read(path))
    name, content = returned_file(path.name, read(path), ALL) or ("", b"")
    back = tmp_path / name
    back.write_bytes(content)

    assert list(read(back)) == first
    if suffix == ".csv":
        texts: list[Any] = [cell for line in csv.reader(io.StringIO(content.decode("utf-8-sig"))) for cell in line]
        assert not [text for text in texts if text.startswith(FORMULA)]
    else:
        assert b"<f>" not in zipfile.ZipFile(back).read("xl/worksheets/sheet1.xml")


def test_what_no_workbook_can_hold_is_left_out_of_it(tmp_path: Path) -> None:
    """Control characters and half characters from a JSON file never stop a receipt or a returned file."""
    path = tmp_path / "a.ndjson"
    path.write_text('{"接警编号": "J\\u0001", "描述": "\\ud800x"}\n', encoding="utf-8")

    name, content = returned_file(path.name, read(path), ALL[:1]) or ("", b"")
    told = {"received": 1, "rows": [{**ALL[0], "field": "a\x02\ud800"}]}

    assert (name, content.count(b"\n")) == ("a.returned.ndjson", 1)
    assert sorted(receipt_files("a", told, str, "")) == [".receipt.csv", ".receipt.json", ".receipt.xlsx"]


def test_unknown_codes_are_answered_with_the_units_own() -> None:
    """Codes that a connector declares stand in the remedy, together where they mean one thing; other rows stay."""
    codes = {"kind": offered({"060103": "suspected_violence", "疑似家庭暴力": "suspected_violence", "060101": "calm"})}
    rows = [{"row": 1, "code": "code.unknown", "field": name, "remedy": "expected one of: 1"} for name in ("kind", "a")]
    own = in_own_words({"rows": rows}, codes)["rows"]

    assert own[0]["remedy"] == "expected one of: 060103 疑似家庭暴力 = suspected_violence; 060101 = calm"
    assert own[1] == rows[1]
    assert remedy_zh(own[0], "请更正") == "请更正。可填：060103 疑似家庭暴力 = suspected_violence; 060101 = calm"
