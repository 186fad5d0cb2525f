"""The bodies of everything that goes out, built from what is owed and the opened records. Pure; rendered once.

A mandatory report is sent bare, everything else in an envelope (contract, "Messages"). The reporter stands in the
report to the police and nowhere else; a shelter's and a protected person's address stand nowhere at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
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
FULL_REASON = frozenset({"police", "court", "procuratorate", "coordinator"})
"""Who is told the rule itself; to every other unit the reason is a family of reasons (policy section 7)."""
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
        "found_at": _iso(leading.event.at),
        "received_at": _iso(leading.event.received_at),
        "victim": _first_known(_victim(o) for o in records),
        "alleged": _first_known(_alleged(o) for o in records),
        "place": next((p for o in records if (p := _place(o))), None),
        "narrative": "\n".join(t for o in records if (t := o.texts.get("narrative", ""))) or None,
        "injury": _injury(records),
        "situation": facts.get("situation"),
        "evidence": [evidence(key) for key in sorted(owed.causes)],
        "reporter": _first_known(_person(o.reporter, o, hide=False) for o in records if o.reporter),
        "contact": contact or None,
        "created_at": _iso(created_at),
    }
    if not body["victim"]:
        body["parties"] = [_person(p, leading) for p in leading.persons if p.role in ("party_a", "party_b")]
    if facts.get("why"):
        body["why"] = facts["why"]  # reported on the safer side: age and capacity unknown
    return body


def without_reporter(body: Body) -> Body:
    """What `export reports` and `reports show` may show: the reporter leaves the hub only in the message to the police."""
    return {name: value for name, value in body.items() if name != "reporter"}


def report_copy(body: Body) -> Body:
    """The copy for the reporting unit's own supervising department: without narrative and reporter (2020 opinion 5)."""
    return {name: value for name, value in body.items() if name not in ("narrative", "reporter")}


def duty(owed: Owed, duty_no: str, household: str | None, *, state: str = "open", members: Iterable[Body] = ()) -> Body:
    """A referral or follow-up. ``members`` come from ``member_fields``; the reason is a rule or a family of reasons."""
    facts = owed.facts
    return {
        "duty_no": duty_no,
        "duty": owed.what,
        "household": household,
        "members": list(members),
        "reason": facts.get("rule") if owed.to in FULL_REASON and facts.get("rule") else facts.get("reason"),
        "due": None if owed.due is None else _iso(owed.due),
        "repeat": facts.get("repeat"),
        "state": state,
    }


def member_fields(persons: Iterable[Person], fields: Sequence[str], protected: Iterable[str] = ()) -> list[Body]:
    """Of each person only what the receiver's manifest names with its legal basis; never a protected person's address."""
    hidden = frozenset(protected)
    allowed = [f for f in PARTY_FIELDS if f in fields or (f == "born" and "birth_date" in fields)]
    told = []
    for person in persons:
        names = [f for f in allowed if f != "address" or person.role not in hidden]
        told.append({"role": person.role, **_fields(person, names)})
    return told


def light_change(
    change_no: str, household_no: str | None, household: str, community: str | None,
    light: str, was: str, since: datetime | None, reason: str,
) -> Body:  # fmt: skip
    """One entry of the change feed: no name, no narrative, ``reason`` a family of reasons."""
    return {
        "change_no": change_no,
        "household_no": household_no,
        "household": household,
        "community": community,
        "light": light,
        "was": was,
        "since": None if since is None else _iso(since),
        "reason": reason,
    }


def answer(owed: Owed, report_no: str, note: str = "") -> Body:
    """What the police decided, to the unit that reported; again when the case goes to prosecution."""
    return {
        "report_no": report_no,
        "step": owed.facts.get("step"),
        "at": _iso(owed.opened),
        "note": note or None,
    }


def addendum(owed: Owed, report_no: str, number: int, created_at: datetime) -> Body:
    """Addendum ``number`` (from 1) of a report: coded facts that other units added while it waits."""
    return {
        "report_no": report_no,
        "addendum": number,
        "facts": json_ready(owed.facts.get("facts", [])),
        "created_at": _iso(created_at),
    }


