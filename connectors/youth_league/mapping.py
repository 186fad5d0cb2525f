"""In: the tables of schema.py. Out: what 团区委 receives, each kind of message as canonical JSON."""

from pathlib import Path

from connectors.youth_league.schema import STREAMS
from hub.sdk import Connector, canonical_json, read_manifest

OUT = {
    "duty": canonical_json,
    "answer": canonical_json,
    "report_copy": canonical_json,
    "notice": canonical_json,
}

CONNECTOR = Connector(
    name="youth_league",
    unit="youth_league",
    streams=STREAMS,
    manifest=read_manifest(Path(__file__).with_name("manifest.toml")),
    renderers=OUT,
)
