"""Blind indexes as the tables keep them: whole ones packed beside their party, eight bytes of each for look-ups."""

from __future__ import annotations

from collections.abc import Iterable

from hub.core.hood import Index

PARTIES = 1_024
"""Parties of one record are numbered below this in ``blind_index.party``."""
UNLISTED = frozenset({"name_number"})
"""Kinds without rows of their own in ``blind_index``: the number table finds their records."""
KINDS = ("id", "name_phone", "name_born_area", "name_number", "masked", "phone", "name_area")
"""Kinds by the byte that stands for them in ``party.indexes``; new ones are added at the end."""
_BYTE = {kind: bytes((number,)) for number, kind in enumerate(KINDS)}
_SIZE = 17
_new = tuple.__new__  # an Index at half the price of the generated constructor


def look_up(value: bytes) -> int:
    """The form in which ``blind_index`` keeps a value: its first eight bytes as a signed integer."""
    return int.from_bytes(value[:8], "big", signed=True)


def pack(indexes: Iterable[Index]) -> bytes:
    """Blind indexes of one party: for each a byte for its kind and sixteen bytes of value."""
    return b"".join([_BYTE[kind] + value for kind, value in indexes])


def unpack(packed: bytes) -> tuple[Index, ...]:
    """The inverse of ``pack``."""
    return tuple(
        [
            _new(Index, (KINDS[packed[start]], packed[start + 1 : start + _SIZE]))
            for start in range(0, len(packed), _SIZE)
        ]
    )
