"""The hub as its web face sees it: `web/office.py`'s port, with least data for each role. Default deny."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import orjson

from hub.config.secret_files import SecretError, read_secret
from hub.core.acts import ActError
from hub.core.errors import RetryError
from hub.core.explain import withhold
from hub.core.freight import Page
from hub.core.ladder import STEPS, step_of
from hub.core.message import light_change
from hub.core.policy import Policy
from hub.core.records import Light, StreamKey
from hub.custody import audit
from hub.custody.audit import Look
from hub.line.reconcile import Stated, compare_stated
from hub.read.days import told_day
from hub.read.explain import explain_household
from hub.read.households import NotFoundError, find_household, list_households, show_household
from hub.read.notices import open_notices
from hub.read.reports import find_report, reports
from hub.runtime.applied import Applied
from hub.runtime.station import station_page
from hub.sdk.manifest import Manifest, strip
from hub.security.credentials import find_token
from hub.security.vault import Vault
from hub.settings import Limits, ReconcileConfig, Settings, is_role
from hub.store import feeds, ledger, pages
from hub.store.engine import SqlStore
from hub.store.reconciled import newest_page
from hub.store.times import to_us
from hub.web.office import Caller

MOST_NAMED = 2_000
"""Missing keys that an answer names of one day."""
SECRETS_SECONDS = 2.0
"""How long a read credential is remembered: a revoked one is refused within 5 s on every node."""
ACKNOWLEDGED_SECONDS = 2.0

STEP_FIELDS = ("step", "at", "by", "receipt_no", "note", "until")
"""What an acknowledgement may say, each as text."""
NO_HOUSEHOLDS = frozenset({"auditor", "it"})
"""Roles that see no person and so no household."""
SEES_CATEGORY = frozenset({"coordinator", "police_duty", "prosecutor", "exporter"})
"""Roles that need to know of a girl victim (section 6)."""
SEES_IDENTITY = frozenset({"coordinator", "police_duty", "prosecutor", "exporter"})
ALL_REPORTS = frozenset({"police_duty", "coordinator", "exporter"})
READER_OF = {"police_duty": "police", "prosecutor": "procuratorate"}
"""Role → the unit whose knowledge of reasons it shares."""


Worded = Callable[[str, str, Mapping[str, str], Mapping[str, Any]], dict[str, Any]]
"""(connector, stream, renamed columns, receipt) → the receipt with the department's own headers and codes."""


def as_it_is(_name: str, _stream: str, _renames: Mapping[str, str], receipt: Mapping[str, Any]) -> dict[str, Any]:
    """A receipt in the schema's words alone."""
    return dict(receipt)


