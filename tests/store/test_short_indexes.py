"""Migration 0003: blind indexes of an archive made before it are found in the short form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from hub.core.hood import Index
from hub.store.engine import SqlStore, open_store
from hub.store.index_bytes import PARTIES, look_up, unpack
from hub.store.schema import _config
from tests.conftest import PostgresServer

VALUE, NUMBERED = bytes(range(200, 216)), bytes(range(16))


@pytest.fixture(params=["sqlite", "postgres"])
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    """A database without a schema, on each engine in turn."""
    if request.param == "sqlite":
        store = open_store(f"sqlite:///{tmp_path / 'empty.db'}")
        yield store
        store.dispose()
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.fresh(empty=True)
    store = open_store(url)
    yield store
    store.dispose()
    server.drop(url)


def test_older_archives_are_rewritten(empty_store: SqlStore) -> None:
    """Parties keep every whole value; the look-up table holds the first eight bytes of all but incident numbers'."""
    with empty_store.claim() as sql:
        command.upgrade(_config(sql.connection), "0002")
        sql.connection.execute(
            text("INSERT INTO party (record_id, idx, role, indexes) VALUES (7, 1, 'victim', :packed)"),
            {"packed": b"id\0" + VALUE + b"name_number\0" + NUMBERED},
        )
        command.upgrade(_config(sql.connection), "0003")
        assert sql.rows("SELECT value, party FROM blind_index") == [(look_up(VALUE), 7 * PARTIES + 1)]
        ((packed,),) = sql.rows("SELECT indexes FROM party")
    assert unpack(bytes(packed)) == (Index("id", VALUE), Index("name_number", NUMBERED))


def test_older_numbers_are_in_capitals(empty_store: SqlStore) -> None:
    """The number of a D7b that was given out in small letters is the one that its answer names."""
    with empty_store.claim() as sql:
        command.upgrade(_config(sql.connection), "0008")
        sql.connection.execute(
            text(
                'INSERT INTO owed (no, what, "to", slot, state, live, opened_at, closed_by, how, facts, replaces) VALUES'
                " ('D7b-20261124-1F3G5H7J', 'D7b', 'court', '1', 'open', true, 0, '', '', '{}', '')"
            )
        )
        command.upgrade(_config(sql.connection), "0009")
        assert sql.rows("SELECT no, what FROM owed") == [("D7B-20261124-1F3G5H7J", "D7b")]
