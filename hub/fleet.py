"""The installed connectors as this hub uses them: manifests as data, and how the process of each is started."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from hub.config.receivers import Stream
from hub.confinement import reach_of
from hub.core.errors import ConfigurationError, HubError
from hub.core.unmap import Table
from hub.read.connectors import Installed as Promised
from hub.runtime.local_socket import ask, is_served
from hub.runtime.plugins import Manifests, read_manifests
from hub.runtime.reach import Reach
from hub.runtime.service import SOCKET, now
from hub.runtime.supervisor import Bounds, ChildSpec, Described, Pace, Supervisor, refused
from hub.runtime.unit_worker import UnitWorker, promise_of
from hub.sdk.fields import fold, label
from hub.sdk.manifest import Manifest, find_manifest
from hub.sdk.receipts import in_own_words, with_columns
from hub.settings import ConnectorConfig, Installed, Limits, Settings
from hub.speech import name_units
from hub.store.numbers import new_uid


@lru_cache(maxsize=1)
def _found() -> Manifests:
    found = read_manifests()
    name_units(titles_of(found.manifests.values()))
    return found


def titles_of(manifests: Iterable[Manifest]) -> dict[str, str]:
    """Unit or stream → its title. A stream that two connectors title differently has none."""
    titles: dict[str, set[str]] = {}
    for manifest in manifests:
        titles.setdefault(manifest.unit, set()).add(manifest.title)
        for stream in manifest.streams.values():
            titles.setdefault(stream.name, set()).add(stream.title)
    return {name: title for name, (title, *others) in titles.items() if not others and title.isprintable()}


def manifests() -> Mapping[str, Manifest]:
    """Connector name → manifest, of every installed connector that can be read; no connector's code runs."""
    return _found().manifests


def look_again() -> None:
    """Read manifests anew at the next need: packages may have been installed or updated."""
    _found.cache_clear()
    described.cache_clear()


def refused_connectors() -> Mapping[str, str]:
    """Connectors whose manifest cannot be read, and why; the others go on."""
    return _found().refused


@lru_cache(maxsize=64)
def described(name: str) -> Described:
    """What a connector says of itself once loaded, in a process of its own. Raises ConfigurationError: refused."""
    asked = Supervisor(child_spec(name))
    try:
        return asked.start()
    finally:
        asked.close()


def child_spec(name: str, config: ConnectorConfig | None = None, settings: Settings | None = None) -> ChildSpec:
    """How the process of an installed connector is started, in ``settings``; without, to be asked what it is.

    Raises ConfigurationError when none is installed.
    """
    manifest = manifests().get(name)
    if manifest is None:
        raise refused(name, _found().refused.get(name, "it is not installed"))
    entry = _found().entries[name]
    package = find_manifest(entry.partition(":")[0]).parent
    spec = ChildSpec(
        name=name,
        entry=entry,
        unit=manifest.unit,
        known=_words_of(manifest, config),
        reach=Reach(reads=(str(package),)),
    )
    if settings is None:
        return spec
    return replace(
        spec,
        bounds=bounds_of(settings.limits),
        reach=spec.reach.with_more(reach_of(settings, config)),
        authorities=settings.authorities,
        required=settings.confine_required,
    )


def bounds_of(limits: Limits) -> Bounds:
    """What a connector's process may take, from ``[limits]``."""
    return Bounds(
        memory=limits.connector_bytes,
        frame=4 * max(limits.peer_bytes, limits.body_bytes),
        load=limits.connector_load,
        page=limits.connector_page or 3 * limits.peer_seconds + 20,
        map=limits.connector_map,
        render=limits.connector_map,
        send=1.25 * limits.peer_seconds,
    )


def _words_of(manifest: Manifest, config: ConnectorConfig | None) -> frozenset[str]:
    """Names a connector's messages may hold beside plain characters: its titles, and headers as configured."""
    words = {manifest.title, *(stream.title for stream in manifest.streams.values())}
    for stream in config.streams.values() if config is not None else ():
        words.update((stream.cursor_field, *stream.fields, *stream.fields.values()))
    return frozenset(words)


def streams(settings: Settings | None = None) -> list[Stream]:
    """Every stream of every installed connector; of ``settings``: of those it switches on.

    What kind of record a stream sends stands in its manifest; where it does not, the connector is asked.
    """
    return [
        Stream(name, manifest.unit, stream, kind_of(name, stream))
        for name, manifest in manifests().items()
        if settings is None or (name in settings.connectors and settings.connectors[name].enabled)
        for stream in manifest.streams
    ]


