"""Who and where a name of the archive is: persons, households and records as a person's ruling needs them."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from hub.core.records import Key
from hub.store.index_bytes import unpack
from hub.store.rulings import standing
from hub.store.sql import Row, Sql


class Meant(NamedTuple):
    """One mention that stands for a person, a household or a record: its record and position, who and where it is now."""

    record: int
    position: int
    person: int | None
    household: int | None  # None: on none, or on several
    numbers: frozenset[bytes]  # of valid ID numbers under the person (blind)
    more: tuple[tuple[int, int], ...] = ()  # further mentions (record, position) that can stand for the same


class Item(NamedTuple):
    """An open identity item of the review list."""

    uid: str
    record: int
    position: int
    candidates: tuple[int, ...]


def item(sql: Sql, uid: str) -> Item | None:
    """The open item with this id, or with this beginning of one if it is the only one."""
    rows = sql.rows(
        "SELECT uid, record_id, idx, candidates FROM review_item"
        " WHERE kind = 'identity' AND state = 'open' AND uid >= ? AND uid < ? LIMIT 2",
        (uid, uid + "\x7f"),
    )
    if len(rows) != 1 or not uid:
        return None
    found, record, idx, candidates = rows[0]
    return Item(str(found), int(record), int(idx), tuple(int(n) for n in str(candidates).split(",") if n.strip()))


def person(sql: Sql, uid: str) -> int | None:
    """A person by id; of one that was taken into another, the other."""
    row = sql.one("SELECT id, alias_of FROM person WHERE uid = ?", (uid,))
    while row is not None and row[1] is not None:
        row = sql.one("SELECT id, alias_of FROM person WHERE id = ?", (row[1],))
    return None if row is None else int(row[0])


def household(sql: Sql, name: str) -> tuple[int, str | None] | None:
    """(id, registered number) of a living household by its id or registered number."""
    row = sql.one(
        "SELECT id, registered FROM household WHERE (uid = ? OR registered = ?) AND successor_id IS NULL", (name, name)
    )
    return None if row is None else (int(row[0]), row[1])


def record(sql: Sql, key: Key) -> int | None:
    """A current record by its key."""
    row = sql.one("SELECT id FROM record WHERE unit = ? AND stream = ? AND no = ? AND state = 'applied'", tuple(key))
    return None if row is None else int(row[0])


_MENTION = (
    "SELECT p.record_id, p.idx, p.person_id, p.indexes FROM party p JOIN record r ON r.id = p.record_id"
    " WHERE r.state = 'applied' AND "
)


def of_person(sql: Sql, number: int) -> Meant | None:
    """The mention that stands for a person: one with an ID number before others, then the oldest."""
    rows = sql.rows(_MENTION + "p.person_id = ? ORDER BY p.record_id, p.idx", (number,))
    return _best(sql, rows)


def of_household(sql: Sql, number: int) -> Meant | None:
    """The mention that stands for a household: of one of its members, else whoever a record of it names, else nobody."""
    here = _MENTION + "p.record_id IN (SELECT record_id FROM event_place WHERE household_id = ?)"
    members = here + " AND p.person_id IN (SELECT person_id FROM membership WHERE household_id = ?)"
    rows = sql.rows(f"{members} ORDER BY p.record_id, p.idx", (number, number))
    found = _best(sql, rows or sql.rows(f"{here} ORDER BY p.record_id, p.idx", (number,)))
    if found is not None:
        return found
    nameless = sql.rows("SELECT record_id FROM event_place WHERE household_id = ? ORDER BY record_id", (number,))
    spots = tuple((int(record), 0) for (record,) in nameless)
    return Meant(*spots[0], None, number, frozenset(), spots[1:]) if spots else None


def of_spot(sql: Sql, number: int, position: int) -> Meant | None:
    """The mention at a position of a record."""
    return _best(sql, sql.rows(_MENTION + "p.record_id = ? AND p.idx = ?", (number, position)))


def own_numbers(sql: Sql, mention: Meant) -> frozenset[bytes]:
    """Valid ID numbers that the mention itself carries (blind)."""
    rows = sql.rows(_MENTION + "p.record_id = ? AND p.idx = ?", (mention.record, mention.position))
    split_off = _split_off(sql)
    return frozenset(value for row in rows for value in _ids(row, split_off))


def _best(sql: Sql, rows: list[Row]) -> Meant | None:
    if not rows:
        return None
    split_off = _split_off(sql)
    rows = sorted(rows, key=lambda row: not _ids(row, split_off))
    found, position, who, _ = rows[0]
    more = tuple((int(row[0]), int(row[1])) for row in rows[1:])
    homes = sql.rows("SELECT household_id FROM event_place WHERE record_id = ?", (found,))
    home = int(homes[0][0]) if len(homes) == 1 else None
    return Meant(
        int(found), int(position), None if who is None else int(who), home, _numbers(sql, who, split_off), more
    )


def _numbers(sql: Sql, who: int | None, split_off: Collection[tuple[int, int]]) -> frozenset[bytes]:
    rows = sql.rows(_MENTION + "p.person_id = ?", (who,)) if who is not None else []
    return frozenset(value for row in rows for value in _ids(row, split_off))


def _ids(row: Row, split_off: Collection[tuple[int, int]]) -> list[bytes]:
    """Valid ID numbers (blind) of a mention's person; the card of somebody else is none of theirs."""
    if (row[0], row[1]) in split_off:
        return []
    return [bytes(value) for kind, value in unpack(row[3]) if kind == "id"]


def _split_off(sql: Sql) -> frozenset[tuple[int, int]]:
    """Mentions of which somebody ruled that their own values do not say who they are."""
    return frozenset((one.record, one.position) for one in standing(sql) if one.what in ("is", "alone"))
