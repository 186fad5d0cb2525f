"""Columns of the court streams: protection orders, divorce suits, cases of violence."""

from hub.sdk import ABUSER, COMMON, RELATION, VICTIM, Field, Stream, person_block, streams_of

PROTECTION_ORDER = Stream("protection_order", "人身安全保护令", "protection_order", ("case_no",), (
    Field("case_no", "案号", "key"),
    Field("applied_on", "申请日期", "fact:applied_on"),
    Field("accepted_at", "受理时间", "fact:accepted_at"),
    Field("urgent", "紧急", "fact:urgent"),  # 紧急 is the court's own fact here, so danger has its English name only
    Field("immediate_danger", "", "fact:immediate_danger"),
    Field("result", "结果", "fact:result"),
    Field("decided_on", "裁定日期", "fact:decided_on"),
    Field("valid_from", "生效日期", "fact:valid_from"),
    Field("valid_until", "失效日期", "fact:valid_until"),
    Field("valid_months", "有效期月数", "fact:valid_months"),  # the court's standard knows months and days, no end date
    Field("valid_days", "天数", "fact:valid_days"),
    Field("measures", "措施", "fact:measures"),
    Field("original_case_no", "原案号", "fact:original_case_no"),
    Field("original_case_no", "原案号", "related"),
    *person_block("applicant", "申请人", "victim"),
    *person_block("respondent", "被申请人", "alleged"),
    RELATION, *COMMON,
))  # fmt: skip

_EVIDENCE = (
    Field("evidence_asked_on", "申请取证日期", "fact:evidence_asked_on"),
    Field("evidence_result", "取证结果", "fact:evidence_result"),
)

DIVORCE_SUIT = Stream("divorce_suit", "离婚诉讼", "divorce_suit", ("case_no",), (
    Field("case_no", "案号", "key"),
    Field("filed_on", "立案日期", "fact:filed_on"),
    Field("stage", "阶段", "fact:stage"),
    Field("closed_on", "结案日期", "fact:closed_on"),
    Field("result", "结果", "fact:result"),
    Field("violence_claimed", "主张家暴", "fact:violence_claimed"),
    *_EVIDENCE,
    *person_block("plaintiff", "原告", "party_a"),
    *person_block("defendant", "被告", "party_b"),
    *COMMON,
))  # fmt: skip

VIOLENCE_CASE = Stream("violence_case", "涉家暴案件", "violence_case_decided", ("case_no",), (
    Field("case_no", "案号", "key"),
    Field("kind", "类型", "fact:kind"),
    Field("decided_on", "宣判日期", "fact:decided_on"),
    Field("result", "结果", "fact:result"),
    *_EVIDENCE,
    *person_block("defendant", "被告", "alleged"), *ABUSER, *VICTIM, RELATION, *COMMON,
))  # fmt: skip

STREAMS = streams_of(PROTECTION_ORDER, DIVORCE_SUIT, VIOLENCE_CASE)
