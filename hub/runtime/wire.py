"""Frames between the hub and a connector's process, and the values in them.

A frame is ``<total u32><head u32><blobs u16><blob u32>…`` (big-endian), a JSON object as head, then the blobs. Values are
JSON alone: reading a frame never runs anything and never makes an object that was not asked for; what JSON does not
have (a date, a tuple) travels tagged. The drafts of one page are one frame, and a source row is sent once, in its page.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import Any, NamedTuple

import orjson

from hub.core.errors import HubError
from hub.core.freight import Drafts
from hub.core.problems import remedy_of
from hub.core.records import SHANGHAI, Closing, Draft, Key, Owed, Person, Problem, StreamKey
from hub.sdk.plan import encode_row
from hub.sdk.tabular import ROW_PROBLEM

__all__ = [
    "BrokenFrameError",
    "Frame",
    "Undecoded",
    "coded",
    "drafts_from_wire",
    "drafts_to_wire",
    "owed_from_wire",
    "owed_to_wire",
    "pack",
    "receive",
    "send",
    "unpack",
    "worn",
]

_HEAD = struct.Struct(">IIH")
_SIZE = struct.Struct(">I")
_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS
_TAG = "\x00"
"""The one key of a tagged value; no header and no fact is called so."""
PERSON_SIZE = len(Person._fields)
_new = tuple.__new__


class BrokenFrameError(Exception):
    """The other side does not keep to the protocol: too large, cut off, or not what was asked for."""


class Frame(NamedTuple):
    """One message: ``head`` says what it is, ``blobs`` are bytes that need no parsing."""

    head: dict[str, Any]
    blobs: tuple[bytes, ...]


# --- frames ----------------------------------------------------------------------------------------------------------


def send(to: socket.socket, head: Mapping[str, Any], *blobs: bytes) -> None:
    """Write one frame; the caller sees to it that two do not mix. Raises OSError when nobody reads any more."""
    text = orjson.dumps(head, default=_tagged, option=_OPTIONS)
    sizes = b"".join(_SIZE.pack(len(blob)) for blob in blobs)
    total = len(text) + sum(map(len, blobs))
    to.sendall(b"".join((_HEAD.pack(total, len(text), len(blobs)), sizes, text, *blobs)))


def receive(source: socket.socket, longest: int) -> Frame | None:
    """One frame; None: the other side has ended. Raises ``BrokenFrameError`` for anything else."""
    start = _exactly(source, _HEAD.size)
    if start is None:
        return None
    total, length, count = _HEAD.unpack(start)
    if total > longest or length > total or count > 8:
        raise BrokenFrameError("larger than a page may be")
    sizes = _exactly(source, _SIZE.size * count)
    body = _exactly(source, total)
    if sizes is None or body is None:
        raise BrokenFrameError("cut off")
    lengths = [_SIZE.unpack_from(sizes, 4 * index)[0] for index in range(count)]
    if length + sum(lengths) != total:
        raise BrokenFrameError("its sizes do not add up")
    try:
        head = orjson.loads(body[:length])
    except orjson.JSONDecodeError:
        head = None
    if type(head) is not dict:
        raise BrokenFrameError("its head is no object")
    blobs, at = [], length
    for size in lengths:
        blobs.append(bytes(body[at : at + size]))
        at += size
    return Frame(head, tuple(blobs))


def _exactly(source: socket.socket, count: int) -> memoryview | None:
    taken = memoryview(bytearray(count))
    at = 0
    while at < count:
        try:
            got = source.recv_into(taken[at:])
        except ConnectionError:
            return None
        if not got:
            return None
        at += got
    return taken


# --- values JSON does not have ---------------------------------------------------------------------------------------


def _tagged(value: object) -> dict[str, list[Any]]:
    for kind, name, write in _WRITERS:
        if isinstance(value, kind):
            return {_TAG: [name, write(value)]}
    raise TypeError(type(value).__name__)


_WRITERS: tuple[tuple[type, str, Any], ...] = (
    (datetime, "at", datetime.isoformat),
    (date, "day", date.isoformat),
    (timedelta, "span", timedelta.total_seconds),
    (frozenset, "set", sorted),
    (tuple, "tuple", list),
    (PurePath, "text", str),
    (Decimal, "text", str),
)
_READERS: Mapping[str, Any] = {
    "at": lambda text: _zoned(datetime.fromisoformat(text)),
    "day": date.fromisoformat,
    "span": lambda seconds: timedelta(seconds=seconds),
    "set": frozenset,
    "tuple": tuple,
    "text": str,
}


def _zoned(at: datetime) -> datetime:
    return at if at.tzinfo is None else at.astimezone(SHANGHAI)


def pack(value: Any) -> Any:
    """The value as JSON has it, tuples and all that `_WRITERS` name tagged. Raises TypeError for anything else."""
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, Mapping):
        return {str(name): pack(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [pack(inner) for inner in value]
    tagged = _tagged(value)
    return {_TAG: [tagged[_TAG][0], pack(tagged[_TAG][1])]}


def unpack(value: Any) -> Any:
    """The value that was packed. Raises ``BrokenFrameError`` for a tag that is none."""
    if isinstance(value, list):
        return [unpack(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if value.keys() != {_TAG}:
        return {name: unpack(inner) for name, inner in value.items()}
    try:
        name, inner = value[_TAG]
        return _READERS[name](unpack(inner))
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenFrameError("a value that is none") from error


# --- drafts ----------------------------------------------------------------------------------------------------------


def drafts_to_wire(drafts: Sequence[Draft | Problem], body: bytes) -> tuple[dict[str, Any], bytes]:
    """One page's drafts as head entries and a blob. Originals are not sent: they are the page's own rows."""
    told: list[Any] = [_one_to_wire(draft) for draft in drafts]
    head: dict[str, Any] = {}
    joined = b",".join([draft.original for draft in drafts])
    if body[1:-1] == joined:
        head["lengths"] = [len(draft.original) for draft in drafts]
    try:
        return head, orjson.dumps(told, option=_OPTIONS)
    except (TypeError, orjson.JSONEncodeError):
        told = [_packed(draft, one) for draft, one in zip(drafts, told, strict=True)]
        return {**head, "packed": True}, orjson.dumps(told)


def _one_to_wire(draft: Draft | Problem) -> tuple[Any, ...]:
    if isinstance(draft, Draft):
        return (
            draft.key.no, draft.kind, draft.updated_at, draft.deleted, draft.facts, [tuple(p) for p in draft.persons],
            draft.related, draft.texts,
        )  # fmt: skip
    return draft.key.no if draft.key is not None else None, draft.code, draft.field, draft.remedy


def _packed(draft: Draft | Problem, told: tuple[Any, ...]) -> list[Any]:
    try:
        found = pack(list(told))
        orjson.dumps(found)
    except (TypeError, orjson.JSONEncodeError):  # an object of the connector's own: this row alone is its mistake
        return [None, "mapping.failed", "", remedy_of("mapping.failed")]
    entries: list[Any] = found
    return entries


def drafts_from_wire(
    head: Mapping[str, Any], blob: bytes, body: bytes, stream: StreamKey, rows: int, first_row: int
) -> Drafts:
    """The drafts of a page of ``stream``, numbered from ``first_row``. Raises ``BrokenFrameError`` for anything else.

    Unit, stream, row and original are ours to say: a connector cannot speak for another unit, nor keep what was dropped.
    """
    try:
        told = orjson.loads(blob)
        originals = _slices(head["lengths"], body) if "lengths" in head else _rows_of(body)
        if not len(told) == len(originals) == rows:
            raise BrokenFrameError("rows and drafts differ in number")
        if head.get("packed"):
            told = unpack(told)
        return [
            _one_from_wire(one, original, stream, row)
            for row, (one, original) in enumerate(zip(told, originals, strict=True), first_row)
        ]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise BrokenFrameError("no drafts") from error


class Undecoded(Sequence[Draft | Problem]):
    """The drafts of one page as its connector's process said them; decoded by whoever reads the first of them.

    Making one raises ``BrokenFrameError`` if page and drafts cannot belong together; reading raises what ``broken`` makes
    of anything that is no draft (in another process: the ``BrokenFrameError`` itself).
    """

    def __init__(
        self, head: Mapping[str, Any], blob: bytes, body: bytes, stream: StreamKey, rows: int, first_row: int,
        broken: Callable[[str], HubError] | None = None,
    ) -> None:  # fmt: skip
        self._told = {name: head[name] for name in ("lengths", "packed") if name in head}, blob, body, stream
        self._rows, self._first_row = rows, first_row
        self._broken = broken
        self._drafts: Drafts | None = None
        lengths = head.get("lengths")
        if type(lengths) is not list or len(lengths) != rows or sum(lengths) + max(rows - 1, 0) + 2 != len(body):
            self._drafts = drafts_from_wire(*self._told, rows, first_row)

    def __reduce__(self) -> tuple[Any, ...]:
        return Undecoded, (*self._told, self._rows, self._first_row)

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, at: Any) -> Any:
        return self._decoded()[at]

    def __iter__(self) -> Iterator[Draft | Problem]:
        return iter(self._decoded())

    def _decoded(self) -> Drafts:
        if self._drafts is None:
            try:
                self._drafts = drafts_from_wire(*self._told, self._rows, self._first_row)
            except BrokenFrameError as error:
                if self._broken is None:
                    raise
                raise self._broken(str(error)) from error
        return self._drafts


def _slices(lengths: Sequence[int], body: bytes) -> list[bytes]:
    found, at = [], 1
    for length in lengths:
        found.append(body[at : at + length])
        at += length + 1
    if lengths and (at != len(body) or min(lengths) < 1):
        raise BrokenFrameError("the rows do not add up")
    return found


def _rows_of(body: bytes) -> list[bytes]:
    return [
        encode_row({name: cell for name, cell in row.items() if name != ROW_PROBLEM} if isinstance(row, dict) else row)
        for row in orjson.loads(body)
    ]


def _one_from_wire(told: Sequence[Any], original: bytes, stream: StreamKey, row: int) -> Draft | Problem:
    if len(told) == 4:
        no, code, field, remedy = told
        key = Key(*stream, no) if type(no) is str else None
        return Problem(row, key, coded(code), str(field)[:200], remedy_of(coded(code)) or worn(remedy), original)
    no, kind, updated_at, deleted, facts, persons, related, texts = told
    if type(no) is not str or type(kind) is not str or type(facts) is not dict or type(texts) is not dict:
        raise BrokenFrameError("a draft that is none")
    people = tuple([_new(Person, person) for person in persons if len(person) == PERSON_SIZE])
    if len(people) != len(persons):
        raise BrokenFrameError("a person that is none")
    return Draft(
        row, Key(*stream, no), kind, updated_at, deleted, facts, people, tuple([str(other) for other in related]),
        {name: text if type(text) is str else str(text) for name, text in texts.items()}, original,
    )  # fmt: skip


# --- what a connector says in words ----------------------------------------------------------------------------------

LONGEST_TEXT = 300
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*")
_DIGITS = re.compile(r"\d{5,}")
_FOREIGN = re.compile(r"[^\x20-\x7e]+")


def coded(code: object) -> str:
    """A dotted code as it may stand in logs and receipts; anything else is ``connector.unclear``."""
    text = code if isinstance(code, str) else ""
    fits = len(text) <= 80 and _CODE.fullmatch(text) is not None and _DIGITS.search(text) is None
    return text if fits else "connector.unclear"


def worn(text: object, known: frozenset[str] = frozenset()) -> str:
    """A text of a connector as it may be shown: short, in plain characters, no long number.

    What is not ASCII stays only if it is one of ``known`` (names from its own configuration and manifest): a name or an
    address out of a record never gets into a message.
    """
    if not isinstance(text, str):
        return ""
    line = " ".join(text.split())
    line = _FOREIGN.sub(lambda found: found[0] if found[0] in known else "…", line)
    return _DIGITS.sub("…", line)[:LONGEST_TEXT]


# --- what is owed ----------------------------------------------------------------------------------------------------


def owed_to_wire(owed: Owed | None) -> Any:
    """What is owed, for `render`."""
    if owed is None:
        return None
    told = owed._asdict()
    told["causes"] = [list(cause) for cause in sorted(owed.causes)]
    told["closed"] = list(owed.closed) if owed.closed is not None else None
    return pack(told)


def owed_from_wire(told: Any) -> Owed | None:
    """What is owed again."""
    if told is None:
        return None
    found = unpack(told)
    found["causes"] = frozenset(Key(*cause) for cause in found["causes"])
    found["closed"] = Closing(*found["closed"]) if found["closed"] is not None else None
    return Owed(**found)
