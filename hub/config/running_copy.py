"""The configuration that a daemon runs on, kept beside it: commands answer by it while the files on disk are wrong."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hub.settings import Settings

__all__ = ["keep", "kept", "with_its_policies"]

COPY = ".running"


def keep(settings: Settings) -> None:
    """Copy hub.toml, connectors.d, policies and overlays as they are now, for this account's eyes alone."""
    fresh = settings.folder / f"{COPY}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    shutil.copy(settings.folder / "hub.toml", fresh)
    shutil.copytree(settings.folder / "connectors.d", fresh / "connectors.d")
    for name, files in (("policies", settings.policy_files), ("overlays", settings.overlay_files)):
        (fresh / name).mkdir()
        for copy, file in zip(_copies(fresh, name, files), files, strict=True):
            shutil.copy(file, copy)
    shutil.rmtree(settings.folder / COPY, ignore_errors=True)
    fresh.rename(settings.folder / COPY)


def kept(folder: Path) -> Path | None:
    """The folder of the copy; None: no daemon has run here."""
    copy = folder / COPY
    return copy if (copy / "hub.toml").is_file() else None


def with_its_policies(settings: Settings, copy: Path) -> Settings:
    """The settings of a copy with the policies that lie in it."""
    return replace(
        settings,
        policy_files=_copies(copy, "policies", settings.policy_files),
        overlay_files=_copies(copy, "overlays", settings.overlay_files),
    )


def _copies(copy: Path, name: str, files: Sequence[Path]) -> tuple[Path, ...]:
    """Where each of some files lies in a copy: by its place in the list, as two may have one name."""
    return tuple(copy / name / f"{place}-{file.name}" for place, file in enumerate(files))
