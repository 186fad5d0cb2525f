"""Columns of the grid platform's streams: the household register, conflicts found, mediations, visits."""

from hub.sdk import (
    COMMON,
    DANGER,
    NARRATIVE,
    PARTIES,
    RELATION,
    REPORTER,
    SITUATION,
    SPECIAL_HOUSEHOLD,
    VICTIM,
    Field,
    Stream,
    mediation,
    person_block,
    streams_of,
    visit,
)

HOUSEHOLD = Stream("household", "住户成员", "household_member", ("household_no", "member_no"), (
    Field("household_no", "户编号", "fact:household_no"),
    Field("member_no", "成员序号", "fact:member_no"),
    Field("role", "与户主关系", "fact:role"),
    Field("from", "起", "fact:from"),
    Field("until", "止", "fact:until"),
    *person_block("member", "成员", "member"), *COMMON,
))  # fmt: skip

CONFLICT = Stream("conflict", "走访排查", "conflict_found", ("conflict_no",), (
    Field("conflict_no", "编号", "key"),
    Field("at", "时间", "fact:at"),
    Field("kind", "类型", "fact:kind"),
    Field("frequent", "经常", "fact:frequent"),
    SITUATION, DANGER, NARRATIVE,
    Field("place", "地址", "text:place"),
    *PARTIES, RELATION, *VICTIM, *REPORTER, *COMMON,
))  # fmt: skip

STREAMS = streams_of(HOUSEHOLD, CONFLICT, mediation("社区调解"), visit("visit", "走访", *REPORTER), SPECIAL_HOUSEHOLD)
