"""An archive as it stands, in codes and keys only: what a rehearsal compares. No names, no texts, no numbers of ours."""

from __future__ import annotations

from typing import NamedTuple

from hub.core.records import Key
from hub.store.sql import Sql


class RecordFace(NamedTuple):
    """One record's newest version."""

    uid: str  # of the version: what its body is sealed under
    state: str
    kind: str
    at: int
    facts: str
    digest: bytes
    body: bytes


class HeldFace(NamedTuple):
    """One row that waits."""

    no: str | None
    stream: str
    code: str
    field: str


class Picture(NamedTuple):
    """Everything a mapping decides."""

    records: dict[Key, RecordFace]
    held: dict[bytes, HeldFace]  # by keyed digest of the row
    homes: list[tuple[frozenset[Key], int, tuple[str, ...]]]  # records, light, open rules
    owed: dict[tuple[str, str], list[frozenset[Key]]]  # (what, to) → causes of each report or duty


def picture(sql: Sql, unit: str) -> Picture:
    """The archive; records and waiting rows only of ``unit``, households and what is owed of everybody."""
    keys = {int(r[0]): Key(r[1], r[2], r[3]) for r in sql.rows("SELECT id, unit, stream, no FROM record")}
    records = {
        Key(unit, stream, no): RecordFace(uid, state, kind, int(at), facts, bytes(digest), bytes(body))
        for stream, no, uid, state, kind, at, facts, digest, body in sql.rows(
            "SELECT r.stream, r.no, v.uid, r.state, r.kind, r.at, r.facts, r.digest, v.body FROM record r"
            " JOIN version v ON v.record_id = r.id AND v.number = r.version WHERE r.unit = ?",
            (unit,),
        )
    }
    held = {
        bytes(digest): HeldFace(no, stream, code, field)
        for digest, no, stream, code, field in sql.rows(
            "SELECT digest, no, stream, code, field FROM quarantine WHERE unit = ? AND state = 'open'", (unit,)
        )
    }
    return Picture(records, held, _homes(sql, keys), _owed(sql, keys))


def _homes(sql: Sql, keys: dict[int, Key]) -> list[tuple[frozenset[Key], int, tuple[str, ...]]]:
    placed: dict[int, set[Key]] = {}
    for record, household in sql.rows("SELECT record_id, household_id FROM event_place"):
        placed.setdefault(int(household), set()).add(keys[int(record)])
    lights = {int(h): int(light) for h, light in sql.rows("SELECT id, light FROM household WHERE successor_id IS NULL")}
    rules: dict[int, tuple[str, ...]] = {}
    for household, rule in sql.rows("SELECT household_id, rule FROM light_change ORDER BY id"):
        rules[int(household)] = (str(rule),) if rule else ()
    return [
        (frozenset(found), lights[home], rules.get(home, ()))
        for home, found in sorted(placed.items())
        if home in lights
    ]


def _owed(sql: Sql, keys: dict[int, Key]) -> dict[tuple[str, str], list[frozenset[Key]]]:
    causes: dict[int, set[Key]] = {}
    named: dict[int, tuple[str, str]] = {}
    for number, what, to, record in sql.rows(
        'SELECT o.id, o.what, o."to", c.record_id FROM owed o JOIN owed_cause c ON c.owed_id = o.id'
        " WHERE o.state <> 'cancelled' ORDER BY o.id"
    ):
        if what[:1] in "MD" and what[1:2].isdigit():
            named[int(number)] = (str(what), str(to))
            causes.setdefault(int(number), set()).add(keys[int(record)])
    found: dict[tuple[str, str], list[frozenset[Key]]] = {}
    for number, spot in named.items():
        found.setdefault(spot, []).append(frozenset(causes[number]))
    return found


def homes_of_keys(sql: Sql, keys: frozenset[Key]) -> list[str]:
    """Households (uids) on which any of these records stands."""
    found: set[str] = set()
    for key in keys:
        found.update(
            str(uid)
            for (uid,) in sql.rows(
                "SELECT h.uid FROM record r JOIN event_place e ON e.record_id = r.id JOIN household h"
                " ON h.id = e.household_id WHERE r.unit = ? AND r.stream = ? AND r.no = ?",
                key,
            )
        )
    return sorted(found)
