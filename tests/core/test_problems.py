"""The table of problem codes."""

from __future__ import annotations

import re

from hub.core.problems import PROBLEMS, remedy_of, text_of


def test_every_code_is_dotted_and_said_twice() -> None:
    """A code is family and word; its title and remedy exist in English and Chinese."""
    for code, text in PROBLEMS.items():
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", code)
        assert all(text)
        assert text.english.isascii()
        assert re.search(r"[一-鿿]", text.chinese)
        assert re.search(r"[一-鿿]", text.remedy_zh)


def test_the_codes_of_the_contract_are_there() -> None:
    """Codes that departments were told never go away."""
    promised = {
        "code.unknown", "date.invalid", "date.order", "date.future", "key.missing", "field.missing", "id_number.ruined",
        "id_number.checksum", "person.none", "report.unknown", "hub.defect", "idempotency.conflict",
    }  # fmt: skip
    assert promised <= set(PROBLEMS)


def test_unknown_code_explains_itself_by_name() -> None:
    """A code that no table knows still has words."""
    assert text_of("some.thing").english == "some.thing"
    assert remedy_of("some.thing") == ""
    assert remedy_of("date.invalid", "zh_CN") == PROBLEMS["date.invalid"].remedy_zh
