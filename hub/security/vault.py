"""The vault: seals, opens and indexes. The only holder of keys; it never prints one.

A sealed body is ``format, algorithm, key number`` (one byte each), a nonce of 12 bytes, and the AEAD's output. The three
bytes and the place (``version|body|`` + uid, ``version|reporter|`` + uid, ``blob|`` + uid) are associated data: bytes copied
to another row, column or table do not open.

Two compartments per record. The *body* holds persons (without the reporter), texts and the original row. The *reporter*
compartment has a key of its own and holds the reporter and, instead of the body, the original row that tells of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.core.errors import QuarantineError
from hub.core.freight import Sealed
from hub.core.problems import remedy_of
from hub.core.records import SHANGHAI, Draft, Event, Party, Person, Problem
from hub.core.words import KINDS
from hub.security.chance import chance
from hub.security.indexes import BlindIndexes, Mac
from hub.security.keys import Keys
from hub.security.originals import tells_reporter
from hub.security.uids import uid_from

__all__ = ["AES_256_GCM", "FORMAT", "Vault", "key_number_of", "people_of"]

FORMAT: Final = 1
AES_256_GCM: Final = 1  # 2 is kept free for SM4-GCM
_PREFIX: Final = 3
_NONCE: Final = 12
_LENGTH: Final = 4
_FIELDS: Final = Person._fields


class Vault:
    """``line.ports.Vault`` with AES-256-GCM and HMAC-SHA256."""

    __slots__ = ("_active", "_ciphers", "_digest", "_indexes", "_keys", "_marks", "_prefix")

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._active = keys.active
        self._prefix = bytes((FORMAT, AES_256_GCM, keys.active))
        self._ciphers: dict[tuple[int, str], AESGCM] = {}
        self._indexes = BlindIndexes(keys)
        self._digest = Mac(keys.derive(keys.index, "digest"))
        self._marks = Mac(keys.derive(keys.index, "mark"))
        for purpose in ("body", "reporter", "blob"):
            self._cipher(self._active, purpose)

    def __reduce__(self) -> tuple[type[Vault], tuple[Keys]]:
        """Only for a process of our own, through a pipe of our own (``line/apart.py``)."""
        return Vault, (self._keys,)

    def __repr__(self) -> str:
        return f"Vault(keys {self._keys.numbers}, active {self._active})"

    def seal(self, draft: Draft, mode: str, received_at: datetime, rejected: Problem | None = None) -> Sealed:
        """A clean draft, ready for the store. ``rejected``: only key, time and digest are kept of it."""
        noise = chance(10 + 2 * _NONCE)
        uid = uid_from(int(received_at.timestamp() * 1000), noise)
        digest = self._digest(_content(draft))
        if rejected is not None:
            event = _event(draft, mode, received_at, ())._replace(facts={}, related=())
            gone = rejected._replace(draft=None, original=b"")
            return Sealed(event, draft.deleted is True, gone, digest, (), uid, b"", None, draft.row, draft.issues)
        parties = tuple(person for person in draft.persons if person.role != "reporter")
        body, reporter = self._bodies(draft, parties, uid, noise[10:])
        if KINDS[draft.kind].subject != "people":
            parties = ()
        return Sealed(
            _event(draft, mode, received_at, parties), draft.deleted is True, None, digest,
            self._indexes.of(draft, parties), uid, body, reporter, draft.row, draft.issues,
        )  # fmt: skip

    def _bodies(self, draft: Draft, parties: Sequence[Person], uid: str, nonces: bytes) -> tuple[bytes, bytes | None]:
        secret = tells_reporter(draft)
        open_part = orjson.dumps([[[*person] for person in parties], draft.texts], default=str)
        original = b"" if secret else draft.original
        body = self._seal("body", f"version|body|{uid}", _framed(open_part, original), nonces[:_NONCE])
        if not secret:
            return body, None
        reporters = [[*person] for person in draft.persons if person.role == "reporter"]
        sealed = _framed(orjson.dumps([reporters, {}], default=str), draft.original)
        return body, self._seal("reporter", f"version|reporter|{uid}", sealed, nonces[_NONCE:])

    def open_body(self, uid: str, body: bytes) -> Mapping[str, Any]:
        """``persons`` (one mapping each, by the fields of Person, birth date as ISO text, in the order of the event's
        parties), ``texts`` and ``original`` (bytes; empty when it lies in the reporter's compartment). A rejected row's
        empty body opens to nothing. Raises ``QuarantineError`` (``seal.broken``)."""
        return (
            _unframed(self._open("body", f"version|body|{uid}", body)) if body else _unframed(_framed(b"[[],{}]", b""))
        )

    def open_reporter(self, uid: str, reporter: bytes) -> Mapping[str, Any]:
        """The same shape: ``persons`` are the reporters, ``original`` the whole source row."""
        return _unframed(self._open("reporter", f"version|reporter|{uid}", reporter))

    def seal_blob(self, uid: str, plain: bytes) -> bytes:
        """Seal a page, a quarantined original or a message under its row's uid."""
        return self._seal("blob", f"blob|{uid}", plain, chance(_NONCE))

    def open_blob(self, uid: str, sealed: bytes) -> bytes:
        """The bytes that ``seal_blob`` was given. Raises ``QuarantineError`` (``seal.broken``)."""
        return self._open("blob", f"blob|{uid}", sealed)

    def mark_of(self, plain: bytes) -> bytes:
        """A keyed digest (32 bytes) by which the same bytes are known again without being readable."""
        return self._marks(plain)

    def reseal(self, kind: str, uid: str, sealed: bytes) -> bytes | None:
        """The same content under the active key (``kind`` body, reporter or blob); None when it is so already."""
        if key_number_of(sealed) == self._active:
            return None
        place = f"blob|{uid}" if kind == "blob" else f"version|{kind}|{uid}"
        return self._seal(kind, place, self._open(kind, place, sealed), chance(_NONCE))

    def _seal(self, purpose: str, place: str, plain: bytes, nonce: bytes) -> bytes:
        prefix = self._prefix
        return prefix + nonce + self._ciphers[self._active, purpose].encrypt(nonce, plain, prefix + place.encode())

    def _open(self, purpose: str, place: str, sealed: bytes) -> bytes:
        prefix, nonce = sealed[:_PREFIX], sealed[_PREFIX : _PREFIX + _NONCE]
        if len(sealed) < _PREFIX + _NONCE + 16 or prefix[:2] != self._prefix[:2]:
            raise _broken()
        cipher = self._cipher(prefix[2], purpose)
        try:
            return cipher.decrypt(nonce, sealed[_PREFIX + _NONCE :], prefix + place.encode())
        except InvalidTag:
            raise _broken() from None

    def _cipher(self, number: int, purpose: str) -> AESGCM:
        cipher = self._ciphers.get((number, purpose))
        if cipher is None:
            cipher = self._ciphers[number, purpose] = AESGCM(self._keys.derive(number, f"seal|{purpose}"))
        return cipher


def key_number_of(sealed: bytes) -> int:
    """The number of the master key that sealed these bytes."""
    return sealed[2]


def people_of(body: Mapping[str, Any]) -> tuple[Person, ...]:
    """The persons of an opened body as ``Person``, birth dates as dates."""
    return tuple(
        Person(**{**person, "born": date.fromisoformat(person["born"]) if person["born"] else None})
        for person in body["persons"]
    )


def _event(draft: Draft, mode: str, received_at: datetime, parties: Sequence[Person]) -> Event:
    updated_at = draft.updated_at if isinstance(draft.updated_at, datetime) else received_at
    facts: Any = draft.facts
    return Event(
        draft.key, 0, draft.kind, draft.at or updated_at, facts,
        tuple(Party(person.role, None, person.born, person.capacity, person.sex) for person in parties),
        draft.related, mode == "live", updated_at.astimezone(SHANGHAI), received_at.astimezone(SHANGHAI),
    )  # fmt: skip


def _content(draft: Draft) -> bytes:
    """What makes two versions the same: not the row, the time of update, the original's form or the issues."""
    return orjson.dumps(
        [
            draft.kind, bool(draft.deleted), draft.facts, [[*person] for person in draft.persons], draft.related,
            draft.texts,
        ],
        default=str, option=orjson.OPT_SORT_KEYS,
    )  # fmt: skip


def _framed(first: bytes, second: bytes) -> bytes:
    return len(first).to_bytes(_LENGTH, "big") + first + second


def _unframed(plain: bytes) -> dict[str, Any]:
    end = _LENGTH + int.from_bytes(plain[:_LENGTH], "big")
    persons, texts = orjson.loads(plain[_LENGTH:end])
    return {
        "persons": [dict(zip(_FIELDS, person, strict=True)) for person in persons],
        "texts": texts,
        "original": plain[end:],
    }


def _broken() -> QuarantineError:
    return QuarantineError("a sealed body does not open", code="seal.broken", remedy=remedy_of("seal.broken"))
