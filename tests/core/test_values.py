"""Cells as the units write them, and what the hub reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.codes import ALIASES, CODES, UNITS
from hub.core.dates import as_instant, parse_when
from hub.core.people import is_full_name, parse_name, parse_phone
from hub.core.records import SHANGHAI
from hub.core.unit_names import parse_unit, parse_units
from hub.core.values import (
    Unreadable,
    is_empty,
    link_form,
    parse_code,
    parse_codes,
    parse_count,
    parse_flag,
    parse_id_number,
    parse_key,
    parse_kin,
    parse_numbers,
    parse_word,
)
from hub.core.words import KIN_BY_WORD

DAY = date(2021, 8, 30)
MORNING = datetime(2021, 8, 30, 9, 30, tzinfo=SHANGHAI)
EMPTIES = (None, "", "  ", "无", "-", "/", "不详", "未知", "－", "　")
ANYTHING = st.one_of(
    st.text(max_size=40),
    st.text("0123456789-/.: 年月日时分TZ+０１２无是*XxE", max_size=24),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.lists(st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
    st.binary(max_size=8),
)


@pytest.mark.parametrize(
    "raw",
    ["2021-08-30", "2021/8/30", "2021/08/30", "20210830", "2021年8月30日", "2021年08月30日", "2021.8.30", "2021-8-30",
     "２０２１-０８-３０", "２０２１年８月３０日", " 2021-08-30 ", 20210830, 20210830.0, "44438", 44438, 44438.0, DAY],
)  # fmt: skip
def test_date_without_time_stays_a_date(raw: object) -> None:
    """A day without a time of day is read as a date, in every form the catalogue lists."""
    assert parse_when(raw) == DAY
    assert type(parse_when(raw)) is date


@pytest.mark.parametrize(
    "raw",
    ["20210830093000", "202108300930", "2021-08-30 09:30:00", "2021-08-30T09:30:00", "2021-08-30 09:30", "2021/8/30 9:30",
     "2021年8月30日9时30分", "2021年8月30日 09时30分00秒", "2021年8月30日9点30分", "2021-08-30T01:30:00Z", "2021-08-30T09:30:00+08:00",
     "2021-08-30T01:30:00.000+00:00", "1630287000000", 1630287000000, 44438.395833333336, "44438.395833333336",
     "２０２１-０８-３０ ０９：３０：００", datetime(2021, 8, 30, 9, 30), datetime(2021, 8, 30, 1, 30, tzinfo=UTC)],
)  # fmt: skip
def test_time_of_day_gives_an_instant_of_shanghai(raw: object) -> None:
    """A value with a time of day is an instant; unzoned means Asia/Shanghai, and the zone object is always the one."""
    read = parse_when(raw)
    assert read == MORNING
    assert isinstance(read, datetime)
    assert read.tzinfo is SHANGHAI


@pytest.mark.parametrize("raw", [*EMPTIES, "0000-00-00", "0000-00-00 00:00:00"])
def test_empty_dates_are_unrecorded(raw: object) -> None:
    """Empty is unrecorded, and so is the zero date of some databases."""
    assert parse_when(raw) is None


@pytest.mark.parametrize(
    "raw",
    ["2021-13-01", "2021-02-30", "2021年2月30日", "昨天", "2021", "202108", "1630287000", "2021-08-30x", "2021-08-30 25:00",
     True, float("nan"), float("inf"), 10**40, "9" * 5000, [], {}, b"2021-08-30", "9999-12-31T23:59:59-12:00", -44438],
)  # fmt: skip
def test_anything_else_is_no_date(raw: object) -> None:
    """What is no date is refused, never guessed."""
    with pytest.raises(ValueError, match="not a date"):
        parse_when(raw)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2900, 1, 1)))
def test_every_form_of_an_instant_reads_back(moment: datetime) -> None:
    """Whatever form an instant is written in, it reads back to the second."""
    moment = moment.replace(microsecond=0)
    expected = moment.replace(tzinfo=SHANGHAI)
    forms = (
        f"{moment:%Y-%m-%d %H:%M:%S}", f"{moment:%Y%m%d%H%M%S}", moment.isoformat(), expected.isoformat(),
        f"{moment.year}年{moment.month}月{moment.day}日{moment.hour}时{moment.minute}分{moment.second}秒",
        f"{moment.year}/{moment.month}/{moment.day} {moment.hour}:{moment.minute}:{moment.second}",
        (expected - timedelta(hours=8)).replace(tzinfo=UTC).isoformat().replace("+00:00", "Z"),
    )  # fmt: skip
    assert {parse_when(form) for form in forms} == {expected}


@given(st.dates(date(1930, 1, 1), date(2170, 1, 1)))
def test_every_form_of_a_day_reads_back(day: date) -> None:
    """Whatever form a day is written in, it reads back; also as the spreadsheet's serial."""
    serial = (day - date(1899, 12, 30)).days
    forms = (
        day.isoformat(), f"{day:%Y%m%d}", f"{day.year}/{day.month}/{day.day}", serial, str(serial), float(serial),
        f"{day.year}年{day.month}月{day.day}日",
    )  # fmt: skip
    assert {parse_when(form) for form in forms} == {day}
    assert as_instant(day) == datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


