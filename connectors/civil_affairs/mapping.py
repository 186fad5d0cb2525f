"""In: the tables of schema.py, and the accompanying children of one cell. Out: messages as canonical JSON."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from connectors.civil_affairs.schema import STREAMS
from hub.sdk import Connector, Draft, Person, canonical_json, read_manifest, split_list

_ID_NUMBER = re.compile(r"[0-9]{17}[0-9Xx]|[0-9]{15}|[0-9]{3,10}\*+[0-9Xx]{0,4}")
_BRACKETS = re.compile(r"[（()）:：]")


def accompanying_children(draft: Draft, row: Mapping[str, Any]) -> Draft:
    """随行子女: names with ``;`` or 、 between them, each perhaps with an ID number; one person of role child each."""
    children = tuple(_child(entry) for entry in split_list(row.get("children")))
    return draft._replace(persons=draft.persons + children) if children else draft


def _child(entry: str) -> Person:
    number = _ID_NUMBER.search(entry)
    name = _BRACKETS.sub(" ", _ID_NUMBER.sub(" ", entry)).strip()
    return Person("child", name=name or None, id_number=number[0] if number else None)


OUT = {
    "duty": canonical_json,
    "answer": canonical_json,
    "report_copy": canonical_json,
    "notice": canonical_json,
}

CONNECTOR = Connector(
    name="civil_affairs",
    unit="civil_affairs",
    streams={**STREAMS, "shelter": replace(STREAMS["shelter"], finish=accompanying_children)},
    manifest=read_manifest(Path(__file__).with_name("manifest.toml")),
    renderers=OUT,
)
