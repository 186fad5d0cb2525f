"""The bench: real child processes of one connector, started and killed at will, and everything they let out.

A child is asked over a pipe and watched with a clock that no connector can stop. Whatever it writes, raises or leaves
behind is kept, so that planted canaries can be looked for at the end.
"""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import hub
from hub.kit.target import Target
from hub.kit.wire import Closed, Start, receive, send
from hub.runtime.specs import WaySpec
from hub.sdk.manifest import Manifest
from hub.settings import ConnectorConfig, Limits, StreamConfig

__all__ = ["Bench", "Child", "Died", "Failed", "Forge", "Hung", "Mapped", "Refused"]

PATIENCE = 10.0
"""Seconds a child may be silent. A call to a peer is bounded by ``PEER_SECONDS``, a page of mapping takes milliseconds."""
PEER_SECONDS = 2.0
ROWS_PER_PAGE = 5


class Died(Exception):
    """The child ended in the middle of a call."""


class Hung(Exception):
    """The child did not answer in time."""


class Refused(Exception):
    """The connector cannot be loaded; the text says why."""


class Failed(Exception):
    """The child answered with an error; ``told`` has class, classes, type, code, after, text."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        super().__init__(f"{told['type']} {told['code']}".strip())
        self.told = told

    def is_a(self, *names: str) -> bool:
        """Whether the error is of one of these classes of the tree."""
        return bool(set(names) & set(self.told["classes"]))


class Mapped(NamedTuple):
    """A page as it would land, and what its rows became."""

    body: str  # the rows as they would be stored, JSON
    entries: list[dict[str, Any]]  # `what` is draft, problem, or the name of a foreign type
    cursor: str | None = None


class Child:
    """One running connector. Each method raises Died, Hung or Failed."""

    def __init__(self, number: int, pipe: socket.socket, folder: Path, bench: Bench) -> None:
        self.number = number
        self.folder = folder
        self.acts: list[tuple[str, str]] = []
        self._pipe = pipe
        self._bench = bench
        self.described: dict[str, Any] = {}

    def load(self) -> None:
        """Hear what the connector says of itself. Raises Refused, Died or Hung."""
        answer = self._answer()
        if "refused" in answer:
            self._bench.told.append(answer["refused"])
            raise Refused(answer["refused"])
        self.described = answer["ready"]

    def map(self, stream: str, rows: Sequence[Any], renames: Mapping[str, str] | None = None) -> Mapped:
        """What the rows of one page become."""
        (answer,) = self._ask({"verb": "map", "stream": stream, "rows": list(rows), "renames": dict(renames or {})})
        return Mapped(answer["body"], answer["entries"])

    def fetch(self, stream: str, cursor: str | None) -> Iterator[Mapped]:
        """Page by page: the child goes on only when the next one is asked for."""
        for answer in self._ask({"verb": "fetch", "stream": stream, "cursor": cursor}):
            yield Mapped(answer["body"], answer["entries"], answer["cursor"])

    def counts(self, stream: str, first: date, last: date) -> tuple[dict[str, int] | None, bool]:
        """What the source says of these days, by ISO day, and whether it can name its records."""
        request = {"verb": "counts", "stream": stream, "first": first.isoformat(), "last": last.isoformat()}
        (answer,) = self._ask(request)
        return answer["counts"], bool(answer["names_keys"])

    def keys(self, stream: str, day: date) -> Iterator[list[str]]:
        """The keys of one day, page by page."""
        for answer in self._ask({"verb": "keys", "stream": stream, "day": day.isoformat()}):
            yield answer["keys"]

    def again(self, stream: str, day: date, keys: Sequence[str]) -> Iterator[Mapped]:
        """Records of one day once more, page by page."""
        for answer in self._ask({"verb": "again", "stream": stream, "day": day.isoformat(), "keys": list(keys)}):
            yield Mapped(answer["body"], answer["entries"], answer["cursor"])

    def render(self, body: Mapping[str, Any]) -> str:
        """The bytes of a message, as text."""
        (answer,) = self._ask({"verb": "render", "body": dict(body)})
        return str(answer["bytes"])

    def send(self, no: str, kind: str, body: str, spec: WaySpec) -> dict[str, Any]:
        """One attempt to send a message as rendered: step, number, rows, detail, after."""
        request = {"verb": "send", "no": no, "kind": kind, "body": body, "spec": spec.to_wire()}
        (answer,) = self._ask(request)
        return dict(answer["answer"])

    def memory(self) -> int:
        """Bytes in memory now."""
        pages = Path(f"/proc/{self.number}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def kill(self) -> None:
        """End it at once, wherever it is."""
        with suppress(ProcessLookupError):
            os.kill(self.number, signal.SIGKILL)
        self._pipe.close()

    def _ask(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        try:
            send(self._pipe, request)
        except Closed:
            raise Died from None
        while True:
            answer = self._answer()
            if "error" in answer:
                self._bench.told.append(answer["error"]["text"])
                raise Failed(answer["error"])
            if "end" in answer:
                return
            self._bench.hear(answer.get("entries", ()))
            done = False
            try:
                yield answer
                done = True
            finally:
                with suppress(Closed):
                    send(self._pipe, {"enough": not done})

    def _answer(self) -> dict[str, Any]:
        try:
            answer = receive(self._pipe)
        except TimeoutError:
            self.kill()
            raise Hung from None
        except (Closed, ValueError, OSError):
            raise Died from None
        self.acts.extend((act, what) for act, what in answer.get("acts", ()))
        return answer


class Forge:
    """Processes that have the SDK in memory and fork children: one for each order of Python's sets, kept until closed."""

    def __init__(self) -> None:
        self._doors: dict[str, tuple[subprocess.Popen[bytes], socket.socket]] = {}

    def fork(self, start: Start, seed: str, *given: int) -> int:
        """A new child with the descriptors ``given`` (pipe, output); its process number."""
        door = self._door(seed)
        socket.send_fds(door, [pickle.dumps(start)], given)
        return int(door.recv(32))

    def close(self) -> None:
        """End the processes that fork."""
        for process, door in self._doors.values():
            door.close()
            process.wait()
        self._doors.clear()

    def _door(self, seed: str) -> socket.socket:
        if seed not in self._doors:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                process = subprocess.Popen(
                    [sys.executable, "-m", "hub.kit.child", str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    cwd="/",
                    env={
                        "PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONHASHSEED": seed,
                        "PYTHONPATH": str(Path(hub.__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1",
                    },
                )  # fmt: skip
            self._doors[seed] = (process, ours)
        return self._doors[seed][1]


class Bench:
    """A workplace for one connector: use as a context manager. ``told`` holds every text that came out of a child."""

    def __init__(
        self, target: Target, manifest: Manifest, *, patience: float = PATIENCE, forge: Forge | None = None
    ) -> None:
        self.target = target
        self.manifest = manifest
        self.patience = patience
        self.folder = Path(tempfile.mkdtemp(prefix="hub-kit-"))
        self.told: list[str] = []
        self._forge = forge or Forge()
        self._own_forge = forge is None
        self._children: list[Child] = []
        self._started = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for child in self._children:
            child.kill()
        if self._own_forge:
            self._forge.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(
        self,
        streams: Mapping[str, StreamConfig] | None = None,
        config: Mapping[str, Any] | None = None,
        *,
        seed: str = "1",
        rows_per_page: int = ROWS_PER_PAGE,
    ) -> Child:
        """A child of the connector. ``seed`` decides the order of Python's sets. Raises Refused, Died or Hung."""
        self._started += 1
        folder = self.folder / "work" / str(self._started)
        folder.mkdir(parents=True)
        start = Start(
            self.target,
            ConnectorConfig(
                name=self.target.name, enabled=True, path=folder, streams=streams or {}, config=config or {}
            ),
            Limits(peer_seconds=PEER_SECONDS, rows_per_page=rows_per_page),
            folder,
        )
        ours, theirs = socket.socketpair()
        ours.settimeout(self.patience)
        with theirs, (self.folder / f"output-{self._started}").open("wb") as output:
            number = self._forge.fork(start, seed, theirs.fileno(), output.fileno())
        child = Child(number, ours, folder, self)
        self._children.append(child)
        child.load()
        return child

    def outputs(self) -> Iterator[tuple[str, str]]:
        """(where, text) of everything the children wrote, said in errors and problems, or left in their folders."""
        for path in sorted(self.folder.glob("output-*")):
            yield "standard output, standard error or log", path.read_text(encoding="utf-8", errors="replace")
        for text in self.told:
            yield "an error, a problem or a refusal", text
        for path in sorted((self.folder / "work").rglob("*")) if (self.folder / "work").is_dir() else ():
            if path.is_file():
                yield "a file it left behind", path.read_text(encoding="utf-8", errors="replace")

    def hear(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Keep what problems say: their codes, fields and remedies go onto receipts."""
        self.told.extend(
            f"{entry.get('code')} {entry.get('field')} {entry.get('remedy')}"
            for entry in entries
            if entry["what"] == "problem"
        )
