"""What differs between two policies, row by row: what a person must read before one takes the place of the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

KEYED: Final = ("light", "descent", "report", "duty", "queue")
"""Tables whose rows are known by their id."""
LISTED: Final = ("closer", "signal")
"""Tables whose rows have no id of their own: they are compared as they stand."""


class Difference(NamedTuple):
    """One thing that differs. ``kind``: added, removed or changed; ``was`` and ``now`` as the files say them."""

    kind: str
    section: str
    id: str
    field: str
    was: Any
    now: Any


def differences(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """Everything that differs between two documents, overlays applied, in the order of the file."""
    found: list[Difference] = []
    for section in dict.fromkeys((*was, *now)):
        one, other = was.get(section), now.get(section)
        if one == other:
            continue
        if section in KEYED:
            found += _rows(section, _by_id(one), _by_id(other))
        elif section in LISTED:
            found += _listed(section, one or (), other or ())
        elif isinstance(one, Mapping) or isinstance(other, Mapping):
            found += _fields(section, "", one or {}, other or {})
        else:
            found.append(Difference("changed", section, "", "", one, other))
    return found


def _by_id(rows: Any) -> dict[str, Mapping[str, Any]]:
    return {str(row.get("id")): row for row in rows or ()}


def _rows(
    section: str, was: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]
) -> Iterator[Difference]:
    for name in dict.fromkeys((*was, *now)):
        if name not in now:
            yield Difference("removed", section, name, "", was[name], None)
        elif name not in was:
            yield Difference("added", section, name, "", None, now[name])
        else:
            yield from _fields(section, name, was[name], now[name])


def _listed(section: str, was: Any, now: Any) -> Iterator[Difference]:
    for row in was:
        if row not in now:
            yield Difference("removed", section, str(row.get("id", "")), "", row, None)
    for row in now:
        if row not in was:
            yield Difference("added", section, str(row.get("id", "")), "", None, row)


def _fields(section: str, name: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    for field in dict.fromkeys((*was, *now)):
        if was.get(field) != now.get(field):
            kind = "removed" if field not in now else "added" if field not in was else "changed"
            yield Difference(kind, section, name, field, was.get(field), now.get(field))


def plain(value: Any) -> str:
    """A value of a policy file in words: conditions as "all of …; none of …", lists with commas, flags as yes and no."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        if set(value) <= {"all", "any", "none"}:
            return "; ".join(f"{word} of ({_joined(items)})" for word, items in value.items())
        return "; ".join(f"{name} {plain(item)}" for name, item in value.items())
    return _joined(value) if isinstance(value, list | tuple) else str(value)


def _joined(items: Any) -> str:
    return ", ".join(plain(item) for item in items)