def cancellation(owed: Owed, report_no: str, created_at: datetime) -> Body:
    """A request to the police to cancel a report; only their acknowledgement ends it."""
    return {
        "report_no": report_no,
        "by_unit": owed.facts.get("by_unit"),
        "why": owed.facts.get("why"),
        "created_at": _iso(created_at),
    }


def escalation(owed: Owed, report_no: str = "", duty_no: str = "") -> Body:
    """A step of the ladder or a duty is late: which, since when. No matter, no names."""
    facts = owed.facts
    return {
        "report_no": report_no or facts.get("report_no"),
        "duty_no": duty_no or facts.get("duty_no"),
        "duty": facts.get("duty"),
        "unit": facts.get("of"),
        "step": facts.get("step") or facts.get("stage"),
        "due": json_ready(facts.get("late_since")) or _iso(owed.opened),
    }


def told(
    owed: Owed, created_at: datetime, *, report_no: str = "", number: int = 1, note: str = "", duty_no: str = ""
) -> Body:
    """The body of any message that follows a report or a duty, by its kind; raises ``KeyError`` for another kind.

    ``report_no`` and ``duty_no`` name what it follows; ``number`` counts the addenda of a report, from 1.
    """
    no = report_no or str(owed.facts.get("report_no") or "")
    makers: dict[str, Callable[[], Body]] = {
        "answer": lambda: answer(owed, no, note),
        "addendum": lambda: addendum(owed, no, number, created_at),
        "cancellation": lambda: cancellation(owed, no, created_at),
        "escalation": lambda: escalation(owed, no, duty_no),
        "notice": lambda: _notice(owed, no, duty_no, created_at),
    }
    return makers[owed.what]()


def _notice(owed: Owed, report_no: str, duty_no: str, created_at: datetime) -> Body:
    """Told to the coordinator with a request to cancel; or a reminder to the unit whose duty it is."""
    kind = str(owed.facts.get("kind") or "corrected")
    if kind == "reminder":
        return notice(duty_no or str(owed.facts.get("duty_no") or ""), kind, escalation(owed, "", duty_no))
    return notice(report_no, kind, cancellation(owed, report_no, created_at))


def notice(corrects: str, kind: str, body: Body) -> Body:
    """Something sent before no longer holds: ``kind`` retracted, corrected or moved."""
    return {"corrects": corrects, "kind": kind, "body": body}


def envelope(kind: str, message_no: str, unit: str, addressee: str, created_at: datetime, body: Body) -> Body:
    """Around every message but a mandatory report. ``message_no`` is the idempotency key."""
    return {
        "type": kind,
        "message_no": message_no,
        "unit": unit,
        "addressee": addressee,
        "created_at": _iso(created_at),
        "body": body,
    }


def canonical(body: Mapping[str, Any]) -> bytes:
    """The bytes of a body: UTF-8 JSON with sorted keys, so that the same body is the same bytes for ever."""
    return json.dumps(json_ready(body), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def evidence(key: Key) -> Body:
    """One record as evidence: by its number alone."""
    return {"unit": key.unit, "stream": key.stream, "key": key.no}


def json_ready(value: Any) -> Any:
    """Keys, tuples, days and instants as JSON has them."""
    if isinstance(value, Key):
        return evidence(value)
    if isinstance(value, date):  # a datetime is a date
        return _iso(value)
    if isinstance(value, Mapping):
        return {str(name): json_ready(one) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [json_ready(one) for one in value]
    return value


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
    return _fields(person, [f for f in PARTY_FIELDS if not (hide and sheltered and f == "address")])


def _fields(person: Person, names: Iterable[str]) -> Body:
    values = {("birth_date" if n == "born" else n): getattr(person, n) for n in names}
    return {n: _iso(v) if isinstance(v, date) else v for n, v in values.items() if v is not None}


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


def _iso(when: date) -> str:
    return when.isoformat(timespec="seconds") if isinstance(when, datetime) else when.isoformat()
