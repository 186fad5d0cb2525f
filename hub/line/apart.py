"""Preparing in a process of the hub's own, while the writer applies: for a backlog of full batches, on two cores or more.

It gets what a connector's process said, undecoded, and gives sealed records as plain values (``marshal``: our own
process, our own bytes). What it cannot do, or dies of, is done here instead; it decides nothing and stores nothing. It has
the keys, by its pipe, and no other file; it ends when its pipe does.
"""

from __future__ import annotations

import marshal
import os
import pickle
import struct
import subprocess
import sys
import time
from datetime import date, datetime
from typing import IO, Any

from hub.core.freight import Drafts, Page, Sealed
from hub.core.records import Event, Fact, Facts, Key, Party
from hub.line.ports import Vault
from hub.line.prepare import PreparedPage, Refused, Terms, prepare_page
from hub.store.index_bytes import pack, unpack
from hub.store.times import from_day, from_us, to_day, to_us

__all__ = ["Apart", "given_back", "handed_over"]

PATIENCE = 10.0
"""Seconds without a full batch after which the process ends."""
_LENGTH = struct.Struct(">Q")
_new = tuple.__new__


class Apart:
    """The process, started at the first full batch and ended by ``idle`` or ``rest``. One page at a time, from one thread."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._process: subprocess.Popen[bytes] | None = None
        self._used = 0.0  # monotonic
        self._useful = (os.cpu_count() or 1) > 1

    def prepare(self, number: int, page: Page, drafts: Drafts, terms: Terms) -> PreparedPage | None:
        """The page prepared there; None: it is to be done here."""
        if not self._useful:
            return None
        self._used = time.monotonic()
        try:
            process = self._process or self._start()
            asked = (number, page._replace(body=b"", lease=None), drafts, terms)
            _write(process.stdin, pickle.dumps(asked, pickle.HIGHEST_PROTOCOL))
            answer = _read(process.stdout)
        except OSError:
            answer = b""
        if not answer:  # it died, or a row is such that only doing it here can say why
            self.rest()
            return None
        sealed, refused = marshal.loads(answer)  # noqa: S302 — our own process made it
        return PreparedPage(
            number, page._replace(body=b""), tuple([given_back(one) for one in sealed]),
            tuple([Refused(*row) for row in refused]),
        )  # fmt: skip

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", "-m", "hub.line.apart"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            start_new_session=True,
        )
        _write(self._process.stdin, pickle.dumps(self._vault))
        return self._process

    def idle(self) -> None:
        """There is nothing to do: after a while the process ends, and its memory with it."""
        if self._process is not None and time.monotonic() - self._used > PATIENCE:
            self.rest()

    def rest(self) -> None:
        """The process ends now."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def _write(pipe: IO[bytes] | None, data: bytes) -> None:
    assert pipe is not None
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def _read(pipe: IO[bytes] | None) -> bytes:
    """One message; empty: the other side has ended."""
    assert pipe is not None
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return b""
    (length,) = _LENGTH.unpack(head)
    data = pipe.read(length)
    return data if len(data) == length else b""


def main() -> None:
    """Prepare what comes by standard input until it ends; the first message is the vault."""
    source, target = sys.stdin.buffer, sys.stdout.buffer
    vault: Vault = pickle.loads(_read(source))  # noqa: S301 — from the hub itself
    while asked := _read(source):
        number, page, drafts, terms = pickle.loads(asked)  # noqa: S301 — from the hub itself
        done = prepare_page(number, page, drafts, vault, terms)
        _write(target, marshal.dumps(([handed_over(one) for one in done.sealed], [tuple(row) for row in done.refused])))


# --- records as plain values -------------------------------------------------------------------------------------------


def handed_over(sealed: Sealed) -> tuple[Any, ...] | bytes:
    """A sealed record as tuples of numbers, texts and bytes; a rejected one as ``pickle`` has it."""
    event = sealed.event
    if sealed.rejected is not None:
        import pickle

        return pickle.dumps(sealed)
    return (
        tuple(event.key), event.kind, to_us(event.at), {n: _plain(v) for n, v in event.facts.items()},
        [(p.role, to_day(p.born), p.capacity, p.sex) for p in event.parties], event.related, event.live,
        to_us(event.updated_at), to_us(event.received_at), sealed.deleted, sealed.digest,
        [pack(indexes) for indexes in sealed.indexes], sealed.uid, sealed.body, sealed.reporter, sealed.row,
        sealed.issues,
    )  # fmt: skip


def given_back(told: tuple[Any, ...] | bytes) -> Sealed:
    """The inverse of ``handed_over``."""
    if isinstance(told, bytes):
        import pickle

        found: Sealed = pickle.loads(told)  # noqa: S301 — our own process made it
        return found
    (key, kind, at, facts, parties, related, live, updated, received, deleted, digest, indexes, uid, body, reporter,
     row, issues) = told  # fmt: skip
    event = Event(
        _new(Key, key), 0, kind, from_us(at), _facts(facts),
        tuple([Party(role, None, from_day(born), capacity, sex) for role, born, capacity, sex in parties]),
        related, live, from_us(updated), from_us(received),
    )  # fmt: skip
    return Sealed(
        event, deleted, None, digest, tuple([unpack(packed) for packed in indexes]), uid, body, reporter, row, issues
    )


def _plain(value: Fact) -> Any:
    """A fact as marshal has it: a day as a tuple of one, an instant as a tuple of two, codes as a list."""
    if isinstance(value, datetime):
        return (to_us(value), 0)
    if isinstance(value, date):
        return (value.toordinal(),)
    return list(value) if isinstance(value, tuple) else value


def _facts(told: dict[str, Any]) -> Facts:
    for name, value in told.items():
        if type(value) is tuple:
            told[name] = date.fromordinal(value[0]) if len(value) == 1 else from_us(value[0])
        elif type(value) is list:
            told[name] = tuple(value)
    return told


if __name__ == "__main__":
    main()
