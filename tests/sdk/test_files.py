from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from hub.core.errors import PersonError
from hub.sdk.files import FileSender, FolderSource, ReceiptFolder, waiting_receipts
from hub.sdk.tabular import Form, read_rows
from tests.sdk.office_kit import row as office_row
from tests.sdk.office_kit import workbook

Collected = list[tuple[list[str], str | None]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def drop(folder: Path, name: str, rows: int, start: int = 0) -> Path:
    path = folder / name
    path.write_text("no\n" + "".join(f"J{n}\n" for n in range(start, start + rows)), encoding="gb18030")
    return path


def source(folder: Path, **options: Any) -> FolderSource:
    return FolderSource(folder=folder, **{"pattern": "*.csv", "settle": timedelta(milliseconds=10), **options})


def collect(source: FolderSource, cursor: str | None = None) -> Collected:
    return [([row["no"] for row in rows], at) for rows, at in source.pages(cursor)]


def test_file_is_pages_and_then_moves_to_done(folder: Path) -> None:
    """Pages of the asked size, cursor (drop, row), the file in done/ with a note that its receipt is due."""
    drop(folder, "a.csv", 5)

    pages = collect(source(folder, rows_per_page=2))

    assert [rows for rows, _ in pages] == [["J0", "J1"], ["J2", "J3"], ["J4"]]
    assert [str(at).partition(":")[2] for _, at in pages] == ["2", "4", "5"]
    assert (folder / "done" / "a.csv").is_file()
    assert not (folder / "a.csv").exists()
    [due] = waiting_receipts(folder / "done")
    assert (5, "", str(pages[0][1]).partition(":")[0]) == (due.rows, due.code, due.drop)


def test_kill_in_mid_file_resumes_at_the_next_row(folder: Path) -> None:
    """A new process with the stored cursor reads on where the last landed page ended, and nothing twice."""
    drop(folder, "a.csv", 5)
    reading = source(folder, rows_per_page=2).pages(None)
    _, cursor = next(reading)
    reading.close()

    assert [rows for rows, _ in collect(source(folder, rows_per_page=2), cursor)] == [["J2", "J3"], ["J4"]]


def test_kill_before_the_move_moves_without_reading_again(folder: Path) -> None:
    """All rows have landed but the file still lies there: it moves, no row comes twice."""
    drop(folder, "a.csv", 3)
    reading = source(folder).pages(None)
    _, cursor = next(reading)
    reading.close()

    assert collect(source(folder), cursor) == []
    assert (folder / "done" / "a.csv").is_file()


def test_same_content_dropped_again_is_read_again(folder: Path) -> None:
    """A repeat gets a receipt of its own (unchanged rows), and both files stay in done/."""
    drop(folder, "a.csv", 3)
    [(_, cursor)] = collect(source(folder))
    shutil.copyfile(folder / "done" / "a.csv", folder / "a.csv")

    [(rows, again)] = collect(source(folder), cursor)

    assert rows == ["J0", "J1", "J2"]
    assert again != cursor
    assert sorted(path.name for path in (folder / "done").glob("a*.csv")) == ["a.csv", "a~2.csv"]


def test_growing_file_waits(folder: Path) -> None:
    """A file whose size differs between two looks is left alone until it rests."""
    growing = drop(folder, "a.csv", 1)
    made = source(folder)

    class Grow:
        def wait(self, seconds: float) -> bool:
            growing.write_text(growing.read_text() + "J9\n")
            return False

    made.stop = Grow()
    assert collect(made) == []
    assert [rows for rows, _ in collect(made)] == [["J0", "J9"]]


def test_ok_file_and_rename_announce_a_whole_file(folder: Path) -> None:
    """With ``ok-file`` only a file with its .ok is read, and its digest must fit; with ``rename`` any that is there."""
    path = drop(folder, "a.csv", 1)
    bad = drop(folder, "b.csv", 1)
    made = source(folder, ready="ok-file")
    assert collect(made) == []
    Path(f"{path}.ok").write_text(hashlib.sha256(path.read_bytes()).hexdigest())
    bad.with_suffix(".ok").write_text("0" * 64)

    read: list[list[str]] = []
    with pytest.raises(PersonError) as caught:
        read.extend([row["no"] for row in rows] for rows, _ in made.pages(None))

    assert read == [["J0"]]
    assert caught.value.code == "file.digest"
    assert [Path(due.path).name for due in waiting_receipts(folder / "failed")] == ["b.csv"]
    drop(folder, "c.csv", 1)
    assert [rows for rows, _ in collect(source(folder, ready="rename"))] == [["J0"]]


def test_unreadable_file_goes_to_failed_and_its_neighbours_are_read(folder: Path) -> None:
    """The bad file is named after the good ones have been read; its note carries the code."""
    (folder / "a.csv").write_bytes(b'no\n"open\n')
    drop(folder, "b.csv", 2)
    read: list[str] = []

    with pytest.raises(PersonError) as caught:
        read.extend(row["no"] for rows, _ in source(folder).pages(None) for row in rows)

    assert read == ["J0", "J1"]
    assert caught.value.code == "file.unreadable"
    [due] = waiting_receipts(folder / "failed")
    assert (Path(due.path).name, due.code, due.rows) == ("a.csv", "file.unreadable", 0)


def test_only_matching_whole_plain_files_are_looked_at(folder: Path) -> None:
    """Temporary names, receipts, hidden and linked files, folders and other patterns stay where they are."""
    names = ("a.csv.tmp", ".a.csv", "~$a.csv", "a.csv.receipt.csv", "a.txt", "x.part")
    for name in names:
        drop(folder, name, 1)
    (folder / "z.csv").mkdir()
    os.symlink(folder / "a.txt", folder / "l.csv")

    assert collect(source(folder)) == []
    assert set(names) <= {path.name for path in folder.iterdir()}


def test_a_look_leaves_every_file_where_it_is(folder: Path) -> None:
    """Files are read whether they are announced or not, whole or broken, and nothing is written."""
    drop(folder, "a.csv", 3)
    (folder / "b.csv").write_bytes(b'no\n"open\n')
    read: list[str] = []
    with pytest.raises(PersonError):
        read.extend(row["no"] for rows, _ in source(folder, ready="ok-file", look=True).pages(None) for row in rows)

    assert read == ["J0", "J1", "J2"]
    assert sorted(path.name for path in folder.iterdir()) == ["a.csv", "b.csv"]


def test_missing_folder_needs_a_person(tmp_path: Path) -> None:
    """A wrong folder is an error of its own, not an empty answer."""
    with pytest.raises(PersonError) as caught:
        collect(source(tmp_path / "none"))

    assert caught.value.code == "files.folder"


def test_receipts_are_written_beside_the_file_for_machines_and_for_people(folder: Path) -> None:
    """JSON, CSV and XLSX say the identity, the line of each bad row, its column and the remedy in Chinese."""
    (folder / "a.csv").write_text("某表,\nno,called_at\nJ1,2026-01-31\nJ2,昨天\n合计,2\n", encoding="utf-8")
    made = source(folder, form=Form(header_row=2))
    assert [rows for rows, _ in collect(made)] == [["J1", "J2"]]
    path = folder / "done" / "a.csv"
    row = {
        "row": 2,
        "status": "quarantined",
        "code": "date.invalid",
        "field": "called_at",
        "remedy": "write 2026-01-31",
    }
    counts = {"received": 2, "applied": 1, "unchanged": 0, "quarantined": 1, "rejected": 0, "pending": 0}

    made.answer(str(path), {**counts, "rows": [row]}, lambda field: "=报警时间")

    told = json.loads((folder / "done" / "a.csv.receipt.json").read_text())
    assert ("a.csv", 2, 1, [{**row, "line": 4}]) == (told["file"], told["received"], told["quarantined"], told["rows"])
    with (folder / "done" / "a.csv.receipt.csv").open(encoding="utf-8-sig", newline="") as opened:
        lines = list(csv.reader(opened))
    book = openpyxl.load_workbook(folder / "done" / "a.csv.receipt.xlsx")
    assert lines == [["" if cell is None else str(cell) for cell in line] for line in book["回执"].values]
    assert lines[1][6].startswith("收到 2 = 已接收 1")
    assert ["", "5", "", "说明", "file.totals"] in [line[:5] for line in lines]
    assert lines[-1] == [
        "", "4", "2", "待更正", "date.invalid", "'=报警时间", "日期无法识别", "日期请写作 2021-08-30 或 2021-08-30 09:30:00",
    ]  # fmt: skip
    assert "昨天" not in str(lines)
    assert waiting_receipts(folder / "done") == []


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".ndjson"])
def test_faulty_rows_come_back_in_a_file_that_can_be_mended_and_sent_again(folder: Path, suffix: str) -> None:
    """Only rows that wait or lost a field; same headers, no cell that a spreadsheet would run; read again it is the same."""
    rows = [
        {"no": "J1", "text": "=1+1", "phone": "-13800000001"},
        {"no": "J2", "text": "好", "phone": "001"},
        {"no": "J3", "text": "@sum", "phone": "+8613800000001"},
        {"no": "J4", "text": "x", "phone": ""},
    ]
    path = folder / f"a{suffix}"
    if suffix == ".csv":
        path.write_text("\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]), encoding="gb18030")
    elif suffix == ".xlsx":
        lines = [[*rows[0]], *([*row.values()] for row in rows)]
        workbook(path, [office_row(number, *cells) for number, cells in enumerate(lines, 1)])
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    made = source(folder, pattern="a.*")
    collect(made)
    told = [
        {"row": 1, "status": "quarantined", "code": "date.invalid"},
        {"row": 2, "status": "rejected", "code": "not_ours.neighbours"},
        {"row": 3, "status": "applied", "code": "phone.invalid"},
    ]

    made.answer(f"{folder}/done/{path.name}", {"received": 4, "rows": told}, str)

    back = folder / "done" / f"a.returned{suffix}"
    assert json.loads((folder / "done" / f"{path.name}.receipt.json").read_text())["returned"] == back.name
    if suffix == ".csv":
        assert "\n'=" not in back.read_text(encoding="utf-8-sig")
        assert ",'=1+1,'-13800000001" in back.read_text(encoding="utf-8-sig")
    if suffix == ".xlsx":
        cells = [cell for line in openpyxl.load_workbook(back).active for cell in line]
        assert {cell.data_type for cell in cells} == {"s"}
        assert not [cell.value for cell in cells if cell.value[0] in "=+-@"]
    assert list(read_rows(back)) == [rows[0], rows[2]]


def test_failed_file_has_its_code_in_every_receipt(folder: Path) -> None:
    """A file that could not be opened says why and what to do, in Chinese too."""
    (folder / "a.csv").write_bytes(b"")
    made = source(folder)
    with pytest.raises(PersonError):
        collect(made)
    [due] = waiting_receipts(folder / "failed")

    made.answer(due.path, {"received": 0, "rows": []}, str)

    assert json.loads((folder / "failed" / "a.csv.receipt.json").read_text())["code"] == "file.header"
    text = (folder / "failed" / "a.csv.receipt.csv").read_text(encoding="utf-8-sig")
    assert "未读取,file.header" in text
    assert "找不到表头" in text


def test_message_is_dropped_whole_with_its_digest(tmp_path: Path) -> None:
    """NAME.json holds the very bytes, NAME.ok their SHA-256; a repeat changes nothing; no temporary file stays."""
    sender = FileSender(tmp_path / "out")

    assert [sender.send("R-2026/1", b'{"report_no":"x"}').step for _ in range(2)] == ["sent", "sent"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["R-2026_1.json", "R-2026_1.ok"]
    assert (tmp_path / "out" / "R-2026_1.json").read_bytes() == b'{"report_no":"x"}'
    assert hashlib.sha256(b'{"report_no":"x"}').hexdigest() == (tmp_path / "out" / "R-2026_1.ok").read_text().strip()


def test_folder_that_cannot_be_written_is_tried_later(tmp_path: Path) -> None:
    """A file where the folder should be: *later*, the message stays in the outbox."""
    (tmp_path / "out").write_text("")

    assert FileSender(tmp_path / "out").send("R-1", b"{}")[::3] == ("later", "file.folder")


def test_receipts_come_in_by_their_own_folder(tmp_path: Path) -> None:
    """One or several receipts in a file; what is none goes to failed/, one that still grows waits."""
    folder = tmp_path / "receipts"
    folder.mkdir()
    (folder / "a.json").write_text('{"message_no": "R-1", "receipt_no": "77", "at": "2026-11-01 10:00:00"}')
    (folder / "b.json").write_text('[{"message_no": "R-2", "receipt_no": "78", "at": "2026-11-01"}]')
    (folder / "c.json").write_text('{"hello": 1}')
    (folder / "d.json").write_text('{"message_no": "R-')
    receipts = ReceiptFolder(folder, min_age=60)

    found = receipts.waiting()

    assert [(path.name, rows[0]["message_no"]) for path, rows in found] == [("a.json", "R-1"), ("b.json", "R-2")]
    assert (folder / "failed" / "c.json").is_file()
    assert (folder / "d.json").is_file()
    receipts.put_away(found[0][0])
    assert (folder / "done" / "a.json").is_file()
