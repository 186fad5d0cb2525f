"""The write side of a commit."""

from __future__ import annotations

from hub.store.sql import Sql


class Tx(Sql):
    """One commit in the making. What each use case reads and writes stands in the modules beside this one."""

    def next_id(self, table: str) -> int:
        """The first free integer key of a table that only the writer fills."""
        found = self.one(f'SELECT COALESCE(MAX(id), 0) + 1 FROM "{table}"')  # noqa: S608 (our names)
        assert found is not None
        return int(found[0])
