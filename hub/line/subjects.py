"""Records that speak about a number or about nobody: feedback, duty answers, receipts, activities, silences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from hub.core.records import SHANGHAI, StreamKey
from hub.core.versions import facts_from_json
from hub.core.words import KINDS
from hub.store.compare import Incoming, Truth
from hub.store.lights import drop_silences, save_silences
from hub.store.loaded import Loaded
from hub.store.parcels import mark_received, owed_of_messages
from hub.store.places import place_standing
from hub.store.tx import Tx

NUMBERS = {"report_feedback": "report_no", "duty_answer": "duty_no", "receipt": "message_no"}
"""Kinds about a standing number, and the fact that names it."""
_DECIDED = ("override", "objection", "objection_answer", "handover")
"""Kinds of what people decide or say about a household."""
UNKNOWN = {"report_feedback": "report.unknown", "duty_answer": "duty.unknown", "receipt": "message.unknown"}


def _number(kind: str, facts: object) -> str:
    name = NUMBERS.get(kind, "")
    value = facts.get(name) if name and hasattr(facts, "get") else None
    return str(value) if value else ""


class Subjects:
    """The standing numbers of one commit."""

    def __init__(self, tx: Tx, loaded: Loaded) -> None:
        self._tx = tx
        self._loaded = loaded

    def unknown(self, incoming: Sequence[Incoming]) -> dict[int, str]:
        """Rows (by id of their sealed record) whose number was never given out, with the problem code."""
        named = [
            (one, _number(one.sealed.event.kind, one.sealed.event.facts))
            for one in incoming
            if one.sealed.event.kind in NUMBERS and not one.sealed.deleted and one.sealed.rejected is None
        ]
        if not named:
            return {}
        numbers = {number for _, number in named}
        given = {str(no) for (no,) in self._tx.rows_in("SELECT no FROM owed WHERE no {in}", numbers)}
        given |= set(owed_of_messages(self._tx, numbers - given))
        return {id(one.sealed): UNKNOWN[one.sealed.event.kind] for one, number in named if number not in given}

    def place(self, changed: Sequence[tuple[int, Truth]], moved: frozenset[int]) -> frozenset[int]:
        """Put fresh standing records, and those of owed things whose causes moved, where they belong; what they touch."""
        fresh = [(number, truth) for number, truth in changed if truth.event.kind in NUMBERS]
        self._receive([truth for _, truth in fresh if truth.state == "applied"])
        wanted: dict[int, str] = {}
        for number, truth in fresh:
            wanted[number] = _number(truth.event.kind, truth.event.facts) if truth.state == "applied" else ""
        following = moved | {number for number, truth in changed if truth.state != "applied"}
        wanted.update({n: no for n, no in self._following(following).items() if n not in wanted})
        if not wanted:
            return frozenset()
        homes = self._homes({no for no in wanted.values() if no})
        return place_standing(
            self._tx, self._loaded, {number: homes.get(no, frozenset()) for number, no in wanted.items()}
        )

    def place_decisions(self, changed: Sequence[tuple[int, Truth]], closed: bool, ruled: bool) -> frozenset[int]:
        """Put what people decide on the household they name, or on the one that took its records; what it touches.

        ``closed``: a household of this commit was closed, and what stood on it follows. ``ruled``: people ruled about who
        is meant, and a household may have its records back with what was decided about it.
        """
        fresh = {number: truth for number, truth in changed if KINDS[truth.event.kind].subject == "household"}
        named = {n: str(t.event.facts.get("household")) if t.state == "applied" else "" for n, t in fresh.items()}
        earlier = self._decided(everywhere=ruled) if closed or ruled else {}
        named = {number: uid for number, (uid, _) in earlier.items()} | named
        if not named:
            return frozenset()
        homes = self._living({uid for uid in named.values() if uid})
        places = {n: frozenset({homes[uid]}) if uid in homes else frozenset() for n, uid in named.items()}
        stays = {n for n, (_, where) in earlier.items() if n not in fresh and places[n] == frozenset({where})}
        return place_standing(self._tx, self._loaded, {n: homes for n, homes in places.items() if n not in stays})

    def _decided(self, *, everywhere: bool) -> dict[int, tuple[str, int]]:
        """Decisions on closed households (or ``everywhere``): record → uid of the household it names, and where it stands."""
        rows = self._tx.rows_in(
            "SELECT r.id, r.facts, h.id, h.successor_id FROM record r JOIN event_place e ON e.record_id = r.id"
            " JOIN household h ON h.id = e.household_id WHERE r.state = 'applied' AND r.kind {in}",
            _DECIDED,
        )
        return {
            int(number): (str(facts_from_json(facts).get("household")), int(where))
            for number, facts, where, successor in rows
            if everywhere or successor is not None
        }

    def _living(self, uids: set[str]) -> dict[str, int]:
        """Household uid → the household that has its records now."""
        rows = self._tx.rows_in("SELECT uid, id, successor_id FROM household WHERE uid {in}", uids)
        found = {str(uid): (int(number), successor) for uid, number, successor in rows}
        while closed := {uid: successor for uid, (_, successor) in found.items() if successor is not None}:
            later = self._tx.rows_in("SELECT id, successor_id FROM household WHERE id {in}", set(closed.values()))
            by_id = {int(number): successor for number, successor in later}
            found |= {uid: (int(after), by_id[int(after)]) for uid, after in closed.items()}
        return {uid: number for uid, (number, _) in found.items()}

    def _following(self, moved: frozenset[int]) -> dict[int, str]:
        """Standing records about owed things that these records cause."""
        rows = self._tx.rows_in(
            "SELECT n.record_id, n.no FROM owed_cause c JOIN owed o ON o.id = c.owed_id JOIN number n ON n.no = o.no"
            " JOIN record r ON r.id = n.record_id"
            " WHERE r.kind IN ('report_feedback', 'duty_answer', 'receipt') AND r.state = 'applied' AND c.record_id {in}",
            moved,
        )
        return {int(record): str(no) for record, no in rows}

    def _homes(self, numbers: set[str]) -> dict[str, frozenset[int]]:
        """Number → households of its causes; of a report without any, where it was last shown (S29)."""
        carried = owed_of_messages(self._tx, numbers)
        by_id = {owed: no for no, owed in carried.items() if owed is not None}
        owed = {
            int(number): (str(no), shown)
            for number, no, shown in self._tx.rows_in("SELECT id, no, household_id FROM owed WHERE no {in}", numbers)
        }
        owed.update(
            {
                int(number): (by_id[int(number)], shown)
                for number, shown in self._tx.rows_in("SELECT id, household_id FROM owed WHERE id {in}", by_id)
                if int(number) not in owed
            }
        )
        homes: dict[str, set[int]] = {}
        for number, household in self._tx.rows_in(
            "SELECT c.owed_id, e.household_id FROM owed_cause c JOIN event_place e ON e.record_id = c.record_id"
            " WHERE c.owed_id {in}",
            owed,
        ):
            homes.setdefault(owed[int(number)][0], set()).add(int(household))
        for no, shown in owed.values():
            if not homes.get(no) and shown is not None:
                homes[no] = {int(shown)}
        return {no: frozenset(found) for no, found in homes.items()}

    def _receive(self, truths: Sequence[Truth]) -> None:
        """Whatever answers a message says that it arrived."""
        mark_received(
            self._tx,
            [
                (_number(t.event.kind, t.event.facts), _text(t.event.facts.get("receipt_no")), t.event.at)
                for t in truths
            ],
        )

    def adopted(self, changed: Sequence[tuple[int, Truth]]) -> frozenset[int]:
        """Households whose history a person reviewed: from now on its records may have side effects."""
        named = [str(t.event.facts.get("household")) for _, t in changed if t.event.kind == "adoption"]
        found = self._tx.rows_in("SELECT id FROM household WHERE uid {in}", named)
        households = frozenset(int(number) for (number,) in found)
        self._tx.run_in(
            "UPDATE record SET live = ? WHERE id IN (SELECT record_id FROM event_place WHERE household_id {in})",
            households,
            (True,),
        )
        self._loaded.forget_records()
        self._tx.run_in(
            "UPDATE review_item SET state = 'accepted' WHERE kind = 'backfill' AND state = 'open' AND record_id IN"
            " (SELECT record_id FROM event_place WHERE household_id {in})",
            households,
        )
        return households

    def silences(self, changed: Sequence[tuple[int, Truth]]) -> set[StreamKey]:
        """Record silences that began or ended; the streams that are heard again."""
        found = [truth for _, truth in changed if truth.event.kind == "silence"]
        if not found:
            return set()
        spans = [(_stream(t), _instant(t.event.facts.get("from"), t.event.at), _until(t)) for t in found]
        applied = [t.state == "applied" for t in found]
        save_silences(self._tx, [span for span, kept in zip(spans, applied, strict=True) if kept])
        gone = [span[:2] for span, kept in zip(spans, applied, strict=True) if not kept]
        drop_silences(self._tx, gone)
        return {span[0] for span, kept in zip(spans, applied, strict=True) if span[2] is not None or not kept}


def _stream(truth: Truth) -> StreamKey:
    return StreamKey(str(truth.event.facts.get("unit")), str(truth.event.facts.get("stream")))


def _until(truth: Truth) -> datetime | None:
    value = truth.event.facts.get("until")
    return None if value is None else _instant(value, truth.event.at)


def _instant(value: object, otherwise: datetime) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=SHANGHAI)
    return otherwise


def _text(value: object) -> str | None:
    return None if value is None else str(value)


assert set(NUMBERS) == {kind for kind, schema in KINDS.items() if schema.subject == "standing"}
