"""Columns of the justice bureau's streams: people's mediation, legal aid, forensic findings."""

from hub.sdk import CALL_NO, COMMON, INJURY, Field, Stream, mediation, person_block, streams_of

LEGAL_AID = Stream("legal_aid", "法律援助", "service_given", ("aid_no",), (
    Field("aid_no", "援助编号", "key"),
    Field("at", "日期", "fact:at"),
    Field("matter", "事项", "text:matter"),
    Field("status", "状态", "fact:status"),
    *person_block("applicant", "申请人", "subject"), *COMMON,
))  # fmt: skip

FORENSIC = Stream("forensic", "司法鉴定", "forensic_result", ("document_no",), (
    Field("document_no", "鉴定文号", "key"),
    Field("at", "日期", "fact:at"),
    INJURY, CALL_NO, *person_block("victim", "被鉴定人", "victim"), *COMMON,
))  # fmt: skip

STREAMS = streams_of(mediation("人民调解"), LEGAL_AID, FORENSIC)
