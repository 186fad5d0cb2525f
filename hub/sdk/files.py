"""A drop folder (CSV, XLSX, NDJSON, JSON), read by polling, and the way files go out again.

A file is a stream of pages. Its cursor is ``<drop>:<row>``: *drop* names this very file (its content's digest, its
inode and time), *row* the last row that has landed; so a kill in mid-file resumes at the next row, while the same
content dropped again is a new drop whose rows are unchanged. When all pages have landed the file moves to ``done/``,
one that cannot be read as declared to ``failed/``; a note beside it (``.NAME.waiting``) says whose receipt is due there.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from hub.core.errors import PersonError, RetryError
from hub.sdk.durable import write_whole
from hub.sdk.headers import Known
from hub.sdk.outcome import Outcome
from hub.sdk.reading import Marks, Reading
from hub.sdk.receipts import receipt_files, with_lines
from hub.sdk.returned import returned_file
from hub.sdk.strictjson import StrictJSONError, dumps, loads
from hub.sdk.tabular import FOUND, MAX_FILE_BYTES, Form, read_rows

__all__ = ["FileSender", "FolderSource", "ReceiptFolder", "Waiting", "drop_of", "waiting_receipts"]

Rows = list[dict[str, Any]]

UNFINISHED = (".tmp", ".part", ".ok", ".crdownload")
RECEIPTS = (".receipt.json", ".receipt.csv", ".receipt.xlsx")
SETTLE = timedelta(milliseconds=500)
"""Between two looks at a file nobody has looked at before; one that still grows waits for the next poll."""


class _Look(NamedTuple):
    size: int
    mtime_ns: int
    inode: int


@dataclass(kw_only=True)
class FolderSource:
    """One ``files`` stream. Kept between polls: it remembers what it saw at the last look."""

    folder: Path
    pattern: str = "*"
    form: Form = FOUND
    known: Known | None = None
    ready: str = "stable"  # stable, ok-file or rename
    done: Path | None = None
    failed: Path | None = None
    settle: timedelta = SETTLE
    rows_per_page: int = 2000
    max_bytes: int = MAX_FILE_BYTES
    stop: Event = field(default_factory=Event)
    seen: dict[str, _Look] = field(default_factory=dict)

    def pages(self, cursor: str | None) -> Iterator[tuple[Rows, str | None]]:
        """Pages of every ready file, oldest first; resumes in mid-file at ``cursor``.

        Raises ``PersonError`` (``files.folder``) at once, and the first file's own error after all others are done.
        """
        first_error: PersonError | None = None
        for path in self._ready_files():
            try:
                yield from self._file(path, cursor)
            except PersonError as error:
                first_error = first_error or error
            except OSError as error:
                raise RetryError("a file cannot be read or moved now", code="files.busy") from error
        if first_error is not None:
            raise first_error

    def probe(self) -> int:
        """How many files lie ready; nothing is moved."""
        return len(self._candidates())

    def close(self) -> None:
        """Nothing is held open between two reads."""

    def _file(self, path: Path, cursor: str | None) -> Iterator[tuple[Rows, str | None]]:
        drop = drop_of(path)
        landed = _row_in(cursor, drop)
        row = 0
        rows = Reading()
        try:
            self._check_digest(path)
            rows = self._read(path)
            row = sum(1 for _ in islice(rows, landed))
            while page := list(islice(rows, self.rows_per_page)):
                row += len(page)
                yield page, f"{drop}:{row}"
        except PersonError as error:
            self._move(path, self.failed or self.folder / "failed", _note(drop, max(row, landed), rows, error.code))
            raise
        self._move(path, self.done or self.folder / "done", _note(drop, row, rows))

    def _read(self, path: Path) -> Reading:
        return read_rows(path, self.form, known=self.known, max_bytes=self.max_bytes)

    def answer(self, path: Path, receipt: Mapping[str, Any], label: Callable[[str], str]) -> None:
        """Write the receipts of a moved file beside it, and its faulty rows as a file of their own.

        ``label`` is the department's name of a column. Raises ``RetryError`` when the folder cannot be written.
        """
        note = path.with_name(f".{path.name}.waiting")
        try:
            told = json.loads(note.read_bytes())
            whole = with_lines(receipt, Marks(told.get("marks", ())), told.get("notes", ()))
            if given := self._given_back(path, whole["rows"]):
                write_whole(path.with_name(given[0]), given[1])
                whole["returned"] = given[0]
            for suffix, content in receipt_files(path.name, whole, label, str(told["code"])).items():
                write_whole(path.with_name(f"{path.name}{suffix}"), content)
            note.unlink(missing_ok=True)
        except OSError as error:
            raise RetryError("a receipt cannot be written now", code="files.busy") from error

    def _check_digest(self, path: Path) -> None:
        """The ``.ok`` file, where it holds a digest, must hold this one."""
        note = _ok_file(path) if self.ready == "ok-file" else None
        text = note.read_bytes()[:200].decode("ascii", "replace").lower().split() if note is not None else []
        digest = next((word for word in text if len(word) == 64), "")
        if digest and digest != _sha256(path):
            raise PersonError(f"{path.name}: its digest differs from the one sent", code="file.digest")

    def _given_back(self, path: Path, rows: Rows) -> tuple[str, bytes] | None:
        try:
            return returned_file(path.name, self._read(path), rows)
        except PersonError:  # it cannot be read to its end: the receipt says so
            return None

    def _move(self, path: Path, target: Path, note: dict[str, Any]) -> None:
        """Into ``done`` or ``failed``, with the note first: after a kill between the two the move is simply repeated."""
        target.mkdir(parents=True, exist_ok=True)
        place = target / path.name
        number = 1
        while place.exists() and drop_of(place) != note["drop"]:
            number += 1
            place = target / f"{path.stem}~{number}{path.suffix}"
        write_whole(target / f".{place.name}.waiting", dumps(note))
        ok = _ok_file(path)
        os.replace(path, place)
        if ok is not None and self.ready == "ok-file":
            os.replace(ok, target / f"{place.name}.ok")
        self.seen.pop(path.name, None)

    def _candidates(self) -> list[Path]:
        try:
            entries = sorted(self.folder.iterdir(), key=lambda entry: entry.name)
        except OSError as error:
            raise PersonError(
                "the folder cannot be read", code="files.folder", remedy="create it, or give the hub access to it"
            ) from error
        return [entry for entry in entries if self._is_candidate(entry)]

    def _is_candidate(self, path: Path) -> bool:
        name = path.name
        if name.startswith((".", "~$")) or name.lower().endswith(UNFINISHED + RECEIPTS):
            return False
        return fnmatchcase(name, self.pattern) and path.is_file() and not path.is_symlink()

    def _ready_files(self) -> list[Path]:
        found = self._candidates()
        if self.ready == "ok-file":
            ready = [path for path in found if _ok_file(path) is not None]
        elif self.ready == "rename":
            ready = found
        else:
            ready = self._stable(found)
        return sorted(ready, key=lambda path: (path.stat().st_mtime_ns, path.name))

    def _stable(self, found: list[Path]) -> list[Path]:
        """Files that look alike at two looks: this one and the last poll's, or this one and one a little later."""
        now = {path.name: look for path in found if (look := _look(path)) is not None}
        fresh = [name for name in now if name not in self.seen]
        earlier, self.seen = self.seen, now
        if fresh and not self.stop.wait(self.settle.total_seconds()):
            earlier = {**earlier, **{name: now[name] for name in fresh}}
            self.seen = {path.name: look for path in found if (look := _look(path)) is not None}
        return [path for path in found if path.name in self.seen and earlier.get(path.name) == self.seen[path.name]]


