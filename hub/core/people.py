"""People as one record names them: names, telephones, documents, and the checked ``Person``.

A name may be full, a surname only or masked (``某``, ``*``); only a full one can decide who somebody is. The field of a
problem is the column's English name (``victim_id_number``), so that a receipt points at the cell.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from hub.core.id_numbers import NO_ID, RESIDENT, IdReading, document_type, parse_id_number, read_document
from hub.core.records import Person
from hub.core.values import Unreadable, fold, is_empty, parse_code, parse_when
from hub.core.words import ROLES

__all__ = [
    "clean_person",
    "column_of",
    "is_full_name",
    "is_minor_fault",
    "parse_name",
    "parse_phone",
    "surname_of",
    "with_student_number",
]

MAX_NAME: Final = 64
MAX_ADDRESS: Final = 512
_NOBODY: Final = frozenset({
    "不详", "未知", "未说明",
    "某", "某某", "某某某", "某人", "某男", "某女", "无名", "无名氏", "佚名", "匿名", "匿名者", "不明", "不愿透露", "未提供", "暂无",
    "保密", "不祥", "男", "女", "先生", "女士", "群众", "路人", "报警人", "受害人", "施暴人", "家长", "本人", "测试",
})  # fmt: skip
"""What stands in a name column when nobody is named."""
_PLAIN_NAME: Final = re.compile("[一-鿿]{2,4}")
_DOTS: Final = str.maketrans({"•": "·", "・": "·", "‧": "·", "∙": "·", "．": "·", "･": "·"})
_MASK: Final = re.compile(r"[某*×●○?_]|(?<=[一-鿿])[xX]+$")
_TITLE: Final = re.compile(r"^[一-鿿]{1,2}(?:先生|女士|小姐|阿姨|师傅|老师|太太)$")
_COMPOUND: Final = frozenset({
    "欧阳", "司马", "上官", "诸葛", "夏侯", "东方", "皇甫", "尉迟", "公孙", "令狐", "慕容", "司徒", "司空", "端木", "南宫", "独孤",
    "长孙", "宇文", "鲜于", "闻人", "太史", "申屠", "轩辕", "百里", "呼延", "澹台", "公羊", "淳于", "单于", "万俟", "第五", "西门",
    "东郭", "南郭", "拓跋", "左丘", "钟离", "濮阳",
})  # fmt: skip
_SEPARATE: Final = re.compile(r"[\s\-()（）.·]+")
_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE: Final = re.compile(r"0[0-9]{9,11}|[2-9][0-9]{6,7}|[48]00[0-9]{7}")
_PHONE_PLACEHOLDERS: Final = frozenset(
    {"12345678901", "13800138000", "13800000000", "13888888888", "110", "120", "12338"}
)

_PREFIXES: Final[Mapping[str, Mapping[str, str]]] = {
    # kind: role → prefix of its columns, where it is not the role's usual one
    "treatment_recorded": {"victim": "patient"},
    "protection_order": {"victim": "applicant", "alleged": "respondent"},
    "divorce_suit": {"party_a": "plaintiff", "party_b": "defendant"},
    "divorce_registration": {"party_a": "husband", "party_b": "wife"},
    "violence_case_decided": {"alleged": "defendant"},
    "service_given": {"subject": "applicant"},
    "special_household": {"subject": "person"},
}


def column_of(kind: str, role: str, attribute: str, unit: str = "") -> str:
    """The English column of a person's attribute: ``victim_id_number``, ``abuser_phone``, ``student_birth_date`` …"""
    if kind == "concern_found" and unit == "education" and role == "victim":
        prefix = "student"
    else:
        prefix = _PREFIXES.get(kind, {}).get(role) or ("abuser" if role == "alleged" else role)
    return f"{prefix}_{'birth_date' if attribute == 'born' else attribute}"


def parse_name(raw: object) -> str | None:
    """NFKC; no spaces between Chinese characters, single ones in other names; placeholders are None."""
    if raw is None:
        return None
    text = raw if isinstance(raw, str) else ""
    if not (2 <= len(text) <= 4 and _PLAIN_NAME.fullmatch(text)):  # 张三: nothing to clean
        text = unicodedata.normalize("NFKC", text[:256]).translate(_DOTS)
        text = "".join(c for c in text if c.isprintable() or c.isspace())
        text = ("" if any("一" <= c <= "鿿" for c in text) else " ").join(text.split())[:MAX_NAME]
        if is_empty(text) or not any(c.isalpha() for c in text):
            return None
    return None if text in _NOBODY else text


def is_full_name(name: str | None) -> bool:
    """True when a name can tell two people apart: at least two characters, nothing masked, no mere title."""
    return name is not None and len(name) > 1 and not _MASK.search(name) and not _TITLE.match(name)


def surname_of(name: str) -> str:
    """The family name, for the review list only."""
    return name[:2] if name[:2] in _COMPOUND else name[:1]


