"""The samples of every connector become exactly the drafts that lie beside them, under either set of headers."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from hub.sdk import Draft, Problem
from tests.connectors.sample_files import (
    ANY_UNIT,
    NAMES,
    connector,
    golden,
    plain,
    sample_rows,
    samples,
)

HOSTILE: list[Any] = [
    None, "row", 7, [], [1, 2], {}, {"": ""}, {None: None}, {"nothing": "known"},
    {"编号": {"nested": ["x"]}}, {"编号": True}, {"编号": float("nan")}, {"编号": float("inf")}, {"编号": 10**60},
    {"编号": "\ud800"}, {"更新时间": object()}, {7: 8, (1, 2): b"bytes"}, {"编号": b"\xff"},
]  # fmt: skip
"""Rows no unit should ever send."""


@pytest.mark.parametrize(("name", "stream"), samples())
def test_sample_becomes_its_golden_drafts(name: str, stream: str) -> None:
    """Each row in Chinese headers becomes the draft that was looked through by a person."""
    drafts = connector(name).map_rows(stream, sample_rows(name, stream), first_row=1)

    assert [plain(draft) for draft in drafts] == golden(name, stream)


@pytest.mark.parametrize(("name", "stream"), samples())
def test_english_headers_give_the_same_drafts(name: str, stream: str) -> None:
    """The same rows under the English headers, in another case, become the same drafts."""
    table = connector(name).streams[stream]
    english = {field.header: field.name.upper() for field in table.fields if field.header}
    rows = [{english.get(header, header): cell for header, cell in row.items()} for row in sample_rows(name, stream)]

    drafts = connector(name).map_rows(stream, rows, first_row=1)

    assert [plain(draft) for draft in drafts] == golden(name, stream)


@pytest.mark.parametrize(("name", "stream"), samples())
def test_original_is_the_source_row(name: str, stream: str) -> None:
    """What is kept of a row is the row as sent, but for columns that may never be stored."""
    for row, draft in zip(
        sample_rows(name, stream), connector(name).map_rows(stream, sample_rows(name, stream)), strict=True
    ):
        kept = orjson.loads(draft.original)

        assert kept == {header: cell for header, cell in row.items() if header in kept}
        assert set(row) - set(kept) <= {"庇护所地址", "受害人住址"}


@pytest.mark.parametrize("name", NAMES)
def test_hostile_rows_stop_nobody(name: str) -> None:
    """Rows that are no records give one problem each, and the good row after them is mapped."""
    every = connector(name)
    for stream in every.streams.values():
        good = dict.fromkeys(stream.key, "N1")
        drafts = every.map_rows(stream.name, [*HOSTILE, good])

        assert len(drafts) == len(HOSTILE) + 1
        assert {draft.code for draft in drafts[: len(HOSTILE)] if isinstance(draft, Problem)} <= {
            "row.invalid",
            "key.missing",
        }
        assert isinstance(drafts[-1], Draft)
        assert [draft.row for draft in drafts] == list(range(len(HOSTILE) + 1))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stream", ANY_UNIT)
def test_any_unit_sends_the_any_unit_streams(name: str, stream: str) -> None:
    """Activities, special households, workers and answers to duties come alike from every unit."""
    drafts = connector(name).map_rows(stream, sample_rows("community_grid", stream), first_row=1)

    expected = [
        {**entry, "key": [connector(name).unit, *entry["key"][1:]]} for entry in golden("community_grid", stream)
    ]
    assert [plain(draft) for draft in drafts] == expected


def test_shelter_address_is_nowhere_in_the_drafts() -> None:
    """Every column of the shelter sample that may hold an address is dropped, counted, and absent from the original."""
    rows = sample_rows("civil_affairs", "shelter")

    drafts = connector("civil_affairs").map_rows("shelter", rows)

    assert drafts.dropped == {"庇护所地址": len(rows), "受害人住址": len(rows)}
    assert all("虚构路" not in draft.original.decode() for draft in drafts)
    assert all(person.address is None for draft in drafts if isinstance(draft, Draft) for person in draft.persons)


@pytest.mark.parametrize(
    ("student_no", "id_number", "expected"),
    [
        ("G310101201406183288", "", "310101201406183288"),
        ("g31010120140618328x", None, "31010120140618328x"),
        ("G3101****3288", "无", "3101****3288"),
        ("G310101201406183288", "310101201601093843", "310101201601093843"),
        ("J310101201406183288", "", None),
        ("L310101201406183288", "不详", None),
        ("", "G310101201406183288", "310101201406183288"),
        ("", "J310101201406183288", None),
    ],
)
def test_student_number_gives_an_id_number_only_with_g(
    student_no: str, id_number: str | None, expected: str | None
) -> None:
    """G + ID number stands in for an empty ID column; J and L numbers are no ID numbers, wherever they stand."""
    row = {"编号": "C1", "学籍号": student_no, "学生姓名": "某学生", "学生证件号码": id_number}

    (draft,) = connector("education").map_rows("concern", [row])

    assert isinstance(draft, Draft)
    assert [person.id_number for person in draft.persons] == [expected]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("刘一诺", [("刘一诺", None)]),
        ("何子轩；何小妹、何三", [("何子轩", None), ("何小妹", None), ("何三", None)]),
        ("何子轩（310101201102283351）;何小妹", [("何子轩", "310101201102283351"), ("何小妹", None)]),
        (["何子轩 3101****3351", "何小妹"], [("何子轩", "3101****3351"), ("何小妹", None)]),
        ("无", []),
        (None, []),
    ],
)
def test_accompanying_children_become_persons(cell: object, expected: list[tuple[str, str | None]]) -> None:
    """Each child named in the one cell of a shelter record is a person of role child, with its ID number if given."""
    (draft,) = connector("civil_affairs").map_rows(
        "shelter", [{"庇护编号": "S1", "受害人姓名": "某女士", "随行子女": cell}]
    )

    assert isinstance(draft, Draft)
    assert [(person.name, person.id_number) for person in draft.persons if person.role == "child"] == expected


def test_real_110_headers_need_only_renames() -> None:
    """The pinyin headers of the real call sheet are named in the configuration, in any case, without code."""
    renames = {
        "接警编号": "jjdbh",
        "关联接警编号": "gljjdbh",
        "报警时间": "bjsj",
        "地址": "afdz",
        "报警内容": "bjnr",
        "caller_name": "bjrxm",
        "报警人联系电话": "bjdh",
    }
    row = {
        "JJDBH": "1",
        "GLJJDBH": "2",
        "BJSJ": "20261101203100",
        "AFDZ": "某路",
        "BJNR": "争吵",
        "BJRXM": "某人",
        "BJDH": "13900000101",
        "XZQH": "310101",
    }

    (draft,) = connector("police").map_rows("incident", [row], renames=renames)

    assert isinstance(draft, Draft)
    assert (draft.key.no, draft.facts, draft.related) == ("1", {"called_at": "20261101203100"}, ("2",))
    assert draft.texts == {"place": "某路", "narrative": "争吵"}
    assert [(person.role, person.name, person.phone) for person in draft.persons] == [
        ("reporter", "某人", "13900000101")
    ]
