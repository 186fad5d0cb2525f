"""A TOML table read against a table of known keys: every mistake is collected, none stops the reading.

A *parse* takes (reader, value, place) and answers the typed value, or raises ``Wrong`` with what was expected.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from hub.config.durations import parse_duration
from hub.config.toml_lines import Place, find_lines, line_of
from hub.core.volume import SPANS, Expected, parse_expected
from hub.settings import SecretRef

Parse = Callable[["Reader", Any, Place], Any]


class Wrong(Exception):
    """The value is not what the key takes; the text says what was expected."""

    def __init__(self, expected: str, *, secret: bool = False, nearest: str = "") -> None:
        super().__init__(expected)
        self.expected = expected
        self.secret = secret
        self.nearest = nearest


class Mistake(NamedTuple):
    """One thing to mend in the configuration. ``found`` never shows a secret."""

    file: str
    line: int
    key: str
    expected: str
    found: str
    nearest: str = ""  # the nearest valid key or word

    def __str__(self) -> str:
        hint = f'; did you mean "{self.nearest}"?' if self.nearest else ""
        return f"{self.file}:{self.line}: {self.key}: expected {self.expected}, found {self.found}{hint}"


class Reader:
    """One TOML file of the configuration folder, and the mistakes found in it."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.folder = folder
        self.mistakes: list[Mistake] = []
        self.lines: dict[Place, int] = {}

    def load(self) -> dict[str, Any]:
        """The parsed file; an unreadable one is one mistake and an empty table."""
        try:
            text = self.path.read_text("utf-8-sig")
            self.lines = find_lines(text)
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            line = next((int(word) for word in str(error).replace(",", " ").split() if word.isdigit()), 1)
            self._add(line, "(file)", "valid TOML", str(error))
        except UnicodeDecodeError:
            self._add(1, "(file)", "UTF-8 text", "another encoding")
        except OSError as error:
            self._add(1, "(file)", "a readable file", error.strerror or "an unreadable one")
        return {}

    def wrong(self, place: Place, expected: str, found: str, nearest: str = "") -> None:
        """Note a mistake at a key."""
        self._add(line_of(self.lines, place), ".".join(place), expected, found, nearest)

    def _add(self, line: int, key: str, expected: str, found: str, nearest: str = "") -> None:
        file = self.path.relative_to(self.folder) if self.path.is_relative_to(self.folder) else self.path
        self.mistakes.append(Mistake(str(file), line, key, expected, found, nearest))

    def table(self, value: Any, place: Place, keys: Mapping[str, Parse]) -> dict[str, Any]:
        """The known keys of a table, parsed; unknown keys and wrong values become mistakes."""
        if not isinstance(value, Mapping):
            raise Wrong(f"a table with {', '.join(keys)}")
        taken: dict[str, Any] = {}
        for key, inner in value.items():
            if key not in keys:
                near = difflib.get_close_matches(key, keys, 1, 0.5)
                known = ", ".join(sorted(keys)) or "nothing here"
                self.wrong((*place, key), f"one of {known}", "an unknown key", near[0] if near else "")
                continue
            self.take(taken, key, inner, (*place, key), keys[key])
        return taken

    def take(self, into: dict[str, Any], key: str, value: Any, place: Place, parse: Parse) -> None:
        """Parse one value into ``into``; a wrong one is noted and left out."""
        try:
            into[key] = parse(self, value, place)
        except Wrong as wrong:
            found = f"{_kind(value)} (not shown)" if wrong.secret else show(value)
            self.wrong(place, wrong.expected, found, wrong.nearest)


def section(keys: Mapping[str, Parse]) -> Parse:
    """A table of known keys."""
    return lambda reader, value, place: reader.table(value, place, keys)


def each(parse: Parse) -> Parse:
    """A table with free keys whose values are all read by ``parse``."""

    def read(reader: Reader, value: Any, place: Place) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise Wrong("a table")
        taken: dict[str, Any] = {}
        for key, inner in value.items():
            reader.take(taken, key, inner, (*place, key), parse)
        return taken

    return read


def rows(keys: Mapping[str, Parse]) -> Parse:
    """An array of tables."""

    def read(reader: Reader, value: Any, place: Place) -> list[dict[str, Any]]:
        if not isinstance(value, list):
            raise Wrong("an array of tables, [[…]]")
        return [reader.table(row, (*place, str(index)), keys) for index, row in enumerate(value)]

    return read


def text(reader: Reader, value: Any, place: Place) -> str:
    """A text."""
    if not isinstance(value, str):
        raise Wrong("a text in quotes")
    return value


