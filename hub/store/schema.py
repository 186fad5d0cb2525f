"""The schema and its migrations: every change goes forward, through Alembic, on both engines alike."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from hub.store.engine import SqlStore


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", "hub.store:migrations")
    config.set_main_option("path_separator", "os")
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def upgrade(store: SqlStore) -> None:
    """Bring the database to the newest schema; one commit, or nothing."""
    with store.claim() as sql:
        command.upgrade(_config(sql.connection), "head")


def revision(store: SqlStore) -> str | None:
    """The schema the database has; None: empty."""
    with store.read() as sql:
        return MigrationContext.configure(sql.connection).get_current_revision()


def newest() -> str | None:
    """The schema this version of the hub wants."""
    return ScriptDirectory.from_config(_config()).get_current_head()
