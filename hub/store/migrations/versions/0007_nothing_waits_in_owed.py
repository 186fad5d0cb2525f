"""Rows of ``owed`` that only waited for review go: history owes when it is adopted (ADR 0013)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """They were opened for nobody and sent to nobody; the review list keeps its entries."""
    connection = op.get_bind()
    connection.execute(sa.text("DELETE FROM owed_cause WHERE owed_id IN (SELECT id FROM owed WHERE state = 'review')"))
    connection.execute(sa.text("DELETE FROM owed WHERE state = 'review'"))