def _note(drop: str, rows: int, reading: Reading, code: str = "") -> dict[str, Any]:
    """What the receipt of a file needs to know of its reading; no value of the file."""
    told = {"marks": reading.marks.to_json(), "notes": reading.findings.to_json()}
    return {"drop": drop, "rows": rows, "code": code, **told}


def _look(path: Path) -> _Look | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return _Look(found.st_size, found.st_mtime_ns, found.st_ino)


def _ok_file(path: Path) -> Path | None:
    return next((ok for ok in (Path(f"{path}.ok"), path.with_suffix(".ok")) if ok.is_file()), None)


def _sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def drop_of(path: Path) -> str:
    """The name of this very file: content, inode and time of change of its content (a move keeps all three)."""
    look = _look(path)
    return hashlib.sha256(f"{_sha256(path)} {look}".encode()).hexdigest()[:32]


def _row_in(cursor: str | None, drop: str) -> int:
    """How many rows of this drop have landed by ``cursor``."""
    name, _, row = (cursor or "").partition(":")
    return int(row) if name == drop and row.isdigit() else 0


# --- receipts beside a file ------------------------------------------------------------------------------------------


class Waiting(NamedTuple):
    """A moved file whose receipt is due: the pages of ``drop`` hold its rows; ``code`` says why it failed, if it did."""

    path: Path
    drop: str
    rows: int
    code: str


