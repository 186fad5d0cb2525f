"""Judge what a commit touched: read each household once, assess it, make what stands equal to what is owed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from hub.core import message
from hub.core.aftermath import is_followed_at_once
from hub.core.assess import assess, light_of
from hub.core.book import book_of
from hub.core.clocks import Moment
from hub.core.policy import Policy
from hub.core.records import Assessment, Case, Concern, Event, Key, Light, Owed
from hub.core.settle import settle
from hub.line.corrections import corrected_keys, corrections
from hub.line.letters import CHANGE, Outward, Records, Writer
from hub.line.outward import Outbox
from hub.line.ports import Vault
from hub.store.cases import HouseholdRow, Reading, read_cases, read_silences
from hub.store.lights import Change, look_again, save_changes, save_lights
from hub.store.loaded import Loaded
from hub.store.numbers import new_no
from hub.store.standing import list_for_review
from hub.store.tx import Tx

GRID = "community_grid"


class Scope(NamedTuple):
    """What is to be judged: households, records that changed (they may stand nowhere now), and how they changed."""

    households: frozenset[int]
    records: frozenset[int]  # changed in this batch
    known: Mapping[int, Event]  # fresh events by record, to spare decoding
    live: frozenset[int]  # households touched by a live change
    fenced: frozenset[int]  # households touched only by backfill or replay
    replayed: frozenset[Key]  # records whose change came from no live page
    owed: tuple[Owed, ...] = ()  # owed because of no household: unreadable rows, empty months
    loaded: Loaded | None = None  # what this commit has read already


def judge(
    tx: Tx, scope: Scope, policy: Policy, vault: Vault, outward: Outward, as_of: datetime
) -> Mapping[int, Assessment]:
    """Assess, settle and save; the assessments by household."""
    slots = {o.slot for o in scope.owed}
    reading = read_cases(tx, scope.households, scope.records, scope.known, slots, scope.loaded)
    moment = Moment(as_of, read_silences(tx))
    past = frozenset(number for number, case in reading.cases.items() if is_past(case))
    judged = {
        number: (light_of if number in past else assess)(case, policy, moment.fresh())
        for number, case in reading.cases.items()
    }
    owed = [one for number, found in judged.items() for one in _at(number, found)]
    owed += scope.owed
    acts = settle([row.standing() for row in reading.standing], owed, replayed=scope.replayed)
    records = Records(tx, vault, reading.records, reading.cases.values())
    homes = {number: row.uid for number, row in reading.households.items()}
    writer = Writer(policy, records, outward, homes, as_of)
    outbox = Outbox(tx, vault, writer, outward, reading.standing, reading.records, as_of)
    outbox.save(acts)
    keys = _corrected(scope, reading)
    if keys:
        outbox.correct(corrections(tx, vault, writer, reading.standing, owed, acts, keys))
    list_for_review(tx, {first: "" for n in past if (first := _first_record(reading, n, judged[n]))}, as_of)
    _save(tx, scope, reading, judged, policy, writer, outbox, outward, as_of)
    return judged


def _corrected(scope: Scope, reading: Reading) -> frozenset[Key]:
    """Records of this commit that were told of before in an older version."""
    if not reading.standing:
        return frozenset()
    changed = frozenset(key for key, number in reading.records.items() if number in scope.records) - scope.replayed
    return corrected_keys((event for case in reading.cases.values() for event in case.events), changed)


def is_past(case: Case) -> bool:
    """History that nobody adopted and that nothing was opened for: it has a light, and the fence holds back the rest."""
    return not (case.reports or case.duties or any(event.live for event in case.events))


def _first_record(reading: Reading, household: int, found: Assessment) -> int:
    """The record under which a household of history stands on the review list; 0: no light, nothing to review."""
    if found.light is Light.unlit:
        return 0
    return min((reading.records[event.key] for event in reading.cases[household].events), default=0)


def _at(household: int, found: Assessment) -> Iterable[Owed]:
    return (one if one.household is not None else one._replace(household=household) for one in found.owed)


def _save(
    tx: Tx, scope: Scope, reading: Reading, judged: Mapping[int, Assessment], policy: Policy, writer: Writer,
    outbox: Outbox, outward: Outward, as_of: datetime,
) -> None:  # fmt: skip
    save_lights(tx, judged, as_of)
    look_again(tx, [n for n in outbox.reported() if n in judged and is_followed_at_once(judged[n])], as_of)
    changes: list[tuple[Change, bool]] = []
    reasons = book_of(policy).reasons
    for number, found in judged.items():
        row = reading.households[number]
        if row.light != found.light:
            changes.append((_change(row, found, reasons, as_of), _is_live(number, scope, reading)))
    save_changes(tx, [change for change, _ in changes], as_of)
    if outward.reaches(GRID, CHANGE):
        for change, live in changes:
            if live:
                row = reading.households[change.household]
                outbox.change(writer.envelope(CHANGE, change.no, GRID, change_body(change, row.registered, row.uid)))
        outbox.post_changes()


def _is_live(household: int, scope: Scope, reading: Reading) -> bool:
    """A change by a live record, or by time on a household that any live record is on."""
    if household in scope.live:
        return True
    if household in scope.fenced:
        return False
    return any(event.live for event in reading.cases[household].events)


def _change(row: HouseholdRow, found: Assessment, reasons: Mapping[str, str], as_of: datetime) -> Change:
    top = highest(found)
    rule = top.rule if top is not None else ""
    return Change(
        new_no("LC", as_of), row.id, row.community, row.light, int(found.light), found.since, rule,
        reasons.get(rule, "concern" if rule else ""),
    )  # fmt: skip


def highest(found: Assessment) -> Concern | None:
    """The open concern that sets the light: the highest, then the oldest."""
    open_ones = [c for c in found.concerns if c.until is None and c.light == found.light]
    return min(open_ones, key=lambda c: (c.since, c.rule), default=None)


def change_body(change: Change, registered: str | None, household: str) -> message.Body:
    """A light change as the grid platform and the feed get it."""
    return message.light_change(
        change.no, registered, household, change.community, Light(change.light).name, Light(change.was).name,
        change.since, change.reason,
    )  # fmt: skip
