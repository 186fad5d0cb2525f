"""Recorded states with a beginning and an end: protection orders and divorces (shape ``while``; S4–S7, S30, A5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from hub.core.clocks import ONE_DAY, Calendar, add_months, after_last_day, closing, day_of, opening, start_of_day
from hub.core.records import Event, Fact, Key, When
from hub.core.rules import Policy
from hub.core.values import link_form

IN_FORCE: Final = frozenset({"issued", "varied", "extended"})
REFUSED: Final = frozenset({"denied", "withdrawn"})
DIVORCED: Final = frozenset({"divorce_by_judgment", "divorce_by_mediation"})


class Interval(NamedTuple):
    """One recorded state of one record: from ``since`` until ``until`` (None: still), how it ended and by which record."""

    rule: str
    event: Event
    since: datetime
    until: datetime | None
    how: str
    by: Key | None


class End(NamedTuple):
    """When a state ends, the word for it, and the record that ended it (None: its own date)."""

    at: datetime
    how: str
    by: Key | None


def intervals(events: Sequence[Event], policy: Policy) -> list[Interval]:
    """All intervals of the policy's ``while`` rules. Those that never held (no length) are left out."""
    found: list[Interval] = []
    asked = {(state, rule) for states in policy.states.values() for rule, state in states}
    for state, rule in sorted(asked):
        kinds = {kind for kind, states in policy.states.items() if (rule, state) in states}
        concerned = [event for event in events if event.kind in kinds]
        if concerned:
            found += STATES[state](rule, concerned, policy)
    return [one for one in found if one.until is None or one.until > one.since]


# -- protection orders -------------------------------------------------------------------------------------------------


class Orders:
    """The orders of a case and how they follow each other."""

    def __init__(self, events: Sequence[Event], policy: Policy) -> None:
        self.events = events
        self.policy = policy
        self.by_no = {link_form(event.key.no): event for event in events}

    def original(self, event: Event) -> Event | None:
        """The order that ``original_case_no`` names, if it is known."""
        named = event.facts.get("original_case_no")
        found = self.by_no.get(link_form(str(named))) if named is not None else None
        return None if found is event else found

    def start(self, event: Event) -> datetime:
        """The earlier of decision and ``valid_from`` (S7)."""
        facts = event.facts
        names = ("in_force_from", "valid_from") if facts.get("result") == "revoked" else ("decided_on", "valid_from")
        begins = [opening(when) for name in names if (when := _when(facts.get(name))) is not None]
        if begins:
            return min(begins)
        decided = _when(facts.get("decided_on"))
        return start_of_day(day_of(decided)) if decided is not None else event.updated_at

    def last_day(self, event: Event, seen: frozenset[Key] = frozenset()) -> date:
        """The last day in force if nothing cuts it short, inclusive."""
        facts = event.facts
        until = _when(facts.get("valid_until"))
        if until is not None:
            return day_of(until)
        first = self.start(event).date()
        months, days = _count(facts.get("valid_months")), _count(facts.get("valid_days"))
        if months or days:
            return add_months(first, months) + timedelta(days=days)
        original = self.original(event) if facts.get("result") in ("varied", "extended") else None
        if original is not None and event.key not in seen and was_in_force(original):
            end = self.last_day(original, seen | {event.key})
            last = end if facts["result"] == "varied" else add_months(end, self.months(first))
            if last >= first:
                return last
        return add_months(first, self.months(first))  # an original that never was, or was long over: as issued

    def months(self, first: date) -> int:
        """How long an order without end is in force, in the edition of its first day."""
        edition = self.policy.at(start_of_day(first)) if self.policy.later else self.policy
        return edition.numbers["order_months"]

    def ends(self, event: Event) -> list[End]:
        """Everything that ends this order."""
        found = [End(after_last_day(self.last_day(event)), "order_ended", None)]
        if event.facts.get("result") == "revoked":
            found.append(End(_decided(event), "order_revoked", event.key))
        for other in self.events:
            if other is event or self.original(other) is not event:
                continue
            result = other.facts.get("result")
            if result in IN_FORCE:
                found.append(End(self.start(other), "order_replaced", other.key))
            elif result == "revoked":
                found.append(End(_decided(other), "order_revoked", other.key))
        return found


def was_in_force(event: Event) -> bool:
    """Whether the row is an order that was made, also one that was revoked since; not a revocation of another (S30)."""
    facts = event.facts
    if facts.get("result") == "revoked":
        return facts.get("original_case_no") is None
    return facts.get("result") in IN_FORCE


def _in_force(rule: str, events: Sequence[Event], policy: Policy) -> list[Interval]:
    orders = Orders(events, policy)
    found = []
    for event in events:
        if was_in_force(event):
            end = min(orders.ends(event), key=lambda e: (e.at, e.how))
            found.append(Interval(rule, event, orders.start(event), *end))
    return found


