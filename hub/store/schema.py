"""The schema and its migrations: every change goes forward, through Alembic, on both engines alike."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect

from hub.core.errors import ConfigurationError
from hub.store.engine import SqlStore

if TYPE_CHECKING:
    from alembic.config import Config

_TABLE = "alembic_version"


def _config(connection: Connection | None = None) -> Config:
    from alembic.config import Config  # loaded only by who changes a schema

    config = Config()
    config.set_main_option("script_location", "hub.store:migrations")
    config.set_main_option("path_separator", "os")
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def upgrade(store: SqlStore) -> None:
    """Bring the database to the newest schema; one commit, or nothing. Raises ``ConfigurationError``: it is newer."""
    from alembic import command

    found, known = revision(store), newest()
    if found is not None and known is not None and found > known:
        raise ConfigurationError(
            f"the archive at {store.path or store.writer.url.render_as_string()} has schema {found}, newer than this version of the hub, which knows {known}: "
            "nothing was read or changed",
            code="store.newer",
            remedy="install the version of the hub that wrote it, or a later one; or restore a backup from before that",
        )
    with store.claim() as sql:
        command.upgrade(_config(sql.connection), "head")


def revision(store: SqlStore) -> str | None:
    """The schema the database has; None: empty."""
    with store.read() as sql:
        found = sql.one(f"SELECT version_num FROM {_TABLE}") if inspect(sql.connection).has_table(_TABLE) else None
    return None if found is None else str(found[0])


def newest() -> str | None:
    """The schema this version of the hub wants."""
    numbers = [file.name.partition("_")[0] for file in files("hub.store.migrations.versions").iterdir()]
    return max((number for number in numbers if number.isdigit()), default=None)
