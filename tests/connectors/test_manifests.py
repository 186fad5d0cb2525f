"""The manifests keep the promises of the record catalogue: columns, codes, laws, and what never enters."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hub.core.codes import CODES
from hub.core.words import KINDS
from hub.sdk import find_manifest, read_manifest, strip
from tests.connectors.sample_files import ANY_UNIT, NAMES, ROOT, connector

COMMON = "更新时间 updated_at, 删除标志 deleted, 社区编码 community_code, 社区名称 community_name, 网格编码 grid_code, 关联编号 related_no"
BLOCK = {
    "姓名": "name", "证件类型": "id_type", "证件号码": "id_number", "性别": "sex", "出生日期": "birth_date",
    "联系电话": "phone", "住址": "address", "民事行为能力": "capacity",
}  # fmt: skip
VISIT = (
    "编号 visit_no, 日期 at, 方式 mode, 发现 finding, 心理疏导 counselled, 强制报告情形 situation, 转办编号 duty_no, 描述 narrative"
    " + 甲方 party_a, 乙方 party_b, 受害人 victim"
)
MEDIATION = (
    "调解编号 mediation_no, 受理日期 opened_on, 来源 origin, 暴力程度 violence, 疑似性侵 sexual_assault_suspected, "
    "强制报告情形 situation, 状态 status, 办结日期 closed_on, 联调 joint, 参与单位 participants, 与对方关系 relation"
    " + 甲方 party_a, 乙方 party_b, 受害人 victim, 调解员 mediator, 报告人 reporter"
)
SPECIAL = "登记编号 register_no, 类别 category, 起 from, 止 until + 当事人 person, 监护人 guardian"

CATALOGUE: dict[str, str] = {
    # unit.stream: columns (Chinese header, English name) + person blocks (Chinese prefix, English prefix)
    "police.incident": "接警编号 call_no, 报警时间 called_at, 发生时间 occurred_at, 警情类别 category, 地址 place, 报警内容 narrative, 冲突程度 intensity, 过激行为 excessive_act, 肢体冲突 physical_conflict, 伤情 injury, 持械 weapon, 未成年人在场 minor_present, 处警结果 outcome, 与对方关系 relation, 紧急 immediate_danger + 甲方 party_a, 乙方 party_b, 报警人 caller",
    "police.admonition": "告诫书编号 letter_no, 种类 kind, 开具日期 issued_on, 送达日期 served_on, 暴力程度 violence, 接警编号 call_no, 与对方关系 relation + 施暴人 abuser, 受害人 victim",
    "police.penalty": "决定书文号 decision_no, 决定日期 decided_on, 处罚种类 penalty, 涉家暴 domestic_violence, 接警编号 call_no, 与对方关系 relation + 施暴人 abuser, 受害人 victim",
    "police.criminal_case": "案件编号 case_no, 立案日期 filed_on, 案由 charge, 涉家庭成员 within_family, 与对方关系 relation + 施暴人 abuser, 受害人 victim",
    "police.report_feedback": "反馈编号 feedback_no, 报告编号 report_no, 环节 step, 时间 at, 回执号 receipt_no, 至 until, 案件编号 case_no, 说明 note",
    "police.check_visit": VISIT,
    "court.protection_order": "案号 case_no, 申请日期 applied_on, 受理时间 accepted_at, 紧急 urgent, 结果 result, 裁定日期 decided_on, 生效日期 valid_from, 失效日期 valid_until, 有效期月数 valid_months, 天数 valid_days, 措施 measures, 原案号 original_case_no, 与对方关系 relation + 申请人 applicant, 被申请人 respondent",
    "court.divorce_suit": "案号 case_no, 立案日期 filed_on, 阶段 stage, 结案日期 closed_on, 结果 result, 主张家暴 violence_claimed, 申请取证日期 evidence_asked_on, 取证结果 evidence_result + 原告 plaintiff, 被告 defendant",
    "court.violence_case": "案号 case_no, 类型 kind, 宣判日期 decided_on, 结果 result, 申请取证日期 evidence_asked_on, 取证结果 evidence_result, 与对方关系 relation + 被告 defendant, 受害人 victim",
    "procuratorate.notice": "文号 document_no, 发出日期 issued_on, 事由 reason, 与对方关系 relation + 施暴人 abuser, 受害人 victim",
    "procuratorate.action": "文号 document_no, 日期 at, 动作 action, 案由 charge, 涉家庭成员 within_family, 与对方关系 relation + 施暴人 abuser, 受害人 victim",
    "justice.mediation": MEDIATION,
    "justice.legal_aid": "援助编号 aid_no, 日期 at, 事项 matter, 状态 status + 申请人 applicant",
    "justice.forensic": "鉴定文号 document_no, 日期 at, 伤情 injury, 接警编号 call_no + 被鉴定人 victim",
    "civil_affairs.divorce_registration": "申请编号 application_no, 申请日期 received_on, 状态 status, 状态日期 status_on + 男方 husband, 女方 wife",
    "civil_affairs.shelter": "庇护编号 shelter_no, 入住日期 from, 离开日期 until, 庇护代码 place_code, 随行子女 children",
    "civil_affairs.relief": "救助编号 relief_no, 日期 at, 类型 kind, 金额 amount + 申请人 applicant",
    "civil_affairs.concern": "编号 concern_no, 发现时间 found_at, 类型 kind, 强制报告情形 situation, 紧急 immediate_danger, 描述 narrative, 与对方关系 relation + 受害人 victim, 监护人 guardian, 施暴人 abuser, 报告人 reporter",
    "education.concern": "编号 concern_no, 发现时间 found_at, 学校 school, 学籍号 student_no, 类型 kind, 强制报告情形 situation, 紧急 immediate_danger, 描述 narrative, 与对方关系 relation + 学生 student, 监护人 guardian, 施暴人 abuser, 报告人 reporter",
    "education.visit": VISIT,
    "health.treatment": "就诊号 visit_no, 就诊时间 at, 机构 institution, 诊断编码 icd10, 诊断 diagnosis, 伤情 injury, 疑似家暴 violence_suspected, 疑似侵害 harm_suspected, 强制报告情形 situation, 紧急 immediate_danger, 描述 narrative, 与对方关系 relation + 患者 patient, 监护人 guardian, 施暴人 abuser, 医生 doctor, 报告人 reporter",
    "womens_federation.complaint": "编号 complaint_no, 时间 at, 类型 kind, 暴力程度 violence, 强制报告情形 situation, 申请保护令意愿 wants_order, 需要庇护 needs_shelter, 紧急 immediate_danger, 描述 narrative, 与对方关系 relation + 受害人 victim, 来访人 visitor, 施暴人 abuser, 对方 counterpart, 报告人 reporter",
    "womens_federation.visit": VISIT,
    "womens_federation.danger_scale": "编号 scale_no, 日期 at, 总分 score, 特别项 lethal_items, 与对方关系 relation + 受害人 victim, 施暴人 abuser",
    "womens_federation.review": "编号 review_no, 会议日期 at, 决定 decision, 签署单位 signed_by, 描述 narrative + 甲方 party_a, 乙方 party_b",
    "womens_federation.family_file": "档案号 file_no, 成员序号 member_no, 户编号 household_no, 责任人工号 worker_no, 与户主关系 role, 起 from, 止 until + 成员 member",
    "youth_league.complaint": "编号 complaint_no, 时间 at, 类型 kind, 强制报告情形 situation, 紧急 immediate_danger, 描述 narrative, 与对方关系 relation + 受害人 victim, 施暴人 abuser, 监护人 guardian, 报告人 reporter",
    "youth_league.intervention": VISIT,
    "community_grid.household": "户编号 household_no, 成员序号 member_no, 与户主关系 role, 起 from, 止 until + 成员 member",
    "community_grid.conflict": "编号 conflict_no, 时间 at, 类型 kind, 经常 frequent, 强制报告情形 situation, 描述 narrative, 地址 place, 与对方关系 relation + 甲方 party_a, 乙方 party_b, 受害人 victim, 报告人 reporter",
    "community_grid.mediation": MEDIATION,
    "community_grid.visit": VISIT,
}
ANY = {
    "activity": "编号 activity_no, 日期 at, 类型 kind, 主题 topic, 参与单位 units, 人数 attendees",
    "special_household": SPECIAL,
    "worker": "工号 worker_no, 身份 kind, 单位 unit, 起 from, 止 until + 人员 worker",
    "duty_answer": "反馈编号 answer_no, 转办编号 duty_no, 状态 status, 时间 at, 结果 outcome, 责任人工号 worker_no, 描述 narrative",
}
KEYS = {"family_file": ("file_no", "member_no"), "household": ("household_no", "member_no")}
EVERY = {**CATALOGUE, **{f"{name}.{stream}": columns for name in NAMES for stream, columns in ANY.items()}}


def columns_of(entry: str) -> list[tuple[str, str]]:
    """(Chinese header, English name) of every column a catalogue line stands for, person blocks written out."""
    plain, _, blocks = entry.partition(" + ")
    columns = [tuple(column.split()) for column in f"{plain}, {COMMON}".split(", ")]
    for block in filter(None, blocks.split(", ")):
        zh, en = block.split()
        columns += [(zh + header, f"{en}_{name}") for header, name in BLOCK.items()]
    return [(zh, en) for zh, en in columns]


@pytest.mark.parametrize("place", EVERY)
def test_every_column_of_the_catalogue_is_known(place: str) -> None:
    """Each column the catalogue lists is one column of the stream under both headers, and the key comes first."""
    name, stream = place.split(".")
    table = connector(name).streams[stream]
    headers = {(field.header, field.name) for field in table.fields}

    assert [column for column in columns_of(EVERY[place]) if column not in headers] == []
    assert table.key == KEYS.get(stream, (columns_of(EVERY[place])[0][1],))


@pytest.mark.parametrize("name", NAMES)
def test_no_stream_beyond_the_catalogue(name: str) -> None:
    """A connector sends the catalogue's streams and those of any unit, and no others."""
    assert {f"{name}.{stream}" for stream in connector(name).streams} == {p for p in EVERY if p.startswith(f"{name}.")}


