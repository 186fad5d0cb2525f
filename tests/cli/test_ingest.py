"""`hub ingest`: one file through the line, its receipt, its exit code."""

from __future__ import annotations

import csv
from pathlib import Path

from openpyxl import Workbook, load_workbook

from tests.cli.conftest import District, Hub
from tests.end_to_end.story import call as police_call

AT = "2026-03-01 20:00:00"
KEYS = {"batch", "received", "applied", "unchanged", "quarantined", "rejected", "pending", "rows"}


def test_receipt_counts_every_row(district: District) -> None:
    """received = applied + unchanged + quarantined + rejected + pending, and what is not plainly applied is listed."""
    good, bad = police_call("J1", AT), police_call("J2", AT, category="77")
    neighbours = police_call("J3", AT, category="3", relation="邻居")
    told = district("ingest", "police", "incident", str(district.file(good, bad, good, neighbours)), "--json")

    receipt = told.json
    assert told.code == 1
    assert receipt.keys() >= KEYS
    assert [receipt[k] for k in ("received", "applied", "unchanged", "quarantined", "rejected")] == [4, 1, 1, 1, 1]
    assert [(row["row"], row["status"]) for row in receipt["rows"]] == [
        (2, "quarantined"),
        (3, "unchanged"),
        (4, "rejected"),
    ]
    assert (receipt["rows"][0]["code"], receipt["rows"][0]["field"]) == ("code.unknown", "category")
    counts = district("status", "--json").json["counts"]
    assert counts == {"received": 4, "applied": 1, "unchanged": 1, "quarantined": 1, "rejected": 1, "pending": 0}


def test_a_plain_file_exits_with_0(district: District) -> None:
    """Everything applied is done; --all-rows then lists the events; the text says the identity."""
    told = district("ingest", "police", "incident", str(district.file(police_call("J1", AT))), "--json", "--all-rows")

    assert told.code == 0
    assert [(row["row"], row["status"]) for row in told.json["rows"]] == [(1, "applied")]
    assert told.json["rows"][0]["event"]
    again = district("ingest", "police", "incident", str(district.file(police_call("J1", AT))))
    assert "收到 1 = 已采用 0 + 无变化 1" in again.out


def test_a_long_file_is_many_pages_and_one_receipt(district: District) -> None:
    """Row numbers count through the file whatever the page size."""
    district.append("hub", "\n[limits]\nrows_per_page = 2\n")
    rows = [police_call(f"J{n}", AT) for n in range(4)] + [police_call("J9", AT, category="77")]
    receipt = district.ingest("police", "incident", *rows)

    assert (receipt["received"], receipt["applied"], len(receipt["batches"])) == (5, 4, 3)
    assert [row["row"] for row in receipt["rows"]] == [5]


def test_csv_in_gb18030_with_chinese_headers(district: District, tmp_path: Path) -> None:
    """What an office program writes is read as it is."""
    row = {
        "接警编号": "J1",
        "报警时间": "2026/3/1 20:00",
        "警情类别": "家庭暴力",
        "更新时间": "2026/3/1 21:00",
        "甲方姓名": "林志远",
    }
    path = tmp_path / "calls.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        writer.writerow(row)
    told = district("ingest", "police", "incident", str(path), "--json")

    assert (told.code, told.json["applied"]) == (0, 1)


def test_receipt_as_workbook(district: District, tmp_path: Path) -> None:
    """The workbook has every row with code and remedy, and no value of the file."""
    out = tmp_path / "receipt.xlsx"
    file = district.file(police_call("J1", AT), police_call("J2", AT, category="77"))
    district("ingest", "police", "incident", str(file), "--receipt", str(out))

    rows = list(load_workbook(out, read_only=True)["逐行"].values)
    assert [row[:2] for row in rows[1:]] == [(1, "applied"), (2, "quarantined")]
    assert "林志远" not in str(rows)


def test_what_cannot_be_taken_is_said(district: District, hub: Hub, tmp_path: Path) -> None:
    """A disabled connector, a misspelt stream, a missing file and an unknown mode are wrong usage, with a remedy."""
    file = str(district.file(police_call("J1", AT)))

    disabled = hub("ingest", "police", "incident", file)
    assert (disabled.code, "hub connectors enable police" in disabled.err) == (2, True)
    misspelt = district("ingest", "police", "incidents", file)
    assert (misspelt.code, 'did you mean "incident"?' in misspelt.err) == (2, True)
    assert district("ingest", "polise", "incident", file).code == 2
    assert district("ingest", "police", "incident", file, "--mode", "dead").code == 2
    missing = district("ingest", "police", "incident", str(tmp_path / "none.csv"))
    assert (missing.code, "is no file" in missing.err) == (2, True)
    assert district("ingest", "police", "incident", file, "--returned", str(tmp_path / "none")).code == 2
    missing = district("ingest", "police", "incident", str(tmp_path / "none.csv"), "--json")
    assert (missing.code, missing.json["error"]["code"]) == (2, "usage.invalid")


