"""The story of the simulated district: which records come when, through which door, and what must come out.

A *role* is one kind of family fate; several families play each role. Rows carry the Chinese columns that the units
really send. A beat belongs to a wave; waves follow one another by a few seconds, so that corrections, retractions and late records
arrive after what they correct. What only a date changes is asked with ``explain --as-of`` at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from hub.demo.people import Family, Human, Registry

Row = dict[str, Any]


class Beat(NamedTuple):
    """One row of one stream, shown to the hub in one wave; ``fate`` is how its receipt must count it."""

    wave: int
    unit: str
    stream: str
    row: Row
    fate: str = "applied"
    code: str = ""  # of a quarantined one: what it must wait under, and the field
    field: str = ""
    urgent: bool = False  # and whether somebody must read it within the hour
    late: bool = False  # written into its table as of yesterday: no cursor finds it, only the comparison of days does


class Expected(NamedTuple):
    """What must be true of one family when the story is over."""

    light: str
    rules: frozenset[str] = frozenset()
    reports: tuple[tuple[str, str], ...] = ()  # (rule, final step)
    duties: frozenset[str] = frozenset()  # among others
    later: tuple[tuple[int, str], ...] = ()  # (days from today, light) by explain --as-of


class Plot(NamedTuple):
    """One role: how many families play it, their records and their end."""

    role: str
    families: int
    beats: Callable[[Family, Calendar], Iterator[Beat]]
    expected: Expected
    police: str = ""  # what the police of the demo decide on its report: filed, not_substantiated, late or nothing


class Calendar:
    """Dates relative to today, as the units write them."""

    def __init__(self, today: date) -> None:
        self.today = today
        self.numbers = 0

    def day(self, ago: int) -> str:
        return (self.today - timedelta(days=ago)).isoformat()

    def at(self, ago: int, hour: int = 10, minute: int = 0) -> str:
        return datetime.combine(self.today - timedelta(days=ago), time(hour, minute)).strftime("%Y-%m-%d %H:%M:%S")

    def number(self, prefix: str) -> str:
        self.numbers += 1
        return f"{prefix}{self.today:%y%m}{self.numbers:05d}"


def call(family: Family, cal: Calendar, ago: int, **columns: Any) -> Row:
    """A 110 call between the spouses, ``ago`` days before today."""
    return {
        "接警编号": cal.number("JJ"), "报警时间": cal.at(ago, 20), "更新时间": cal.at(ago, 21), "警情类别": "1",
        "冲突程度": "1", "处警结果": "1", "与对方关系": "配偶", "社区编码": family.community, "报警内容": "邻居报称有人争吵",
        **family.husband.block("甲方"), **family.wife.block("乙方"), **columns,
    }  # fmt: skip


def couple(family: Family, key: str, number: str, updated: str, **columns: Any) -> Row:
    """A record with the wife as victim and the husband as abuser."""
    return {
        key: number, "更新时间": updated, "与对方关系": "配偶", "社区编码": family.community,
        **family.wife.block("受害人"), **family.husband.block("施暴人"), **columns,
    }  # fmt: skip


def parties(family: Family, key: str, number: str, updated: str, **columns: Any) -> Row:
    """A record with the spouses as parties."""
    return {
        key: number, "更新时间": updated, "与对方关系": "配偶", "社区编码": family.community,
        **family.husband.block("甲方"), **family.wife.block("乙方"), **columns,
    }  # fmt: skip


def about_child(family: Family, key: str, number: str, updated: str, prefix: str, **columns: Any) -> Row:
    """A record about the child as victim and the father as abuser."""
    return {
        key: number, "更新时间": updated, "与对方关系": "子女", "社区编码": family.community,
        **family.child.block(prefix), **family.husband.block("施暴人"), **columns,
    }  # fmt: skip


def fierce(family: Family, cal: Calendar) -> Iterator[Beat]:
    row = call(family, cal, 3, 冲突程度="激烈", 肢体冲突="是", 伤情="轻微伤")
    yield Beat(1, "police", "incident", row)
    yield Beat(3, "police", "incident", dict(row), fate="unchanged")  # the source repeats itself
    visit = parties(family, "编号", cal.number("ZF"), cal.at(2), 日期=cal.at(2), 方式="入户", 发现="平稳")
    yield Beat(2, "womens_federation", "visit", visit)


def plain_then_green(family: Family, cal: Calendar) -> Iterator[Beat]:
    yield Beat(1, "police", "incident", call(family, cal, 20))
    row = parties(
        family, "调解编号", cal.number("TJ"), cal.at(5), 受理日期=cal.day(18), 来源="申请", 暴力程度="无", 状态="调解成功",
        办结日期=cal.day(5),
    )  # fmt: skip
    yield Beat(2, "justice", "mediation", row)


def letter_ungraded(family: Family, cal: Calendar) -> Iterator[Beat]:
    row = couple(
        family, "告诫书编号", cal.number("GJ"), cal.at(9), 种类="家庭暴力", 开具日期=cal.day(9), 送达日期=cal.day(9)
    )
    yield Beat(1, "police", "admonition", row)


def letter_general(family: Family, cal: Calendar) -> Iterator[Beat]:
    row = couple(
        family,
        "告诫书编号",
        cal.number("GJ"),
        cal.at(9),
        种类="1",
        开具日期=cal.day(9),
        送达日期=cal.day(8),
        暴力程度="一般",
    )
    yield Beat(1, "police", "admonition", row)


def penalty(family: Family, cal: Calendar) -> Iterator[Beat]:
    row = couple(family, "决定书文号", cal.number("CF"), cal.at(11), 决定日期=cal.day(11), 处罚种类="拘留", 涉家暴="是")
    yield Beat(1, "police", "penalty", row)


def protected(family: Family, cal: Calendar) -> Iterator[Beat]:
    number = f"（{cal.today.year}）沪0101民保令{cal.numbers + 1}号"
    cal.number("")
    base = {
        "案号": number, "社区编码": family.community, "与对方关系": "配偶", "申请日期": cal.day(12),
        **family.wife.block("申请人"), **family.husband.block("被申请人"),
    }  # fmt: skip
    yield Beat(1, "court", "protection_order", {**base, "更新时间": cal.at(12), "结果": "待裁定"})
    issued = {"更新时间": cal.at(10), "结果": "准予", "裁定日期": cal.day(10), "有效期月数": "3", "措施": "1;2;4"}
    yield Beat(2, "court", "protection_order", {**base, **issued})


def cooling_off(family: Family, cal: Calendar) -> Iterator[Beat]:
    row = {
        "申请编号": cal.number("LH"), "更新时间": cal.at(7), "社区编码": family.community, "申请日期": cal.day(7),
        "状态": "已受理", "状态日期": cal.day(7), **family.husband.block("男方"), **family.wife.block("女方"),
    }  # fmt: skip
    yield Beat(1, "civil_affairs", "divorce_registration", row)


def suit(family: Family, cal: Calendar) -> Iterator[Beat]:
    row = {
        "案号": cal.number("民初"), "更新时间": cal.at(15), "社区编码": family.community, "立案日期": cal.day(15), "阶段": "立案",
        **family.wife.block("原告"), **family.husband.block("被告"),
    }  # fmt: skip
    yield Beat(1, "court", "divorce_suit", row)


def school(family: Family, cal: Calendar) -> Iterator[Beat]:
    row = about_child(
        family, "编号", cal.number("GQ"), cal.at(1), "学生", 发现时间=cal.at(1, 9), 学校="安宁路小学", 类型="疑似家暴",
        描述="手臂有多处淤青，称在家被打", 报告人姓名="程老师", 报告人联系电话="13711112222",
    )  # fmt: skip
    yield Beat(2, "education", "concern", row)


def hospital_child(family: Family, cal: Calendar) -> Iterator[Beat]:
    row = about_child(
        family, "就诊号", cal.number("JZ"), cal.at(1), "患者", 就诊时间=cal.at(1, 15), 机构="区中心医院", 疑似家暴="是",
        伤情="轻微伤", 诊断编码="T74.1",
    )  # fmt: skip
    yield Beat(2, "health", "treatment", row)


def hospital_adult(family: Family, cal: Calendar) -> Iterator[Beat]:
    row = {
        "就诊号": cal.number("JZ"), "更新时间": cal.at(1), "就诊时间": cal.at(1, 16), "机构": "区中心医院", "疑似家暴": "是",
        "与对方关系": "配偶", "社区编码": family.community,
        **family.wife.block("患者", 民事行为能力="完全"), **family.husband.block("施暴人"),
    }  # fmt: skip
    yield Beat(2, "health", "treatment", row)


def conflict_complaint(family: Family, cal: Calendar) -> Iterator[Beat]:
    yield Beat(
        1,
        "womens_federation",
        "complaint",
        couple(family, "编号", cal.number("TS"), cal.at(4), 时间=cal.at(4), 类型="一般矛盾"),
    )


def violence_complaint(family: Family, cal: Calendar) -> Iterator[Beat]:
    row = couple(
        family,
        "编号",
        cal.number("TS"),
        cal.at(4),
        时间=cal.at(4),
        类型="家暴",
        申请保护令意愿="是",
        描述="丈夫酒后动手",
    )
    yield Beat(1, "womens_federation", "complaint", row)


def high_danger(family: Family, cal: Calendar) -> Iterator[Beat]:
    yield Beat(
        1,
        "womens_federation",
        "danger_scale",
        couple(family, "编号", cal.number("LB"), cal.at(2), 日期=cal.at(2), 总分="6", 特别项="0"),
    )


def noisy(family: Family, cal: Calendar) -> Iterator[Beat]:
    for wave, ago in ((1, 40), (2, 21), (3, 6)):
        row = parties(family, "编号", cal.number("PC"), cal.at(ago, 22), 时间=cal.at(ago, 22), 类型="吵闹扰邻")
        yield Beat(wave, "community_grid", "conflict", row)


def youth(family: Family, cal: Calendar) -> Iterator[Beat]:
    row = about_child(
        family, "编号", cal.number("QS"), cal.at(1), "受害人", 时间=cal.at(1, 18), 类型="家暴", 描述="来电称害怕回家"
    )
    yield Beat(2, "youth_league", "complaint", row)


def retracted(family: Family, cal: Calendar) -> Iterator[Beat]:
    row = couple(family, "编号", cal.number("TS"), cal.at(6), 时间=cal.at(6), 类型="家暴")
    yield Beat(1, "womens_federation", "complaint", row)
    yield Beat(3, "womens_federation", "complaint", {"编号": row["编号"], "更新时间": cal.at(0, 1), "删除标志": "是"})


def classified_later(family: Family, cal: Calendar) -> Iterator[Beat]:
    row = call(family, cal, 2, 冲突程度="", 处警结果="5")
    yield Beat(1, "police", "incident", row)
    yield Beat(3, "police", "incident", {**row, "冲突程度": "激烈", "更新时间": cal.at(1)})


def named_later(family: Family, cal: Calendar) -> Iterator[Beat]:
    row = call(family, cal, 2, 冲突程度="激烈")
    masked = {
        **row,
        "更新时间": cal.at(2, 20),
        "甲方姓名": family.husband.name[0] + "某",
        "甲方证件号码": "3101****" + family.husband.id_number[-4:],
        "乙方证件号码": "",
    }
    yield Beat(
        1,
        "police",
        "incident",
        {
            key: value
            for key, value in masked.items()
            if key not in ("甲方联系电话", "乙方姓名", "乙方联系电话", "乙方性别")
        },
    )
    yield Beat(3, "police", "incident", {**row, "更新时间": cal.at(1)})


def transferred(family: Family, cal: Calendar) -> Iterator[Beat]:
    row = parties(
        family,
        "调解编号",
        cal.number("TJ"),
        cal.at(3),
        受理日期=cal.day(3),
        来源="司法调解流转",
        暴力程度="严重",
        状态="调解中",
    )
    yield Beat(1, "justice", "mediation", row)


def sheltered(family: Family, cal: Calendar) -> Iterator[Beat]:
    row = {
        "庇护编号": cal.number("BH"), "更新时间": cal.at(2), "入住日期": cal.day(2), "庇护代码": "P7", "庇护所地址": "不应入库路1号",
        "社区编码": family.community, **family.wife.block("受害人"),
    }  # fmt: skip
    yield Beat(1, "civil_affairs", "shelter", row)


def left_behind(family: Family, cal: Calendar) -> Iterator[Beat]:
    register = {
        "登记编号": cal.number("TJ"), "更新时间": cal.at(60), "类别": "留守儿童", "起": cal.day(60), "社区编码": family.community,
        **family.child.block("当事人"),
    }  # fmt: skip
    yield Beat(1, "community_grid", "special_household", register)
    row = about_child(
        family, "编号", cal.number("GQ"), cal.at(2), "学生", 发现时间=cal.at(2, 9), 学校="安宁路小学", 类型="失管失教"
    )
    yield Beat(2, "education", "concern", {key: value for key, value in row.items() if not key.startswith("施暴人")})
    later = {**row, "编号": cal.number("GQ"), "发现时间": cal.at(1, 9), "更新时间": cal.at(1)}
    yield Beat(2, "education", "concern", {key: value for key, value in later.items() if not key.startswith("施暴人")})


def noticed(family: Family, cal: Calendar) -> Iterator[Beat]:
    yield Beat(
        1,
        "procuratorate",
        "notice",
        couple(family, "文号", cal.number("TS"), cal.at(8), 发出日期=cal.day(8), 事由="家庭暴力"),
    )


def prosecuted(family: Family, cal: Calendar) -> Iterator[Beat]:
    row = couple(
        family, "文号", cal.number("GS"), cal.at(8), 日期=cal.day(8), 动作="提起公诉", 案由="故意伤害", 涉家庭成员="是"
    )
    yield Beat(1, "procuratorate", "action", row)


def injury_first(family: Family, cal: Calendar) -> Iterator[Beat]:
    row = call(family, cal, 12, 伤情="无")
    forensic = {
        "鉴定文号": cal.number("JD"), "日期": cal.day(5), "更新时间": cal.at(5), "伤情": "轻微伤", "接警编号": row["接警编号"],
        **family.wife.block("被鉴定人"),
    }  # fmt: skip
    yield Beat(1, "justice", "forensic", forensic)
    yield Beat(3, "police", "incident", row)  # the call comes late


def quiet(family: Family, cal: Calendar) -> Iterator[Beat]:
    yield Beat(
        1,
        "police",
        "incident",
        call(family, cal, 30, 警情类别="邻里纠纷", 与对方关系="", 冲突程度="激烈"),
        fate="rejected",
    )


def broken(family: Family, cal: Calendar) -> Iterator[Beat]:
    """What departments get wrong most: codes, dates, keys, numbers a spreadsheet destroyed; each waits under its code."""
    row = call(family, cal, 4, 冲突程度="非常激烈")
    yield held(1, "police", "incident", row, "code.unknown", "intensity")
    late = about_child(family, "编号", cal.number("GQ"), cal.at(1), "学生", 发现时间=cal.at(1, 9), 类型="看不清")
    yield held(2, "education", "concern", late, "code.unknown", "kind")
    suit = {
        "案号": cal.number("民初"), "更新时间": cal.at(15), "社区编码": family.community, "立案日期": f"{cal.today.year}-02-30",
        "阶段": "立案", **family.wife.block("原告"), **family.husband.block("被告"),
    }  # fmt: skip
    yield held(1, "court", "divorce_suit", suit, "date.invalid", "filed_on")
    nameless = parties(family, "编号", "", cal.at(3), 时间=cal.at(3, 21), 类型="吵闹扰邻")
    yield held(1, "community_grid", "conflict", nameless, "key.missing", "conflict_no")
    ruined = {
        "登记编号": cal.number("TJ"), "更新时间": cal.at(60), "类别": "留守儿童", "起": cal.day(60), "社区编码": family.community,
        "当事人证件号码": family.child.id_number[:15] + "000",
    }  # fmt: skip
    yield held(2, "community_grid", "special_household", ruined, "id_number.ruined", "person_id_number")
    yield from mended(family, cal)
    yield from crying(family, cal)


def mended(family: Family, cal: Calendar) -> Iterator[Beat]:
    """A row that nobody could read, and its readable correction: the first waits no longer and counts as rejected."""
    row = parties(family, "编号", cal.number("ZF"), cal.at(3), 日期=cal.at(3), 方式="路上遇到", 发现="平稳")
    yield Beat(1, "police", "check_visit", row, fate="rejected")
    yield Beat(3, "police", "check_visit", {**row, "方式": "入户"})


def crying(family: Family, cal: Calendar) -> Iterator[Beat]:
    """Unreadable, and it speaks of violence: a person must read it within the hour (D26)."""
    row = call(family, cal, 0, 警情类别="77", 报警内容="报警人哭喊称丈夫持刀，孩子在家")
    yield Beat(3, "police", "incident", row, "quarantined", "code.unknown", "category", urgent=True)


def held(wave: int, unit: str, stream: str, row: Row, code: str, field: str) -> Beat:
    """A row that must wait in quarantine under this code and field."""
    return Beat(wave, unit, stream, row, "quarantined", code, field)


PLOTS = (
    Plot("fierce", 3, fierce, Expected("red", frozenset({"R6"}), duties=frozenset({"D1", "D2", "D9", "D13"}))),
    Plot("plain_then_green", 3, plain_then_green, Expected("green", frozenset({"G1"}), duties=frozenset({"D5"}), later=((-6, "orange"), (380, "unlit")))),
    Plot("letter_ungraded", 2, letter_ungraded, Expected("red", frozenset({"R1"}), duties=frozenset({"D6", "D24"}))),
    Plot("letter_general", 2, letter_general, Expected("orange", frozenset({"O2"}), duties=frozenset({"D3", "D6"}))),
    Plot("penalty", 2, penalty, Expected("red", frozenset({"R2"}))),
    Plot("protected", 3, protected, Expected("red", frozenset({"R3"}), duties=frozenset({"D7"}), later=((-11, "orange"), (120, "orange")))),
    Plot("cooling_off", 3, cooling_off, Expected("yellow", frozenset({"Y1"}), later=((40, "yellow"), (90, "unlit")))),
    Plot("suit", 2, suit, Expected("yellow", frozenset({"Y2"}))),
    Plot("school", 3, school, Expected("red", frozenset({"R8"}), reports=(("M2", "answered"),)), police="filed"),
    Plot("hospital_child", 2, hospital_child, Expected("unlit", reports=(("M3", "answered"),)), police="not_substantiated"),
    Plot("hospital_adult", 2, hospital_adult, Expected("orange", frozenset({"O5"}))),
    Plot("conflict_complaint", 3, conflict_complaint, Expected("yellow", frozenset({"Y3"}), duties=frozenset({"D4", "D15"}))),
    Plot("violence_complaint", 2, violence_complaint, Expected("orange", frozenset({"O5"}), duties=frozenset({"D10"}))),
    Plot("high_danger", 1, high_danger, Expected("red", frozenset({"R9"}))),
    Plot("noisy", 2, noisy, Expected("orange", frozenset({"O4", "Y3"}))),
    Plot("youth", 2, youth, Expected("orange", frozenset({"O5"}), reports=(("M4", "accepted"),), duties=frozenset({"D14"})), police="accepted"),
    Plot("youth_late", 1, youth, Expected("orange", frozenset({"O5"}), reports=(("M4", "received"),), duties=frozenset({"D14"})), police="late"),
    Plot("retracted", 2, retracted, Expected("unlit")),
    Plot("classified_later", 2, classified_later, Expected("red", frozenset({"R6"}))),
    Plot("named_later", 2, named_later, Expected("red", frozenset({"R6"}))),
    Plot("transferred", 1, transferred, Expected("red", frozenset({"R5"}))),
    Plot("sheltered", 1, sheltered, Expected("orange", frozenset({"O5"}))),
    Plot("left_behind", 2, left_behind, Expected("unlit", duties=frozenset({"D17"}))),
    Plot("noticed", 1, noticed, Expected("red", frozenset({"R4"}))),
    Plot("prosecuted", 1, prosecuted, Expected("red", frozenset({"R7"}), duties=frozenset({"D11", "D19"}))),
    Plot("injury_first", 1, injury_first, Expected("red", frozenset({"R6"}), duties=frozenset({"D9"}))),
    Plot("quiet", 2, quiet, Expected("unlit")),
    Plot("broken", 1, broken, Expected("unlit")),
)  # fmt: skip


def register_rows(family: Family, cal: Calendar) -> Iterator[Beat]:
    """The grid's register: three members of one household."""
    members: tuple[tuple[Human, str], ...] = ((family.husband, "户主"), (family.wife, "配偶"), (family.child, "子女"))
    for n, (human, role) in enumerate(members, 1):
        row = {
            "户编号": family.number, "成员序号": str(n), "与户主关系": role, "起": cal.day(2000), "更新时间": cal.at(400),
            "社区编码": family.community, **human.block("成员"),
        }  # fmt: skip
        yield Beat(0, "community_grid", "household", row)


