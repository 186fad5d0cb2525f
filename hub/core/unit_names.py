"""Names of units as people write them on reviews and plans: full, short or in English, in any order and separator."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from hub.core.codes import UNITS
from hub.core.values import english, fold, split_cell

__all__ = ["parse_unit", "parse_units"]

_SEPARATORS: Final = re.compile(r"[;,、|/+&\n\t。和与及]+")
_BY_NAME: Final = {english(name.casefold()): unit for unit, names in UNITS.items() for name in (unit, *names)}
_BY_END: Final[Mapping[str, str]] = {
    "公安局": "police", "公安分局": "police", "派出所": "police", "法院": "court", "检察院": "procuratorate",
    "司法局": "justice", "司法所": "justice", "民政局": "civil_affairs", "教育局": "education", "卫健委": "health",
    "卫生健康委员会": "health", "妇联": "womens_federation", "妇女联合会": "womens_federation", "团区委": "youth_league",
    "网格平台": "community_grid", "_court": "court", "_procuratorate": "procuratorate",
    "_justice_bureau": "justice", "_womens_federation": "womens_federation", "_youth_league": "youth_league",
}  # fmt: skip
"""How a unit's full name ends, whatever district stands before it; short words alone (教育, 社区) prove nothing."""


def parse_unit(raw: object) -> str | None:
    """Our name for a unit written in full, short or in English, a district's name before it or not; None if unknown."""
    if raw is None:
        return None
    name = english(fold(raw))
    if found := _BY_NAME.get(name):
        return found
    return next((unit for end, unit in _BY_END.items() if name.endswith(end)), None)


def parse_units(raw: object) -> tuple[str, ...] | None:
    """Units named in one cell, any separator; unknown names and repeats do not count (S20)."""
    if isinstance(raw, list | tuple):
        found = [parse_unit(part) for part in raw]
    else:
        found = []
        for part in split_cell(raw, _SEPARATORS):
            words = part.split()
            whole = parse_unit(part) if len(words) == 1 or part.isascii() else None
            found.extend([whole] if whole else [parse_unit(word) for word in words])
    return tuple(dict.fromkeys(unit for unit in found if unit)) or None
