"""Who writes next, and one commit for what several threads have to write at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Condition, Lock
from typing import Any, TypeVar

from hub.store.tx import Tx

Gave = TypeVar("Gave")
Act = Callable[[Tx], Any]


class Turns:
    """A lock whose short holders go before a long one that waits: else each of them would wait for another long one."""

    def __init__(self) -> None:
        self._room = Condition()
        self._held = False
        self._short = 0  # short ones that wait

    @contextmanager
    def hold(self, patience: float = 0.0) -> Iterator[None]:
        """Hold it. With ``patience`` (seconds) others go first that long; nobody waits for ever."""
        with self._room:
            if patience:
                self._room.wait_for(lambda: not self._held and not self._short, patience)
                self._room.wait_for(lambda: not self._held)
            else:
                self._short += 1
                self._room.wait_for(lambda: not self._held)
                self._short -= 1
            self._held = True
        try:
            yield
        finally:
            with self._room:
                self._held = False
                self._room.notify_all()


class _Wish:
    def __init__(self, act: Act, durable: bool) -> None:
        self.act = act
        self.durable = durable
        self.done = False
        self.gave: Any = None
        self.error: Exception | None = None


class Together:
    """``join`` returns when the act is durable. Whoever comes first commits for all who came meanwhile.

    ``commit(acts, durable)`` runs acts in one transaction and gives what each of them gave.
    """

    def __init__(self, commit: Callable[[Sequence[Act], bool], list[Any]]) -> None:
        self._commit = commit
        self._lock = Lock()
        self._turn = Lock()
        self.waiting: list[_Wish] = []

    def join(self, act: Callable[[Tx], Gave], *, durable: bool = True) -> Gave:
        """What ``act`` gave, after its commit. Raises what it raised, alone: then nothing of it is stored.

        An act may be run again from the start, when another one of its commit failed. Not ``durable``: a power cut may
        undo it (a killed process does not).
        """
        own = _Wish(act, durable)
        with self._lock:
            self.waiting.append(own)
        with self._turn:
            if not own.done:
                with self._lock:
                    batch, self.waiting = self.waiting, []
                self._settle(batch)
        if own.error is not None:
            raise own.error
        gave: Gave = own.gave
        return gave

    def _settle(self, batch: Sequence[_Wish]) -> None:
        """All in one commit; if that fails, each in its own."""
        try:
            outcomes = self._commit([wish.act for wish in batch], any(wish.durable for wish in batch))
        except Exception as error:
            if len(batch) == 1:
                batch[0].done, batch[0].error = True, error
                return
            for wish in batch:
                self._settle([wish])
            return
        for wish, outcome in zip(batch, outcomes, strict=True):
            wish.done, wish.gave = True, outcome
