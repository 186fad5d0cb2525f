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
from itertools import chain, count, islice
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from hub.core.errors import CredentialsError, PersonError, RetryError
from hub.sdk.headers import Known
from hub.sdk.outcome import Outcome
from hub.sdk.places import LocalPlace, Look, Place, folder_error
from hub.sdk.reading import Marks, Reading
from hub.sdk.receipts import is_faulty, receipt_files, with_lines
from hub.sdk.returned import returned_file
from hub.sdk.strictjson import StrictJSONError, dumps, loads
from hub.sdk.tabular import FOUND, MAX_FILE_BYTES, Form, read_rows

__all__ = ["FileSender", "FolderSource", "ReceiptFolder", "Waiting", "waiting_receipts"]

Rows = list[dict[str, Any]]

UNFINISHED = (".tmp", ".part", ".ok", ".crdownload")
SEALED = b"HUBFILE1"
"""How a file begins that only its receiver can open."""
RECEIPTS = (".receipt.json", ".receipt.csv", ".receipt.xlsx")
SETTLE = timedelta(milliseconds=500)
"""Between two looks at a file nobody has looked at before; one that still grows waits for the next poll."""


@dataclass(kw_only=True)
class FolderSource:
    """One ``files`` stream. Kept between polls: it remembers what it saw at the last look."""

    folder: str | Path
    place: Place = field(default_factory=LocalPlace)
    pattern: str = "*"
    form: Form = FOUND
    known: Known | None = None
    ready: str = "stable"  # stable, ok-file or rename
    done: str | Path = ""  # empty: ``done`` in the folder
    failed: str | Path = ""
    settle: timedelta = SETTLE
    rows_per_page: int = 2000
    max_bytes: int = MAX_FILE_BYTES
    stop: Event = field(default_factory=Event)
    look: bool = False  # read only: every file stays where it is
    statement: str = ""  # name of the file that speaks of a whole day, with ``{day}`` in it: no data file
    seen: dict[str, Look] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder = str(self.folder)
        self.done = str(self.done or f"{self.folder}/done")
        self.failed = str(self.failed or f"{self.folder}/failed")

    def pages(self, cursor: str | None) -> Iterator[tuple[Rows, str | None]]:
        """Pages of every ready file, oldest first; resumes in mid-file at ``cursor``.

        Raises ``PersonError`` (``files.folder``) at once, and the first file's own error after all others are done.
        """
        first_error: PersonError | None = None
        with self.place.session():
            for name, look in self._ready_files():
                try:
                    yield from self._file(name, look, cursor)
                except PersonError as error:
                    first_error = first_error or error
        if first_error is not None:
            raise first_error

    def probe(self) -> int:
        """How many files lie ready; nothing is moved."""
        with self.place.session():
            return len(self._candidates(self._files()))

    def close(self) -> None:
        """Nothing is held open between two reads."""

    def waiting(self) -> list[Waiting]:
        """Moved files whose receipts are not written yet."""
        with self.place.session():
            return [due for where in (self.done, self.failed) for due in _waiting(self.place, str(where))]

    def answer(self, path: str, receipt: Mapping[str, Any], label: Callable[[str], str]) -> None:
        """Write the receipts of a moved file beside it, and its faulty rows as a file of their own.

        ``label`` is the department's name of a column. Raises ``RetryError`` when the folder cannot be written.
        """
        folder, _, name = path.rpartition("/")
        with self.place.session():
            told = json.loads(self.place.read(folder, f".{name}.waiting"))
            whole = with_lines(receipt, Marks(told.get("marks", ())), told.get("notes", ()))
            if given := self._given_back(folder, name, whole["rows"]):
                self.place.write(folder, *given)
                whole["returned"] = given[0]
            for suffix, content in receipt_files(name, whole, label, str(told["code"])).items():
                self.place.write(folder, f"{name}{suffix}", content)
            self.place.remove(folder, f".{name}.waiting")

    def _file(self, name: str, look: Look, cursor: str | None) -> Iterator[tuple[Rows, str | None]]:
        with self.place.local(str(self.folder), name, self.max_bytes) as path:
            digest = _sha256(path)
            drop = _drop(digest, look)
            landed = _row_in(cursor, drop)
            row = 0
            rows = Reading()
            try:
                self._check_digest(name, digest)
                rows = self._read(path, name)
                row = sum(1 for _ in islice(rows, landed))
                while page := list(islice(rows, self.rows_per_page)):
                    row += len(page)
                    yield page, f"{drop}:{row}"
            except PersonError as error:
                self._move(name, str(self.failed), _note(drop, max(row, landed), rows, error.code))
                raise
        self._move(name, str(self.done), _note(drop, row, rows))

    def _read(self, path: Path, name: str) -> Reading:
        return read_rows(path, self.form, known=self.known, max_bytes=self.max_bytes, name=name)

    def _check_digest(self, name: str, digest: str) -> None:
        """The ``.ok`` file, where it holds a digest, must hold this one."""
        if self.ready != "ok-file" or (ok := _ok_file(name, self._files())) is None:
            return
        text = self.place.read(str(self.folder), ok)[:200].decode("ascii", "replace").lower().split()
        told = next((word for word in text if len(word) == 64), "")
        if told and told != digest:
            raise PersonError(f"{name}: its digest differs from the one sent", code="file.digest")

    def _given_back(self, folder: str, name: str, rows: Rows) -> tuple[str, bytes] | None:
        if not any(map(is_faulty, rows)):
            return None
        try:
            with self.place.local(folder, name, self.max_bytes) as path:
                return returned_file(name, self._read(path, name), rows)
        except PersonError:  # it cannot be read to its end: the receipt says so
            return None

    def _move(self, name: str, target: str, note: dict[str, Any]) -> None:
        """Into ``done`` or ``failed``, with the note first: after a kill between the two the move is simply repeated."""
        if self.look:
            return
        try:
            there = self.place.files(target)
        except FileNotFoundError:
            there = {}
        stem, suffix = Path(name).stem, Path(name).suffix
        names = chain([name], (f"{stem}~{number}{suffix}" for number in count(2)))
        new = next(candidate for candidate in names if candidate not in there)
        ok = _ok_file(name, self._files())
        self.place.write(target, f".{new}.waiting", dumps(note))
        self.place.move(str(self.folder), name, target, new)
        if ok is not None and self.ready == "ok-file":
            self.place.move(str(self.folder), ok, target, f"{new}.ok")
        self.seen.pop(name, None)

    def _files(self) -> dict[str, Look]:
        try:
            return self.place.files(str(self.folder))
        except OSError as error:
            raise folder_error(error) from error

    def _candidates(self, files: Mapping[str, Look]) -> dict[str, Look]:
        return {name: look for name, look in files.items() if self._is_candidate(name)}

    def _is_candidate(self, name: str) -> bool:
        if name.startswith((".", "~$")) or name.lower().endswith(UNFINISHED + RECEIPTS):
            return False
        if self.statement and fnmatchcase(name, self.statement.replace("{day}", "*")):
            return False
        return fnmatchcase(name, self.pattern)

    def _ready_files(self) -> list[tuple[str, Look]]:
        files = self._files()
        found = self._candidates(files)
        if self.look:
            return sorted(found.items())
        if self.ready == "ok-file":
            found = {name: look for name, look in found.items() if _ok_file(name, files) is not None}
        elif self.ready != "rename":
            found = self._stable(found)
        return sorted(found.items(), key=lambda entry: (entry[1].mtime_ns, entry[0]))

    def _stable(self, now: dict[str, Look]) -> dict[str, Look]:
        """Files that look alike at two looks: this one and the last poll's, or this one and one a little later."""
        fresh = [name for name in now if name not in self.seen]
        earlier, self.seen = self.seen, now
        if fresh and not self.stop.wait(self.settle.total_seconds()):
            earlier = {**earlier, **{name: now[name] for name in fresh}}
            self.seen = self._candidates(self._files())
        return {name: look for name, look in self.seen.items() if earlier.get(name) == look}


