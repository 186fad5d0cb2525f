"""In: the tables of schema.py. Out: what 公安分局 receives, each kind of message as canonical JSON."""

from pathlib import Path

from connectors.police.schema import STREAMS
from hub.sdk import Connector, canonical_json, read_manifest

OUT = {
    "mandatory_report": canonical_json,
    "addendum": canonical_json,
    "cancellation": canonical_json,
    "duty": canonical_json,
    "notice": canonical_json,
    "escalation": canonical_json,
}

CONNECTOR = Connector(
    name="police",
    unit="police",
    streams=STREAMS,
    manifest=read_manifest(Path(__file__).with_name("manifest.toml")),
    renderers=OUT,
)
