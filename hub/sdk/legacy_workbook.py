"""Workbooks in other forms (XLS, ET, XLSB, ODS), read by calamine in a process that may fail.

calamine holds a sheet whole, as wide and long as its outermost cells: a damaged file of a few KiB can ask for gigabytes.
So it runs apart, ``python -m hub.sdk.legacy_workbook PATH [SHEET]``, under a limit of memory, and speaks in JSON lines.
"""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from hub.core.errors import PersonError
from hub.sdk.cells import cell_of
from hub.sdk.csv_text import unwrapped
from hub.sdk.merges import Merges
from hub.sdk.reading import Findings, Line, refusal
from hub.sdk.workbook import SheetInfo, check_package

__all__ = ["LegacyWorkbook"]

MAX_UNPACKED_BYTES = 96 * 1024 * 1024
MAX_BYTES = 96 * 1024 * 1024
MEMORY = 1024 * 1024 * 1024
"""Of the process that reads; a full sheet of 65,536 lines and 60 columns takes a third of it."""
SECONDS = 120
"""Of processor time."""
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_DESCRIPTOR = "/proc/self/fd/"


class LegacyWorkbook:
    """One file, its sheets as ``workbook.Workbook`` gives them. Hidden lines are given and cannot be told."""

    date1904 = False  # calamine has applied the file's own system already

    def __init__(self, path: Path) -> None:
        if path.stat().st_size > MAX_BYTES:
            raise refusal("file.too_large", path, f"at most {MAX_BYTES} bytes in this format")
        if zipfile.is_zipfile(path):
            check_package(path, MAX_UNPACKED_BYTES)
        else:
            with path.open("rb") as opened:
                if _ENCRYPTED in opened.read(64 * 1024):
                    raise refusal("file.encrypted", path, "the workbook is protected by a password")
        self._path = path
        told = list(self._told())
        self.sheets = [SheetInfo(number, name, str(number), visible) for number, name, visible, _ in told]
        self._merges = {number: areas for number, _, _, areas in told}

    def close(self) -> None:
        """Nothing is held open."""

    def merges(self, sheet: SheetInfo) -> Merges:
        """The merged cells of a sheet, where the format keeps them."""
        return Merges((*area,) for area in self._merges[sheet.number])

    def lines(self, sheet: SheetInfo, findings: Findings) -> Iterator[Line]:
        """The lines of a sheet, numbered as a spreadsheet shows them."""
        yield from self._told(sheet.part)

    def _told(self, *sheet: str) -> Iterator[Any]:
        """What the process says. Raises ``PersonError`` when it says that it cannot, or dies."""
        path = str(self._path)
        passed = (int(path.removeprefix(_DESCRIPTOR)),) if path.startswith(_DESCRIPTOR) else ()
        command = [sys.executable, "-I", "-X", "utf8", "-m", "hub.sdk.legacy_workbook", path, *sheet]
        apart = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pass_fds=passed, cwd="/", env={},
        )  # fmt: skip
        assert apart.stdout is not None
        try:
            for line in apart.stdout:
                yield orjson.loads(line)
            if apart.wait():
                raise self._refused(apart.returncode)
        except orjson.JSONDecodeError:
            raise self._refused(1) from None
        finally:
            apart.stdout.close()
            apart.kill()
            apart.wait()

    def _refused(self, code: int) -> PersonError:
        if code == 1:
            return refusal("file.unreadable", self._path, "the workbook is damaged")
        return refusal("file.too_large", self._path, "the workbook needs more memory or time than a reader may have")


def _sheets(book: Any) -> Iterator[Any]:
    """[number, name, visible, merged areas] of every sheet of lines."""
    for number, info in enumerate(book.sheets_metadata, 1):
        if "WorkSheet" in str(info.typ):
            merged = book.get_sheet_by_index(number - 1).merged_cell_ranges or ()
            areas = [[top + 1, left, bottom + 1, right] for (top, left), (bottom, right) in merged]
            yield [number, info.name, "Visible" in str(info.visible), areas]


def _lines(sheet: Any) -> Iterator[Any]:
    """[number, cells] of every line."""
    left = [None] * (sheet.start[1] if sheet.start else 0)  # calamine fills up the lines above, not the columns
    for number, cells in enumerate(sheet.iter_rows(), 1):
        yield [number, [*left, *map(_cell, cells)]]


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return unwrapped(value) if value[:1] in ("=", "'") else value or None
    return cell_of(value)


def main(path: str, sheet: str = "") -> int:
    """Say the sheets of a file, or the lines of one; 1: it cannot be read."""
    for kind, most in ((resource.RLIMIT_DATA, MEMORY), (resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):  # a lower one is in force already
            resource.setrlimit(kind, (most, most))
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_path(path)
        told = _lines(book.get_sheet_by_index(int(sheet) - 1)) if sheet else _sheets(book)
        for entry in told:
            sys.stdout.buffer.write(orjson.dumps(entry) + b"\n")
    except MemoryError:
        return 2
    except Exception:  # whatever a damaged file makes it raise
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
