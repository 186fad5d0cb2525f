"""Policies at the desk: another file compiled as it would be in force here, compared, put in force, watched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub import bootstrap
from hub.config import policy_files
from hub.core import policy_check
from hub.core.editions import sources_of
from hub.core.policy import Policy, read_toml
from hub.core.policy_check import Finding
from hub.settings import Settings
from hub.store import adoption
from hub.store.engine import open_store
from hub.store.schema import newest, revision


def compile_file(folder: Path, text: bytes) -> Policy:
    """A policy file or an overlay as it would be in force here. Raises ConfigurationError."""
    settings = bootstrap.read_settings(folder)
    return policy_files.load(settings, policy_files.with_candidate(settings, text), bootstrap.stands_for())


def missing_clauses(text: bytes) -> list[Finding]:
    """Rows of a policy file that cite no clause or law. Raises ConfigurationError when it is no TOML."""
    return policy_check.missing_clauses(read_toml(text, "policy")) if policy_files.is_policy(text) else []


def without_level(folder: Path, text: bytes) -> Policy:
    """What is in force without the level of this overlay: the province's clocks, for a district's overlay."""
    settings = bootstrap.read_settings(folder)
    return policy_files.load(settings, policy_files.without_level(settings, text), bootstrap.stands_for())


def sources(settings: Settings) -> list[dict[str, Any]]:
    """Files and overlays in force here, in the order they are laid."""
    return sources_of(*policy_files.texts_of(settings))


def of_archive(settings: Settings) -> dict[str, object]:
    """Under which policy the archive was judged, and how many households wait to be judged again."""
    store = open_store(settings.database_url)
    try:
        if revision(store) != newest():
            return {"policy": None, "waiting": 0}
        with store.read() as sql:
            return adoption.progress(sql)
    finally:
        store.dispose()


def put_in_force(folder: Path, file: Path) -> None:
    """Keep a policy file or overlay beside hub.toml and name it there. What was in force stays in its folder."""
    policy_files.put_in_force(bootstrap.read_settings(folder), file)


def count_households(hub: bootstrap.Hub) -> int:
    """How many there are, for a bar."""
    with hub.store.read() as sql:
        found = sql.one("SELECT COUNT(*) FROM household")
    return int(found[0]) if found else 0


def laid_over(folder: Path, text: bytes) -> Policy:
    """What is in force here with one more overlay laid over it. Raises ConfigurationError."""
    settings = bootstrap.read_settings(folder)
    return policy_files.load(settings, policy_files.with_added(settings, text), bootstrap.stands_for())
