"""Read what is to be judged: touched households with everything that shares a record or an owed thing with them.

Closed under sharing, because ``settle`` must see every list in which a thing may be owed; else a judged household would
withdraw what its neighbour still owes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from hub.core.records import Case, Event, Key, Member, Report, Silence, StreamKey
from hub.core.settle import ENDED, is_duty, is_report
from hub.store.loaded import Loaded
from hub.store.sql import Sql
from hub.store.standing import StandingRow, read_standing, standing_by_slot
from hub.store.times import from_us, opt_from_us, to_us

ROUNDS = 24
LINKED = "successor"
"""``why`` of a record that counts here because a former spouse's old household had it (S31)."""


class HouseholdRow(NamedTuple):
    """A household as it stands before this commit."""

    id: int
    uid: str
    registered: str | None
    community: str | None
    provisional: bool
    light: int
    since: int | None
    assessment: str | None
    valid_until: int | None
    successor: int | None


class Reading(NamedTuple):
    """Everything to judge: cases by household, what stands, and which record is where."""

    households: Mapping[int, HouseholdRow]
    cases: Mapping[int, Case]
    standing: tuple[StandingRow, ...]
    records: Mapping[Key, int]


class _Reader:
    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.done: set[int] = set()
        self.standing: dict[int, StandingRow] = {}
        self.asked: set[int] = set()  # records whose owed things were looked for

    def close(self, seeds: Iterable[int], records: Iterable[int]) -> None:
        """Follow shared records and shared owed things until nothing new is found."""
        frontier = set(seeds)
        loose = set(records)
        for _ in range(ROUNDS):
            frontier -= self.done
            if not frontier and not loose - self.asked:
                return
            self.done |= frontier
            self.loaded.read_homes(frontier)
            fresh = {record for household in frontier for record in self.loaded.homes[household]} | loose
            loose = set()
            elsewhere = self._places_of(fresh)
            frontier = elsewhere | self._standing_of(frontier, fresh - self.asked)
            self.asked |= fresh

    def _places_of(self, records: set[int]) -> set[int]:
        self.loaded.read_places(records)
        return {household for record in records for household in self.loaded.places[record]}

    def _standing_of(self, households: set[int], records: set[int]) -> set[int]:
        """Owed things shown on these households or caused by these records; where they are shown, and their other causes are."""
        rows = read_standing(self.loaded.sql, households - self.loaded.new_homes, records - self.loaded.new_records)
        fresh = [row for row in rows if row.id not in self.standing]
        self.standing.update((row.id, row) for row in fresh)
        shown = {row.household for row in fresh if row.household is not None and row.state not in ENDED}
        return shown | self._places_of({cause for row in fresh for cause in row.causes})


def read_cases(
    sql: Sql,
    touched: Iterable[int],
    records: Iterable[int],
    known: Mapping[int, Event],
    slots: Iterable[str] = (),
    loaded: Loaded | None = None,
) -> Reading:
    """Cases of ``touched`` households and of all that share something with them.

    ``records`` changed in this batch (they may stand nowhere now); ``known`` spares decoding of fresh events;
    ``slots`` name what is owed because of no household (D20, D26); ``loaded`` is what this commit has read already.
    """
    loaded = loaded or Loaded(sql)
    reader = _Reader(loaded)
    reader.standing.update((row.id, row) for row in standing_by_slot(sql, slots))
    reader.close(touched, records)
    households = _households(sql, reader.done)
    wanted = {record for household in reader.done for record in loaded.homes[household]}
    causes = {cause for row in reader.standing.values() for cause in row.causes}
    keys, events = _events(loaded, wanted, causes | wanted, known)
    members = loaded.members(households)
    standing = tuple(row.resolved(keys) for row in reader.standing.values())
    at_home = _by_household(standing, reader, events)
    cases = {
        number: _case(row, loaded.homes[number], events, members[number], at_home.get(number, ()))
        for number, row in households.items()
    }
    by_key = {key: number for number, key in keys.items()}
    return Reading(households, cases, standing, by_key)


def _households(sql: Sql, numbers: Iterable[int]) -> dict[int, HouseholdRow]:
    return {
        int(r[0]): HouseholdRow(int(r[0]), r[1], r[2], r[3], bool(r[4]), r[5], r[6], r[7], r[8], r[9])
        for r in sql.rows_in(
            "SELECT id, uid, registered, community, provisional, light, since, assessment, valid_until, successor_id"
            " FROM household WHERE id {in}",
            numbers,
        )
    }


