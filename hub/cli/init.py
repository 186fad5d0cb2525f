"""`hub init DIR`: a configuration folder that works at once and says in its comments what can be changed."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from hub import bootstrap
from hub.cli.face import Json, UsageMistake, emit, note
from hub.config.configuration import load
from hub.config.samples import HUB_TOML, connector_sample
from hub.security.keys import create_key_file

FILES = ("hub.toml", "overlay.toml", "connectors.d", "secrets", "hub.db")


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.")], as_json: Json = False
) -> None:
    """Make a configuration folder: hub.toml, connectors.d, secrets, overlay.toml and an empty database."""
    present = [name for name in FILES if (folder / name).exists()]
    if present:
        raise UsageMistake(
            f"{folder} already holds {', '.join(present)}: nothing was written",
            "choose another folder; an existing one is changed by editing its files",
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "connectors.d").mkdir()
    (folder / "secrets").mkdir(mode=0o700)
    create_key_file(folder / "secrets" / "master.key")
    (folder / "hub.toml").write_text(HUB_TOML, encoding="utf-8")
    (folder / "overlay.toml").write_bytes(sample_overlay())
    manifests = bootstrap.manifests()
    for name, manifest in sorted(manifests.items()):
        path = folder / "connectors.d" / f"{name}.toml"
        path.write_text(connector_sample(manifest), encoding="utf-8")
    settings = load(folder, bootstrap.installed(manifests))
    bootstrap.make_database(settings)
    for file in folder.glob("hub.db*"):
        file.chmod(0o600)
    if as_json:
        emit({"folder": str(folder), "connectors": sorted(manifests)})
        return
    note(f"{folder}: ready; {len(manifests)} connectors, all disabled")
    note(f"  next: hub --config {folder} connectors enable NAME, then hub --config {folder} check")


def sample_overlay() -> bytes:
    """The commented overlay that comes with the policy; it changes nothing until a line is uncommented."""
    return (files("hub") / "policies" / "sample-overlay.toml").read_bytes()