def test_an_awkward_workbook_is_taken_and_what_was_left_out_is_told(district: District, tmp_path: Path) -> None:
    """Title, two-line merged header, a total below: the records count, lines are named, no name or number is repeated."""
    first, second = police_call("J1", AT), police_call("J2", AT, party_b_id_number=110101199003070000)
    labels = {"接警编号": "call_no", "报警时间": "called_at", "警情类别": "category", "暴力程度": "intensity", "与对方关系": "relation"}  # fmt: skip
    persons = {"姓名": "name", "证件号码": "id_number", "联系电话": "phone"}
    book = Workbook()
    sheet = book.active
    sheet.append(["家庭警情登记表"])
    sheet.append([*labels, "甲方", None, None, "乙方", None, None])
    sheet.append([*[None] * len(labels), *persons, *persons])
    for row in (first, second):
        blocks = [row.get(f"{block}_{name}") for block in ("party_a", "party_b") for name in persons.values()]
        sheet.append([*(row[name] for name in labels.values()), *blocks])
    sheet.append(["合计", 2])
    for area in ("A1:K1", "F2:H2", "I2:K2", *(f"{letter}2:{letter}3" for letter in "ABCDE")):
        sheet.merge_cells(area)
    path = tmp_path / "登记表.xlsx"
    book.save(path)

    told = district("ingest", "police", "incident", str(path), "--returned", str(tmp_path))
    receipt = district("ingest", "police", "incident", str(path), "--json").json
    back = load_workbook(tmp_path / "登记表.returned.xlsx").active

    assert "收到 2 = " in told.out
    assert [row[0] for row in back.values] == ["接警编号", "J2"]
    assert "甲方证件号码" in [cell.value for cell in back[1]]
    assert "第2条（第1张工作表第5行）" in told.out
    assert "id_number.ruined" in told.out
    assert "第1张工作表第6行：合计行，未作为记录" in told.out
    assert {"code": "file.totals", "count": 1, "sheet": 1, "lines": [6]} in receipt["notes"]
    assert not [word for word in ("1101011990", *(first[f"party_{p}_name"] for p in "ab")) if word in told.out]


def test_a_receipt_names_the_departments_header_and_codes(district: District, tmp_path: Path) -> None:
    """An empty field by its Chinese header, or the unit's own by `fields`; an unknown code beside the unit's own codes."""
    empty = district.file({**police_call("J1", AT), "called_at": ""})
    assert (
        "field.missing 报警时间 (called_at) 请补填所列字段" in district("ingest", "police", "incident", str(empty)).out
    )
    district.append("police", '\n[streams.incident]\ntransport = "push"\nfields = { "报警时间" = "BJSJ" }\n')
    assert "field.missing BJSJ (called_at)" in district("ingest", "police", "incident", str(empty)).out

    complaint = {"complaint_no": "C1", "at": AT, "updated_at": AT, "kind": "77", "victim_name": "苏某"}
    file = district.file(complaint)
    (row,) = district("ingest", "womens_federation", "complaint", str(file), "--json").json["rows"]
    assert (row["field"], row["column"]) == ("kind", "类型")
    assert "2 家暴 domestic_violence" in row["remedy"]
    out = tmp_path / "receipt.xlsx"
    district("ingest", "womens_federation", "complaint", str(file), "--receipt", str(out))
    cells = [cell.value for line in load_workbook(out)["逐行"].iter_rows() for cell in line]
    assert "类型" in cells
    assert any("可填：1 一般矛盾" in str(cell) for cell in cells)


def test_a_receipt_is_written_as_its_name_says(district: District, tmp_path: Path) -> None:
    """CSV opens in a spreadsheet and lists every row; another name is refused before anything is taken."""
    file = str(
        district.file(police_call("J1", "2026-03-01 20:00:00"), police_call("J2", "2026-03-01 20:00:00", category="77"))
    )
    wrong = district("ingest", "police", "incident", file, "--receipt", str(tmp_path / "receipt.doc"))
    assert (wrong.code, district("status", "--json").json["counts"]["received"]) == (2, 0)
    district("ingest", "police", "incident", file, "--receipt", str(tmp_path / "receipt.csv"))

    with (tmp_path / "receipt.csv").open(encoding="utf-8-sig", newline="") as opened:
        lines = list(csv.reader(opened))
    assert [line[:4] for line in lines[1:3]] == [
        ["1", "applied", "", ""],
        ["2", "quarantined", "code.unknown", "category"],
    ]


def test_columns_that_nobody_knows_are_named_by_their_letters(district: District, tmp_path: Path) -> None:
    """A header that is none of the stream's is told on the receipt, so that no person is left out unseen; never its words."""
    file = tmp_path / "calls.csv"
    file.write_text(
        "接警编号,报警时间,警情类别,当事人甲姓名,更新时间\nJ1,2026-03-01 20:00:00,1,赵大伟,2026-03-01 21:00:00\n"
    )
    told = district("ingest", "police", "incident", str(file))

    assert "D列：列名不是本数据流的列名，未读取" in told.out
    assert "当事人甲姓名" not in told.out
    [found] = district("ingest", "police", "incident", str(file), "--json").json["notes"]
    assert found == {"code": "file.column_unknown", "count": 1, "columns": [3]}
