"""Draft to clean draft: raw cells become typed facts, checked persons and an event time, or one problem.

Two ways to take a bad field. Strict streams: the row is quarantined with code, field and remedy. Streams with a report
rule (``lenient``, S23): only a missing key or an unreadable suspicion holds the row back; any other bad field is applied
empty and listed in ``Draft.issues``, because lights and reports come first. A retraction needs only its key.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from hub.core.dates import as_instant
from hub.core.fields import Reader, readers_of
from hub.core.ours import why_not_ours
from hub.core.people import clean_person, column_of, is_minor_fault, with_student_number
from hub.core.problems import remedy_of
from hub.core.records import Draft, Fact, Key, Person, Problem
from hub.core.values import Unreadable, parse_flag, parse_key, parse_numbers, parse_when
from hub.core.words import KINDS, Kind
from hub.core.words_of_harm import speaks_of_harm

__all__ = ["AHEAD", "normalise"]

AHEAD: Final = timedelta(hours=24)
"""How far a time may lie ahead of the time received: clocks differ, years are mistyped (S3)."""
AUTHORITIES: Final = frozenset({"police", "court", "procuratorate"})
"""Units that decide themselves: what they wrote makes no task "owed but not made"."""
MAX_TEXT: Final = 65_536
PERSONAL_KINDS: Final = frozenset({"household_member", "special_household", "worker"})
"""Kinds that say nothing at all when they name nobody."""
_COLUMNS: Final[Mapping[str, str]] = {"community": "community_code", "grid": "grid_code"}
_ORDERED: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    # kind: (starts, the earliest recorded one counts), end
    "protection_order": (("decided_on", "valid_from"), "valid_until"),
    "divorce_suit": (("filed_on",), "closed_on"),
    "divorce_registration": (("received_on",), "status_on"),
    "shelter": (("from",), "until"),
    "special_household": (("from",), "until"),
    "household_member": (("from",), "until"),
    "worker": (("from",), "until"),
}

Bad = tuple[str, str, str]  # code, field, remedy ("" = the code's own)


class _Taking(NamedTuple):
    """How this row is taken."""

    draft: Draft
    spec: Kind
    latest: datetime  # nothing but the end of a state may lie behind it
    lenient: bool
    deleted: bool
    issues: list[tuple[str, str]]

    def hold(self, bad: Bad, *, always: bool = False) -> Problem | None:
        """The problem that stops the row, or None when the field is applied empty with an issue."""
        code, field, remedy = bad
        if self.deleted:
            return None  # a retraction needs only its key (S4)
        if self.lenient and not always:
            self.issues.append((code, field))
            return None
        return _problem(self.draft, self.draft.key, code, field, remedy)


def normalise(
    draft: Draft, *, received_at: datetime, lenient: bool = False, never_store: Collection[str] = ()
) -> Draft | Problem:
    """A clean draft, or why the row is quarantined or rejected (``Problem.rejected``, with the clean draft inside).

    ``received_at`` is aware. ``lenient``: the stream has a report rule (S23). ``never_store`` names facts, texts and
    person attributes that must not be kept. Facts that the kind does not declare are dropped. Never raises on data.
    """
    spec = KINDS.get(draft.kind)
    try:
        key = Key(draft.key.unit, draft.key.stream, _own_number(draft))
    except Unreadable as error:
        return _problem(draft, None, error.code, "key", error.remedy)
    if spec is None:
        return _problem(draft, key, "kind.unknown", "kind")
    if key != draft.key:
        draft = draft._replace(key=key)
    taking = _Taking(draft, spec, received_at + AHEAD, lenient, False, [])
    deleted = _deleted(draft, taking)
    if isinstance(deleted, Problem):
        return deleted
    if deleted:
        taking = taking._replace(deleted=True)
    updated_at = _updated_at(taking, received_at)
    if isinstance(updated_at, Problem):
        return updated_at
    facts = _facts(taking, never_store)
    if isinstance(facts, Problem):
        return facts
    persons = _persons(taking, never_store) or _nobody(taking)
    if isinstance(persons, Problem):
        return persons
    texts = _texts(draft, spec, never_store)
    if key.unit not in AUTHORITIES and any(map(speaks_of_harm, texts.values())):
        facts["words_of_harm"] = True  # for D25: a private task, never a report
    clean = Draft(
        draft.row, key, draft.kind, updated_at, deleted, facts, persons, parse_numbers(draft.related, key.no),
        texts, draft.original, _event_time(taking, facts, updated_at), tuple(taking.issues),
    )  # fmt: skip
    return clean if deleted else _ours(clean)


def _own_number(draft: Draft) -> str:
    no = parse_key(draft.key.no)
    if draft.kind == "household_member" and "" in no.split("/"):
        raise Unreadable("key.missing")  # one half of a composite number
    return no


def _problem(draft: Draft, key: Key | None, code: str, field: str, remedy: str = "") -> Problem:
    return Problem(draft.row, key, code, field, remedy or remedy_of(code), draft.original)


def _deleted(draft: Draft, taking: _Taking) -> bool | Problem:
    if draft.deleted is None or draft.deleted == "":
        return False
    try:
        return parse_flag(draft.deleted) is True
    except Unreadable as error:
        return taking.hold((error.code, "deleted", error.remedy)) or False


def _updated_at(taking: _Taking, received_at: datetime) -> datetime | Problem:
    """The cursor time; empty, and bad in a lenient stream: the time received (S4)."""
    try:
        when = parse_when(taking.draft.updated_at)
    except ValueError:
        return taking.hold(("date.invalid", "updated_at", "")) or received_at
    if when is None:
        return received_at
    instant = as_instant(when)
    if instant > taking.latest:
        return taking.hold(("date.future", "updated_at", "")) or received_at
    return instant


def _facts(taking: _Taking, never_store: Collection[str]) -> dict[str, Fact] | Problem:
    facts: dict[str, Fact] = {}
    spec, latest = taking.spec, taking.latest
    readers = readers_of(taking.draft.kind, taking.draft.key.unit)
    for name, raw in taking.draft.facts.items():
        reader = readers.get(name)
        if raw is None or reader is None or (never_store and name in never_store):
            continue
        try:
            value = reader.known[raw] if type(raw) is str and raw in reader.known else reader.read(raw)
        except ValueError as error:
            value, bad = None, _bad_fact(name, reader, error)
            problem = taking.hold(bad, always=name in spec.suspicion)
            if problem is not None:
                return problem
        if value is None:
            continue
        if reader.bounded and as_instant(value) > latest:  # type: ignore[arg-type]  # a bounded reader gives times
            problem = taking.hold(("date.future", name, ""))
            if problem is not None:
                return problem
            continue
        facts[name] = value
    return _missing(taking, facts) or _in_order(taking, facts) or facts


def _bad_fact(name: str, reader: Reader, error: ValueError) -> Bad:
    column = _COLUMNS.get(name, name)
    if isinstance(error, Unreadable):
        return error.code, column, error.remedy
    return "date.invalid" if reader.is_time else "value.invalid", column, ""


def _missing(taking: _Taking, facts: Mapping[str, Fact]) -> Problem | None:
    missing = [name for name in taking.spec.required if name not in facts]
    reported = {field for _, field in taking.issues} if missing else ()
    for name in missing:
        if name not in reported:
            problem = taking.hold(("field.missing", name, ""))
            if problem is not None:
                return problem
    return None


def _in_order(taking: _Taking, facts: dict[str, Fact]) -> Problem | None:
    """An end before its start is held back; in a lenient stream the end is left empty."""
    rule = _ORDERED.get(taking.draft.kind)
    if rule is None or not isinstance(end := facts.get(rule[1]), date):
        return None
    starts = [_day(start) for name in rule[0] if isinstance(start := facts.get(name), date)]
    if not starts or _day(end) >= min(starts):
        return None
    del facts[rule[1]]
    return taking.hold(("date.order", rule[1], ""))


def _day(when: date) -> date:
    return when.date() if isinstance(when, datetime) else when


def _persons(taking: _Taking, never_store: Collection[str]) -> tuple[Person, ...] | Problem:
    draft = taking.draft
    persons = []
    for raw in draft.persons:
        if never_store:
            raw = _without(raw, never_store)
        person, bad = clean_person(
            raw, kind=draft.kind, unit=draft.key.unit, latest=taking.latest, withhold_address=draft.kind == "shelter"
        )
        if person is not None and person.role == "victim" and "student_no" in draft.texts:
            person = with_student_number(person, draft.texts["student_no"])
        for fault in bad:
            if is_minor_fault(fault[0], person):
                taking.issues.append(fault[:2])
                continue
            problem = taking.hold(fault)
            if problem is not None:
                return problem
        if person is not None:
            persons.append(person)
    return tuple(persons)


def _without(person: Person, never_store: Collection[str]) -> Person:
    dropped: dict[str, Any] = {name: None for name in Person._fields[1:] if name in never_store}
    return person._replace(**dropped)


def _texts(draft: Draft, spec: Kind, never_store: Collection[str]) -> dict[str, str]:
    texts = {}
    for name, raw in draft.texts.items():
        if name in spec.texts and name not in never_store:
            text = str(raw).strip()[:MAX_TEXT]
            if not text.isprintable():  # perhaps half a character
                text = text.encode("utf-8", "replace").decode()
            if text and text not in ("无", "-", "/", "不详", "未知"):
                texts[name] = text
    return texts


def _event_time(taking: _Taking, facts: Mapping[str, Fact], updated_at: datetime) -> datetime:
    """The first recorded of the kind's times (S3); none, or none readable: when the record was last updated."""
    times = [as_instant(when) for name in taking.spec.at if isinstance(when := facts.get(name), date)]
    if not times:
        return updated_at
    if taking.draft.kind == "police_call":
        return min(times[:2])  # occurred later than called: the call
    return times[0]


def _nobody(taking: _Taking) -> tuple[Person, ...] | Problem:
    """No person at all: only some kinds say nothing then."""
    kind = taking.draft.kind
    if kind not in PERSONAL_KINDS:
        return ()
    column = column_of(kind, "member" if kind == "household_member" else "subject", "name", taking.draft.key.unit)
    return taking.hold(("person.none", column, "")) or ()


def _ours(clean: Draft) -> Draft | Problem:
    code = why_not_ours(clean)
    if code is None:
        return clean
    return Problem(clean.row, clean.key, code, "", remedy_of(code), b"", True, clean)
