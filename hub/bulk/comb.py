"""Years of history, combed: sealed rows in, households worth a file, repeat addresses and pairs out.

Who is meant, which household it is and which light it would have is decided by the same ``place`` and ``course`` as on the
line. A comb lands nothing: it can create no report, no duty and no light.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import orjson

from hub.bulk.engine import Engine, Kept, Row
from hub.core.assess import course
from hub.core.clocks import Moment, days_between
from hub.core.freight import Sealed
from hub.core.hood import CERTAIN, Entry, Index, Mention, Neighbourhood, Placing
from hub.core.place import place
from hub.core.records import Case, Course, Event, Key, Light, Party, StreamKey
from hub.core.rules import Policy
from hub.core.timeline import facts_from_json, facts_to_json
from hub.core.values import link_form
from hub.store.times import from_us, to_us

REPEAT_DAYS = 3
"""Calls on so many days make an address worth a look (as the document's "often")."""
REPEAT_CALLS = 2
"""Records between the same two people that make a pair."""


class Household(NamedTuple):
    """A household that the history speaks of, as it would stand now."""

    light: Light
    since: datetime | None
    rules: tuple[str, ...]
    was_red: bool
    community: str | None
    records: tuple[Kept, ...]
    days: int
    first: datetime
    last: datetime
    persons: int


class Pair(NamedTuple):
    """Two people between whom it happened again."""

    records: tuple[Kept, ...]
    days: int
    first: datetime
    last: datetime


class Found(NamedTuple):
    """What one group of records came to."""

    households: tuple[Household, ...]
    pairs: tuple[Pair, ...]


def row_of(sealed: Sealed, place_mark: str) -> Row:
    """A sealed record as the engine takes it."""
    event = sealed.event
    own = link_form(event.key.no)
    links = {f"no:{own}", *(f"no:{link_form(no)}" for no in event.related)}
    links |= {f"{i.kind}:{i.value.hex()}" for found in sealed.indexes for i in found if i.kind in CERTAIN}
    parties = [
        [p.role, p.born and p.born.toordinal(), p.capacity, p.sex, [[i.kind, i.value.hex()] for i in found]]
        for p, found in zip(event.parties, sealed.indexes, strict=True)
    ]
    return Row(
        event.key.no, to_us(event.updated_at), sealed.deleted, to_us(event.at), event.kind, facts_to_json(event.facts),
        ";".join(event.related), orjson.dumps(parties).decode(), tuple(sorted(links)), place_mark, sealed.uid, sealed.body,
    )  # fmt: skip


def comb(engine: Engine, stream: StreamKey, policy: Policy, now: datetime) -> Iterator[Found]:
    """Every group of records judged; lazily, in the engine's order."""
    for group in engine.groups():
        yield judge(group, stream, policy, now)


def judge(group: Sequence[Kept], stream: StreamKey, policy: Policy, now: datetime) -> Found:
    """Place and judge records that hang together, as if they had just come in."""
    entries = [_entry(kept, stream) for kept in group]
    placing = place(Neighbourhood(tuple(entries), {}, {}))
    by_key = {entry.key: kept for entry, kept in zip(entries, group, strict=True)}
    events = {entry.key: _event(entry, by_key[entry.key], placing) for entry in entries}
    homes: dict[int, list[Event]] = {}
    for key, places in placing.households.items():
        for home, _ in places:
            homes.setdefault(home, []).append(events[key])
    households = [_household(home, found, placing, by_key, policy, now) for home, found in sorted(homes.items())]
    return Found(tuple(households), tuple(_pairs(events.values(), by_key)))


def _entry(kept: Kept, stream: StreamKey) -> Entry:
    mentions = tuple(
        Mention(idx, role, None, tuple(Index(kind, bytes.fromhex(value)) for kind, value in found),
                None if born is None else date.fromordinal(born), capacity, sex)
        for idx, (role, born, capacity, sex, found) in enumerate(orjson.loads(kept.parties))
    )  # fmt: skip
    related = tuple(kept.related.split(";")) if kept.related else ()
    key = Key(stream.unit, stream.stream, kept.no)
    return Entry(key, kept.kind, from_us(kept.at), facts_from_json(kept.facts), related, mentions, (), True)


def _event(entry: Entry, kept: Kept, placing: Placing) -> Event:
    parties = tuple(
        Party(m.role, placing.persons.get((entry.key, m.idx)), m.born, m.capacity, m.sex) for m in entry.mentions
    )
    updated = from_us(kept.updated_at)
    return Event(entry.key, 1, entry.kind, entry.at, entry.facts, parties, entry.related, False, updated, updated)


def _household(
    home: int, events: list[Event], placing: Placing, by_key: Mapping[Key, Kept], policy: Policy, now: datetime
) -> Household:
    events.sort(key=lambda event: (event.at, event.key))
    community = placing.homes[home].community if home in placing.homes else None
    case = Case(home, community, placing.members.get(home, ()), tuple(events))
    went: Course = course(case, policy, Moment(now))
    standing = sorted({c.rule for c in went.concerns if c.until is None})
    return Household(
        light=went.light,
        since=went.since,
        rules=tuple(standing),
        was_red=any(span.light == Light.red for span in went.spans),
        community=community,
        records=tuple(by_key[event.key] for event in events),
        days=len({event.at.date() for event in events}),
        first=events[0].at,
        last=events[-1].at,
        persons=len({p.person for event in events for p in event.parties if p.person is not None}),
    )


def _pairs(events: Iterable[Event], by_key: Mapping[Key, Kept]) -> Iterator[Pair]:
    together: dict[tuple[int, int], list[Event]] = {}
    for event in events:
        named = sorted({p.person for p in event.parties if p.person is not None})
        for n, one in enumerate(named):
            for other in named[n + 1 :]:
                together.setdefault((one, other), []).append(event)
    for found in together.values():
        days = {event.at.date() for event in found}
        if len(days) >= REPEAT_CALLS:
            found.sort(key=lambda event: event.at)
            yield Pair(tuple(by_key[e.key] for e in found), len(days), found[0].at, found[-1].at)


def rank(household: Household, now: datetime) -> tuple[Any, ...]:
    """The order of the review list: the highest light, most days, the latest."""
    return (-household.light, -household.days, days_between(household.last, now), household.records[0].no)
