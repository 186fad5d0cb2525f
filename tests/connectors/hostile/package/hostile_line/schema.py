"""Columns of the one stream."""

from hub.sdk import COMMON, RELATION, VICTIM, Field, Stream, person_block

CONFLICT = Stream("conflict", "矛盾纠纷", "conflict_found", ("conflict_no",), (
    Field("conflict_no", "编号", "key"),
    Field("at", "时间", "fact:at"),
    Field("kind", "类型", "fact:kind"),
    Field("narrative", "描述", "text:narrative"),
    *person_block("party_a", "甲方", "party_a"),
    *VICTIM, RELATION, *COMMON,
))  # fmt: skip
