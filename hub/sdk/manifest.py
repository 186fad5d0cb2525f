"""Manifests: what a connector says of itself, read and checked as data, without importing the connector.

The hub's own process reads nothing else of a connector, and drops the ``never_store`` columns by it before a page is
stored. Mistakes are ConfigurationError, all of one file at once, each with the place and what was expected.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

from hub.core.codes import UNITS
from hub.core.errors import ConfigurationError
from hub.core.freight import is_part
from hub.core.words import KINDS, STATION
from hub.sdk.fields import PERSON_COLUMNS, fold

API = 1
"""Version of what ``hub.sdk`` promises to connectors; a manifest names the range it was written for."""

FILE = "manifest.toml"

MESSAGES = (
    "mandatory_report", "duty", "light_change", "answer", "addendum", "cancellation", "report_copy", "notice",
    "escalation", "category_change",
)  # fmt: skip
"""Kinds of outward messages a unit may receive."""

DATA_CLASSES = ("identity", "contact", "family", "health", "police", "court", "minor", "reporter", "shelter", "work")
"""Classes of personal data by which retention and impact assessments go."""

PERSON_FIELDS = (*(column for column, _, _ in PERSON_COLUMNS), "age", "role")
"""What a receiver may need of a person; ``age`` and ``role`` instead of more where that is enough."""

OPTION_KINDS = ("text", "url", "folder", "table", "secret", "whole", "flag", "duration")
"""Kinds of a connector's own options: ``table`` is an SQLAlchemy URL, ``secret`` is given by reference only."""

RHYTHMS = re.compile(r"^(\d+)(s|m|h|d)$")
OUTSIDE_NAME = re.compile(r"[a-z][a-z0-9_]{2,39}")
RESERVED = frozenset({STATION, "coordinator", "head", "sender", "first", "police_duty", "prosecutor"})
"""Words that stand beside units in the duty table and in ``[contacts]``."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, kw_only=True)
class ManifestStream:
    """One stream as promised: how old its newest record may be, by which law, with which data, and what to drop."""

    name: str
    title: str
    freshness: timedelta | None  # None: comes when it comes, nobody waits for it
    legal_basis: str
    data_classes: tuple[str, ...]
    never_store: tuple[str, ...] = ()  # headers, ``*`` for any text; dropped before the page is stored
    kind: str = ""  # word of words.KINDS its records become; empty: the connector is asked in its own process
    partitions: tuple[str, ...] = ()  # parts it is read in unless the configuration names others: a table a year …


@dataclass(frozen=True, kw_only=True)
class Receives:
    """One kind of message the unit receives, the fields of a person that needs, and where its answers come in."""

    kind: str
    person_fields: tuple[str, ...]
    legal_basis: str
    answers: str = ""  # stream in which the unit's answers arrive


@dataclass(frozen=True, kw_only=True)
class Option:
    """One value that IT staff set for this connector in ``[config]`` of its TOML; only a source of its own reads it."""

    name: str
    title: str
    kind: str  # one of OPTION_KINDS
    required: bool = False


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What one connector is and may do; see docs/writing-a-connector.md.

    ``unit`` is one of UNITS, or, for a source outside them, a name of its own; then ``stands_for`` is the one of UNITS
    whose report rules cover that source and who takes the duties that would fall to it (ADR 0007).
    """

    name: str
    unit: str
    stands_for: str = ""
    title: str
    owner: str
    api: str
    streams: Mapping[str, ManifestStream]
    receives: Mapping[str, Receives] = field(default_factory=dict)
    config: Mapping[str, Option] = field(default_factory=dict)


