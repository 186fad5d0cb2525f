"""The seal of a file that leaves the hub (a household's, or a message to a unit): a passphrase told by another way,
AES-256-GCM, scrypt.

``HUBFILE1``, salt (16), nonce (12), then the AEAD's output. The receipt code can be computed only by who has opened the
file; the sender keeps its digest, so that custody passes when the code comes back.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from hub.core.errors import ConfigurationError, QuarantineError

MAGIC: Final = b"HUBFILE1"
SHORTEST: Final = 12
_SALT: Final = 16
_NONCE: Final = 12


def seal_file(plain: bytes, passphrase: bytes) -> bytes:
    """The file as it travels. Raises ConfigurationError for a passphrase that is too short."""
    _check(passphrase)
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    return MAGIC + salt + nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, plain, MAGIC)


def seal_again(plain: bytes, passphrase: bytes) -> bytes:
    """As ``seal_file``, the same bytes each time: salt and nonce follow from content and passphrase, so that a message
    that is written again is the same file. Raises ConfigurationError for a passphrase that is too short."""
    _check(passphrase)
    drawn = hmac.new(passphrase, plain, hashlib.sha256).digest()
    salt, nonce = drawn[:_SALT], drawn[_SALT : _SALT + _NONCE]
    return MAGIC + salt + nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, plain, MAGIC)


def _check(passphrase: bytes) -> None:
    if len(passphrase) < SHORTEST:
        raise ConfigurationError(
            f"the passphrase has fewer than {SHORTEST} characters",
            code="passphrase.short",
            remedy="choose a longer one",
        )


def open_file(sealed: bytes, passphrase: bytes) -> bytes:
    """What ``seal_file`` was given. Raises QuarantineError (``seal.broken``)."""
    start = len(MAGIC)
    salt, nonce = sealed[start : start + _SALT], sealed[start + _SALT : start + _SALT + _NONCE]
    try:
        if not sealed.startswith(MAGIC) or len(nonce) < _NONCE:
            raise InvalidTag
        return AESGCM(_key(passphrase, salt)).decrypt(nonce, sealed[start + _SALT + _NONCE :], MAGIC)
    except InvalidTag:
        raise QuarantineError(
            "the file does not open", code="seal.broken", remedy="check the passphrase, and that the file came whole"
        ) from None


def receipt_code(plain: bytes) -> str:
    """What the receiver gives back: 16 characters that follow from the opened content alone."""
    return hmac.new(b"household file received", plain, hashlib.sha256).hexdigest()[:16].upper()


def digest_of(code: str) -> str:
    """What the sender keeps of a receipt code until it comes back."""
    return hashlib.sha256(code.strip().upper().encode()).hexdigest()[:32]


def _key(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase)
