"""What people ruled about who is meant: must-link and cannot-link, which outrank every value (identity.md, "History").

A ruling is about mentions of current records. It changes what the mentions say before anything is put together, so
placing stays one function of records and rulings, and taking a ruling back gives what there was without it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from hub.core.hood import BOND, CERTAIN, Entry, Index, Mention, Review, Ruling, Spot

WHATS: Final = ("same", "is", "alone", "apart", "home")
"""same: two mentions are one person · is: the first mention is the second's person, whatever its own values say · alone:
a mention is not the person its values say · apart: two mentions are not one person · home: they are of one household."""
_DROPS: Final = frozenset({"is", "alone"})
_ABOUT_A_MENTION: Final = frozenset({"is", "alone", "apart"})
_JOINS: Final = frozenset({"same", "is"})


class Joined(NamedTuple):
    """What people ruled to be of one household: mentions, by position among all, and entries (that may name nobody)."""

    mentions: tuple[tuple[int, int], ...] = ()
    entries: tuple[tuple[int, int], ...] = ()


NOT_JOINED: Final = Joined()


class Ruled(NamedTuple):
    """The entries as ruled; by position among all mentions: which are not one person, which are of one household."""

    entries: Sequence[Entry]
    apart: Mapping[int, frozenset[int]]
    homes: Joined


def standing(entries: Sequence[Entry], rulings: Sequence[Ruling]) -> tuple[Ruling, ...]:
    """The rulings that have an effect here, oldest first, each with the mentions that stand for whom it names now.

    The newest *is* or *alone* on a mention holds: for whom older rulings meant by it, the next mention stands. One that
    was somebody only by an *is* that names nobody any more stands for nobody.
    """
    if not rulings:
        return ()
    here = {(entry.key, mention.idx) for entry in entries for mention in entry.mentions}
    here |= {(entry.key, 0) for entry in entries if not entry.mentions}
    found: list[Ruling] = []
    for one, mine, others in reversed(_spots_of(rulings, here)):
        a = next((spot for spot in mine if spot in here), None)
        b = next((spot for spot in others if spot in here), None)
        if a is None or (one.b is not None and b is None):
            continue
        found.append(one._replace(a=a, b=b))
        if one.what in _DROPS:
            here.discard(a)
    return tuple(reversed(found))


def _spots_of(
    rulings: Sequence[Ruling], here: Collection[Spot]
) -> list[tuple[Ruling, tuple[Spot, ...], tuple[Spot, ...]]]:
    """Every ruling, oldest first, with the mentions that can stand for either side of it."""
    lost: set[Spot] = set()  # mentions that were somebody by an "is" whose somebody is gone
    found = []
    for one in sorted(rulings, key=lambda ruling: ruling.no):
        mine = (one.a, *one.more)
        others = () if one.b is None else (one.b, *one.other_more)
        if lost:
            mine = mine if one.what in _ABOUT_A_MENTION else tuple(spot for spot in mine if spot not in lost)
            others = tuple(spot for spot in others if spot not in lost)
        if one.what in _DROPS:
            lost.discard(one.a)
            if one.b is not None and not any(spot in here for spot in others):
                lost.add(one.a)
        found.append((one, mine, others))
    return found


def ruled(entries: Sequence[Entry], rulings: Sequence[Ruling]) -> Ruled:
    """The entries with what people ruled about their mentions (``standing``)."""
    if not rulings:
        return Ruled(entries, {}, NOT_JOINED)
    where = _positions(entries)
    here = [one for one in rulings if one.a in where and (one.b is None or one.b in where)]  # the others name nobody
    bonds: dict[Spot, list[Index]] = {}
    for one in here:
        if one.what in _JOINS and one.b is not None:
            bond = Index(BOND, f"{one.a}={one.b}".encode())
            bonds.setdefault(one.a, []).append(bond)
            bonds.setdefault(one.b, []).append(bond)
    dropped = {one.a for one in here if one.what in _DROPS}
    merged = _values_of(entries, bonds.keys() - dropped)
    apart: dict[int, set[int]] = {}
    for one in here:
        if one.what == "apart" and one.b is not None:
            apart.setdefault(where[one.a], set()).add(where[one.b])
            apart.setdefault(where[one.b], set()).add(where[one.a])
    return Ruled(
        [_entry(entry, bonds, dropped, merged) for entry in entries] if dropped or bonds else entries,
        {n: frozenset(others) for n, others in apart.items()},
        _joined(entries, rulings, where),
    )


def _joined(entries: Sequence[Entry], rulings: Sequence[Ruling], where: Mapping[Spot, int]) -> Joined:
    at = {entry.key: n for n, entry in enumerate(entries)}
    pairs = [(one.a, one.b) for one in rulings if one.what == "home" and one.b is not None]
    return Joined(
        tuple((where[a], where[b]) for a, b in pairs if a in where and b in where),
        tuple((at[a[0]], at[b[0]]) for a, b in pairs if a[0] in at and b[0] in at),
    )


def _positions(entries: Sequence[Entry]) -> dict[Spot, int]:
    spots = ((entry.key, mention.idx) for entry in entries for mention in entry.mentions)
    return {spot: n for n, spot in enumerate(spots)}


def _values_of(entries: Sequence[Entry], spots: Collection[Spot]) -> frozenset[Index]:
    """What names the persons of these mentions elsewhere too."""
    keys = {spot[0] for spot in spots}
    named = (m for e in entries if e.key in keys for m in e.mentions if (e.key, m.idx) in spots)
    return frozenset(i for mention in named for i in mention.indexes if i.kind in CERTAIN and i.kind != "name_number")


def _entry(entry: Entry, bonds: Mapping[Spot, Sequence[Index]], dropped: set[Spot], merged: frozenset[Index]) -> Entry:
    mentions = tuple([_mention(entry, mention, bonds, dropped, merged) for mention in entry.mentions])
    return entry if mentions == entry.mentions else entry._replace(mentions=mentions)


def _mention(
    entry: Entry, mention: Mention, bonds: Mapping[Spot, Sequence[Index]], dropped: set[Spot], merged: frozenset[Index]
) -> Mention:
    """With what is ruled about it; a sex that some row states (or a borrowed card) is no veto against a person's word."""
    spot = (entry.key, mention.idx)
    if spot not in dropped and spot not in bonds and merged.isdisjoint(mention.indexes):
        return mention
    kept = [i for i in mention.indexes if i.kind not in CERTAIN] if spot in dropped else list(mention.indexes)
    return mention._replace(indexes=(*kept, *bonds.get(spot, ())), sex=None)


def unasked(reviews: Sequence[Review], rulings: Sequence[Ruling], persons: Mapping[Spot, int]) -> tuple[Review, ...]:
    """Review items without the candidates that somebody has ruled out already."""
    refused: dict[Spot, set[int]] = {}
    for one in rulings:
        if one.what == "apart" and one.b is not None and one.b in persons:
            refused.setdefault(one.a, set()).add(persons[one.b])
    left = [
        item._replace(candidates=tuple(c for c in item.candidates if c not in refused.get((item.key, item.idx), ())))
        for item in reviews
    ]
    return tuple(item for item in left if item.candidates)
