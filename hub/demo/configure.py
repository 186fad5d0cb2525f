"""Turns the files that ``hub init`` wrote into the configuration of the simulated district, as IT staff would edit them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tomlkit

from hub.sdk.manifest import find_manifest, read_manifest

CURSOR = {"field": "更新时间", "overlap": "10m"}
REST = {
    "transport": "rest", "page": {"size": 50, "param": "pageNo", "size_param": "pageSize"}, "records": "data.list",
    "total": "data.total", "since_param": "since", "cursor": CURSOR,
}  # fmt: skip
COMPARED = ("activity",)
"""Streams of tables that are compared with their source by days."""
CLOCKS = {
    "received": "3s", "received_urgent": "2s", "accepted": "6s", "accepted_urgent": "4s", "decided": "60s",
    "answered": "60s",
}  # fmt: skip
"""The ladder in seconds, so that a silent police is seen to be escalated within the demo."""


class Plan(dict[str, Callable[[str], dict[str, Any]]]):
    """Connector → what one of its streams looks like in TOML."""


def rest(address: str, every: str) -> Callable[[str], dict[str, Any]]:
    return lambda stream: {**REST, "url": f"{address}/api/{stream}", "schedule": {"every": every, "jitter": "100ms"}}


def table(url: str, every: str) -> Callable[[str], dict[str, Any]]:
    return lambda stream: {
        "transport": "table", "url": url, "table": stream, "cursor": CURSOR, "schedule": {"every": every},
        **({"reconcile": {"every": "2s"}} if stream in COMPARED else {}),
    }  # fmt: skip


def files(folder: str, pattern: str, every: str) -> Callable[[str], dict[str, Any]]:
    return lambda stream: {
        "transport": "files", "folder": f"{folder}/{stream}", "pattern": pattern, "encoding": "auto",
        "ready": "rename", "schedule": {"every": every},
    }  # fmt: skip


def push() -> Callable[[str], dict[str, Any]]:
    return lambda stream: {"transport": "push"}


def connector(
    folder: Path,
    name: str,
    streams: Callable[[str], dict[str, Any]],
    names: list[str],
    deliver: Callable[[str], dict[str, Any]],
    token: str = "",
) -> None:
    """Enables ``name`` in its file under ``connectors.d`` with ``names`` as streams and a way for all it receives."""
    path = folder / "connectors.d" / f"{name}.toml"
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    document["connector"]["enabled"] = True
    document["streams"] = {stream: streams(stream) for stream in names}
    receives = read_manifest(find_manifest(f"connectors.{name}")).receives
    document["deliver"] = {kind: deliver(kind) for kind in receives}
    if token:
        document["push"] = {"token": {"file": f"secrets/{name}-push"}}
        secret = folder / "secrets" / f"{name}-push"
        secret.write_text(token, encoding="utf-8")
        secret.chmod(0o600)
    path.write_text(tomlkit.dumps(document), encoding="utf-8")


def hub_toml(folder: Path, listen: str, roles: Mapping[str, str], communities: tuple[str, ...]) -> None:
    """The hub's own file: address, compressed clocks, and a read token for each role the live view plays."""
    path = folder / "hub.toml"
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    sections: dict[str, dict[str, Any]] = {
        "http": {"listen": listen},
        "district": {"communities": list(communities)},
        "deadlines": CLOCKS,
        "retry": {"base": "200ms", "max": "2s"},
        "schedule": {"tick": "100ms", "lease": "5s"},
    }
    for section, values in sections.items():
        table = document.setdefault(section, tomlkit.table())
        for key, value in values.items():
            table[key] = value
    tokens = tomlkit.aot()
    for role, token in roles.items():
        tokens.append(tomlkit.item({"hash": hashlib.sha256(token.encode()).hexdigest(), "role": role}))
    document["tokens"] = tokens
    path.write_text(tomlkit.dumps(document), encoding="utf-8")


def new_token() -> str:
    return secrets.token_urlsafe(24)
