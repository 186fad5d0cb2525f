"""The open and closed concerns of one household while its timeline is folded, and the history of its light."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from hub.core.records import Concern, Event, Key, Light, Span
from hub.core.rules import Policy, Rule

UNLIT, GREEN, YELLOW, ORANGE, RED = Light  # to ask an enumeration for its member costs as much as a rule


class Standing:
    """One concern while it is folded. ``last`` is the last event of the concern itself; ``base`` what T1 counts from."""

    __slots__ = (
        "base", "closed_by", "closing_key", "events", "how_ends", "last", "last_keys", "leads_to", "light", "missing", "notes",
        "people", "rule", "since", "slot", "unmediable", "until", "until_planned", "victims",
    )  # fmt: skip

    def __init__(self, rule: str, slot: str, light: Light, at: datetime, *, unmediable: bool) -> None:
        self.rule, self.slot, self.light, self.since = rule, slot, light, at
        self.unmediable = unmediable
        self.last = self.base = at
        self.last_keys: set[Key] = set()
        self.events: list[Key] = []
        self.people: set[int] = set()
        self.victims: set[int] = set()
        self.notes: list[str] = []
        self.missing: tuple[str, ...] = ()
        self.until: datetime | None = None
        self.until_planned: datetime | None = None  # of a state: its recorded end
        self.how_ends = ""
        self.closed_by: str | None = None
        self.closing_key: Key | None = None
        self.leads_to: str | None = None

    def add(self, event: Event, at: datetime) -> None:
        """Another event of the same concern."""
        key = event.key
        if at != self.last:
            self.last_keys = {key}
            self.last = at
        else:
            self.last_keys.add(key)
        if key not in self.events:
            self.events.append(key)
        if event.linked:
            self.note("linked")

    def note(self, word: str) -> None:
        if word not in self.notes:
            self.notes.append(word)

    def frozen(self, policy: Policy) -> Concern:
        """The value that is handed out."""
        return Concern(
            self.rule,
            self.light,
            self.since,
            self.until,
            tuple(self.events),
            ways_down(self, policy) if self.until is None else policy.closes_by.get(self.rule, ()),
            self.closed_by,
            self.closing_key,
            self.missing,
            self.leads_to,
            tuple(self.notes),
        )


def ways_down(concern: Standing, policy: Policy) -> tuple[str, ...]:
    """The descents that could close this concern as it is."""
    ways = (policy.unmediated if concern.unmediable else policy.closes_by).get(concern.rule, ())
    if concern.rule != "O5":
        return ways
    barred = ("review_orange",) if concern.slot else ("not_substantiated", "report_filed")
    return tuple(way for way in ways if way not in barred)


class Board:
    """Which concerns are open; what light follows; what it was."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.open: dict[tuple[str, str], Standing] = {}
        self.closed: list[Standing] = []
        self.green: Standing | None = None
        self.light = UNLIT
        self.spans: list[Span] = []
        self.closed_red: list[Standing] = []  # within this instant, otherwise than by correction
        self.decided: dict[str, Standing] = {}  # P1, P2: what people decided (core.decisions)

    def rule(self, name: str) -> Rule:
        return self.policy.rules[name]

    def has(self, light: Light) -> bool:
        return any(concern.light == light for concern in self.open.values())

    def of_rules(self, rules: Iterable[str]) -> list[Standing]:
        return [concern for concern in self.open.values() if concern.rule in rules]

    def start(self, rule: str, slot: str, at: datetime, light: Light | None = None) -> Standing:
        """A new open concern. The caller has made sure that there is none at (rule, slot)."""
        known = self.policy.rules[rule]
        concern = Standing(rule, slot, light or known.light, at, unmediable=known.unmediable or slot == "dv")
        self.open[rule, slot] = concern
        if self.green is not None:
            self.green.base = at  # the last concern beside it
        return concern

    def end(
        self, concern: Standing, at: datetime, how: str, key: Key | None = None, leads_to: str | None = None
    ) -> None:
        """Close a concern; ``corrected`` ends (an answer that a newer one replaced) open no observation."""
        concern.until, concern.closed_by, concern.closing_key, concern.leads_to = at, how, key, leads_to
        self.open.pop((concern.rule, concern.slot), None)
        self.closed.append(concern)
        if concern.light == RED and how != "answer_superseded":
            self.closed_red.append(concern)

    def start_green(self, at: datetime, key: Key | None) -> None:
        """G1 opens, or is renewed by another resolution."""
        if self.green is None:
            self.green = Standing("G1", "", GREEN, at, unmediable=False)
        self.green.base = at
        if key is not None and key not in self.green.events:
            self.green.events.append(key)

    def end_green(self, at: datetime, how: str, key: Key | None = None, leads_to: str | None = None) -> None:
        green, self.green = self.green, None
        if green is not None:
            green.until, green.closed_by, green.closing_key, green.leads_to = at, how, key, leads_to
            self.closed.append(green)

    def of_records(self) -> Light:
        """The light of the records alone: the highest open concern (A6)."""
        light = UNLIT
        for concern in self.open.values():
            if concern.light > light:
                light = concern.light
        return GREEN if light == UNLIT and self.green is not None else light

    def shown(self, light: Light) -> Light:
        """The light that is shown where the records say ``light``: people may hold it up or down."""
        for rule, standing in self.decided.items():
            light = max(light, standing.light) if rule == "P1" else min(light, standing.light)
        return light

    def end_decided(self, standing: Standing, at: datetime, how: str, key: Key | None) -> None:
        """A decision is over: by its date, a release, a newer one, or a concern above it. It opens no observation."""
        standing.until, standing.closed_by, standing.closing_key = at, how, key
        del self.decided[standing.rule]
        self.closed.append(standing)

    def look(self, at: datetime) -> None:
        """The end of an instant: the highest open concern is the light (A6), unless people decided otherwise."""
        light = self.of_records()
        if self.decided:
            light = self.shown(light)
        if light != self.light:
            if self.spans:
                self.spans[-1] = self.spans[-1]._replace(until=at)
            self.spans.append(Span(light, at, None))
            self.light = light

    def concerns(self) -> tuple[Concern, ...]:
        """All that ever were, by (since, rule)."""
        everything = [*self.closed, *self.open.values(), *self.decided.values()]
        if self.green is not None:
            everything.append(self.green)
        if len(everything) > 1:
            everything.sort(key=lambda c: (c.since, c.rule, c.slot, c.events))
        return tuple([concern.frozen(self.policy) for concern in everything])
