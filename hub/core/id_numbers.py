"""Identity documents: resident ID numbers (GB 11643) checked, masked ones kept apart, ruined ones refused.

Sources: GB 11643 (15 and 18 digits, check character), the records catalogue ("Values as they come") and what
spreadsheets do to 18 digits: fifteen are kept, so a number that ends in 000 is refused even when its check fits.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from operator import mul
from typing import Final, NamedTuple

from hub.core.dates import EMPTY_WORDS

__all__ = ["NO_ID", "RESIDENT", "IdReading", "document_type", "parse_id_number", "read_document"]

RESIDENT: Final = "111"
"""Resident identity card; an empty type is read as this one."""

DOCUMENT_WORDS: Final = {
    "居民身份证": "111", "身份证": "111", "resident id": "111", "resident_id": "111", "id card": "111",
    "临时居民身份证": "112", "临时身份证": "112", "户口簿": "113", "户口本": "113",
    "护照": "414", "普通护照": "414", "passport": "414", "外国人护照": "414",
    "港澳居民来往内地通行证": "516", "港澳通行证": "516", "台湾居民来往大陆通行证": "511", "台胞证": "511",
}  # fmt: skip
"""Words for document types (GA/T 517 numbers)."""

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"
_ZEROS: Final = ord("0") * sum(_WEIGHTS)
_PLACEHOLDERS: Final = frozenset(
    {"未提供", "暂无", "不明", "无证", "无身份证", "拒绝提供", "123456789012345678", "12345678901234567X"}
    | {digit * length for digit in "0123456789" for length in (15, 18)}
)
"""What clerks type when a form wants a number and there is none: read as empty."""

_FULL: Final = re.compile(r"[1-9][0-9]{16}[0-9X]")
_OLD: Final = re.compile(r"[1-9][0-9]{14}")
_SCIENTIFIC: Final = re.compile(r"[0-9](?:\.[0-9]+)?E\+?[0-9]{2}")
_MASKED: Final = re.compile(r"[0-9]{1,14}[*X●•×]{2,}[0-9]{0,6}[0-9X*]?")
_TAIL: Final = re.compile(r"[0-9]{3}[0-9X]")
_DOCUMENT: Final = re.compile(r"[A-Z0-9()/·-]{4,32}")


class IdReading(NamedTuple):
    """What a number says: ``number`` (18 characters, valid), or ``masked`` (pattern), or why not (problem code)."""

    number: str | None = None
    masked: str | None = None
    born: date | None = None
    sex: str | None = None
    code: str = ""  # id_number.ruined, id_number.checksum, id_number.date or id_number.format


NO_ID: Final = IdReading()
_RUINED: Final = IdReading(code="id_number.ruined")
_FORMAT: Final = IdReading(code="id_number.format")


def parse_id_number(raw: object) -> IdReading:
    """Read a resident ID number as any unit writes it; never raises, ``code`` says what is wrong with it.

    Lower-case x, full-width digits, spaces, a student number's leading ``G`` and fifteen digits are understood; the
    last four characters alone are a mask.
    """
    if type(raw) is str and _FULL.fullmatch(raw) and raw not in _PLACEHOLDERS:
        return _read_full(raw)
    if raw is None:
        return NO_ID
    if isinstance(raw, float):
        return _RUINED  # 18 digits do not fit a float: whatever it was, its end is lost
    if isinstance(raw, bool) or not isinstance(raw, str | int) or (isinstance(raw, str) and len(raw) > 64):
        return _FORMAT
    if isinstance(raw, int) and not 0 <= raw < 10**18:
        return _FORMAT
    text = raw if isinstance(raw, str) else str(raw)
    if not (len(text) == 18 and text.isascii() and text.isdigit()):
        text = _clean(text)
    if text in _PLACEHOLDERS or text.casefold() in EMPTY_WORDS or not text.strip("*"):
        return NO_ID
    return _read(text)


def _clean(text: str) -> str:
    text = "".join(unicodedata.normalize("NFKC", text).split()).strip("'\"`").upper()
    if text.endswith(".0"):
        text = text[:-2]
    return text[1:] if text.startswith("G") and text[1:2].isdigit() else text


def _read(text: str) -> IdReading:
    if _FULL.fullmatch(text):
        return _read_full(text)
    if _OLD.fullmatch(text):
        body = f"{text[:6]}19{text[6:]}"
        return _with_birth(body + _check(body))
    if _SCIENTIFIC.fullmatch(text):
        return _RUINED
    if _MASKED.fullmatch(text):
        return IdReading(masked=re.sub(r"[X●•×](?!$)", "*", text))
    if _TAIL.fullmatch(text):
        return IdReading(masked="*" * 14 + text)
    if "*" in text and len(text) <= 32:
        return IdReading(masked=text)
    return _FORMAT


def _read_full(text: str) -> IdReading:
    if text.endswith("000"):  # fifteen digits are what a spreadsheet keeps
        return _RUINED
    return _with_birth(text) if _check(text) == text[17] else IdReading(code="id_number.checksum")


def _check(digits: str) -> str:
    """The check character of the first seventeen digits."""
    return _CHECKS[(sum(map(mul, _WEIGHTS, digits.encode())) - _ZEROS) % 11]


def _with_birth(number: str) -> IdReading:
    try:
        born = date.fromisoformat(number[6:14])
    except ValueError:
        return IdReading(code="id_number.date")
    if born.year < 1850:
        return IdReading(code="id_number.date")
    return IdReading(number, None, born, "male" if number[16] in "13579" else "female")


def document_type(raw: object) -> str:
    """The number of a document type (``111`` when empty); an unknown word is kept, shortened to 16 characters."""
    if raw is None or raw in ("111", 111):
        return RESIDENT
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    text = unicodedata.normalize("NFKC", str(raw)[:64]).strip().casefold()
    if text in EMPTY_WORDS:
        return RESIDENT
    if text.endswith(".0"):
        text = text[:-2]
    return DOCUMENT_WORDS.get(text, text[:16])


def read_document(id_type: str, raw: object) -> IdReading:
    """A number under the document type it came with: only resident cards are checked, others are kept plain.

    A temporary card or household register carries the resident number: it is recognised there, never demanded.
    """
    if id_type == RESIDENT:
        return parse_id_number(raw)
    reading = parse_id_number(raw)
    if not reading.code or isinstance(raw, float | bool) or not isinstance(raw, str | int):
        return reading
    if reading.code == "id_number.ruined" and not str(raw).strip().endswith("000"):
        return reading
    text = _clean(str(raw)[:64])
    return IdReading(number=text) if _DOCUMENT.fullmatch(text) else _FORMAT
