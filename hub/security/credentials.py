"""Bearer tokens: made once, shown once, kept as a hash, compared in constant time.

A token has 256 random bits, so one round of SHA-256 is enough at rest; passwords of people are another matter.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Final

__all__ = ["PREFIX", "find_token", "hash_token", "make_token", "token_matches"]

PREFIX: Final = "fch_"
"""Starts every token, so that one found in a log or repository can be recognised and redacted."""
_MARK: Final = "sha256:"


def make_token() -> str:
    """A fresh token: the prefix and 43 URL-safe characters."""
    return PREFIX + secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """What is kept of a token: ``sha256:`` and 64 hexadecimal digits."""
    return _MARK + hashlib.sha256(token.strip().encode("utf-8", "surrogatepass")).hexdigest()


def token_matches(token: str, kept: str) -> bool:
    """Whether ``token`` is the one ``kept`` was made of; ``kept`` is a hash, or the token itself from a secret file."""
    expected = kept.strip() if kept.strip().startswith(_MARK) else hash_token(kept)
    return hmac.compare_digest(hash_token(token).encode(), expected.encode("utf-8", "surrogatepass"))


def find_token(token: str, kept: Iterable[str]) -> int | None:
    """Position of the hash that ``token`` fits, looking at every one of them whichever it is; None if none does."""
    found = None
    for position, entry in enumerate(kept):
        if token_matches(token, entry) and found is None:
            found = position
    return found
