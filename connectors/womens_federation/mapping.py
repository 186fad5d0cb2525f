"""In: the tables of schema.py. Out: what 区妇联 receives, each kind of message as canonical JSON."""

from pathlib import Path

from connectors.womens_federation.schema import STREAMS
from hub.sdk import Connector, canonical_json, read_manifest

OUT = {
    "duty": canonical_json,
    "answer": canonical_json,
    "report_copy": canonical_json,
    "notice": canonical_json,
    "escalation": canonical_json,
}

CONNECTOR = Connector(
    name="womens_federation",
    unit="womens_federation",
    streams=STREAMS,
    manifest=read_manifest(Path(__file__).with_name("manifest.toml")),
    renderers=OUT,
)
