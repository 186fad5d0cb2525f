"""Connectors: one unit's streams as tables, and the four verbs by which the hub speaks to them.

A connector is data. ``map_rows`` and ``render`` are pure; ``fetch`` and ``send`` are None unless no configured transport
fits. Mistakes in the tables are ConfigurationError when the connector is made, never at the first record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from threading import Event
from typing import Any, NamedTuple

import orjson

from hub.core.codes import CODES
from hub.core.errors import ConfigurationError
from hub.core.freight import Parcel
from hub.core.problems import remedy_of
from hub.core.records import Draft, Owed, Person, Problem
from hub.core.words import COMMON, KINDS, ROLES
from hub.sdk.fields import Columns, Field, fold, label, offered, rename_columns, unknown_names
from hub.sdk.manifest import Manifest, strip
from hub.sdk.outcome import Outcome
from hub.sdk.plan import ALIASES, Finish, Plan, compile_plan, encode_row
from hub.sdk.statements import Statements

Render = Callable[[Owed | None, Mapping[str, Any]], bytes]
"""What is owed and the message (contract: Messages) → the bytes that are stored once and sent."""

Pages = Iterator[tuple[list[dict[str, Any]], str | None]]
"""What a source gives: rows of a page, and the cursor that says we have them all (None: not yet)."""


class Context(NamedTuple):
    """What a source or a way out of a connector's own is given at each call, and all it is given."""

    config: Mapping[str, Any]  # ``[config]`` by the manifest's options; secrets already read, as text
    seconds: float  # how long one call to a peer may take
    stop: Event  # set when the hub wants the call to end: look at it between two pages
    partition: str = ""  # which part of the stream is asked for, where it is read in parts; each has its own cursor


Fetch = Callable[[str, str | None, Context], Pages]
"""(stream, cursor, context) → pages. Raises the classes of ``hub.sdk``; what was yielded before stays good."""

Reconcile = Callable[[str, str | None, Context], Statements]
"""(stream, cursor, context) → what the source can say of its whole days; ``cursor``: where reading stands."""

Send = Callable[[Parcel, Context], Outcome]
"""(parcel, context) → what the attempt gave. Sends ``parcel.body`` as it is under ``parcel.no``, raises nothing."""

PLANS = 1000
"""Sets of headers kept per connector. A source has a handful; one that varies its columns with every row starts afresh."""


