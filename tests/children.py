"""The connectors' processes below a daemon, found as the system shows them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["connectors_of"]


def connectors_of(pid: int) -> list[int]:
    """Numbers of the processes of a daemon that run a connector."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        started = [int(one) for task in tasks for one in (task / "children").read_text().split()]
    except OSError:
        return []
    return [one for one in started if _runs_a_connector(one)]


def _runs_a_connector(pid: int) -> bool:
    try:
        return b"hub.runtime.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
