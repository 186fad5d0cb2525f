"""What goes out, written in the commit that decides it: bodies from what is owed and the opened records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

import orjson

from hub.core import message
from hub.core.message import Opened
from hub.core.policy import Policy
from hub.core.records import Case, Event, Key, Owed, Person
from hub.core.settle import is_duty, is_report
from hub.line.ports import Vault
from hub.store.codec import to_json
from hub.store.sql import Sql

KINDS = {"answer", "addendum", "cancellation", "report_copy", "notice", "escalation"}
REPORT, DUTY, CHANGE = "mandatory_report", "duty", "light_change"
PREFIXES = {
    "answer": "AN",
    "addendum": "AD",
    "cancellation": "CX",
    "report_copy": "CP",
    "notice": "NT",
    "escalation": "ES",
    CHANGE: "LC",
}


class Outward(NamedTuple):
    """What is known of the receivers, from configuration and manifests."""

    destinations: frozenset[tuple[str, str]] = frozenset()  # (unit, kind of message) with a delivery set
    contacts: Mapping[str, Any] = {}
    fields: Mapping[str, Sequence[str]] = {}  # unit → fields of a person its manifest names
    copies: Mapping[str, Sequence[str]] = {}  # the same for copies of reports
    communities: tuple[str, ...] = ()  # of the district: whose months without class or meeting are watched (D20)

    def unit_of(self, to: str) -> str:
        """The unit that carries a message: its own name, ``head:<unit>``, or a post by ``[contacts]``."""
        found = self.contacts.get(to, "womens_federation" if to == "coordinator" else None)
        if isinstance(found, str) and found and not found.startswith("head:"):
            return found
        return to.partition(":")[2] if to.startswith("head:") else to

    def reaches(self, unit: str, kind: str) -> bool:
        """Whether a delivery of this kind to this unit is set."""
        return (unit, kind) in self.destinations


def kind_of(what: str) -> str:
    """The kind of message that carries an owed thing."""
    return REPORT if is_report(what) else DUTY if is_duty(what) else what


def way_missing(unit: str, kind: str, channel: str) -> str:
    """What to do when a message has nowhere to go."""
    way = f"[deliver.{kind}.second]" if channel == "second" else f"[deliver.{kind}]"
    return f"set {way} in connectors.d/{unit}.toml, and enable {unit} if it is not"


def prefix_of(what: str) -> str:
    """The beginning of its number: ``MR``, the duty's own name, or two letters."""
    return "MR" if is_report(what) else PREFIXES.get(what, what)


class Records:
    """The records of a commit with their seals open, each opened at most once."""

    def __init__(self, sql: Sql, vault: Vault, ids: Mapping[Key, int], cases: Iterable[Case]) -> None:
        self._sql = sql
        self._vault = vault
        self._ids = ids
        self._cases = cases
        self._opened: dict[Key, Opened] = {}
        self._protected: frozenset[int] | None = None

    @cached_property
    def _events(self) -> dict[Key, Event]:
        return {event.key: event for case in self._cases for event in case.events}

    def opened(self, keys: Iterable[Key]) -> list[Opened]:
        """Current records with persons, texts and reporter; keys that have none now are left out."""
        wanted = [key for key in keys if key in self._events]
        missing = {self._ids[key]: key for key in wanted if key not in self._opened}
        rows = self._sql.rows_in(
            "SELECT r.id, v.uid, v.body, v.reporter FROM record r JOIN version v ON v.record_id = r.id"
            " AND v.number = r.version WHERE r.id {in}",
            missing,
        )
        for number, uid, body, reporter in rows:
            key = missing[int(number)]
            self._opened[key] = self._open(self._events[key], str(uid), bytes(body), reporter)
        return [self._opened[key] for key in wanted if key in self._opened]

    def _open(self, event: Event, uid: str, body: bytes, reporter: Any) -> Opened:
        plain = self._vault.open_body(uid, body)
        told = self._vault.open_reporter(uid, bytes(reporter))["persons"] if reporter is not None else ()
        hidden = self.protected()
        roles = frozenset(p.role for p in event.parties if p.person in hidden)
        return Opened(
            event,
            tuple(_person(p) for p in plain["persons"]),
            plain["texts"],
            _person(told[0]) if told else None,
            roles,
        )

    def protected(self) -> frozenset[int]:
        """Sheltered persons: their address is told to nobody."""
        if self._protected is None:
            rows = self._sql.rows("SELECT id FROM person WHERE protected = ?", (True,))
            self._protected = frozenset(int(number) for (number,) in rows)
        return self._protected


def _person(fields: Mapping[str, Any]) -> Person:
    born = fields.get("born")
    return Person(**{**fields, "born": datetime.fromisoformat(born).date() if isinstance(born, str) else born})


class Letter(NamedTuple):
    """A written message: its number, who carries it, its plain bytes."""

    no: str
    to: str
    kind: str
    plain: bytes
    body: message.Body


class Writer:
    """Writes the messages of one commit."""

    def __init__(
        self, policy: Policy, records: Records, outward: Outward, homes: Mapping[int, str], at: datetime
    ) -> None:
        self._policy = policy
        self._records = records
        self._outward = outward
        self._homes = homes  # household → uid
        self._at = at

    def read_ahead(self, causes: Iterable[Key]) -> None:
        """Open the records that messages of this commit will tell of, in one look."""
        self._records.opened(causes)

    def report(self, owed: Owed, no: str) -> Letter:
        """A mandatory report, sent bare."""
        clause, law = self._policy.clause(owed.what)
        contact = self._outward.contacts.get("coordinator", "")
        body = message.report(
            owed,
            no,
            self._at,
            self._records.opened(sorted(owed.causes)),
            clause="；".join(part for part in (clause, law) if part),
            contact=contact if isinstance(contact, str) else "",
        )
        return Letter(no, self._outward.unit_of(owed.to), REPORT, to_json(body), body)

    def duty_body(self, owed: Owed, no: str, state: str) -> message.Body:
        """What a duty says; of the persons only what the receiver's manifest names."""
        fields = self._outward.fields.get(self._outward.unit_of(owed.to), ())
        members: list[message.Body] = []
        if fields:
            opened = self._records.opened(sorted(owed.causes))
            told = {(p.role, p.name, p.id_number): (p, o.protected) for o in opened for p in o.persons}
            for person, hidden in told.values():
                members += message.member_fields([person], fields, hidden)
        household = self._homes.get(owed.household) if owed.household is not None else None
        return message.duty(owed, no, household, state=state, members=members)

    def envelope(self, kind: str, no: str, to: str, body: message.Body) -> Letter:
        """Any message but a report."""
        unit = self._outward.unit_of(to)
        full = message.envelope(kind, no, unit, to, self._at, body)
        return Letter(no, unit, kind, to_json(full), body)

    def copy(self, report: message.Body, to: str) -> message.Body:
        """What the copy of a report says to this receiver."""
        return message.report_copy(report, self._outward.copies.get(self._outward.unit_of(to), ()))

    def other(self, owed: Owed, no: str, report: message.Body | None, addenda: int) -> Letter:
        """Answers, copies, addenda, requests, notices, escalations. ``addenda`` is how many the report has already."""
        about = str(owed.facts.get("report_no") or (report or {}).get("report_no") or "")
        body: message.Body
        if owed.what == "report_copy":
            body = self.copy(report or {"report_no": about}, owed.to)
        else:
            body = message.told(owed, self._at, report_no=about, number=addenda + 1)
        return self.envelope(owed.what, no, owed.to, body)


def parsed(plain: bytes) -> message.Body:
    """A stored body as data."""
    body: message.Body = orjson.loads(plain)
    return body
