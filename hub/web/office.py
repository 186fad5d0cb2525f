"""What the web asks of the hub: one port, filled by ``bootstrap``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

from hub.core.freight import Answer, Page
from hub.security.signatures import Signature
from hub.settings import Limits


class Caller(NamedTuple):
    """Who asks: a connector by its push credential, or a role by a read token of hub.toml."""

    kind: str  # connector or role
    name: str  # connector's name, or the role: station, unit:<name>, coordinator, police_duty, it, exporter …
    communities: tuple[str, ...] = ()  # of a station role; empty: all
    acts: bool = False  # the token may also decide, object, answer: `acts = true`


class EdgeDesk(Protocol):
    """What the hub knows of edges: departments' own machines that sign their requests."""

    def recognise(self, signature: Signature) -> tuple[str, bytes]:
        """Connector and public key of a signature in time. Raises SignatureError: stale, unknown, revoked."""
        ...

    def take(self, signature: Signature) -> None:
        """Once only: remember the nonce of a checked signature. Raises SignatureError: replayed."""
        ...

    def join(self, code: str, public: bytes) -> Mapping[str, Any] | None:
        """Use up a one-time code for a public key; what the edge is told, None: no such code."""
        ...

    def told(self, key: str, connector: str, state: Mapping[str, Any]) -> None:
        """Keep an edge's own state."""
        ...

    def parcels(self, connector: str) -> list[dict[str, str]]:
        """Messages that this connector's unit fetches."""
        ...

    def answered(self, connector: str, message_no: str, answer: Answer) -> bool:
        """What a delivery gave; False: no such message waits for this connector."""
        ...


class Act(NamedTuple):
    """What somebody wants to do, as it came: fields by name, and the key under which it happens once at most."""

    fields: Mapping[str, Any]
    key: str | None = None


class WorkDesk(Protocol):
    """What people have to do and what they do. None: absent or forbidden. Raises ActError: against the rules."""

    def queue(self, caller: Caller, worker: str, unit: str, community: str) -> Mapping[str, Any]:
        """Today's work as far as the caller may know of it, in order, each place explained."""
        ...

    def workers(self, caller: Caller, unit: str) -> Iterable[Mapping[str, Any]]:
        """What every worker carries."""
        ...

    def duties(self, caller: Caller, *, overdue: bool) -> Iterable[Mapping[str, Any]]:
        """Open duties that the caller may know of."""
        ...

    def override(self, caller: Caller, household: str, act: Act) -> Mapping[str, Any] | None: ...

    def release(self, caller: Caller, household: str, act: Act) -> Mapping[str, Any] | None: ...

    def objection(self, caller: Caller, household: str, act: Act) -> Mapping[str, Any] | None: ...

    def objection_answer(self, caller: Caller, household: str, no: str, act: Act) -> Mapping[str, Any] | None: ...

    def duty_answer(self, caller: Caller, no: str, act: Act) -> Mapping[str, Any] | None: ...


class MeetingDesk(Protocol):
    """What the coordinator decides and looks at. None: absent or forbidden. Raises ActError: against the rules."""

    def review(self, caller: Caller, kind: str) -> Iterable[Mapping[str, Any]] | None:
        """Open items of the review list."""
        ...

    def decisions(self, caller: Caller) -> Iterable[Mapping[str, Any]] | None:
        """Rulings about who is meant that stand."""
        ...

    def rule(self, caller: Caller, ruling: str, subject: str, act: Act) -> Mapping[str, Any] | None:
        """Accept, reject, merge, split or undo: the numbers of what was ruled, and its state."""
        ...

    def month(self, caller: Caller, community: str, month: str, form: str, lang: str) -> tuple[str, bytes] | None:
        """(media type, content) of a community's month. Raises ValueError: no month that has begun."""
        ...

    def rates(self, caller: Caller) -> Iterable[Mapping[str, Any]]:
        """Override rates of the units that the caller may know of."""
        ...


class Office(Protocol):
    """The hub as the web sees it. Nothing here blocks longer than it says; reads are consistent snapshots."""

    @property
    def limits(self) -> Limits:
        """Bounds on what comes in."""
        ...

    def caller(self, token: str) -> Caller | None:
        """Whose credential this is (constant time, hashed at rest); None: unknown."""
        ...

    def is_off(self, connector: str) -> bool:
        """Whether the connector is installed here and switched off."""
        ...

    def takes(self, connector: str, stream: str) -> bool:
        """Whether an enabled connector of that name has this stream."""
        ...

    def strip(self, connector: str, stream: str, rows: Sequence[Any]) -> list[Any]:
        """The rows without the columns that must never be stored."""
        ...

    def land(self, page: Page) -> str:
        """Durable when it returns: the uid that stands. Raises HubError (idempotency.conflict, store.full …)."""
        ...

    def applied(self, uid: str, seconds: float) -> bool:
        """Waits at most ``seconds`` for the page to be applied."""
        ...

    def receipt(self, uid: str) -> Mapping[str, Any] | None:
        """The receipt as it stands now, with ``unit``; None: no such batch."""
        ...

    def compare(
        self, connector: str, stream: str, days: Sequence[tuple[date, int | None, Sequence[str] | None]]
    ) -> list[Mapping[str, Any]]:
        """Days as the department states them beside what the hub holds. Raises RetryError while its rows wait."""
        ...

    def readiness(self) -> Mapping[str, bool]:
        """Intake, schedule and outbox: which of them run."""
        ...

    def metrics(self) -> Mapping[str, float]:
        """Name (with labels in Prometheus text form) → value."""
        ...

    def households(self, caller: Caller, community: str | None, light: str | None) -> Iterable[Mapping[str, Any]]:
        """The light board's rows, as far as the caller's role and communities reach."""
        ...

    def household(self, caller: Caller, uid: str) -> Mapping[str, Any] | None: ...

    def explanation(
        self, caller: Caller, uid: str, as_of: datetime | None, known_at: datetime | None = None
    ) -> Mapping[str, Any] | None: ...

    def reports(self, caller: Caller, *, late: bool = False) -> Iterable[Mapping[str, Any]]: ...

    def notices(self, caller: Caller) -> Iterable[Mapping[str, Any]]:
        """Corrections that no receiver has acknowledged, as far as the caller may know of them."""
        ...

    def report(self, caller: Caller, number: str) -> Mapping[str, Any] | None: ...

    def acknowledge(self, caller: Caller, number: str, step: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Lands a step of the ladder; the report as it stands then, None: no such report (for this caller)."""
        ...

    def light_changes(self, caller: Caller, after: str, limit: int) -> Mapping[str, Any]:
        """``{"changes": […], "next"}`` after the change number ``after``."""
        ...

    def parcels(self, caller: Caller, after: str, limit: int) -> Mapping[str, Any]:
        """Messages addressed to the caller's unit, for those who read instead of being posted to."""
        ...
