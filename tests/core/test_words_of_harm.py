"""The words that make a private task: negation, history, flags by their header."""

from __future__ import annotations

import json

import pytest

from hub.core.words_of_harm import speaks_of_harm, triage


@pytest.mark.parametrize(
    "text",
    ["右臂多处挫伤", "头皮撕裂约 3 厘米", "被父亲掐脖子", "孩子说昨晚被打了", "未见骨折，左肩挫伤", "不排除被打", "无故被打", "否认摔倒，双臂青紫",
     "bruises on both arms"],
)  # fmt: skip
def test_speaks(text: str) -> None:
    """A word of the list counts, also beside another that is denied."""
    assert speaks_of_harm(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "未见挫伤",
        "无明显撕裂",
        "否认被打",
        "没有被打",
        "既往挫伤史",
        "皮肤完整，感冒发热",
        "陈旧性骨折",
        "no bruises",
        "history of contusion",
    ],
)
def test_is_silent(text: str) -> None:
    """What is denied or medical history does not count."""
    assert not speaks_of_harm(text)


@pytest.mark.parametrize(
    ("row", "urgent"),
    [
        ({"疑似家暴": "否", "描述": "普通感冒"}, False),
        ({"疑似家暴": "是"}, True),
        ({"类型": "打人"}, True),
        ({"immediate_danger": True}, True),
        ({"描述": "孩子失踪两天"}, True),
        ({"描述": ""}, False),
        ({"紧急程度": "特急", "内容": "?"}, True),
        ({"紧急程度": "1", "内容": "?"}, False),  # the lowest of one scale, the highest of another
        ({"紧急程度": "3", "内容": "?"}, False),
        ({"危险等级": "高"}, True),
    ],
)
def test_triage(row: dict[str, object], urgent: bool) -> None:
    """An unreadable row is urgent by its values, and by a flag under a header that names danger."""
    assert triage(row) is urgent
    assert triage(json.dumps(row, ensure_ascii=False).encode()) is urgent


def test_triage_of_plain_text() -> None:
    """Text that is no row at all is read too."""
    assert triage("ID,描述\n1,丈夫持刀威胁")
    assert not triage("ID,描述\n1,一切正常")
