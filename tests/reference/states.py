"""States: protection orders (S7, S30), the divorce register and divorce suits (A5): from when until when they hold."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from tests.reference.days import after, closes_at, day, midnight, months_later, moved, opens_at
from tests.reference.people import Row

Span = dict[str, Any]  # rule, since, until (None: not known to end), row


def on_path(row: Row, name: str) -> Any:
    """A date of the record, or else the newest one that an older version of it told (S4: the dates of its path)."""
    for facts in (row["facts"], *(older["facts"] for older in reversed(row["path"]))):
        if facts.get(name) is not None:
            return facts[name]
    return None


def orders(rows: list[Row]) -> list[Span]:
    """R3 and O6 of every order."""
    every = [row for row in rows if row["stream"] == "protection_order"]
    spans = []
    for row in every:
        begins, ends = begin(row), end(row, every)
        if begins is not None and (ends is None or begins < ends):
            by = [
                o
                for o in every
                if original(o, every) is row and is_revocation_of_another(o) and o["facts"].get("decided_on")
            ]
            closer = next((other for other in by if closes_at(other["facts"]["decided_on"]) == ends), None)
            spans.append({"rule": "R3", "since": begins, "until": ends, "row": row, "closer": closer})
        asked = on_path(row, "applied_on") or on_path(row, "accepted_at")
        if asked is None or (is_revocation_of_another(row)):
            continue
        until = decided(row, begins)
        if until is None or opens_at(asked) < until:
            spans.append({"rule": "O6", "since": opens_at(asked), "until": until, "row": row})
    return spans


def is_revocation_of_another(row: Row) -> bool:
    """S30: opens nothing."""
    return row["facts"]["result"] == "revoked" and row["facts"].get("original_case_no") is not None


def begin(row: Row) -> datetime | None:
    """From the earlier of decided_on and valid_from (S7); a revoked one as the version before told it (S4)."""
    facts = row["facts"]
    if facts["result"] == "revoked" and not is_revocation_of_another(row):
        before = [older["facts"] for older in row["path"] if older["facts"]["result"] != "revoked"]
        if before and before[-1]["result"] in ("issued", "varied", "extended"):
            facts = before[-1]
        else:
            # nobody told when it was issued: in force at least on the day it was revoked
            if facts.get("valid_from"):
                return opens_at(facts["valid_from"])
            return midnight(day(facts["decided_on"])) if facts.get("decided_on") else None
    elif facts["result"] not in ("issued", "varied", "extended"):
        return None
    told = [opens_at(facts[name]) for name in ("decided_on", "valid_from") if facts.get(name)]
    if row["facts"].get("valid_from"):  # the newest version is the truth, and carries the dates of its path (S4)
        told.append(opens_at(row["facts"]["valid_from"]))
    return min(told) if told else None


def decided(row: Row, begins: datetime | None) -> datetime | None:
    """When an application is no longer pending: O6 ends where R3 starts; a denial or withdrawal closes (S1)."""
    if begins is not None:
        return begins
    if row["facts"]["result"] in ("denied", "withdrawn"):
        return closes_at(row["facts"].get("decided_on") or row["updated"])
    return None


def original(row: Row, every: list[Row]) -> Row | None:
    number = row["facts"].get("original_case_no")
    for other in every:
        if number is not None and other["no"] == number and other is not row:
            return other
    return None


def last_day(row: Row, every: list[Row], seen: tuple[str, ...] = ()) -> date | None:
    """The last day by the order's own words (S7), before any revocation or replacement."""
    facts, begins, first = row["facts"], begin(row), original(row, every)
    if begins is None:
        return None
    if facts.get("valid_until"):
        return day(facts["valid_until"])
    months, days = facts.get("valid_months"), facts.get("valid_days")
    if months is not None or days is not None:
        return months_later(day(begins), months or 0) + timedelta(days=days or 0)
    if first is not None and first["no"] not in seen and facts["result"] in ("varied", "extended"):
        before = last_day(first, every, (*seen, row["no"]))
        last = None if before is None else before if facts["result"] == "varied" else months_later(before, 6)
        if last is not None and last >= day(begins):
            return last  # an original that never was in force, or was over long before, is an unknown one: as issued
    return months_later(day(begins), 6)


def end(row: Row, every: list[Row]) -> datetime | None:
    last = last_day(row, every)
    if last is None:
        return None
    ends = after(last)
    if row["facts"]["result"] == "revoked" and row["facts"].get("decided_on"):
        ends = min(ends, closes_at(row["facts"]["decided_on"]))
    for other in every:
        if original(other, every) is row:
            if is_revocation_of_another(other) and other["facts"].get("decided_on"):
                ends = min(ends, closes_at(other["facts"]["decided_on"]))
            starts = begin(other)
            if starts is not None:
                ends = min(ends, starts)
    return ends


def divorces(rows: list[Row]) -> list[Span]:
    """Y1 and Y2. A certificate or a decree ends every Y1 and Y2 of the couple (section 4, the special row)."""
    spans, parted = [], []
    for row in rows:
        facts = row["facts"]
        if row["stream"] == "divorce_registration":
            cooled = moved(day(facts["received_on"]) + timedelta(days=30))
            window = moved(cooled + timedelta(days=30))
            ended = closes_at(facts["status_on"]) if facts["status"] != "applied" and facts.get("status_on") else None
            for rule, since, until in (
                ("Y1", opens_at(facts["received_on"]), after(cooled)),
                ("Y2", after(cooled), after(window)),
            ):
                until = min(until, ended) if ended else until
                if since < until:
                    spans.append({"rule": rule, "since": since, "until": until, "row": row})
            if facts["status"] == "registered" and ended:
                parted.append(ended)
        if row["stream"] == "divorce_suit":
            ended = closes_at(facts["closed_on"]) if facts["stage"] == "closed" and facts.get("closed_on") else None
            spans.append({"rule": "Y2", "since": opens_at(facts["filed_on"]), "until": ended, "row": row})
            if ended and facts.get("result") in ("divorce_by_judgment", "divorce_by_mediation"):
                parted.append(ended)
    for span in spans:
        for at in parted:
            if span["row"]["at"] <= at and (span["until"] is None or at < span["until"]):
                span["until"] = at
    return [span for span in spans if span["until"] is None or span["since"] < span["until"]]
