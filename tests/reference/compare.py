"""One life told to the hub's core and to the reference: where do they differ?"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from hub.core.assess import Assessment, assess
from hub.core.clocks import Moment
from hub.core.policy import load_policy
from hub.core.rules import Policy
from tests.reference import core_side
from tests.reference.lights import Walk, lights
from tests.reference.people import Row
from tests.reference.steps import Life

FOLDER = Path(__file__).parents[2] / "hub" / "policies"


@lru_cache
def policy() -> Policy:
    calendars = {int(f.stem): f.read_bytes() for f in (FOLDER / "calendar").glob("[0-9]*.toml")}
    return load_policy((FOLDER / "district-2021-08-30.toml").read_bytes(), None, calendars)


def by_core(life: Life, rows: list[Row]) -> tuple[Assessment, Moment]:
    moment = Moment(life.now, core_side.silences(life.silences))
    return assess(core_side.case(rows, life.reports), policy(), moment), moment


def difference(life: Life) -> str:
    """What the two answers do not agree on at this moment; nothing: the empty text."""
    rows = life.rows()
    slow = lights(rows, life.now, silences=life.silences, reports=life.reports)
    fast, moment = by_core(life, rows)
    return light_differs(slow, fast) or date_differs(life, rows, slow, moment)


def light_differs(slow: Walk, fast: Assessment) -> str:
    green = fast.light.name == "green"
    open_rules = sorted(c.rule for c in fast.concerns if c.until is None and (c.rule != "G1" or green))
    if (slow.light(), slow.open_rules()) != (fast.light.name, open_rules):
        return f"reference {slow.light()} {slow.open_rules()}, core {fast.light.name} {open_rules}"
    told = [(span.since, span.light.name) for span in fast.spans]
    return "" if slow.lights == told else f"the lights until then: reference {slow.lights}, core {told}"


def date_differs(life: Life, rows: list[Row], slow: Walk, moment: Moment) -> str:
    """``valid_until`` is not later than the first date on which the reference changes."""
    if moment.valid_until is None or moment.valid_until > life.now + timedelta(days=1):
        until = moment.valid_until or life.now + timedelta(days=1500)
        changed = next_change(life, rows, slow, until)
        if changed is not None:
            return f"valid until {moment.valid_until}, but the reference changes at {changed}"
    return ""


def next_change(life: Life, rows: list[Row], slow: Walk, before: datetime) -> datetime | None:
    """When the light changes next if nothing arrives, before a date."""
    later = lights(rows, before - timedelta(microseconds=1), silences=life.silences, reports=life.reports)
    return next((when for when, _ in later.lights if when > life.now), None)