@pytest.mark.parametrize("name", NAMES)
def test_every_fact_of_a_kind_has_a_column(name: str) -> None:
    """What the shared schema declares for a kind reaches it from some column of each stream of that kind."""
    elsewhere = {
        "report_feedback": {"by"},  # a person's acknowledgement, never the police file's
        "service_given": {"kind", "status", "amount"},  # aid has a status, relief an amount
        "household_member": {"file_no", "worker_no"},  # the family file's own
        "complaint_received": {"violence", "wants_order", "needs_shelter"},  # the women's federation's own
        "forensic_result": {"relation"},
    }
    for stream in connector(name).streams.values():
        reached = {field.to.removeprefix("fact:") for field in stream.fields if field.to.startswith("fact:")}

        assert KINDS[stream.kind].facts.keys() - reached <= elsewhere.get(stream.kind, set()), stream.name


def test_complaints_are_numbered_differently() -> None:
    """Kind 2 of a complaint is violence to the women's federation and sexual assault to the youth league."""
    row = {"编号": "1", "时间": "2026-11-01", "类型": "2"}

    kinds = [
        connector(name).map_rows("complaint", [row])[0].facts["kind"] for name in ("womens_federation", "youth_league")
    ]

    assert kinds == ["domestic_violence", "sexual_assault"]
    assert {word for _, _, word in CODES["womens_complaint"] + CODES["youth_complaint"]} <= {
        word for _, _, word in CODES["complaint_kind"]
    }