def _note(drop: str, rows: int, reading: Reading, code: str = "") -> dict[str, Any]:
    """What the receipt of a file needs to know of its reading; no value of the file."""
    told = {"marks": reading.marks.to_json(), "notes": reading.findings.to_json()}
    return {"drop": drop, "rows": rows, "code": code, **told}


def _ok_file(name: str, files: Mapping[str, Look]) -> str | None:
    return next((ok for ok in (f"{name}.ok", f"{Path(name).stem}.ok") if ok in files), None)


def _sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _drop(digest: str, look: Look) -> str:
    """The name of this very file: content, inode and time of change of its content (a move keeps all three)."""
    return hashlib.sha256(f"{digest} {look}".encode()).hexdigest()[:32]


def _row_in(cursor: str | None, drop: str) -> int:
    """How many rows of this drop have landed by ``cursor``."""
    name, _, row = (cursor or "").partition(":")
    return int(row) if name == drop and row.isdigit() else 0


# --- receipts beside a file ------------------------------------------------------------------------------------------


class Waiting(NamedTuple):
    """A moved file whose receipt is due: the pages of ``drop`` hold its rows; ``code`` says why it failed, if it did."""

    path: str
    drop: str
    rows: int
    code: str


def waiting_receipts(folder: Path) -> list[Waiting]:
    """Files in a folder of this machine (``done`` or ``failed``) whose receipts are not written yet."""
    return _waiting(LocalPlace(), str(folder))


def _waiting(place: Place, folder: str) -> list[Waiting]:
    try:
        files = place.files(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = []
    for note in sorted(name for name in files if name.startswith(".") and name.endswith(".waiting")):
        name = note[1 : -len(".waiting")]
        try:
            told = json.loads(place.read(folder, note))
        except (OSError, ValueError):
            continue
        if name in files:
            found.append(Waiting(f"{folder}/{name}", str(told["drop"]), int(told["rows"]), str(told["code"])))
    return found


# --- out -------------------------------------------------------------------------------------------------------------


class FileSender:
    """Drops each message as ``NAME.json`` (a sealed one as ``NAME.sealed``) under a temporary name, renamed, then
    ``NAME.ok`` with its SHA-256."""

    def __init__(self, folder: str | Path, place: Place | None = None) -> None:
        self._folder = str(folder)
        self._place = place or LocalPlace()

    def send(self, no: str, body: bytes) -> Outcome:
        """``sent``, never ``received``: a copied file proves nothing. A repeat writes the same bytes again."""
        name = "".join(mark if mark.isalnum() or mark in "-_" else "_" for mark in no)
        try:
            with self._place.session():
                self._place.write(self._folder, f"{name}.{'sealed' if body.startswith(SEALED) else 'json'}", body)
                self._place.write(self._folder, f"{name}.ok", f"{hashlib.sha256(body).hexdigest()}\n".encode())
        except CredentialsError as error:
            return Outcome("later", detail=f"credentials.{error.code}")
        except RetryError as error:
            return Outcome(
                "later", detail="file.folder" if error.code == "files.busy" else error.code, after=error.after
            )
        except PersonError as error:
            return Outcome("refused", detail=error.code)
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
