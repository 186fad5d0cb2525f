"""Which standing row is which owed thing: by (what, to, slot) and any record that causes both, never by household.

Reports are one family whatever their rule; D1–D5 stand once per unit *and household*; what no record causes (D20, D26) is
known by its slot. Every index is a dictionary: linear in standing + owed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby, islice
from operator import eq, itemgetter

from hub.core.records import Key, Owed, Standing

Pair = tuple[Standing | None, Owed | None]
"""A standing row and the owed thing that it is; None: nothing stands, or it is not owed."""
_OPENED_AND_NAME = itemgetter(Owed._fields.index("opened"), 0, 1, 2)
Name = tuple[object, ...]
"""(what, to, slot), with the household where that tells apart."""
PER_HOUSEHOLD = frozenset({"D1", "D2", "D3", "D4", "D5"})
BY_SLOT = frozenset({"D20", "D26"})
"""Caused by no record (a month without a class, a row nobody could read): known by their slot alone."""
ENDED = frozenset({"done", "returned", "cancelled"})
CLOSED_STATE = {"done": "done", "returned": "returned"}
"""Outcome word of a ``Closing`` → the state it leaves; every other word (`ended`, `granted`, `reached` …) cancels."""


@lru_cache(256)
def family(what: str) -> str:
    """Reports are one family whatever their rule; everything else is its own."""
    return "M" if is_report(what) else what


@lru_cache(256)
def is_report(what: str) -> bool:
    """Whether ``what`` is a mandatory report, M1 … M7 (or another M rule of a district's own policy)."""
    return what[:1] == "M" and what[1:].isdigit()


@lru_cache(256)
def is_duty(what: str) -> bool:
    """Whether ``what`` is a duty, D1 … D27 or D7b."""
    return what[:1] == "D" and what[1:2].isdigit()


def joined(owed: Iterable[Owed]) -> list[Owed]:
    """One of each: the same thing owed by several households (any cause in common) becomes one, in a fixed order."""
    groups: list[list[Owed]] = []
    named: dict[Name, dict[Key | None, int]] = {}  # name → cause → place of its group
    for one in _ranked(owed):
        causes = _causes(one)
        places = named.setdefault(_exact(one), {})
        hits = {places[cause] for cause in causes if cause in places} if places else None
        if not hits:
            for cause in causes:
                places[cause] = len(groups)
            groups.append([one])
            continue
        home, *others = sorted(hits)
        groups[home].append(one)
        for other in others:
            groups[home] += groups[other]
            groups[other] = []
            places.update({cause: home for cause, place in places.items() if place == other})
        places.update(dict.fromkeys(causes, home))
    return [group[0] if len(group) == 1 else _one_of(group) for group in groups if group]


def _one_of(group: list[Owed]) -> Owed:
    first = min(group, key=_rank)
    causes = frozenset().union(*(o.causes for o in group))
    return first._replace(causes=causes, live=any(o.live for o in group))


def _causes(owed: Owed) -> Collection[Key | None]:
    return (None,) if owed.what in BY_SLOT else owed.causes


def _ranked(owed: Iterable[Owed]) -> list[Owed]:
    """By rank: first by grade, then by when it opened and its name; the rest is asked only where those are equal."""
    grades: dict[int, list[Owed]] = {}
    for one in owed:
        grades.setdefault(_grade(one), []).append(one)
    found: list[Owed] = []
    for grade in sorted(grades):
        same = grades[grade]
        if len(same) > 1:
            same.sort(key=_OPENED_AND_NAME)
            names = list(map(_OPENED_AND_NAME, same))
            if any(map(eq, names, islice(names, 1, None))):
                runs = [list(run) for _, run in groupby(same, _OPENED_AND_NAME)]
                same = [one for run in runs for one in (sorted(run, key=_rank) if len(run) > 1 else run)]
        found += same
    return found


def _grade(owed: Owed) -> int:
    """Which of several equal ones speaks: done anywhere is done; open beats cancelled; then the one that knows more."""
    closed = owed.closed
    weight = 2 if closed is None else 0 if closed.how in CLOSED_STATE else 4
    return weight if "state" in owed.facts else weight + 1


def _rank(owed: Owed) -> tuple[object, ...]:
    home = owed.household if owed.household is not None else 0
    return (_grade(owed), *_OPENED_AND_NAME(owed), home, sorted(owed.causes), repr(owed.due))


def pairs_of(standing: Sequence[Standing], owed: Sequence[Owed]) -> list[Pair]:
    """Every standing row and every owed thing exactly once, paired by name and any cause in common."""
    pairs: list[Pair] = []
    rows, asked = list(range(len(standing))), list(owed)
    for name in (_exact, _loose):
        if not rows or not asked:
            break
        index = _index(standing, rows, name)
        taken: set[int] = set()
        left = []
        for one in asked:
            known = index.get(name(one))
            found = _found(known, one) - taken if known is not None else None
            if not found:
                left.append(one)
                continue
            best = min(found, key=lambda i: _age(standing[i])) if len(found) > 1 else next(iter(found))
            taken.add(best)
            pairs.append((standing[best], one))
            if one.closed is not None:  # what is over closes every row of it
                more = sorted(i for i in found if i != best and standing[i].state not in ENDED)
                taken.update(more)
                pairs += [(standing[i], one) for i in more]
        rows, asked = [i for i in rows if i not in taken], left
    pairs += [(None, one) for one in asked]
    return pairs + _over([standing[i] for i in rows], owed)


def _index(
    standing: Sequence[Standing], rows: Iterable[int], name: Callable[[Owed], Name]
) -> dict[Name, dict[Key | None, list[int]]]:
    """Name → cause → places of the rows that it causes."""
    index: dict[Name, dict[Key | None, list[int]]] = {}
    for i in rows:
        causes = index.setdefault(name(standing[i].owed), {})
        for cause in _causes(standing[i].owed):
            causes.setdefault(cause, []).append(i)
    return index


def _found(known: Mapping[Key | None, list[int]], one: Owed) -> set[int]:
    found: set[int] = set()
    for cause in _causes(one):
        found.update(known.get(cause, ()))
    return found


def _over(rows: Sequence[Standing], owed: Sequence[Owed]) -> list[Pair]:
    """The rows that nothing owed was paired with."""
    owed_by: dict[object, Owed] = {}
    if any(row.state not in ENDED for row in rows):
        for one in reversed(owed):
            names = (_exact(one), _loose(one))
            owed_by.update({(name, cause): one for cause in _causes(one) for name in names})
    return [_spared(row, owed_by) if row.state not in ENDED else (row, None) for row in rows]


def _spared(stands: Standing, owed_by: Mapping[object, Owed]) -> Pair:
    """A second row of one thing: it closes with the first; a second report stays (the police end it), a duty goes."""
    name = _loose(stands.owed) if is_report(stands.owed.what) else _exact(stands.owed)
    owes = next((o for c in sorted(_causes(stands.owed), key=repr) if (o := owed_by.get((name, c)))), None)
    if owes is None:
        return stands, None
    if owes.closed is not None:
        return stands, owes
    return stands, stands.owed._replace(closed=None) if is_report(owes.what) else None


def _exact(owed: Owed) -> Name:
    what = owed.what
    return family(what), owed.to, owed.slot, owed.household if what in PER_HOUSEHOLD else None


def _loose(owed: Owed) -> Name:
    """A report whose victim became known stays the report it is; a D1–D5 row goes along to the household of its cause."""
    if is_report(owed.what):
        return "M", owed.to
    return owed.what, owed.to, owed.slot


def _age(row: Standing) -> tuple[int, float, str]:
    """Of several rows of one name the oldest in life comes first; then the one that ended last."""
    opened = row.owed.opened.timestamp()
    return (1, -opened, row.no) if row.state in ENDED else (0, opened, row.no)