def kind_of(name: str, stream: str) -> str:
    """What kind of record a stream sends; empty when neither manifest nor connector says so."""
    declared = manifests()[name].streams[stream].kind
    if declared:
        return declared
    try:
        return str(described(name).streams[stream]["kind"])
    except (ConfigurationError, KeyError):
        return ""


def connector_of(unit: str) -> str:
    """The installed connector of a unit; "": none."""
    return next((name for name, manifest in manifests().items() if manifest.unit == unit), "")


def table_of(unit: str, stream: str) -> Table | None:
    """The columns of a unit's stream, as its connector describes them; None: no connector has it."""
    name = connector_of(unit)
    return Table.of(described(name).streams[stream]) if name and stream in manifests()[name].streams else None


def worded(name: str, stream: str, renames: Mapping[str, str], receipt: Mapping[str, Any]) -> dict[str, Any]:
    """A receipt as its department reads it: its own headers (``column``), and its own codes where one is unknown.

    As it was where no row names a field, or where the connector cannot be asked.
    """
    if not any(row.get("field") for row in receipt["rows"]):
        return dict(receipt)
    try:
        told = described(name).streams[stream]
    except (ConfigurationError, KeyError):
        return dict(receipt)
    names = label(told["headers"], told["key"], renames)
    return with_columns(in_own_words(receipt, told["codes"]), names)


REPORTER_WORDS = ("报警人", "报案人", "举报人", "报告人", "reporter")
"""A column that is called so is one of the reporter's, also where no table of ours names it."""


def tells_the_reporter(settings: Settings, unit: str, stream: str) -> Callable[[str], bool]:
    """Whether a column of a unit's stream says who reported: shown to nobody but the police."""
    name = connector_of(unit)
    try:
        told = described(name).streams[stream]["headers"]
    except (ConfigurationError, KeyError):
        told = ()
    ours = {fold(word) for column, header, to in told if to.startswith("person:reporter.") for word in (column, header)}
    config = settings.connectors.get(name)
    renamed = config.streams[stream].fields if config and stream in config.streams else {}
    theirs = {fold(header) for own, header in renamed.items() if fold(own) in ours}

    def tells(column: str) -> bool:
        folded = fold(column)
        return folded in ours or folded in theirs or any(word in folded for word in REPORTER_WORDS)

    return tells


def nearest_column(names: Sequence[str], name: str) -> str:
    """The column of a stream that a misspelt name comes nearest to, or nothing."""
    return next(iter(difflib.get_close_matches(name, names, 1, 0.5)), "")


def installed(found: Mapping[str, Manifest]) -> dict[str, Installed]:
    """What the configuration is read against."""
    return {
        name: Installed(
            tuple(manifest.streams),
            tuple(manifest.receives),
            {option.name: option.kind for option in manifest.config.values()},
            tuple(option.name for option in manifest.config.values() if option.required),
        )
        for name, manifest in found.items()
    }


def make_worker(settings: Settings, config: ConnectorConfig, *, start: bool = False) -> UnitWorker:
    """The worker of one connector; its process starts when first needed, or now.

    Raises ConfigurationError when it is not installed, or (``start``) cannot be loaded.
    """
    spec = child_spec(config.name, config, settings)
    base, longest = settings.retry_base.total_seconds(), settings.retry_max.total_seconds()
    hands = Supervisor(spec, Pace(base, longest, window=6 * longest + 60.0, hold=3 * longest))
    if start:
        try:
            hands.start()
        except HubError:
            hands.close()
            raise
    return UnitWorker(
        manifests()[config.name], config, settings.limits, hands, clock=now, new_uid=new_uid, pace=(base, longest)
    )


def processes(settings: Settings) -> dict[str, Any] | None:
    """The connectors' processes as the daemon of this folder sees them; None: no daemon answers."""
    if not daemon_answers(settings):
        return None
    try:
        found: dict[str, Any] = ask(settings.folder / SOCKET, "states", seconds=5.0)["connectors"]
    except HubError:
        return {}
    return found


def promised(settings: Settings) -> dict[str, Promised]:
    """Every installed connector, with how long each of its streams may be silent here (`promise_of`)."""
    told = {}
    for name, manifest in manifests().items():
        config = settings.connectors.get(name)
        told[name] = Promised(
            manifest.unit,
            {
                stream: promise_of(config.streams.get(stream) if config else None, declared)
                for stream, declared in manifest.streams.items()
            },
        )
    return told


def daemon_answers(settings: Settings) -> bool:
    """Whether a daemon of this folder runs."""
    return is_served(settings.folder / SOCKET)
