"""What people do over HTTP, the part that every act shares: who it is, seen and signed; once by its key; landed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime

import orjson

from hub.core import acts
from hub.core.errors import HubError
from hub.core.freight import Page
from hub.custody import audit
from hub.custody.audit import Look
from hub.office import READER_OF, HubOffice
from hub.runtime.station import station_page
from hub.security.vault import Vault
from hub.store import pages
from hub.store.engine import SqlStore
from hub.store.workers import WorkerView, worker
from hub.web.office import Act, Caller

APPLIED_SECONDS = 2.0
"""How long a decision waits to be judged before the answer is 202."""
SIGNS_FOR = {**READER_OF, "coordinator": "womens_federation"}
"""Role that is no unit's own → the unit whose workers may act by its token. A `station` token signs for nobody: two
signatures of two units must never come by one token."""


class Acting:
    """The hub as acts need it. ``land`` makes a page durable."""

    def __init__(
        self,
        office: HubOffice,
        store: SqlStore,
        vault: Vault,
        land: Callable[[Page], str],
        clock: Callable[[], datetime],
    ) -> None:
        self.office = office
        self.store = store
        self.vault = vault
        self.clock = clock
        self._land = land

    def actor(self, caller: Caller, by: str, now: datetime, *, signs: bool, unit: str = "") -> acts.Actor:
        """The worker named, of the token's own unit (and of ``unit``, whose duty it is). Raises ActError."""
        person = self.member(by, now)
        if person is None:
            raise acts.ActError("act.nameless")
        if signs and person.unit != (own := unit_of(caller)) and not (caller.name == "station" and person.unit == unit):
            raise acts.ActError("act.foreign", own)
        if unit and person.unit != unit:
            raise acts.ActError("act.foreign", unit)
        return acts.Actor(by, person.unit, now)

    def member(self, no: str, now: datetime) -> WorkerView | None:
        """A worker of the team by number; None: nobody, today."""
        with self.store.read() as sql:
            return worker(sql, no, now.date())

    def look(self, caller: Caller, act: str, subject: str) -> None:
        """On the audit chain before anything is read. Raises HubError: then nothing is shown."""
        seen = Look(caller.kind, caller.name, act, subject)
        audit.record(self.store, self.vault.mark_of, seen, self.clock(), self.office.settings.folder)

    def once(
        self, caller: Caller, act: Act, about: str, stream: str, now: datetime, rows: Callable[[], list[acts.Row]]
    ) -> tuple[str, str]:
        """(page, state) of an act: landed, or the page of the same request that came before under its key.

        ``rows`` are asked for only when it did not come before. State: applied or pending. Raises HubError
        idempotency.conflict, and what ``rows`` raises.
        """
        key = _keyed(caller, act, about, station_page(stream, [], now))
        uid = self._earlier(key)
        if uid is None:
            page = station_page(stream, rows(), now)
            uid = self._land(page._replace(idempotency_key=key.idempotency_key, digest=key.digest))
        return uid, "applied" if self.office.applied(uid, APPLIED_SECONDS) else "pending"

    def numbers(self, uid: str) -> list[str]:
        """The numbers under which an act stands, once it is applied."""
        with self.store.read() as sql:
            return pages.numbers(sql, uid)

    def _earlier(self, page: Page) -> str | None:
        """The page of the same request, if it came before under its key. Raises HubError idempotency.conflict."""
        if page.idempotency_key is None:
            return None
        with self.store.read() as sql:
            earlier = pages.earlier_page(sql, page)
        if earlier is not None and earlier[1] != page.digest:
            raise HubError(
                "key used for another body", code="idempotency.conflict", remedy="use a new key for new content"
            )
        return earlier[0] if earlier is not None else None


def unit_of(caller: Caller) -> str:
    """The unit whose people act by this token; "": nobody's."""
    if caller.name in SIGNS_FOR:
        return SIGNS_FOR[caller.name]
    kind, _, unit = caller.name.partition(":")
    return unit if kind in ("unit", "head") else ""


def _keyed(caller: Caller, act: Act, about: str, page: Page) -> Page:
    """The page under the request's key, by which a repeat is recognised. Keys of two callers never meet."""
    if act.key is None:
        return page
    scope = hashlib.sha256(orjson.dumps([caller.name, caller.communities, act.key])).hexdigest()
    content = orjson.dumps([about, _fields(act)], option=orjson.OPT_SORT_KEYS)
    return page._replace(idempotency_key=f"act-{scope}", digest=hashlib.sha256(content).hexdigest())


def _fields(act: Act) -> Mapping[str, str]:
    return dict(act.fields)