def read_manifest(path: Path) -> Manifest:
    """The manifest in the file ``path``; raises ConfigurationError with every mistake of the file."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror}).", code="manifest.missing") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: is no TOML ({error}).", code="manifest.invalid") from error
    return parse_manifest(table, where=str(path))


def find_manifest(module: str) -> Path:
    """The manifest of the connector module ``module`` (``connectors.police``), found without running its code.

    Raises ConfigurationError when no such package is installed.
    """
    for folder in _folders(module):
        if (folder / FILE).is_file():
            return folder / FILE
    raise ConfigurationError(
        f"Connector package {module}: no {FILE} found.",
        code="manifest.missing",
        remedy=f"Install the package again, with {FILE} among its package data.",
    )


def parse_manifest(table: Mapping[str, Any], where: str = FILE) -> Manifest:
    """The manifest in a parsed TOML table; raises ConfigurationError with every mistake."""
    reading = _Reading(where)
    reading.only(table, "", ("name", "unit", "stands_for", "title", "owner", "api", "streams", "receives", "config"))
    unit, stands_for = _unit(reading, table)
    api = reading.text(table, "", "api")
    if api and not api_fits(api):
        raise _api_refused(where, api)
    streams = {
        name: _stream(reading, name, entry) for name, entry in reading.table(table, "streams", required=True).items()
    }
    receives = {
        kind: _receives(reading, kind, entry, streams) for kind, entry in reading.table(table, "receives").items()
    }
    config = {name: _option(reading, name, entry) for name, entry in reading.table(table, "config").items()}
    manifest = Manifest(
        name=reading.text(table, "", "name"), unit=unit, stands_for=stands_for, title=reading.text(table, "", "title"),
        owner=reading.text(table, "", "owner"), api=api, streams=streams, receives=receives, config=config,
    )  # fmt: skip
    reading.finish()
    return manifest


def strip(
    stream: ManifestStream, rows: Sequence[Any], renames: Mapping[str, str] | None = None
) -> tuple[list[Any], dict[str, int]]:
    """``rows`` without the ``never_store`` columns of ``stream``, and how often each header was dropped.

    A column is dropped when its header or the name it was renamed from is on the list; so are such columns inside
    nested objects. Rows that are no objects pass unchanged (they are a problem of the mapping). Rows are not altered
    in place. The counts hold headers only, no values.
    """
    if not stream.never_store:
        return list(rows), {}
    renamed: dict[str, tuple[str, ...]] = {}
    for ours, theirs in (renames or {}).items():
        renamed[fold(theirs)] = (*renamed.get(fold(theirs), ()), fold(ours))
    counts: dict[str, int] = {}
    return [_stripped(row, stream.never_store, renamed, counts) for row in rows], counts


def _stripped(
    value: Any, patterns: tuple[str, ...], renamed: Mapping[str, tuple[str, ...]], counts: dict[str, int]
) -> Any:
    if isinstance(value, Mapping):
        kept = {}
        for header, cell in value.items():
            folded = fold(header)
            if any(_is_never_stored(name, patterns) for name in (folded, *renamed.get(folded, ()))):
                counts[str(header)] = counts.get(str(header), 0) + 1
            elif isinstance(cell, (Mapping, list)):
                kept[header] = _stripped(cell, patterns, renamed, counts)
            else:
                kept[header] = cell
        return kept
    if isinstance(value, list):
        return [_stripped(entry, patterns, renamed, counts) for entry in value]
    return value


@lru_cache(maxsize=16384)
def _is_never_stored(folded: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(folded, fold(pattern)) for pattern in patterns)


class _Reading:
    """Collects every mistake of one manifest."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.mistakes: list[str] = []

    def wrong(self, place: str, expected: str, found: object) -> None:
        self.mistakes.append(f"{self.where}: {place}: expected {expected}, found {found!r}.")

    def only(self, table: Mapping[str, Any], place: str, known: Sequence[str]) -> None:
        """Every key of ``table`` is one of ``known``."""
        for key in table:
            if key not in known:
                near = get_close_matches(key, known, 1) or [", ".join(known)]
                self.wrong(f"{place}{key}", f"a known key ({near[0]}?)", key)

    def text(self, table: Mapping[str, Any], place: str, key: str) -> str:
        """A non-empty text."""
        found = table.get(key, "")
        if isinstance(found, str) and found.strip():
            return found.strip()
        self.wrong(f"{place}{key}", "a text", found)
        return ""

    def texts(self, table: Mapping[str, Any], place: str, key: str, valid: Sequence[str] = ()) -> tuple[str, ...]:
        """A list of texts, each one of ``valid`` if that is given."""
        found = table.get(key, [])
        if not isinstance(found, list) or not all(isinstance(entry, str) for entry in found):
            self.wrong(f"{place}{key}", "a list of texts", found)
            return ()
        for entry in found:
            if valid and entry not in valid:
                self.wrong(f"{place}{key}", f"one of {', '.join(valid)}", entry)
        return tuple(found)

    def table(self, table: Mapping[str, Any], key: str, *, required: bool = False) -> Mapping[str, Mapping[str, Any]]:
        """A table of tables."""
        found = table.get(key, {})
        if not isinstance(found, dict) or (required and not found):
            self.wrong(key, "a table for each", found)
            return {}
        for name in [name for name, entry in found.items() if not isinstance(entry, dict)]:
            self.wrong(f"{key}.{name}", "a table", found[name])
        return {name: entry for name, entry in found.items() if isinstance(entry, dict)}

    def finish(self) -> None:
        """Raise all mistakes at once."""
        if self.mistakes:
            raise ConfigurationError(
                "\n".join(self.mistakes),
                code="manifest.invalid",
                remedy="Correct the manifest; see docs/writing-a-connector.",
            )


def _unit(reading: _Reading, table: Mapping[str, Any]) -> tuple[str, str]:
    """The unit and, for one outside the ten, the unit it stands for."""
    unit, stands_for = reading.text(table, "", "unit"), table.get("stands_for", "")
    ten = ", ".join(UNITS)
    if unit in UNITS:
        if stands_for:
            reading.wrong("stands_for", f"nothing beside unit = {unit}, which is one of the ten", stands_for)
    elif unit and not stands_for:
        expected = f"one of {ten}; a source outside them names beside it which of these it stands for (stands_for)"
        reading.wrong("unit", expected, unit)
    elif unit and (not OUTSIDE_NAME.fullmatch(unit) or unit in RESERVED):
        reading.wrong("unit", "a name of small letters, digits and _, 3 to 40 of them, no word of the duty table", unit)
    if stands_for and stands_for not in UNITS:
        reading.wrong("stands_for", f"one of {ten}", stands_for)
    return unit, str(stands_for)


