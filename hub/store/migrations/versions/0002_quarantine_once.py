"""A quarantined row is kept once however often it comes, with the shape of its mistake and what became of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns of the quarantine, and where else its rows were seen. Rows of before keep no digest: they stay as they are."""
    for column in (
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("shape", sa.String(), nullable=False, server_default=""),
        sa.Column("harm", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("last_at", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=False, server_default=""),
    ):
        op.add_column("quarantine", column)
    op.execute(sa.text("UPDATE quarantine SET last_at = at"))
    op.create_index("quarantine_digest", "quarantine", ["digest"], unique=False)
    op.create_index("quarantine_key", "quarantine", ["state", "unit", "stream", "no"], unique=False)
    op.create_table(
        "quarantine_again",
        sa.Column("page_id", sa.BigInteger(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("quarantine_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("page_id", "row"),
        sqlite_with_rowid=False,
    )
    op.create_index("quarantine_again_item", "quarantine_again", ["quarantine_id"], unique=False)
