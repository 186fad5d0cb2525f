"""Numbers of D7b in capitals: as they come back, so that a unit's answer finds its duty."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every number that has small letters; no two become one, for their ends are unique."""
    op.execute("UPDATE owed SET no = upper(no) WHERE no <> upper(no)")
