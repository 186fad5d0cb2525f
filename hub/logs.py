"""Logs: one JSON line per fact on standard error, without personal data.

Lines are written with codes and ids only; as a second wall, the sink replaces whatever looks like an ID number or a
mobile, and every secret the process knows, whoever wrote the line (a library, a traceback).
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, TextIO

import structlog

REDACTED = "[redacted]"
_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_ID_NUMBER = re.compile(
    rf"(?<![0-9A-Za-z])[1-9]\d{{5}}(?:(?:18|19|20)\d{{2}}{_DAY}\d{{3}}[\dXx]|\d{{2}}{_DAY}\d{{3}})(?![0-9A-Za-z])"
)
_MOBILE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)")
_QUIET = ("httpx", "httpcore", "sqlalchemy", "alembic", "apscheduler", "uvicorn.access", "asyncio")
"""Libraries that print addresses, statements or values of their own accord: warnings only."""
_SHORTEST_SECRET = 8
"""A shorter secret is not looked for: replacing every "abc" would make the logs unreadable and hide nothing."""


class Redaction:
    """Replaces ID numbers, mobiles and known secrets in a finished line."""

    def __init__(self) -> None:
        self._secrets: tuple[str, ...] = ()

    def learn(self, secrets: Iterable[bytes | str]) -> None:
        """From now on hide these values too."""
        texts = (s.decode("utf-8", "replace") if isinstance(s, bytes) else s for s in secrets)
        known = {*self._secrets, *(text for text in texts if len(text) >= _SHORTEST_SECRET)}
        self._secrets = tuple(sorted(known, key=len, reverse=True))

    def __call__(self, line: str) -> str:
        for secret in self._secrets:
            line = line.replace(secret, REDACTED)
        return _MOBILE.sub(REDACTED, _ID_NUMBER.sub(REDACTED, line))


redaction = Redaction()
"""The process's one sink filter; ``redaction.learn(…)`` when secrets are read."""


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Renders a record to JSON and redacts the finished line."""

    def format(self, record: logging.LogRecord) -> str:
        return redaction(super().format(record))


def _no_locals(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A traceback is told by its classes and places: values of an exception may be personal."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, BaseException):
        error = (type(error), error, error.__traceback__)
    if error and error[0]:
        event["error"] = error[0].__name__
        event["where"] = _places(error[2])
    return event


def _places(trace: Any) -> list[str]:
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return places[-8:]


def set_up(level: str = "info", stream: TextIO | None = None) -> None:
    """Send every log of the process, ours and the libraries', to standard error as redacted JSON."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _no_locals,
    ]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        _Formatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