@pytest.mark.parametrize("name", NAMES)
def test_manifest_is_found_without_importing(name: str) -> None:
    """The hub reads a manifest from the installed package while no code of the connector runs."""
    code = (
        "import sys; from hub.sdk.manifest import find_manifest, read_manifest;"
        f"m = read_manifest(find_manifest('connectors.{name}'));"
        f"assert m.name == m.unit == '{name}';"
        "assert not [x for x in sys.modules if x.startswith('connectors.')]"
    )

    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_shelter_never_stores_an_address() -> None:
    """Whatever column of a shelter row may hold an address is dropped, and what is needed stays."""
    promise = read_manifest(ROOT / "civil_affairs" / "manifest.toml").streams["shelter"]
    secret = [
        "地址", "住址", "庇护地址", "庇护所地址", "address", "ADDRESS ", "place_address", "shelter_address", "受害人住址",
        "victim_address", "现居住地", "庇护所位置", "place", "经度", "BHDZ", "联系地址", "地 址",
    ]  # fmt: skip
    needed = [header for header, _ in columns_of(CATALOGUE["civil_affairs.shelter"])] + ["place_code", "受害人姓名"]

    rows, dropped = strip(promise, [dict.fromkeys(secret + needed, "x")], {})

    assert list(rows[0]) == needed
    assert dropped == dict.fromkeys(secret, 1)


@pytest.mark.parametrize("name", NAMES)
def test_receivers_get_the_least(name: str) -> None:
    """Only the police get ID documents of a report; the grid's light changes carry no person at all."""
    receives = connector(name).manifest.receives

    assert all(entry.legal_basis for entry in receives.values())
    assert ("mandatory_report" in receives) == (name == "police")
    assert ("light_change" in receives) == (name == "community_grid")
    if name == "community_grid":
        assert receives["light_change"].person_fields == receives["category_change"].person_fields == ()
    if name in ("education", "health", "youth_league"):
        assert not {"id_number", "phone", "address"} & set(receives["duty"].person_fields)
    assert find_manifest(f"connectors.{name}") == ROOT / name / "manifest.toml"


@pytest.mark.parametrize("name", NAMES)
def test_answers_come_in_by_a_stream_of_the_unit(name: str) -> None:
    """Each unit that receives duties answers in its own stream; the police answer reports in theirs."""
    receives = connector(name).manifest.receives

    assert receives["duty"].answers == "duty_answer"
    assert "duty_answer" in ANY_UNIT
    if name == "police":
        assert receives["mandatory_report"].answers == "report_feedback"
