"""Text files: which encoding, which delimiter, and their lines as cells. Nothing is ever held whole.

The ladder: byte order mark (UTF-8, UTF-16: what Excel calls *Unicode text*), UTF-8, GB18030. A file that is UTF-8 but for
a few broken bytes is refused and not read as GB18030, which would take almost any bytes and make nonsense of them.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from hub.sdk.reading import Line, refusal

__all__ = ["MAX_LINE_CHARS", "bounded_lines", "csv_lines", "encoding_of", "text_encoding", "unwrapped"]

MAX_LINE_CHARS = 4 * 1024 * 1024
CHUNK = 256 * 1024
DELIMITERS = ",\t;|"
LOOKED_AT = 40
"""Lines that say what the delimiter is."""
SURE = 8
"""So many characters beyond ASCII that decode as UTF-8 are no accident."""
_DECLARED = re.compile(r"sep=(.)\s*")
_AS_TEXT = re.compile(r'="([^"]*)"')
_GUARDED = frozenset("=+-@\t\r\n＝＋－＠0123456789")


def encoding_of(path: Path) -> str:
    """The codec of a text file, by its mark or by decoding all of it once. Raises ``PersonError`` ``file.encoding``."""
    with path.open("rb") as opened:
        head = opened.read(4096)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\x00" in head:
        for name, mark in (("utf-16-le", b"\n\x00"), ("utf-16-be", b"\x00\n")):
            if mark in head and _decoded(path, name) < 0:
                return name
        raise refusal("file.encoding", path, "neither UTF-8, UTF-16 nor GB18030")
    good = _decoded(path, "utf-8-sig")
    if good < 0:
        return "utf-8-sig"
    if good < SURE and _decoded(path, "gb18030") < 0:
        return "gb18030"
    why = "UTF-8 with broken bytes" if good >= SURE else "neither UTF-8, UTF-16 nor GB18030"
    raise refusal("file.encoding", path, why)


def _decoded(path: Path, name: str) -> int:
    """-1: all of it decodes; else how many characters beyond ASCII did before the first that does not."""
    decoding = codecs.getincrementaldecoder(name)()
    count = 0
    piece = b""
    try:
        with path.open("rb") as opened:
            while piece := opened.read(CHUNK):
                if b"\x00" in piece and not name.startswith("utf-16"):
                    return 0
                text = decoding.decode(piece)
                count = count if count >= SURE or text.isascii() else count + sum(ord(mark) > 127 for mark in text)
            decoding.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return count + sum(ord(mark) > 127 for mark in error.object[: error.start].decode(name, "ignore"))
    return -1


def text_encoding(path: Path, encoding: str) -> str:
    """The codec to open ``path`` with, found or as configured. Raises ``PersonError`` ``file.encoding``."""
    if encoding in ("", "auto"):
        return encoding_of(path)
    try:
        found = codecs.lookup(encoding).name
    except LookupError as error:
        raise refusal("file.encoding", path, "unknown encoding configured") from error
    found = "gb18030" if found in ("gbk", "gb2312") else found
    return "utf-8-sig" if found == "utf-8" else found


def bounded_lines(opened: Any, path: Path) -> Iterator[str]:
    """Lines of an open text file. Raises ``PersonError`` ``file.line_too_long``."""
    while line := opened.readline(MAX_LINE_CHARS):
        if len(line) >= MAX_LINE_CHARS:
            raise refusal("file.line_too_long", path, f"a line of {MAX_LINE_CHARS} characters or more")
        yield line


def csv_lines(path: Path, encoding: str, delimiter: str) -> Iterator[Line]:
    """Lines as a spreadsheet numbers them (a cell with line breaks is one line). Raises ``PersonError``."""
    try:
        with path.open(encoding=encoding, newline="") as opened:
            lines = bounded_lines(opened, path)
            first = list(islice(lines, LOOKED_AT))
            declared = _DECLARED.fullmatch(first[0].strip("\ufeff\r\n")) if first else None
            found = delimiter or (declared.group(1) if declared else _delimiter(first))
            reader = csv.reader(chain(first, lines), delimiter=found, strict=True)
            for number, cells in enumerate(reader, 1):
                if number == 1 and declared:
                    continue
                yield number, [unwrapped(cell) if cell[:1] in ("=", "'") else cell for cell in cells]
    except (csv.Error, UnicodeError) as error:
        raise refusal("file.unreadable", path, "not a CSV file in the declared encoding") from error


def _delimiter(lines: list[str]) -> str:
    """The mark that cuts the most lines into equally many cells: titles and sentences have commas of their own."""

    def weight(mark: str) -> tuple[int, int]:
        widths: Counter[int] = Counter()
        reader = csv.reader(lines, delimiter=mark, strict=True)
        try:
            widths.update(len(cells) for cells in reader if len(cells) > 1)
        except csv.Error:
            if reader.line_num < len(lines):  # else the last of these lines ends within a cell
                return -1, 0
        return max(((often, width) for width, often in widths.items()), default=(0, 0))

    return max(DELIMITERS, key=weight)


def unwrapped(cell: str) -> str:
    """A cell without what somebody put around it to keep a spreadsheet from changing it: ``="001"``, ``'001``."""
    match = _AS_TEXT.fullmatch(cell)
    if match:
        return match.group(1)
    return cell[1:] if cell[:1] == "'" and cell[1:2] in _GUARDED and len(cell) > 1 else cell
