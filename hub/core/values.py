"""Raw cells to typed values: flags, counts, codes, relations, unit names, keys and numbers.

One rule for all of them: *empty* is None, which means unrecorded and never "no"; anything unreadable raises
``Unreadable`` with a stable problem code and a remedy that lists what is valid and never repeats the value.
Dates are read in ``dates``, identity documents in ``id_numbers``, people in ``people``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final, TypeGuard

from hub.core.codes import ALIASES, CODES
from hub.core.dates import EMPTY_WORDS, parse_when
from hub.core.id_numbers import parse_id_number
from hub.core.problems import remedy_of
from hub.core.words import KIN_BY_DIGIT, KIN_BY_WORD

__all__ = [
    "Unreadable",
    "english",
    "fold",
    "is_empty",
    "link_form",
    "parse_code",
    "parse_codes",
    "parse_count",
    "parse_flag",
    "parse_id_number",
    "parse_key",
    "parse_kin",
    "parse_numbers",
    "parse_standing_number",
    "parse_when",
    "parse_word",
    "split_cell",
]

MAX_KEY: Final = 128
MAX_WORD: Final = 64
_SEPARATORS: Final = re.compile(r"[;,、|\n\t]+")
_WORD_BREAKS: Final = re.compile(r"[\s\-]+")
_COUNT: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)(?:个月|月|天|日|人次|人|次|分|元|户|项|条)?")
_SPOILED: Final = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+[0-9]{1,3}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_WIDE_ALNUM: Final = {0xFF01 + i: 0x21 + i for i in range(94) if chr(0x21 + i).isalnum()}


class Unreadable(ValueError):
    """A cell that says something no table knows; ``code`` is the problem code, ``remedy`` lists what is valid."""

    def __init__(self, code: str, remedy: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.remedy = remedy or remedy_of(code)


_BRACKETS: Final = str.maketrans("〔［【[〕］】]", "(((())))")


def fold(raw: object) -> str:
    """NFKC, trimmed, lower case; whole numbers without their spreadsheet ``.0``. Raises ``Unreadable`` for structures."""
    if isinstance(raw, float):
        raw = int(raw) if raw.is_integer() else raw
    elif isinstance(raw, bool):
        raw = "true" if raw else "false"
    elif not isinstance(raw, str | int):
        raise Unreadable("value.type")
    if isinstance(raw, int) and abs(raw) >= 10**18:
        raise Unreadable("value.type")
    text = unicodedata.normalize("NFKC", str(raw)[:4096]).strip().casefold()
    return text[:-2] if text.endswith(".0") and text[:-2].isdecimal() else text


def is_empty(raw: object) -> bool:
    """True for null and the words of the catalogue that say nothing was recorded (``无`` among them)."""
    return raw is None or (isinstance(raw, str) and (raw == "" or (len(raw) < 16 and fold(raw) in EMPTY_WORDS)))


FLAGS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("是", "有", "1", "y", "yes", "true", "t", "真", "对", "√"), True),
    **dict.fromkeys(("否", "无", "没有", "不是", "0", "n", "no", "false", "f", "假", "×"), False),
}


def parse_flag(raw: object) -> bool | None:
    """是/否, 1/0, Y/N, true/false, 有/无: here 无 is the answer *no*, all other empties are unrecorded."""
    if isinstance(raw, bool) or raw is None:
        return raw
    value = FLAGS.get(raw) if isinstance(raw, str) else None
    if value is not None:
        return value
    text = fold(raw)
    if (value := FLAGS.get(text)) is not None:
        return value
    if text in EMPTY_WORDS:
        return None
    raise Unreadable("code.unknown", "expected one of: 是 否; 有 无; 1 0; Y N; true false; empty means unrecorded")


def parse_count(raw: object, bounds: str = "") -> int | None:
    """A whole number, perhaps with its measure word (``6个月``); ``bounds`` is ``low-high``, or ``yuan`` (cents cut)."""
    if raw is None:
        return None
    text = fold(raw)
    if text in EMPTY_WORDS:
        return None
    if bounds == "yuan":
        text = text.replace(",", "").removeprefix("¥")
    match = _COUNT.fullmatch(text)
    try:
        number = Decimal(match.group(1)) if match else None
    except InvalidOperation:
        number = None
    if number is None or (number != int(number) and bounds != "yuan"):
        raise Unreadable("count.invalid")
    if bounds and bounds != "yuan":
        low, _, high = bounds.partition("-")
        if not int(low) <= number <= int(high):
            raise Unreadable("count.range", f"expected a whole number from {low} to {high}")
    return int(number)


def english(word: str) -> str:
    """An English word as our tables write it: underscores for spaces and hyphens, no apostrophes."""
    return _WORD_BREAKS.sub("_", word.replace("'", "").replace("’", ""))


def _table(name: str) -> dict[object, str]:
    spellings: dict[object, str] = {}
    for other, word in ALIASES.get(name, {}).items():
        spellings[other.casefold()] = spellings[english(other.casefold())] = word
    for number, chinese, word in CODES[name]:
        spellings[word] = spellings[chinese] = word
        if number:
            spellings[number] = word
            if number.isdecimal():
                spellings[int(number)] = word
    return spellings


CODED: Final[Mapping[str, Mapping[object, str]]] = {name: _table(name) for name in CODES}
_VALID: Final[Mapping[str, str]] = {
    name: "expected one of: " + "; ".join(" ".join(dict.fromkeys(filter(None, code))) for code in codes)
    for name, codes in CODES.items()
}


def parse_code(table: str, raw: object) -> str | None:
    """Our English word for a number, a Chinese or an English word of ``table``; its own 无 wins over *empty*."""
    if raw is None:
        return None
    spellings = CODED[table]
    if isinstance(raw, str) and (word := spellings.get(raw)) is not None:
        return word
    if isinstance(raw, bool):
        raise Unreadable("code.unknown", _VALID[table])
    try:
        text = fold(raw)
    except Unreadable:
        raise Unreadable("code.unknown", _VALID[table]) from None
    word = spellings.get(text) or spellings.get(english(text))
    if word is None and text.isdecimal() and len(text) <= 8:
        word = spellings.get(int(text))  # 01 for 1
    if word is None and text not in EMPTY_WORDS:
        raise Unreadable("code.unknown", _VALID[table])
    return word


def parse_codes(table: str, raw: object) -> tuple[str, ...] | None:
    """Several codes in one cell (``1;4``, ``1、4``) or a JSON list, each once, in order."""
    parts = raw if isinstance(raw, list | tuple) else split_cell(raw, _SEPARATORS)
    words = dict.fromkeys(word for part in parts if (word := parse_code(table, part)))
    return tuple(words) or None


def parse_kin(raw: object) -> str | None:
    """GB/T 4761 code or word → the class of KIN_BY_WORD; 98 and 99 are *none*, X1 and X2 former spouse, cohabitant."""
    if raw is None:
        return None
    if isinstance(raw, str) and (known := KIN_BY_WORD.get(raw)):
        return known
    text = fold(raw)
    known = KIN_BY_WORD.get(text) or KIN_BY_WORD.get(english(text)) or KIN_BY_WORD.get(text.removesuffix("关系"))
    if known or text in EMPTY_WORDS:
        return known
    if text in ("98", "99"):
        return "none"
    if text.isdecimal() and (len(text) == 2 or (len(text) == 1 and text != "9")):
        return KIN_BY_DIGIT[text[0]]
    raise Unreadable("code.unknown", _KIN_REMEDY)


_KIN_REMEDY: Final = (
    "expected GB/T 4761: 1x spouse 配偶; 2x 3x child 子女; 4x grandchild 孙子女; 5x parent 父母; 6x grandparent 祖父母; "
    "7x sibling 兄弟姐妹; 8x-97 other kin 其他亲属; 98 99 none 非亲属; X1 former spouse 前配偶; X2 cohabitant 同居"
)


def split_cell(raw: object, separators: re.Pattern[str]) -> list[str]:
    """The folded parts of a cell that holds several things; empty cells have none."""
    if raw is None:
        return []
    text = fold(raw)
    return [] if text in EMPTY_WORDS else [part for part in separators.split(text) if part.strip()]


def parse_word(raw: object) -> str | None:
    """A short opaque code, kept as written (full-width letters and digits made narrow, control characters refused)."""
    if _is_plain(raw, MAX_WORD):
        return raw
    text = _line(raw)
    if text is None or (len(text) < 16 and text.casefold() in EMPTY_WORDS):
        return None
    if len(text) > MAX_WORD:
        raise Unreadable("value.long")
    if _SPOILED.fullmatch(text):
        raise Unreadable("value.ruined")
    return text


def parse_key(raw: object) -> str:
    """The unit's own number: 1 to 128 characters, no control characters. Raises ``Unreadable`` (``key.*``)."""
    if _is_plain(raw, MAX_KEY):
        return raw
    text = _line(raw, "key.invalid")
    if text is None or (len(text) < 16 and text.casefold() in EMPTY_WORDS):
        raise Unreadable("key.missing")
    if len(text) > MAX_KEY:
        raise Unreadable("key.long")
    if _SPOILED.fullmatch(text):
        raise Unreadable("key.invalid")
    return text


