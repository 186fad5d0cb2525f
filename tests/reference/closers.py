"""Which record closes something, and when (section 4, S1, S3, S4); what one record corrects in another (S17)."""

from __future__ import annotations

from datetime import datetime

from tests.reference.days import closes_at, days_since, opens_at
from tests.reference.people import Row


def is_visit(row: Row) -> bool:
    return row["stream"] in ("visit", "check_visit", "intervention")


def is_calm_visit(row: Row) -> bool:
    return is_visit(row) and row["facts"].get("finding") == "calm"


def counts_at(row: Row) -> datetime:
    """A visit of a day counts towards a closing from the last moment of that day (S1)."""
    return closes_at(row["facts"]["at"]) if row["facts"].get("at") else row["at"]


def closers(row: Row) -> list[tuple[datetime, str]]:
    """When a record closes something, and how (S1, S4)."""
    facts, stream = row["facts"], row["stream"]
    found: list[tuple[datetime, str]] = []
    if stream == "mediation":
        resolved, broken = resolution(row)
        found += [(resolved, "resolved")] * (resolved is not None) + [(broken, "broken")] * (broken is not None)
    if stream == "divorce_suit" and facts["stage"] == "closed" and facts.get("result") == "reconciled":
        found.append((closes_at(facts["closed_on"]), "resolved"))
    if stream == "review":
        found.append((closes_at(facts["at"]), "review"))
    if stream == "report_feedback" and facts["step"] in ("filed", "security_case", "not_substantiated"):
        found.append((closes_at(facts["at"]), "answer"))
    return [(max(at, row["at"]), step) for at, step in found]


def resolution(row: Row) -> tuple[datetime | None, datetime | None]:
    """When a mediation was resolved, and when that was broken or reopened (S4)."""
    facts = row["facts"]
    if facts.get("status") == "resolved":
        return closes_at(facts.get("closed_on") or row["updated"]), None  # S3: no business time
    if facts.get("status") not in ("broken", "open"):
        return None, None
    for older in reversed(row["path"]):
        if older["facts"].get("status") == "resolved":
            resolved = older["facts"].get("closed_on") or older["updated"]
            own = facts.get("closed_on")
            if own is None or days_since(resolved, own) <= 0:
                own = row["updated"]
            return closes_at(resolved), max(opens_at(own), closes_at(resolved))  # never before it was resolved
        if older["facts"].get("status") not in ("broken", "open"):
            break
    return None, None


def amended(rows: list[Row]) -> list[Row]:
    """S17: a forensic injury above none corrects the call it names, in whichever order they come."""
    found = []
    for row in rows:
        if row["stream"] == "incident":
            for other in rows:
                injury = other["facts"].get("injury")
                if other["stream"] == "forensic" and row["no"] in other["related"] and injury not in (None, "none"):
                    row = {**row, "facts": {**row["facts"], "injury": injury}}
        found.append(row)
    return found
