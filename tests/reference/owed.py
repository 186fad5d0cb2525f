"""What is owed at a moment (sections 5 and 7): open duties with unit and due date, from the story of the lights.

Answered here is what the policy fixes to the minute or the day without choice of words: ``COVERED`` names it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from tests.reference.closers import counts_at, is_visit
from tests.reference.days import closes_at, day, days_since, is_under, working_days_later
from tests.reference.lights import COLOURS, Concern, Walk, colour
from tests.reference.objections import unanswered
from tests.reference.opens import is_r6, opened_by, suspected_assault, suspected_violence
from tests.reference.people import Row, capacity, minor, victim, within_family

Owed = tuple[str, str, str]  # what, to, due
COVERED = ("D2", "D3", "D4", "D7b", "D8", "D9", "D11", "D13", "D19", "D23", "D24", "D27", "D29")
INJURIES = (None, "none", "slight", "minor", "serious", "dead")
TELLS_OF_VIOLENCE = {
    "incident",
    "complaint",
    "concern",
    "treatment",
    "conflict",
    "visit",
    "check_visit",
    "intervention",
    "shelter",
}


def owed(walk: Walk) -> list[Owed]:
    """Every open duty of ``COVERED``, sorted."""
    found = [*by_incident(walk), *by_record(walk), *follow_ups(walk), *unanswered(walk.rows, walk.as_of)]
    return sorted((what, to, f"{due:%Y-%m-%d %H:%M}") for what, to, due in found)


def working(since: datetime, count: int) -> datetime:
    """The last moment of so many working days later."""
    return closes_at(working_days_later(day(since), count))


def injury(row: Row) -> int:
    """0 none or unrecorded, 1 slight … 4 dead."""
    return max(0, INJURIES.index(row["facts"].get("injury")) - 1)


# -- one duty for each incident: its earliest record that causes it sets the date, one live record suffices -------------


def needs_shelter(row: Row) -> bool:
    return row["stream"] == "complaint" and row["facts"].get("needs_shelter") is True


def hurt_in_the_family(row: Row) -> bool:
    return injury(row) >= 1 and within_family(row) is not False


def needs_treatment(row: Row) -> bool:
    """Injury 1 or more, T74.3, F43 recorded."""
    code = row["facts"].get("icd10") or ""
    return injury(row) >= 1 or code[:5] == "T74.3" or code[:3] == "F43"


def is_grave(row: Row) -> bool:
    """R7, serious injury, a child under 14 hurt."""
    who = victim(row)
    child = who is not None and who["born"] is not None and is_under(who["born"], 14, day(row["at"]))
    return "R7" in opened_by(row) or injury(row) >= 3 or (child and injury(row) >= 1)


ONCE: tuple[tuple[str, str, Callable[[Row], bool], int], ...] = (
    ("D8", "civil_affairs", needs_shelter, 0), ("D9", "justice", hurt_in_the_family, 5),
    ("D13", "health", needs_treatment, 3), ("D19", "coordinator", is_grave, 3),
)  # fmt: skip
CLOSED_BY = {
    "D8": (("civil_affairs", "shelter"), ("civil_affairs", "relief")), "D9": (("justice", "forensic"), ("justice", "legal_aid")),
    "D13": (("health", "treatment"),), "D19": (("womens_federation", "review"),),
}  # fmt: skip


def by_incident(walk: Walk) -> list[tuple[str, str, datetime]]:
    found = []
    for group in walk.incidents:
        known = [row for row in group if row["at"] <= walk.as_of]
        for what, to, causes, days in ONCE:
            rows = [row for row in known if causes(row)]
            if not rows or not any(row["live"] for row in rows):
                continue
            at = min(row["at"] for row in rows)
            if not any(shows_done(row, at, walk, CLOSED_BY[what], rows) for row in walk.rows):
                found.append((what, to, working(at, days) if days else at + timedelta(hours=24)))
    return found


def shows_done(row: Row, since: datetime, walk: Walk, streams: tuple[tuple[str, str], ...], causes: list[Row]) -> bool:
    """The unit's own record, not before the cause and none of the causes."""
    if (row["unit"], row["stream"]) not in streams or row in causes or row["at"] > walk.as_of:
        return False
    return since <= closes_at(row["facts"]["from" if row["stream"] == "shelter" else "at"])


# -- one duty for each record --------------------------------------------------------------------------------------------


def by_record(walk: Walk) -> list[tuple[str, str, datetime]]:
    found = []
    for row in walk.rows:
        if not row["live"] or row["at"] > walk.as_of:
            continue
        if is_crime_against_an_adult(row):
            found.append(("D23", f"head:{row['unit']}", row["at"] + timedelta(hours=24)))
        if is_unclassified(row):
            found.append(("D24", row["unit"], row["at"] + timedelta(hours=24)))
        if breaks_an_order(row, walk):
            found += [("D7b", unit, row["at"]) for unit in ("court", "police")]
    for concern in walk.concerns:
        rows = [row for _, row in concern["rows"] if row is not None]
        if concern["rule"] != "R7" or not any(row["live"] for row in rows):
            continue
        supervised = (("procuratorate", "action"),)
        if not any(shows_done(row, concern["since"], walk, supervised, rows) for row in walk.rows):
            found.append(("D11", "procuratorate", working(concern["since"], 7)))
    return found


