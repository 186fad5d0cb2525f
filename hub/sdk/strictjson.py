"""JSON from outside, read strictly: no NaN, no duplicate key, no nesting beyond a limit."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["JSON_DEPTH", "StrictJSONError", "decoder", "dumps", "loads"]

JSON_DEPTH = 16
"""Records are flat; wrappers add a few levels. Deeper is an attack or a mistake."""

MAX_INT_DIGITS = 40
"""No number of a record is longer; Python's own limit (4300) costs quadratic time before it bites."""


class StrictJSONError(ValueError):
    """The text is not JSON as we accept it; ``code`` is a stable dotted code, the text itself is never quoted."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise StrictJSONError("json.duplicate_key")
    return found


def _no_constant(_: str) -> Any:
    raise StrictJSONError("json.not_a_number")


def _integer(digits: str) -> int:
    if len(digits) > MAX_INT_DIGITS:
        raise StrictJSONError("json.number_too_long")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise StrictJSONError("json.not_a_number")
    return number


decoder = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_integer, parse_float=_finite
)
"""For callers that read value after value (``raw_decode``); they check the depth with ``check_depth``."""


def check_depth(value: Any, limit: int = JSON_DEPTH) -> Any:
    """Return ``value`` if it nests at most ``limit`` deep, else raise ``json.too_deep``."""
    level = [value]
    for _ in range(limit + 1):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(v for v in item.values() if isinstance(v, (dict, list)))
            elif isinstance(item, list):
                inner.extend(v for v in item if isinstance(v, (dict, list)))
        if not inner:
            return value
        level = inner
    raise StrictJSONError("json.too_deep")


def loads(data: bytes | str, depth: int = JSON_DEPTH) -> Any:
    """Parse ``data`` (UTF-8, with or without BOM); raises ``StrictJSONError``."""
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
        return check_depth(decoder.decode(text), depth)
    except RecursionError:
        raise StrictJSONError("json.too_deep") from None
    except UnicodeDecodeError:
        raise StrictJSONError("json.encoding") from None
    except json.JSONDecodeError:
        raise StrictJSONError("json.syntax") from None


def dumps(value: Any) -> bytes:
    """Compact UTF-8 JSON; half a character (a lone surrogate) becomes ``?``: one bad text may not block a page."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "replace")
