"""Where a table's header is, what its columns are called, and which lines around the records are none.

Title lines stand above a header, a header may have up to three lines (甲方 over 姓名 and 证件号码), totals and signatures
stand below. The header is found by the columns the stream knows; without any it is the first line that looks like one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.sdk.reading import Line, refusal

__all__ = ["SCANNED", "Known", "Layout", "find_layout", "is_blank", "leftover_of"]

Known = Callable[[str], bool]
"""Whether the stream has a column under this header, in either language or by a rename."""

SCANNED = 40
"""Lines among which a header is looked for."""
DEPTH = 3
"""Lines a header may have."""
COUNTED = 5
"""Numbers in a row that are no accident."""
BLANK = " \t\r\n\ufeff\u3000\xa0\u200b"
TITLE_SHARE = 0.6
"""Without known columns: a header fills so much of the widest line."""

_TOTAL = re.compile(r"(?:本页|本月|本季|本年|全年|全区|以上|分类)?(?:合计|总计|小计|共计|累计|总数|总和)(?:[:(].*|\d*[条人户例件起]?|数)?|共\d+[条件人户例起]|(?:sub)?total:?|sum:?", re.I)  # fmt: skip
_SIGNATURE = re.compile(
    r"(?:制表|填表|填报|审核|复核|审批|负责|报送|上报|联系|打印|导出|统计|备注|说明|注|附注)(?:单位|部门|机关|负责人|责任人|经办人|领导|人|时间|日期|电话)?\s*[:：].*"
)
_EXAMPLE = frozenset({"示例", "例", "样例", "例如", "填写示例", "示范", "example"})
_LEFTOVER_CELLS = 4
"""A signature line has a few cells; a record whose first cell begins like one has many."""


@dataclass(frozen=True)
class Layout:
    """The header: its last line, and a name (or nothing) for each column."""

    last_line: int
    names: list[str]
    lines: list[list[str]]  # as read, to know them again where a print repeats them on each page

    def known(self, known: Known | None) -> int:
        """How many different columns of the stream it names."""
        return len({fold_header(name) for name in self.names if name and known and known(name)})


def is_blank(cells: Sequence[Any]) -> bool:
    """Whether a line says nothing."""
    return all(cell is None or (isinstance(cell, str) and not cell.strip(BLANK)) for cell in cells)


def fold_header(name: str) -> str:
    """A header as two are compared."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def header_text(cell: Any) -> str:
    """A header cell as one line of text, without the line breaks and spaces that make it look good."""
    text = "" if cell is None else str(cell).strip(BLANK)
    return " ".join(part.strip(BLANK) for part in text.splitlines()) if "\n" in text or "\r" in text else text


def find_layout(lines: Sequence[Line], known: Known | None, path: Path, header_row: int, header_rows: int) -> Layout:
    """The header among the first lines of a table.

    ``header_row`` and ``header_rows``: its first line and how many it has, as configured; 0: to be found. Raises
    ``PersonError`` ``file.header`` when there is none.
    """
    if header_row:
        chosen = [line for line in lines if line[0] >= header_row][: max(header_rows, 1)]
        if not chosen or chosen[0][0] != header_row:
            raise refusal("file.header", path, f"no header in line {header_row}")
        layout = _composed(chosen, known)
    else:
        filled = [line for line in lines if not is_blank(line[1])][:SCANNED]
        layout = _by_known(filled, known, header_rows) or _by_look(filled, header_rows, known)
    if not any(layout.names):
        raise refusal("file.header", path, "no line that could be a header")
    return layout


def _by_known(lines: Sequence[Line], known: Known | None, header_rows: int) -> Layout | None:
    best, most = None, 0
    depths = (header_rows,) if header_rows else range(1, DEPTH + 1)
    for depth in depths:
        for start in range(len(lines) - depth + 1):
            layout = _composed(lines[start : start + depth], known)
            score = layout.known(known)
            width = sum(1 for name in layout.names if name)
            if score > most and (score > 1 or width <= 2):
                best, most = layout, score
    return best


def _by_look(lines: Sequence[Line], header_rows: int, known: Known | None) -> Layout:
    """The first line of texts that is nearly as wide as the widest; else the first line."""
    widest = max((_filled(cells) for _, cells in lines), default=0)
    for index, (_, cells) in enumerate(lines):
        if _filled(cells) >= TITLE_SHARE * widest and all(_is_name(cell) for cell in cells if not is_blank([cell])):
            return _composed(lines[index : index + max(header_rows, 1)], known)
    return _composed(lines[: max(header_rows, 1)], known) if lines else Layout(0, [], [])


def _filled(cells: Sequence[Any]) -> int:
    return sum(1 for cell in cells if not is_blank([cell]))


def _is_name(cell: Any) -> bool:
    return isinstance(cell, str) and not re.fullmatch(r"[\d\s./:,-]+", cell)


def _composed(lines: Sequence[Line], known: Known | None) -> Layout:
    """One name a column from one to three lines; an upper label holds to the next one on its line."""
    texts = [[header_text(cell) for cell in cells] for _, cells in lines]
    width = max((len(line) for line in texts), default=0)
    rows = [line + [""] * (width - len(line)) for line in texts]
    for level, above in enumerate(rows[:-1]):
        label = ""
        for column, text in enumerate(above):
            label = text or label
            below = any(row[column] for row in rows[level + 1 :])
            above[column] = label if below else text
    names = [_name([row[column] for row in rows], known) for column in range(width)]
    while names and not names[-1]:
        names.pop()
    return Layout(lines[-1][0] if lines else 0, names, texts)


def _name(parts: list[str], known: Known | None) -> str:
    """甲方 over 姓名 is 甲方姓名; a group's title over a column's own name is that name, if only it is known."""
    told = list(dict.fromkeys(part for part in parts if part))
    joined = "".join(told)
    if len(told) > 1 and known:
        return next((name for name in (joined, told[-1], *told[:-1]) if known(name)), joined)
    return joined


def leftover_of(cells: Sequence[Any], layout: Layout, number: int) -> str:
    """The finding's code when a line below the header is no record: a total, a signature, an example, the header again."""
    first = next((cell for cell in cells if not is_blank([cell])), None)
    if number == layout.last_line + 1 and len(cells) >= COUNTED and _counts_columns(cells):
        return "file.column_numbers"
    if not isinstance(first, str):
        return ""
    text = "".join(unicodedata.normalize("NFKC", first).split())
    if _TOTAL.fullmatch(text):
        return "file.totals"
    if _SIGNATURE.fullmatch(text) and (_filled(cells) <= _few(layout) or _all_signatures(cells)):
        return "file.signature"
    if text.casefold() in _EXAMPLE:
        return "file.example"
    return "file.header_again" if _trimmed(map(header_text, cells)) in map(_trimmed, layout.lines) else ""


def _few(layout: Layout) -> int:
    return min(_LEFTOVER_CELLS, max(1, len(layout.names) // 2))


def _all_signatures(cells: Sequence[Any]) -> bool:
    texts = ("".join(unicodedata.normalize("NFKC", str(cell)).split()) for cell in cells if not is_blank([cell]))
    return all(_SIGNATURE.fullmatch(text) for text in texts)


def _counts_columns(cells: Sequence[Any]) -> bool:
    """1, 2, 3 … under the header, as forms have it."""
    return [str(cell) for cell in cells] == [str(number) for number in range(1, len(cells) + 1)]


def _trimmed(texts: Iterable[str]) -> list[str]:
    found = list(texts)
    while found and not found[-1]:
        found.pop()
    return found
