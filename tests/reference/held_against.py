"""A district's store held against the reference: who is meant, which household, what light, which concerns, what is owed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from hub.store.times import from_us
from tests.line.line_kit import Line
from tests.reference.incidents import Key, key, reported
from tests.reference.lights import COLOURS, Walk
from tests.reference.lights import lights as walk
from tests.reference.meant import Label, Meant, spot
from tests.reference.owed import COVERED, owed
from tests.reference.people import Row

EVERYTHING = {
    "places": "SELECT e.record_id, e.household_id, e.why FROM event_place e JOIN record r ON r.id = e.record_id ORDER BY 1, 2",
    "persons": "SELECT record_id, idx, person_id FROM party ORDER BY 1, 2",
    "members": "SELECT household_id, person_id, role, born, capacity, since, until FROM membership ORDER BY 1, 2",
    "households": "SELECT id, registered, provisional, light, since, assessment FROM household"
    " WHERE successor_id IS NULL AND id IN (SELECT household_id FROM event_place) ORDER BY 1",
}  # fmt: skip
"""What a ruling changes, and what taking it back must give back to the number."""
NUMBERED = (
    "SELECT no FROM owed WHERE (what IN ('D23', 'D24') AND state IN ('open', 'accepted'))"
    " OR (what LIKE 'M_' AND state <> 'cancelled') ORDER BY no"
)
"""What is owed because of one record alone: it goes wherever its record goes, under its number (S25)."""


class HeldAgainst:
    """The store of one line; the reports that exist by what the reference has seen."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.reports: list[Row] = []

    def everything(self) -> dict[str, list[Any]]:
        return {name: self.line.rows(query) for name, query in EVERYTHING.items()}

    def numbered(self) -> list[str]:
        return [str(no) for (no,) in self.line.rows(NUMBERED)]

    def differences(self, meant: Meant, said: list[Row]) -> list[str]:
        """By household; ``said``: objections and answers of the families of the register, by ``home``."""
        places = self.places()
        found = self.persons_differ(meant)
        for root, rows in meant.households().items():
            stands = {tuple(places.get(key(row), ())) for row in rows}
            if len(stands) != 1 or len(next(iter(stands))) != 1:
                found.append(f"{root}: {[(key(row), places.get(key(row))) for row in rows]}")
                continue
            ((household,),) = stands
            mine = {key(row) for row in rows}
            others = [known for known, at in places.items() if household in at and known not in mine]
            if others:
                found.append(f"{root}: beside {mine} also {others}")
                continue
            found += [f"{root} ({len(rows)} rows): {d}" for d in self.compare(household, meant, root, rows, said)]
        return found

    def persons_differ(self, meant: Meant) -> list[str]:
        stored = {
            ((unit, stream, no), role): person
            for unit, stream, no, role, person in self.line.rows(
                "SELECT r.unit, r.stream, r.no, p.role, p.person_id FROM party p JOIN record r ON r.id = p.record_id"
            )
        }
        pairs = {(meant.person(row, who), stored.get(spot(row, who))) for row in meant.rows for who in row["people"]}
        ours, theirs = Counter(root for root, _ in pairs), Counter(person for _, person in pairs)
        return [f"person {root} is {person}" for root, person in pairs if ours[root] > 1 or theirs[person] > 1]

    def places(self) -> dict[Key, list[int]]:
        found: dict[Key, list[int]] = {}
        for unit, stream, no, household in self.line.rows(
            "SELECT r.unit, r.stream, r.no, e.household_id FROM event_place e JOIN record r ON r.id = e.record_id"
            " WHERE r.unit <> 'station' AND r.stream <> 'household'"
        ):
            found.setdefault((unit, stream, no), []).append(household)
        return found

    def compare(self, household: int, meant: Meant, root: Label, rows: list[Row], said: list[Row]) -> Iterable[str]:
        home = meant.registered(root)
        self.reports = reported(rows, self.reports)
        mine = [row for row in said if home is not None and row["home"] == home]
        slow = walk([*rows, *mine], self.line.now, reports=self.reports)
        ((registered, light, assessment),) = self.line.rows(
            "SELECT registered, light, assessment FROM household WHERE id = ?", household
        )
        if registered != (None if home is None else f"HH{home}"):
            yield f"home {home}, store {registered}"
        rules = sorted(c["rule"] for c in json.loads(assessment or '{"concerns": []}')["concerns"])
        green = all(rule == "G1" for rule in rules)
        rules = [rule for rule in rules if rule != "G1" or green]
        if (slow.light(), slow.open_rules()) != (COLOURS[light], rules):
            yield f"reference {slow.light()} {slow.open_rules()}, store {COLOURS[light]} {rules}"
        yield from self.duties(household, slow, {row["no"] for row in mine})

    def duties(self, household: int, slow: Walk, objections: set[str]) -> Iterable[str]:
        """``objections``: those that were raised for this very home; another's may have come along with a merge."""
        found = [
            (what, to, f"{from_us(due).astimezone(self.line.now.tzinfo):%Y-%m-%d %H:%M}")
            for what, to, slot, due, cause in self.line.rows(
                'SELECT o.what, o."to", o.slot, o.due, MIN(r.no) FROM owed o JOIN owed_cause c ON c.owed_id = o.id'
                " JOIN record r ON r.id = c.record_id"
                " WHERE o.household_id = ? AND o.state IN ('open', 'accepted') GROUP BY o.id",
                household,
            )
            if what in COVERED and (what != "D11" or slot == "R7") and (what != "D29" or cause in objections)
        ]
        # What a live record caused stays while any of its causes does; where only history is left, as it is (S26, the fence).
        least = owed(slow)
        most = owed(walk([{**row, "live": True} for row in slow.rows], self.line.now, reports=self.reports))
        missing, more = Counter(least) - Counter(found), Counter(found) - Counter(least)
        history = Counter(d[:2] for d in (Counter(most) - Counter(least)).elements())
        if missing or Counter(d[:2] for d in more.elements()) - history:
            yield f"owed: reference also {sorted(missing)}, store also {sorted(more)}"
