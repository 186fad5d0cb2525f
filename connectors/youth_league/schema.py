"""Columns of the youth league's streams: complaints and pleas of minors, interventions."""

from hub.sdk import (
    ABUSER,
    COMMON,
    DANGER,
    GUARDIAN,
    NARRATIVE,
    RELATION,
    REPORTER,
    SITUATION,
    VICTIM,
    Field,
    Stream,
    streams_of,
    visit,
)

COMPLAINT = Stream("complaint", "未成年人投诉求助", "complaint_received", ("complaint_no",), (
    Field("complaint_no", "编号", "key"),
    Field("at", "时间", "fact:at"),
    Field("kind", "类型", "fact:kind", codes="youth_complaint"),
    SITUATION, DANGER, NARRATIVE, *VICTIM, *ABUSER, RELATION, *GUARDIAN, *REPORTER, *COMMON,
))  # fmt: skip

STREAMS = streams_of(COMPLAINT, visit("intervention", "干预", *GUARDIAN, *REPORTER))
