"""Which number a person or household keeps when records join, part or move (identity.md, "History").

A component has a *title* to every number its records stood under; the best title owns a number, and of the numbers it
owns a component keeps the best and the oldest. The others are replaced by that one; components that own none are new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from hub.core.hood import Entry, Home, Spot
from hub.core.persons import People
from hub.core.records import Key
from hub.core.whereabouts import Whereabouts

_FRESH, _FAR, _NEAR, _SURE, _BACK, _REGISTERED = 1, 10**4, 10**8, 10**12, 10**15, 10**16
"""Titles add up: what a fresh record brings along weighs least, the register's own number decides."""


class Numbers(NamedTuple):
    """Numbers by component; a negative one is new."""

    of: dict[int, int]
    replaced: dict[int, int]  # number that nothing stands under any more → the one its records went to


class _Claim:
    __slots__ = ("first", "titles")

    def __init__(self) -> None:
        self.first: tuple[Key, int] | None = None  # smallest record that claims: decides between equal titles
        self.titles: dict[int, int] = {}

    def add(self, old: int, title: int, by: tuple[Key, int]) -> None:
        self.titles[old] = self.titles.get(old, 0) + title
        if self.first is None or by < self.first:
            self.first = by


def person_numbers(entries: Sequence[Entry], people: People, back: Mapping[Spot, int] | None = None) -> Numbers:
    """Numbers of persons: the oldest that a valid ID number stood under, else the oldest of a record that stays.

    ``back``: the numbers that mentions had before a ruling that was taken back.
    """
    claims: dict[int, _Claim] = {}
    of = iter(people.of)
    for entry in entries:
        for mention, person in zip(entry.mentions, of, strict=False):
            if back and (entry.key, mention.idx) in back:
                spot = (entry.key, mention.idx)
                claims.setdefault(person, _Claim()).add(back[spot], _BACK, spot)
            if mention.person is not None:
                title = _FRESH if entry.fresh else _NEAR
                if not entry.fresh and any(index.kind == "id" for index in mention.indexes):
                    title = _SURE
                claims.setdefault(person, _Claim()).add(mention.person, title, (entry.key, mention.idx))
    return _keep(claims, range(people.total), lambda _, old, title: (title < _SURE, title < _NEAR, old))


def household_numbers(
    entries: Sequence[Entry], where: Whereabouts, homes: Mapping[int, Home], back: Mapping[Key, int] | None = None
) -> Numbers:
    """Numbers of households: the one registered as this home, else the oldest that is not provisional, else the oldest.

    ``back``: where records stood before a ruling that was taken back.
    """
    claims: dict[int, _Claim] = {}
    roots: dict[int, None] = {}
    for entry, places in zip(entries, where.places, strict=True):
        for position, (root, why) in enumerate(places):
            roots[root] = None
            if back and position == 0 and entry.key in back:
                claims.setdefault(root, _Claim()).add(back[entry.key], _BACK, (entry.key, 0))
            for old in entry.households:
                near = position == 0 and why not in ("number", "ruled")
                title = _FRESH if entry.fresh else _NEAR if near else _FAR
                claims.setdefault(root, _Claim()).add(old, title, (entry.key, position))
    registered = {home.registered: number for number, home in sorted(homes.items(), reverse=True) if home.registered}
    for root in roots:
        kept = registered.get(where.homes.number.get(root, ""))
        if kept is not None:
            claims.setdefault(root, _Claim()).add(kept, _REGISTERED, (Key("", "", ""), 0))

    def order(root: int, old: int, title: int) -> tuple[object, ...]:
        home = homes.get(old)
        return (title < _REGISTERED, home is None or home.provisional, old)

    return _keep(claims, roots, order)


def _keep(
    claims: Mapping[int, _Claim], components: Iterable[int], order: Callable[[int, int, int], tuple[object, ...]]
) -> Numbers:
    owner: dict[int, int] = {}
    for component, claim in claims.items():
        for old, title in claim.titles.items():
            rival = owner.get(old)
            if rival is None or _better(title, claim, claims[rival].titles[old], claims[rival]):
                owner[old] = component
    owned: dict[int, list[int]] = {}
    for old, component in owner.items():
        owned.setdefault(component, []).append(old)
    of: dict[int, int] = {}
    replaced: dict[int, int] = {}
    new = 0
    for component in components:
        if component not in owned:
            new -= 1
            of[component] = new
            continue
        kept = _first(owned[component], component, claims[component].titles, order)
        of[component] = kept
        replaced |= {old: kept for old in owned[component] if old != kept}
    return Numbers(of, replaced)


def _better(title: int, claim: _Claim, other_title: int, other: _Claim) -> bool:
    if title != other_title or claim.first is None or other.first is None:
        return title > other_title
    return claim.first < other.first


def _first(
    olds: Iterable[int], component: int, titles: Mapping[int, int], order: Callable[[int, int, int], tuple[object, ...]]
) -> int:
    """The old number that a component keeps."""
    return min(olds, key=lambda old: order(component, old, titles[old]))
