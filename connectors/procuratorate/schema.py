"""Columns of the procuratorate's streams: notices and case actions."""

from hub.sdk import ABUSER, COMMON, RELATION, VICTIM, Field, Stream, person_block, streams_of

NOTICE = Stream("notice", "提示函", "procuratorial_notice", ("document_no",), (
    Field("document_no", "文号", "key"),
    Field("issued_on", "发出日期", "fact:issued_on"),
    Field("reason", "事由", "text:reason"),
    *ABUSER, *person_block("party", "当事人", "alleged"), *VICTIM, RELATION, *COMMON,
))  # fmt: skip

ACTION = Stream("action", "检察办案", "procuratorial_action", ("document_no",), (
    Field("document_no", "文号", "key"),
    Field("at", "日期", "fact:at"),
    Field("action", "动作", "fact:action"),
    Field("charge", "案由", "fact:charge"),
    Field("within_family", "涉家庭成员", "fact:within_family"),
    *ABUSER, *VICTIM, RELATION, *COMMON,
))  # fmt: skip

STREAMS = streams_of(NOTICE, ACTION)
