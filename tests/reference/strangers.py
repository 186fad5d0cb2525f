"""Who lives in a district of doubtful persons: registered families, couples in no register, people of whom nothing is certain."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hub.core.records import Person
from tests.reference.makers import BORN
from tests.reference.opens import is_ours
from tests.reference.people import Row, within_family
from tests.reference.store_side import Resident, name, raw, table, told


class Couple(Resident):
    """Two people in no register, known by name and telephone; some of their records tell nothing certain of them."""

    def __init__(self, home: int, group: int, now: datetime) -> None:
        super().__init__(home, now)
        self.draw.seed(home * 100 + group)
        self.prefix, self.family = f"H{home}G{group}", (home, group)

    def at_home(self, row: Row) -> Row:
        row = super().at_home(row)
        people = [
            {**p, "person": number, "born": BORN[number]} for p in row["people"]
            for number in [p["person"] if p["person"] < 3 else 2 if p["role"] == "party_b" else 1]
        ]  # fmt: skip
        facts = {**row["facts"], "relation": "spouse"}
        facts.pop("original_case_no", None)
        if "lone" not in row:
            row["lone"] = self.draw.random() < 0.3
        return as_named({**row, "facts": facts, "people": people, "related": [], "family": self.family})


class Registered(Resident):
    """The family of a registered home."""

    def at_home(self, row: Row) -> Row:
        row = super().at_home(row)  # who lives with whom is said, and left neither to a guess nor to a linking number
        facts = {**row["facts"], "relation": row["facts"].get("relation") or "spouse"}
        return as_named({**row, "facts": facts, "related": [], "lone": False, "family": (self.home, 0)})


def as_named(row: Row) -> Row:
    """Who asks for legal aid is its subject; whom a stream has no columns for is not named, and nobody twice."""
    roles = {to.partition(":")[2].partition(".")[0] for _, to, _ in table(row["unit"], row["stream"]).fields}
    subject = {"role": "subject"} if row["stream"] == "legal_aid" else {}
    people = [{**who, **subject} for who in row["people"] if who["role"] in roles or subject]
    named = {who["role"] for who in people}
    return {**row, "people": [who for who in people if who["role"] != "victim" or "party_a" not in named]}


def is_kept(row: Row) -> bool:
    """Also what opens no light; not what happened outside the family (section 2)."""
    return within_family(row) is not False if row["stream"] in ("criminal_case", "action") else is_ours(row)


def phone(home: int, group: int, person: int) -> str:
    return f"139{home:04d}{group:02d}{person:02d}"


def as_sent(row: Row, home: int) -> dict[str, Any]:
    """A row as its department sends it: who is in no register without ID number, who is unknown by a name of the moment."""
    home, group = row["family"]
    if group == 0:
        return raw(row, home)
    number = int("".join(c for c in row["no"].partition("N")[2] if c.isdigit())) if row["lone"] else 0
    family = 2 * (200 + (home * 10 + group) * 80 + number)
    return told(row, [
        Person(p["role"], name=name(family, p["person"]), born=BORN[p["person"]], phone=phone(home, group, p["person"]))
        for p in row["people"]
    ])  # fmt: skip
