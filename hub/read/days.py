"""Days of streams as they compared with their sources (对账): for `hub status` and `hub connectors show | reconcile`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hub.core.records import StreamKey
from hub.store.reconciled import DayView, day_views
from hub.store.sql import Sql

__all__ = ["day_rows", "summed", "told_day"]

SHOWN = 31
"""Days back that are shown."""


def day_rows(sql: Sql, unit: str | None, now: datetime) -> dict[StreamKey, list[DayView]]:
    """Stream → its compared days, the newest first."""
    found: dict[StreamKey, list[DayView]] = {}
    for view in day_views(sql, unit, now.date() - timedelta(days=SHOWN)):
        found.setdefault(view.stream, []).append(view)
    return found


def told_day(view: DayView) -> dict[str, Any]:
    """One day of one stream as JSON has it."""
    told = {**view._asdict(), "stream": view.stream.stream, "day": view.day.isoformat(), "at": view.at.isoformat()}
    del told["tries"]
    return told


def summed(views: Sequence[DayView]) -> dict[str, Any] | None:
    """The compared days of one stream in one line; None: it is not compared."""
    if not views:
        return None
    return {
        "at": max(view.at for view in views).isoformat(),
        "days": len(views),
        "differ": [view.day.isoformat() for view in views if view.state == "differs"],
        "missing": sum(view.missing for view in views),
        "extra": sum(view.extra for view in views),
    }
