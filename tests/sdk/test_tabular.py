from __future__ import annotations

import json
import tracemalloc
import zipfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from hub.core.errors import PersonError
from hub.sdk.csv_text import encoding_of
from hub.sdk.tabular import ROW_PROBLEM, Form, read_rows

CSV = "接警编号,姓名,备注\nJ1,张三,\nJ2,李四,好\n"


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("utf-8", "utf-8-sig"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030"), ("utf-16", "utf-16")],
)
def test_csv_of_every_usual_encoding_is_read_alike(tmp_path: Path, encoding: str, found: str) -> None:
    """UTF-8 with and without BOM, GB18030 and UTF-16 give the same rows without being told which they are."""
    path = tmp_path / "a.csv"
    path.write_text(CSV, encoding=encoding)

    assert found == encoding_of(path)
    assert list(read_rows(path)) == [
        {"接警编号": "J1", "姓名": "张三", "备注": ""},
        {"接警编号": "J2", "姓名": "李四", "备注": "好"},
    ]


def test_header_row_and_delimiter_are_found(tmp_path: Path) -> None:
    """Title lines above the header are left out, blank lines too, and a semicolon file needs no setting."""
    path = tmp_path / "a.csv"
    path.write_text("区公安分局;;\n制表人;;\n a ;b;c\n1;2;3\n\n;;\n4;5;6\n", encoding="utf-8")

    assert list(read_rows(path, Form(header_row=3))) == [{"a": "1", "b": "2", "c": "3"}, {"a": "4", "b": "5", "c": "6"}]


def test_row_with_too_many_cells_is_a_problem_and_shifts_nothing(tmp_path: Path) -> None:
    """A stray comma makes that one row a problem; its neighbours stay as they are."""
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n1,2,3\n4,5\n", encoding="utf-8")

    assert list(read_rows(path)) == [
        {"a": "1", "b": "2"},
        {ROW_PROBLEM: "row.shape", "cells": ["1", "2", "3"]},
        {"a": "4", "b": "5"},
    ]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"", "file.header"),
        ("a.csv", b"a,a\n1,2\n", "file.header_repeated"),
        ("a.csv", b"a,b\n\"open,2\n3,4\n", "file.unreadable"),
        ("a.csv", b"a\x00b\x81\x00", "file.encoding"),
        ("a.xlsx", b"PK\x03\x04 not a workbook", "file.unreadable"),
        ("a.xls", b"\xd0\xcf\x11\xe0 neither", "file.unreadable"),
        ("a.json", b'[{"a": 1}, {"a": ', "file.unreadable"),
        ("a.json", b'[{"a": 1, "a": 2}]', "file.unreadable"),
        ("a.json", b'[{"a": NaN}]', "file.unreadable"),
        ("a.json", b"[" + b'{"a":' * 30 + b"1" + b"}" * 30 + b"]", "file.unreadable"),
        ("a.json", b'{"rows": []}', "file.unreadable"),
    ],
)  # fmt: skip
def test_file_that_is_not_as_declared_is_refused_with_a_code(
    tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    """A whole file that cannot be read needs a person: the error has a code and no content."""
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(PersonError) as caught:
        list(read_rows(path))

    assert code == caught.value.code


def test_missing_and_too_large_files_are_refused_before_reading(tmp_path: Path) -> None:
    """Size is looked at before a byte is parsed."""
    path = tmp_path / "a.csv"
    path.write_text(CSV, encoding="utf-8")

    with pytest.raises(PersonError, match="at most 3 bytes"):
        list(read_rows(path, max_bytes=3))
    with pytest.raises(PersonError) as caught:
        list(read_rows(tmp_path / "none.csv"))
    assert caught.value.code == "file.missing"


def test_workbook_cells_keep_their_meaning(tmp_path: Path) -> None:
    """Whole numbers have no .0, dates are ISO text, and a number beyond 15 digits shows that Excel ruined it."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["标题"])
    sheet.append(["编号", "次数", "日期", "时间", "证件号码", "空"])
    sheet.append(["A1", 3, date(2026, 11, 1), datetime(2026, 11, 1, 9, 30), 310101199001011234, None])
    sheet.append([None] * 6)
    sheet.append(["A2", 2.5, None, None, "310101199001011234", None])
    other = book.create_sheet("第二页")
    other.append(["x"])
    other.append([1])
    path = tmp_path / "a.xlsx"
    book.save(path)

    first, second = read_rows(path, Form(header_row=2))

    assert first == {
        "编号": "A1",
        "次数": 3,
        "日期": "2026-11-01",
        "时间": "2026-11-01 09:30:00",
        "证件号码": "3.10101199001011E+17",
        "空": "",
    }
    assert second["证件号码"] == "310101199001011234"
    assert [{"x": 1}] == list(read_rows(path, Form(sheet=2))) == list(read_rows(path, Form(sheet="第二页")))


def test_workbook_that_unpacks_to_too_much_is_refused_unopened(tmp_path: Path) -> None:
    """A small archive with an enormous member never reaches the reader."""
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/worksheets/sheet1.xml", b"\x00" * (40 * 1024 * 1024))

    with pytest.raises(PersonError) as caught:
        list(read_rows(path))

    assert caught.value.code == "file.too_large"


def test_workbook_with_doctype_is_refused(tmp_path: Path) -> None:
    """XML that declares a DOCTYPE can name entities: refused."""
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("xl/workbook.xml", b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x/>')

    with pytest.raises(PersonError, match="DOCTYPE"):
        list(read_rows(path))


def test_json_lines_stand_alone(tmp_path: Path) -> None:
    """A bad line of an NDJSON file is one problem row, the lines around it are read."""
    path = tmp_path / "a.ndjson"
    path.write_text('{"a": 1}\n{"a": \n\n[1]\n{"a": 2}\n', encoding="utf-8")

    rows = list(read_rows(path))

    assert [row.get(ROW_PROBLEM, row) for row in rows] == [{"a": 1}, "json.syntax", "row.shape", {"a": 2}]


def test_json_arrays_and_wrapped_records_are_read(tmp_path: Path) -> None:
    """An array is read element by element across pieces; ``{"records": …}`` is what a push would send."""
    many = [{"no": number, "text": "家" * 300} for number in range(2000)]
    array = tmp_path / "a.json"
    array.write_text(json.dumps(many, ensure_ascii=False), encoding="utf-8")
    wrapped = tmp_path / "b.json"
    wrapped.write_text(json.dumps({"records": many[:2]}), encoding="gb18030")

    assert many == list(read_rows(array))
    assert many[:2] == list(read_rows(wrapped))


def test_memory_stays_flat_over_a_long_file(tmp_path: Path) -> None:
    """Sixty thousand rows are read one at a time: less than 4 MiB are held at any moment."""
    path = tmp_path / "a.csv"
    with path.open("w", encoding="gb18030") as opened:
        opened.write("编号,描述\n")
        opened.writelines(f"{number},家庭纠纷{'很长' * 30}\n" for number in range(60_000))

    tracemalloc.start()
    count = sum(1 for _ in read_rows(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert count == 60_000
    assert peak < 4 * 1024 * 1024
