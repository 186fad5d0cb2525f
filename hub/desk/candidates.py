"""Shadow mode put together: a candidate version of a connector's mapping, and what it would change."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from hub import bootstrap
from hub.config import configuration
from hub.core.errors import HubError
from hub.runtime import rehearsal
from hub.runtime.again import Tell
from hub.runtime.plugins import candidate_package
from hub.runtime.rehearsal import private_folder
from hub.runtime.supervisor import Supervisor, refused
from hub.runtime.unit_worker import UnitWorker
from hub.sdk.manifest import read_manifest
from hub.settings import ConnectorConfig
from hub.store.numbers import new_uid
from hub.store.originals import raw_pages
from hub.store.picture import Picture, homes_of_keys


def candidate_worker(hub: bootstrap.Hub, name: str, candidate: Path) -> UnitWorker:
    """The worker a connector would have, started: by another configuration file, or by another version of its package.

    ``candidate``: a TOML file like ``connectors.d/NAME.toml``; or a folder from which its package can be imported, or the
    package's own. Raises ConfigurationError.
    """
    limits = hub.settings.limits
    config = hub.settings.connectors.get(name) or ConnectorConfig(name=name, enabled=True, path=candidate)
    manifest, spec = bootstrap.manifests()[name], bootstrap.child_spec(name, config, hub.settings)
    if candidate.suffix == ".toml":
        config = configuration.read_candidate(
            candidate, name, hub.settings.folder, bootstrap.installed(bootstrap.manifests())
        )
        spec = bootstrap.child_spec(name, config, hub.settings)
    else:
        root, found = candidate_package(candidate, spec.entry)
        manifest, spec = read_manifest(found), replace(spec, paths=(str(root),))
        if (manifest.name, manifest.unit) != (name, spec.unit):
            raise refused(name, f"the candidate's manifest is {manifest.name} of unit {manifest.unit}")
    hands = Supervisor(spec)
    try:
        hands.start()
    except HubError:
        hands.close()
        raise
    return UnitWorker(manifest, config, limits, hands, clock=bootstrap.now, new_uid=new_uid)


def rehearse(
    hub: bootstrap.Hub,
    name: str,
    candidate: Path,
    stream: str | None,
    since: datetime | None,
    tell: Tell = lambda count: None,
) -> dict[str, Any]:
    """A candidate mapping beside the live one on the same raw input: what it would change. Nothing is kept."""
    other = candidate_worker(hub, name, candidate)
    unit, at, plan = other.unit, bootstrap.now(), bootstrap.writer_plan(hub)._replace(alone=True)
    sides: list[Picture] = []
    try:
        with private_folder() as folder, hub.store.read() as sql:
            for side, worker in (("live", hub.workers[unit]), ("candidate", other)):
                workers = {**hub.workers, unit: worker}
                raw = raw_pages(sql, unit, stream, since)
                path = folder / f"{side}.db"
                sides.append(rehearsal.rehearse(path, raw, workers, hub.vault, hub.policy, plan, unit, at, tell))
            told = rehearsal.compare(sides[0], sides[1], hub.vault, lambda keys: homes_of_keys(sql, keys))
    finally:
        other.close()
    return {"connector": name, "candidate": str(candidate), **told}
