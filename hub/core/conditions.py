"""Conditions over coded facts: ``all / any / none`` tables of the policy file, compiled once to closures.

An atom is one line that a lawyer can read:

``r6`` a derived flag holds, or a fact of that name is recorded as true · ``kind = 2nd | 3rd`` the recorded word is one of
these · ``score >= 4`` (also ``<=``) the recorded count · ``relation recorded`` / ``relation unrecorded`` ·
``unit = police`` who sent it. What is unrecorded equals nothing (A4). An atom may also be a nested table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from hub.core.codes import CODES
from hub.core.errors import ConfigurationError
from hub.core.records import Fact, Facts, Key
from hub.core.timeline import Derived
from hub.core.versions import CARRIED
from hub.core.words import COMMON, KINDS

Condition = Callable[[Facts, Derived, Key], bool]

_ATOM: Final = re.compile(r"(\w+)(?:\s+(recorded|unrecorded)|\s*(>=|<=|=)\s*([^=\s].*))?")
_WORDS: Final = ("grade", "situation", "victim_capacity", "injury_rank", "victim_age")
"""Derived facts that are words or numbers; the other fields of ``Derived`` are flags."""
_FLAGS: Final = frozenset(Derived._fields) - {*_WORDS, "victim"}
_FACTS: Final = frozenset(COMMON).union(CARRIED, *(kind.facts for kind in KINDS.values()))

_CODED: Final = {
    name: frozenset(
        word
        for kind in KINDS.values()
        for fact, known in kind.facts.items()
        if fact == name and known.form in ("code", "codes")
        for _, _, word in CODES[known.table]
    )
    for name in {f for kind in KINDS.values() for f, known in kind.facts.items() if known.form in ("code", "codes")}
    if all(kind.facts[name].form in ("code", "codes") for kind in KINDS.values() if name in kind.facts)
}
"""Coded facts → every word a table of theirs knows, so that a slip of the pen is found when the file is loaded."""


def compile_when(table: Mapping[str, Any] | None, where: str) -> Condition:
    """One closure for a table; None or an empty table always holds. Raises ``ConfigurationError`` naming ``where``."""
    if not table:
        return _always
    unknown = set(table) - {"all", "any", "none"}
    if unknown:
        raise _bad(where, f"unknown key {sorted(unknown)[0]!r}", "use all, any or none")
    parts: list[Condition] = []
    for word, gather in (("all", _all), ("any", _any), ("none", _none)):
        if word in table:
            parts.append(gather([_compile(item, where) for item in table[word]]))
    return parts[0] if len(parts) == 1 else _all(parts)


def _compile(item: object, where: str) -> Condition:
    if isinstance(item, Mapping):
        return compile_when(item, where)
    match = _ATOM.fullmatch(item.strip()) if isinstance(item, str) else None
    if match is None:
        raise _bad(where, f"cannot read {item!r}", "write `name`, `name = word | word`, `name >= 3` or `name recorded`")
    name, state, operator, value = match.groups()
    if operator == "=" and name in ("unit", "stream"):
        return _sent_by(name, frozenset(part.strip() for part in value.split("|")))
    if operator is None and state is None and name in _FLAGS:
        return _flag(name)
    if name not in _FACTS and name not in _WORDS and name not in _FLAGS:
        raise _bad(where, f"no fact is called {name!r}", "see the facts of hub/core/words.py and timeline.Derived")
    read = _reader(name)
    if state is not None:
        return _recorded(read, wanted=state == "recorded")
    if operator is None:
        return lambda facts, derived, key: read(facts, derived) is True
    if operator == "=":
        words = frozenset(part.strip() for part in value.split("|"))
        if name in _CODED and not words <= _CODED[name]:
            raise _bad(where, f"{name} is never {sorted(words - _CODED[name])[0]!r}", "see the code tables")
        return _one_of(read, words)
    if not value.strip().isdigit():
        raise _bad(where, f"{value!r} is no number", "compare with a whole number")
    return _compared(read, int(value), at_least=operator == ">=")


def _reader(name: str) -> Callable[[Facts, Derived], Fact]:
    if name in _WORDS or (name in _FLAGS and name not in _FACTS):
        index = Derived._fields.index(name)
        return lambda facts, derived: derived[index]  # type: ignore[return-value]  # _WORDS and _FLAGS are never the victim
    return lambda facts, derived: facts.get(name)


def _flag(name: str) -> Condition:
    index = Derived._fields.index(name)
    return lambda facts, derived, key: derived[index] is True


def _sent_by(name: str, values: frozenset[str]) -> Condition:
    index = Key._fields.index(name)
    return lambda facts, derived, key: key[index] in values


def _recorded(read: Callable[[Facts, Derived], Fact], *, wanted: bool) -> Condition:
    return lambda facts, derived, key: (read(facts, derived) is not None) is wanted


def _one_of(read: Callable[[Facts, Derived], Fact], values: frozenset[str]) -> Condition:
    """The word of a fact; a flag is written ``yes`` or ``no``."""
    flags = {word: flag for word, flag in (("yes", True), ("no", False)) if word in values}
    allowed = values | frozenset(flags.values())
    return lambda facts, derived, key: read(facts, derived) in allowed


def _compared(read: Callable[[Facts, Derived], Fact], bound: int, *, at_least: bool) -> Condition:
    def holds(facts: Facts, derived: Derived, key: Key) -> bool:
        value = read(facts, derived)
        if not isinstance(value, int):
            return False
        return value >= bound if at_least else value <= bound

    return holds


def _always(facts: Facts, derived: Derived, key: Key) -> bool:
    return True


def _all(parts: Sequence[Condition]) -> Condition:
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        first, second = parts
        return lambda facts, derived, key: first(facts, derived, key) and second(facts, derived, key)

    def holds(facts: Facts, derived: Derived, key: Key) -> bool:
        for part in parts:  # noqa: SIM110 (a generator costs three times as much here)
            if not part(facts, derived, key):
                return False
        return True

    return holds


def _any(parts: Sequence[Condition]) -> Condition:
    def holds(facts: Facts, derived: Derived, key: Key) -> bool:
        for part in parts:  # noqa: SIM110 (a generator costs more than the loop, a million times a night)
            if part(facts, derived, key):
                return True
        return False

    if len(parts) == 2:
        first, second = parts
        return lambda facts, derived, key: first(facts, derived, key) or second(facts, derived, key)
    return parts[0] if len(parts) == 1 else holds


def _none(parts: Sequence[Condition]) -> Condition:
    some = _any(parts)
    return lambda facts, derived, key: not some(facts, derived, key)


def _bad(where: str, found: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"{where}: {found}; {remedy}", code="policy.condition", remedy=remedy)
