"""What one attempt to send gave, as a transport knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Outcome"]


class Outcome(NamedTuple):
    """``step``: sent (no answer can come back, or none with a number), received (number), later or refused."""

    step: str
    number: str | None = None
    rows: Sequence[Mapping[str, Any]] = ()  # records that came with the answer
    detail: str = ""  # coded: http.503, peer.timeout, file.dropped …
    after: float | None = None  # seconds the peer asked us to wait