class HubOffice:
    """One hub's office. ``land`` makes a page durable; ``worded`` says a receipt in a department's own words."""

    def __init__(
        self,
        settings: Settings,
        manifests: Mapping[str, Manifest],
        store: SqlStore,
        vault: Vault,
        policy: Policy,
        land: Callable[[Page], str],
        readiness: Callable[[], Mapping[str, bool]],
        clock: Callable[[], datetime],
        applied: Applied | None = None,
        worded: Worded = as_it_is,
    ) -> None:
        self.settings = settings
        self._manifests = manifests
        self._store = store
        self._vault = vault
        self.policy = policy
        self._land = land
        self._readiness = readiness
        self._clock = clock
        self._applied = applied or Applied(store)
        self._worded = worded
        self._known: tuple[float, list[Caller], list[str]] = (-SECRETS_SECONDS, [], [])

    def renew(self, settings: Settings, policy: Policy, manifests: Mapping[str, Manifest]) -> None:
        """What a reload put in force."""
        self.settings, self.policy, self._manifests = settings, policy, manifests
        self._known = (-SECRETS_SECONDS, [], [])

    @property
    def limits(self) -> Limits:
        """Bounds on what comes in."""
        return self.settings.limits

    # --- who asks

    def caller(self, token: str) -> Caller | None:
        """Whose credential this is; every known one is compared, in constant time."""
        read_at, callers, kept = self._known
        if time.monotonic() - read_at >= SECRETS_SECONDS:
            callers, kept = self._credentials()
            self._known = (time.monotonic(), callers, kept)
        found = find_token(token, kept)
        return None if found is None else callers[found]

    def _credentials(self) -> tuple[list[Caller], list[str]]:
        callers, kept = [], []
        for name, config in self.settings.connectors.items():
            if config.push_token is not None:
                try:
                    kept.append(read_secret(config.push_token).decode().strip())
                    callers.append(Caller("connector", name))
                except SecretError:
                    continue  # `hub check` says so; nobody comes in by it
        for row in self.settings.tokens:
            if row.get("hash") and is_role(row.get("role", "")):
                kept.append(row["hash"] if ":" in row["hash"] else f"sha256:{row['hash'].lower()}")
                communities = tuple(filter(None, row.get("communities", "").split(",")))
                callers.append(Caller("role", row["role"], communities, bool(row.get("acts"))))
        return callers, kept

    # --- departments

    def is_off(self, connector: str) -> bool:
        """Whether the connector is configured here and switched off: its unit may send again later."""
        config = self.settings.connectors.get(connector)
        return config is not None and not config.enabled

    def takes(self, connector: str, stream: str) -> bool:
        """Whether an enabled connector of that name has this stream."""
        config, manifest = self.settings.connectors.get(connector), self._manifests.get(connector)
        return bool(config and config.enabled and manifest and stream in manifest.streams)

    def strip(self, connector: str, stream: str, rows: Sequence[Any]) -> list[Any]:
        """The rows without what must never be stored."""
        config = self.settings.connectors[connector].streams.get(stream)
        return strip(self._manifests[connector].streams[stream], rows, config.fields if config else {})[0]

    def land(self, page: Page) -> str:
        """Durable when it returns; the stream is named by its unit."""
        manifest = self._manifests.get(page.stream.unit)
        unit = manifest.unit if manifest else page.stream.unit
        return self._land(page._replace(stream=StreamKey(unit, page.stream.stream)))

    def applied(self, uid: str, seconds: float) -> bool:
        """Waits at most ``seconds`` for the page to be applied."""
        return self._applied.wait(uid, seconds)

    def receipt(self, uid: str) -> Mapping[str, Any] | None:
        """The receipt as it stands now, with its connector as ``unit``, in its department's own words."""
        with self._store.read() as sql:
            found, stream = pages.receipt(sql, uid), feeds.page_stream(sql, uid)
        if found is None or stream is None:
            return None
        name = next((name for name, manifest in self._manifests.items() if manifest.unit == stream.unit), "")
        if not name:
            return found
        config = self.settings.connectors.get(name)
        told = config.streams.get(stream.stream) if config else None
        return {**self._worded(name, stream.stream, told.fields if told else {}, found), "unit": name}

    def compare(
        self, connector: str, stream: str, days: Sequence[tuple[date, int | None, Sequence[str] | None]]
    ) -> list[Mapping[str, Any]]:
        """Days as a department states them beside what the hub holds; what it sent is applied first, or it is RetryError."""
        key = StreamKey(self._manifests[connector].unit, stream)
        config = self.settings.connectors[connector].streams.get(stream)
        by = config.reconcile.by if config and config.reconcile else ReconcileConfig.by
        with self._store.read() as sql:
            uid = newest_page(sql, key)
        if uid is not None and not self.applied(uid, self.limits.push_wait):
            raise RetryError("what the stream sent is not applied yet", code="reconcile.pending")
        told = compare_stated(self._store, key, by, [Stated(*day) for day in days], self._clock())
        return [{**told_day(view), "missing_keys": keys[:MOST_NAMED]} for view, keys in told]

    def parcels(self, caller: Caller, after: str, limit: int) -> Mapping[str, Any]:
        """Messages addressed to the caller's unit, oldest first."""
        manifest = self._manifests.get(caller.name) if caller.kind == "connector" else None
        unit = manifest.unit if manifest else caller.name.removeprefix("unit:") if "unit:" in caller.name else ""
        if not unit:
            return {"parcels": [], "next": after}
        with self._store.read() as sql:
            found = feeds.messages_to(sql, unit, after, limit)
        told = [
            {
                "message_no": message.no,
                "kind": message.kind,
                "state": message.state,
                "created_at": message.created_at.isoformat(),
                "message": orjson.loads(self._vault.open_blob(message.no, message.body)),
            }
            for message in found
        ]
        return {"parcels": told, "next": found[-1].no if found else after}

    # --- people

    def households(self, caller: Caller, community: str | None, light: str | None) -> Iterable[Mapping[str, Any]]:
        """Living households of the caller's communities."""
        if caller.name in NO_HOUSEHOLDS or (light is not None and light not in Light.__members__):
            return []
        wanted = Light[light] if light else None
        return [
            self._seen(caller, row)
            for row in list_households(self._store, community=community, light=wanted)
            if reaches(caller, row["community"])
        ]

    def household(self, caller: Caller, uid: str) -> Mapping[str, Any] | None:
        """One household as far as the caller may see it."""
        if caller.name in NO_HOUSEHOLDS:
            return None
        self._look(caller, "household.show", uid)
        try:
            with self._store.read() as sql:
                told = show_household(sql, self._vault, find_household(sql, uid))
        except NotFoundError:
            return None
        if not reaches(caller, told["community"]):
            return None
        if caller.name not in SEES_IDENTITY:
            told["members"] = [{**member, "id_number": None} for member in told["members"]]
        if caller.name not in SEES_IDENTITY and caller.name != "station":
            told["events"] = []
        return self._seen(caller, told)

    def explanation(
        self, caller: Caller, uid: str, as_of: datetime | None, known_at: datetime | None = None
    ) -> Mapping[str, Any] | None:
        """Why, with what this caller may know of it."""
        if caller.name in NO_HOUSEHOLDS:
            return None
        self._look(caller, "household.explain", uid)
        try:
            with self._store.read() as sql:
                found = find_household(sql, uid)
                if not reaches(caller, found.community):
                    return None
                moment = as_of or known_at or self._clock()
                told = explain_household(sql, self._vault, found, self.policy, moment, known_at)
        except NotFoundError:
            return None
        return self._seen(caller, told)

    def _look(self, caller: Caller, act: str, subject: str) -> None:
        """On the audit chain before anything is read. Raises HubError: then nothing is shown."""
        seen = Look(caller.kind, caller.name, act, subject)
        audit.record(self._store, self._vault.mark_of, seen, self._clock(), self.settings.folder)

    def _seen(self, caller: Caller, told: Mapping[str, Any]) -> dict[str, Any]:
        """Reasons by role; `girl_victim` only for those who need it."""
        reader = READER_OF.get(caller.name, caller.name.removeprefix("unit:"))
        seen = withhold(told, reader)
        if caller.name not in SEES_CATEGORY and "categories" in seen:
            seen["categories"] = [row for row in seen["categories"] if row["category"] != "girl_victim"]
        return seen

    def reports(self, caller: Caller, *, late: bool = False) -> Iterable[Mapping[str, Any]]:
        """Reports the caller may know of; ``late``: only those with a step that is late."""
        self._look(caller, "report.list", "")
        told = self._told(caller)
        found = (row for row in reports(self._store, self._vault) if row["late"] or not late)
        return [seen for row in found if (seen := self._report(caller, row, told))]

    def notices(self, caller: Caller) -> Iterable[Mapping[str, Any]]:
        """The open list of corrections: all for those who see every report, else those to the caller's own unit."""
        self._look(caller, "notice.list", "")
        unit = caller.name.removeprefix("unit:").removeprefix("head:")
        every = caller.name in ALL_REPORTS
        return [row for row in open_notices(self._store, self._vault, self._clock()) if every or row["to"] == unit]

    def report(self, caller: Caller, number: str) -> Mapping[str, Any] | None:
        """One report; None when it does not exist or is not the caller's."""
        self._look(caller, "report.show", number)
        found = find_report(self._store, self._vault, number)
        return None if found is None else self._report(caller, found, self._told(caller))

    def _told(self, caller: Caller) -> set[str]:
        """Reports the procuratorate was told of by the ladder."""
        if caller.name not in ("prosecutor", "unit:procuratorate"):
            return set()
        with self._store.read() as sql:
            return feeds.told_to(sql, "procuratorate")

    def _report(self, caller: Caller, row: Mapping[str, Any], told: set[str]) -> dict[str, Any] | None:
        """The whole report, a shorter one for the station, or None (section 5: three secrets)."""
        own = caller.name in ALL_REPORTS or row["report_no"] in told
        unit = caller.name.removeprefix("unit:").removeprefix("head:")
        if own or unit in ("police", row.get("reporting_unit")):
            return dict(row)
        if caller.name != "station" or not self._is_near(caller, row.get("household")):
            return None
        return {key: row.get(key) for key in ("report_no", "household", "urgency", "created_at", "step", "due")}

    def _is_near(self, caller: Caller, household: object) -> bool:
        if not isinstance(household, str):
            return False
        with self._store.read() as sql:
            try:
                return reaches(caller, find_household(sql, household).community)
            except NotFoundError:
                return False

    def acknowledge(self, caller: Caller, number: str, step: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Land a step of the ladder: the police any, the reporting unit that it has the answer.

        Raises ActError: no such step, or the record that it makes is refused.
        """
        said = {name: step[name] for name in STEP_FIELDS if step.get(name) not in (None, "")}
        word = step_of(str(said.get("step")))
        if word is None or not all(isinstance(value, str) for value in said.values()):
            raise ActError("act.step", remedy=f"name one of {', '.join(STEPS)}; every item is a text")
        found = find_report(self._store, self._vault, number)
        if found is None or not _may_acknowledge(caller, word, found.get("reporting_unit")):
            return None
        now = self._clock()
        row = {"at": now.isoformat(), **said, "report_no": number, "step": word}
        row["by"] = str(said.get("by") or caller.name)[:64]
        uid = self._land(station_page("report_feedback", [row], now))
        self._applied.wait(uid, ACKNOWLEDGED_SECONDS)
        with self._store.read() as sql:
            receipt = pages.receipt(sql, uid) or {}
        if receipt.get("quarantined"):
            line = receipt["rows"][0]
            raise ActError("act.feedback", remedy=f"correct {line['field']} ({line['code']}), and send it again")
        return find_report(self._store, self._vault, number)

    def light_changes(self, caller: Caller, after: str, limit: int) -> Mapping[str, Any]:
        """The change feed for the grid platform; roles see their communities."""
        if (caller.kind == "connector" and caller.name != "community_grid") or caller.name in NO_HOUSEHOLDS:
            return {"changes": [], "next": after}
        with self._store.read() as sql:
            found = feeds.light_changes(sql, after, limit, caller.communities)
        changes = [
            light_change(c.no, c.registered, c.household, c.community, c.light.name, c.was.name, c.since, c.reason)
            for c in found
        ]
        return {"changes": changes, "next": found[-1].no if found else after}

    # --- the process

    def readiness(self) -> Mapping[str, bool]:
        """Intake, schedule and outbox: which of them run."""
        return self._readiness()

    def metrics(self) -> Mapping[str, float]:
        """Counts only: no household, no unit's content."""
        with self._store.read() as sql:
            found = {f"hub_records_{name}": float(n) for name, n in pages.accounting(sql).items()}
            found |= {f'hub_parcels{{state="{state}"}}': float(n) for state, n in ledger.outbox(sql).items()}
            found["hub_issues_open"] = float(len(ledger.issues(sql)))
            owed = (("reports", ledger.open_reports(sql)), ("duties", ledger.open_duties(sql, to_us(self._clock()))))
            for name, (now_open, overdue) in owed:
                found |= {f"hub_{name}_open": float(now_open), f"hub_{name}_overdue": float(overdue)}
        return found


def reaches(caller: Caller, community: str | None) -> bool:
    """Whether a household of this community is the caller's; no list of communities means all."""
    return not caller.communities or community in caller.communities


def _may_acknowledge(caller: Caller, step: str, reporting_unit: object) -> bool:
    if caller.name in ("police", "police_duty", "unit:police"):
        return True
    unit = caller.name.removeprefix("unit:")
    return step == "answered" and unit in (reporting_unit, "coordinator")
