"""What people decide about the light (custody.md): laid over the light of the records, which goes on beneath as if nobody had.

Held up: never below the records. Held down: below them, until a concern above it opens or is joined. Down from red takes two
persons of two units, who say the same light. Each ends by its date, by a newer decision, or by a release.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from tests.reference.days import midnight
from tests.reference.people import Row

COLOURS = ("unlit", "green", "yellow", "orange", "red")
RED = COLOURS.index("red")


class Decisions:
    """Goes from instant to instant over the finished walk of the records."""

    def __init__(self, walk: Any) -> None:
        self.walk = walk
        self.standing: dict[str, Any] | None = None
        self.signatures: list[Row] = []  # waiting for a second person
        self.made: list[dict[str, Any]] = []  # like concerns: rule, level, since, until, rows
        self.shown: list[tuple[datetime, str]] = []

    def run(self) -> Decisions:
        rows = sorted(
            (row for row in self.walk.rows if row["stream"] == "override" and row["at"] <= self.walk.as_of),
            key=lambda row: (row["at"], row["updated"], row["no"]),
        )
        if not rows:
            self.shown = list(self.walk.lights)
            return self
        times = {row["at"] for row in rows} | {end for row in rows if (end := until(row)) is not None}
        times |= {at for at, _ in self.walk.lights} | {at for at, _ in self.walk.openings}
        for now in sorted(time for time in times if time <= self.walk.as_of):
            self.instant(now, [row for row in rows if row["at"] == now])
        return self

    def instant(self, now: datetime, rows: list[Row]) -> None:
        if self.standing and self.standing["end"] <= now:
            self.over(now)
        opened = max((level for at, level in self.walk.openings if at == now), default=0)
        if self.standing and self.standing["rule"] == "P2" and opened > self.standing["level"]:
            self.over(now)
        self.signatures = [row for row in self.signatures if level(row) is None or level(row) >= opened]
        for row in rows:
            self.decide(now, row)
        if COLOURS[self.seen(now)] != (self.shown[-1][1] if self.shown else "unlit"):
            self.shown.append((now, COLOURS[self.seen(now)]))

    def decide(self, now: datetime, row: Row) -> None:
        wanted, end = level(row), until(row)
        if (wanted is None and self.standing is None) or (wanted is not None and (end is None or end <= now)):
            return  # nothing to release; or over before it began
        others = [
            other for other in self.signatures
            if level(other) == wanted and other["facts"]["by"] != row["facts"]["by"]
            and other["facts"]["unit"] != row["facts"]["unit"] and (wanted is None or until(other) > now)
        ]  # fmt: skip
        together = [*others, row]
        is_down = wanted is None or wanted < self.seen(now)
        falls = wanted is not None or self.recorded(now) != RED
        if is_down and falls and self.seen(now) == RED and not enough(together):
            self.signatures.append(row)
            return
        self.signatures = [other for other in self.signatures if other not in together]
        if self.standing:
            self.over(now)
        if wanted is not None:
            self.standing = {
                "rule": "P1" if wanted >= self.recorded(now) else "P2", "level": wanted, "since": now, "until": None,
                "end": min(until(one) for one in together), "rows": [(now, one) for one in together],
            }  # fmt: skip
            self.made.append(self.standing)

    def over(self, now: datetime) -> None:
        self.standing["until"], self.standing = now, None

    def recorded(self, now: datetime) -> int:
        """The level of the records alone."""
        return COLOURS.index(next((light for at, light in reversed(self.walk.lights) if at <= now), "unlit"))

    def seen(self, now: datetime) -> int:
        """The level that is shown."""
        if self.standing is None:
            return self.recorded(now)
        return (max if self.standing["rule"] == "P1" else min)(self.recorded(now), self.standing["level"])


def level(row: Row) -> int | None:
    """Of the light that it names; None: a release."""
    return COLOURS.index(row["facts"]["light"]) if row["facts"]["light"] else None


def until(row: Row) -> datetime | None:
    """A day is inclusive, an instant is when it is."""
    end = row["facts"]["until"]
    if end is None or isinstance(end, datetime):
        return end
    return midnight(day_after(end))


def day_after(that: date) -> date:
    return that + timedelta(days=1)


def enough(rows: list[Row]) -> bool:
    """Two persons of two known units."""
    return len({row["facts"]["unit"] for row in rows} - {""}) >= 2 and len({row["facts"]["by"] for row in rows}) >= 2
