"""XLSX workbooks, one line at a time in flat memory: cells by their meaning, formulas by their stored result only.

The parts are read with expat straight from the archive; nothing is unpacked to disk or held whole but the table of shared
texts (as packed UTF-8). Every line is given, hidden ones too: a filter left on must not lose a record.
"""

from __future__ import annotations

import zipfile
import zlib
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from xml.parsers import expat

from hub.sdk.cells import date_of_serial, is_date_format, number_of, time_kind
from hub.sdk.csv_text import unwrapped
from hub.sdk.merges import Merges, merges_in
from hub.sdk.reading import Findings, Line, refusal

__all__ = ["SheetInfo", "Workbook", "check_package"]

MAX_UNPACKED_BYTES = 2 * 1024 * 1024 * 1024
"""All parts together; they are streamed, so this bounds time and not memory. The sum is taken before anything is read."""
MAX_RATIO = 200
"""Real workbooks unpack 5-30 times; above this only if the whole stays small (``SMALL_BYTES``)."""
SMALL_BYTES = 16 * 1024 * 1024
MAX_TEXT_BYTES = 256 * 1024 * 1024
"""The table of shared texts, packed."""
MAX_COLUMNS = 2000
CHUNK = 128 * 1024

BROKEN = (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)
"""What the archive's reader raises for a damaged one."""

Start = Callable[[str, dict[str, str]], None]


class SheetInfo(NamedTuple):
    """One sheet: its number from 1, its name, the part that holds it, whether people see it."""

    number: int
    name: str
    part: str
    visible: bool


class Refused(Exception):
    """What is read is no XML as we accept it."""


def check_package(path: Path, most: int = MAX_UNPACKED_BYTES) -> None:
    """Refuse archive bombs before a reader unpacks anything. Raises ``PersonError`` ``file.too_large`` or ``.unreadable``."""
    try:
        with zipfile.ZipFile(path) as package:
            total = sum(part.file_size for part in package.infolist())
            if total > most or (total > SMALL_BYTES and total > MAX_RATIO * path.stat().st_size):
                raise refusal("file.too_large", path, "the workbook unpacks to too much")
    except BROKEN as error:
        raise refusal("file.unreadable", path, "the workbook is damaged or encrypted") from error


def _parser(start: Start, end: Callable[[str], None] | None = None) -> expat.XMLParserType:
    """A parser that refuses DOCTYPE, so that no entity of the file's own can exist."""

    def doctype(*_: object) -> None:
        raise Refused("XML with DOCTYPE is refused")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    return parser


def _local(name: str) -> str:
    return name.rpartition(":")[2]


