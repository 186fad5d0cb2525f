"""The coordinator's desk: who is meant, the month of a community, how often units decide against the records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hub.core.acts import ActError, Actor, Row
from hub.desk.acting import Acting, unit_of
from hub.desk.monthly_sheet import FORMS, month_of, sheet
from hub.office import reaches
from hub.read import identity
from hub.read.decisions import rates
from hub.read.monthly import monthly
from hub.speech import speak
from hub.store.numbers import new_no
from hub.store.sql import Sql
from hub.web.office import Act, Caller

WHOLE_DISTRICT = frozenset({"coordinator", "exporter"})
"""Roles that may know who is doubtful: a doubt concerns records of several units."""


class HubMeeting:
    """``web/meeting.py``'s port. Rulings are rows of the station by the rules of ``read/identity.py``, as by command."""

    def __init__(self, acting: Acting) -> None:
        self._acting = acting

    def review(self, caller: Caller, kind: str) -> Iterable[Mapping[str, Any]] | None:
        """What waits for a person."""
        if caller.name not in WHOLE_DISTRICT:
            return None
        self._acting.look(caller, "identity.review", kind)
        with self._acting.store.read() as sql:
            return identity.review(sql, kind)

    def decisions(self, caller: Caller) -> Iterable[Mapping[str, Any]] | None:
        """Rulings that stand, with their reasons."""
        if caller.name not in WHOLE_DISTRICT:
            return None
        self._acting.look(caller, "identity.decisions", "")
        with self._acting.store.read() as sql:
            return identity.decisions(sql, self._acting.vault)

    def rule(self, caller: Caller, ruling: str, subject: str, act: Act) -> Mapping[str, Any] | None:
        """Land a ruling; its numbers, by which each can be undone."""
        if caller.name not in WHOLE_DISTRICT:
            return None
        acting, now = self._acting, self._acting.clock()
        acting.look(caller, f"identity.{ruling}", subject)

        def rows() -> list[Row]:
            who = acting.actor(caller, act.fields["by"], now, signs=True)
            with acting.store.read() as sql:
                return [{"no": new_no("ID", now), **row} for row in _rows(sql, who, ruling, subject, act.fields)]

        uid, state = acting.once(caller, act, f"identity/{ruling}/{subject}", "identity", now, rows)
        return {"decisions": acting.numbers(uid), "state": state}

    def month(self, caller: Caller, community: str, month: str, form: str, lang: str) -> tuple[str, bytes] | None:
        """The situation report of a month as (media type, content); form json: its JSON document."""
        if caller.name not in WHOLE_DISTRICT and (caller.name != "station" or not reaches(caller, community)):
            return None
        asked = month_of(community, month, self._acting.clock())
        self._acting.look(caller, "report.monthly", community)
        with self._acting.store.read() as sql:
            told = monthly(sql, asked)
        return FORMS[form], sheet(told, form, speak(lang))

    def rates(self, caller: Caller) -> Iterable[Mapping[str, Any]]:
        """Decisions up and down, per unit: all for the coordinator, a unit's own for the unit."""
        found = rates(self._acting.store, self._acting.office.policy, self._acting.clock())
        return [row for row in found if caller.name in WHOLE_DISTRICT or row["unit"] == unit_of(caller)]


def _rows(sql: Sql, who: Actor, ruling: str, subject: str, ask: Mapping[str, str]) -> list[Row]:
    reason = ask.get("reason", "")
    if ruling == "accept":
        return identity.accept(sql, who, reason, subject, ask.get("candidate", ""))
    if ruling == "reject":
        return identity.reject(sql, who, reason, subject, ask.get("candidate", ""))
    if ruling == "merge":
        return identity.merge(sql, who, reason, ask["one"], ask["other"])
    if ruling == "split":
        return identity.split(sql, who, reason, identity.key_of(ask["record"]), int(ask.get("position", 0)))
    if who.unit is None:
        raise ActError("act.nameless", who.by)
    return identity.undo(sql, subject)
