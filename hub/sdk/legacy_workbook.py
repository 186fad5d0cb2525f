"""Workbooks in other forms (XLS, ET, XLSB, ODS), read by calamine, which holds a sheet whole: their size is bounded."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hub.sdk.cells import cell_of
from hub.sdk.csv_text import unwrapped
from hub.sdk.merges import Merges
from hub.sdk.reading import Findings, Line, refusal
from hub.sdk.workbook import SheetInfo, check_package

__all__ = ["LegacyWorkbook"]

MAX_UNPACKED_BYTES = 96 * 1024 * 1024
MAX_BYTES = 96 * 1024 * 1024
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


class LegacyWorkbook:
    """One file, its sheets as ``workbook.Workbook`` gives them. Hidden lines are given and cannot be told."""

    date1904 = False  # calamine has applied the file's own system already

    def __init__(self, path: Path) -> None:
        import python_calamine

        if path.stat().st_size > MAX_BYTES:
            raise refusal("file.too_large", path, f"at most {MAX_BYTES} bytes in this format")
        if zipfile.is_zipfile(path):
            check_package(path, MAX_UNPACKED_BYTES)
        else:
            with path.open("rb") as opened:
                if _ENCRYPTED in opened.read(64 * 1024):
                    raise refusal("file.encrypted", path, "the workbook is protected by a password")
        self._path = path
        self._errors = (python_calamine.CalamineError, OSError, ValueError, IndexError)
        try:
            self._book = python_calamine.CalamineWorkbook.from_path(str(path))
            self.sheets = [
                SheetInfo(number, info.name, info.name, "Visible" in str(info.visible))
                for number, info in enumerate(self._book.sheets_metadata, 1)
                if "WorkSheet" in str(info.typ)
            ]
        except self._errors as error:
            raise refusal("file.unreadable", path, "the workbook cannot be opened") from error

    def close(self) -> None:
        """Nothing is held open."""

    def merges(self, sheet: SheetInfo) -> Merges:
        """The merged cells of a sheet, where the format keeps them."""
        found = self._sheet(sheet).merged_cell_ranges or ()
        return Merges((top + 1, left, bottom + 1, right) for (top, left), (bottom, right) in found)

    def lines(self, sheet: SheetInfo, findings: Findings) -> Iterator[Line]:
        """The lines of a sheet, numbered as a spreadsheet shows them."""
        found = self._sheet(sheet)
        left = [None] * (found.start[1] if found.start else 0)  # calamine fills up the lines above, not the columns
        try:
            for number, cells in enumerate(found.iter_rows(), 1):
                yield number, [*left, *map(_cell, cells)]
        except self._errors as error:
            raise refusal("file.unreadable", self._path, "the sheet cannot be read") from error

    def _sheet(self, sheet: SheetInfo) -> Any:
        try:
            return self._book.get_sheet_by_name(sheet.part)
        except self._errors as error:
            raise refusal("file.unreadable", self._path, "the sheet cannot be opened") from error


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return unwrapped(value) if value[:1] in ("=", "'") else value or None
    return cell_of(value)
