"""What a stream's table may say of its parts, and of how it is compared with its source."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Any

from hub.config import toml_reader as toml
from hub.config.toml_lines import Place
from hub.config.toml_reader import Reader, section
from hub.core.freight import is_part
from hub.settings import ReconcileConfig, SecretRef

__all__ = ["MOST_DAYS", "PAGE", "RECONCILE_KEYS", "address", "check_partitions", "codec", "read_reconcile"]

PAGE = section({
    "size": toml.whole, "param": toml.text, "size_param": toml.text, "first": toml.whole, "next": toml.text,
    "style": toml.one_of("page", "offset", "cursor", "link", "none"),
})  # fmt: skip
"""How a peer pages its answer (`sdk.rest.PageStyle`)."""


def codec(reader: Reader, value: Any, place: Place) -> str:
    """The name of a text encoding that Python knows; "auto" or empty: found out."""
    name = toml.text(reader, value, place)
    try:
        codecs.lookup("utf-8" if name in ("", "auto") else name)
    except LookupError:
        raise toml.Wrong('"auto", or an encoding such as "gb18030" or "utf-8"') from None
    return name


def address(reader: Reader, value: Any, place: Place) -> str | SecretRef:
    """An absolute address, or a reference when it holds a password."""
    found = toml.text_or_secret(reader, value, place)
    if isinstance(found, str) and found and "://" not in found:
        raise toml.Wrong('an absolute address such as "https://host/path"', secret=True)
    return found


_ASKED: dict[str, toml.Parse] = {
    "url": toml.text, "params": toml.each(toml.free), "records": toml.text, "total": toml.text,
    "page": PAGE, "format": toml.text,
}  # fmt: skip
"""Where a source answers a question about a day, and how it pages the answer."""
_RECONCILE: dict[str, dict[str, toml.Parse]] = {
    "rest": {
        "counts": section({**_ASKED, "day": toml.text, "count": toml.text}),
        "keys": section({**_ASKED, "key": toml.text}),
        "rows": section(_ASKED),
    },
    "table": {"day": toml.text},
    "files": {"file": toml.text, "format": toml.text},
    "push": {},  # the department states its days itself
}
"""What a transport needs to be compared day by day."""
RECONCILE_KEYS: dict[str, toml.Parse] = {
    "every": toml.duration, "days": toml.whole, "by": toml.one_of("updated", "event"),
    **{key: parse for keys in _RECONCILE.values() for key, parse in keys.items()},
}  # fmt: skip
MOST_DAYS = 92


PARTED = ("rest", "table")
"""Transports whose streams can be read in parts."""


def check_partitions(
    table: Mapping[str, Any], transport: str, place: Place, reader: Reader, *, has_own_source: bool
) -> None:
    """Each part is named once, and the address, parameters, table or query say where its name stands."""
    parts = table.get("partitions", ())
    if not parts:
        return
    for part in parts:
        if not is_part(part) or parts.count(part) > 1:
            expected = "names of parts, each once, up to 60 characters without blanks and # / : { }"
            reader.wrong((*place, "partitions"), expected, toml.show(part))
            return
    places = [table.get(key) for key in ("url", "params", "body", "table", "query")]
    if transport not in PARTED:
        reader.wrong(
            (*place, "partitions"), f"transport = {' or '.join(PARTED)} beside it", f'transport = "{transport}"'
        )
    elif not has_own_source and "{partition}" not in str(places):
        reader.wrong((*place, "partitions"), "{partition} in url, params, body, table or query", "nowhere")


def read_reconcile(table: Mapping[str, Any], transport: str, place: Place, reader: Reader) -> ReconcileConfig | None:
    """How a stream is compared with its source; keys of another transport and what its own needs are checked here."""
    told = table.get("reconcile")
    if told is None:
        return None
    if transport not in _RECONCILE:
        reader.wrong(place, f"transport = {' or '.join(_RECONCILE)} beside it", f'transport = "{transport}"')
        return None
    for key in RECONCILE_KEYS.keys() - {"every", "days", "by"} - _RECONCILE[transport].keys() & told.keys():
        other = next(name for name, keys in _RECONCILE.items() if key in keys)
        reader.wrong((*place, key), f'transport = "{other}" with this key', f'transport = "{transport}"')
    found = ReconcileConfig(
        every=toml.above(told.get("every", ReconcileConfig.every), (*place, "every"), reader),
        days=told.get("days", ReconcileConfig.days),
        by=told.get("by", ReconcileConfig.by),
        options={key: told[key] for key in _RECONCILE[transport] if key in told},
    )
    if not 1 <= found.days <= MOST_DAYS:
        reader.wrong((*place, "days"), f"1 to {MOST_DAYS} days", str(found.days))
    if transport == "files" and "{day}" not in told.get("file", ""):
        reader.wrong(
            place, 'file = "…", the name of the file that speaks of one {day}', toml.show(told.get("file", ""))
        )
    if transport == "table" and not (told.get("day") or table.get("cursor", {}).get("field")):
        reader.wrong(place, 'day = "…", the column of times by which days are counted', "neither day nor a cursor")
    return found
