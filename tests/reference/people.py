"""Who the victim of a record is, and how old and capable (section 1, S8, S22)."""

from __future__ import annotations

from typing import Any

from tests.reference.days import day, is_under

Row = dict[str, Any]
FAMILY = {
    "spouse", "child", "grandchild", "parent", "grandparent", "sibling", "kin", "cohabitant", "former_spouse",
}  # fmt: skip
PARTIES_ONLY = {"visit", "check_visit", "intervention", "conflict"}


def minor(person: Row, row: Row) -> bool | None:
    """Under 18 at the event; None: nobody knows."""
    return None if person["born"] is None else is_under(person["born"], 18, day(row["at"]))


def capacity(person: Row, row: Row) -> str:
    """none, limited, full or unknown: a recorded one may lower a minor's, and rules for an adult (S8)."""
    recorded = person["capacity"]
    if person["born"] is None:
        return recorded or "unknown"
    if is_under(person["born"], 8, day(row["at"])):
        return "none"
    if is_under(person["born"], 18, day(row["at"])):
        return "none" if recorded == "none" else "limited"
    return recorded or "full"


def victim(row: Row) -> Row | None:
    """The one named as such; in visits and conflicts with parties only the minor or incapable party (S22)."""
    for person in row["people"]:
        if person["role"] == "victim":
            return person
    if row["stream"] in PARTIES_ONLY:
        for person in row["people"]:
            if person["role"] != "alleged" and (minor(person, row) or capacity(person, row) in ("none", "limited")):
                return person
    return None


def may_be_minor(row: Row) -> bool:
    """A minor; or nobody knows age and capacity: the safer side (section 5). S22: without a weak party nobody such."""
    who = victim(row)
    if who is None:
        return row["stream"] not in PARTIES_ONLY
    return minor(who, row) is True or (minor(who, row) is None and capacity(who, row) != "full")


def may_be_incapable(row: Row) -> bool:
    """Capacity none or limited; or unknown: the safer side."""
    who = victim(row)
    if who is None:
        return row["stream"] not in PARTIES_ONLY
    return capacity(who, row) != "full"


def within_family(row: Row) -> bool | None:
    """The row's own word, else its relation; None: unrecorded."""
    if row["facts"].get("within_family") is not None:
        return bool(row["facts"]["within_family"])
    relation = row["facts"].get("relation")
    return None if relation is None else relation in FAMILY
