"""Editions of a policy side by side: the event's date picks the law, the day picks the counts (policy as data, with time).

A policy is one or more files, each with ``effective_from``, and overlays in order: a province's before a district's,
each perhaps with an ``effective_from`` of its own. Every such day makes an edition: the newest file in force, with every
overlay in force laid over it. The first edition carries the later ones; nothing is ever overwritten.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from hub.core.clocks import start_of_day
from hub.core.errors import ConfigurationError
from hub.core.policy import ABOUT, compiled, lay_over, read_toml
from hub.core.rules import Policy

LEVELS: Final = {"law": 0, "province": 1, "": 2, "district": 2}
"""Which overlay is laid first: a law's edition, the province's, the district's."""


WORDS: Final = frozenset({"title", "clause", "law", "basis"})
"""Fields of a row that say where a rule comes from, and change no light."""


class Source(NamedTuple):
    """One file or overlay as read: from which day, of which level, its table and bytes."""

    since: date
    level: int
    raw: Mapping[str, Any]
    text: bytes


def load_editions(
    policies: Sequence[bytes],
    overlays: Sequence[bytes] = (),
    calendars: Mapping[int, bytes] | None = None,
    deadlines: Mapping[str, timedelta] | None = None,
    stands_for: Mapping[str, str] | None = None,
) -> Policy:
    """The first edition with the later ones in it. Raises ``ConfigurationError``: what is wrong, and in which file."""
    files = sorted((_source(text, "policy") for text in policies), key=lambda s: s.since)
    if not files:
        raise ConfigurationError("no policy file", code="policy.invalid", remedy="name one in [policy] file")
    laid = sorted((_source(text, "overlay") for text in overlays), key=lambda s: (s.level, s.since))
    days = sorted({source.since for source in (*files, *laid)} | {files[0].since})
    days = [day for day in days if day >= files[0].since]
    editions = [_edition(day, files, laid, calendars or {}, deadlines or {}, stands_for or {}) for day in days]
    first, *rest = editions
    later, before = [], first
    for edition in rest:
        if _effects(edition.raw) != _effects(before.raw):
            later.append(edition)
            before = edition
    cites = tuple((e.since, e.clauses) for e in rest if e.since is not None and e.clauses != first.clauses)
    return replace(first, later=tuple(later), cites=cites) if rest else first


def _effects(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The document without its words: two that differ in clause, law or title only judge alike."""
    told = {name: value for name, value in raw.items() if name not in ABOUT}
    return {
        name: [{k: v for k, v in row.items() if k not in WORDS} for row in value] if isinstance(value, list) else value
        for name, value in told.items()
    }


def _source(text: bytes, what: str) -> Source:
    raw = read_toml(text, what)
    since = raw.get("effective_from", date.min)
    level = str(raw.get("level", ""))
    if isinstance(since, datetime):
        since = since.date()
    if not isinstance(since, date):
        raise ConfigurationError(
            f"{what}: effective_from is no day", code="policy.invalid", remedy="write effective_from = 2026-01-01"
        )
    if level not in LEVELS:
        raise ConfigurationError(
            f"{what}: no level {level!r}",
            code="policy.invalid",
            remedy=f"write one of {', '.join(filter(None, LEVELS))}",
        )
    return Source(since, LEVELS[level], raw, text)


def _edition(
    day: date,
    files: Sequence[Source],
    overlays: Sequence[Source],
    calendars: Mapping[int, bytes],
    deadlines: Mapping[str, timedelta],
    stands_for: Mapping[str, str],
) -> Policy:
    """What is in force from ``day``: the newest file, and every overlay that has begun."""
    base = [source for source in files if source.since <= day][-1]
    raw = copy.deepcopy(dict(base.raw))
    laid = [source for source in overlays if source.since <= day]
    for source in laid:
        lay_over(raw, source.raw)
    sources = base.text + b"\0" + b"\0".join(source.text for source in laid)
    made = compiled(raw, sources, calendars, deadlines, stands_for)
    if day == files[0].since or day == date.min:
        return made
    version = f"{raw.get('name', 'policy')}-{day}+{made.version.rpartition('+')[2]}"
    return replace(made, since=start_of_day(day), version=version)


def sources_of(policies: Sequence[bytes], overlays: Sequence[bytes]) -> list[dict[str, Any]]:
    """What is laid over what, from when: for people who ask which policy is in force."""
    found = [(_source(text, "policy"), "policy") for text in policies]
    found += [(_source(text, "overlay"), "overlay") for text in overlays]
    return [
        {
            "what": what,
            "name": str(source.raw.get("name", "")),
            "level": str(source.raw.get("level", "")),
            "effective_from": None if source.since == date.min else source.since.isoformat(),
        }
        for source, what in found
    ]
