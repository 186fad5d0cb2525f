"""In: the tables of schema.py. Out: what 区法院 receives, each kind of message as canonical JSON."""

from pathlib import Path

from connectors.court.schema import STREAMS
from hub.sdk import Connector, canonical_json, read_manifest

OUT = {
    "duty": canonical_json,
    "notice": canonical_json,
}

CONNECTOR = Connector(
    name="court",
    unit="court",
    streams=STREAMS,
    manifest=read_manifest(Path(__file__).with_name("manifest.toml")),
    renderers=OUT,
)
