"""The daily queue and every worker's load, read from one snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from hub.core.queue import Entry, Item, Load, Place, entries_of, load, order_of, queue
from hub.core.records import Light
from hub.core.rules import Policy
from hub.security.vault import Vault
from hub.store import workload
from hub.store.engine import SqlStore
from hub.store.sql import Sql
from hub.store.volume import thin_at


class Asked(NamedTuple):
    """Whose queue: of one worker, one unit, some communities; all empty: the whole district's."""

    worker: str = ""
    unit: str = ""
    communities: tuple[str, ...] = ()
    sees: Callable[[Item], bool] = lambda item: True
    """What this reader may know of at all."""


class Day(NamedTuple):
    """A queue, the load of the worker who asks, and what of their unit is nobody's."""

    places: list[Place]
    load: Load | None
    nobodys: int
    thin: Mapping[str, datetime] = {}  # streams of the unit, communities, with far fewer records than before, since


def day(store: SqlStore, policy: Policy, asked: Asked, at: datetime) -> Day:
    """The queue of one worker, unit or community at a moment, in the policy's order."""
    raw = policy.at(at).raw
    with store.read() as sql:
        board = _Board(sql, at)
        mine = [one for one in board.owed if asked.sees(one[1]) and board.is_asked(one, asked)]
        places = queue(board.entries(mine), order_of(raw), at)
        unit = asked.unit or board.unit_of(asked.worker)
        nobodys = sum(one[1].to == unit and not one[1].worker and board.reaches(one, asked) for one in board.owed)
        own = board.loads(raw, unit).get(asked.worker) if asked.worker else None
        thin = {subject: since for subject, since in thin_at(sql, at).items() if _concerns(subject, unit, asked)}
    return Day(places, own, nobodys if unit else 0, thin)


def _concerns(subject: str, unit: str, asked: Asked) -> bool:
    """Whether whoever asks should hear that a stream (``unit.stream``) or community has become quiet."""
    named, _, stream = subject.partition(".")
    return (not unit or named == unit) if stream else (not asked.communities or named in asked.communities)


def loads(store: SqlStore, policy: Policy, unit: str, at: datetime) -> list[Load]:
    """What every worker of the team carries (of one ``unit``; "": of all), the heaviest first; last what is nobody's."""
    with store.read() as sql:
        found = _Board(sql, at).loads(policy.at(at).raw, unit).values()
    return sorted(found, key=lambda one: (not one.no, not one.heavy, -one.households, -one.duties, one.unit, one.no))


def names(sql: Sql, vault: Vault, at: datetime) -> dict[str, str]:
    """Worker number → name, as far as the stream tells it. Personal data: for whoever may look."""
    return {
        member.no: str(people[0].get("name") or "")
        for member in workload.team(sql, at.date())
        if (people := vault.open_body(member.version, member.body)["persons"])
    }


class _Board:
    """Everything owed now, with whose it is and where."""

    def __init__(self, sql: Sql, at: datetime) -> None:
        self.at = at
        self._sql = sql
        self.team = {member.no: member for member in workload.team(sql, at.date())}
        self.responsible = workload.responsible(sql)
        self._accepted = workload.accepted_by(sql)
        found = workload.owed_now(sql)
        self.homes = workload.homes(sql, {number for number, _ in found if number is not None})
        self.owed = [(number, item._replace(worker=self._worker(number, item))) for number, item in found]

    def unit_of(self, worker: str) -> str:
        """The unit of a worker on the team; "": there is no such worker."""
        return self.team[worker].unit if worker in self.team else ""

    def _worker(self, household: int | None, item: Item) -> str:
        """Whoever accepted it; else the household's responsible worker, for what their own unit owes."""
        accepted = self._accepted.get(item.no)
        if accepted:
            return accepted
        named = self.responsible.get(household or 0, "")
        return named if self.unit_of(named) == item.to else ""

    def is_asked(self, one: tuple[int | None, Item], asked: Asked) -> bool:
        item = one[1]
        return (
            self.reaches(one, asked)
            and (not asked.worker or item.worker == asked.worker)
            and (not asked.unit or item.to in (asked.unit, f"head:{asked.unit}"))
        )

    def reaches(self, one: tuple[int | None, Item], asked: Asked) -> bool:
        home = self.homes.get(one[0] or 0)
        return not asked.communities or (home is not None and home.community in asked.communities)

    def entries(self, owed: Iterable[tuple[int | None, Item]]) -> list[Entry]:
        by_uid = {home.uid: home for home in self.homes.values()}
        happened = workload.last_events(self._sql, self.homes, self.at)
        gathered = entries_of((self.homes[n].uid if n in self.homes else None, item) for n, item in owed)
        return [_entry(by_uid.get(name), items, happened) for name, items in gathered.items()]

    def loads(self, raw: Mapping[str, Any], unit: str) -> dict[str, Load]:
        """By number; "" holds what is nobody's: lit households without a worker of the team, duties nobody has."""
        lights = workload.lit(self._sql)
        households: dict[str, set[int]] = {no: set() for no in (*self.team, "")}
        duties: dict[str, list[Item]] = {no: [] for no in households}
        for number in lights:
            households.setdefault(self.responsible.get(number, ""), set()).add(number)
        for where, item in self.owed:
            duties.setdefault(item.worker, []).append(item)
            if where is not None and item.worker:
                households.setdefault(item.worker, set()).add(where)
        found = {}
        for no in {*households, *duties}:
            member = self.team.get(no)
            if unit and no and (member is None or member.unit != unit):
                continue
            who = (no, member.unit, member.kind, True) if member else (no, "", "", False)
            owed = [item for item in duties.get(no, ()) if no or not unit or item.to == unit]
            found[no] = load(who, (lights.get(n, Light.unlit) for n in households.get(no, ())), owed, raw, self.at)
        return found


def _entry(home: workload.Home | None, items: list[Item], happened: Mapping[int, datetime]) -> Entry:
    ordered = tuple(sorted(items, key=lambda item: (item.due is None, item.due, item.no)))
    if home is None:
        return Entry(None, None, Light.unlit, None, ordered)
    return Entry(home.uid, home.community, home.light, happened.get(home.id), ordered)


def told(place: Place) -> dict[str, Any]:
    """One place as `queue --json` and HTTP give it."""
    entry = place.entry
    return {
        "place": place.n,
        "household": entry.household,
        "community": entry.community,
        "light": entry.light.name,
        "rank": place.rank.id,
        "clause": place.rank.clause,
        "law": place.rank.law,
        "last_event": entry.last_event.isoformat() if entry.last_event else None,
        "days_since": place.days,
        "overdue_hours": round(place.overdue.total_seconds() / 3600, 1) if place.overdue else None,
        "before_next": place.before_next,
        "owed": [
            {
                "no": item.no,
                "what": item.what,
                "unit": item.to,
                "due": item.due.isoformat() if item.due else None,
                "state": item.state,
                "worker": item.worker or None,
            }
            for item in entry.items
        ],
    }


def load_told(one: Load) -> dict[str, Any]:
    """One load as `workers --json` and HTTP give it; `worker` null: what is nobody's."""
    return {**one._asdict(), "no": None, "worker": one.no or None, "lights": dict(one.lights)}
