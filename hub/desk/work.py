"""The hub's desk for work: today's queue, loads and duties as each role may know them, and what people do as records."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson

from hub.core import acts
from hub.core.errors import HubError
from hub.core.freight import Page
from hub.core.message import FULL_REASON
from hub.core.queue import Item
from hub.core.queue_words import why_here
from hub.custody import audit
from hub.custody.audit import Look
from hub.office import NO_HOUSEHOLDS, READER_OF, HubOffice, reaches
from hub.read.explain import explain_household
from hub.read.households import NotFoundError, find_household
from hub.read.reports import LIVING, duties, find_duty
from hub.read.workload import Asked, day, load_told, loads, names, told
from hub.runtime.station import station_page
from hub.security.vault import Vault
from hub.speech import speak
from hub.store import pages
from hub.store.engine import SqlStore
from hub.store.numbers import new_no
from hub.store.workers import WorkerView, worker
from hub.web.office import Act, Caller

APPLIED_SECONDS = 2.0
"""How long a decision waits to be judged before the answer is 202."""
STATION_UNITS = ("community_grid", "womens_federation")
"""Whose staff work at the station (policy 七: D1–D5 are theirs): what they owe is the station's work."""
SIGNS_FOR = {**READER_OF, "coordinator": "womens_federation"}
"""Role that is no unit's own → the unit whose workers may act by its token. A `station` token signs for nobody: two
signatures of two units must never come by one token."""


class HubWork:
    """``web/work.py``'s port. Reads are least data for the role; acts are rows of the station, by one set of rules."""

    def __init__(
        self,
        office: HubOffice,
        store: SqlStore,
        vault: Vault,
        land: Callable[[Page], str],
        clock: Callable[[], datetime],
    ) -> None:
        self._office = office
        self._store = store
        self._vault = vault
        self._land = land
        self._clock = clock

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
        self._look(caller, "workers.list", unit)
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
        self._look(caller, f"household.{stream}", household)
        now = self._clock()
        try:
            with self._store.read() as sql:
                found = find_household(sql, household)
                if caller.name in NO_HOUSEHOLDS or not reaches(caller, found.community):
                    return None
                known = explain_household(sql, self._vault, found, self._office.policy, now)
        except NotFoundError:
            return None
        page = _keyed(caller, act, f"{stream}/{found.uid}/{about}", station_page(stream, [], now))
        uid = self._earlier(page)
        if uid is None:
            who = self._actor(caller, act.fields["by"], now, signs=stream != "objection" or caller.name != "station")
            made = {"no": new_no(prefix, now), **row(known, who)}
            uid = self._land(_with_rows(page, station_page(stream, [made], now)))
        done = self._office.applied(uid, APPLIED_SECONDS)
        recorded = {"no": self._number(uid), "state": "applied" if done else "pending"}
        return {**recorded, "explanation": self._office.explanation(caller, found.uid, None)}

    def duty_answer(self, caller: Caller, no: str, act: Act) -> Mapping[str, Any] | None:
        """A step of a duty by the unit whose it is."""
        now, ask = self._clock(), act.fields
        duty = find_duty(self._store, no, now)
        if duty is None or not sees(caller)(_item(duty)) or not self._near(caller, duty):
            return None
        page = _keyed(caller, act, f"duty/{no}", station_page("duty_answer", [], now))
        uid = self._earlier(page)
        if uid is None:
            owner = str(duty["unit"]).removeprefix("head:")
            who = self._actor(caller, ask["by"], now, signs=True, unit=SIGNS_FOR.get(owner, owner))
            heir = self._member(ask["to"], now) if ask.get("to") else None
            if ask.get("to") and heir is None:
                raise acts.ActError("act.nameless")
            row = acts.duty_answer(duty, who, ask["status"], ask.get("outcome", ""), ask.get("to", ""))
            if heir is not None and heir.unit != who.unit:
                raise acts.ActError("act.foreign")
            uid = self._land(_with_rows(page, station_page("duty_answer", [row], now)))
        done = self._office.applied(uid, APPLIED_SECONDS)
        stands = find_duty(self._store, no, self._clock()) or duty
        return {"no": self._number(uid), "state": "applied" if done else "pending", "duty": _least(caller, stands)}

    def _actor(self, caller: Caller, by: str, now: datetime, *, signs: bool, unit: str = "") -> acts.Actor:
        """The worker named, of the token's own unit (and of ``unit``, whose duty it is). Raises ActError."""
        person = self._member(by, now)
        if person is None:
            raise acts.ActError("act.nameless")
        if signs and person.unit != (own := unit_of(caller)) and not (caller.name == "station" and person.unit == unit):
            raise acts.ActError("act.foreign", own)
        if unit and person.unit != unit:
            raise acts.ActError("act.foreign", unit)
        return acts.Actor(by, person.unit, now)

    def _member(self, no: str, now: datetime) -> WorkerView | None:
        with self._store.read() as sql:
            return worker(sql, no, now.date())

    def _earlier(self, page: Page) -> str | None:
        """The page of the same request, if it came before under its key. Raises HubError idempotency.conflict."""
        if page.idempotency_key is None:
            return None
        with self._store.read() as sql:
            earlier = pages.earlier_page(sql, page)
        if earlier is not None and earlier[1] != page.digest:
            raise HubError(
                "key used for another body", code="idempotency.conflict", remedy="use a new key for new content"
            )
        return earlier[0] if earlier is not None else None

    def _number(self, uid: str) -> str | None:
        with self._store.read() as sql:
            return pages.first_number(sql, uid)

    def _look(self, caller: Caller, act: str, subject: str) -> None:
        """On the audit chain before anything is read. Raises HubError: then nothing is shown."""
        seen = Look(caller.kind, caller.name, act, subject)
        audit.record(self._store, self._vault.mark_of, seen, self._clock(), self._office.settings.folder)


def unit_of(caller: Caller) -> str:
    """The unit whose people act by this token; "": nobody's."""
    if caller.name in SIGNS_FOR:
        return SIGNS_FOR[caller.name]
    kind, _, unit = caller.name.partition(":")
    return unit if kind in ("unit", "head") else ""


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


def _keyed(caller: Caller, act: Act, about: str, page: Page) -> Page:
    """The page under the request's key, by which a repeat is recognised. Keys of two callers never meet."""
    if act.key is None:
        return page
    scope = hashlib.sha256(orjson.dumps([caller.name, caller.communities, act.key])).hexdigest()
    content = orjson.dumps([about, dict(act.fields)], option=orjson.OPT_SORT_KEYS)
    return page._replace(idempotency_key=f"act-{scope}", digest=hashlib.sha256(content).hexdigest())


def _with_rows(keyed: Page, page: Page) -> Page:
    return page._replace(idempotency_key=keyed.idempotency_key, digest=keyed.digest)