def parse_phone(raw: object) -> str | None:
    """Digits of the first number in the cell, without +86; masked numbers and placeholders are None.

    Raises ``Unreadable`` (``phone.invalid``) when there is something that is no telephone number.
    """
    if isinstance(raw, str) and len(raw) == 11 and raw.isascii() and _MOBILE.fullmatch(raw):
        return _real(raw)
    if is_empty(raw):
        return None
    for part in re.split(r"[;,、/|]|转", fold(raw)):
        text = _SEPARATE.sub("", part).removeprefix("+")
        if "*" in text or text in ("暂无", "不明", "未提供", "保密"):
            return None
        if text.startswith("0086") or (text.startswith("86") and len(text) > 11):
            text = text[4:] if text.startswith("0086") else text[2:]
            text = text if text.startswith(("0", "1")) else f"0{text}"
        if text in _PHONE_PLACEHOLDERS or (text and text == text[0] * len(text)):
            return None
        if _MOBILE.fullmatch(text) or _LANDLINE.fullmatch(text):
            return text
    raise Unreadable("phone.invalid")


def _real(phone: str) -> str | None:
    return None if phone in _PHONE_PLACEHOLDERS or phone.count(phone[1], 1) == len(phone) - 1 else phone


def clean_person(
    person: Person, *, kind: str, unit: str, latest: datetime, withhold_address: bool = False
) -> tuple[Person | None, list[tuple[str, str, str]]]:
    """The person with checked values, and every bad field as (code, column, remedy), left empty in the person.

    ``latest`` bounds birth dates. None when nothing at all is left of the person. ID numbers are reported here and
    judged in ``normalise``, because what else identifies the person decides.
    """
    bad: list[tuple[str, str, str]] = []
    complain = partial(_complain, bad, kind, unit, person.role)
    if person.role not in ROLES:
        complain("name", "person.role")
        return None, bad
    name = parse_name(person.name)
    born = sex = capacity = phone = None
    if person.born is not None:
        try:
            born = _birth_date(person.born, latest)
        except Unreadable as error:
            complain("born", error.code)
    if person.sex is not None:
        try:
            sex = _SEXES.get(parse_code("sex", person.sex) or "")
        except Unreadable as error:
            complain("sex", error.code, error.remedy)
    if person.capacity is not None:
        try:
            capacity = parse_code("capacity", person.capacity)
        except Unreadable as error:
            complain("capacity", error.code, error.remedy)
    if person.phone is not None:
        try:
            phone = parse_phone(person.phone)
        except Unreadable as error:
            complain("phone", error.code)
    id_type, reading = None, NO_ID
    if person.id_number is not None:
        id_type = document_type(person.id_type)
        reading = read_document(id_type, person.id_number)
        if reading.code:
            complain("id_number", reading.code)
    address = None if withhold_address else _address(person.address)
    if not (name or born or phone or reading.number or reading.masked or address or capacity or reading.code):
        return None, bad
    born, sex = _from_document(born, sex, reading, latest)
    number = reading.number
    known_type = (RESIDENT if reading.born else id_type) if number or reading.masked else None
    return Person(person.role, name, known_type, number, reading.masked, sex, born, phone, address, capacity), bad


def _complain(
    bad: list[tuple[str, str, str]], kind: str, unit: str, role: str, attribute: str, code: str, remedy: str = ""
) -> None:
    bad.append((code, column_of(kind, role, attribute, unit), remedy))


_SEXES: Final = {"male": "male", "female": "female"}


def _birth_date(raw: object, latest: datetime) -> date | None:
    try:
        when = parse_when(raw)
    except ValueError:
        raise Unreadable("date.invalid") from None
    day = when.date() if isinstance(when, datetime) else when
    if day is not None and day > (latest + timedelta(days=1)).date():
        raise Unreadable("date.future")
    return day


def _from_document(
    born: date | None, sex: str | None, reading: IdReading, latest: datetime
) -> tuple[date | None, str | None]:
    """Birth date and sex of a valid resident number where none is recorded; two birth dates: the younger (S8)."""
    if reading.born is None or reading.born > latest.date():
        return born, sex
    return (reading.born if born is None else max(born, reading.born)), sex or reading.sex


def is_minor_fault(code: str, person: Person | None) -> bool:
    """Faults that never hold a row back: a telephone that is none, and a bad number of somebody known otherwise (S23)."""
    if code == "phone.invalid":
        return True
    if not code.startswith("id_number.") or person is None:
        return False
    return is_full_name(person.name) and (person.phone is not None or person.born is not None)


def with_student_number(person: Person, student_no: object) -> Person:
    """``G`` and an ID number: the pupil's own. ``J`` and ``L`` numbers look like ID numbers and are none."""
    if (
        person.id_number is not None
        or not isinstance(student_no, str)
        or student_no.strip()[:1] not in ("G", "g", "Ｇ")
    ):
        return person
    reading = parse_id_number(student_no)
    if reading.number is None or reading.born is None:
        return person
    born = reading.born if person.born is None else max(person.born, reading.born)
    return person._replace(id_type=RESIDENT, id_number=reading.number, born=born, sex=person.sex or reading.sex)


def _address(raw: object) -> str | None:
    if raw is None or not isinstance(raw, str) or (len(raw) < 8 and is_empty(raw)):
        return None
    return " ".join(unicodedata.normalize("NFKC", raw[: MAX_ADDRESS * 2]).split())[:MAX_ADDRESS] or None
