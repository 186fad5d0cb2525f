"""What the system lets a connector's process have: memory, files, processes. Called in the child before it loads anything."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Mapping
from typing import Any

__all__ = ["limit"]


def limit(told: Mapping[str, Any]) -> None:
    """Set the limits for good: they cannot be raised again.

    ``memory`` is bytes of private memory (data, heap, stacks); what lies beyond raises MemoryError in the connector.
    """
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_DATA, told["memory"]),
        (resource.RLIMIT_NOFILE, told["files"]),
    ):
        with contextlib.suppress(ValueError, OSError):  # a lower one is in force already
            resource.setrlimit(kind, (most, most))
