"""In: the table of schema.py, unless a misdeed is switched on. Out: duties as JSON."""

from pathlib import Path

from hostile_line.schema import CONFLICT
from hostile_line.source import MISDEED, OWN_WAY, HostileConnector, fetch, reconcile, render, send
from hub.sdk import read_manifest

CONNECTOR = HostileConnector(
    name="hostile_line",
    unit="hostile_line",
    streams={"conflict": CONFLICT},
    manifest=read_manifest(Path(__file__).with_name("manifest.toml")),
    renderers={"duty": render},
    fetch=fetch,
    reconcile=reconcile,
    send=send if MISDEED in OWN_WAY else None,
)
