"""Issues: what a person should act on. One open row per (code, subject), so that a fault seen every second is one."""

from __future__ import annotations

from datetime import datetime

from hub.store.engine import SqlStore
from hub.store.numbers import new_uid
from hub.store.times import to_us

__all__ = ["close_issues", "open_issue"]


def open_issue(store: SqlStore, code: str, subject: str, now: datetime, remedy: str = "") -> bool:
    """Open an issue unless it stands open; True: it is new. ``subject`` is coded (unit.stream, a number), no person."""
    with store.claim() as sql:
        if sql.one("SELECT id FROM issue WHERE code = ? AND subject = ? AND closed_at IS NULL", (code, subject)):
            return False
        sql.run(
            "INSERT INTO issue (uid, code, subject, since, remedy) VALUES (?,?,?,?,?)",
            (new_uid(), code, subject, to_us(now), remedy),
        )
    return True


def close_issues(
    store: SqlStore, subject: str, now: datetime, *, code: str | None = None, keep: tuple[str, ...] = ()
) -> int:
    """Close the open issues of a subject (of one code, None: all) but those whose code begins with one of ``keep``."""
    with store.claim() as sql:
        found = sql.rows("SELECT id, code FROM issue WHERE subject = ? AND closed_at IS NULL", (subject,))
        wanted = [n for n, c in found if (code is None or c == code) and not (keep and str(c).startswith(keep))]
        for number in wanted:
            sql.run("UPDATE issue SET closed_at = ? WHERE id = ?", (to_us(now), number))
    return len(wanted)
