"""What departments really send: titles, merged headers, totals, ruined numbers, several sheets, hidden lines, bombs."""

from __future__ import annotations

import tracemalloc
import zipfile
from datetime import datetime
from pathlib import Path

import pytest
import xlwt

from hub.core.errors import PersonError
from hub.sdk.tabular import ROW_PROBLEM, read_rows
from tests.sdk.office_kit import cell, known, read, row, workbook

HEADER = ("接警编号", "报警时间", "描述")


def refused(path: Path, **form: object) -> str:
    with pytest.raises(PersonError) as caught:
        read(path, **form)
    assert "张" not in str(caught.value)
    return caught.value.code


def test_titles_above_and_totals_below_are_no_records(tmp_path: Path) -> None:
    """The header is found under two titles; totals, signatures and a repeated header are left out and told by line."""
    path = tmp_path / "a.csv"
    lines = [
        "某某分局家庭警情登记表（2026年11月）,,", "填报单位：某派出所,,单位：条", "", "接警编号,报警时间,描述",
        "J1,2026-11-01,a", "J2,2026-11-02,b", "小计,2,", "接警编号,报警时间,描述", "J3,2026年11月3日,c",
        "合 计：,3,", "制表人：王某,,审核人：", "J4,2026-11-04,备注：无",
    ]  # fmt: skip
    path.write_text("\r\n".join(lines), encoding="gb18030")

    rows, findings, reading = read(path)

    assert [item["接警编号"] for item in rows] == ["J1", "J2", "J3", "J4"]
    assert findings["file.totals"]["lines"] == [7, 10]
    assert findings["file.signature"]["lines"] == [11]
    assert findings["file.header_again"]["lines"] == [8]
    assert findings["file.header_found"]["lines"] == [4]
    assert [reading.marks.place(number) for number in (1, 2, 3, 4)] == [(0, 5), (0, 6), (0, 9), (0, 12)]


def test_a_record_is_never_taken_for_a_total(tmp_path: Path) -> None:
    """Words of totals inside a record, in its text or at the end of its number, leave it a record."""
    path = tmp_path / "a.csv"
    path.write_text("接警编号,描述\n合计01号案,x\nJ2,合计\n备注：电话报警,有描述\nJ4,小计\n", encoding="utf-8")

    assert len(read(path)[0]) == 4


def test_merged_headers_of_two_lines_name_their_columns(tmp_path: Path) -> None:
    """甲方 over 姓名 and 证件号码 is 甲方姓名; a group's title over a column's own name does not change it; a total below."""
    path = workbook(
        tmp_path / "a.xlsx",
        [
            row(1, "家庭警情登记表"),
            row(2, "基本情况", None, "甲方", None, "乙方", None),
            row(3, "接警编号", "报警时间", "姓名", "证件号码", "姓名", "证件号码"),
            row(4, "J1", "2026-11-01", "张一", "110101199003070011", "李一", "110101199003070038"),
            row(5, "总计", 1),
        ],
        merged=["A1:F1", "A2:B2", "C2:D2", "E2:F2"],
    )

    rows, findings, _ = read(path)

    assert rows == [
        {
            "接警编号": "J1", "报警时间": "2026-11-01", "甲方姓名": "张一", "甲方证件号码": "110101199003070011",
            "乙方姓名": "李一", "乙方证件号码": "110101199003070038",
        }
    ]  # fmt: skip
    assert (findings["file.header_found"]["lines"], findings["file.totals"]["lines"]) == ([3], [5])


def test_the_same_header_exported_as_csv_is_understood(tmp_path: Path) -> None:
    """A CSV file knows no merged cells: an upper label holds to the next one."""
    path = tmp_path / "a.csv"
    path.write_text("接警编号,甲方,,乙方,\n,姓名,证件号码,姓名,证件号码\nJ1,a,1,b,2\n", encoding="utf-8-sig")

    [only] = read(path)[0]

    assert list(only) == ["接警编号", "甲方姓名", "甲方证件号码", "乙方姓名", "乙方证件号码"]


def test_a_cell_merged_over_several_records_counts_for_each(tmp_path: Path) -> None:
    """A number merged downwards stands for every line of the area, and the lines are told."""
    path = workbook(
        tmp_path / "a.xlsx",
        [row(1, *HEADER), row(2, "J1", "2026-11-01", "a"), row(3, None, "2026-11-02", "b"), row(4, "J2", None, "c")],
        merged=["A2:A3"],
    )

    rows, findings, _ = read(path)

    assert [item["接警编号"] for item in rows] == ["J1", "J1", "J2"]
    assert findings["file.merged_cells"]["lines"] == [3]


