"""The same life told to the hub's core: rows as events, silences and reports as the core's own."""

from __future__ import annotations

from datetime import datetime

from hub.core.records import SHANGHAI, Case, Event, Facts, Key, Member, Party, Report, Silence, StreamKey
from hub.core.versions import carry
from tests.reference.makers import BORN, CAPACITY, KIND
from tests.reference.people import Row


def event(row: Row, version: int = 1) -> Event:
    """One row as ``normalise`` and ``compare`` would have made it, the dates of its path carried."""
    facts: Facts = {}
    before = None
    for older in [*row["path"], row]:
        own = {name: _zoned(value) for name, value in older["facts"].items() if value is not None}
        facts = carry(facts, own, older_updated=before) if before else own
        before = _zoned(older["updated"])
    parties = tuple(Party(p["role"], p["person"], p["born"], p["capacity"]) for p in row["people"])
    return Event(
        Key(row["unit"], row["stream"], row["no"]), version, KIND[row["unit"], row["stream"]], _zoned(row["at"]), facts,
        parties, tuple(row["related"]), row["live"], _zoned(row["updated"]), _zoned(row["received"]),
    )  # fmt: skip


def _zoned(value: object) -> object:
    if isinstance(value, list):
        return tuple(value)
    return value.astimezone(SHANGHAI) if isinstance(value, datetime) else value


def case(rows: list[Row], reports: list[Row]) -> Case:
    members = tuple(Member(n, "member", born, CAPACITY.get(n), None, None) for n, born in BORN.items())
    return Case(
        1, "310101001001", members, tuple(sorted((event(row) for row in rows), key=lambda e: (e.at, e.key))),
        tuple(
            Report(r["no"], r["rule"], frozenset(Key(*key) for key in r["causes"]), _zoned(r["opened"]), r["victim"])
            for r in reports
        ),
    )  # fmt: skip


def silences(rows: list[Row]) -> list[Silence]:
    return [Silence(StreamKey(s["unit"], s["stream"]), _zoned(s["since"]), _zoned(s["until"])) for s in rows]
