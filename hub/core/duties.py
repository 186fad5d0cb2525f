"""Referrals and follow-ups: every duty D1–D27 that the records of a household owe (policy section 7).

A duty is owed because of records, never of a household; ``settle`` makes what stands equal to what is owed. All that
was ever owed is given, with what closed it, so that a row that stands finds its end. D20 concerns no household
(``oversight.district_duties``), D26 no record that could be read (``oversight.unreadable``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hub.core import aftercare, followups, oversight, rechecks, referrals, special
from hub.core.book import Rule
from hub.core.clocks import Moment
from hub.core.owing import Ground, ground
from hub.core.records import Case, Course, Light, Owed
from hub.core.reminders import told_of

Finder = Callable[[Ground, Rule], Iterator[Owed]]

TABLE: dict[str, Finder] = {
    "D1": followups.d1,
    "D2": followups.visiting(Light.red),
    "D3": followups.visiting(Light.orange),
    "D4": followups.visiting(Light.yellow),
    "D5": followups.visiting(Light.green),
    "D6": aftercare.d6,
    "D7": aftercare.d7,
    "D7b": aftercare.d7b,
    "D8": referrals.d8,
    "D9": referrals.d9,
    "D10": referrals.d10,
    "D11": referrals.d11,
    "D12": followups.d12,
    "D13": referrals.d13,
    "D14": aftercare.d14,
    "D15": referrals.d15,
    "D16": referrals.d16,
    "D17": special.d17,
    "D18": followups.d18,
    "D19": referrals.d19,
    "D21": oversight.d21,
    "D22": oversight.d22,
    "D23": oversight.d23,
    "D24": oversight.d24,
    "D25": oversight.d25,
    "D27": oversight.d27,
    "D28": rechecks.d28,
    "D29": rechecks.d29,
}
"""Duty → what finds it. A district's policy may leave one out (`[duty.D9] enabled = false`)."""

NEEDS: dict[str, tuple[str, ...]] = {
    # duty: what a case must show, one of these at least, or nobody need ask (``signs_of``)
    "D1": ("red", "orange", "yellow", "green"),
    "D2": ("red",),
    "D3": ("orange",),
    "D4": ("yellow",),
    "D5": ("green",),
    "D6": ("admonition_issued",),
    "D7": ("R3",),
    "D7b": ("R3",),
    "D8": ("needs_shelter", "immediate_danger"),
    "D9": ("hurt",),
    "D10": ("wants_order", "R1", "R6", "protection_order"),
    "D11": ("R7",),
    "D12": ("red", "orange"),
    "D13": ("hurt", "icd10"),
    "D14": ("youth_league", "complaint_received"),
    "D15": ("O1", "O4", "Y3"),
    "D16": ("special_household",),
    "D17": ("special_household",),
    "D18": ("red",),
    "D19": ("hurt", "R7"),
    "D21": ("police_call",),
    "D22": ("police_call",),
    "D23": tuple(oversight.BOUND),
    "D24": oversight.CLASSIFIED,
    "D25": tuple(oversight.BOUND),
    "D27": ("evidence_asked_on",),
    "D28": ("override",),
    "D29": ("objection",),
}
_LIGHTS = tuple(light.name for light in Light)
_FACTS = frozenset(("needs_shelter", "immediate_danger", "wants_order", "icd10", "evidence_asked_on"))
_REMEMBERED = 2_000


def signs_of(g: Ground) -> frozenset[str]:
    """What a case shows: kinds and units of its records, lights and rules it ever had, facts that cause duties, injuries."""
    found = set(g.kinds)
    for event in g.events:
        found.add(g.acting(event.key.unit))
        if not _FACTS.isdisjoint(event.facts):
            found.update(_FACTS.intersection(event.facts))
        if g.derived[event.key].injury_rank:
            found.add("hurt")
    for concern in g.course.concerns:
        found.add(concern.rule)
    for span in g.course.spans:
        found.add(_LIGHTS[span.light])
    return frozenset(found)


def asked(g: Ground) -> tuple[tuple[Finder, Rule], ...]:
    """The duties that this case can owe at all, in the order of the table; found once for each set of signs."""
    signs = signs_of(g)
    found = g.book.asked.get(signs)
    if found is None:
        rows = g.book.duties
        found = tuple((TABLE[n], rows[n]) for n in TABLE if n in rows and not signs.isdisjoint(NEEDS[n]))
        if len(g.book.asked) >= _REMEMBERED:
            g.book.asked.clear()
        g.book.asked[signs] = found
    return found


def owed(case: Case, course: Course, policy: Any, moment: Moment, *, read: Ground | None = None) -> list[Owed]:
    """Every duty the case owes or ever owed, with due dates and what closed them.

    ``read`` is the ground if the caller has it already. Only events up to the moment count; the moment remembers the
    next due date.
    """
    g = read or ground(case, course, policy, moment)
    rows: list[Owed] = []
    for find, rule in asked(g):
        rows += find(g, rule)
    if "handover" in g.kinds:
        rows = [rechecks.passed_on(g, row) for row in rows]
    return rows + [told for row in rows for told in told_of(g, row)]
