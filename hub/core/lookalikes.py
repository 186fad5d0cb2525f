"""Links that a person should look at: mentions that may be somebody known, and nothing certain says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.core.hood import REVIEW, Entry, Index, Mention, Review
from hub.core.persons import GENERIC, People
from hub.core.records import Key

MOST = 10
"""Candidates shown for one mention."""
_LOOKED_AT = frozenset(REVIEW)


def reviews(
    entries: Sequence[Entry], people: People, numbers: Mapping[int, int], similar: Mapping[bytes, tuple[int, ...]]
) -> tuple[Review, ...]:
    """Review items: every ambiguous mention and borrowed card, and what a fresh record's weaker values point to."""
    alike = _alike(entries, people)
    borrowed = set(people.borrowed)
    found: list[Review] = []
    n = 0
    for entry in entries:
        persons = people.of[n : n + len(entry.mentions)]
        for mention, person in zip(entry.mentions, persons, strict=True):
            if person in people.unsure:
                candidates = sorted(numbers[p] for p in people.unsure[person])
                found.append(Review(entry.key, mention.idx, tuple(candidates[:MOST]), "ambiguous"))
            elif n in borrowed:
                found.append(Review(entry.key, mention.idx, (numbers[person],), "borrowed_card"))
            elif entry.fresh and person not in people.numbered:
                found += _weaker(entry.key, mention, persons, numbers, alike, similar, person)
            n += 1
    return tuple(found)


def _alike(entries: Sequence[Entry], people: People) -> dict[Index, dict[int, str | None]]:
    """REVIEW value → the persons that carry it, with their sex."""
    alike: dict[Index, dict[int, str | None]] = {}
    of = iter(people.of)
    for entry in entries:
        for mention, person in zip(entry.mentions, of, strict=False):
            for index in mention.indexes:
                if index[0] in _LOOKED_AT:
                    known = alike.setdefault(index, {})
                    known[person] = known.get(person) or mention.sex
    return alike


def _weaker(
    key: Key,
    mention: Mention,
    together: Sequence[int],
    numbers: Mapping[int, int],
    alike: Mapping[Index, Mapping[int, str | None]],
    similar: Mapping[bytes, tuple[int, ...]],
    person: int,
) -> list[Review]:
    """Candidates by masked number, phone, or name and area; never a person named by the same record (A8's other side)."""
    found: dict[str, set[int]] = {}  # why → candidates: two masks of one number are one question
    for index in mention.indexes:
        here = alike.get(index, {})
        if (len(here) < 2 and not (similar and index.value in similar)) or len(here) > GENERIC:
            continue
        known = {numbers[p] for p, sex in here.items() if sex is None or mention.sex is None or sex == mention.sex}
        known |= {p for p in similar.get(index.value, ()) if p not in {numbers[q] for q in here}}
        known -= {numbers[p] for p in together} | {numbers[person]}
        if known:
            found.setdefault(index.kind, set()).update(known)
    return [Review(key, mention.idx, tuple(sorted(known)[:MOST]), why) for why, known in found.items()]
