"""Who and where a name of the archive is: persons, households and records as a person's ruling needs them."""

from __future__ import annotations

from typing import NamedTuple

from hub.core.records import Key
from hub.store.index_bytes import unpack
from hub.store.sql import Row, Sql


class Meant(NamedTuple):
    """One mention that stands for a person, a household or a record: its record and position, who and where it is now."""

    record: int
    position: int
    person: int | None
    household: int | None  # None: on none, or on several
    numbers: frozenset[bytes]  # of valid ID numbers under the person (blind)


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
    row = sql.one("SELECT MIN(record_id) FROM event_place WHERE household_id = ?", (number,))
    return None if row is None or row[0] is None else Meant(int(row[0]), 0, None, number, frozenset())


def of_spot(sql: Sql, number: int, position: int) -> Meant | None:
    """The mention at a position of a record."""
    return _best(sql, sql.rows(_MENTION + "p.record_id = ? AND p.idx = ?", (number, position)))


def own_numbers(sql: Sql, mention: Meant) -> frozenset[bytes]:
    """Valid ID numbers that the mention itself carries (blind)."""
    rows = sql.rows(_MENTION + "p.record_id = ? AND p.idx = ?", (mention.record, mention.position))
    return frozenset(bytes(value) for row in rows for kind, value in unpack(row[3]) if kind == "id")


def _best(sql: Sql, rows: list[Row]) -> Meant | None:
    if not rows:
        return None
    numbered = [row for row in rows if any(kind == "id" for kind, _ in unpack(row[3]))]
    found, position, who, _ = (numbered or rows)[0]
    homes = sql.rows("SELECT household_id FROM event_place WHERE record_id = ?", (found,))
    home = int(homes[0][0]) if len(homes) == 1 else None
    return Meant(int(found), int(position), None if who is None else int(who), home, _numbers(sql, who))


def _numbers(sql: Sql, who: int | None) -> frozenset[bytes]:
    rows = sql.rows(_MENTION + "p.person_id = ?", (who,)) if who is not None else []
    return frozenset(bytes(value) for row in rows for kind, value in unpack(row[3]) if kind == "id")
