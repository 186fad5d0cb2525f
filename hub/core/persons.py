"""Who is meant: the mentions of a neighbourhood, put together into persons.

Only what is certain joins (identity.md): the same valid ID number; else an exact name with phone, with birth date and
community, or with a number of the same incident, where those values point to one person. Two valid different numbers
and two different sexes never join. The answer is a function of the set of records: every step below treats all
mentions of its round at once, so order of arrival cannot matter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from hub.core.hood import BOND, CERTAIN, Entry, Index, Mention

GENERIC = 50
"""A value carried by more than this many different ID numbers names nobody and is ignored."""
_DECIDING = frozenset((*CERTAIN, BOND))
Apart = Mapping[int, frozenset[int]]
"""Mention → mentions that people ruled not to be the same person."""
_OPPOSED = {"victim": "alleged", "alleged": "victim", "party_a": "party_b", "party_b": "party_a"}


class People(NamedTuple):
    """Persons are numbered from 0 within one neighbourhood; mentions run through the entries in order."""

    of: list[int]  # mention → person
    total: int
    known: frozenset[int]  # persons whom something beyond one incident's number identifies
    numbered: frozenset[int]  # persons with a valid ID number
    unsure: dict[int, tuple[int, ...]]  # person of an ambiguous mention → the persons it may be
    borrowed: tuple[int, ...]  # mentions under one ID number that disagree in birth date and sex


def find(parent: list[int], node: int) -> int:
    """The representative of ``node`` in a union-find forest; halves the path on its way."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


def who(entries: Sequence[Entry], generic: Collection[bytes] = frozenset(), apart: Apart | None = None) -> People:
    """Put the mentions of ``entries`` together into persons; values in ``generic`` are not looked at.

    ``apart``: mentions (by position) that people ruled not to be one person; nothing joins them.
    """
    apart = apart or {}
    flat = [mention for entry in entries for mention in entry.mentions]
    parent, ids, lasting = _join(flat, generic)
    crowds = _crowds(parent)
    of, count = _number(parent)
    unsure: dict[int, tuple[int, ...]] = {}
    borrowed: list[int] = []
    record: list[int] = []
    for crowd in crowds:
        if not record:
            record = [n for n, entry in enumerate(entries) for _ in entry.mentions]
        if _agrees(crowd, flat, ids, record) and not (apart and _torn_apart(crowd, apart)):
            continue
        groups, torn = _untangle(crowd, flat, ids, record, generic, apart)
        borrowed += (n for group in groups for n in _borrowed(group, flat, ids))
        numbers = [of[crowd[0]], *range(count, count + len(groups) + len(torn) - 1)]
        count += len(groups) + len(torn) - 1
        for group, number in zip(groups, numbers, strict=False):
            for n in group:
                of[n] = number
        for (n, candidates), number in zip(torn.items(), numbers[len(groups) :], strict=True):
            of[n] = number
            unsure[number] = tuple(numbers[c] for c in candidates)
    known = frozenset(of[n] for n in lasting).difference(unsure)
    return People(of, count, known, frozenset(of[n] for n in ids), unsure, tuple(borrowed))


def _join(flat: list[Mention], generic: Collection[bytes]) -> tuple[list[int], dict[int, Index], list[int]]:
    """Union by every certain value: the forest, the ID number of a mention, mentions that something lasting names."""
    parent = list(range(len(flat)))
    first: dict[Index, int] = {}
    ids: dict[int, Index] = {}
    lasting: list[int] = []
    for n, mention in enumerate(flat):
        named = False
        for index in mention.indexes:
            kind = index[0]
            if kind not in _DECIDING or (generic and index[1] in generic):
                continue
            if kind == "id":
                ids[n] = index
            named = named or kind != "name_number"
            other = first.setdefault(index, n)
            if other != n:
                parent[find(parent, n)] = find(parent, other)
        if named:
            lasting.append(n)
    return parent, ids, lasting


def _crowds(parent: list[int]) -> list[list[int]]:
    """Components of more than one mention."""
    crowds: dict[int, list[int]] = {}
    for n, up in enumerate(parent):
        if up != n:
            root = find(parent, n)
            crowds.setdefault(root, [root]).append(n)
    return list(crowds.values())


def _number(parent: list[int]) -> tuple[list[int], int]:
    numbers: dict[int, int] = {}
    of = [numbers.setdefault(n if parent[n] == n else find(parent, n), len(numbers)) for n in range(len(parent))]
    return of, len(numbers)


def _torn_apart(crowd: list[int], apart: Apart) -> bool:
    there = set(crowd)
    return any(not apart[n].isdisjoint(there) for n in crowd if n in apart)


def _agrees(crowd: list[int], flat: list[Mention], ids: dict[int, Index], record: list[int]) -> bool:
    """True if nothing speaks against one person: one ID number at most, one sex, not both sides of one record."""
    if len({ids[n] for n in crowd if n in ids}) > 1 or len({s for n in crowd if (s := flat[n].sex)}) > 1:
        return False
    roles = {(record[n], flat[n].role) for n in crowd if flat[n].role in _OPPOSED}
    return not any((r, _OPPOSED[role]) in roles for r, role in roles)


def _borrowed(group: list[int], flat: list[Mention], ids: dict[int, Index]) -> Iterable[int]:
    """Mentions of one ID number that disagree in birth date and in sex: perhaps a borrowed card."""
    with_number = [n for n in group if n in ids]
    births, sexes = {flat[n].born for n in with_number} - {None}, {flat[n].sex for n in with_number} - {None}
    return with_number if len(births) > 1 and len(sexes) > 1 else ()


