"""One situation told to the hub's core and to the reference: where do they differ? And the smallest one that shows it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from hub.core.assess import Assessment, assess
from hub.core.clocks import Moment
from hub.core.editions import load_editions
from hub.core.policy import load_policy
from hub.core.rules import Policy
from tests.reference import core_side
from tests.reference.incidents import reported
from tests.reference.lights import Walk, lights
from tests.reference.opens import is_ours
from tests.reference.owed import COVERED, owed
from tests.reference.people import Row
from tests.reference.steps import Life

FOLDER = Path(__file__).parents[2] / "hub" / "policies"


class Situation(NamedTuple):
    """Everything both sides are told: current records, silences, the reports that exist, and the moment."""

    rows: tuple[Row, ...]
    silences: tuple[Row, ...]
    reports: tuple[Row, ...]
    now: datetime
    edition: Row | None = None

    @classmethod
    def of(cls, life: Life) -> Situation:
        return cls(
            tuple(row for row in life.rows() if is_ours(row)),
            tuple(life.silences),
            tuple(life.reports),
            life.now,
            life.edition,
        )


@lru_cache(maxsize=256)
def policy(edition: str = "") -> Policy:
    """Ours; ``edition`` is the overlay that follows from a day on."""
    calendars = {int(f.stem): f.read_bytes() for f in (FOLDER / "calendar").glob("[0-9]*.toml")}
    text = (FOLDER / "district-2021-08-30.toml").read_bytes()
    return load_editions([text], [edition.encode()], calendars) if edition else load_policy(text, None, calendars)


def overlay(edition: Row | None) -> str:
    """An edition as the overlay file of a district."""
    if edition is None:
        return ""
    numbers = "".join(f"{name} = {count}\n" for name, count in edition["numbers"].items())
    return f'level = "district"\neffective_from = {edition["from"]}\n[numbers]\n{numbers}'


def slowly(here: Situation, at: datetime | None = None) -> Walk:
    """The reference's answer."""
    return lights(
        list(here.rows), at or here.now, silences=list(here.silences), reports=list(here.reports), edition=here.edition
    )


def difference(here: Situation, *, dates: bool = True) -> str:
    """What the two answers do not agree on; nothing: the empty text. ``dates``: also until when nothing changes."""
    slow, moment = slowly(here), Moment(here.now, core_side.silences(here.silences))
    fast = assess(core_side.case(here.rows, here.reports), policy(overlay(here.edition)), moment)
    return (
        light_differs(slow, fast)
        or owed_differs(slow, fast)
        or reports_differ(here, fast)
        or twice_named(fast)
        or (date_differs(here, moment) if dates else "")
    )


def light_differs(slow: Walk, fast: Assessment) -> str:
    is_open = [c.rule for c in fast.concerns if c.until is None]
    green = all(rule in ("G1", "P1", "P2") for rule in is_open)
    open_rules = sorted(rule for rule in is_open if rule != "G1" or green)
    if (slow.shown_light(), slow.open_rules()) != (fast.light.name, open_rules):
        return f"reference {slow.shown_light()} {slow.open_rules()}, core {fast.light.name} {open_rules}"
    told = [(span.since, span.light.name) for span in fast.spans]
    return "" if slow.shown == told else f"the lights until then: reference {slow.shown}, core {told}"


def owed_differs(slow: Walk, fast: Assessment) -> str:
    """The open duties of ``COVERED``: unit and due date. A D11 that a report asks for is told by the ladder's own tests."""
    told = sorted(
        (o.what, o.to, f"{o.due:%Y-%m-%d %H:%M}")
        for o in fast.owed
        if o.what in COVERED and o.live and o.closed is None and (o.what != "D11" or o.slot == "R7")
    )
    found = owed(slow)
    return "" if found == told else f"owed: reference {set(found) - set(told)}, core {set(told) - set(found)}"


def reports_differ(here: Situation, fast: Assessment) -> str:
    """Which incidents are reported, by which rule: a report that stands keeps the rule it went out under."""
    standing = set().union(*(report["causes"] for report in here.reports))
    found = reported([row for row in here.rows if row["at"] <= here.now], [])
    told = [(o.what, {tuple(key) for key in o.causes}) for o in fast.owed if re.fullmatch("M[1-7]", o.what) and o.live]
    for report in found:
        if not any(report["causes"] == keys and (what == report["rule"] or keys & standing) for what, keys in told):
            return f"report {report['rule']} on {report['causes']}: core {told}"
    return "" if len(found) == len(told) else f"reports: reference {found}, core {told}"


def twice_named(fast: Assessment) -> str:
    """Two things that one record makes owed, told apart by nothing: settling would take them for one (S25)."""
    named: dict[tuple[object, ...], set[tuple[object, ...]]] = {}
    for one in fast.owed:
        for cause in one.causes:
            named.setdefault((one.what, one.to, one.slot, cause), set()).add((one.opened, one.due))
    twice = [(*name, found) for name, found in named.items() if len(found) > 1]
    return f"one name for two: {twice}" if twice else ""


def date_differs(here: Situation, moment: Moment) -> str:
    """Before ``valid_until`` the reference does not change its light."""
    until = moment.valid_until or here.now + timedelta(days=1500)
    later = slowly(here, until - timedelta(microseconds=1))
    changed = next((when for when, _ in later.shown if when > here.now), None)
    return f"valid until {moment.valid_until}, but the reference changes at {changed}" if changed else ""


def smallest(here: Situation, differs: Callable[[Situation], str] = difference) -> Situation:
    """The situation without every row, silence, report and older version that the difference does not need."""
    shrunk = True
    while shrunk:
        shrunk = False
        for smaller in _smaller(here):
            if differs(smaller):
                here, shrunk = smaller, True
                break
    return here


def _smaller(here: Situation) -> list[Situation]:
    found = []
    for name in ("rows", "silences", "reports"):
        items = getattr(here, name)
        found += [
            here._replace(**{name: items[:n] + items[n + 1 :]})
            for n, item in enumerate(items)
            if name != "reports" or not any(row["facts"].get("report_no") == item["no"] for row in here.rows)
        ]
    found += [here._replace(edition=None)] if here.edition else []
    for n, row in enumerate(here.rows):
        if row["path"]:
            found.append(here._replace(rows=(*here.rows[:n], {**row, "path": []}, *here.rows[n + 1 :])))
    return found


def to_json(here: Situation) -> str:
    return json.dumps(here._asdict(), default=_plain, ensure_ascii=False, indent=1)


def from_json(text: str) -> Situation:
    told = _typed(json.loads(text))
    reports = tuple({**r, "causes": {tuple(key) for key in r["causes"]}} for r in told["reports"])
    return Situation(tuple(told["rows"]), tuple(told["silences"]), reports, told["now"], told.get("edition"))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else sorted(value)


def _typed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _typed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if isinstance(value, str) and value[4:5] == value[7:8] == "-":
        return datetime.fromisoformat(value) if len(value) > 10 else date.fromisoformat(value)
    return value
