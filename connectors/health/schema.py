"""Columns of the health commission's streams: treatment records, special households known to hospitals."""

from hub.sdk import (
    ABUSER,
    COMMON,
    DANGER,
    GUARDIAN,
    INJURY,
    NARRATIVE,
    RELATION,
    REPORTER,
    SITUATION,
    SPECIAL_HOUSEHOLD,
    Field,
    Stream,
    person_block,
    streams_of,
)

TREATMENT = Stream("treatment", "诊疗记录", "treatment_recorded", ("visit_no",), (
    Field("visit_no", "就诊号", "key"),
    Field("at", "就诊时间", "fact:at"),
    Field("institution", "机构", "text:institution"),
    Field("icd10", "诊断编码", "fact:icd10"),
    Field("diagnosis", "诊断", "text:diagnosis"),
    INJURY,
    Field("violence_suspected", "疑似家暴", "fact:violence_suspected"),
    Field("harm_suspected", "疑似侵害", "fact:harm_suspected"),
    SITUATION, DANGER, NARRATIVE,
    *person_block("patient", "患者", "victim"), *GUARDIAN, *ABUSER, RELATION,
    *person_block("doctor", "医生", "reporter"), *REPORTER, *COMMON,
))  # fmt: skip

STREAMS = streams_of(TREATMENT, SPECIAL_HOUSEHOLD)