def _is_plain(raw: object, most: int) -> TypeGuard[str]:
    """Letters and digits only, not too many, and no word for nothing: what most numbers are."""
    if type(raw) is not str or not raw.isascii() or not raw.isalnum() or len(raw) > most:
        return False
    return len(raw) >= 16 or raw.casefold() not in EMPTY_WORDS


def _line(raw: object, code: str = "value.invalid") -> str | None:
    """One line of text as written, trimmed; numbers as their digits."""
    if raw is None:
        return None
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    if isinstance(raw, bool) or not isinstance(raw, str | int | float) or (isinstance(raw, int) and abs(raw) > 10**40):
        raise Unreadable(code)
    text = str(raw).strip()
    if text.isascii() and text.isalnum():
        return text
    if not text.isascii():
        text = text.translate(_WIDE_ALNUM)
    if not text.isprintable() and _CONTROL.search(text):
        raise Unreadable(code)
    return text


def parse_numbers(raws: tuple[object, ...], own: str = "") -> tuple[str, ...]:
    """Numbers of the same incident elsewhere: each once, in order, without the record's own; unreadable ones dropped."""
    if not raws:
        return ()
    numbers: dict[str, None] = {}
    for raw in raws:
        for part in _SEPARATORS.split(raw.replace("；", ";").replace("，", ",")) if isinstance(raw, str) else (raw,):
            try:
                number = parse_key(part)
            except Unreadable:
                continue
            if number != own:
                numbers[number] = None
    return tuple(numbers)[:32]


def link_form(number: str) -> str:
    """A number as compared between records: one kind and width of brackets, no spaces, upper case.

    >>> link_form("（2024）沪0105民初1号") == link_form("〔2024〕沪０１０５ 民初 1 号") == link_form("[2024]沪0105民初1号")
    True
    """
    if number.isascii() and number.isalnum():
        return number.upper()
    return "".join(unicodedata.normalize("NFKC", number).upper().translate(_BRACKETS).split())


def parse_standing_number(raw: object) -> str | None:
    """The number of a report, duty or message as the hub gave it, however it was typed back."""
    text = parse_word(raw)
    return None if text is None else link_form(text)