def _events(
    loaded: Loaded, wanted: set[int], named: set[int], known: Mapping[int, Event]
) -> tuple[dict[int, Key], dict[int, Event]]:
    """Keys of ``named`` records and current events of ``wanted`` ones, parties with their persons."""
    loaded.read_parties(wanted)
    keys = {number: event.key for number, event in known.items() if number in named}
    events: dict[int, Event] = {}
    for number, event in known.items():
        if number in wanted:
            people = tuple([row.party() for row in loaded.parties.get(number, ())])
            events[number] = event._replace(parties=people)
    for row in loaded.records(named - keys.keys()):
        keys[row.id] = row.key
        if row.id in wanted and row.state == "applied":
            events[row.id] = loaded.event(row)
    return keys, events


def _by_household(
    standing: Sequence[StandingRow], reader: _Reader, events: Mapping[int, Event]
) -> dict[int, list[StandingRow]]:
    """Owed things by every household they belong to: where their causes are, and where they were last shown.

    A report whose records are all elsewhere now is theirs; one without any stays where it was shown (S29).
    """
    found: dict[int, list[StandingRow]] = {}
    for row in standing:
        homes = {home for cause in row.causes for home in reader.loaded.places.get(cause, ())}
        is_elsewhere = is_report(row.what) and not events.keys().isdisjoint(row.causes)
        if row.household is not None and not is_elsewhere:
            homes.add(row.household)
        for home in homes & reader.done:
            found.setdefault(home, []).append(row)
    return found


def _in_time(event: Event) -> tuple[datetime, Key]:
    return event.at, event.key


def _case(
    row: HouseholdRow,
    places: Mapping[int, str],
    events: Mapping[int, Event],
    members: tuple[Member, ...],
    standing: Sequence[StandingRow],
) -> Case:
    found = [
        events[record]._replace(linked=True) if why == LINKED else events[record]
        for record, why in places.items()
        if record in events
    ]
    if len(found) > 1:
        found.sort(key=_in_time)
    answers = _answers(standing)
    return Case(
        household=row.id,
        community=row.community,
        members=members,
        events=tuple(found),
        reports=tuple(
            report_of(s)._replace(answers=answers.get(s.no, frozenset())) for s in standing if is_report(s.what)
        ),
        registered=not row.provisional,
        duties=tuple(s.standing() for s in standing if is_duty(s.what)),
    )


def _answers(standing: Sequence[StandingRow]) -> dict[str, frozenset[str]]:
    """Report number → numbers of the messages that carry its answer to the reporting units."""
    found: dict[str, set[str]] = {}
    for row in standing:
        if row.what == "answer":
            found.setdefault(str(row.facts.get("report_no")), set()).add(row.no)
    return {no: frozenset(numbers) for no, numbers in found.items()}


def report_of(row: StandingRow) -> Report:
    """A report that exists, as the rules see it."""
    victim = row.facts.get("victim")
    return Report(
        row.no, row.what, row.keys, row.opened, victim if isinstance(victim, int) else None, row.state == "cancelled"
    )


def due_households(sql: Sql, as_of: datetime, limit: int) -> list[int]:
    """Households whose answer changes by itself by ``as_of``, the longest due first."""
    return [
        int(number)
        for (number,) in sql.rows(
            "SELECT id FROM household WHERE valid_until <= ? ORDER BY valid_until LIMIT ?", (to_us(as_of), limit)
        )
    ]


def waiting_households(sql: Sql, streams: Iterable[StreamKey]) -> set[int]:
    """Households whose step down waits for one of these streams."""
    found: set[int] = set()
    for stream in streams:
        rows = sql.rows("SELECT household_id FROM waits_on WHERE unit = ? AND stream = ?", stream)
        found.update(int(number) for (number,) in rows)
    return found


def read_silences(sql: Sql) -> list[Silence]:
    """All recorded silences, oldest first."""
    return [
        Silence(StreamKey(unit, stream), from_us(since), opt_from_us(until))
        for unit, stream, since, until in sql.rows('SELECT unit, stream, since, "until" FROM silence ORDER BY since')
    ]
