"""Corrections travel: what a newer version of a record changes in what was told, for each receiver of it.

A report is never changed and a duty's own dates are ``settle``'s matter; here it is the content. What would be written
today is compared with what the receiver has, the corrections sent since taken in; only the difference goes out, as a
notice, and stands on the open list until it is acknowledged. The reporter is never in one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from hub.core.message import Body, json_ready
from hub.core.pairing import ENDED, is_report
from hub.core.records import Event, Key, Owed
from hub.core.settle import Act, Amend, Close, Withdraw
from hub.line.letters import DUTY, Writer, kind_of, parsed
from hub.line.ports import Vault
from hub.store.sql import Sql
from hub.store.standing import StandingRow

CONTENT: Final = (
    "kind", "urgency", "found_at", "victim", "alleged", "place", "narrative", "injury", "situation", "parties",
)  # fmt: skip
"""Fields of a report that a record may correct; its number, rule, sources and times of arrival stay."""


class Correction(NamedTuple):
    """One receiver must hear of it: the row that told, as it is owed, and what is different now."""

    row: StandingRow
    owed: Owed
    body: Body


def corrected_keys(events: Iterable[Event], changed: frozenset[Key]) -> frozenset[Key]:
    """Of the records that changed, those of which an older version may have been told."""
    return frozenset(e.key for e in events if e.version > 1 and e.live and e.key in changed)


def corrections(
    sql: Sql, vault: Vault, writer: Writer, standing: Sequence[StandingRow], owed: Sequence[Owed], acts: Sequence[Act],
    keys: frozenset[Key],
) -> Iterator[Correction]:  # fmt: skip
    """What each receiver of reports, copies and duties must hear because the records ``keys`` have a newer version."""
    spoken = {act.no for act in acts if isinstance(act, Withdraw | Close) or (isinstance(act, Amend) and act.tell)}
    rows = [row for row in standing if row.keys & keys and row.state not in ENDED and row.no not in spoken]
    reports = {row.no: row for row in rows if is_report(row.what)}
    fresh = {no: _report_today(writer, row, owed, _told(sql, vault, row), keys) for no, row in reports.items()}
    for row in rows:
        if is_report(row.what):
            yield from _difference(sql, vault, row, fresh[row.no])
        elif row.what == "report_copy" and str(row.facts.get("report_no")) in fresh:
            yield from _difference(sql, vault, row, writer.copy(fresh[str(row.facts.get("report_no"))], row.to))
        elif kind_of(row.what) == DUTY and row.sent:
            yield from _members(sql, vault, writer, row)


def _report_today(
    writer: Writer, row: StandingRow, owed: Sequence[Owed], told: Mapping[str, Any], keys: frozenset[Key]
) -> Body:
    """The report as it would be written from its own records of today; empty: none of them is among ``keys``.

    Its own records are its evidence: what a second source adds later goes out as an addendum, not as a correction.
    """
    own = frozenset(Key(one["unit"], one["stream"], one["key"]) for one in told.get("evidence", ()))
    if not own & keys:
        return {}
    now = next((o for o in owed if is_report(o.what) and o.causes & own and o.closed is None), row.owed())
    return writer.report(now._replace(what=row.what, causes=own), row.no).body


def _difference(sql: Sql, vault: Vault, row: StandingRow, today: Mapping[str, Any]) -> Iterator[Correction]:
    told = _told(sql, vault, row)
    there = [name for name in CONTENT if name in today]
    changed = {name: value for name in there if (value := json_ready(today[name])) != told.get(name)}
    if changed:
        yield Correction(row, row.owed(), changed)


def _members(sql: Sql, vault: Vault, writer: Writer, row: StandingRow) -> Iterator[Correction]:
    """A duty whose persons are told otherwise now: the duty as it stands, as for any other change of it."""
    told = _told(sql, vault, row)
    today = writer.duty_body(row.owed(), row.no, row.state)
    if told and json_ready(today["members"]) != told.get("members"):
        yield Correction(row, row.owed(), today)


def _told(sql: Sql, vault: Vault, row: StandingRow) -> dict[str, Any]:
    """What the receiver has: the message itself, and every correction after it. Empty: nothing was ever made."""
    told: dict[str, Any] = {}
    for no, kind, body in sql.rows("SELECT no, kind, body FROM parcel WHERE owed_id = ? ORDER BY id", (row.id,)):
        written = parsed(vault.open_blob(str(no), bytes(body)))
        inner = written if is_report(row.what) and kind != "notice" else written.get("body", {})
        if kind == "notice":
            told.update(inner.get("body", {}) if inner.get("kind") in ("corrected", "moved") else {})
        else:
            told.update(inner)
    return told