class District(NamedTuple):
    """The whole story of one day: families with their plots, and every beat in order."""

    families: tuple[tuple[Family, Plot], ...]
    beats: tuple[Beat, ...]


def district(today: date) -> District:
    """At least 40 households and 300 records over ten units, with dates relative to ``today``."""
    registry, cal = Registry(today), Calendar(today)
    families = tuple((registry.family(plot.role), plot) for plot in PLOTS for _ in range(plot.families))
    beats = [beat for family, _ in families for beat in register_rows(family, cal)]
    beats += [beat for family, plot in families for beat in plot.beats(family, cal)]
    beats += list(routine(families, cal))
    return District(families, tuple(sorted(beats, key=lambda beat: beat.wave)))


def routine(families: tuple[tuple[Family, Plot], ...], cal: Calendar) -> Iterator[Beat]:
    """Daily work: calm visits long before today, activities and workers, so that the story is not only crises."""
    for family, _ in families:
        for ago in (200, 150):
            row = parties(family, "编号", cal.number("ZF"), cal.at(ago), 日期=cal.at(ago), 方式="入户", 发现="平稳")
            yield Beat(0, "community_grid", "visit", row)
    for unit in ("police", "court", "procuratorate", "justice", "civil_affairs", "education", "health", "youth_league"):
        row = {"编号": cal.number("HD"), "日期": cal.day(10), "更新时间": cal.at(10), "类型": "业务培训", "人数": "20"}
        yield Beat(1, unit, "activity", row)
    lost = {"编号": cal.number("HD"), "日期": cal.day(3), "更新时间": cal.at(1, 3), "类型": "宣传", "人数": "60"}
    yield Beat(3, "court", "activity", lost, late=True)
