"""The first half of a commit: rows against what is stored, versions, persons and places; then quarantine and receipts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from hub.core.clocks import Moment
from hub.core.freight import Sealed
from hub.core.hood import Placing
from hub.core.oversight import district_duties
from hub.core.place import place
from hub.core.policy import Policy
from hub.core.records import Event, Owed, Problem
from hub.core.words import KINDS
from hub.line.held import Held, uids_of
from hub.line.judge import Scope
from hub.line.prepare import Prepared, PreparedPage, Refused, refuse
from hub.line.subjects import Subjects
from hub.store import pages, rulings
from hub.store.cases import waiting_households
from hub.store.compare import Incoming, Outcome, Truth, compare
from hub.store.district import activities, began, district_is_due, keep_next_look
from hub.store.hoods import FreshRecord, read_hood
from hub.store.loaded import Loaded
from hub.store.places import NOWHERE, Placed, save_placing
from hub.store.protection import save_protection
from hub.store.records import save_content, save_truths
from hub.store.times import from_us, to_us
from hub.store.tx import Tx


class Intake:
    """What one commit takes in."""

    def __init__(
        self, tx: Tx, work: Prepared, policy: Policy, as_of: datetime, communities: tuple[str, ...] = ()
    ) -> None:
        self._communities = communities
        self._tx = tx
        self._work = work
        self._policy = policy
        self._as_of = as_of
        landed = self._landed()
        self._pages = [page for page in work.pages if page.id in landed]
        self._refused: dict[int, list[Refused]] = {page.id: list(page.refused) for page in self._pages}
        self._outcomes: list[Outcome] = []
        self._held: Held | None = None
        self._ruled = False  # people ruled about who is meant

    def _landed(self) -> set[int]:
        ids = [page.id for page in self._work.pages]
        rows = self._tx.rows_in("SELECT id FROM page WHERE state = 'landed' AND id {in}", ids)
        return {int(number) for (number,) in rows}

    def take(self, due: frozenset[int]) -> Scope:
        """Store versions, place them; what is to be judged."""
        loaded = Loaded(self._tx)
        subjects = Subjects(self._tx, loaded)
        incoming = [one for page in self._pages for one in _incoming(page)]
        unknown = subjects.unknown(incoming)
        for one in incoming:
            if id(one.sealed) in unknown:
                self._refuse(one, unknown[id(one.sealed)])
        kept = [one for one in incoming if id(one.sealed) not in unknown]
        shadow = {page.id for page in self._pages if page.page.mode == "shadow"}
        self._compare_only([one for one in kept if one.page_id in shadow])
        outcomes, truths = compare(self._tx, [one for one in kept if one.page_id not in shadow])
        self._outcomes += outcomes
        ids = save_truths(self._tx, truths)
        self._held = Held(self._tx, self._pages, self._refused, self._outcomes, self._policy, self._as_of)
        loaded.new_records.update(number for number, truth in zip(ids, truths, strict=True) if not truth.record_id)
        changed = [(number, truth) for number, truth in zip(ids, truths, strict=True) if truth.changed]
        placed = self._place(loaded, changed)
        standing = subjects.place(changed, placed.moved) | subjects.adopted(changed)
        standing |= subjects.place_decisions(changed, placed.closed, self._ruled)
        waiting = waiting_households(self._tx, subjects.silences(changed))
        return self._scope(loaded, changed, placed, standing, due | frozenset(waiting))

    def _compare_only(self, rows: list[Incoming]) -> None:
        """Shadow pages: what would become of every row; nothing of it is stored."""
        outcomes, _ = compare(self._tx, rows)
        self._outcomes += outcomes

    def _refuse(self, one: Incoming, code: str) -> None:
        sealed, vault = one.sealed, self._work.vault
        original = vault.open_body(sealed.uid, sealed.body)["original"]
        if not original and sealed.reporter is not None:
            original = vault.open_reporter(sealed.uid, sealed.reporter)["original"]
        field = "report_no" if code == "report.unknown" else "duty_no" if code == "duty.unknown" else "message_no"
        problem = Problem(sealed.row, sealed.event.key, code, field, "send the number as the hub gave it", original)
        page = next(page for page in self._pages if page.id == one.page_id)
        self._refused[one.page_id].append(refuse(problem, page.page, vault))

    def _place(self, loaded: Loaded, changed: list[tuple[int, Truth]]) -> Placed:
        people = [(number, truth) for number, truth in changed if _subject(truth) == "people"]
        written = [(number, truth) for number, truth in changed if truth.content is not None]
        ruled = rulings.take(self._tx, changed) if any(t.event.kind == rulings.KIND for _, t in changed) else None
        self._ruled = ruled is not None
        again = _as_stored(loaded, ruled.records - {number for number, _ in people}) if ruled else []
        if not people and not again:
            save_content(self._tx, loaded, written, {})
            return NOWHERE
        fresh = [*(_fresh(number, truth) for number, truth in people), *again]
        known = frozenset([number for number, truth in people if truth.record_id] + [one.record_id for one in again])
        hood = read_hood(loaded, fresh, known, ruled)
        placing: Placing = place(hood.neighbourhood)
        placed = save_placing(self._tx, hood, placing, to_us(self._as_of))
        save_content(self._tx, loaded, written, placed.persons)
        save_protection(self._tx, [number for number, truth in people if truth.event.kind == "shelter"])
        return placed

    def _scope(
        self, loaded: Loaded, changed: list[tuple[int, Truth]], placed: Placed, standing: frozenset[int],
        due: frozenset[int],
    ) -> Scope:  # fmt: skip
        live: set[int] = set()
        fenced: set[int] = set()
        for number, truth in changed:
            homes = placed.places.get(number, {})
            (live if truth.live else fenced).update(homes)
        live |= standing
        known: dict[int, Event] = {number: truth.event for number, truth in changed if truth.state == "applied"}
        return Scope(
            households=placed.touched | standing | due,
            records=frozenset(number for number, _ in changed) | placed.moved,
            known=known,
            live=frozenset(live),
            fenced=frozenset(fenced - live),
            replayed=frozenset(truth.key for _, truth in changed if not truth.live),
            owed=(*self._held_back(), *self._district(changed)),
            loaded=loaded,
        )

    def _held_back(self) -> Iterable[Owed]:
        return self._held.owed() if self._held is not None else ()

    def _district(self, changed: list[tuple[int, Truth]]) -> Iterable[Owed]:
        """D20: months and quarters in which nothing was held."""
        told = any(truth.event.kind == "activity" for _, truth in changed)
        communities = self._communities
        if not communities or not (told or district_is_due(self._tx, self._as_of)):
            return ()
        since = began(self._tx) or self._as_of
        moment = Moment(self._as_of)
        owed = district_duties(activities(self._tx), communities, self._policy, moment, since)
        keep_next_look(self._tx, moment.valid_until)
        return owed

    def close(self) -> None:
        """Quarantine, issues of applied rows, receipts, counts: the pages become applied."""
        by_page: dict[int, list[Outcome]] = {page.id: [] for page in self._pages}
        for outcome in self._outcomes:
            by_page[outcome.page_id].append(outcome)
        assert self._held is not None
        for page in self._pages:
            self._close(page, by_page[page.id], self._held)
        self._held.save(by_page)

    def _close(self, page: PreparedPage, outcomes: list[Outcome], held: Held) -> None:
        counts = dict.fromkeys(pages.COUNTS, 0)
        lines = held.lines(page)
        for line in lines:
            counts[line["status"]] += 1
        for outcome in outcomes:
            counts[outcome.status] += 1
        lines = [*lines, *(told for outcome in outcomes if (told := _line(outcome)) is not None)]
        lines.sort(key=lambda line: int(line["row"]))
        pages.close_page(self._tx, page.id, counts, lines, to_us(self._as_of))


def _incoming(page: PreparedPage) -> Iterable[Incoming]:
    if page.page.door != "replay":
        return [Incoming(page.id, sealed) for sealed in page.sealed]
    versions, first = [int(number) for number in uids_of(page)], page.page.first_row
    return [Incoming(page.id, sealed, versions[sealed.row - first]) for sealed in page.sealed]


def _subject(truth: Truth) -> str:
    kind = KINDS.get(truth.event.kind)
    return kind.subject if kind is not None else "people"


def _fresh(number: int, truth: Truth) -> FreshRecord:
    event, content = truth.event, truth.content
    parties = content.event.parties if content is not None else ()
    indexes = content.indexes if content is not None else ()
    gone = truth.state != "applied"
    return FreshRecord(
        number, truth.key, event.kind, event.at, event.facts, event.related, parties, indexes, gone, content is None
    )


def _as_stored(loaded: Loaded, records: Iterable[int]) -> list[FreshRecord]:
    """Stored records whose place is asked anew, because a person ruled about who is meant."""
    return [
        FreshRecord(row.id, row.key, row.kind, from_us(row.at), loaded.facts(row), row.linked(), (), (), False, True)
        for row in loaded.records(sorted(records))
        if row.state == "applied"
    ]


def _line(outcome: Outcome) -> dict[str, Any] | None:
    """A receipt's line; None for a row that is plainly applied."""
    sealed: Sealed = outcome.incoming.sealed
    line: dict[str, Any] = {"row": outcome.row, "status": outcome.status, "event": outcome.event}
    if outcome.status == "rejected" and sealed.rejected is not None:
        problem = sealed.rejected
        return {**line, "code": problem.code, "field": problem.field, "remedy": problem.remedy}
    if sealed.issues and outcome.status in ("applied", "unchanged"):  # sent again with the same mistake: told again
        code, field = sealed.issues[0]
        return {**line, "code": code, "field": field, "issues": [{"code": c, "field": f} for c, f in sealed.issues]}
    return line if outcome.status != "applied" else None
