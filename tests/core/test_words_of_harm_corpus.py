"""The planted corpus of policy section 5, "owed but not made": what the words find and what they leave alone.

The words were fitted to these narratives, so the figures here are a floor that must not fall, not a forecast. On sentences
that they had not seen (`later.toml`, `latest.toml`, `third.toml`, before the words learnt from them) they found 50, 55 and 60 of
100, and of those finds 37, 39 and 0 of 100 were none: a district should feed its own false and missed notes back into the files.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from hub.core.harm_words import SIGN_WORDS, SIGNS
from hub.core.words_of_harm import speaks_of_harm

FILES = sorted((Path(__file__).parent / "cases_harm").glob("*.toml"))


class Narrative(NamedTuple):
    unit: str
    kind: str
    owed: bool
    text: str


def corpus() -> list[Narrative]:
    """Every planted narrative, in order of the files."""
    found = []
    for file in FILES:
        told = tomllib.loads(file.read_text("utf-8"))
        found += [Narrative(told["unit"], g["kind"], g["owed"], text) for g in told["group"] for text in g["texts"]]
    return found


def figures(narratives: list[Narrative]) -> tuple[float, float, list[Narrative]]:
    """(recall, share of false among the found, every mistake)."""
    found = [n for n in narratives if speaks_of_harm(n.text)]
    true = sum(n.owed for n in found)
    mistakes = [n for n in narratives if speaks_of_harm(n.text) is not n.owed]
    return true / sum(n.owed for n in narratives), (len(found) - true) / max(1, len(found)), mistakes


def test_the_corpus_is_large_and_says_nothing_twice() -> None:
    """At least 300 different narratives of seven units, and every kind of both answers."""
    narratives = corpus()

    assert len({n.text for n in narratives}) == len(narratives) >= 300
    assert len({n.unit for n in narratives}) >= 7
    assert {n.kind for n in narratives if not n.owed} >= {"denied", "past", "quoted or of others", "look-alikes"}


def test_recall_and_false_alarms() -> None:
    """At least 95 of 100 planted narratives of harm are found, and at most one of 20 found is none."""
    recall, false, mistakes = figures(corpus())

    assert recall >= 0.95, mistakes
    assert false <= 0.05, mistakes


@pytest.mark.parametrize("unit", sorted({n.unit for n in corpus()}))
def test_no_unit_is_left_behind(unit: str) -> None:
    """The words know the way each unit writes: nowhere are fewer than nine of ten found."""
    recall, false, mistakes = figures([n for n in corpus() if n.unit == unit])

    assert recall >= 0.9, mistakes
    assert false <= 0.1, mistakes


def test_the_first_letters_lose_no_sign() -> None:
    """Looking at the first letter alone leaves out no place that the whole list would find."""
    every = re.compile(SIGN_WORDS)

    for narrative in corpus():
        text = narrative.text.lower()
        assert [m.span() for m in SIGNS.finditer(text)] == [m.span() for m in every.finditer(text)], narrative