def is_crime_against_an_adult(row: Row) -> bool:
    """Injury 2 or more, or a lethal item of the scale, against a capable adult, not found by the police (section 5)."""
    who = victim(row)
    if row["unit"] == "police" or who is None or minor(who, row) is not False or capacity(who, row) != "full":
        return False
    lethal = row["stream"] == "danger_scale" and (row["facts"].get("lethal_items") or 0) >= 1
    found = suspected_violence(row) or suspected_assault(row) or row["facts"].get("harm_suspected") is True
    return lethal or (injury(row) >= 2 and found)


def is_unclassified(row: Row) -> bool:
    """A field the policy needs is unrecorded (D24)."""
    facts, stream = row["facts"], row["stream"]
    if stream == "incident":
        return bool(opened_by(row)) and not is_r6(facts) and facts.get("intensity") is None
    if stream == "admonition":
        return facts.get("kind") != "sexual_harassment" and facts.get("violence") is None
    if stream == "mediation":
        return facts.get("origin") == "transferred" and facts.get("violence") is None
    if stream == "penalty":
        return facts.get("domestic_violence") is None and within_family(row) is True
    if stream in ("criminal_case", "action"):
        return bool(opened_by(row)) and within_family(row) is None
    return False


def breaks_an_order(row: Row, walk: Walk) -> bool:
    """Any violence by the respondent while an order is in force."""
    facts = row["facts"]
    violent = (
        suspected_violence(row)
        or suspected_assault(row)
        or (row["stream"] == "check_visit" and facts.get("finding") == "violence")
    )
    if row["stream"] == "incident":
        violent = bool(opened_by(row)) and (is_r6(facts) or facts["category"] == "domestic_violence")
    if row["stream"] not in TELLS_OF_VIOLENCE or not violent:
        return False
    return any(
        c["rule"] == "R3"
        and c["since"] <= row["at"]
        and (c["until"] is None or row["at"] < c["until"])
        and may_be_by(row, c["span"]["row"])
        for c in walk.concerns
    )


def may_be_by(row: Row, order: Row) -> bool:
    """By the respondent, or perhaps: only other people, known and named, speak against."""
    respondent = [p["person"] for p in order["people"] if p["role"] == "alleged"]
    alleged = [p["person"] for p in row["people"] if p["role"] == "alleged"]
    parties = [p["person"] for p in row["people"] if p["role"] in ("party_a", "party_b")]
    if not respondent:
        return True
    return respondent == alleged if alleged else len(parties) < 2 or respondent[0] in parties


# -- follow-up visits while a light stands -------------------------------------------------------------------------------


def follow_ups(walk: Walk) -> list[tuple[str, str, datetime]]:
    """D2, D3, D4 of the light that stands now, each unit's next visit from its last one."""
    light, since = walk.shown_light(), walk.shown[-1][0] if walk.shown else None
    what, units = {
        "red": ("D2", ("womens_federation", "community_grid")), "orange": ("D3", ("community_grid",)),
        "yellow": ("D4", ("community_grid",)),
    }.get(light, ("", ()))  # fmt: skip
    found = []
    causes = [row for c in walk.concerns if c["since"] == since for _, row in c["rows"][:1]]
    for unit in units:
        met = sorted(
            counts_at(row) for row in walk.rows
            if is_visit(row) and row["unit"] == unit and row["facts"].get("finding") != "not_reached"
            and since < counts_at(row) and row["at"] <= walk.as_of and row not in causes
        )  # fmt: skip
        last, count = since, 1
        for when in met:
            if count == 1 or when > last:
                last, count = when, count + 1
        if any(row["live"] for row in causing(walk, light, last)):
            found.append((what, unit, last + interval(what, count, last, walk)))
    return found


def interval(what: str, count: int, last: datetime, walk: Walk) -> timedelta:
    if what == "D3" and count > 1:
        oldest = min(c["since"] for c in everything(walk) if stood(c, last) and level(c) >= 2)
        return timedelta(days=14 if days_since(oldest, last) < 90 else 30)
    terms = {"D2": (24, 72, 168), "D3": (72,), "D4": (168, 720, 1440)}[what]
    return timedelta(hours=terms[min(count, len(terms)) - 1])


def everything(walk: Walk) -> list[Concern]:
    """Concerns of the records, and what people decided."""
    return [*walk.concerns, *walk.decided]


def level(concern: Concern) -> int:
    return concern["level"] if concern["rule"][0] == "P" else colour(concern["rule"])


def stood(concern: Concern, at: datetime) -> bool:
    return bool(concern["since"] <= at and (concern["until"] is None or at < concern["until"]))


def causing(walk: Walk, light: str, since: datetime) -> list[Row]:
    """The records of every concern of this light that stood since then (S26)."""
    return [
        row
        for c in everything(walk)
        if COLOURS[level(c)] == light and (c["until"] is None or c["until"] > since)
        for row in records(c, walk)
    ]


def records(concern: Concern, walk: Walk) -> list[Row]:
    """Those of a concern; T1 stands on the records of the red, Y4 of the orange that ended then, and on what ended it."""
    found = [row for _, row in concern["rows"] if row is not None]
    if concern["rule"] in ("T1", "Y4"):
        begun = {when for when, _ in concern["rows"]}  # or joined, by another that ended while it stood
        for past in walk.concerns:
            led_here = colour(past["rule"]) == colour(concern["rule"]) + 1
            if led_here and past["until"] in begun and past is not concern:
                found += records(past, walk) + [past["closer"]] * (past["closer"] is not None)
    return found