def texts(reader: Reader, value: Any, place: Place) -> tuple[str, ...]:
    """An array of texts."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Wrong('an array of texts such as ["a", "b"]')
    return tuple(value)


def one_or_more(reader: Reader, value: Any, place: Place) -> tuple[str, ...]:
    """A text, or an array of texts; an empty text is none."""
    if isinstance(value, str):
        return (value,) if value else ()
    return texts(reader, value, place)


def scalar(reader: Reader, value: Any, place: Place) -> str | int | float | bool:
    """A text, a number or true/false."""
    if not isinstance(value, str | int | float | bool):
        raise Wrong("a text, a number or true/false")
    return value


def flag(reader: Reader, value: Any, place: Place) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise Wrong("true or false")
    return value


def whole(reader: Reader, value: Any, place: Place) -> int:
    """A whole number from 0."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Wrong("a whole number, 0 or more")
    return value


def number(reader: Reader, value: Any, place: Place) -> float:
    """A number above 0."""
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        raise Wrong("a number above 0")
    return float(value)


def duration(reader: Reader, value: Any, place: Place) -> timedelta:
    """A span of time; down to 100 ms where the hub waits on it."""
    try:
        return parse_duration(value)
    except ValueError:
        raise Wrong('a duration such as "100ms", "20s", "5m", "24h" or "3d"') from None


def expected(reader: Reader, value: Any, place: Place) -> Expected:
    """A volume promise."""
    try:
        return parse_expected(value)
    except (ValueError, AttributeError):
        words = str(value).lower().split()
        near = difflib.get_close_matches(words[-1], SPANS, 1, 0.5) if words else []
        told = f"{' '.join(words[:-1])} {near[0]}" if near and near[0] != words[-1] else ""
        raise Wrong(
            'numbers of records such as "20..400 per day", "5.. per week" or "..1000 per hour"', nearest=told
        ) from None


def day(reader: Reader, value: Any, place: Place) -> str:
    """A calendar day as ISO text; empty for none."""
    if isinstance(value, datetime):
        raise Wrong('a day such as "2026-11-01"')
    if isinstance(value, date):
        return value.isoformat()
    try:
        return date.fromisoformat(value).isoformat() if value else ""
    except (TypeError, ValueError):
        raise Wrong('a day such as "2026-11-01", or ""') from None


def one_of(*words: str) -> Parse:
    """One of some words."""

    def read(reader: Reader, value: Any, place: Place) -> str:
        if value not in words:
            near = difflib.get_close_matches(str(value), words, 1, 0.5)
            raise Wrong(f"one of {', '.join(words)}", nearest=near[0] if near else "")
        return str(value)

    return read


def folder_path(reader: Reader, value: Any, place: Place) -> str:
    """A folder, made absolute against the configuration folder; ``sftp://`` addresses stay."""
    path = text(reader, value, place)
    return path if "://" in path or not path else str((reader.folder / path).absolute())


def secret(reader: Reader, value: Any, place: Place) -> SecretRef:
    """A secret by reference; a plain one is refused and never shown."""
    keys = ("env", "file", "credential")
    if not isinstance(value, Mapping) or len(value) != 1 or next(iter(value)) not in keys:
        raise Wrong('a reference: { env = "NAME" }, { file = "secrets/name" } or { credential = "name" }', secret=True)
    kind, name = next(iter(value.items()))
    if not isinstance(name, str) or not name:
        raise Wrong(f"the name of the {kind}", secret=True)
    return SecretRef(**{kind: str((reader.folder / name).absolute()) if kind == "file" else name})


def text_or_secret(reader: Reader, value: Any, place: Place) -> str | SecretRef:
    """A text, or a reference when it holds a password."""
    return value if isinstance(value, str) else secret(reader, value, place)


def free(reader: Reader, value: Any, place: Place) -> Any:
    """A transport's own value: text, number, flag, array or table of such."""
    return value


def above(span: timedelta, place: Place, reader: Reader) -> timedelta:
    """A span the hub waits on must be longer than nothing."""
    if span <= timedelta(0):
        reader.wrong(place, "a duration above 0", '"0s"')
    return span


def show(value: Any) -> str:
    """A found value for a message, cut short; tables and arrays by their kind only."""
    if isinstance(value, str):
        return f'"{value[:57]}…"' if len(value) > 60 else f'"{value}"'
    return str(value).lower() if isinstance(value, bool | int | float) else _kind(value)


def _kind(value: Any) -> str:
    kinds = ((str, "a text"), (bool, "true/false"), (int | float, "a number"), (Mapping, "a table"), (list, "an array"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "something else")
