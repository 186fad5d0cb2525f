"""What was opened before: reports, duties, messages; the records that cause them; how far they went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from hub.core.records import Closing, Key, Owed, Standing
from hub.core.settle import Amend, Close, Withdraw
from hub.store.codec import to_json
from hub.store.numbers import new_uid
from hub.store.sql import Row, Sql
from hub.store.times import from_us, opt_from_us, opt_us, to_us

_COLUMNS = (
    'o.id, o.no, o.what, o."to", o.slot, o.state, o.live, o.opened_at, o.due, o.closed_at, o.closed_by, o.how,'
    " o.facts, o.household_id"
)


class StandingRow(NamedTuple):
    """One row of ``owed`` with its causes. ``sent``: its first message may have reached the receiver."""

    id: int
    no: str
    what: str
    to: str
    slot: str
    state: str
    live: bool
    opened: datetime
    due: datetime | None
    closed: Closing | None
    facts: Mapping[str, Any]
    household: int | None
    causes: frozenset[int]
    sent: bool
    keys: frozenset[Key] = frozenset()

    def resolved(self, keys: Mapping[int, Key]) -> StandingRow:
        """With its causes as keys."""
        return self._replace(keys=frozenset(keys[cause] for cause in self.causes if cause in keys))

    def owed(self) -> Owed:
        """As ``settle`` compares it."""
        return Owed(
            self.what, self.to, self.slot, self.keys, self.opened, self.due, self.closed, self.facts, self.live,
            self.household,
        )  # fmt: skip

    def standing(self) -> Standing:
        """As ``settle`` and the rules see it."""
        return Standing(self.no, self.owed(), self.state, self.sent)


def read_standing(sql: Sql, households: Iterable[int], records: Iterable[int]) -> list[StandingRow]:
    """Every row, ended ones too, shown on these households or caused by these records."""
    rows = {int(r[0]): r for r in sql.rows_in(f"SELECT {_COLUMNS} FROM owed o WHERE o.household_id {{in}}", households)}
    for r in sql.rows_in(
        f"SELECT {_COLUMNS} FROM owed o JOIN owed_cause c ON c.owed_id = o.id WHERE c.record_id {{in}}",
        records,
    ):
        rows[int(r[0])] = r
    return _with_causes(sql, rows)


def read_reports(sql: Sql, households: Iterable[int], records: Iterable[int]) -> list[StandingRow]:
    """Of those rows the mandatory reports, as opened."""
    which = "o.what IN ('M1', 'M2', 'M3', 'M4', 'M5', 'M6', 'M7')"
    shown = sql.rows_in(f"SELECT {_COLUMNS} FROM owed o WHERE {which} AND o.household_id {{in}}", households)
    caused = sql.rows_in(
        f"SELECT {_COLUMNS} FROM owed o JOIN owed_cause c ON c.owed_id = o.id WHERE {which} AND c.record_id {{in}}",
        records,
    )
    return _with_causes(sql, {int(r[0]): r for r in (*shown, *caused)})


def standing_by_number(sql: Sql, numbers: Iterable[str]) -> list[StandingRow]:
    """Rows by the numbers people and receivers know them by."""
    found = sql.rows_in(f"SELECT {_COLUMNS} FROM owed o WHERE o.no {{in}}", numbers)
    return _with_causes(sql, {int(r[0]): r for r in found})


def standing_by_id(sql: Sql, number: int) -> StandingRow | None:
    """One row, its causes unresolved."""
    found = sql.rows(f"SELECT {_COLUMNS} FROM owed o WHERE o.id = ?", (number,))
    rows = _with_causes(sql, {int(r[0]): r for r in found})
    return rows[0] if rows else None


def standing_by_slot(sql: Sql, slots: Iterable[str]) -> list[StandingRow]:
    """Rows that no record causes (D20, D26), by their slots."""
    found = sql.rows_in(f"SELECT {_COLUMNS} FROM owed o WHERE o.what IN ('D20', 'D26') AND o.slot {{in}}", slots)
    return _with_causes(sql, {int(r[0]): r for r in found})


def _with_causes(sql: Sql, rows: Mapping[int, Row]) -> list[StandingRow]:
    causes: dict[int, set[int]] = {}
    for owed_id, record_id in sql.rows_in("SELECT owed_id, record_id FROM owed_cause WHERE owed_id {in}", rows):
        causes.setdefault(int(owed_id), set()).add(int(record_id))
    sent = {
        int(r[0])
        for r in sql.rows_in("SELECT DISTINCT owed_id FROM parcel WHERE rendered IS NOT NULL AND owed_id {in}", rows)
    }
    return [_row(r, frozenset(causes.get(number, ())), number in sent) for number, r in rows.items()]


def _row(r: Row, causes: frozenset[int], sent: bool) -> StandingRow:
    number, no, what, to, slot, state, live, opened, due, closed_at, closed_by, how, facts, household = r
    closed = None
    if closed_at is not None:
        closed = Closing(from_us(closed_at), key_of(closed_by), how)
    return StandingRow(
        int(number), no, what, to, slot, state, bool(live), from_us(opened), opt_from_us(due), closed,
        orjson.loads(facts), None if household is None else int(household), causes, sent,
    )  # fmt: skip


def key_text(key: Key | None) -> str:
    """A key in one column; "" for None."""
    return "" if key is None else f"{key.unit}/{key.stream}/{key.no}"


def key_of(text: str) -> Key | None:
    """The inverse of ``key_text``."""
    return Key(*text.split("/", 2)) if text else None


class Opened(NamedTuple):
    """A new row: an owed thing with its number."""

    id: int
    no: str
    owed: Owed
    state: str
    household: int | None
    replaces: str
    body: bytes | None


def facts_text(owed: Owed) -> str:
    """Coded facts of an owed thing as JSON."""
    return to_json(owed.facts).decode()


def insert_owed(sql: Sql, opened: Sequence[Opened], records: Mapping[Key, int]) -> None:
    """New owed things and their causes."""
    sql.insert(
        "owed",
        (
            "id", "no", "what", "to", "slot", "state", "live", "opened_at", "due", "closed_by", "how", "facts", "body",
            "household_id", "replaces",
        ),
        [
            (o.id, o.no, o.owed.what, o.owed.to, o.owed.slot, o.state, o.owed.live, to_us(o.owed.opened),
             opt_us(o.owed.due), "", "", facts_text(o.owed), o.body, o.household, o.replaces)
            for o in opened
        ],
    )  # fmt: skip
    _insert_causes(sql, [(o.id, o.owed) for o in opened], records)


def _insert_causes(sql: Sql, owed: Sequence[tuple[int, Owed]], records: Mapping[Key, int]) -> None:
    rows = {(number, records[key]) for number, one in owed for key in one.causes if key in records}
    sql.insert("owed_cause", ("owed_id", "record_id"), sorted(rows))


def list_for_review(sql: Sql, listed: Mapping[int, str], at: datetime) -> None:
    """One open entry of the review list for each first cause: what its household's history would have owed."""
    known = {
        int(record): str(names)
        for record, names in sql.rows_in(
            "SELECT record_id, candidates FROM review_item WHERE kind = 'backfill' AND state = 'open' AND record_id {in}",
            listed,
        )
    }
    sql.insert(
        "review_item",
        ("uid", "kind", "record_id", "idx", "candidates", "why", "state", "at"),
        [
            (new_uid(), "backfill", record, 0, names, "history", "open", to_us(at))
            for record, names in listed.items()
            if record not in known
        ],
    )
    sql.many(
        "UPDATE review_item SET candidates = ? WHERE kind = 'backfill' AND state = 'open' AND record_id = ?",
        [(names, record) for record, names in listed.items() if known.get(record, names) != names],
    )


