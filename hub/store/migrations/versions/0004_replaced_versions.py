"""A version that a replay put another in the place of names it; it is kept and counts no more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """0: the version counts."""
    op.add_column("version", sa.Column("replaced_by", sa.Integer(), nullable=False, server_default="0"))