READERS: list[Callable[[object], object]] = [
    parse_when, parse_flag, parse_count, parse_kin, parse_unit, parse_units, parse_word, parse_key, parse_name, parse_phone,
    parse_id_number, is_empty, lambda raw: parse_count(raw, "0-9"), lambda raw: parse_count(raw, "yuan"),
    lambda raw: parse_code("violence", raw), lambda raw: parse_codes("measure", raw), lambda raw: parse_numbers((raw,)),
]  # fmt: skip


def refusal(read: Callable[[object], object], raw: object) -> ValueError | None:
    """The error a reader answers with, None when it could read."""
    try:
        read(raw)
    except ValueError as error:
        return error
    return None


@given(ANYTHING)
def test_readers_raise_nothing_but_value_errors(raw: object) -> None:
    """No cell, however wild, brings a reader to raise anything but a ValueError."""
    for read in READERS:
        error = refusal(read, raw)
        assert error is None or isinstance(error, Unreadable) or read is parse_when


@given(st.text(min_size=6, max_size=60).map(lambda text: f"§{text}§"))
def test_remedies_never_repeat_the_value(raw: str) -> None:
    """What a reader says about a bad cell never holds the cell."""
    for read in READERS:
        error = refusal(read, raw)
        if error is not None:
            assert raw.strip() not in getattr(error, "remedy", "") + str(error) + repr(error)
            assert error.__cause__ is None
            assert error.__suppress_context__ or error.__context__ is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(raw, True) for raw in ("是", "1", 1, 1.0, "1.0", "Y", "y", "true", "TRUE", True, "有", "１")]
    + [(raw, False) for raw in ("否", "0", 0, 0.0, "N", "false", False, "无", "没有", "０")]
    + [(raw, None) for raw in (None, "", "-", "/", "不详", "未知")],
)
def test_flags(raw: object, expected: bool | None) -> None:
    """是/否, 1/0, Y/N, true/false, 有/无: in a flag 无 says no, every other empty word is unrecorded."""
    assert parse_flag(raw) is expected


def test_flag_that_is_none_lists_what_is_valid() -> None:
    """An unreadable flag is ``code.unknown`` with the list of valid words."""
    with pytest.raises(Unreadable) as caught:
        parse_flag("也许")
    assert caught.value.code == "code.unknown"
    assert "是 否" in caught.value.remedy


@pytest.mark.parametrize("table", sorted(set(CODES) - {"complaint_kind"}))
def test_every_code_is_accepted_as_number_chinese_and_english(table: str) -> None:
    """Number, Chinese word and English word of each code are one value, however they are dressed."""
    for number, chinese, word in CODES[table]:
        spellings = [
            number or word,
            chinese,
            word,
            word.upper(),
            word.replace("_", " "),
            f" {chinese} ",
            f"　{number or word}",
        ]
        if number.isdecimal():
            wide = number.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789"})
            spellings += [int(number), float(number), f"{number}.0", f"0{number}", wide]
        assert {parse_code(table, spelling) for spelling in spellings} == {word}


