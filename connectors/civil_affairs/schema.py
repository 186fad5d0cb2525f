"""Columns of the civil affairs streams: divorce registration, shelter, relief, special households, concerns."""

from hub.sdk import COMMON, SPECIAL_HOUSEHOLD, Field, Stream, concern, person_block, streams_of

DIVORCE_REGISTRATION = Stream("divorce_registration", "离婚登记", "divorce_registration", ("application_no",), (
    Field("application_no", "申请编号", "key"),
    Field("received_on", "申请日期", "fact:received_on"),
    Field("status", "状态", "fact:status"),
    Field("status_on", "状态日期", "fact:status_on"),
    *person_block("husband", "男方", "party_a"), *person_block("wife", "女方", "party_b"), *COMMON,
))  # fmt: skip

SHELTER = Stream("shelter", "庇护", "shelter", ("shelter_no",), (
    Field("shelter_no", "庇护编号", "key"),
    Field("from", "入住日期", "fact:from"),
    Field("until", "离开日期", "fact:until"),
    Field("place_code", "庇护代码", "fact:place_code"),  # opaque: only the shelter's own system resolves it
    *person_block("victim", "受害人", "victim", without=("address",)),
    Field("children", "随行子女", "finish"),
    *COMMON,
))  # fmt: skip

RELIEF = Stream("relief", "救助", "service_given", ("relief_no",), (
    Field("relief_no", "救助编号", "key"),
    Field("at", "日期", "fact:at"),
    Field("kind", "类型", "fact:kind"),
    Field("amount", "金额", "fact:amount"),
    *person_block("applicant", "申请人", "subject"), *COMMON,
))  # fmt: skip

STREAMS = streams_of(DIVORCE_REGISTRATION, SHELTER, RELIEF, SPECIAL_HOUSEHOLD, concern("救助机构发现"))
