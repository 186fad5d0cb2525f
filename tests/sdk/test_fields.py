"""Columns are found under every header they come with."""

from __future__ import annotations

import pytest

from hub.sdk import Field, cell_text, is_stated, person_block, split_list
from hub.sdk.fields import fold, rename_columns, unknown_names


@pytest.mark.parametrize(
    "header", ["call_no", "CALL_NO", " Call_No ", "\ufeffcall_no", "ｃａｌｌ＿ｎｏ", "call_no\u200b", "call_\nno"]
)
def test_header_is_compared_folded(header: str) -> None:
    """Case, width, byte order mark and white space of a header do not matter."""
    assert fold(header) == "call_no"


def test_person_block_has_both_headers() -> None:
    """The block of a victim is 受害人姓名 = victim_name and seven more, each going to its attribute."""
    block = person_block("victim", "受害人", "victim")

    assert block[0] == Field("victim_name", "受害人姓名", "person:victim.name", block="victim")
    assert {field.name: field.header for field in block} == {
        "victim_name": "受害人姓名", "victim_id_type": "受害人证件类型", "victim_id_number": "受害人证件号码",
        "victim_sex": "受害人性别", "victim_birth_date": "受害人出生日期", "victim_phone": "受害人联系电话",
        "victim_address": "受害人住址", "victim_capacity": "受害人民事行为能力",
    }  # fmt: skip


def test_person_block_without_a_column() -> None:
    """A unit that must not send an address has no such column."""
    assert "victim_address" not in {f.name for f in person_block("victim", "受害人", "victim", without=("address",))}


def test_renames_take_either_of_our_names() -> None:
    """The left side of a rename is the Chinese or the English name; one of their columns may feed two of ours."""
    own = {"接警编号": "call_no", "call_no": "call_no", "报警时间": "called_at", "called_at": "called_at"}

    assert rename_columns(own, {"接警编号": "JJBH", "called_at": "BJSJ"}) == {
        "jjbh": ("call_no",),
        "bjsj": ("called_at",),
    }
    assert rename_columns(own, {"接警编号": "X", "called_at": "x"}) == {"x": ("call_no", "called_at")}
    assert unknown_names(own, {"接警编号": "JJBH", "接警号": "JJBH"}) == ["接警号"]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (" a ", "a"),
        (None, ""),
        (7, "7"),
        (7.0, "7"),
        (7.5, "7.5"),
        (True, ""),
        ({"a": 1}, ""),
        (3.10101e17, "3.10101e+17"),
    ],
)
def test_cell_text(cell: object, text: str) -> None:
    """Numbers become their digits, and a number that lost digits in a float does not pretend to have them."""
    assert cell_text(cell) == text


@pytest.mark.parametrize("cell", [None, "", " ", "无", "-", "/", "不详", "未知", "NULL"])
def test_words_for_nothing_state_nothing(cell: object) -> None:
    """The catalogue's words for an empty cell are empty."""
    assert not is_stated(cell)


def test_lists_in_one_cell() -> None:
    """Several values in one cell are taken apart at ; and 、, and a JSON list as it is."""
    assert split_list("a;b；c、d，e") == ["a", "b", "c", "d", "e"]
    assert split_list(["a", None, " b ", 3]) == ["a", "b", "3"]
    assert split_list("无") == split_list(None) == []