def test_aliases_lead_to_words_of_their_table() -> None:
    """Every further spelling of a code means a word that its table has, and never hides one."""
    for table, others in ALIASES.items():
        words = {word for _, _, word in CODES[table]}
        assert set(others.values()) <= words
        for _, chinese, word in CODES[table]:
            assert others.get(chinese, word) == word


@pytest.mark.parametrize(("table", "word"), [("violence", "none"), ("injury", "none"), ("capacity", "none")])
def test_a_tables_own_nothing_wins_over_empty(table: str, word: str) -> None:
    """无 is the code *none* in a table that has it, and empty in all others."""
    assert parse_code(table, "无") == word
    assert parse_code("finding", "无") is None


@pytest.mark.parametrize("raw", [None, "", "-", "/", "不详", "未知"])
def test_empty_codes_are_unrecorded(raw: object) -> None:
    """An empty code is unrecorded, never *none*."""
    assert parse_code("violence", raw) is None


@pytest.mark.parametrize("raw", ["7", 7, "很严重", True, [], {}, 1.5, "-1"])
def test_unknown_code_lists_the_table(raw: object) -> None:
    """An unknown code is refused with everything that would have been valid."""
    with pytest.raises(Unreadable) as caught:
        parse_code("violence", raw)
    assert caught.value.code == "code.unknown"
    assert "2 一般 general" in caught.value.remedy


@pytest.mark.parametrize("raw", ["1;4", "1；4", "1、4", "1,4", "1，4", ["1", 4], "no violence; no contact", "1|4|1"])
def test_several_codes_in_one_cell(raw: object) -> None:
    """Measures of an order come in one cell, any separator, or as a list."""
    assert parse_codes("measure", raw) == ("no_violence", "no_contact")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("10", "spouse"), ("配偶", "spouse"), ("1x", None), (10, "spouse"), ("12", "spouse"), ("20", "child"), ("28", "child"),
     ("38", "child"), ("41", "grandchild"), ("51", "parent"), ("55", "parent"), ("61", "grandparent"), ("72", "sibling"),
     ("85", "kin"), ("97", "kin"), ("98", "none"), ("99", "none"), ("X1", "former_spouse"), ("x2", "cohabitant"),
     ("01", "self"), ("02", "self"), ("1", "spouse"), ("前配偶", "former_spouse"), ("同居", "cohabitant"), ("夫妻关系", "spouse"),
     ("Former Spouse", "former_spouse"), ("no family relation", "none"), ("children", "child"), ("无", ""), ("", ""),
     ("外星人", None), ("100", None), ("9", None)],
)  # fmt: skip
def test_relations(raw: object, expected: str | None) -> None:
    """GB/T 4761 codes and words become one class; our X1 and X2 are former spouse and cohabitant."""
    if expected is None:
        with pytest.raises(Unreadable, match=r"code\.unknown"):
            parse_kin(raw)
    else:
        assert parse_kin(raw) == (expected or None)


def test_every_relation_word_is_read() -> None:
    """Each word of the relation table reads as its own class, in capitals and with spaces too."""
    for word, kin in KIN_BY_WORD.items():
        assert parse_kin(word) == kin
        assert parse_kin(f" {word.upper()} ") == kin


@pytest.mark.parametrize("raw", ["公安分局;区妇联", "公安、妇联", "police, women's federation", "黄浦区公安分局／黄浦区妇女联合会",
                                 "派出所 妇联 派出所", "警备区；公安分局；某公司；妇联"])  # fmt: skip
def test_units_are_named_any_way(raw: str) -> None:
    """Units are read full, short or in English, any separator; repeats and strangers do not count (S20)."""
    assert parse_units(raw) == ("police", "womens_federation")


@pytest.mark.parametrize("raw", ["新东方教育", "阳光社区", "某公司", "法院路小学"])
def test_strangers_are_no_units(raw: str) -> None:
    """A name that only sounds like a unit does not sign: a review must not pass on it."""
    assert parse_units(raw) is None


def test_each_unit_name_reads_as_its_unit() -> None:
    """Every way a unit is written reads as that unit."""
    for unit, names in UNITS.items():
        assert {parse_unit(name) for name in (unit, *names)} == {unit}


