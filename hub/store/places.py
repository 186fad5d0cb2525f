"""Write where everybody belongs: persons, households, memberships, and on which households records count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hub.core.hood import Home, Placing
from hub.core.records import Key, Member
from hub.store.history import stood
from hub.store.hoods import Hood
from hub.store.loaded import Loaded
from hub.store.numbers import new_uid
from hub.store.sql import Sql
from hub.store.times import to_day
from hub.store.tx import Tx


class Placed(NamedTuple):
    """What a placement came to, with the store's own numbers."""

    touched: frozenset[int]  # households to judge again
    moved: frozenset[int]  # records that stand elsewhere than before
    persons: Mapping[tuple[int, int], int]  # (record, idx) → person
    places: Mapping[int, Mapping[int, str]]  # record → household → why, for records of the neighbourhood
    closed: bool = False  # a household was left with nothing and has a successor now


NOWHERE = Placed(frozenset(), frozenset(), {}, {})


class _Numbers:
    """Real numbers for the negative ids of a placing."""

    def __init__(self, first: int) -> None:
        self.next = first
        self.given: dict[int, int] = {}

    def __call__(self, number: int) -> int:
        if number >= 0:
            return number
        if number not in self.given:
            self.given[number] = self.next
            self.next += 1
        return self.given[number]


def save_placing(tx: Tx, hood: Hood, placing: Placing, at: int) -> Placed:
    """Number what is new, write what differs from ``hood``; the households to judge."""
    person, home = _Numbers(tx.next_id("person")), _Numbers(tx.next_id("household"))
    persons = _save_persons(tx, hood, placing, person)
    _save_homes(tx, hood, placing.homes, home)
    hood.loaded.new_homes.update(home.given.values())
    places = {
        hood.record_ids[key]: {home(number): why for number, why in found} for key, found in placing.households.items()
    }
    places |= {hood.record_ids[key]: {} for key in hood.neighbourhood.left if key in hood.record_ids}
    moved = save_places(tx, hood.loaded, places, at)
    members = {home(number): tuple([_numbered(m, person) for m in found]) for number, found in placing.members.items()}
    save_members(tx, hood.loaded, members)
    aliases = {person(old): person(kept) for old, kept in placing.aliases.items()}
    tx.many("UPDATE person SET alias_of = ? WHERE id = ?", [(kept, old) for old, kept in aliases.items()])
    successors = {home(old): home(new) for old, new in placing.successors.items()}
    tx.many("UPDATE household SET successor_id = ? WHERE id = ?", [(new, old) for old, new in successors.items()])
    touched = {home(number) for number in placing.touched} | set(successors.values())
    _save_reviews(tx, hood, placing, person, at)
    return Placed(frozenset(touched), frozenset(moved), persons, places, bool(successors))


def _numbered(member: Member, person: _Numbers) -> Member:
    return member if member.person >= 0 else member._replace(person=person(member.person))


def _save_persons(tx: Tx, hood: Hood, placing: Placing, person: _Numbers) -> dict[tuple[int, int], int]:
    """Persons that are new, and who is meant now on records that stay as they are."""
    found = {(hood.record_ids[key], idx): person(number) for (key, idx), number in placing.persons.items()}
    parties = hood.loaded.parties
    changed: list[tuple[int, int, int]] = []
    for (record, idx), real in found.items():
        if record in hood.rewritten:
            continue
        rows = parties[record]
        for n, row in enumerate(rows):
            if row.idx == idx and row.person != real:
                rows[n] = row._replace(person=real)
                changed.append((real, record, idx))
    tx.insert("person", ("id", "uid", "protected"), [(real, new_uid(), False) for real in person.given.values()])
    tx.many("UPDATE party SET person_id = ? WHERE record_id = ? AND idx = ?", changed)
    return found


def _save_homes(tx: Tx, hood: Hood, homes: Mapping[int, Home], number: _Numbers) -> None:
    old = []
    for household, home in homes.items():
        real = number(household)
        if household >= 0 and hood.neighbourhood.homes.get(household) != home:
            old.append((home.registered, home.community, home.provisional, real))
    tx.insert(
        "household",
        ("id", "uid", "registered", "community", "provisional", "light"),
        [
            (number.given[household], new_uid(), home.registered, home.community, home.provisional, 0)
            for household, home in homes.items()
            if household < 0
        ],
    )
    tx.many("UPDATE household SET registered = ?, community = ?, provisional = ? WHERE id = ?", old)