def waiting_receipts(folder: Path) -> list[Waiting]:
    """Files in ``folder`` (``done`` or ``failed``) whose receipts are not written yet."""
    found = []
    for note in sorted(folder.glob(".*.waiting")) if folder.is_dir() else ():
        path = folder / note.name[1 : -len(".waiting")]
        try:
            told = json.loads(note.read_bytes())
        except (OSError, ValueError):
            continue
        if path.is_file():
            found.append(Waiting(path, str(told["drop"]), int(told["rows"]), str(told["code"])))
    return found


# --- out -------------------------------------------------------------------------------------------------------------


class FileSender:
    """Drops each message as ``NAME.json`` under a temporary name, renamed, then ``NAME.ok`` with its SHA-256."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, no: str, body: bytes) -> Outcome:
        """``sent``, never ``received``: a copied file proves nothing. A repeat writes the same bytes again."""
        name = "".join(mark if mark.isalnum() or mark in "-_" else "_" for mark in no)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._folder / f"{name}.json", body)
            write_whole(self._folder / f"{name}.ok", f"{hashlib.sha256(body).hexdigest()}\n".encode())
        except OSError:
            return Outcome("later", detail="file.folder")
        return Outcome("sent", detail="file.dropped")


class ReceiptFolder:
    """The folder where receipts of dropped files come in: ``{"message_no", "receipt_no", "at"}``, one or a list."""

    def __init__(self, folder: Path, min_age: float = 0.2) -> None:
        self._folder = folder
        self._min_age = min_age  # seconds since the last write: younger files may still be growing

    def waiting(self) -> list[tuple[Path, Rows]]:
        """Receipt files with their rows; one that is no receipt goes to ``failed/``."""
        found: list[tuple[Path, Rows]] = []
        for path in sorted(self._folder.glob("*.json")) if self._folder.is_dir() else ():
            if path.name.startswith(".") or path.is_symlink():
                continue
            try:
                rows = loads(path.read_bytes()) if path.stat().st_size < 1024 * 1024 else None
            except FileNotFoundError:
                continue
            except StrictJSONError:
                if time.time() - path.stat().st_mtime < self._min_age:
                    continue
                rows = None
            rows = [rows] if isinstance(rows, dict) else rows
            if isinstance(rows, list) and all(isinstance(row, dict) and row.get("message_no") for row in rows):
                found.append((path, rows))
            else:
                self.put_away(path, "failed")
        return found

    def put_away(self, path: Path, where: str = "done") -> None:
        """After its rows have landed."""
        target = self._folder / where
        target.mkdir(exist_ok=True)
        os.replace(path, target / path.name)
