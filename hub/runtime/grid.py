"""When a stream is due: a fixed grid of our own. Jitter moves a run inside its slot and never stretches the period."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from apscheduler.triggers.cron import CronTrigger

from hub.core.errors import ConfigurationError
from hub.core.records import SHANGHAI

__all__ = ["Grid"]

_EPOCH = datetime(1970, 1, 1, tzinfo=SHANGHAI)
_US = timedelta(microseconds=1)
LONGEST_COUNT = 10_000
"""Slots of a cron pattern that are counted as missed; after a longer stop the number says no more than "many"."""


class Grid:
    """The due times of one stream by ``every`` (fixed slots since 1970) or ``cron`` (five fields, Asia/Shanghai)."""

    def __init__(self, name: str, every: timedelta | None, cron: str = "", jitter: timedelta = timedelta(0)) -> None:
        self._name = name
        self._every = every // _US if every is not None else 0
        self._jitter = jitter // _US if not self._every else min(jitter // _US, self._every - 1)
        self._cron: CronTrigger | None = None
        if cron:
            try:
                self._cron = CronTrigger.from_crontab(cron, timezone=SHANGHAI)
            except ValueError as error:
                raise ConfigurationError(f"{name}: cron expects five fields such as */10 8-18 * * mon-fri") from error
        elif not self._every:
            raise ConfigurationError(f"{name}: schedule needs every or cron")

    @property
    def period(self) -> timedelta | None:
        """The fixed period; None for cron."""
        return self._every * _US if self._every else None

    def next_due(self, due: datetime, now: datetime) -> tuple[datetime, int]:
        """After the run that was due at ``due``: the first due time later than ``now``, and the slots missed between.

        Missed slots are not run one by one: the next run reads everything that has come meanwhile.
        """
        if due > now:  # asked for out of turn: the turn itself still comes
            return due, 0
        if self._cron is not None:
            return self._next_cron(self._cron, due, now)
        at = (now - _EPOCH) // _US
        served = (due - _EPOCH) // _US // self._every
        slot = max(served + 1, at // self._every)
        while self._point(slot) <= at:
            slot += 1
        return _EPOCH + self._point(slot) * _US, max(0, slot - served - 1)

    def _point(self, slot: int) -> int:
        return slot * self._every + self._offset(slot)

    def _offset(self, slot: int) -> int:
        """The slot's own share of the jitter: the same on every node."""
        if not self._jitter:
            return 0
        drawn = hashlib.sha256(f"{self._name} {slot}".encode()).digest()
        return int.from_bytes(drawn[:8], "big") % (self._jitter + 1)

    def _next_cron(self, cron: CronTrigger, due: datetime, now: datetime) -> tuple[datetime, int]:
        missed = 0
        at = due
        while missed < LONGEST_COUNT:
            found = self._cron_point(cron, at)
            if found > now:
                return self._shifted(found), missed
            missed, at = missed + 1, found
        return self._shifted(self._cron_point(cron, now)), missed

    def _cron_point(self, cron: CronTrigger, after: datetime) -> datetime:
        found = cron.get_next_fire_time(None, after.astimezone(SHANGHAI) + timedelta(seconds=1))
        if found is None:
            raise ConfigurationError(f"{self._name}: the cron pattern never comes")
        point: datetime = found
        return point

    def _shifted(self, point: datetime) -> datetime:
        return point + self._offset(int(point.timestamp())) * _US
