"""Write what a household stands at: its light, when to look again, what it waits for, and every transition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from hub.core.records import Assessment, Concern, StreamKey
from hub.store.codec import to_json
from hub.store.sql import Sql
from hub.store.times import opt_us, to_us


class Change(NamedTuple):
    """One transition of one household."""

    no: str
    household: int
    community: str | None
    was: int
    light: int
    since: datetime | None
    rule: str
    reason: str


def assessment_text(found: Assessment) -> str:
    """What list views show without judging again: coded, keys only."""
    held = found.held
    data = {
        "concerns": [_concern(c) for c in found.concerns if c.until is None],
        "held": None
        if held is None
        else {"since": held.since, "streams": [".".join(s) for s in held.streams], "would_be": held.would_be.name},
        "next": [{"at": n.at, "light": None if n.light is None else n.light.name, "by": n.by} for n in found.next],
        "categories": [{"category": word, "from": since, "until": until} for word, since, until in found.categories],
    }
    return to_json(data).decode()


def _concern(concern: Concern) -> dict[str, object]:
    return {"rule": concern.rule, "light": concern.light.name, "since": concern.since, "events": list(concern.events)}


def save_lights(sql: Sql, judged: Mapping[int, Assessment], at: datetime) -> None:
    """Lights, ``valid_until`` and ``waits_on`` of judged households."""
    now = to_us(at)
    sql.many(
        "UPDATE household SET light = ?, since = ?, judged_at = ?, valid_until = ?, assessment = ? WHERE id = ?",
        [
            (int(a.light), opt_us(a.since), now, opt_us(a.valid_until), assessment_text(a), household)
            for household, a in judged.items()
        ],
    )
    sql.run_in("DELETE FROM waits_on WHERE household_id {in}", judged)
    sql.insert(
        "waits_on",
        ("household_id", "unit", "stream"),
        [(household, *stream) for household, a in judged.items() for stream in sorted(a.waits_on)],
    )


def save_changes(sql: Sql, changes: Sequence[Change], at: datetime) -> None:
    """The change feed."""
    now = to_us(at)
    sql.insert(
        "light_change",
        ("no", "household_id", "community", "was", "light", "since", "at", "rule", "reason"),
        [(c.no, c.household, c.community, c.was, c.light, opt_us(c.since), now, c.rule, c.reason) for c in changes],
    )


def save_silences(sql: Sql, silences: Iterable[tuple[StreamKey, datetime, datetime | None]]) -> None:
    """Recorded spans in which a stream was not heard; one row per stream and beginning."""
    sql.many(
        'INSERT INTO silence (unit, stream, since, "until") VALUES (?,?,?,?)'
        ' ON CONFLICT (unit, stream, since) DO UPDATE SET "until" = excluded."until"',
        [(*stream, to_us(since), opt_us(until)) for stream, since, until in silences],
    )


def drop_silences(sql: Sql, silences: Iterable[tuple[StreamKey, datetime]]) -> None:
    """Silences that were recorded in error."""
    sql.many(
        "DELETE FROM silence WHERE unit = ? AND stream = ? AND since = ?",
        [(*stream, to_us(since)) for stream, since in silences],
    )


def look_again(sql: Sql, households: Iterable[int], at: datetime) -> None:
    """Households that are judged again at that time, whatever they wait for."""
    sql.run_in("UPDATE household SET valid_until = ? WHERE id {in}", households, (to_us(at),))
