"""Coded values as JSON text, fast: what JSON has not (keys, days, instants) is written as ``core.message`` writes it."""

from __future__ import annotations

from typing import Any

import orjson

from hub.core.message import json_ready

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS


def to_json(value: Any) -> bytes:
    """Sorted keys, UTF-8: the same value is the same bytes for ever."""
    return orjson.dumps(value, default=json_ready, option=_OPTIONS)
