"""Identity numbers: what counts, what is masked, what a spreadsheet destroyed."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from hub.core.id_numbers import document_type, parse_id_number, read_document

GOOD = "11010519491231002X"


def checked(body: str) -> str:
    """The body with its check character, by the published library."""
    return body + ric.calc_check_digit(body + "0")


@pytest.mark.parametrize(
    "raw",
    [
        GOOD,
        GOOD.lower(),
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105 19491231 002x",
        "110105491231002",
        f"G{GOOD}",
        f"'{GOOD}",
    ],
)
def test_resident_numbers_in_every_dress(raw: str) -> None:
    """Lower-case x, full-width digits, spaces, fifteen digits and a student number's G all mean one number."""
    reading = parse_id_number(raw)
    assert reading == (GOOD, None, date(1949, 12, 31), "female", "")


@given(st.integers(110000, 659999), st.dates(date(1900, 1, 1), date(2025, 12, 31)), st.integers(0, 999))
def test_agrees_with_the_published_check(division: int, born: date, sequence: int) -> None:
    """Each number the published algorithm completes is accepted, unless a spreadsheet may have ended it."""
    number = checked(f"{division}{born:%Y%m%d}{sequence:03d}")
    reading = parse_id_number(number)
    if number.endswith("000"):
        assert reading.code == "id_number.ruined"
    else:
        assert (reading.number, reading.born) == (number, born)
        assert reading.sex == ("male" if sequence % 2 else "female")


@given(st.integers(0, 16), st.integers(1, 9))
def test_every_single_slip_is_caught(position: int, shift: int) -> None:
    """One wrong digit never passes."""
    digits = list(GOOD)
    digits[position] = str((int(digits[position]) + shift) % 10)
    assert parse_id_number("".join(digits)).number is None


@pytest.mark.parametrize(
    ("raw", "code"),
    [("3.10101E+17", "id_number.ruined"), ("3.10101e+17", "id_number.ruined"), (3.10101199001011e17, "id_number.ruined"),
     ("310101199001011000", "id_number.ruined"), (310101199001011000, "id_number.ruined"),
     (checked("31010119900101100")[:15] + "000", "id_number.ruined"), ("110105194912310021", "id_number.checksum"),
     (checked("31010119900230001"), "id_number.date"), ("12345", "id_number.format"), (f"J{GOOD}", "id_number.format"),
     (f"L{GOOD}", "id_number.format"), ([], "id_number.format"), ("张三", "id_number.format")],
)  # fmt: skip
def test_bad_numbers_say_why(raw: object, code: str) -> None:
    """Ruined, wrong check character, impossible birth date and wrong format are told apart."""
    assert parse_id_number(raw) == (None, None, None, None, code)


def test_ruined_is_refused_even_when_its_check_fits() -> None:
    """Three zeros at the end are a spreadsheet's mark, though one in eleven of them has a fitting check."""
    fits = next(
        n
        for n in (checked(f"310101199001{day:02d}{seq}00") for day in range(1, 29) for seq in range(10))
        if n.endswith("000")
    )
    assert ric.calc_check_digit(fits) == fits[-1]
    assert parse_id_number(fits).code == "id_number.ruined"


@pytest.mark.parametrize(("raw", "pattern"), [("3101****0012", "3101****0012"), ("310101********0012", "310101********0012"),
    ("310101XXXXXXXX001X", "310101********001X"), ("３１０１＊＊＊＊００１２", "3101****0012"), ("0012", "*" * 14 + "0012")])  # fmt: skip
def test_masked_numbers_are_kept_as_patterns(raw: str, pattern: str) -> None:
    """A masked number is no number, and its pattern is kept for the review list."""
    assert parse_id_number(raw) == (None, pattern, None, None, "")


@pytest.mark.parametrize(
    "raw",
    [None, "", "无", "不详", "******", "000000000000000000", "111111111111111111", "123456789012345678", "未提供"],
)
def test_placeholders_are_empty(raw: object) -> None:
    """What clerks type when there is no number is empty, not wrong."""
    assert parse_id_number(raw) == (None, None, None, None, "")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("", "111"),
        (None, "111"),
        (111, "111"),
        ("111.0", "111"),
        ("身份证", "111"),
        ("414", "414"),
        ("护照", "414"),
        ("Passport", "414"),
        (516.0, "516"),
    ],
)
def test_document_types(raw: object, expected: str) -> None:
    """Types are numbers or words; empty is the resident card."""
    assert document_type(raw) == expected


def test_only_resident_cards_are_checked() -> None:
    """A passport number is kept plain; a household register's resident number is recognised."""
    assert read_document("414", "e12345678").number == "E12345678"
    assert read_document("113", GOOD).born == date(1949, 12, 31)
    assert read_document("414", "E1****678").masked == "E1****678"
    assert read_document("111", "E12345678").code == "id_number.format"


@given(st.one_of(st.text(max_size=30), st.text("0123456789X*E.+", max_size=20), st.integers(), st.floats(), st.none()))
def test_never_raises(raw: object) -> None:
    """Whatever stands in the cell, there is an answer and never more than one kind of it."""
    for id_type in ("111", "414", "113", "其他"):
        reading = read_document(id_type, raw)
        assert bool(reading.number) + bool(reading.masked) + bool(reading.code) <= 1
