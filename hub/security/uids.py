"""Time-ordered identifiers (UUID version 7): rows that come in together lie together in every index."""

from __future__ import annotations

import os
from datetime import datetime

__all__ = ["new_uid", "uid_from"]


def new_uid(at: datetime) -> str:
    """A fresh UUIDv7 as text, ordered by ``at`` (milliseconds), the rest random."""
    return uid_from(int(at.timestamp() * 1000), os.urandom(10))


def uid_from(milliseconds: int, noise: bytes) -> str:
    """The UUIDv7 of a time (since 1970, UTC) and ten bytes of noise."""
    tail = noise.hex()
    head = format(milliseconds & 0xFFFFFFFFFFFF, "012x")
    variant = "89ab"[noise[2] & 3]
    return f"{head[:8]}-{head[8:]}-7{tail[:3]}-{variant}{tail[5:8]}-{tail[8:20]}"
