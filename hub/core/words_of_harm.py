"""Words that speak of harm in what people wrote: for D25 (owed but not made) and D26 (unreadable records).

A list, not a judgement: it only makes a private task for a person, never a report. Negation (未见挫伤) and medical history
(既往挫伤史) are understood; a word counts if one of its places in the text is neither.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from hub.core.harm_words import (
    BEASTS,
    DOUBTED,
    EXPLAINED,
    LATELY,
    LOOK_ALIKES,
    MARKS,
    NEGATION,
    OF_THINGS,
    OTHERS,
    OTHERS_AFTER,
    PAST,
    PAST_AFTER,
    QUOTED,
    QUOTED_AFTER,
    REVIVED,
    SIGNS,
    TELLS,
)  # fmt: skip

HARM = (
    "撕裂", "挫伤", "擦伤", "瘀伤", "淤伤", "瘀青", "淤青", "青紫", "烫伤", "烟头", "骨折", "勒痕", "掐", "勒脖", "被打", "挨打",
    "殴打", "毒打", "打骂", "打伤", "家暴", "虐待", "鞭打", "抽打", "踢打", "扇耳光", "捆绑", "性侵", "猥亵", "强奸", "侵害",
    "遗弃", "体罚", "bruise", "contusion", "laceration", "strangl", "beaten", "abuse", "assault", "battered",
)  # fmt: skip
"""Signs of injury by another's hand, and acts. Policy section 5 names 撕裂, 挫伤, 掐, 被打 "…"."""
DANGER = (
    "家庭暴力", "暴力", "打人", "动手", "砍", "持刀", "刀", "威胁", "杀", "自杀", "自残", "流血", "受伤", "轻伤", "重伤", "救命",
    "离家出走", "失踪", "拐卖", "怀孕", "流产", "无人照料", "危险", "violence", "violent", "knife", "threat", "suicide",
    "danger", "missing", "injur", "pregnan",
)  # fmt: skip
"""Beside ``HARM``, what makes an unreadable record urgent (D26)."""

_CLAUSE, _SENTENCE = "，,。；;！!？?\n", "。；;！!？?\n"
_TITLE = re.compile("《[^》]{0,40}》")
_TRUE = frozenset({"是", "有", "1", "y", "yes", "true", "t"})
_SCALE = ("程度", "等级", "级别", "level", "degree", "priority", "grade")
_HIGH = frozenset(
    {"特急", "紧急", "加急", "急", "危急", "高", "极高", "高危", "严重", "重大", "urgent", "high", "critical", "severe"}
)
_FALSE = frozenset({"否", "无", "0", "n", "no", "false", "f", "", "none", "null", "-", "/", "不详", "未知"})


def speaks_of_harm(text: str) -> bool:
    """Whether a text has a sign of harm that is neither denied, nor history, nor told of others.

    >>> speaks_of_harm("右臂多处挫伤"), speaks_of_harm("未见挫伤"), speaks_of_harm("既往挫伤史"), speaks_of_harm("不排除被打")
    (True, False, False, True)
    >>> speaks_of_harm("孩子说爸爸昨晚又打他"), speaks_of_harm("邻居家孩子被打"), speaks_of_harm("学习《反家庭暴力法》")
    (True, False, False)
    """
    lowered = _TITLE.sub("", text.lower())
    return any(_stands(lowered, sign.start(), sign.end()) for sign in SIGNS.finditer(lowered))


def _stands(text: str, start: int, end: int) -> bool:
    """Whether nothing around a sign speaks against it: its clause before it, its sentence on both sides."""
    clause, sentence = (
        text[_begin(text, start, _CLAUSE) : start],
        text[_begin(text, start, _SENTENCE) : _end(text, end)],
    )
    sign, after = text[start:end], text[end : _end(text, end)]
    if LOOK_ALIKES.match(text, start) or OF_THINGS.search(clause) or BEASTS.search(sign):
        return False
    if MARKS.search(sign) and EXPLAINED.search(sentence) and not DOUBTED.search(sentence):
        return False
    if NEGATION.search(clause) and not REVIVED.search(clause):
        return False
    if (PAST.search(clause + sign) or PAST_AFTER.search(after)) and not LATELY.search(sentence):
        return False
    return not _is_told_of_others(clause, after)


def _is_told_of_others(clause: str, after: str) -> bool:
    if QUOTED.search(clause) or QUOTED_AFTER.search(after) or OTHERS_AFTER.search(after):
        return True
    other = OTHERS.search(clause)
    return other is not None and not TELLS.search(other[1])


def _begin(text: str, at: int, stops: str) -> int:
    return max(text.rfind(stop, 0, at) for stop in stops) + 1


def _end(text: str, at: int) -> int:
    found = [place for stop in _SENTENCE if (place := text.find(stop, at)) >= 0]
    return min(found, default=len(text))


def triage(raw: str | bytes | Mapping[str, object]) -> bool:
    """Whether an unreadable row speaks of violence or of a child in danger (D26): its values, and its flags by their header.

    ``raw`` is the row as JSON or any text. A header alone says nothing: ``{"疑似家暴": "否"}`` is no violence.
    """
    row = _row(raw)
    if row is None:
        return _speaks(raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw), HARM + DANGER)
    for header, value in _flat(row):
        text = str(value).strip()
        if text.lower() in _FALSE:
            continue
        if _speaks(text, HARM + DANGER) or (_is_stated(header, text.lower()) and _names_danger(header)):
            return True
    return False


def _speaks(text: str, words: Iterable[str]) -> bool:
    lowered = text.lower()
    return any(_counts(lowered, at) for word in words for at in _places(lowered, word))


def _places(text: str, word: str) -> Iterable[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


def _counts(text: str, start: int) -> bool:
    before = text[_begin(text, start, _CLAUSE) : start]
    return not (NEGATION.search(before) and not REVIVED.search(before)) and not PAST.search(before)


def _is_stated(header: str, text: str) -> bool:
    """Whether a cell says yes; of a scale only a word of height does, for 1 may be its lowest or its highest."""
    if any(word in header.lower() for word in _SCALE):
        return text in _HIGH
    return text in _TRUE or text in _HIGH


def _names_danger(header: str) -> bool:
    name = header.lower()
    return any(word in name for word in (*HARM, *DANGER, "紧急", "庇护", "immediate", "needs_shelter", "sexual"))


def _row(raw: str | bytes | Mapping[str, object]) -> Mapping[str, object] | None:
    if isinstance(raw, Mapping):
        return raw
    try:
        value = json.loads(raw)
    except ValueError:
        return None
    return value if isinstance(value, dict) else {"": value}


def _flat(row: Mapping[str, object]) -> Iterable[tuple[str, object]]:
    for header, value in row.items():
        if isinstance(value, Mapping):
            yield from _flat(value)
        elif isinstance(value, list):
            for one in value:
                yield from _flat(one) if isinstance(one, Mapping) else [(header, one)]
        elif value is not None:
            yield header, value
