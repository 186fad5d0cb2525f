"""Who somebody is: opened from the newest records that name them. What comes out is personal and goes to nobody's log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hub.security.vault import Vault
from hub.store.snapshot import bodies_of
from hub.store.sql import Sql


class Identity(NamedTuple):
    """A person's name and ID number as last recorded; None where no record says it."""

    name: str | None = None
    id_number: str | None = None


NOBODY = Identity()


def identities(sql: Sql, vault: Vault, persons: Iterable[int]) -> dict[int, Identity]:
    """Name and ID number of each person, the newest record first; a body is opened only while something is missing."""
    found: dict[int, Identity] = {}
    opened: dict[str, list[dict[str, str | None]]] = {}
    for view in bodies_of(sql, persons):
        known = found.get(view.person, NOBODY)
        if known.name and known.id_number:
            continue
        if view.version not in opened:
            opened[view.version] = list(vault.open_body(view.version, view.body)["persons"])
        named = opened[view.version]
        if view.idx < len(named):
            told = named[view.idx]
            found[view.person] = Identity(known.name or told.get("name"), known.id_number or told.get("id_number"))
    return found
