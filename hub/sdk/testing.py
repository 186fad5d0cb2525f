"""The kit's door: a connector's standard test is three lines.

    from hub.sdk.testing import conformance

    def test_conformance() -> None:
        conformance("name", level="gold")

``hub connectors test NAME`` says the same on the command line, check by check.
"""

from __future__ import annotations

from hub.kit.checks import LEVELS
from hub.kit.target import find_target
from hub.kit.verdict import examine, is_enough

__all__ = ["LEVELS", "conformance"]


def conformance(name: str, *, level: str = "bronze") -> str:
    """Run the conformance kit on the connector ``name`` (or the package in the folder ``name``); the level it reaches.

    Raises AssertionError below ``level``, with each failed check, what it found and what to do. ConfigurationError when
    there is no such connector.
    """
    verdict = examine(find_target(name))
    if is_enough(verdict.level, level):
        return verdict.level
    below = LEVELS[: LEVELS.index(level) + 1]
    lines = [
        f"{result.check.id} ({result.check.level}): {'; '.join(result.found) or result.state}\n    to do: {result.check.remedy}"
        for result in verdict.results
        if result.state in ("failed", "skipped") and result.check.level in below
    ]
    raise AssertionError(f"{name} is {verdict.level or 'below bronze'}, {level} was asked for:\n" + "\n".join(lines))
