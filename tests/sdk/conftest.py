from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.local_peer import OPEN, Asked, LocalPeer


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[Asked], tuple[int, dict[str, str], Any]]], LocalPeer]]:
    """Start a local peer with the given answers; all are closed at the end."""
    started: list[LocalPeer] = []

    def start(answer: Callable[[Asked], tuple[int, dict[str, str], Any]]) -> LocalPeer:
        started.append(LocalPeer(answer))
        return started[-1]

    yield start
    while OPEN:
        OPEN.pop().close()
    for peer in started:
        peer.close()
