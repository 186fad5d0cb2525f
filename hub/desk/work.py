"""The hub's desk for work: today's queue, loads and duties as each role may know them, and what people do as records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hub.core import acts
from hub.core.message import FULL_REASON
from hub.core.queue import Item
from hub.core.queue_words import why_here
from hub.desk.acting import SIGNS_FOR, Acting, unit_of
from hub.office import NO_HOUSEHOLDS, READER_OF, reaches
from hub.read.explain import explain_household
from hub.read.households import NotFoundError, find_household
from hub.read.reports import LIVING, duties, find_duty
from hub.read.workload import Asked, day, load_told, loads, names, told
from hub.speech import speak
from hub.store.numbers import new_no
from hub.web.office import Act, Caller

STATION_UNITS = ("community_grid", "womens_federation")
"""Whose staff work at the station (policy 七: D1–D5 are theirs): what they owe is the station's work."""


class HubWork:
    """``web/work.py``'s port. Reads are least data for the role; acts are rows of the station, by one set of rules."""

    def __init__(self, acting: Acting) -> None:
        self._acting = acting
        self._office, self._store, self._vault, self._clock = acting.office, acting.store, acting.vault, acting.clock

    # --- what is to be done

    def queue(self, caller: Caller, worker: str, unit: str, community: str) -> Mapping[str, Any]:
        """Today's work, each place with its sentence in both languages."""
        at = self._clock()
        communities = caller.communities
        if community:
            communities = (community,) if reaches(caller, community) else ("",)
        found = day(self._store, self._office.policy, Asked(worker, unit, communities, sees(caller)), at)
        rows = [
            {**told(place), "why": {lang: why_here(place, at, speak(lang)) for lang in ("zh", "en")}}
            for place in found.places
        ]
        load = found.load if found.load is not None and self._knows(caller, found.load.unit) else None
        thin = [{"subject": subject, "since": since.isoformat()} for subject, since in found.thin.items()]
        return {"at": at.isoformat(), "queue": rows, "load": load_told(load) if load else None, "thin": thin}

    def workers(self, caller: Caller, unit: str) -> Iterable[Mapping[str, Any]]:
        """Loads of the units the caller may look into, with names."""
        at = self._clock()
        self._acting.look(caller, "workers.list", unit)
        found = [one for one in loads(self._store, self._office.policy, unit, at) if self._knows(caller, one.unit)]
        with self._store.read() as sql:
            named = names(sql, self._vault, at) if found else {}
        return [{**load_told(one), "name": named.get(one.no)} for one in found]

    def _knows(self, caller: Caller, unit: str) -> bool:
        if caller.name in ("coordinator", "exporter"):
            return True
        return unit in STATION_UNITS if caller.name == "station" else bool(unit) and unit == unit_of(caller)

    def duties(self, caller: Caller, *, overdue: bool) -> Iterable[Mapping[str, Any]]:
        """Open duties by due date; to those who may not know the rule, its family."""
        if caller.name in NO_HOUSEHOLDS:
            return []
        seen = sees(caller)
        found = [
            _least(caller, row)
            for row in duties(self._store, self._clock())
            if row["state"] in LIVING
            and (row["overdue"] or not overdue)
            and seen(_item(row))
            and self._near(caller, row)
        ]
        return sorted(found, key=lambda row: (row["due"] is None, row["due"] or "", row["duty_no"]))

    def _near(self, caller: Caller, row: Mapping[str, Any]) -> bool:
        """Whether the household of a duty is in the caller's communities."""
        if not caller.communities:
            return True
        if row["household"] is None:
            return False
        with self._store.read() as sql:
            return reaches(caller, find_household(sql, str(row["household"])).community)

    # --- what people do

    def override(self, caller: Caller, household: str, act: Act) -> Mapping[str, Any] | None:
        """Decide a light."""
        ask = act.fields

        def row(known: Mapping[str, Any], who: acts.Actor) -> acts.Row:
            return acts.override(known, who, ask["light"], ask["reason"], ask["until"], ask.get("recheck", ""))

        return self._of_household(caller, household, act, "override", "OV", row)

    def release(self, caller: Caller, household: str, act: Act) -> Mapping[str, Any] | None:
        """Take a decision back."""

        def row(known: Mapping[str, Any], who: acts.Actor) -> acts.Row:
            return acts.release(known, who, act.fields.get("reason", ""))

        return self._of_household(caller, household, act, "override", "OV", row)

    def objection(self, caller: Caller, household: str, act: Act) -> Mapping[str, Any] | None:
        """Take down an objection; whoever hears the family may."""
        ask = act.fields

        def row(known: Mapping[str, Any], who: acts.Actor) -> acts.Row:
            return acts.objection(known, who, ask["statement"], ask["about"])

        return self._of_household(caller, household, act, "objection", "OB", row)

    def objection_answer(self, caller: Caller, household: str, no: str, act: Act) -> Mapping[str, Any] | None:
        """Answer an objection."""
        ask = act.fields

        def row(known: Mapping[str, Any], who: acts.Actor) -> acts.Row:
            return acts.objection_answer(known, who, no, ask["decision"], ask["text"])

        return self._of_household(caller, household, act, "objection_answer", "OA", row, no)

    def _of_household(
        self,
        caller: Caller,
        household: str,
        act: Act,
        stream: str,
        prefix: str,
        row: Callable[[Mapping[str, Any], acts.Actor], acts.Row],
        about: str = "",
    ) -> Mapping[str, Any] | None:
        """Look, check by the household as it stands, land; what was recorded and the household as the caller sees it."""
        acting, now = self._acting, self._clock()
        acting.look(caller, f"household.{stream}", household)
        try:
            with self._store.read() as sql:
                found = find_household(sql, household)
                if caller.name in NO_HOUSEHOLDS or not reaches(caller, found.community):
                    return None
                known = explain_household(sql, self._vault, found, self._office.policy, now)
        except NotFoundError:
            return None

        def rows() -> list[acts.Row]:
            signs = stream != "objection" or caller.name != "station"
            who = acting.actor(caller, act.fields["by"], now, signs=signs)
            return [{"no": new_no(prefix, now), **row(known, who)}]

        uid, state = acting.once(caller, act, f"{stream}/{found.uid}/{about}", stream, now, rows)
        recorded = {"no": self._number(uid), "state": state}
        return {**recorded, "explanation": self._office.explanation(caller, found.uid, None)}

    def duty_answer(self, caller: Caller, no: str, act: Act) -> Mapping[str, Any] | None:
        """A step of a duty by the unit whose it is."""
        acting, now, ask = self._acting, self._clock(), act.fields
        duty = find_duty(self._store, no, now)
        if duty is None or not sees(caller)(_item(duty)) or not self._near(caller, duty):
            return None

        def rows() -> list[acts.Row]:
            owner = str(duty["unit"]).removeprefix("head:")
            who = acting.actor(caller, ask["by"], now, signs=True, unit=SIGNS_FOR.get(owner, owner))
            heir = acting.member(ask["to"], now) if ask.get("to") else None
            if ask.get("to") and heir is None:
                raise acts.ActError("act.nameless")
            row = acts.duty_answer(duty, who, ask["status"], ask.get("outcome", ""), ask.get("to", ""))
            if heir is not None and heir.unit != who.unit:
                raise acts.ActError("act.foreign")
            return [row]

        uid, state = acting.once(caller, act, f"duty/{no}", "duty_answer", now, rows)
        stands = find_duty(self._store, no, self._clock()) or duty
        return {"no": self._number(uid), "state": state, "duty": _least(caller, stands)}

    def _number(self, uid: str) -> str | None:
        return next(iter(self._acting.numbers(uid)), None)


def sees(caller: Caller) -> Callable[[Item], bool]:
    """What of all that is owed a role may know: its unit's own; the coordinator all but what is private to a head."""
    name, unit = caller.name, unit_of(caller)
    if name == "exporter":
        return lambda item: True
    if name == "coordinator":
        return lambda item: not item.to.startswith("head:")
    if name == "station":
        return lambda item: item.to in STATION_UNITS
    wanted = {unit, name} if unit else set()  # a head's token is called as the post is: head:<unit>
    return lambda item: item.to in wanted


def _item(row: Mapping[str, Any]) -> Item:
    return Item(row["duty_no"], row["duty"], row["unit"], None, row["state"])


def _least(caller: Caller, row: Mapping[str, Any]) -> dict[str, Any]:
    """To a unit outside police, court, procuratorate and coordinator: a family of reasons, no rule and no record."""
    reader = READER_OF.get(caller.name, unit_of(caller))
    if caller.name in ("exporter", "coordinator") or (caller.name != "station" and reader in FULL_REASON):
        return dict(row)
    return {**row, "cause": {"rule": row["reason"], "unit": None, "stream": None, "key": None}, "records": []}
