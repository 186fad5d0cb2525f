"""Blind indexes as integers of eight bytes: a third of the room, a fifth of the time; whole values stay in ``party``."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BATCH = 5_000
_PARTIES = 1_024
_UNLISTED = b"name_number"


def upgrade() -> None:
    """Make the table anew from the parties of current records."""
    op.drop_table("blind_index")
    op.create_table(
        "blind_index",
        sa.Column("value", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("party", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("value", "party"),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    after = -1
    while parties := connection.execute(
        sa.text("SELECT record_id, idx, indexes FROM party WHERE record_id > :after ORDER BY record_id LIMIT :most"),
        {"after": after, "most": _BATCH},
    ).fetchall():
        last = parties[-1][0]
        whole = [row for row in parties if row[0] != last] or parties  # the last record may go on in the next batch
        rows = {
            (int.from_bytes(value[:8], "big", signed=True), record * _PARTIES + idx)
            for record, idx, packed in whole
            for kind, value in _unpacked(bytes(packed))
            if kind != _UNLISTED
        }
        if rows:
            connection.execute(
                sa.text("INSERT INTO blind_index (value, party) VALUES (:value, :party)"),
                [{"value": value, "party": party} for value, party in sorted(rows)],
            )
        after = whole[-1][0]


def _unpacked(packed: bytes) -> list[tuple[bytes, bytes]]:
    """(kind, value) of every index of one party: the kind, a zero byte, sixteen bytes."""
    found: list[tuple[bytes, bytes]] = []
    start = 0
    while start < len(packed):
        end = packed.index(b"\0", start)
        found.append((packed[start:end], packed[end + 1 : end + 17]))
        start = end + 17
    return found
