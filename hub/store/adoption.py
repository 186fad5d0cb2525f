"""Under which policy the archive stands: another one judges every household again, a bounded batch at a time.

The row ``policy`` of ``lease`` keeps the policy (owner), how far it has come (fence: the last household) and whether it is
still at it (until). A batch only makes its households due; the writer judges them between what comes in.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from hub.core.rules import Policy
from hub.store.engine import SqlStore
from hub.store.sql import Sql
from hub.store.times import to_us

_ROW = "policy"
BATCH = 500
"""Households made due at once: a tenth of a second between two pages of live intake."""


def stamp(policy: Policy) -> str:
    """What a policy is known by, its later editions included."""
    if not policy.later:
        return policy.version
    digest = hashlib.sha256("|".join(edition.version for edition in (policy, *policy.later)).encode())
    return f"{policy.version}+{digest.hexdigest()[:8]}"


def adopt(store: SqlStore, policy: Policy, at: datetime) -> bool:
    """Begin to judge everybody again if the archive stands under another policy; whether it is at it."""
    name = stamp(policy)
    with store.read() as sql:
        row = _row(sql)
    if row is not None and row[0] == name:
        return row[2] is not None
    with store.claim() as sql:
        empty = sql.one("SELECT id FROM household LIMIT 1") is None
        sql.run(
            'INSERT INTO lease (what, owner, fence, "until") VALUES (?, ?, 0, ?) ON CONFLICT (what) DO UPDATE SET'
            ' owner = excluded.owner, fence = 0, "until" = excluded."until"',
            (_ROW, name, None if empty else to_us(at)),
        )
    return not empty


def next_batch(store: SqlStore, at: datetime) -> bool:
    """Make the next households due; False: all have been."""
    with store.claim() as sql:
        row = _row(sql)
        if row is None or row[2] is None:
            return False
        ids = [
            int(number)
            for (number,) in sql.rows("SELECT id FROM household WHERE id > ? ORDER BY id LIMIT ?", (row[1], BATCH))
        ]
        if not ids:
            sql.run('UPDATE lease SET "until" = NULL WHERE what = ?', (_ROW,))
            return False
        sql.run_in(
            "UPDATE household SET valid_until = ? WHERE (valid_until IS NULL OR valid_until > ?) AND id {in}",
            ids,
            (to_us(at), to_us(at)),
        )
        sql.run("UPDATE lease SET fence = ? WHERE what = ?", (ids[-1], _ROW))
    return True


def progress(sql: Sql) -> dict[str, object]:
    """Which policy the archive stands under, and how many households are still to be judged by it."""
    row = _row(sql)
    if row is None:
        return {"policy": None, "waiting": 0}
    left = 0
    if row[2] is not None:
        found = sql.one("SELECT COUNT(*) FROM household WHERE id > ?", (row[1],))
        left = int(found[0]) if found else 0
    return {"policy": row[0], "waiting": left}


def _row(sql: Sql) -> tuple[str, int, int | None] | None:
    found = sql.one('SELECT owner, fence, "until" FROM lease WHERE what = ?', (_ROW,))
    return None if found is None else (str(found[0]), int(found[1]), found[2])
