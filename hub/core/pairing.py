"""Which standing row is which owed thing: by (what, to, slot) and any record that causes both, never by household.

Reports are one family whatever their rule; D1–D5 stand once per unit *and household*; what no record causes (D20, D26) is
known by its slot. Every index is a dictionary: linear in standing + owed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hub.core.records import Key, Owed, Standing

Pair = tuple[Standing | None, Owed | None]
"""A standing row and the owed thing that it is; None: nothing stands, or it is not owed."""
PER_HOUSEHOLD = frozenset({"D1", "D2", "D3", "D4", "D5"})
BY_SLOT = frozenset({"D20", "D26"})
"""Caused by no record (a month without a class, a row nobody could read): known by their slot alone."""
ENDED = frozenset({"done", "returned", "cancelled"})
REVIEW = "review"
"""State of a row that the fence held back: it waits for a person (`hub households adopt`)."""
CLOSED_STATE = {"done": "done", "returned": "returned"}
"""Outcome word of a ``Closing`` → the state it leaves; every other word (`ended`, `granted`, `reached` …) cancels."""


def family(what: str) -> str:
    """Reports are one family whatever their rule; everything else is its own."""
    return "M" if is_report(what) else what


def is_report(what: str) -> bool:
    """Whether ``what`` is a mandatory report, M1 … M7 (or another M rule of a district's own policy)."""
    return what[:1] == "M" and what[1:].isdigit()


def is_duty(what: str) -> bool:
    """Whether ``what`` is a duty, D1 … D27 or D7b."""
    return what[:1] == "D" and what[1:2].isdigit()


def joined(owed: Iterable[Owed]) -> list[Owed]:
    """One of each: the same thing owed by several households (any cause in common) becomes one, in a fixed order."""
    groups: list[list[Owed]] = []
    at: dict[tuple[object, ...], int] = {}
    for one in sorted(owed, key=_rank):
        names = [(*_name(one), cause) for cause in _causes(one)]
        hits = sorted({at[n] for n in names if n in at})
        home = hits[0] if hits else len(groups)
        if not hits:
            groups.append([])
        groups[home].append(one)
        for other in hits[1:]:
            groups[home] += groups[other]
            groups[other] = []
            at.update({k: home for k, v in at.items() if v == other})
        at.update(dict.fromkeys(names, home))
    return [_one_of(group) for group in groups if group]


def _one_of(group: list[Owed]) -> Owed:
    first = min(group, key=_rank)
    if len(group) == 1:
        return first
    causes = frozenset().union(*(o.causes for o in group))
    return first._replace(causes=causes, live=any(o.live for o in group))


def _name(owed: Owed) -> tuple[object, ...]:
    home = owed.household if owed.what in PER_HOUSEHOLD else None
    return family(owed.what), owed.to, owed.slot, home


def _causes(owed: Owed) -> Iterable[Key | None]:
    return (None,) if owed.what in BY_SLOT else owed.causes


def _rank(owed: Owed) -> tuple[object, ...]:
    """Which of several equal ones speaks: done anywhere is done; open beats cancelled; then the one that knows more."""
    weight = 1 if owed.closed is None else 0 if owed.closed.how in CLOSED_STATE else 2
    told = 0 if "state" in owed.facts else 1
    home = owed.household if owed.household is not None else 0
    return weight, told, owed.opened, owed.what, owed.to, owed.slot, home, sorted(owed.causes), repr(owed.due)


def pairs_of(standing: Sequence[Standing], owed: Sequence[Owed]) -> list[Pair]:
    """Every standing row and every owed thing exactly once, paired by name and any cause in common."""
    pairs: list[Pair] = []
    rows, asked = list(range(len(standing))), list(owed)
    owed_by: dict[object, Owed] = {}
    for one in reversed(asked):
        owed_by.update({(name, c): one for c in _causes(one) for name in (_exact(one), _loose(one))})
    for name in (_exact, _loose):
        index: dict[object, list[int]] = {}
        for i in rows:
            for cause in _causes(standing[i].owed):
                index.setdefault((name(standing[i].owed), cause), []).append(i)
        taken: set[int] = set()
        left = []
        for one in asked:
            found = {i for c in _causes(one) for i in index.get((name(one), c), ())} - taken
            best = _best(standing, found)
            if best is None:
                left.append(one)
                continue
            taken.add(best)
            held = next((i for i in sorted(found) if standing[i].state == REVIEW), best)
            if not one.live and one.closed is None and standing[best].state not in ENDED:
                taken.add(held)  # it waits on the review list already: the row that it would change stays as it is
                best = held
            pairs.append((standing[best], one))
            if one.closed is not None:  # what is over closes every row of it
                more = sorted(i for i in found if i != best and standing[i].state not in ENDED)
                taken.update(more)
                pairs += [(standing[i], one) for i in more]
        rows, asked = [i for i in rows if i not in taken], left
    over = [_spared(standing[i], owed_by) for i in rows]
    return pairs + [(None, one) for one in asked] + over


def _spared(stands: Standing, owed_by: Mapping[object, Owed]) -> Pair:
    """A second row of one thing: it closes with the first; a second report stays (the police end it), a duty goes."""
    name = _loose(stands.owed) if is_report(stands.owed.what) else _exact(stands.owed)
    owes = next((o for c in sorted(_causes(stands.owed), key=repr) if (o := owed_by.get((name, c)))), None)
    if owes is None or stands.state in ENDED:
        return stands, None
    if owes.closed is not None:
        return stands, owes
    return stands, stands.owed._replace(closed=None) if is_report(owes.what) and stands.state != REVIEW else None


def _exact(owed: Owed) -> tuple[object, ...]:
    return _name(owed)


def _loose(owed: Owed) -> tuple[object, ...]:
    """A report whose victim became known stays the report it is; a D1–D5 row goes along to the household of its cause."""
    if is_report(owed.what):
        return "M", owed.to
    return owed.what, owed.to, owed.slot


def _best(standing: Sequence[Standing], found: set[int]) -> int | None:
    """Of several rows of one name the oldest in life; else the one that waits; else the one that ended last."""

    def rank(i: int) -> tuple[int, float, str]:
        row = standing[i]
        opened = row.owed.opened.timestamp()
        if row.state in ENDED:
            return 2, -opened, row.no
        return (1 if row.state == REVIEW else 0), opened, row.no

    return min(found, key=rank, default=None)
