"""Blind indexes: keyed HMACs by which two records are seen to mean one person, without either being readable.

One key per kind. The keyed states are made once and copied (0.6 µs an index). Never on an address. A name that is masked
or a surname only makes no certain index.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from hub.core.hood import CERTAIN, REVIEW, Index
from hub.core.people import is_full_name, surname_of
from hub.core.records import Draft, Person
from hub.core.values import link_form
from hub.security.keys import Keys

__all__ = ["BlindIndexes", "Mac"]

_BLOCK: Final = 64
_SIZE: Final = 16
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))
_new = tuple.__new__  # an Index at half the price of the generated constructor
UNNUMBERED: Final = frozenset({"household_member", "worker", "activity", "special_household", "service_given"})
"""Kinds whose own number names no incident: nobody is known by it."""


class Mac:
    """HMAC-SHA256 with its two keyed states made once; the same value as ``hmac`` gives, at half the price."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes, algorithm: str = "sha256") -> None:
        padded = key.ljust(_BLOCK, b"\0")
        self._inner: Any = hashlib.new(algorithm, padded.translate(_INNER))
        self._outer: Any = hashlib.new(algorithm, padded.translate(_OUTER))

    def __call__(self, message: bytes) -> bytes:
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        value: bytes = outer.digest()
        return value


class BlindIndexes:
    """Makes the indexes of a draft's parties."""

    __slots__ = ("_macs",)

    def __init__(self, keys: Keys) -> None:
        self._macs = {kind: Mac(keys.derive(keys.index, f"index|{kind}")) for kind in (*CERTAIN, *REVIEW)}

    def __repr__(self) -> str:
        return f"BlindIndexes({', '.join(self._macs)})"

    def of(self, draft: Draft, parties: Sequence[Person]) -> tuple[tuple[Index, ...], ...]:
        """Per party, in order; ``draft`` gives the community and the numbers of the incident."""
        community = draft.facts.get("community")
        numbers = () if draft.kind in UNNUMBERED else _numbers(draft)
        return tuple(self._person(person, str(community) if community else "", numbers) for person in parties)

    def _person(self, person: Person, community: str, numbers: Sequence[str]) -> tuple[Index, ...]:
        found: list[Index] = []
        name, number = person.name, person.id_number
        if number:
            resident = person.id_type == "111" and len(number) == 18
            self._add(found, "id", number if resident else f"{person.id_type}:{number}")
            if resident and name:
                surname = surname_of(name)
                self._add(found, "masked", f"{number[:6]}|{number[-4:]}|{surname}")
                self._add(found, "masked", f"{number[:4]}|{number[-4:]}|{surname}")
        elif person.id_masked and name:
            self._masked(found, person.id_masked, surname_of(name))
        if person.phone:
            self._add(found, "phone", person.phone)
        if name and is_full_name(name):
            self._named(found, person, name.casefold(), community, numbers)
        return tuple(found)

    def _named(self, found: list[Index], person: Person, name: str, community: str, numbers: Sequence[str]) -> None:
        if person.phone:
            self._add(found, "name_phone", f"{name}|{person.phone}")
        if community:
            self._add(found, "name_area", f"{name}|{community}")
            if person.born:
                self._add(found, "name_born_area", f"{name}|{person.born.isoformat()}|{community}")
        for number in numbers:
            self._add(found, "name_number", f"{name}|{number}")

    def _masked(self, found: list[Index], pattern: str, surname: str) -> None:
        """What a mask leaves: the first six (else four) and the last four characters, with the surname."""
        head = len(pattern) - len(pattern.lstrip("0123456789"))
        tail = pattern[-4:]
        if head >= 4 and "*" not in tail:
            self._add(found, "masked", f"{pattern[: 6 if head >= 6 else 4]}|{tail}|{surname}")

    def _add(self, found: list[Index], kind: str, text: str) -> None:
        found.append(_new(Index, (kind, self._macs[kind](text.encode())[:_SIZE])))


def _numbers(draft: Draft) -> tuple[str, ...]:
    """The record's own and related numbers, in the form in which records compare them."""
    if not draft.related:
        return (link_form(draft.key.no),)
    return tuple(dict.fromkeys(link_form(number) for number in (draft.key.no, *draft.related)))
