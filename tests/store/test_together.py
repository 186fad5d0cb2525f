from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from hub.store.engine import SqlStore
from hub.store.together import Act, Together
from hub.store.tx import Tx
from tests.local_peer import until


def open_issue(subject: str) -> Act:
    def act(tx: Tx) -> str:
        tx.run("INSERT INTO issue (uid, code, subject, since, remedy) VALUES (?, 'x', ?, 0, '')", (subject, subject))
        return subject

    return act


def subjects(store: SqlStore) -> set[str]:
    with store.read() as sql:
        return {subject for (subject,) in sql.rows("SELECT subject FROM issue")}


def test_those_who_wait_share_one_commit_and_a_failure_is_ones_own(store: SqlStore) -> None:
    """Nine wait while a commit is made: they are one commit; when one of them fails, the others are stored all the same."""
    first, go, sizes = Event(), Event(), []

    def commit(acts: Sequence[Act], durable: bool) -> list[Any]:
        sizes.append(len(acts))
        with store.write() as tx:
            return [act(tx) for act in acts]

    def slow(tx: Tx) -> None:
        first.set()
        go.wait(120)

    together = Together(commit)

    def broken(tx: Tx) -> None:
        tx.run("INSERT INTO issue (uid, code, subject, since, remedy) VALUES ('b', 'x', 'broken', 0, '')")
        raise ValueError("its own trouble")

    with ThreadPoolExecutor(10) as pool:
        pool.submit(together.join, slow)
        assert first.wait(120)
        others = [pool.submit(together.join, open_issue(str(n))) for n in range(8)]
        bad = pool.submit(together.join, broken)
        until(lambda: len(together.waiting) == 9)
        go.set()

        assert sorted(done.result() for done in others) == [str(n) for n in range(8)]
        with pytest.raises(ValueError, match="its own trouble"):
            bad.result()
    assert sizes[:2] == [1, 9]
    assert subjects(store) == {str(n) for n in range(8)}
