"""The write side of a commit."""

from __future__ import annotations

from datetime import datetime

from hub.store.numbers import new_uid
from hub.store.sql import Sql
from hub.store.times import to_us


class Tx(Sql):
    """One commit in the making. What each use case reads and writes stands in the modules beside this one."""

    def next_id(self, table: str) -> int:
        """The first free integer key of a table that only the writer fills."""
        found = self.one(f'SELECT COALESCE(MAX(id), 0) + 1 FROM "{table}"')
        assert found is not None
        return int(found[0])

    def open_issue(self, code: str, subject: str, at: datetime, remedy: str = "") -> None:
        """An issue of this commit, unless it stands open."""
        if (
            self.one("SELECT id FROM issue WHERE code = ? AND subject = ? AND closed_at IS NULL", (code, subject))
            is None
        ):
            self.run(
                "INSERT INTO issue (uid, code, subject, since, remedy) VALUES (?,?,?,?,?)",
                (new_uid(), code, subject, to_us(at), remedy),
            )

    def close_issues(self, codes: tuple[str, ...], subject: str, at: datetime) -> None:
        """The fault is gone: its issues are closed in this commit."""
        self.run_in(
            "UPDATE issue SET closed_at = ? WHERE closed_at IS NULL AND subject = ? AND code {in}",
            codes,
            (to_us(at), subject),
        )
