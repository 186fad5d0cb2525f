"""The light, case by case: every rule, reading, way down and exact rule as a situation that a lawyer can read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.core.light_cases import case, look, read_cases, said

CASES = list(read_cases())


@pytest.mark.parametrize("one", CASES, ids=lambda one: f"{one['file']}: {one['name']}")
def test_case(one: Mapping[str, Any]) -> None:
    """Every look at the household shows the light and the open rules that the policy says."""
    found = case(one)

    assert [said(look(one, found, text.split()[0]), text) for text in one["looks"]] == one["looks"]


def test_every_rule_has_a_case() -> None:
    """Each rule, reading and exact rule that concerns lights is named by at least one case."""
    named = set(re.findall(r"\b[A-Z]\d{1,2}\b", " ".join(one["name"] for one in CASES)))
    rules = {f"R{n}" for n in range(1, 10)} | {f"O{n}" for n in range(1, 7)} | {f"Y{n}" for n in range(1, 5)}
    rules |= {"G1", "T1", "E1", "E2"} | {f"A{n}" for n in range(1, 9)}
    exact = {f"S{n}" for n in range(1, 34)} - {"S5", "S13", "S23", "S26"}

    assert (rules | exact) - named == set()
