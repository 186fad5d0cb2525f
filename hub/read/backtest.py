"""A policy tried on the whole archive before it is adopted: who would change, from what to what, why, and whom it hits.

Every household is judged twice by the same fold, under the policy in force and under the candidate. Counts of groups
below five are left out: in a community of a few families a count names a family.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from hub.core.ages import age_on
from hub.core.assess import amended, categories, course, light_alone
from hub.core.clocks import Moment
from hub.core.known import known
from hub.core.records import Case, Course, Light
from hub.core.rules import Policy
from hub.store import snapshot
from hub.store.archive import read_timelines
from hub.store.cases import read_silences
from hub.store.engine import SqlStore
from hub.store.snapshot import HouseholdView

SMALL: Final = 5
"""Counts below this are suppressed."""
ELDERLY: Final = 60
ADULT: Final = 18

Step = Callable[[int], None]


def backtest(
    store: SqlStore, now: Policy, candidate: Policy, as_of: datetime, step: Step | None = None
) -> dict[str, Any]:
    """Both policies on every living household; ``step`` is told how many were judged since the last call."""
    tally = _Tally()
    with store.read() as sql:
        silences = read_silences(sql)
        for batch in snapshot.all_households(sql):
            cases = read_timelines(sql, batch)
            for household in batch:
                _judge(tally, household, cases[household.id], (now, candidate), Moment(as_of, silences))
            if step is not None:
                step(len(batch))
    return tally.told(now, candidate, as_of)


def _judge(
    tally: _Tally, household: HouseholdView, case: Case, policies: tuple[Policy, Policy], moment: Moment
) -> None:
    """The light alone by both policies; only where it differs is it asked why."""
    case = amended(case)
    read = known(case.events)
    was, light = (light_alone(case, policy, moment.fresh(), read) for policy in policies)
    words = sorted({word for word, _, _ in categories(read.kinds.get("special_household", ()), moment)})
    tally.take(household, case, was, light, words, moment.as_of)
    if was != light:
        tally.explain(household, words, *(course(case, policy, moment.fresh(), read) for policy in policies))


class _Tally:
    """What adds up over the archive."""

    def __init__(self) -> None:
        self.households = 0
        self.changes: list[dict[str, Any]] = []
        self.ways: Counter[tuple[str, str]] = Counter()
        self.groups: dict[tuple[str, str], Counter[str]] = {}

    def take(
        self, household: HouseholdView, case: Case, was: Light, light: Light, words: Iterable[str], as_of: datetime
    ) -> None:
        """Count a household, whose special categories are ``words``, in all its groups."""
        self.households += 1
        moved = "same" if was == light else "up" if light > was else "down"
        for group in groups_of(household, case, words, as_of):
            counts = self.groups.get(group)
            if counts is None:
                counts = self.groups[group] = Counter()
            counts[moved] += 1

    def explain(self, household: HouseholdView, words: Iterable[str], was: Course, light: Course) -> None:
        """One whose light would change."""
        self.ways[was.light.name, light.light.name] += 1
        self.changes.append(
            {
                "household": household.uid,
                "registered": household.registered,
                "community": household.community,
                "categories": [word for word in words if word != "girl_victim"],
                "was": was.light.name,
                "light": light.light.name,
                "why": why(was, light),
            }
        )

    def told(self, now: Policy, candidate: Policy, as_of: datetime) -> dict[str, Any]:
        return {
            "policy": {"from": now.at(as_of).version, "to": candidate.at(as_of).version},
            "as_of": as_of.isoformat(),
            "households": self.households,
            "changed": len(self.changes),
            "by_change": [
                {"was": was, "light": light, "households": count}
                for (was, light), count in sorted(self.ways.items(), key=lambda item: (-item[1], item[0]))
            ],
            "by_community": [row for row in self._groups() if row["group"] == "community"],
            "by_category": [row for row in self._groups() if row["group"] == "category"],
            "fairness": [row for row in self._groups() if row["group"] not in ("community", "category")],
            "changes": self.changes,
        }

    def _groups(self) -> Iterator[dict[str, Any]]:
        for (group, value), counts in sorted(self.groups.items()):
            total = sum(counts.values())
            row: dict[str, Any] = {"group": group, "value": value, "households": shown(total)}
            row |= {name: shown(counts[name]) if total >= SMALL else None for name in ("up", "down")}
            row["suppressed"] = any(row[name] is None for name in ("households", "up", "down"))
            yield row


def shown(count: int) -> int | None:
    """A count that names nobody: none at all, or five and more; None: suppressed."""
    return None if 0 < count < SMALL else count


def groups_of(
    household: HouseholdView, case: Case, categories: Iterable[str], as_of: datetime
) -> Iterator[tuple[str, str]]:
    """The groups a household counts in: community, category, and who lives or was hurt there."""
    yield "community", household.community or "unknown"
    for word in categories:
        if word != "girl_victim":
            yield "category", word
    ages = {age_on(member.born, as_of.date()) for member in case.members if member.born is not None}
    if any(age < ADULT for age in ages):
        yield "household", "minor"
    if any(age >= ELDERLY for age in ages):
        yield "household", "elderly"
    victims = {party for event in case.events for party in event.parties if party.role == "victim"}
    yield from sorted({("victim", party.sex or "sex_unknown") for party in victims})
    if any(party.born is not None and age_on(party.born, as_of.date()) < ADULT for party in victims):
        yield "victim", "minor"
    yield "registered", "yes" if household.registered else "no"


def why(was: Course, light: Course) -> Mapping[str, Any]:
    """Which open concerns came and went, with the records of those that came, and what holds the light."""
    before, after = (_open(went) for went in (was, light))
    gone, come = sorted(before - after), sorted(after - before)
    return {
        "opened": [
            {"rule": rule, "since": at.isoformat(), "events": ["/".join(key) for key in events]}
            for rule, at, events in come
        ],
        "gone": [{"rule": rule, "since": at.isoformat()} for rule, at, _ in gone],
        "notes": sorted(set(light.notes) - set(was.notes)),
    }


def _open(went: Course) -> set[Any]:
    green = went.light.name == "green"
    return {(c.rule, c.since, c.events) for c in went.concerns if c.until is None and (c.rule != "G1" or green)}
