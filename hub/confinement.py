"""Which files each connector's process may use here, and where it cannot be kept to them: in plain words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

from hub.config.secret_files import SecretError, references
from hub.core.errors import ConfigurationError
from hub.runtime.reach import NO_LANDLOCK, Reach, places_of, unclosable
from hub.runtime.specs import source_spec, way_spec
from hub.settings import ConnectorConfig, Settings

NOT_HERE = (
    "connectors are not kept to their own files: this kernel has no Landlock (Linux 5.19 and later have it, where it is "
    "switched on), so a connector can read whatever the hub's account can read, keys and database too"
)


def reach_of(settings: Settings, config: ConnectorConfig | None) -> Reach:
    """What a connector's configuration names, and what it must not reach by it: the hub's own files."""
    reach = Reach(spared=tuple(_own(settings)))
    if config is None:
        return reach
    limits, options = settings.limits, config.config
    reach = reach.with_more(Reach(reads=config.reads))
    for stream in config.streams.values():
        for part in stream.partitions or ("",):
            with suppress(SecretError):  # read anew at every use; what it names then is added then
                reach = reach.with_more(places_of(source_spec(stream, limits, options, part=part)))
    for first in config.deliver.values():
        for way in (first, first.second):
            if way is not None:
                with suppress(SecretError):
                    reach = reach.with_more(places_of(way_spec(way, limits, options)))
    return reach


def _own(settings: Settings) -> Iterator[str]:
    yield str(settings.folder)
    yield from (str(settings.folder / name) for name in ("hub.toml", "connectors.d", "secrets", "spool"))
    if settings.database_url.startswith("sqlite:///"):
        yield settings.database_url.removeprefix("sqlite:///").partition("?")[0]
    yield from (ref.file for ref in references(settings) if ref.file)
    if folder := os.environ.get("CREDENTIALS_DIRECTORY"):
        yield folder


def open_connectors(settings: Settings) -> list[str]:
    """One sentence for each enabled connector that is not kept to its own files; one alone when none can be."""
    found = []
    for name, config in settings.connectors.items():
        why = unclosable(reach_of(settings, config)) if config.enabled else ""
        if why == NO_LANDLOCK:
            return [NOT_HERE]
        if why:
            found.append(
                f"{name} is not kept to its own files: it is given {why}, where files of the hub lie too; give it a "
                "folder of its own, or it can read whatever the hub's account can read"
            )
    return found


def require(settings: Settings) -> None:
    """Raises ConfigurationError where ``[connectors] confine = "require"`` cannot be kept."""
    found = open_connectors(settings) if settings.confine_required else []
    if found:
        raise ConfigurationError(
            f'{"; ".join(found)}; [connectors] confine = "require" of {settings.folder / "hub.toml"} does not allow that',
            code="confine.open",
            remedy='mend that, or take "require" away and trust the connectors installed here',
        )