def _pending(rule: str, events: Sequence[Event], policy: Policy) -> list[Interval]:
    orders = Orders(events, policy)
    found = []
    for event in events:
        facts = event.facts
        result = facts.get("result")
        applied = _when(facts.get("applied_on")) or _when(facts.get("accepted_at"))
        if applied is None and result == "pending":
            applied = event.at
        if applied is None or (result == "revoked" and facts.get("original_case_no") is not None):
            continue
        since = opening(applied)
        if result in IN_FORCE or result == "revoked":
            found.append(Interval(rule, event, since, orders.start(event), "order_issued", event.key))
        elif result in REFUSED:
            found.append(Interval(rule, event, since, _decided(event), f"application_{result}", event.key))
        else:
            found.append(Interval(rule, event, since, None, "application_decided", None))
    return found


def _decided(event: Event) -> datetime:
    decided = _when(event.facts.get("decided_on"))
    return closing(decided) if decided is not None else event.updated_at


# -- divorces ----------------------------------------------------------------------------------------------------------


def cooling_off(received: When, policy: Policy) -> tuple[date, date]:
    """Last day of the cooling-off and last day of the certificate window, both inclusive and moved (A5, S6)."""
    calendar: Calendar = policy.calendar
    policy = policy.at(opening(received)) if policy.later else policy
    first = calendar.civil_days(received, policy.numbers["cooling_off_days"], moved=True)
    return first, calendar.civil_days(first, policy.numbers["certificate_days"], moved=True)


_ENDED_BY: Final = {
    "withdrawn": "divorce_withdrawn",
    "registered": "certificate_issued",
    "deemed_withdrawn": "deemed_withdrawn",
}


def _registration_end(event: Event, last: date) -> End:
    natural = End(after_last_day(last), "deemed_withdrawn", None)
    status = str(event.facts.get("status"))
    if status not in _ENDED_BY:
        return natural
    on = _when(event.facts.get("status_on"))
    if on is None and status == "deemed_withdrawn":
        return natural
    recorded = End(closing(on) if on is not None else event.updated_at, _ENDED_BY[status], event.key)
    return min(natural, recorded, key=lambda end: end.at)


def _cooling_off(rule: str, events: Sequence[Event], policy: Policy) -> list[Interval]:
    found = []
    for event in events:
        if event.kind == "divorce_suit":
            continue
        received = _when(event.facts.get("received_on")) or event.at
        first, second = cooling_off(received, policy)
        over = End(start_of_day(first + ONE_DAY), "cooling_off_ended", None)
        ends = [over, _registration_end(event, second), *_divorces(event, policy, events)]
        found.append(Interval(rule, event, opening(received), *min(ends, key=lambda end: end.at)))
    return found


def _divorce_pending(rule: str, events: Sequence[Event], policy: Policy) -> list[Interval]:
    found = []
    for event in events:
        facts = event.facts
        if event.kind == "divorce_suit":
            since, end = event.at, _suit_end(event)
        else:
            received = _when(facts.get("received_on")) or event.at
            first, second = cooling_off(received, policy)
            since, end = start_of_day(first + ONE_DAY), _registration_end(event, second)
        ends = [*([end] if end else []), *_divorces(event, policy, events)]
        last = min(ends, key=lambda e: e.at) if ends else None
        found.append(Interval(rule, event, since, *(last or (None, "suit_decided", None))))
    return found


def _suit_end(event: Event) -> End | None:
    if event.facts.get("stage") != "closed":
        return None
    on = _when(event.facts.get("closed_on"))
    return End(closing(on) if on is not None else event.updated_at, "suit_decided", event.key)


def _divorces(event: Event, policy: Policy, events: Sequence[Event]) -> list[End]:
    """A certificate or decree of the same two people ends every divorce state of theirs (section 4)."""
    people = {party.person for party in event.parties if party.person is not None}
    found = []
    for other in events:
        theirs = {party.person for party in other.parties if party.person is not None}
        if other is event or (people and theirs and len(people & theirs) < 2):
            continue
        facts = other.facts
        if other.kind == "divorce_registration" and facts.get("status") == "registered":
            on = _when(facts.get("status_on"))
            found.append(End(closing(on) if on is not None else other.updated_at, "certificate_issued", other.key))
        elif other.kind == "divorce_suit" and facts.get("stage") == "closed" and facts.get("result") in DIVORCED:
            end = _suit_end(other)
            found += [end._replace(how="divorce_decreed")] if end else []
    return [end for end in found if end.at >= event.at]


State = Callable[[str, Sequence[Event], Policy], list[Interval]]

STATES: Final[dict[str, State]] = {
    "order_in_force": _in_force,
    "order_pending": _pending,
    "cooling_off": _cooling_off,
    "divorce_pending": _divorce_pending,
}
"""The recorded states that a policy may name."""


def _when(value: Fact) -> When | None:
    return value if isinstance(value, date) else None  # a datetime is a date


def _count(value: Fact) -> int:
    return value if isinstance(value, int) else 0
