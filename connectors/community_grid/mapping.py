"""In: the tables of schema.py. Out: what 社区智慧大脑 receives, each kind of message as canonical JSON."""

from pathlib import Path

from connectors.community_grid.schema import STREAMS
from hub.sdk import Connector, canonical_json, read_manifest

OUT = {
    "light_change": canonical_json,
    "category_change": canonical_json,
    "duty": canonical_json,
    "answer": canonical_json,
    "report_copy": canonical_json,
    "notice": canonical_json,
}

CONNECTOR = Connector(
    name="community_grid",
    unit="community_grid",
    streams=STREAMS,
    manifest=read_manifest(Path(__file__).with_name("manifest.toml")),
    renderers=OUT,
)
