"""Follow-up visits on a timeline: who was met, how, when; and whether a unit's visit is overdue (S10, S11)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from hub.core.clocks import closing, day_of, days_between
from hub.core.records import Event, Light
from hub.core.timeline import Derived

_TERM = re.compile(r"(\d+)([hd])")


class Visit(NamedTuple):
    """One visit that met somebody; *not reached* is no visit."""

    at: datetime
    day: date
    unit: str
    calm: bool
    in_person: bool
    counts_from: datetime  # a date counts towards a closing from its last moment (S1)


class Rhythm(NamedTuple):
    """How often the row of D2 or D3 lets a unit wait, in days since the concern opened."""

    units: tuple[str, ...]
    first: int
    then: int
    later: int
    dense_days: int  # `then` holds while fewer days have passed since the opening, `later` after


def visit_of(event: Event, derived: Derived) -> Visit | None:
    """The visit that an event is, if somebody was met."""
    if not derived.reached:
        return None
    at = event.facts.get("at")
    counts = closing(at) if isinstance(at, date) else event.at
    return Visit(event.at, event.at.date(), event.key.unit, derived.calm, derived.in_person, max(counts, event.at))


def visit_clock(visits: Iterable[Visit], units: Sequence[str]) -> Mapping[str, date | None]:
    """The day of each unit's last visit that met somebody; None: never."""
    last: dict[str, date | None] = dict.fromkeys(units)
    for visit in visits:
        known = last.get(visit.unit)
        if visit.unit in last and (known is None or visit.day > known):
            last[visit.unit] = visit.day
    return last


def overdue_units(visits: Iterable[Visit], rhythm: Rhythm, opened: datetime, oldest: datetime, day: date) -> list[str]:
    """Units whose interval since their last visit (else since ``opened``) is longer than allowed on ``day``."""
    passed = days_between(oldest, day)
    allowed = rhythm.first if passed <= rhythm.first else rhythm.then if passed < rhythm.dense_days else rhythm.later
    clock = visit_clock(visits, rhythm.units)
    return [unit for unit, last in clock.items() if days_between(last or day_of(opened), day) > allowed]


def rhythms(raw: Mapping[str, Any]) -> Mapping[Light, Rhythm]:
    """The rows D2 (red) and D3 (orange) of the policy as rhythms."""
    rows = {row["id"]: row for row in raw.get("duty", ())}
    found = {}
    for light, name in ((Light.red, "D2"), (Light.orange, "D3")):
        if name in rows:
            first, then, later = (_days(term) for term in rows[name]["due"][:3])
            dense = int(rows[name].get("dense_days", first + then))
            found[light] = Rhythm(tuple(rows[name]["to"]), first, then, later, dense)
    return found


def _days(term: str) -> int:
    match = _TERM.fullmatch(term.strip())
    if match is None:
        return 0
    return -(-int(match[1]) // 24) if match[2] == "h" else int(match[1])