def test_a_repeated_header_is_refused_with_its_columns(tmp_path: Path) -> None:
    """Two columns of one name could hold anybody's data: the answer names both; columns nobody uses may repeat."""
    path = tmp_path / "a.csv"
    path.write_text("接警编号,描述,描 述\nJ1,a,b\n", encoding="utf-8")
    with pytest.raises(PersonError, match="columns B and C") as caught:
        read(path)
    assert caught.value.code == "file.header_repeated"

    path.write_text("接警编号,备用,备用\nJ1,a,b\n", encoding="utf-8")
    rows, findings, _ = read(path)
    assert rows == [{"接警编号": "J1", "备用": "a", "备用~3": "b"}]
    assert "file.header_unknown_repeated" in findings


def test_dates_are_read_by_their_format_in_both_date_systems(tmp_path: Path) -> None:
    """Date, Chinese date, date with time and time of day; the 1904 system shifts serials, bare ones under a date header too."""
    lines = [
        row(1, "接警编号", "报警时间", "更新时间", "警情类别", "描述"),
        row(2, "J1", (46327, 1), (46327.395833333336, 3), (46327, 2), (0.5, 5)),
        row(3, 46327, 46327, None, None, 46327),
    ]
    first, second = read(workbook(tmp_path / "a.xlsx", lines))[0]
    assert list(first.values()) == ["J1", "2026-11-01", "2026-11-01 09:30:00", "2026-11-01", "12:00:00"]
    assert list(second.values()) == [46327, 46327, "", "", 46327]

    lines[1] = row(2, "J1", (44865, 1), (44865.395833333336, 3), (44865, 2), (0.5, 5))
    lines[2] = row(3, 44865, 44865, None, None, 44865)
    first, second = read(workbook(tmp_path / "b.xlsx", lines, date1904=True))[0]
    assert list(first.values()) == ["J1", "2026-11-01", "2026-11-01 09:30:00", "2026-11-01", "12:00:00"]
    assert list(second.values()) == [44865, "2026-11-01", "", "", 44865]


def test_numbers_that_excel_ruined_stay_recognisable(tmp_path: Path) -> None:
    """Beyond 15 digits a number is shown as ruined; text keeps all its digits, whatever wraps it."""
    path = workbook(
        tmp_path / "a.xlsx",
        [
            row(1, "接警编号", "甲方证件号码", "乙方证件号码"),
            row(2, 20261101001, 110101199003070000, "110101199003070038"),
            row(3, "'00012", "3.1E+17", '="110101199003070038"'),
        ],
    )

    first, second = read(path)[0]

    assert list(first.values()) == [20261101001, "1.10101199003070E+17", "110101199003070038"]
    assert list(second.values()) == ["00012", "3.1E+17", "110101199003070038"]


def test_formulas_give_their_stored_result_and_are_never_run(tmp_path: Path) -> None:
    """A result is taken, a missing one or an error is empty and told by line; a text like a formula is a text."""
    path = workbook(
        tmp_path / "a.xlsx",
        [
            row(1, *HEADER),
            row(2, cell("A2", "J1", formula='"J"&1'), cell("B2", None, formula="NOW()"), "=cmd|' /C calc'!A0"),
            row(3, "J2", '<c r="B3" t="e"><f>1/0</f><v>#DIV/0!</v></c>', "x"),
        ],
    )

    rows, findings, _ = read(path)

    assert [list(item.values()) for item in rows] == [["J1", "", "=cmd|' /C calc'!A0"], ["J2", "", "x"]]
    assert (findings["file.formula_empty"]["lines"], findings["file.formula_error"]["lines"]) == ([2], [3])


def test_hidden_lines_and_columns_are_read_and_told(tmp_path: Path) -> None:
    """A filter left on loses no record."""
    path = workbook(
        tmp_path / "a.xlsx",
        [row(1, *HEADER), row(2, "J1", "2026-11-01", "a", hidden=True), row(3, "J2", "2026-11-01", "b")],
        columns='<cols><col min="3" max="3" hidden="1"/></cols>',
    )

    rows, findings, _ = read(path)

    assert [item["描述"] for item in rows] == ["a", "b"]
    assert findings["file.hidden_rows"]["count"] == 1
    assert (findings["file.hidden_rows"]["lines"], findings["file.hidden_columns"]["count"]) == ([2], 1)