class _Tangle:
    """Mentions that some value joins and something else forbids to be one person."""

    def __init__(self, values: dict[int, list[Index]], flat: list[Mention], apart: Apart) -> None:
        self.values = values
        self.flat = flat
        self.apart = apart
        self.groups: list[list[int]] = []
        self.sexes: list[str | None] = []
        self.carried: dict[Index, set[int]] = {}  # value → groups that carry it
        self.torn: dict[int, list[int]] = {}

    def add(self, group: list[int]) -> None:
        """A new person; one whose own records disagree in sex has none."""
        sexes = {s for n in group if (s := self.flat[n].sex)}
        self.groups.append(group)
        self.sexes.append(sexes.pop() if len(sexes) == 1 else None)
        self._carry(group, len(self.groups) - 1)

    def _carry(self, mentions: list[int], group: int) -> None:
        for n in mentions:
            for value in self.values[n]:
                self.carried.setdefault(value, set()).add(group)

    def _may_be(self, n: int) -> set[int]:
        sex = self.flat[n].sex
        found = {g for value in self.values[n] for g in self.carried.get(value, ())}
        if n in self.apart:
            found = {g for g in found if self.apart[n].isdisjoint(self.groups[g])}
        return {g for g in found if sex is None or self.sexes[g] in (None, sex)}

    def spread(self, pending: list[int]) -> list[int]:
        """Give mentions to the only person they may be, round by round; those that may be two or more are torn."""
        while pending:
            found = {n: self._may_be(n) for n in pending}
            joined = {n: groups for n, groups in found.items() if groups}
            if not joined:
                break
            sexes: dict[int, set[str]] = {}
            for n, groups in joined.items():
                if len(groups) == 1 and (sex := self.flat[n].sex):
                    sexes.setdefault(min(groups), set()).add(sex)
            for n, groups in joined.items():
                (group, *others) = sorted(groups)
                if others or (self.flat[n].sex and len(sexes[group]) > 1):
                    self.torn[n] = sorted(groups)
                    continue
                self.groups[group].append(n)
                self._carry([n], group)
            for group, met in sexes.items():
                if len(met) == 1:
                    self.sexes[group] = self.sexes[group] or met.pop()
            pending = [n for n in pending if n not in joined]
        return pending

    def components(self, mentions: list[int]) -> list[list[int]]:
        """``mentions`` joined by every value they share."""
        first: dict[Index, int] = {}
        place = {n: i for i, n in enumerate(mentions)}
        parent = list(range(len(mentions)))
        for n in mentions:
            for value in self.values[n]:
                parent[find(parent, place[n])] = find(parent, place[first.setdefault(value, n)])
        found: dict[int, list[int]] = {}
        for i, n in enumerate(mentions):
            found.setdefault(find(parent, i), []).append(n)
        return list(found.values())


def _untangle(
    crowd: list[int], flat: list[Mention], ids: dict[int, Index], record: list[int], generic: Collection[bytes],
    apart: Apart,
) -> tuple[list[list[int]], dict[int, list[int]]]:  # fmt: skip
    """Persons of a component that cannot be one: by ID number first, then by sex, then what is left.

    Returns the groups, and the mentions that may be several of them (by position in the groups).
    """
    tangle = _Tangle(_values(crowd, flat, ids, record, generic, apart), flat, apart)
    numbered: dict[Index, list[list[int]]] = {}
    for n in crowd:
        if n in ids:
            groups = numbered.setdefault(ids[n], [])
            fitting = [group for group in groups if apart.get(n, frozenset()).isdisjoint(group)]
            (fitting[0] if fitting else _new(groups)).append(n)
    for groups in numbered.values():
        for group in groups:
            tangle.add(group)
    pending = tangle.spread([n for n in crowd if n not in ids])
    for sex in ("male", "female"):
        for group in tangle.components([n for n in pending if flat[n].sex == sex]):
            tangle.add(group)
    pending = tangle.spread([n for n in pending if flat[n].sex not in ("male", "female")])
    for group in tangle.components(pending):
        tangle.add(group)
    return tangle.groups, tangle.torn


def _new(groups: list[list[int]]) -> list[int]:
    groups.append([])
    return groups[-1]


def _values(
    crowd: list[int], flat: list[Mention], ids: dict[int, Index], record: list[int], generic: Collection[bytes],
    apart: Apart,
) -> dict[int, list[Index]]:  # fmt: skip
    """What each mention is joined by: no ID number, nothing generic, nothing that both sides of one record carry, and
    nothing that it shares with a mention it was ruled not to be."""
    carriers: dict[Index, set[Index]] = {}
    sides: set[tuple[int, str, Index]] = set()
    for n in crowd:
        for index in flat[n].indexes:
            if n in ids:
                carriers.setdefault(index, set()).add(ids[n])
            sides.add((record[n], flat[n].role, index))

    def joins(n: int, index: Index) -> bool:
        role = flat[n].role
        return (
            index.kind in _DECIDING
            and index.kind != "id"
            and index.value not in generic
            and len(carriers.get(index, ())) <= GENERIC
            and (record[n], _OPPOSED.get(role, ""), index) not in sides
            and not any(index in flat[other].indexes for other in apart.get(n, ()))
        )

    return {n: [index for index in flat[n].indexes if joins(n, index)] for n in crowd}
