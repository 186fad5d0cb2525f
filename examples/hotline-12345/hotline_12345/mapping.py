"""In: the table of schema.py, and whom its blocks mean. Out: nothing; the hotline receives no messages."""

# region: mapping
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hotline_12345.schema import CONCERNED, ORDER, URGENT
from hub.sdk import Connector, Draft, cell_text, read_manifest


def in_our_words(draft: Draft, row: Mapping[str, Any]) -> Draft:
    """What two columns say together: who the caller is by what the order is about, and what 特急 means."""
    facts = dict(draft.facts)
    if cell_text(row.get("urgency")) in URGENT:
        facts["immediate_danger"] = True
    roles = _roles(is_violence=facts.get("kind") == "suspected_violence", row=row)
    persons = tuple(person._replace(role=roles.get(person.role, person.role)) for person in draft.persons)
    return draft._replace(facts=facts, persons=persons)


def _roles(*, is_violence: bool, row: Mapping[str, Any]) -> dict[str, str]:
    """Whose block means what: a caller who is concerned is a party, and nobody is accused of a mere quarrel."""
    roles = {} if is_violence else {"alleged": "party_b"}
    if cell_text(row.get("caller_role")) in CONCERNED:
        roles["reporter"] = "victim" if is_violence else "party_a"
    return roles


# endregion


# region: connector
CONNECTOR = Connector(
    name="hotline_12345",
    unit="hotline_12345",
    streams={"order": replace(ORDER, finish=in_our_words)},
    manifest=read_manifest(Path(__file__).with_name("manifest.toml")),
)
# endregion
