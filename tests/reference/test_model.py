"""The core against the slow and obvious reference: random lives, 0 differences. The million is ``benchmarks/model.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reference.compare import Situation, difference, from_json, smallest, to_json
from tests.reference.steps import Life

STEPS = 18


@pytest.mark.parametrize("first", range(0, 160, 20))
def test_core_and_reference_agree_after_every_step(first: int) -> None:
    """Lights, open concerns and the whole history of the light are the same, and nothing changes before its date."""
    for seed in range(first, first + 20):
        life = Life(seed)
        for _ in range(STEPS):
            life.step()

            assert not difference(Situation.of(life)), f"seed {seed}\n" + "\n".join(life.told)


def test_a_failing_situation_shrinks_and_can_be_replayed() -> None:
    """What is printed of a difference is small, and reads back as the same situation."""
    life = Life(1)
    for _ in range(STEPS):
        life.step()
    here = Situation.of(life)
    small = smallest(here, lambda s: "a row is left" if s.rows else "")

    assert len(here.rows) > len(small.rows) == 1
    assert from_json(to_json(here)) == here


@pytest.mark.parametrize("path", sorted((Path(__file__).parent / "found").glob("*.json")), ids=lambda path: path.stem)
def test_what_was_found_stays_found(path: Path) -> None:
    """Situations in which the core and the reference once differed."""
    assert difference(from_json(path.read_text(encoding="utf-8"))) == ""