class Drafts(list[Draft | Problem]):
    """One draft or problem per row, in order; ``dropped`` counts by header what may never be stored."""

    def __init__(self, entries: Sequence[Draft | Problem] = (), dropped: Mapping[str, int] | None = None) -> None:
        super().__init__(entries)
        self.dropped: dict[str, int] = dict(dropped or {})


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of record from one unit: its columns as a table and the kind of event it becomes.

    ``key`` names the English columns of the unit's own number, joined with ``/``. ``finish`` is a pure last word on a
    draft where a table does not suffice; it gets the row by English column. Raises ConfigurationError for a table
    that contradicts itself or the shared schema.
    """

    name: str
    title: str
    kind: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    finish: Finish | None = None
    own: Mapping[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "own", _own_names(self))
        _check(self)

    def unknown_names(self, renames: Mapping[str, str]) -> list[str]:
        """Left-hand sides of configured ``fields`` that name no column of this stream."""
        return unknown_names(self.own, renames)


@dataclass(frozen=True, kw_only=True)
class Connector:
    """One unit as the hub sees it. ``fetch``, ``reconcile`` and ``send`` None: the configured transport."""

    name: str
    unit: str
    streams: Mapping[str, Stream]
    manifest: Manifest
    renderers: Mapping[str, Render] = field(default_factory=dict)  # by message kind; absent: canonical JSON
    fetch: Fetch | None = None
    send: Send | None = None
    reconcile: Reconcile | None = None
    _plans: dict[Any, Plan] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for word, ours, theirs in (("name", self.name, self.manifest.name), ("unit", self.unit, self.manifest.unit)):
            if ours != theirs:
                raise ConfigurationError(f"Connector {self.name}: {word} is {ours}, its manifest says {theirs}.")
        if differing := self.streams.keys() ^ self.manifest.streams.keys():
            raise ConfigurationError(
                f"Connector {self.name}: streams only in the schema or only in the manifest: {', '.join(sorted(differing))}."
            )
        for name, stream in self.streams.items():
            if name != stream.name:
                raise ConfigurationError(f"Connector {self.name}: stream {stream.name} is listed as {name}.")

    def knows(self, stream: str, renames: Mapping[str, str] | None = None) -> Callable[[str], bool]:
        """Whether ``stream`` has a column under a header, by either of its names or by a rename: tells a file's header."""
        own = self.streams[stream].own
        columns = Columns(own, rename_columns(own, renames or {}))
        return lambda header: bool(columns.columns_of(header)[0])

    def key_columns(
        self, stream: str, renames: Mapping[str, str] | None = None
    ) -> Callable[[Sequence[str]], list[str]]:
        """Headers of a source → those that hold the key of ``stream``, in its order; empty: one of them is missing."""
        table = self.streams[stream]
        columns = Columns(table.own, rename_columns(table.own, renames or {}))

        def of(headers: Sequence[str]) -> list[str]:
            fed = {column: header for header in reversed(headers) for column in columns.columns_of(header)[0]}
            return [fed[part] for part in table.key] if set(table.key) <= fed.keys() else []

        return of

    def label(self, stream: str, renames: Mapping[str, str] | None = None) -> Callable[[str], str]:
        """How the unit calls a column or fact that a problem names: by its rename, its Chinese header, or as it is."""
        table = self.streams[stream]
        return label([(one.name, one.header, one.to) for one in table.fields], table.key, renames or {})

    def codes(self, stream: str) -> dict[str, str]:
        """Column and fact → the codes that the unit may send there, where the connector declares codes of its own."""
        found: dict[str, str] = {}
        for entry in self.streams[stream].fields:
            if entry.codes:
                fact = entry.to.partition(":")[2]
                form = KINDS[self.streams[stream].kind].facts.get(fact)
                told = offered(entry.codes, form.table if form else "")
                found |= {entry.name: told, fact: told}
        return found

    def map_rows(
        self, stream: str, rows: Sequence[Any], first_row: int = 0, renames: Mapping[str, str] | None = None
    ) -> Drafts:
        """Exactly one draft or problem per row, numbered from ``first_row``; bad data never raises.

        ``renames`` is our name (中文 or English) = the unit's header. Problems: ``row.invalid`` (no object),
        ``key.missing``, ``mapping.failed`` (the stream's own hook failed). Raises KeyError for a stream the connector does not have.
        """
        table, renames = self.streams[stream], renames or {}
        rows, dropped = strip(self.manifest.streams[stream], rows, renames)
        renamed_to = tuple(sorted(renames.items()))
        drafts: list[Draft | Problem] = []
        plan: Plan | None = None
        last: tuple[Any, ...] = ()
        for number, row in enumerate(rows, first_row):
            if type(row) is not dict and not isinstance(row, Mapping):
                drafts.append(_refused(row, number, "row.invalid"))
                continue
            headers = tuple(row)
            if plan is None or headers != last:
                plan, last = self._plan(table, renamed_to, headers), headers
            try:
                drafts.append(plan.draft(row, number))
            except Exception:
                drafts.append(_refused(row, number, "mapping.failed"))
        return Drafts(drafts, dropped)

    def render(self, owed: Owed | None, body: Mapping[str, Any]) -> bytes:
        """The message as the unit reads it; canonical JSON (sorted keys, UTF-8) unless the connector has its own form."""
        kind = str(body.get("type", "mandatory_report"))
        return self.renderers.get(kind, canonical_json)(owed, body)

    def _plan(self, table: Stream, renames: tuple[tuple[str, str], ...], headers: tuple[Any, ...]) -> Plan:
        known = (table.name, renames, headers)
        plan = self._plans.get(known)
        if plan is None:
            if len(self._plans) >= PLANS:
                self._plans.clear()
            columns = Columns(table.own, rename_columns(table.own, dict(renames)))
            plan = self._plans[known] = compile_plan(self.unit, table, columns, headers)
        return plan


