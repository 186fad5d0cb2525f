"""The languages that people read: English is the source of every message, the catalogue under ``locale`` holds the others."""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from hub.core.sentences import Say

LOCALE = Path(__file__).parent / "locale"
_titles: dict[str, str] = {}


@lru_cache(maxsize=4)
def speak(lang: str) -> Say:
    """The translation of a language; English is the source and always there."""
    if lang == "en":
        return lambda message: message
    catalogue = gettext.translation("hub", LOCALE, ["zh_CN"], fallback=True).gettext

    def say(message: str) -> str:
        said = catalogue(message)
        return _titles.get(message, message) if said == message else said

    return say


def name_units(titles: Mapping[str, str]) -> None:
    """Take what units outside the ten call themselves and their streams (name → title); it replaces what was taken before.

    The catalogue comes first: a title never changes a word of ours.
    """
    _titles.clear()
    _titles.update(titles)