def save_places(sql: Sql, loaded: Loaded, places: Mapping[int, Mapping[int, str]], at: int = 0) -> set[int]:
    """Rows that differ from what was stored; the records whose households changed, remembered with ``at``."""
    add: list[tuple[int, int, str]] = []
    drop: list[tuple[int, int]] = []
    why_now: list[tuple[str, int, int]] = []
    moved: set[int] = set()
    left: list[tuple[str, int]] = []
    for record, now in places.items():
        before = loaded.places[record]
        if before == now:
            continue
        for household, why in now.items():
            if household not in before:
                add.append((record, household, why))
            elif before[household] != why:
                why_now.append((why, record, household))
        drop += [(record, household) for household in before if household not in now]
        if loaded.move(record, now):
            moved.add(record)
            if before and at:
                left.append((stood(at, before), record))
    sql.many("DELETE FROM event_place WHERE record_id = ? AND household_id = ?", drop)
    sql.many("UPDATE event_place SET why = ? WHERE record_id = ? AND household_id = ?", why_now)
    sql.insert("event_place", ("record_id", "household_id", "why"), add)
    sql.many("UPDATE record SET placed = placed || ? WHERE id = ?", left)
    return moved


def save_members(sql: Sql, loaded: Loaded, members: Mapping[int, tuple[Member, ...]]) -> None:
    """Memberships of touched households: those that changed are rebuilt."""
    before = loaded.members(members)
    changed = {household: found for household, found in members.items() if before[household] != found}
    sql.run_in("DELETE FROM membership WHERE household_id {in}", [n for n in changed if before[n]])
    sql.insert(
        "membership",
        ("household_id", "person_id", "n", "role", "born", "capacity", "since", "until"),
        [
            (household, m.person, n, m.role, to_day(m.born), m.capacity, to_day(m.since), to_day(m.until))
            for household, found in changed.items()
            for n, m in enumerate(found)
        ],
    )
    loaded.now_members(members)


def _save_reviews(tx: Tx, hood: Hood, placing: Placing, person: _Numbers, at: int) -> None:
    """Uncertain links of fresh records, for a person to look at: one item for (record, person, why).

    An item whose question is the same stays as it is, open or answered; one that nobody asks any more goes.
    """
    fresh = {hood.record_ids[e.key] for e in hood.neighbourhood.entries if e.fresh}
    gone = {hood.record_ids[key] for key in hood.neighbourhood.left if key in hood.record_ids}
    wanted = {
        (record, r.idx, r.why): ",".join(str(person(c)) for c in r.candidates)
        for r in placing.reviews
        if (record := hood.record_ids[r.key]) in fresh
    }
    stale: list[int] = []
    for number, record, idx, why, candidates, state in tx.rows_in(
        "SELECT id, record_id, idx, why, candidates, state FROM review_item WHERE kind = 'identity' AND record_id {in}",
        [record for record in fresh | gone if record in hood.stored],
    ):
        spot = (int(record), int(idx), str(why))
        if wanted.get(spot) == candidates:
            del wanted[spot]
        elif state == "open":
            stale.append(int(number))
    tx.run_in("DELETE FROM review_item WHERE id {in}", stale)
    tx.insert(
        "review_item",
        ("uid", "kind", "record_id", "idx", "candidates", "why", "state", "at"),
        [
            (new_uid(), "identity", record, idx, candidates, why, "open", at)
            for (record, idx, why), candidates in wanted.items()
        ],
    )


def place_standing(sql: Sql, loaded: Loaded, places: Mapping[int, frozenset[int]]) -> frozenset[int]:
    """Put feedback and duty answers on the households of what they speak about; every household on either side."""
    loaded.read_places(places)
    touched = {household for record in places for household in loaded.places[record]}
    save_places(sql, loaded, {record: dict.fromkeys(sorted(now), "standing") for record, now in places.items()})
    return frozenset(touched.union(*places.values()))


def keys_of(sql: Sql, records: Iterable[int]) -> dict[int, Key]:
    """Keys of records."""
    return {
        int(number): Key(unit, stream, no)
        for number, unit, stream, no in sql.rows_in("SELECT id, unit, stream, no FROM record WHERE id {in}", records)
    }
