"""What a compiled policy is: rules, openings, descents, closers, finders, and the questions a Policy answers.

``policy.py`` makes it out of TOML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from hub.core.clocks import Calendar, Moment
from hub.core.conditions import Condition
from hub.core.records import Event, Light
from hub.core.timeline import PARTIES_ONLY, Derived
from hub.core.visits import Rhythm
from hub.core.words import KINDS

SHAPES: Final = ("on", "while", "often", "after", "again", "person")
REPORTING_KINDS: Final = frozenset(kind for kind, known in KINDS.items() if known.suspicion) | {"shelter"}
"""Kinds whose records can carry a suspicion that an M rule asks for (S23)."""


class Rule(NamedTuple):
    """One rule for a light."""

    id: str
    light: Light
    shape: str
    title: str  # Chinese, for station staff
    clause: str
    law: str
    basis: str
    enabled: bool
    violent: bool = False  # its events are violent events (S9)
    unmediable: bool = False  # no mediation takes effect while it is open


class Opening(NamedTuple):
    """An ``on`` rule for one kind of record. ``apart``: report, dv_call or empty: what keeps its concerns separate."""

    rule: str
    test: Condition
    apart: str
    only_if: str


class Often(NamedTuple):
    """An ``often`` rule: ``days`` different days in ``window`` days, or one event that says so itself."""

    rule: str
    kinds: frozenset[str]
    test: Condition
    at_once: Condition | None
    days: int
    window: int


class Again(NamedTuple):
    """The ``again`` rule (relapse)."""

    rule: str
    rules: frozenset[str]
    after: frozenset[str]
    days: int


class Closer(NamedTuple):
    """A record that closes: by the first recorded date of ``at``, else by ``updated_at``."""

    id: str
    test: Condition
    at: tuple[str, ...]


class Descent(NamedTuple):
    """One way down."""

    id: str
    closer: str
    closes: tuple[str, ...]
    proofs: tuple[str, ...]
    exempt: str  # concerns kept apart by this word are not closed
    leads_to: str | None
    judged: bool  # a step by judgement: may not rest on silence
    days: str  # the number of days that its proofs ask for, or empty


class Finder(NamedTuple):
    """One row of the mandatory reports: who finds, about whom, what."""

    rule: str
    by: frozenset[str]
    whom: str
    test: Condition


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """A compiled policy. ``raw`` is the whole document with the overlay applied."""

    version: str
    raw: Mapping[str, Any]
    numbers: Mapping[str, int]
    switches: Mapping[str, bool]
    ladder: Mapping[str, timedelta]  # deadlines of a report by name (hub.toml [deadlines] applied)
    calendar: Calendar
    rules: Mapping[str, Rule]
    openings: Mapping[str, tuple[Opening, ...]]  # by kind, enabled rules only
    states: Mapping[str, tuple[tuple[str, str], ...]]  # by kind: (rule, name of the state)
    often: tuple[Often, ...]
    again: Again | None
    closers: Mapping[str, tuple[Closer, ...]]  # by kind
    descents: Mapping[str, tuple[Descent, ...]]  # by closer
    ways: Mapping[str, tuple[Descent, ...]]  # rule → the descents that could close it
    closes_by: Mapping[str, tuple[str, ...]]  # rule → their ids
    unmediated: Mapping[str, tuple[str, ...]]  # the same without those that close nothing violent
    stated: frozenset[str]  # rules that hold while a recorded state does
    counted: frozenset[str]  # kinds that an ``often`` rule counts
    signals: Mapping[str, tuple[Condition, ...]]
    finders: tuple[Finder, ...]
    rhythms: Mapping[Light, Rhythm]  # how often D2 and D3 let a unit wait
    clauses: Mapping[str, tuple[str, str]]
    stands_for: Mapping[str, str] = field(default_factory=dict)  # a source outside the ten → the unit that acts for it
    since: datetime | None = None  # from when this edition is in force; None: always was
    later: tuple[Policy, ...] = ()  # of the first edition: those after it, oldest first (core.editions)

    cites: tuple[tuple[datetime, Mapping[str, tuple[str, str]]], ...] = ()  # clause and law by id, from a day on

    def at(self, when: datetime) -> Policy:
        """The edition in force at a time of the world: the event's date picks the law."""
        found = self
        for edition in self.later:
            if edition.since is not None and edition.since <= when:
                found = edition
        return found

    def current(self, moment: Moment) -> Policy:
        """The edition in force at the moment; a later one is a time at which the answer may change."""
        found = self
        for edition in self.later:
            if edition.since is not None and moment.passed(edition.since):
                found = edition
        return found

    def acting(self, unit: str) -> str:
        """The unit of the ten that has the duties of ``unit``: itself, or whom a source outside them stands for."""
        return self.stands_for.get(unit, unit)

    def clause(self, rule: str, when: datetime | None = None) -> tuple[str, str]:
        """Clause and law of a rule, descent, report or duty, in the edition of ``when``; empty for an unknown id."""
        found = self.clauses.get(rule, ("", ""))
        for since, cited in self.cites:
            if when is not None and since <= when:
                found = cited.get(rule, found)
        return found

    def switch(self, name: str) -> bool:
        """Whether a switch is on; an unknown one is off."""
        return self.switches.get(name, False)

    def is_reporting(self, unit: str, kind: str) -> bool:
        """Whether records of this unit and kind can fall under an M rule: such streams are taken leniently (S23)."""
        return kind in REPORTING_KINDS and any(unit in {by.split(".")[0] for by in f.by} for f in self.finders)

    def reporting_kinds(self, unit: str) -> frozenset[str]:
        """Every kind of this unit that can fall under an M rule."""
        return frozenset([kind for kind in REPORTING_KINDS if self.is_reporting(unit, kind)])

    def report_rules(self, event: Event, derived: Derived) -> tuple[str, ...]:
        """The M rules under which this record must be reported, in table order, each once; the first names the report."""
        if event.kind not in REPORTING_KINDS or (event.kind in PARTIES_ONLY and derived.victim is None):
            return ()
        if self.later and (edition := self.at(event.at)) is not self:
            return edition.report_rules(event, derived)
        unit, stream, _ = key = event.key
        found: list[str] = []
        for rule, by, whom, test in self.finders:
            if unit not in by and f"{unit}.{stream}" not in by:
                continue
            if rule not in found and CONCERNED[whom](event, derived) and test(event.facts, derived, key):
                found.append(rule)
        return tuple(found)

    def is_signal(self, event: Event, derived: Derived) -> bool:
        """Whether the record is a minor signal: the table says so, or it opens only Y3 (S13)."""
        if any(test(event.facts, derived, event.key) for test in self.signals.get(event.kind, ())):
            return True
        opened = {o.rule for o in self.openings.get(event.kind, ()) if o.test(event.facts, derived, event.key)}
        return opened == {"Y3"}


def _is_limited(_event: Event, derived: Derived) -> bool:
    capacity = derived.victim_capacity
    return capacity in ("none", "limited") or (capacity == "unknown" and derived.victim_age is None)


def _is_student(event: Event, derived: Derived) -> bool:
    return event.kind not in PARTIES_ONLY or derived.perhaps_minor or _is_limited(event, derived)


CONCERNED: Final = {
    "anyone": lambda event, derived: True,
    "student": _is_student,
    "minor": lambda event, derived: derived.perhaps_minor,
    "limited": _is_limited,
}
