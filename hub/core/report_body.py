"""The body of a mandatory report, and what every outward body is made of: persons, days, keys as JSON has them.

The reporter stands in the report to the police and nowhere else; a shelter's and a protected person's address stand
nowhere at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from hub.core.ages import age_on
from hub.core.records import Event, Key, Owed, Person
from hub.core.timeline import INJURY_RANKS, derive, victim_of

Body = dict[str, Any]
"""JSON-ready: instants and days are ISO text."""

REPORT_FIELDS = (
    "report_no", "rule", "also", "clause", "kind", "urgency", "reporting_unit", "found_at", "received_at", "victim",
    "alleged", "place", "narrative", "injury", "situation", "evidence", "reporter", "contact", "created_at",
)  # fmt: skip
PARTY_FIELDS = ("name", "id_type", "id_number", "sex", "born", "phone", "address", "capacity")


class Opened(NamedTuple):
    """One record with its seal open: persons and texts as the unit named them, the reporter from its compartment."""

    event: Event
    persons: tuple[Person, ...]  # without the reporter
    texts: Mapping[str, str] = {}
    reporter: Person | None = None
    protected: frozenset[str] = frozenset()  # roles of this record whose address is withheld


def report(
    owed: Owed, report_no: str, created_at: datetime, opened: Sequence[Opened], *, clause: str, contact: str = ""
) -> Body:
    """The mandatory report: its fields are fixed here, once; later facts go after it as addenda.

    ``opened`` are the records that cause it, in any order, at least one; the first found one speaks for victim, place
    and times, the others add what it does not know. ``clause`` is the rule's clause and law in one text.
    """
    records = sorted(opened, key=lambda o: (o.event.at, o.event.key))
    leading = next((o for o in records if _cause(owed) == o.event.key), records[0])
    records = [leading, *(o for o in records if o is not leading)]
    facts = owed.facts
    body: Body = {
        "report_no": report_no,
        "rule": owed.what,
        "also": list(_texts(facts.get("also"))),
        "clause": clause,
        "kind": facts.get("kind"),
        "urgency": facts.get("urgency"),
        "reporting_unit": leading.event.key.unit,
        "found_at": iso(leading.event.at),
        "received_at": iso(leading.event.received_at),
        "victim": _first_known(_victim(o) for o in records),
        "alleged": _first_known(_alleged(o) for o in records),
        "place": next((p for o in records if (p := _place(o))), None),
        "narrative": "\n".join(t for o in records if (t := o.texts.get("narrative", ""))) or None,
        "injury": _injury(records),
        "situation": facts.get("situation"),
        "evidence": [evidence(key) for key in sorted(owed.causes)],
        "reporter": _first_known(_person(o.reporter, o, hide=False) for o in records if o.reporter),
        "contact": contact or None,
        "created_at": iso(created_at),
    }
    if not body["victim"]:
        body["parties"] = [_person(p, leading) for p in leading.persons if p.role in ("party_a", "party_b")]
    if facts.get("why"):
        body["why"] = facts["why"]  # reported on the safer side: age and capacity unknown
    return body


def evidence(key: Key) -> Body:
    """One record as evidence: by its number alone."""
    return {"unit": key.unit, "stream": key.stream, "key": key.no}


def json_ready(value: Any) -> Any:
    """Keys, tuples, days and instants as JSON has them."""
    if isinstance(value, Key):
        return evidence(value)
    if isinstance(value, date):  # a datetime is a date
        return iso(value)
    if isinstance(value, Mapping):
        return {str(name): json_ready(one) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [json_ready(one) for one in value]
    return value


def iso(when: date) -> str:
    return when.isoformat(timespec="seconds") if isinstance(when, datetime) else when.isoformat()


def _victim(opened: Opened) -> Body:
    party = victim_of(opened.event)
    person = next((p for p in opened.persons if party is not None and p.role == party.role), None)
    if person is None:
        return {}
    told = _person(person, opened)
    born = person.born or (party.born if party else None)
    if born is not None:
        told["age"] = age_on(born, opened.event.at.date())
    told["capacity"] = derive(opened.event).victim_capacity
    relation = opened.event.facts.get("relation")
    if relation is not None:
        told["relation"] = relation  # what the victim is to the alleged person
    return told


def _alleged(opened: Opened) -> Body:
    party = victim_of(opened.event)
    roles = ["alleged"]
    if party is not None and party.role in ("party_a", "party_b"):
        roles.append("party_b" if party.role == "party_a" else "party_a")
    found = (p for role in roles for p in opened.persons if p.role == role)
    return _person(next(found, None), opened)


def _person(person: Person | None, opened: Opened, *, hide: bool = True) -> Body:
    if person is None:
        return {}
    sheltered = opened.event.kind == "shelter" or person.role in opened.protected
    return fields_of(person, [f for f in PARTY_FIELDS if not (hide and sheltered and f == "address")])


def fields_of(person: Person, names: Iterable[str]) -> Body:
    values = {("birth_date" if n == "born" else n): getattr(person, n) for n in names}
    return {n: iso(v) if isinstance(v, date) else v for n, v in values.items() if v is not None}


def _place(opened: Opened) -> str:
    """Where it happened; the place of a shelter, or of an incident at a protected person's home, is not told."""
    if opened.event.kind == "shelter" or opened.protected:
        return ""
    return opened.texts.get("place", "")


def _injury(records: Sequence[Opened]) -> str | None:
    known = [str(v) for o in records if (v := o.event.facts.get("injury")) is not None]
    return max(known, key=lambda v: INJURY_RANKS.get(v, 0), default=None)


def _first_known(bodies: Iterable[Body]) -> Body:
    """The first that says anything, with what the later ones add about the same number or name."""
    known = [b for b in bodies if b]
    merged: Body = dict(known[0]) if known else {}
    for other in known[1:]:
        if any(merged.get(n) and merged.get(n) == other.get(n) for n in ("id_number", "name")):
            merged = {**other, **merged}
    return merged


def _cause(owed: Owed) -> Key | None:
    cause = owed.facts.get("cause")
    if not isinstance(cause, Mapping):
        return None
    return Key(str(cause.get("unit")), str(cause.get("stream")), str(cause.get("key")))


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(v) for v in value) if isinstance(value, tuple | list) else ()
