"""How much streams and communities send: beside their own past, and beside what was promised for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from hub.core.records import StreamKey
from hub.core.volume import BEFORE, COMMUNITY_WINDOW, WINDOW, Expected, is_thin
from hub.runtime.workers import Workers
from hub.store import ledger
from hub.store.engine import SqlStore
from hub.store.issues import close_issues, open_issue
from hub.store.volume import THIN, THIN_PLACE, community_volumes, received_since, volumes

__all__ = ["Volumes"]

FEW = "stream.few"
MANY = "stream.many"
WEIGHED = timedelta(hours=1)
"""Between two looks."""
GRACE = timedelta(hours=1)
"""After a start, until what has waited at the sources meanwhile has come in."""


class Volumes:
    """Looks every hour. ``few``: streams that sent fewer than promised → the beginning of the span in which they did."""

    def __init__(self, store: SqlStore, workers: Workers, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._workers = workers
        self._clock = clock
        self._started = clock()
        self._weighed: datetime | None = None
        self.few: dict[StreamKey, datetime] = {}

    def look(self) -> int:
        """Open an issue for what sends far less than in its past or other than promised, close the rest; how many changed."""
        now = self._clock()
        if self._weighed is not None and timedelta(0) <= now - self._weighed < WEIGHED:
            return 0
        watched = {
            StreamKey(worker.unit, name): config.expect_rows
            for worker in self._workers.connectors()
            for name, config in worker.config.streams.items()
        }
        with self._store.read() as sql:
            found = volumes(sql, now, WINDOW, BEFORE + 1)
            places = community_volumes(sql, now, COMMUNITY_WINDOW, BEFORE + 1)
        past = {subject_of(key): found[key] for key in watched.keys() & found.keys()}
        changed = self._say(THIN, _thin(past), now) + self._say(THIN_PLACE, _thin(places), now)
        changed += self._promises({key: promise for key, promise in watched.items() if promise is not None}, now)
        self._weighed = now
        return changed

    def _promises(self, promised: Mapping[StreamKey, Expected], now: datetime) -> int:
        sent = {key: self._judged(key, promise, now) for key, promise in promised.items()}
        self.few = {
            key: self.few.get(key, now - promised[key].span) for key, (verdict, _) in sent.items() if verdict == "few"
        }
        told = {
            word: {
                subject_of(key): f"{count} record(s) in the last {_span(promised[key])}: "
                for key, (verdict, count) in sent.items()
                if verdict == word
            }
            for word in ("few", "many")
        }
        return self._say(FEW, told["few"], now) + self._say(MANY, told["many"], now)

    def _judged(self, key: StreamKey, promise: Expected, now: datetime) -> tuple[str, int]:
        """few, many or neither, and the number; few is said only of a stream that is as old as the promise's span."""
        with self._store.read() as sql:
            count, first = received_since(sql, key, now, promise.span)
        verdict = promise.judged(count)
        is_known = first is not None and first + promise.span <= now and now >= self._started + min(GRACE, promise.span)
        return verdict if verdict != "few" or is_known else "", count

    def _say(self, code: str, told: Mapping[str, str], now: datetime) -> int:
        """One kind of these issues: opened for these subjects, closed for all others; how many changed."""
        with self._store.read() as sql:
            open_now = {issue.subject for issue in ledger.issues(sql) if issue.code == code}
        for subject in sorted(told.keys() - open_now):
            open_issue(self._store, code, subject, now, told[subject] + TO_DO[code])
        for subject in sorted(open_now - told.keys()):
            close_issues(self._store, subject, now, code=code)
        return len(told.keys() ^ open_now)


TO_DO = {
    THIN: "ask the unit whether its system still sends all of them",
    THIN_PLACE: "ask its grid workers and units what has changed there",
    FEW: "ask the unit whether its system still sends all of them, or change expect_rows",
    MANY: "ask the unit what it sends there, or change expect_rows",
}


def subject_of(key: StreamKey) -> str:
    """A stream as issues name it."""
    return f"{key.unit}.{key.stream}"


def _thin(past: Mapping[str, Sequence[int]]) -> dict[str, str]:
    return {
        subject: "less than a fifth of its usual records: "
        for subject, counts in past.items()
        if is_thin(counts[0] if counts else 0, counts[1:])
    }


def _span(promise: Expected) -> str:
    hours = promise.span // timedelta(hours=1)
    return f"{hours} hour(s)" if hours < 48 else f"{hours // 24} days"
