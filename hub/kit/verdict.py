"""Running the table: each check to its result, the results to a level that nobody can claim."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple

from hub.core.errors import ConfigurationError
from hub.kit.bench import PATIENCE, Died, Failed, Forge, Hung, Refused
from hub.kit.checks import CHECKS, LEVELS, Check
from hub.kit.target import Target
from hub.kit.work import Exempt, Work
from hub.sdk.manifest import FILE, read_manifest

__all__ = ["Result", "Verdict", "examine", "is_enough"]

MOST_FOUND = 5
"""Sentences kept of one check: what comes after them is mostly the same mistake."""


class Result(NamedTuple):
    """How one check ended: passed, failed (with what was found), exempt (with why), or skipped."""

    check: Check
    state: str
    found: tuple[str, ...] = ()
    seconds: float = 0.0


class Verdict(NamedTuple):
    """What the kit has to say of one connector. ``level`` is empty below bronze."""

    connector: str
    results: tuple[Result, ...]

    @property
    def level(self) -> str:
        """The highest level of which, and below which, nothing failed or was skipped."""
        reached = ""
        for level in LEVELS:
            if any(r.state in ("failed", "skipped") for r in self.results if r.check.level == level):
                break
            reached = level
        return reached

    def as_json(self) -> dict[str, Any]:
        """The document of `hub connectors test --json`."""
        return {
            "connector": self.connector,
            "level": self.level or None,
            "checks": [
                {
                    "id": check.id, "level": check.level, "state": state, "proves": check.proves,
                    "proves_zh": check.proves_zh, "found": list(found), "remedy": check.remedy,
                    "remedy_zh": check.remedy_zh, "seconds": round(seconds, 3),
                }
                for check, state, found, seconds in self.results
            ],
        }  # fmt: skip


def is_enough(level: str, required: str) -> bool:
    """Whether ``level`` reaches ``required``."""
    return level in LEVELS[LEVELS.index(required) :]


def examine(
    target: Target,
    *,
    only: Collection[str] | None = None,
    patience: float = PATIENCE,
    forge: Forge | None = None,
    done: Callable[[Result], None] = lambda result: None,
) -> Verdict:
    """Run every check (of ``only``) on one connector; ``done`` hears each result as it comes.

    ``patience``: seconds a child of the connector may be silent. ``forge``: of the caller, for several runs.
    """
    checks = [check for check in CHECKS if only is None or check.id in only]
    results: list[Result] = []
    for result in _results(target, checks, patience, forge):
        results.append(result)
        done(result)
    return Verdict(target.name, tuple(results))


def _results(target: Target, checks: Sequence[Check], patience: float, forge: Forge | None) -> Iterator[Result]:
    try:
        manifest = read_manifest(target.folder / FILE)
    except ConfigurationError as error:
        for check in checks:
            is_it = check.id == "manifest.valid"
            yield Result(check, "failed" if is_it else "skipped", tuple(str(error).splitlines()) if is_it else ())
        return
    blocked = False
    with Work(target, manifest, patience=patience, forge=forge) as work:
        for check in checks:
            if blocked and check.run.__module__ != "hub.kit.declared":
                yield Result(check, "skipped")
                continue
            result = _run(check, work)
            blocked = blocked or (result.state == "failed" and not _is_loadable(work))
            yield result


def _is_loadable(work: Work) -> bool:
    try:
        return work.calm is not None
    except (Refused, Died, Hung):
        return False


def _run(check: Check, work: Work) -> Result:
    started = time.monotonic()
    state, found = _judged(check, work)
    return Result(check, state, found, time.monotonic() - started)


def _judged(check: Check, work: Work) -> tuple[str, tuple[str, ...]]:
    found: list[str] = []
    try:
        for what in check.run(work):
            found.append(what)
            if len(found) >= MOST_FOUND:
                break
    except Exempt as exempt:
        return ("failed", tuple(found)) if found else ("exempt", (str(exempt),))
    except Refused as refused:
        found.append(f"it is refused: {refused}")
    except Died:
        found.append("the process ended")
    except Hung:
        found.append("no answer in time")
    except Failed as failed:
        found.append(f"it fails: {failed}")
    return ("failed" if found else "passed"), tuple(found)
