"""Can everything that enabled streams may create be received by somebody? What `hub check` and `hub status` say.

Which duties a kind of record can create follows from the rules it opens and from the facts it may carry; which units
they go to stands in the policy. A duty without a receiver is listed once for each unit it cannot reach.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hub.core.policy import Policy
from hub.core.records import Light
from hub.core.words import KINDS
from hub.settings import Settings

REPORT = "mandatory_report"
DUTY = "duty"


class Stream(NamedTuple):
    """One stream of one installed connector: what becomes of its records."""

    connector: str
    unit: str
    name: str
    kind: str

    def __str__(self) -> str:
        return f"{self.connector}.{self.name}"


class Unreceived(NamedTuple):
    """A kind of message that enabled streams can create and no enabled connector receives."""

    message: str  # mandatory_report or duty
    unit: str  # whose connector should receive it
    rules: tuple[str, ...]  # report rules or duties
    streams: tuple[str, ...]  # that can create it

    def __str__(self) -> str:
        what = ", ".join(self.rules)
        return f"{self.message} ({what}) for {self.unit}: nobody receives it; created by {', '.join(self.streams)}"


_BY_LIGHT: dict[Light, tuple[str, ...]] = {
    Light.red: ("D1", "D2", "D8", "D12", "D18"),
    Light.orange: ("D1", "D3", "D8", "D12"),
    Light.yellow: ("D1", "D4", "D8"),
}
_BY_RULE: dict[str, tuple[str, ...]] = {
    "O1": ("D15",), "O4": ("D15",), "Y3": ("D15",), "R1": ("D10",), "R6": ("D10",), "R9": ("D10",), "R7": ("D11", "D19"),
}  # fmt: skip
_BY_FACT: dict[str, tuple[str, ...]] = {
    "injury": ("D9", "D13", "D25"),
    "icd10": ("D13",),
    "wants_order": ("D10",),
    "evidence_asked_on": ("D27",),
}
_BY_KIND: dict[str, tuple[str, ...]] = {
    "admonition_issued": ("D6", "D24"),
    "protection_order": ("D7", "D7b"),
    "police_call": ("D21", "D22", "D24"),
    "security_penalty": ("D24",),
    "criminal_case_filed": ("D24",),
    "mediation": ("D5", "D24"),
    "special_household": ("D16", "D17"),
    "complaint_received": ("D14",),
}


def unreceived(settings: Settings, streams: Iterable[Stream], policy: Policy) -> list[Unreceived]:
    """What cannot be received, mandatory reports first. ``streams`` are those of all installed connectors."""
    listed = [stream for stream in streams if _is_enabled(settings, stream.connector)]
    units = {stream.connector: stream.unit for stream in listed}
    receiving = {
        (units[name], kind) for name, config in settings.connectors.items() if name in units for kind in config.deliver
    }
    found: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
    for stream in listed:
        for message, unit, rule in _creates(stream, policy):
            if (unit, message) not in receiving:
                rules, names = found.setdefault((message, unit), (set(), set()))
                rules.add(rule)
                names.add(str(stream))
    ordered = sorted(found.items(), key=lambda item: (item[0][0] != REPORT, item[0]))
    return [
        Unreceived(message, unit, tuple(sorted(rules, key=_number)), tuple(sorted(names)))
        for (message, unit), (rules, names) in ordered
    ]


def _is_enabled(settings: Settings, connector: str) -> bool:
    config = settings.connectors.get(connector)
    return config is not None and config.enabled


def _creates(stream: Stream, policy: Policy) -> Iterable[tuple[str, str, str]]:
    """(message, unit, rule) for everything a record of this stream can bring about."""
    if policy.is_reporting(stream.unit, stream.kind):
        for finder in policy.finders:
            if stream.unit in finder.by or f"{stream.unit}.{stream.name}" in finder.by:
                yield REPORT, "police", finder.rule
    receivers = _receivers(policy)
    for duty in duties_of(stream.kind, policy):
        for unit in receivers.get(duty, ()):
            yield DUTY, policy.acting(stream.unit) if unit == "" else unit, duty


def duties_of(kind: str, policy: Policy) -> list[str]:
    """The duties that a record of this kind can create, in the order of the table."""
    rules = {opening.rule for opening in policy.openings.get(kind, ())}
    rules |= {rule for rule, _ in policy.states.get(kind, ())}
    rules |= {often.rule for often in policy.often if kind in often.kinds}
    found = set(_BY_KIND.get(kind, ()))
    for rule in rules:
        found.update(_BY_LIGHT.get(policy.rules[rule].light, ()), _BY_RULE.get(rule, ()))
    if rules:
        found.update(*(_BY_FACT.get(fact, ()) for fact in KINDS[kind].facts))
    return sorted(found, key=_number)


def _receivers(policy: Policy) -> Mapping[str, tuple[str, ...]]:
    """Duty → units whose connector delivers it; "" stands for the unit that sent the record."""
    ways = {"coordinator": "womens_federation", "head": "", "sender": "", "first": ""}
    found: dict[str, set[str]] = {}
    for row in policy.raw.get("duty", ()):
        units = [row["instead"]] if row.get("instead") else [ways.get(unit, unit) for unit in row["to"]]
        found.setdefault(row["id"], set()).update(units)
    return {duty: tuple(sorted(units)) for duty, units in found.items()}


def _number(rule: str) -> tuple[int, str]:
    digits = "".join(c for c in rule if c.isdigit())
    return int(digits or 0), rule