def test_the_sheet_that_fits_the_stream_is_chosen(tmp_path: Path) -> None:
    """Not the first but the fitting one; another of the same form is told, and ``all`` reads it; hidden ones need naming."""
    notes = [row(1, "填表说明"), row(2, "请勿修改表头")]
    path = workbook(
        tmp_path / "a.xlsx",
        notes,
        [row(1, *HEADER), row(2, "J1", "2026-11-01", "a")],
        [row(1, *HEADER), row(2, "J2", "2026-11-01", "b"), row(3, "J3", "2026-11-01", "b")],
        [row(1, *HEADER), row(2, "J9", "2026-11-01", "z")],
        states=["visible", "visible", "visible", "hidden"],
    )

    rows, findings, _ = read(path)
    assert [item["接警编号"] for item in rows] == ["J1"]
    told = {code: findings[code]["sheet"] for code in ("file.sheet_chosen", "file.sheet_ignored", "file.sheet_hidden")}
    assert told == {"file.sheet_chosen": 2, "file.sheet_ignored": 3, "file.sheet_hidden": 4}

    rows, findings, reading = read(path, sheet="all")
    assert [item["接警编号"] for item in rows] == ["J1", "J2", "J3"]
    assert "file.sheet_ignored" not in findings
    assert [reading.marks.place(number) for number in (1, 2, 3)] == [(2, 2), (3, 2), (3, 3)]
    assert [item["接警编号"] for item in read(path, sheet="表4")[0]] == ["J9"]
    assert refused(path, sheet=9) == "file.sheet"


def test_shared_texts_runs_and_prefixed_names_are_read(tmp_path: Path) -> None:
    """Rich text is joined without its reading aid; a producer that prefixes every element is understood."""
    path = workbook(
        tmp_path / "a.xlsx",
        [row(1, *HEADER), '<row><c t="s"><v>0</v></c><c t="s"><v>9</v></c><c><v>3</v></c></row>'],
        shared=["<r><t>J</t></r><r><t>一</t></r><rPh><t>yi</t></rPh>"],
        wrap=lambda xml: xml.replace("</", "</x:").replace("<", "<x:").replace("<x:/x:", "</x:"),
    )

    assert [list(item.values()) for item in read(path)[0]] == [["J一", "", 3]]


def test_cells_beyond_the_header_are_a_problem_or_told(tmp_path: Path) -> None:
    """More cells than headers: that row is a problem. A cell in a column without a name: left out and told."""
    path = workbook(
        tmp_path / "a.xlsx",
        [row(1, "接警编号", None, "描述"), row(2, "J1", "x", "a"), row(3, "J2", None, "b", "c"), row(4, "J3")],
    )

    rows, findings, _ = read(path)

    assert [item.get(ROW_PROBLEM, item.get("接警编号")) for item in rows] == ["J1", "row.shape", "J3"]
    assert findings["file.column_unnamed"]["lines"] == [2]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("接警编号,描述\nJ1,家庭\n".encode("utf-16-le"), None),
        ("\ufeff接警编号\t描述\r\nJ1\t家庭\r\n".encode("utf-16-le"), None),
        ("接警编号,描述\nJ1,家庭𠮷\n".encode("gb18030"), None),
        ("sep=;\n接警编号;描述\nJ1;a,b,c,d\n".encode(), None),
        ("接警编号,描述\nJ1,家庭纠纷的描述".encode() + b"\xff\xfe\n", "file.encoding"),
        ("接警编号,描述\nJ1,家庭\n".encode("gb18030") + b"\x81\x00", "file.encoding"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "file.markup"),
    ],
)
def test_text_under_a_workbook_name_is_read_as_what_it_is(tmp_path: Path, content: bytes, code: str | None) -> None:
    """Many systems export text or web pages as .xls: text of every usual encoding is read, the rest refused by name."""
    path = tmp_path / "a.xls"
    path.write_bytes(content)
    if code:
        assert refused(path) == code
    else:
        [only] = read(path)[0]
        assert (only["接警编号"], list(only)) == ("J1", ["接警编号", "描述"])


