"""Columns of the police streams: 110 calls, admonition letters, penalties, cases, answers to reports, check visits."""

from hub.sdk import (
    ABUSER,
    CALL_NO,
    COMMON,
    DANGER,
    INJURY,
    PARTIES,
    RELATION,
    REPORTER,
    VICTIM,
    VIOLENCE,
    Field,
    Stream,
    person_block,
    streams_of,
    visit,
)

INCIDENT = Stream("incident", "110接处警", "police_call", ("call_no",), (
    Field("call_no", "接警编号", "key"),
    Field("called_at", "报警时间", "fact:called_at"),
    Field("occurred_at", "发生时间", "fact:occurred_at"),
    Field("category", "警情类别", "fact:category"),
    Field("place", "地址", "text:place"),
    Field("narrative", "报警内容", "text:narrative"),
    Field("intensity", "冲突程度", "fact:intensity"),
    Field("excessive_act", "过激行为", "fact:excessive_act"),
    Field("physical_conflict", "肢体冲突", "fact:physical_conflict"),
    INJURY,
    Field("weapon", "持械", "fact:weapon"),
    Field("minor_present", "未成年人在场", "fact:minor_present"),
    Field("outcome", "处警结果", "fact:outcome"),
    Field("related_call_no", "关联接警编号", "related"),  # a repeated call of the same event
    RELATION, DANGER, *PARTIES,
    *person_block("caller", "报警人", "reporter"),  # maybe a secret reporter: sealed in its own compartment
    *COMMON,
))  # fmt: skip

ADMONITION = Stream("admonition", "告诫书", "admonition_issued", ("letter_no",), (
    Field("letter_no", "告诫书编号", "key"),
    Field("kind", "种类", "fact:kind"),
    Field("issued_on", "开具日期", "fact:issued_on"),
    Field("served_on", "送达日期", "fact:served_on"),
    VIOLENCE, CALL_NO, *ABUSER, *VICTIM, RELATION, DANGER, *COMMON,
))  # fmt: skip

PENALTY = Stream("penalty", "治安处罚", "security_penalty", ("decision_no",), (
    Field("decision_no", "决定书文号", "key"),
    Field("decided_on", "决定日期", "fact:decided_on"),
    Field("penalty", "处罚种类", "fact:penalty"),
    Field("domestic_violence", "涉家暴", "fact:domestic_violence"),
    CALL_NO, *ABUSER, *VICTIM, RELATION, DANGER, *COMMON,
))  # fmt: skip

CRIMINAL_CASE = Stream("criminal_case", "刑事案件", "criminal_case_filed", ("case_no",), (
    Field("case_no", "案件编号", "key"),
    Field("filed_on", "立案日期", "fact:filed_on"),
    Field("charge", "案由", "fact:charge"),
    Field("within_family", "涉家庭成员", "fact:within_family"),
    CALL_NO, *ABUSER, *person_block("suspect", "嫌疑人", "alleged"), *VICTIM, RELATION, DANGER, *COMMON,
))  # fmt: skip

REPORT_FEEDBACK = Stream("report_feedback", "强制报告反馈", "report_feedback", ("feedback_no",), (
    Field("feedback_no", "反馈编号", "key"),
    Field("report_no", "报告编号", "fact:report_no"),
    Field("step", "环节", "fact:step"),
    Field("at", "时间", "fact:at"),
    Field("receipt_no", "回执号", "fact:receipt_no"),
    Field("until", "至", "fact:until"),
    Field("case_no", "案件编号", "fact:case_no"),
    Field("note", "说明", "text:note"),
    *COMMON,
))  # fmt: skip

STREAMS = streams_of(
    INCIDENT, ADMONITION, PENALTY, CRIMINAL_CASE, REPORT_FEEDBACK, visit("check_visit", "查访", *REPORTER)
)  # fmt: skip
