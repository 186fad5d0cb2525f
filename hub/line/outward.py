"""Acts of ``settle`` → rows and messages of the same commit. What was decided stands in ``core/settle.py`` alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from hub.core.message import Body
from hub.core.records import Key, Owed
from hub.core.settle import ENDED, Act, Amend, Close, Open, Review, Withdraw, is_duty, is_report
from hub.line.corrections import Correction
from hub.line.letters import DUTY, REPORT, Letter, Outward, Writer, kind_of, parsed, prefix_of, way_missing
from hub.line.ports import Vault
from hub.store import standing as rows
from hub.store.numbers import new_no
from hub.store.parcels import NO_DESTINATION, NewParcel, insert_parcels, replace_unsent, withdraw_unsent
from hub.store.standing import Opened, StandingRow
from hub.store.tx import Tx

URGENT = frozenset({REPORT, "escalation", "cancellation", "addendum"})


class Outbox:
    """The owed things and messages of one commit."""

    def __init__(
        self, tx: Tx, vault: Vault, writer: Writer, outward: Outward, standing: Iterable[StandingRow],
        records: Mapping[Key, int], as_of: datetime,
    ) -> None:  # fmt: skip
        self._tx = tx
        self._vault = vault
        self._writer = writer
        self._outward = outward
        self._standing = {row.no: row for row in standing}
        self._records = records
        self._as_of = as_of
        self._opened: list[Opened] = []
        self._parcels: list[NewParcel] = []
        self._next_id = 0
        self._reports: dict[Key, str] = {}  # record → the report it causes
        self._bodies: dict[str, Body] = {}
        self._addenda: dict[str, int] = {}
        self._duties: dict[str, list[Opened]] = {}  # name of a duty → those opened here

    def save(self, acts: Sequence[Act]) -> None:
        """Write every act; reports first, because copies and addenda name them, then duties, which reminders name."""
        if not acts:
            return
        self._next_id = self._tx.next_id("owed")
        for row in self._standing.values():
            if is_report(row.what) and row.state not in ENDED:
                self._reports.update(dict.fromkeys(row.keys, row.no))
        opens = [act for act in acts if isinstance(act, Open)]
        opens.sort(key=lambda act: (not is_report(act.owed.what), not is_duty(act.owed.what)))
        self._writer.read_ahead({key for act in opens for key in act.owed.causes})
        for act in opens:
            self._open(act)
        self._review([act for act in acts if isinstance(act, Review)])
        rows.insert_owed(self._tx, self._opened, self._records)
        self._amend([act for act in acts if isinstance(act, Amend)])
        self._close([act for act in acts if isinstance(act, Close)])
        self._withdraw([act for act in acts if isinstance(act, Withdraw)])
        self._post()

    def reported(self) -> frozenset[int]:
        """Households for which a report was opened."""
        found = (one.household for one in self._opened if is_report(one.owed.what))
        return frozenset(number for number in found if number is not None)

    def change(self, letter: Letter) -> None:
        """A light change for the grid platform, which has no owed row."""
        sealed = self._vault.seal_blob(letter.no, letter.plain)
        self._parcels.append(NewParcel(letter.no, "first", None, letter.to, letter.kind, False, sealed))

    def correct(self, corrections: Iterable[Correction]) -> None:
        """Tell receivers what a newer version of a record makes of what they have."""
        for row, owed, body in corrections:
            self._notify(row, owed, "corrected", body)
        self._post()

    def post_changes(self) -> None:
        """Write the messages that came after ``save``."""
        self._post()

    def _post(self) -> None:
        insert_parcels(self._tx, self._parcels, self._as_of)
        missing = {(p.to, p.kind, p.channel) for p in self._parcels if p.last == NO_DESTINATION}
        for unit, kind, channel in sorted(missing):
            self._tx.open_issue("delivery.missing", f"{unit}.{kind}", self._as_of, way_missing(unit, kind, channel))
        self._parcels = []

    def _open(self, act: Open) -> None:
        owed = act.owed
        number, self._next_id = self._next_id, self._next_id + 1
        no = new_no(prefix_of(owed.what), self._as_of)
        state = str(owed.facts.get("state") or ("queued" if is_report(owed.what) else "open"))
        body: bytes | None = None
        if is_report(owed.what):
            letter = self._writer.report(owed, no)
            body = self._send(letter, number, owed)
            self._reports.update(dict.fromkeys(owed.causes, no))
            self._bodies[no] = letter.body
            owed = owed._replace(opened=self._as_of)  # its clocks run from the moment it exists
        elif kind_of(owed.what) == DUTY:
            self._send(self._writer.envelope(DUTY, no, owed.to, self._writer.duty_body(owed, no, state)), number, owed)
        elif owed.what == "escalation" and owed.facts.get("channel") == "second":
            self._second_channel(owed, number)
        else:
            owed = self._open_other(owed, no, number)
        opened = Opened(number, no, owed, state, owed.household, act.replaces, body)
        self._opened.append(opened)
        if is_duty(owed.what):
            self._duties.setdefault(f"{owed.what}:{owed.to}:{owed.slot}", []).append(opened)

    def _open_other(self, owed: Owed, no: str, number: int) -> Owed:
        about = str(owed.facts.get("report_no") or "") or self._report_of(owed)
        owed = owed._replace(facts={**owed.facts, "report_no": about}) if about else owed
        if "duty" in owed.facts and not owed.facts.get("duty_no"):
            owed = owed._replace(facts={**owed.facts, "duty_no": self._duty_of(owed)})
        report = self._body_of(about) if owed.what == "report_copy" else None
        addenda = self._count_addenda(about) if owed.what == "addendum" else 0
        self._send(self._writer.other(owed, no, report, addenda), number, owed)
        return owed

    def _duty_of(self, owed: Owed) -> str | None:
        """The number of the duty that was opened in this commit and is reminded of at once: it came late."""
        found = self._duties.get(owed.slot.rpartition(":")[0], ())
        mine = (one for one in found if one.owed.causes & owed.causes and one.household == owed.household)
        return next((one.no for one in mine), None)

    def _report_of(self, owed: Owed) -> str:
        return next((self._reports[key] for key in sorted(owed.causes) if key in self._reports), "")

    def _body_of(self, no: str) -> Body | None:
        if no not in self._bodies:
            found = self._tx.one("SELECT body FROM owed WHERE no = ?", (no,))
            if found is None or found[0] is None:
                return None
            self._bodies[no] = parsed(self._vault.open_blob(no, bytes(found[0])))
        return self._bodies[no]

    def _count_addenda(self, no: str) -> int:
        if no not in self._addenda:
            found = self._tx.one("SELECT COUNT(*) FROM owed WHERE what = 'addendum' AND slot LIKE ?", (f"{no}:%",))
            self._addenda[no] = int(found[0]) if found else 0
        self._addenda[no] += 1
        return self._addenda[no] - 1

    def _send(self, letter: Letter, owed_id: int, owed: Owed) -> bytes:
        sealed = self._vault.seal_blob(letter.no, letter.plain)
        last = "" if self._outward.reaches(letter.to, letter.kind) else NO_DESTINATION
        urgent = letter.kind in URGENT or owed.facts.get("urgency") == "immediate"
        self._parcels.append(NewParcel(letter.no, "first", owed_id, letter.to, letter.kind, urgent, sealed, last))
        return sealed

    def _second_channel(self, owed: Owed, number: int) -> None:
        """The report itself once more, by the other way, under its own number."""
        no = str(owed.facts.get("report_no") or "")
        found = self._tx.one("SELECT body FROM owed WHERE no = ?", (no,))
        twice = self._tx.one("SELECT id FROM parcel WHERE no = ? AND channel = 'second'", (no,))
        if found is None or found[0] is None or twice is not None:
            return
        unit = self._outward.unit_of(owed.to)
        last = "" if self._outward.reaches(unit, REPORT) else NO_DESTINATION
        self._parcels.append(NewParcel(no, "second", number, unit, REPORT, True, bytes(found[0]), last))

    def _review(self, acts: Sequence[Review]) -> None:
        """What the fence held back: one entry of the review list a household, naming everything that waits there."""
        waiting: dict[int, set[str]] = {}
        first: dict[int, int] = {}
        for act in acts:
            owed, home = act.owed, act.owed.household or 0
            waiting.setdefault(home, set()).add(f"{owed.what}>{owed.to} {act.no}".rstrip())
            cause = min((self._records[k] for k in owed.causes if k in self._records), default=0)
            first[home] = min(cause, first.get(home, cause))
        listed = {first[home]: ", ".join(sorted(named)) for home, named in waiting.items()}
        rows.list_for_review(self._tx, listed, self._as_of)

    def _amend(self, acts: Sequence[Amend]) -> None:
        found = [(self._standing[act.no], act) for act in acts]
        states = [(row.id, str(act.owed.facts.get("state") or row.state), act) for row, act in found]
        rows.amend_owed(self._tx, states, self._records)
        told = [(row, act) for row, act in found if act.tell]
        letters = {
            row.id: self._writer.envelope(
                DUTY,
                row.no,
                row.to,
                self._writer.duty_body(act.owed, row.no, str(act.owed.facts.get("state") or row.state)),
            )
            for row, act in told
        }
        sealed = {number: self._vault.seal_blob(letter.no, letter.plain) for number, letter in letters.items()}
        replaced = replace_unsent(self._tx, sealed)
        for row, act in told:
            if row.id not in replaced and row.sent:
                self._notify(row, act.owed, "moved" if "moved" in act.differs else "corrected", letters[row.id].body)

    def _notify(self, row: StandingRow, owed: Owed, kind: str, body: Body) -> None:
        no = new_no("NT", self._as_of)
        notice: Body = {"corrects": row.no, "kind": kind, "body": body}
        self._send(self._writer.envelope("notice", no, row.to, notice), row.id, owed)

    def _close(self, acts: Sequence[Close]) -> None:
        rows.close_owed(self._tx, [(self._standing[act.no].id, act) for act in acts])
        withdraw_unsent(self._tx, [self._standing[act.no].id for act in acts])

    def _withdraw(self, acts: Sequence[Withdraw]) -> None:
        found = [(self._standing[act.no], act) for act in acts]
        rows.withdraw_owed(self._tx, [(row.id, act) for row, act in found], self._as_of)
        withdraw_unsent(self._tx, [row.id for row, _ in found])
        for row, act in found:
            if act.tell:
                owed = act.owed._replace(household=row.household)
                body = (
                    self._writer.duty_body(owed, row.no, "cancelled")
                    if kind_of(row.what) == DUTY
                    else {"report_no": row.facts.get("report_no"), "state": "cancelled"}
                )
                self._notify(row, owed, "retracted", body)