@pytest.mark.parametrize(("raw", "bounds", "expected"), [("3", "", 3), (" ３ ", "", 3), (3.0, "", 3), ("3.0", "", 3), ("6个月", "", 6),
    ("-", "", None), (None, "", None), ("9", "0-9", 9), ("1200.50", "yuan", 1200), ("1,200", "yuan", 1200)])  # fmt: skip
def test_counts(raw: object, bounds: str, expected: int | None) -> None:
    """Whole numbers, also with their measure word; amounts lose their cents."""
    assert parse_count(raw, bounds) == expected


@pytest.mark.parametrize(
    ("raw", "bounds", "code"),
    [
        ("很多", "", "count.invalid"),
        ("1.5", "", "count.invalid"),
        ("-3", "", "count.invalid"),
        ("10", "0-9", "count.range"),
    ],
)
def test_bad_counts(raw: object, bounds: str, code: str) -> None:
    """What is no whole number, or none in its range, is refused by code."""
    with pytest.raises(Unreadable) as caught:
        parse_count(raw, bounds)
    assert caught.value.code == code


@pytest.mark.parametrize(("raw", "expected"), [
    ("139-0000-0101", "13900000101"), ("+86 139 0000 0101", "13900000101"), ("8613900000101", "13900000101"),
    ("008613900000101", "13900000101"), (13900000101, "13900000101"), (13900000101.0, "13900000101"), ("１３９０００００１０１", "13900000101"),
    ("13900000101;13900000102", "13900000101"), ("021-87543740", "02187543740"), ("86-21-87543740", "02187543740"),
    ("00000000000", None), ("139****0101", None), ("无", None), (None, None)])  # fmt: skip
def test_phones(raw: object, expected: str | None) -> None:
    """Separators and country code go; placeholders and masked numbers are none."""
    assert parse_phone(raw) == expected


@pytest.mark.parametrize(("raw", "name", "full"), [
    ("张三", "张三", True), (" 张　三 ", "张三", True), ("欧阳 小明", "欧阳小明", True), ("张某", "张某", False), ("张某某", "张某某", False),
    ("张**", "张**", False), ("张", "张", False), ("张先生", "张先生", False), ("某", None, False), ("某女士", "某女士", False),
    ("不详", None, False), ("匿名", None, False), ("John  Smith", "John Smith", True), ("阿依古丽•买买提", "阿依古丽·买买提", True)])  # fmt: skip
def test_names(raw: str, name: str | None, full: bool) -> None:
    """Names lose their inner spaces; 某, stars, titles and lone surnames never count as full."""
    assert parse_name(raw) == name
    assert is_full_name(name) is full


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "key.missing"),
        (None, "key.missing"),
        ("无", "key.missing"),
        ("-", "key.missing"),
        ("x" * 129, "key.long"),
        ("a\nb", "key.invalid"),
        ("a\x00b", "key.invalid"),
        ("3.10101E+17", "key.invalid"),
        ([], "key.invalid"),
    ],
)
def test_bad_keys(raw: object, code: str) -> None:
    """A key is 1 to 128 characters without control characters."""
    with pytest.raises(Unreadable) as caught:
        parse_key(raw)
    assert caught.value.code == code


def test_keys_are_kept_as_written() -> None:
    """A key is the unit's own number: trimmed, full-width digits made narrow, brackets left as they are."""
    assert parse_key(" （2021）沪0101民保令3号 ") == "（2021）沪0101民保令3号"
    assert parse_key("ＪＪ２０２１") == "JJ2021"
    assert parse_key(310101.0) == "310101"
    assert link_form("（2021）沪0101 民保令3号") == link_form("(2021)沪0101民保令3号")


def test_related_numbers_are_split_once_each() -> None:
    """Numbers of the same incident: several with a semicolon, each once, never the record's own."""
    assert parse_numbers(("A1；A2;A1", "A3", "", None, "own"), "own") == ("A1", "A2", "A3")


def test_words_are_short_and_whole() -> None:
    """A word that a spreadsheet ruined or that is too long to be a code is refused."""
    assert parse_word(310101001001.0) == "310101001001"
    for raw, code in (("3.10101E+11", "value.ruined"), ("x" * 65, "value.long"), ("a\tb", "value.invalid")):
        with pytest.raises(Unreadable, match=code):
            parse_word(raw)