def _stream(reading: _Reading, name: str, entry: Mapping[str, Any]) -> ManifestStream:
    place = f"streams.{name}."
    reading.only(
        entry, place, ("title", "kind", "freshness", "legal_basis", "data_classes", "never_store", "partitions")
    )
    kind = entry.get("kind", "")
    if kind and kind not in KINDS:
        reading.wrong(
            f"{place}kind",
            f"a kind of record ({next(iter(get_close_matches(str(kind), KINDS, 1)), 'see docs')}?)",
            kind,
        )
    return ManifestStream(
        name=name, title=reading.text(entry, place, "title"), freshness=_freshness(reading, place, entry),
        legal_basis=reading.text(entry, place, "legal_basis"),
        data_classes=reading.texts(entry, place, "data_classes", DATA_CLASSES),
        never_store=reading.texts(entry, place, "never_store"), kind=str(kind),
        partitions=_partitions(reading, place, entry),
    )  # fmt: skip


def _partitions(reading: _Reading, place: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    parts = reading.texts(entry, place, "partitions")
    for part in parts:
        if not is_part(part) or parts.count(part) > 1:
            reading.wrong(f"{place}partitions", "names of parts, each once, without blanks and # / : { }", part)
    return parts


def _freshness(reading: _Reading, place: str, entry: Mapping[str, Any]) -> timedelta | None:
    found = entry.get("freshness", "")
    if found == "none":
        return None
    match = RHYTHMS.match(found) if isinstance(found, str) else None
    if not match:
        reading.wrong(f"{place}freshness", "a time such as 1d, 12h, 30m, or none", found)
        return None
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def _receives(
    reading: _Reading, kind: str, entry: Mapping[str, Any], streams: Mapping[str, ManifestStream]
) -> Receives:
    place = f"receives.{kind}."
    reading.only(entry, place, ("person_fields", "legal_basis", "answers"))
    if kind not in MESSAGES:
        reading.wrong(f"receives.{kind}", f"one of {', '.join(MESSAGES)}", kind)
    answers = entry.get("answers", "")
    if answers and answers not in streams:
        reading.wrong(f"{place}answers", f"a stream of this manifest ({', '.join(streams)})", answers)
    return Receives(
        kind=kind, person_fields=reading.texts(entry, place, "person_fields", PERSON_FIELDS),
        legal_basis=reading.text(entry, place, "legal_basis"), answers=str(answers),
    )  # fmt: skip


def _option(reading: _Reading, name: str, entry: Mapping[str, Any]) -> Option:
    place = f"config.{name}."
    reading.only(entry, place, ("title", "kind", "required"))
    kind, required = entry.get("kind", "text"), entry.get("required", False)
    if kind not in OPTION_KINDS:
        reading.wrong(f"{place}kind", f"one of {', '.join(OPTION_KINDS)}", kind)
    if not isinstance(required, bool):
        reading.wrong(f"{place}required", "true or false", required)
    return Option(name=name, title=reading.text(entry, place, "title"), kind=str(kind), required=bool(required))


_BOUND = re.compile(r"^(>=|<=|==|<|>)(\d+)$")


def api_fits(text: str, api: int = API) -> bool:
    """Whether the range ``text`` (``>=1,<2``) holds version ``api`` of the SDK; a text that is no range holds none."""
    bounds = [_BOUND.match(part.strip()) for part in text.split(",")]
    tests = {">=": api.__ge__, "<=": api.__le__, "==": api.__eq__, "<": api.__lt__, ">": api.__gt__}
    return all(bound is not None and tests[bound[1]](int(bound[2])) for bound in bounds)


def _api_refused(where: str, api: str) -> ConfigurationError:
    """A connector for another version of the SDK is refused before anything else of it is read."""
    return ConfigurationError(
        f"{where}: api: expected a range that holds {API}, such as >=1,<2, found {api!r}: it was written for another "
        "version of hub.sdk.",
        code="connector.api",
        remedy=f"Install the release of the connector made for version {API}, or test it with `hub connectors test` "
        "and widen its range.",
    )


def _folders(module: str) -> list[Path]:
    """Folders of a package, level by level through the import system's finders, which load nothing."""
    locations: list[str] | None = None
    name = ""
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        found: list[str] = []
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = find(name, locations) if find else None
            if spec is not None and spec.submodule_search_locations is not None:
                found.extend(spec.submodule_search_locations)
        if not found:
            return []
        locations = list(dict.fromkeys(found))
    return [Path(folder) for folder in locations or []]
