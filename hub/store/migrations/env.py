"""Alembic's environment: the connection comes from ``hub.store.schema``, inside its transaction."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

import hub.store.tables  # noqa: F401  # fills the metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    transactional_ddl=True,
    transaction_per_migration=False,
    render_as_batch=False,
)
with context.begin_transaction():
    context.run_migrations()
