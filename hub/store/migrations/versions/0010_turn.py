"""The outbox in the order in which it goes out: however long the queue, the next ones are found without sorting it."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The urgent ones by time, then the others; beside ``parcel_due``, which answers when the next one is due."""
    op.create_index("parcel_turn", "parcel", ["state", "urgent", "next_at"], unique=False)
