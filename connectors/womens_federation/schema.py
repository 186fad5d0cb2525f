"""Columns of the women's federation's streams: 12338 calls, visits, danger scales, meeting reviews, family files."""

from hub.sdk import (
    ABUSER,
    COMMON,
    DANGER,
    NARRATIVE,
    PARTIES,
    RELATION,
    REPORTER,
    SITUATION,
    VICTIM,
    VIOLENCE,
    Field,
    Stream,
    person_block,
    streams_of,
    visit,
)

COMPLAINT = Stream("complaint", "12338来电来访", "complaint_received", ("complaint_no",), (
    Field("complaint_no", "编号", "key"),
    Field("at", "时间", "fact:at"),
    Field("kind", "类型", "fact:kind", codes="womens_complaint"),
    VIOLENCE, SITUATION,
    Field("wants_order", "申请保护令意愿", "fact:wants_order"),
    Field("needs_shelter", "需要庇护", "fact:needs_shelter"),
    DANGER, NARRATIVE,
    *VICTIM, *person_block("visitor", "来访人", "victim"),
    *ABUSER, *person_block("counterpart", "对方", "alleged"),
    RELATION, *REPORTER, *COMMON,
))  # fmt: skip

DANGER_SCALE = Stream("danger_scale", "危险性预测量表", "danger_assessed", ("scale_no",), (
    Field("scale_no", "编号", "key"),
    Field("at", "日期", "fact:at"),
    Field("score", "总分", "fact:score"),
    Field("lethal_items", "特别项", "fact:lethal_items"),
    DANGER, *VICTIM, *ABUSER, RELATION, *REPORTER, *COMMON,
))  # fmt: skip

REVIEW = Stream("review", "例会研判", "review_concluded", ("review_no",), (
    Field("review_no", "编号", "key"),
    Field("at", "会议日期", "fact:at"),
    Field("decision", "决定", "fact:decision"),
    Field("signed_by", "签署单位", "fact:signed_by"),
    RELATION, *PARTIES, NARRATIVE, *COMMON,
))  # fmt: skip

FAMILY_FILE = Stream("family_file", "家庭档案", "household_member", ("file_no", "member_no"), (
    Field("file_no", "档案号", "fact:file_no"),
    Field("member_no", "成员序号", "fact:member_no"),
    Field("household_no", "户编号", "fact:household_no"),
    Field("worker_no", "责任人工号", "fact:worker_no"),
    Field("role", "与户主关系", "fact:role"),
    Field("from", "起", "fact:from"),
    Field("until", "止", "fact:until"),
    *person_block("member", "成员", "member"), *COMMON,
))  # fmt: skip

STREAMS = streams_of(COMPLAINT, visit("visit", "走访随访", *REPORTER), DANGER_SCALE, REVIEW, FAMILY_FILE)
