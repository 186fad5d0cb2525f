"""Which policy files and overlays are in force in a folder, and what another file would make of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

from hub.config.toml_edit import set_value
from hub.core.editions import load_editions
from hub.core.policy import read_toml
from hub.core.rules import Policy
from hub.settings import Settings

POLICY = "district-2021-08-30.toml"
"""The policy that comes with the hub."""
PROVINCES = "provinces"
LAWS = "laws"
"""Folder of the shipped editions of laws: overlays that change citations and what a law changed, each from its day."""


class Texts(NamedTuple):
    """Policy files and overlays, as bytes, in the order they are laid."""

    policies: tuple[bytes, ...]
    overlays: tuple[bytes, ...]


def shipped() -> Traversable:
    """The folder of policies that comes with the hub."""
    return files("hub") / "policies"


def texts_of(settings: Settings) -> Texts:
    """What is in force here: the folder's own files, else ours with the editions of the laws."""
    policies = tuple(path.read_bytes() for path in settings.policy_files)
    overlays = tuple(path.read_bytes() for path in settings.overlay_files)
    if settings.province:
        overlays = ((shipped() / PROVINCES / f"{settings.province}.toml").read_bytes(), *overlays)
    if policies:
        return Texts(policies, overlays)
    laws = sorted((shipped() / LAWS).iterdir(), key=lambda file: file.name)
    return Texts(
        ((shipped() / POLICY).read_bytes(),),
        (*(law.read_bytes() for law in laws if law.name.endswith(".toml")), *overlays),
    )


def load(settings: Settings, texts: Texts, stands_for: Mapping[str, str]) -> Policy:
    """Compiled, with the folder's calendars and deadlines. Raises ConfigurationError."""
    years = calendars(settings.calendar_folder or shipped() / "calendar")
    return load_editions(texts.policies, texts.overlays, years, settings.deadlines, stands_for)


def with_candidate(settings: Settings, text: bytes) -> Texts:
    """What would be in force with another file: a policy beside the earlier ones, an overlay in place of its level's."""
    now = texts_of(settings)
    raw = read_toml(text, "policy" if is_policy(text) else "overlay")
    if not is_policy(text):
        level = str(raw.get("level", "district")) or "district"
        return now._replace(overlays=(*(o for o in now.overlays if _level(o) != level), text))
    since = raw.get("effective_from")
    earlier = tuple(p for p in now.policies if since and _since(p) and str(_since(p)) < str(since))
    return now._replace(policies=(*earlier, text))


def with_added(settings: Settings, text: bytes) -> Texts:
    """What is in force, and one more overlay laid over it."""
    now = texts_of(settings)
    return now._replace(overlays=(*now.overlays, text))


def without_level(settings: Settings, text: bytes) -> Texts:
    """What would be in force without the overlays of this one's level; without a whole policy: what is in force."""
    now = texts_of(settings)
    if is_policy(text):
        return now
    level = _level(text)
    return now._replace(overlays=tuple(o for o in now.overlays if _level(o) != level))


def put_in_force(settings: Settings, file: Path) -> None:
    """Copy ``file`` into ``policies/`` of the folder and name it in hub.toml in place of what it replaces."""
    text = file.read_bytes()
    kept = settings.folder / "policies" / f"{hashlib.sha256(text).hexdigest()[:8]}-{file.name}"
    kept.parent.mkdir(exist_ok=True)
    if not kept.exists():
        kept.write_bytes(text)
    if is_policy(text):
        since = str(_since(text) or "")
        named = [path for path in settings.policy_files if str(_since(path.read_bytes()) or "") < since]
        key = "file"
    else:
        named = [path for path in settings.overlay_files if _level(path.read_bytes()) != _level(text)]
        key = "overlay"
    names = [
        str(path.relative_to(settings.folder)) if path.is_relative_to(settings.folder) else str(path) for path in named
    ]
    names.append(str(kept.relative_to(settings.folder)))
    set_value(settings.folder / "hub.toml", "policy", key, names if len(names) > 1 else names[0])


def is_policy(text: bytes) -> bool:
    """Whether these bytes are a whole policy; else they are an overlay."""
    return b"[[light]]" in text


def _level(overlay: bytes) -> str:
    return str(read_toml(overlay, "overlay").get("level", "district")) or "district"


def _since(policy: bytes) -> object:
    return read_toml(policy, "policy").get("effective_from")


def calendars(folder: Path | Traversable) -> dict[int, bytes]:
    """The yearly files ``YYYY.toml`` of a folder."""
    if not folder.is_dir():
        return {}
    return {
        int(file.name.removesuffix(".toml")): file.read_bytes()
        for file in folder.iterdir()
        if file.name.endswith(".toml") and file.name.removesuffix(".toml").isdigit()
    }
