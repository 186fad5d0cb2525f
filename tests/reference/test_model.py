"""The core against the slow and obvious reference: random lives, 0 differences. The million is ``benchmarks/model.py``."""

from __future__ import annotations

import pytest

from tests.reference.compare import difference
from tests.reference.steps import Life

STEPS = 18


@pytest.mark.parametrize("first", range(0, 120, 20))
def test_core_and_reference_agree_after_every_step(first: int) -> None:
    """Lights, open concerns and the whole history of the light are the same, and nothing changes before its date."""
    for seed in range(first, first + 20):
        life = Life(seed)
        for _ in range(STEPS):
            life.step()

            assert not difference(life), f"seed {seed}: {difference(life)}\n" + "\n".join(life.told)