class _Texts:
    """The table of shared texts: one buffer and the place where each ends."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._ends = array("Q", [0])

    def add(self, text: str) -> None:
        self._buffer += text.encode("utf-8", "replace")
        if len(self._buffer) > MAX_TEXT_BYTES:
            raise MemoryError
        self._ends.append(len(self._buffer))

    def __getitem__(self, index: int) -> str | None:
        if not 0 <= index < len(self._ends) - 1:
            return None
        return self._buffer[self._ends[index] : self._ends[index + 1]].decode()


class Workbook:
    """One XLSX file, open while it is read. Raises ``PersonError`` (``file.…``) for what it cannot be."""

    def __init__(self, path: Path) -> None:
        check_package(path)
        self._path = path
        self._package = zipfile.ZipFile(path)
        try:
            self.date1904 = False
            self.sheets = self._sheets()
            self._dates = self._formats()
            self._texts: _Texts | None = None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._package.close()

    def merges(self, sheet: SheetInfo) -> Merges:
        """The merged cells of a sheet; they stand behind its lines, so this reads through it once."""
        with self._open(sheet.part) as opened:
            return merges_in(opened)

    def lines(self, sheet: SheetInfo, findings: Findings) -> Iterator[Line]:
        """The filled lines of a sheet, in order, numbered as Excel shows them; what is odd goes into ``findings``."""
        if self._texts is None:
            self._texts = self._shared_texts()
        reader = _SheetReader(sheet.number, self._texts, self._dates, self.date1904, findings)
        with self._open(sheet.part) as opened:
            yield from self._pumped(opened, reader)
        reader.tell()

    def _pumped(self, opened: Any, reader: _SheetReader) -> Iterator[Line]:
        parser = reader.parser
        while piece := opened.read(CHUNK):
            self._parsed(parser, piece, False)
            while reader.ready:
                yield reader.ready.popleft()
        self._parsed(parser, b"", True)

    def _parsed(self, parser: expat.XMLParserType, piece: bytes, final: bool) -> None:
        try:
            parser.Parse(piece, final)
        except expat.ExpatError as error:
            raise refusal("file.unreadable", self._path, "the workbook is damaged") from error
        except Refused as error:
            raise refusal("file.unreadable", self._path, str(error)) from error

    def _open(self, part: str) -> Any:
        try:
            return _Guarded(self._package.open(part), self._path)
        except (KeyError, *BROKEN) as error:
            raise refusal("file.unreadable", self._path, "the workbook is damaged or encrypted") from error

    def _elements(self, part: str) -> list[tuple[str, dict[str, str]]]:
        """Every element of a small part, in order; none where the part is missing."""
        found: list[tuple[str, dict[str, str]]] = []
        if part not in self._package.namelist():
            return found
        if self._package.getinfo(part).file_size > SMALL_BYTES:
            raise refusal("file.too_large", self._path, "the workbook's own tables are too large")
        parser = _parser(lambda name, attributes: found.append((_local(name), attributes)))
        with self._open(part) as opened:
            self._parsed(parser, opened.read(), True)
        return found

    def _sheets(self) -> list[SheetInfo]:
        targets = {
            attributes.get("Id", ""): attributes.get("Target", "")
            for name, attributes in self._elements("xl/_rels/workbook.xml.rels")
            if name == "Relationship"
        }
        found: list[SheetInfo] = []
        for name, attributes in self._elements("xl/workbook.xml"):
            if name == "workbookPr":
                self.date1904 = attributes.get("date1904") in ("1", "true")
            if name == "sheet":
                link = next((value for key, value in attributes.items() if _local(key) == "id"), "")
                target = targets.get(link, "").lstrip("/")
                part = target if target.startswith("xl/") else f"xl/{target}"
                visible = attributes.get("state", "visible") == "visible"
                found.append(SheetInfo(len(found) + 1, attributes.get("name", ""), part, visible))
        return found

    def _formats(self) -> list[str]:
        """For each cell style: "" (a number), ``date``, ``time`` or ``duration``."""
        codes: dict[str, str] = {}
        styles: list[str] = []
        inside = ""
        for name, attributes in self._elements("xl/styles.xml"):
            if name == "numFmt":
                codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
            elif name in ("cellXfs", "cellStyleXfs", "dxfs", "cellStyles"):
                inside = name
            elif name == "xf" and inside == "cellXfs":
                number = attributes.get("numFmtId", "0")
                styles.append(is_date_format(int(number) if number.isdigit() else 0, codes.get(number, "")))
        return styles

    def _shared_texts(self) -> _Texts:
        texts = _Texts()
        part = "xl/sharedStrings.xml"
        if part not in self._package.namelist():
            return texts
        said: list[str] = []
        phonetic = False

        def start(name: str, _: dict[str, str]) -> None:
            nonlocal phonetic
            local = _local(name)
            if local == "si":
                said.clear()
            elif local == "rPh":
                phonetic = True
            elif local == "t" and not phonetic:
                parser.CharacterDataHandler = said.append

        def end(name: str) -> None:
            nonlocal phonetic
            local = _local(name)
            if local == "t":
                parser.CharacterDataHandler = None
            elif local == "rPh":
                phonetic = False
            elif local == "si":
                texts.add("".join(said))

        parser = _parser(start, end)
        with self._open(part) as opened:
            while piece := opened.read(CHUNK):
                self._parsed(parser, piece, False)
            self._parsed(parser, b"", True)
        return texts


class _Guarded:
    """A part of the archive; damage found while reading is a refusal of the file."""

    def __init__(self, opened: Any, path: Path) -> None:
        self._opened = opened
        self._path = path

    def __enter__(self) -> _Guarded:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def read(self, size: int = -1) -> bytes:
        try:
            data: bytes = self._opened.read(size)
        except (*BROKEN, zlib.error) as error:
            raise refusal("file.unreadable", self._path, "the workbook is damaged") from error
        return data


class _SheetReader:
    """The events of one sheet's XML → lines in ``ready``."""

    def __init__(self, sheet: int, texts: _Texts, dates: list[str], date1904: bool, findings: Findings) -> None:
        self.ready: deque[Line] = deque()
        self._sheet = sheet
        self._texts = texts
        self._dates = dates
        self._date1904 = date1904
        self._findings = findings
        self._prefix = ""
        self._line = 0
        self._cells: list[Any] = []
        self._columns: dict[str, int] = {}
        self._at, self._kind, self._style, self._formula = 0, "", "", False
        self._said: list[str] = []
        self._is_hidden = False
        self._hidden_columns = 0
        self.parser = _parser(self._root)

    def tell(self) -> None:
        """What was seen of the sheet as a whole."""
        if self._hidden_columns:
            self._findings.add("file.hidden_columns", sheet=self._sheet, count=self._hidden_columns)

    def _root(self, name: str, attributes: dict[str, str]) -> None:
        """The first element tells the prefix of all names."""
        self._prefix = name[: -len(_local(name))] if ":" in name else ""
        prefix = self._prefix
        self._names = {prefix + local: local for local in ("row", "c", "v", "t", "f", "col", "rPh")}
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = self._names.get(name)
        if local is None:
            return
        if local == "c":
            place = attributes.get("r")
            self._at = self._column(place) if place else self._at + 1
            self._kind = attributes.get("t", "n")
            self._style = attributes.get("s", "")
            self._formula = False
            self._said.clear()
        elif local in ("v", "t"):
            self.parser.CharacterDataHandler = self._said.append
        elif local == "row":
            number = attributes.get("r", "")
            self._line = int(number) if number.isdigit() else self._line + 1
            self._cells = []
            self._at = -1
            self._is_hidden = attributes.get("hidden") in ("1", "true")
        elif local == "f":
            self._formula = True
        elif local == "col" and attributes.get("hidden") in ("1", "true"):
            first, last = attributes.get("min", "1"), attributes.get("max", "1")
            if first.isdigit() and last.isdigit() and int(last) <= MAX_COLUMNS:
                self._hidden_columns += int(last) - int(first) + 1

    def _end(self, name: str) -> None:
        local = self._names.get(name)
        if local == "c":
            value = self._value()
            if value is not None:
                cells, at = self._cells, min(self._at, MAX_COLUMNS)
                if at >= len(cells):
                    cells.extend([None] * (at + 1 - len(cells)))
                cells[at] = value
        elif local in ("v", "t"):
            self.parser.CharacterDataHandler = None
        elif local == "row" and self._cells:
            if self._is_hidden:
                self._findings.add("file.hidden_rows", self._line, self._sheet)
            self.ready.append((self._line, self._cells))

    def _column(self, place: str) -> int:
        letters = place.rstrip("0123456789")
        found = self._columns.get(letters)
        if found is None:
            found = 0
            for letter in letters[:3]:
                found = found * 26 + ord(letter) - 64
            found = self._columns[letters] = max(found - 1, 0)
        return found

    def _value(self) -> Any:
        said, kind = self._said, self._kind
        if not said:
            if self._formula:
                self._findings.add("file.formula_empty", self._line, self._sheet)
            return None
        text = said[0] if len(said) == 1 else "".join(said)
        if kind == "s":
            found = self._texts[int(text)] if text.isdigit() else None
            return unwrapped(found) if found and found[0] in "='" else found
        if kind == "n":
            return self._number(text)
        if kind == "b":
            return text.strip() in ("1", "true")
        if kind == "e":
            self._findings.add("file.formula_error", self._line, self._sheet)
            return None
        return unwrapped(text) if text[0] in "='" else text

    def _number(self, text: str) -> Any:
        style = int(self._style) if self._style.isdigit() else 0
        kind = self._dates[style] if style < len(self._dates) else ""
        try:
            number = float(text)
        except ValueError:
            return text
        if kind == "duration":
            return str(timedelta(days=number)) if abs(number) < 1e6 else number_of(number)
        if kind:
            found = date_of_serial(number, kind, date1904=self._date1904)
            if isinstance(found, datetime):
                return found.isoformat(sep=" ")
            return time_kind(found) if found is not None else number_of(number)
        return number_of(number)
