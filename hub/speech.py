"""The languages that people read: English is the source of every message, the catalogue under ``locale`` holds the others."""

from __future__ import annotations

import gettext
from functools import lru_cache
from pathlib import Path

from hub.core.sentences import Say

LOCALE = Path(__file__).parent / "locale"


@lru_cache(maxsize=4)
def speak(lang: str) -> Say:
    """The translation of a language; English is the source and always there."""
    if lang == "en":
        return lambda message: message
    return gettext.translation("hub", LOCALE, ["zh_CN"], fallback=True).gettext