def amend_owed(sql: Sql, amends: Sequence[tuple[int, str, Amend]], records: Mapping[Key, int]) -> None:
    """Rows that follow what is owed now: (id, state, act)."""
    sql.many(
        "UPDATE owed SET slot = ?, state = ?, live = ?, due = ?, facts = ?, household_id = COALESCE(?, household_id)"
        " WHERE id = ?",
        [
            (
                act.owed.slot,
                state,
                act.owed.live,
                opt_us(act.owed.due),
                facts_text(act.owed),
                act.owed.household,
                number,
            )
            for number, state, act in amends
        ],
    )
    recaused = [(number, act.owed) for number, _, act in amends if "causes" in act.differs]
    sql.run_in("DELETE FROM owed_cause WHERE owed_id {in}", [number for number, _ in recaused])
    _insert_causes(sql, recaused, records)


def close_owed(sql: Sql, closes: Sequence[tuple[int, Close]]) -> None:
    """Rows closed by a record or a date."""
    rows = []
    for number, act in closes:
        closed = act.owed.closed
        assert closed is not None
        rows.append((act.state, to_us(closed.at), key_text(closed.by), closed.how, number))
    sql.many("UPDATE owed SET state = ?, closed_at = ?, closed_by = ?, how = ? WHERE id = ?", rows)


def withdraw_owed(sql: Sql, withdrawn: Sequence[tuple[int, Withdraw]], at: datetime) -> None:
    """Rows whose cause is gone."""
    sql.many(
        "UPDATE owed SET state = 'cancelled', closed_at = ?, how = 'withdrawn' WHERE id = ?",
        [(to_us(at), number) for number, _ in withdrawn],
    )
