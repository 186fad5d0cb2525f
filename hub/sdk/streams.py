"""Streams and columns that several units send alike, as tables: the common columns, visits, mediations, any-unit streams.

A table here is one unit's habit only in its title; what a connector adds or leaves out stands in its own schema.
"""

from __future__ import annotations

from hub.sdk.connector import Stream
from hub.sdk.fields import Field, person_block

COMMON: tuple[Field, ...] = (
    Field("updated_at", "更新时间", "updated_at"),
    Field("deleted", "删除标志", "deleted"),
    Field("community_code", "社区编码", "fact:community"),
    Field("community_name", "社区名称", "drop"),
    Field("grid_code", "网格编码", "fact:grid"),
    Field("related_no", "关联编号", "related"),
)
"""Columns of every stream."""

DANGER = Field("immediate_danger", "紧急", "fact:immediate_danger")
"""Wherever a person reports."""

RELATION = Field("relation", "与对方关系", "fact:relation")
VIOLENCE = Field("violence", "暴力程度", "fact:violence")
INJURY = Field("injury", "伤情", "fact:injury")
SITUATION = Field("situation", "强制报告情形", "fact:situation")
NARRATIVE = Field("narrative", "描述", "text:narrative")
CALL_NO = Field("call_no", "接警编号", "related")
"""The call a letter, a penalty or an injury finding belongs to."""

VICTIM = person_block("victim", "受害人", "victim")
ABUSER = person_block("abuser", "施暴人", "alleged")
PARTIES = person_block("party_a", "甲方", "party_a") + person_block("party_b", "乙方", "party_b")
GUARDIAN = person_block("guardian", "监护人", "guardian")
REPORTER = person_block("reporter", "报告人", "reporter")


def visit(name: str, title: str, *more: Field) -> Stream:
    """A follow-up visit (as the women's federation's), under this unit's name for it."""
    fields = (
        Field("visit_no", "编号", "key"), Field("at", "日期", "fact:at"), Field("mode", "方式", "fact:mode"),
        Field("finding", "发现", "fact:finding"), Field("counselled", "心理疏导", "fact:counselled"), SITUATION,
        Field("duty_no", "转办编号", "fact:duty_no"), NARRATIVE, RELATION, DANGER, *PARTIES, *VICTIM, *more, *COMMON,
    )  # fmt: skip
    return Stream(name, title, "visit_recorded", ("visit_no",), fields)


def mediation(title: str) -> Stream:
    """A mediation; the mediator is the reporter."""
    fields = (
        Field("mediation_no", "调解编号", "key"), Field("opened_on", "受理日期", "fact:opened_on"),
        Field("origin", "来源", "fact:origin"), VIOLENCE,
        Field("sexual_assault_suspected", "疑似性侵", "fact:sexual_assault_suspected"), SITUATION,
        Field("status", "状态", "fact:status"), Field("closed_on", "办结日期", "fact:closed_on"),
        Field("joint", "联调", "fact:joint"), Field("participants", "参与单位", "fact:participants"), NARRATIVE, RELATION,
        DANGER, *PARTIES, *VICTIM, *person_block("mediator", "调解员", "reporter"), *REPORTER, *COMMON,
    )  # fmt: skip
    return Stream("mediation", title, "mediation", ("mediation_no",), fields)


def concern(title: str, *more: Field) -> Stream:
    """Something found about a child or a person who cannot help themselves (as education's)."""
    fields = (
        Field("concern_no", "编号", "key"), Field("found_at", "发现时间", "fact:found_at"), Field("school", "学校", "text:school"),
        Field("kind", "类型", "fact:kind"), SITUATION, DANGER, NARRATIVE, RELATION, *VICTIM, *GUARDIAN, *ABUSER, *REPORTER,
        *more, *COMMON,
    )  # fmt: skip
    return Stream("concern", title, "concern_found", ("concern_no",), fields)


ACTIVITY = Stream("activity", "工作活动", "activity", ("activity_no",), (
    Field("activity_no", "编号", "key"), Field("at", "日期", "fact:at"), Field("kind", "类型", "fact:kind"),
    Field("topic", "主题", "text:topic"), Field("units", "参与单位", "fact:units"),
    Field("attendees", "人数", "fact:attendees"), *COMMON,
))  # fmt: skip

SPECIAL_HOUSEHOLD = Stream("special_household", "特殊家庭", "special_household", ("register_no",), (
    Field("register_no", "登记编号", "key"), Field("category", "类别", "fact:category"), Field("from", "起", "fact:from"),
    Field("until", "止", "fact:until"), *person_block("person", "当事人", "subject"), *GUARDIAN, *COMMON,
))  # fmt: skip

WORKER = Stream("worker", "工作队伍", "worker", ("worker_no",), (
    Field("worker_no", "工号", "key"), Field("kind", "身份", "fact:kind"), Field("unit", "单位", "fact:unit"),
    Field("from", "起", "fact:from"), Field("until", "止", "fact:until"), *person_block("worker", "人员", "worker"), *COMMON,
))  # fmt: skip

DUTY_ANSWER = Stream("duty_answer", "转办反馈", "duty_answer", ("answer_no",), (
    Field("answer_no", "反馈编号", "key"), Field("duty_no", "转办编号", "fact:duty_no"), Field("status", "状态", "fact:status"),
    Field("at", "时间", "fact:at"), Field("outcome", "结果", "fact:outcome"), Field("worker_no", "责任人工号", "fact:worker_no"),
    NARRATIVE, *COMMON,
))  # fmt: skip

ANY_UNIT: tuple[Stream, ...] = (ACTIVITY, SPECIAL_HOUSEHOLD, WORKER, DUTY_ANSWER)
"""Streams that every unit may send."""


def streams_of(*streams: Stream) -> dict[str, Stream]:
    """A unit's own streams and those of any unit, by name; its own come first and win."""
    own = {stream.name: stream for stream in streams}
    return own | {stream.name: stream for stream in ANY_UNIT if stream.name not in own}
