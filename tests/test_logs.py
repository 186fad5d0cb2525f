"""Logs: JSON on one stream, quiet libraries, and nothing personal whoever writes the line."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from hub import logs

ID_NUMBER = "310101198503020114"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers, root.level
    stream = io.StringIO()
    logs.set_up("info", stream)
    yield stream
    root.handlers, root.level = before, level
    structlog.reset_defaults()


def test_lines_are_json_with_their_facts(lines: io.StringIO) -> None:
    """Each line is one JSON object with event, level, logger and time."""
    structlog.get_logger("hub.test").info("landed", rows=3)

    line = json.loads(lines.getvalue())
    assert (line["event"], line["rows"], line["level"], line["logger"]) == ("landed", 3, "info", "hub.test")
    assert line["timestamp"]


@pytest.mark.parametrize(
    "text", [ID_NUMBER, "31010119850302011X", "310101850302011", "13900000011", "+86 139-0000-0011", "hunter2-hunter2"]
)
def test_personal_values_and_secrets_are_redacted(lines: io.StringIO, text: str) -> None:
    """ID numbers, mobiles and known secrets never reach the stream, from us, a library or an exception's text."""
    logs.redaction.learn([b"hunter2-hunter2"])
    structlog.get_logger("hub.test").warning("odd", value=text, nested={"list": [text]})
    logging.getLogger("somebody").error("refused %s", text)
    try:
        raise ValueError(text)
    except ValueError:
        logging.getLogger("somebody").exception("failed")

    assert text not in lines.getvalue()
    assert logs.REDACTED in lines.getvalue()
    assert json.loads(lines.getvalue().splitlines()[-1])["error"] == "ValueError"


def test_numbers_of_records_stay_readable(lines: io.StringIO) -> None:
    """Report numbers, uids and counts are not taken for people."""
    structlog.get_logger("hub.test").info(
        "sent", no="MR-20261125-JXYPXG46", uid="01a20f95-e79d-708e-9013-18cfce08f7a3", n=123456789012
    )

    assert logs.REDACTED not in lines.getvalue()


def test_chatty_libraries_are_quiet(lines: io.StringIO) -> None:
    """httpx's addresses and SQLAlchemy's statements are not logged at all."""
    logging.getLogger("httpx").info("HTTP Request: GET https://x.example/?id=1")
    logging.getLogger("sqlalchemy.engine").info("SELECT 1")

    assert lines.getvalue() == ""
