"""The schema: what the migrations make is what the tables say."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect
from sqlmodel import SQLModel

import hub.store.tables  # noqa: F401 (fills the metadata)
from hub.store.engine import SqlStore, open_store
from hub.store.schema import newest, revision, upgrade
from tests.conftest import PostgresServer


def described(store: SqlStore) -> dict[str, object]:
    """Every table as the engine itself describes it."""
    look = inspect(store.writer)
    return {
        table: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns(table)],
            look.get_pk_constraint(table)["constrained_columns"],
            sorted((i["name"] or "", i["column_names"], i["unique"]) for i in look.get_indexes(table)),
            sorted(u["column_names"] for u in look.get_unique_constraints(table)),
        )
        for table in sorted(look.get_table_names())
        if table != "alembic_version"
    }


def test_migrated_is_what_the_tables_say(store: SqlStore) -> None:
    """Alembic finds no difference between a migrated database and the table classes."""
    with store.claim() as sql:
        context = MigrationContext.configure(sql.connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_fresh_equals_migrated(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """A schema made from the classes and one made by the migrations are described alike by the engine."""
    migrated: SqlStore = request.getfixturevalue(f"{engine}_store")
    if engine == "sqlite":
        fresh = open_store(f"sqlite:///{tmp_path / 'fresh.db'}")
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        fresh = open_store(server.fresh(empty=True))
    SQLModel.metadata.create_all(fresh.writer)
    assert described(fresh) == described(migrated)
    fresh.dispose()


def test_upgrade_is_idempotent(store: SqlStore) -> None:
    """Upgrading an up-to-date archive changes nothing."""
    assert revision(store) == newest()
    upgrade(store)
    assert revision(store) == newest()