PLACES = ("key", "updated_at", "deleted", "related", "drop", "finish")
"""Targets that are no fact, text or person."""


def canonical_json(owed: Owed | None, body: Mapping[str, Any]) -> bytes:
    """The message as JSON with sorted keys: the same message is the same bytes."""
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def _refused(row: object, number: int, code: str) -> Problem:
    return Problem(number, None, code, "", remedy_of(code), encode_row(row))


def _own_names(stream: Stream) -> dict[str, str]:
    names: dict[str, str] = {}
    for entry in stream.fields:
        for name in filter(None, (entry.name, entry.header)):
            if names.setdefault(fold(name), entry.name) != entry.name:
                raise ConfigurationError(f"Stream {stream.name}: header {name} stands for two columns.")
    return names


def _check(stream: Stream) -> None:
    if stream.kind not in KINDS:
        raise ConfigurationError(f"Stream {stream.name}: unknown kind {stream.kind}.")
    columns = {entry.name for entry in stream.fields}
    if not stream.key or not set(stream.key) <= columns:
        raise ConfigurationError(f"Stream {stream.name}: its key {'/'.join(stream.key)} is not among its columns.")
    wrong = [entry for entry in stream.fields if not _is_valid_target(stream.kind, entry.to)]
    if wrong:
        listed = "; ".join(
            f"column {entry.name} goes to {entry.to}, {_instead(stream.kind, entry.to)}" for entry in wrong
        )
        raise ConfigurationError(f"Stream {stream.name}: {listed}. docs/kinds.md lists what every kind has.")
    for entry in stream.fields:
        _check_codes(stream, entry)


def _check_codes(stream: Stream, entry: Field) -> None:
    """``codes`` names a table, or turns the unit's codes into words of the table that the kind's schema names."""
    where = f"Stream {stream.name}: column {entry.name}"
    if isinstance(entry.codes, str):
        if entry.codes and entry.codes not in CODES:
            raise ConfigurationError(f"{where} names no code table: {entry.codes}.")
        return
    declared = KINDS[stream.kind].facts.get(entry.to.removeprefix("fact:"))
    valid = [word for _, _, word in CODES[declared.table]] if declared and declared.table in CODES else []
    if wrong := sorted(set(entry.codes.values()) - set(valid)):
        raise ConfigurationError(
            f"{where}: expected words of {', '.join(valid) or 'a code table'}, found {', '.join(wrong)}."
        )


def _is_valid_target(kind: str, target: str) -> bool:
    if target in PLACES:
        return True
    what, _, name = target.partition(":")
    if what == "fact":
        return name in KINDS[kind].facts or name in COMMON
    if what == "text":
        return name in KINDS[kind].texts
    role, _, attribute = name.partition(".")
    return what == "person" and role in ROLES and (attribute in Person._fields[1:] or attribute in ALIASES)


def _instead(kind: str, target: str) -> str:
    """What a wrong target could have been: the nearest name, or all of its sort."""
    what = target.partition(":")[0]
    valid = [f"fact:{fact}" for fact in (*KINDS[kind].facts, *COMMON)] if what == "fact" else list(PLACES)
    if what == "text":
        valid = [f"text:{text}" for text in KINDS[kind].texts]
    elif what == "person":
        valid = [f"person:{role}.{one}" for role in ROLES for one in Person._fields[1:]]
    near = get_close_matches(target, valid, 1, 0.7)
    if near or what == "person":
        return f"which does not exist; did you mean {near[0]}?" if near else f"expected a role of {', '.join(ROLES)}"
    return f"which {kind} does not have; it has {', '.join(one.partition(':')[2] or one for one in valid) or 'none'}"