def test_bombs_are_refused_and_damage_is_named(tmp_path: Path) -> None:
    """Archive bombs, DOCTYPE anywhere, a cut-off part and a missing sheet: a code, and no reader is fooled."""
    bomb = workbook(tmp_path / "bomb.xlsx", [row(1, *HEADER)], wrap=lambda xml: xml + " " * (40 * 1024 * 1024))
    assert refused(bomb) == "file.too_large"
    late = workbook(
        tmp_path / "late.xlsx",
        [row(1, *HEADER)],
        wrap=lambda xml: f'<!--{" " * 9000}--><!DOCTYPE x [<!ENTITY a "b">]>{xml}',
    )
    assert refused(late) == "file.unreadable"
    cut = workbook(tmp_path / "cut.xlsx", [row(1, *HEADER)], wrap=lambda xml: xml[:-20])
    assert refused(cut) == "file.unreadable"
    empty = tmp_path / "empty.xlsx"
    with zipfile.ZipFile(empty, "w") as package:
        package.writestr("readme.txt", "")
    assert refused(empty) in ("file.sheet", "file.unreadable")


def test_old_binary_workbooks_are_read_alike(tmp_path: Path) -> None:
    """XLS: merged two-line header under a title, dates, whole numbers, ruined numbers, totals, a sheet that does not count."""
    book = xlwt.Workbook()
    notes, sheet = book.add_sheet("说明"), book.add_sheet("警情")
    notes.write(0, 0, "填表说明")
    sheet.write_merge(1, 1, 1, 4, "登记表")
    sheet.write_merge(2, 3, 1, 1, "接警编号")
    sheet.write_merge(2, 3, 2, 2, "报警时间")
    sheet.write_merge(2, 2, 3, 4, "甲方")
    sheet.write(3, 3, "姓名")
    sheet.write(3, 4, "证件号码")
    sheet.write(4, 1, 20261101001)
    sheet.write(4, 2, datetime(2026, 11, 1, 9, 30), xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm"))
    sheet.write(4, 3, "张一")
    sheet.write(4, 4, 110101199003070000)
    sheet.write(5, 1, "合计")
    path = tmp_path / "a.xls"
    book.save(str(path))

    rows, findings, reading = read(path)

    assert rows == [
        {
            "接警编号": 20261101001, "报警时间": "2026-11-01 09:30:00", "甲方姓名": "张一",
            "甲方证件号码": "1.10101199003070E+17",
        }
    ]  # fmt: skip
    assert (findings["file.sheet_chosen"]["sheet"], findings["file.totals"]["lines"]) == (2, [6])
    assert reading.marks.place(1) == (2, 5)


def test_a_workbook_under_a_password_is_refused_by_name(tmp_path: Path) -> None:
    """An encrypted package is told apart from a damaged one."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le"))

    assert refused(path) == "file.encrypted"


def test_a_large_workbook_is_read_in_flat_memory(tmp_path: Path) -> None:
    """Twelve thousand lines of inline and shared texts: less than 4 MiB more is held at any moment."""
    lines = [row(1, *HEADER)]
    lines += [f'<row><c t="s"><v>{n}</v></c><c><v>{46000 + n % 300}</v></c>{cell(f"C{n + 2}", "家庭纠纷" * 20)}</row>' for n in range(12_000)]  # fmt: skip
    path = workbook(tmp_path / "a.xlsx", lines, shared=[f"<t>J{n}</t>" for n in range(12_000)])
    del lines

    tracemalloc.start()
    count = sum(1 for _ in read_rows(path, known=known))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert count == 12_000
    assert peak < 4 * 1024 * 1024


def test_a_damaged_workbook_cannot_take_the_reader_with_it(tmp_path: Path) -> None:
    """A few KiB whose one number claims to stand in the last cell of a vast sheet: refused, and the next file is read."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("a")
    for column, text in enumerate(HEADER):
        sheet.write(0, column, text)
    sheet.write(1, 0, 20261101001.5)
    path = tmp_path / "a.xls"
    book.save(str(path))
    assert [item["接警编号"] for item in read(path)[0]] == [20261101001.5]
    number = b"\x03\x02\x0e\x00"  # the record of a number: its length, then line and column
    raw = path.read_bytes()
    at = raw.index(number + b"\x01\x00\x00\x00") + len(number)
    path.write_bytes(raw[:at] + b"\xff\xff\xff\xff" + raw[at + 4 :])

    assert refused(path) == "file.too_large"
