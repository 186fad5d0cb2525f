"""Problem codes of whole streams: silence, volume, comparison with the source."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["STREAM_FAULTS", "Text"]


class Text(NamedTuple):
    """One problem code in words: title and remedy, English and Chinese."""

    english: str
    chinese: str
    remedy: str
    remedy_zh: str


STREAM_FAULTS: dict[str, Text] = {
    "stream.unknown": Text(
        "The connector has no such stream", "没有该数据流", "see `hub connectors show NAME`", "见 hub connectors show"),
    "stream.not_scheduled": Text(
        "The stream has no schedule", "数据流未设周期", "set `schedule` in its TOML", "请设置 schedule"),
    "stream.silent": Text(
        "The stream is silent beyond its promise", "数据流超过承诺时限未报送",
        "ask the unit whether its system runs", "请询问对方系统是否运行"),
    "stream.thin": Text(
        "The stream sends far less than it used to", "数据流报送量明显低于以往",
        "ask the unit whether its system still sends all records", "请询问对方是否仍完整报送"),
    "stream.few": Text(
        "The stream sends fewer records than promised", "数据流报送量低于约定",
        "ask the unit whether its system still sends all records, or change expect_rows", "请询问对方是否完整报送，或修改 expect_rows"),
    "stream.many": Text(
        "The stream sends more records than promised", "数据流报送量高于约定",
        "ask the unit what it sends there, or change expect_rows", "请询问对方报送内容，或修改 expect_rows"),
    "community.thin": Text("A community has far fewer records than it used to", "社区记录量明显低于以往",
        "ask its grid workers and units what has changed there", "请询问社区网格员和各部门有何变化"),
    "reconcile.missing": Text(
        "Its source counts records that the hub has not", "对账不符：来源有记录而枢纽未收到",
        "ask the unit why it does not give them; `hub connectors reconcile NAME` compares again",
        "请询问对方为何未能提供；运行 hub connectors reconcile 重新对账"),
    "reconcile.none": Text(
        "The stream's days cannot be asked for", "该数据流无法按日对账", "set `reconcile` of the stream, or take it out", "请设置或删除 reconcile"),
    "reconcile.answer": Text(
        "The source's answer about its days cannot be read", "对账应答无法解析", "compare `day`, `count` and `key` with the answer", "请核对 day、count、key 的位置"),
    "reconcile.statement": Text(
        "Not a statement of days", "不是有效的按日对账", 'send {"days": [{"day": …, "count": …}]}', "请按对账格式报送"),
    "reconcile.day": Text(
        "The column of the day holds no times", "对账日期列不是时间", "name a column of times in `day`", "请在 day 中指定时间列"),
    "reconcile.window": Text(
        "A day cannot be read again by the cursor", "无法按游标重读某一天", "set `rows` in `reconcile`", "请在 reconcile 中设置 rows"),
    "reconcile.endless": Text(
        "The source names too many records of one day", "来源列出的单日记录过多", "look at `keys`: it must ask for one day", "请核对 keys，须按日查询"),
    "reconcile.pending": Text(
        "What the stream sent is not applied yet", "已收记录尚未入库", "it is tried again by itself", "系统将自动重试"),
    "stream.busy": Text(
        "The stream is being read just now", "数据流正在读取", "try again in a moment", "请稍后再试"),
}  # fmt: skip
"""Code → words."""
