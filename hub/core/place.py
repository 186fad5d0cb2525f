"""Where everybody belongs: persons, households and the place of every record, in the store's own numbers.

``persons`` says who is meant, ``whereabouts`` which homes the records belong to; here both get the numbers they had
before, as far as possible (identity.md, "History"), and what changed is listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.core.hood import Entry, Neighbourhood, Placing
from hub.core.lookalikes import reviews
from hub.core.numbering import Numbers, household_numbers, person_numbers
from hub.core.persons import People, find, who
from hub.core.records import Key
from hub.core.residents import homes_of, residents
from hub.core.rulings import ruled, standing, unasked
from hub.core.whereabouts import Whereabouts, locate
from hub.core.words import KINDS

_NOT_PEOPLE = frozenset(kind for kind, schema in KINDS.items() if schema.subject != "people")


def place(hood: Neighbourhood) -> Placing:
    """Decide persons, households and placements of the neighbourhood's current records.

    Pure; the partition depends on the set of records only, the numbers also on what they were. Records that are not
    about people (standing numbers, activities) are left out of the answer: their causes place them.
    """
    entries: Sequence[Entry] = [entry for entry in hood.entries if entry.kind not in _NOT_PEOPLE]
    rulings = standing(entries, hood.rulings)
    entries, apart, joined = ruled(entries, rulings)
    people = who(entries, hood.generic, apart)
    where = locate(entries, people, joined)
    persons = person_numbers(entries, people, hood.back_persons)
    households = household_numbers(entries, where, hood.homes, hood.back_homes)
    of = households.of
    placed = {
        entry.key: tuple([(of[root], why) for root, why in places])
        for entry, places in zip(entries, where.places, strict=True)
    }
    touched = _touched(hood, entries, placed, households) | _homes_of_fresh(entries, people, where, of)
    homes = homes_of(entries, where, of)
    spots = _persons(entries, people, persons.of)
    return Placing(
        persons=spots,
        households=placed,
        members=residents(entries, people, where, persons.of, of, touched),
        homes={number: home for number, home in homes.items() if hood.homes.get(number) != home},
        aliases=persons.replaced,
        successors=households.replaced,
        reviews=unasked(reviews(entries, people, persons.of, hood.similar), rulings, spots),
        touched=frozenset(touched),
    )


def _persons(entries: Sequence[Entry], people: People, numbers: Mapping[int, int]) -> dict[tuple[Key, int], int]:
    of = iter(people.of)
    return {(entry.key, mention.idx): numbers[next(of)] for entry in entries for mention in entry.mentions}


def _touched(
    hood: Neighbourhood,
    entries: Sequence[Entry],
    placed: Mapping[Key, tuple[tuple[int, str], ...]],
    households: Numbers,
) -> set[int]:
    """Both sides of every change, and the households of every fresh record."""
    touched = {number for old in hood.left.values() for number in old}
    for entry in entries:
        now = [number for number, _ in placed[entry.key]]
        if entry.fresh or set(entry.households) != set(now):
            touched.update(now, entry.households)
    touched.update(households.replaced, households.replaced.values())
    return touched


def _homes_of_fresh(
    entries: Sequence[Entry], people: People, where: Whereabouts, households: Mapping[int, int]
) -> set[int]:
    """Every household of a person whom a fresh record names: their age or membership may have changed there."""
    named: set[int] = set()
    n = 0
    for entry in entries:
        if entry.fresh:
            named.update(people.of[n : n + len(entry.mentions)])
        n += len(entry.mentions)
    homes = where.homes
    nodes = [node for node, person in enumerate(homes.person) if person in named]
    nodes += [homes.registered[row.number] for person in named for row in homes.rows.get(person, ())]
    roots = {find(homes.parent, node) for node in nodes}
    return {households[root] for root in roots if root in households}
