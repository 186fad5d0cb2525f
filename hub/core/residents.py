"""Who lives in a household, since when, in which role, how old: its members, from the register or the records' ties."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from hub.core.hood import Entry, Home
from hub.core.household import Row
from hub.core.persons import People, find
from hub.core.records import Key, Member
from hub.core.whereabouts import Whereabouts


class _Known(NamedTuple):
    born: dict[int, date]
    capacity: dict[int, tuple[datetime, Key, str]]


def residents(
    entries: Sequence[Entry],
    people: People,
    where: Whereabouts,
    persons: Mapping[int, int],
    households: Mapping[int, int],
    touched: Collection[int],
) -> dict[int, tuple[Member, ...]]:
    """Members of every touched household, in order of their person number; one with no record left has none."""
    known = _best_known(entries, people)
    found: dict[int, list[Member]] = {number: [] for number in touched}
    seen: set[tuple[int, int]] = set()
    for person, rows in where.homes.rows.items():
        for number, stays in _by_home(rows, where, households).items():
            if number in found:
                seen.add((number, person))
                found[number] += (_member(persons[person], person, row, where, known) for row in stays)
    for node, who in enumerate(where.homes.person):
        home = households.get(find(where.homes.parent, node))
        if who is not None and home in found and (home, who) not in seen:
            seen.add((home, who))
            found[home].append(_member(persons[who], who, None, where, known))
    return {number: tuple(sorted(members, key=_order)) for number, members in found.items()}


def _order(member: Member) -> tuple[int, date]:
    return (member.person, member.since or date.min)


def _by_home(rows: Sequence[Row], where: Whereabouts, households: Mapping[int, int]) -> dict[int, list[Row]]:
    """One person's rows by household; rows of two registers that overlap are one stay."""
    found: dict[int, list[Row]] = {}
    for row in rows:
        root = find(where.homes.parent, where.homes.registered[row.number])
        if root not in households:
            continue
        stay = _until_moved(row, rows)
        stays = found.setdefault(households[root], [])
        if stays and (stay.since or date.min) <= (stays[-1].until or date.max):
            before = stays.pop()
            until = None if before.until is None or stay.until is None else max(before.until, stay.until)
            stay = before._replace(until=until, role=before.role or stay.role)
        stays.append(stay)
    return found


def _until_moved(row: Row, rows: Sequence[Row]) -> Row:
    """An open row ends the day before a later open row of another home begins."""
    if row.until is None:
        later = [r.since for r in rows if r.number != row.number and r.until is None and r.since]
        after = [since for since in later if since > (row.since or date.min)]
        if after:
            return row._replace(until=min(after) - timedelta(days=1))
    return row


def _best_known(entries: Sequence[Entry], people: People) -> _Known:
    """The younger of several birth dates (S8); of several capacities the one recorded last."""
    born: dict[int, date] = {}
    capacity: dict[int, tuple[datetime, Key, str]] = {}
    of = iter(people.of)
    for entry in entries:
        for mention, person in zip(entry.mentions, of, strict=False):
            if mention.born is not None and mention.born > born.get(person, date.min):
                born[person] = mention.born
            if mention.capacity is not None:
                said = (entry.at, entry.key, mention.capacity)
                if person not in capacity or said > capacity[person]:
                    capacity[person] = said
    return _Known(born, capacity)


def _member(number: int, person: int, row: Row | None, where: Whereabouts, known: _Known) -> Member:
    said = known.capacity.get(person)
    role = (row.role if row is not None else "") or where.roles.get(person, "member")
    since, until = (row.since, row.until) if row is not None else (None, None)
    return Member(number, role, known.born.get(person), said[2] if said else None, since, until)


def homes_of(entries: Sequence[Entry], where: Whereabouts, households: Mapping[int, int]) -> dict[int, Home]:
    """Every household as it is now: registered number, provisional or not, community of its register or last event."""
    community: dict[int, tuple[bool, datetime, Key, str]] = {}
    for entry, places in zip(entries, where.places, strict=True):
        code = entry.facts.get("community")
        if code:
            for root, why in places:
                said = (why == "register", entry.at, entry.key, str(code))
                if why != "successor" and (root not in community or said > community[root]):
                    community[root] = said
    found: dict[int, Home] = {}
    for root, number in households.items():
        registered = where.homes.number.get(root)
        said_last = community.get(root)
        provisional = registered is None and root not in where.sure
        found[number] = Home(registered, provisional, said_last[3] if said_last else None)
    return found
