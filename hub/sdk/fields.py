"""Fields: which column of a unit goes where in a draft, under either header, and under the unit's own name for it.

A column is known by its English name and its Chinese header; IT staff may add a third one, the unit's own header
(``renames``). Headers are compared folded: NFKC, without byte order mark, white space and case.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from hub.core.codes import CODES
from hub.core.dates import EMPTY_WORDS

EMPTY = EMPTY_WORDS | {None}
"""Cells that state nothing. ``normalise`` judges facts (无 is an answer of some tables); here only persons and numbers."""

UNSTATED_SEX = EMPTY | {"0", "9"}
"""Sex as given for somebody nobody knows: alone it makes no person."""

PERSON_COLUMNS: tuple[tuple[str, str, str], ...] = (
    # English column, Chinese header, attribute of records.Person; the order in which a plan reads them
    ("name", "姓名", "name"),
    ("id_type", "证件类型", "id_type"),
    ("id_number", "证件号码", "id_number"),
    ("sex", "性别", "sex"),
    ("birth_date", "出生日期", "born"),
    ("phone", "联系电话", "phone"),
    ("address", "住址", "address"),
    ("capacity", "民事行为能力", "capacity"),
)

EXACT = 1e15
"""Whole numbers below this survive as a float with all their digits."""

TARGETS = (
    "key",
    "updated_at",
    "deleted",
    "related",
    "drop",
    "finish",
    "fact:NAME",
    "text:NAME",
    "person:ROLE.ATTRIBUTE",
)
"""Where a field may go. ``drop`` is known and not needed; ``finish`` is read only by the stream's own hook."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a stream and where it goes; a column with two purposes stands in two fields.

    ``name`` is the English column, ``header`` the Chinese one (empty: none), ``to`` one of TARGETS. ``codes`` names a
    table of CODES when this stream numbers its codes differently from the table that the kind's schema names: its
    numbers and words become our words; a unit with codes of its own gives them here, their code = our word. ``block``
    tells apart two persons of one role in one row.
    """

    name: str
    header: str
    to: str
    codes: str | Mapping[str, str] = ""
    block: str = ""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one stream by folded header, made once per stream and set of renames."""

    own: Mapping[str, str]  # folded English name or Chinese header → English column
    renamed: Mapping[str, tuple[str, ...]]  # folded header of the unit → English columns it was given to

    def columns_of(self, header: object) -> tuple[tuple[str, ...], bool]:
        """English columns that ``header`` feeds, and whether by a rename; a rename takes the header away from us."""
        folded = fold(header)
        if given := self.renamed.get(folded):
            return given, True
        column = self.own.get(folded)
        return ((column,) if column else ()), False


def person_block(prefix: str, zh: str, role: str, without: Sequence[str] = ()) -> tuple[Field, ...]:
    """The person block under ``prefix`` (English, no underscore) and ``zh``: ``victim_name`` = 受害人姓名 …

    ``without`` names English columns that this unit must not send (a shelter: ``address``).
    """
    return tuple(
        Field(f"{prefix}_{column}", f"{zh}{header}", f"person:{role}.{attribute}", block=prefix)
        for column, header, attribute in PERSON_COLUMNS
        if column not in without
    )


@lru_cache(maxsize=16384)
def _fold(header: str) -> str:
    text = unicodedata.normalize("NFKC", header).replace("\ufeff", "").replace("\u200b", "")
    return "".join(text.split()).casefold()


def fold(header: object) -> str:
    """The header as it is compared: NFKC, no byte order mark, no white space, case folded."""
    return _fold(header if isinstance(header, str) else str(header))


def rename_columns(own: Mapping[str, str], renames: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    """Folded headers of the unit → English columns; ``renames`` is our name (中文 or English) = their header.

    A name that is no column of ours is left out: ``unknown_names`` tells which.
    """
    found: dict[str, tuple[str, ...]] = {}
    for ours, theirs in renames.items():
        column = own.get(fold(ours))
        if column:
            found[fold(theirs)] = (*found.get(fold(theirs), ()), column)
    return found


def unknown_names(own: Mapping[str, str], renames: Mapping[str, str]) -> list[str]:
    """Left-hand sides of ``renames`` that name no column of this stream."""
    return [ours for ours in renames if fold(ours) not in own]


def label(columns: Iterable[Sequence[str]], key: Sequence[str], renames: Mapping[str, str]) -> Callable[[str], str]:
    """A column or fact that a problem names → how the unit calls it: by its rename, its Chinese header, or as it is.

    ``columns``: (English name, Chinese header, target) of each; ``key``: the columns of the unit's own number.
    """
    theirs = {fold(ours): given for ours, given in renames.items()}
    names: dict[str, str] = {}
    for name, header, to in columns:
        told = theirs.get(fold(name)) or theirs.get(fold(header)) or header or name
        names.setdefault(to.partition(":")[2], told)
        names[name] = told
    names["key"] = " / ".join(names[part] for part in key)
    return lambda field: names.get(field, field)


def offered(codes: str | Mapping[str, str], table: str = "") -> str:
    """What a unit may send in a column with codes of its own, as a remedy lists it: each code, then what it means here.

    ``table``: the table of ours that their codes become words of.
    """
    if isinstance(codes, str):
        return "; ".join(" ".join(dict.fromkeys(filter(None, code))) for code in CODES[codes])
    meant: dict[str, list[str]] = {}
    for theirs, ours in codes.items():
        meant.setdefault(ours, []).append(theirs)
    chinese = {word: zh for _, zh, word in CODES.get(table, ())}
    return "; ".join(
        " ".join([*theirs, "=", *filter(None, [chinese.get(ours)]), ours]) for ours, theirs in meant.items()
    )


_SEPARATOR = re.compile(r"[;；,，、|\n]+")


def split_list(cell: object) -> list[str]:
    """The entries of a cell with several values (``;`` or 、 between, or a JSON list), trimmed, empty words left out."""
    entries = cell if isinstance(cell, (list, tuple)) else _SEPARATOR.split(cell_text(cell))
    texts = [cell_text(entry) for entry in entries]
    return [text for text in texts if is_stated(text)]


def cell_text(cell: object) -> str:
    """A cell as trimmed text; what is no text and no number is empty.

    A whole float (as a spreadsheet gives numbers) loses its fraction, unless it is too large to have kept its digits:
    then it stays as it is, and is found to be ruined.
    """
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < EXACT:
        return str(int(cell))
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return str(cell)
    return ""


def is_stated(cell: object) -> bool:
    """Whether the cell says anything: not None, blank or one of the words for nothing (无, -, 不详 …)."""
    return cell_text(cell).casefold() not in EMPTY
