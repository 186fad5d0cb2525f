"""Moments as people type them: a day means its end (S1), an instant without zone is Shanghai's."""

from __future__ import annotations

from datetime import date, datetime

from hub.cli.face import UsageMistake
from hub.core.clocks import end_of_day, start_of_day
from hub.core.records import SHANGHAI


def parse_moment(text: str, *, start: bool = False) -> datetime:
    """``2026-03-01`` (the end of that day, or its ``start``) or ``2026-03-01 10:30[:00][+08:00]``. Raises UsageMistake."""
    try:
        if len(text) == len("2026-03-01"):
            return (start_of_day if start else end_of_day)(date.fromisoformat(text))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageMistake(
            f'"{text}" is no moment', "write a day such as 2026-03-01, or an instant such as 2026-03-01T10:30:00"
        ) from None
    return moment.replace(tzinfo=SHANGHAI) if moment.tzinfo is None else moment.astimezone(SHANGHAI)


def short(at: str | None) -> str:
    """ISO text to the minute, as tables show it."""
    return "" if at is None else at[:16].replace("T", " ")
