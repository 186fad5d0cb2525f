"""Apply: everything that follows from landed pages — versions, placements, lights, duties, reports, messages,
quarantine, receipts — in one commit, or nothing.

Running it again returns the stored receipts. A unit that fails is halved until one record is left; that one is
quarantined as ``hub.defect`` and its neighbours go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from hub.core.errors import RetryError, StopError
from hub.core.policy import Policy
from hub.core.records import Problem
from hub.line.intake import Intake
from hub.line.judge import judge
from hub.line.letters import Outward
from hub.line.prepare import Prepared, PreparedPage, refuse
from hub.store import pages
from hub.store.cases import due_households
from hub.store.claims import check_lease
from hub.store.engine import SqlStore
from hub.store.lights import look_again
from hub.store.tx import Tx

DUE = 2_000
"""Households judged again because their time has come, in one commit."""
LATER = timedelta(minutes=10)
"""When a household that could not be judged is looked at again."""

Receipt = dict[str, Any]


class _OnTrialError(Exception):
    """Raised at the end of a trial, so that nothing of it is kept."""


def apply(
    store: SqlStore,
    work: Prepared,
    policy: Policy,
    as_of: datetime,
    *,
    outward: Outward | None = None,
    due: Iterable[int] | None = None,
) -> list[Receipt]:
    """One commit for the batch and for households whose time has come; the receipts of its pages.

    ``due`` None: all that are due by ``as_of`` (at most ``DUE``). Raises RetryError (try again), StopError
    (StaleLeaseError: somebody else writes now; nothing was stored).
    """
    outward = outward or Outward()
    wanted = None if due is None else list(due)

    def attempt(
        part: Prepared, households: list[int] | None, later: Sequence[int] = (), *, trial: bool = False
    ) -> list[Receipt]:
        with store.write(patient=True) as tx:
            receipts = _commit(tx, part, policy, as_of, outward, households)
            look_again(tx, later, as_of + LATER)
            for household in later:
                tx.open_issue("hub.defect", f"household:{household}", as_of, "report this as a defect of the hub")
            if trial:
                raise _OnTrialError
        return receipts

    try:
        return attempt(work, wanted)
    except (RetryError, StopError):
        raise
    except Exception:
        return _without_defects(store, work, wanted, as_of, attempt)


def _commit(
    tx: Tx, work: Prepared, policy: Policy, as_of: datetime, outward: Outward, due: list[int] | None
) -> list[Receipt]:
    if work.lease is not None:
        check_lease(tx, work.lease)
    households = due_households(tx, as_of, DUE) if due is None else due
    intake = Intake(tx, work, policy, as_of, outward.communities)
    scope = intake.take(frozenset(households))
    if scope.households or scope.records or scope.owed:
        judge(tx, scope, policy, work.vault, outward, as_of)
    intake.close()
    return [found for page in work.pages if (found := pages.receipt(tx, page.page.uid)) is not None]


Attempt = Callable[..., list[Receipt]]


def _without_defects(
    store: SqlStore, work: Prepared, due: list[int] | None, as_of: datetime, attempt: Attempt
) -> list[Receipt]:
    """Find the households and records that make a commit fail; the rest is applied, those wait."""
    if due is None:
        with store.read() as sql:
            due = due_households(sql, as_of, DUE)
    nothing = work._replace(pages=())
    broken = _culprits(due, lambda some: attempt(nothing, some, trial=True))
    sound = [household for household in due if household not in set(broken)]
    rows = [(page.id, number) for page in work.pages for number in range(len(page.sealed))]
    bad = set(_culprits(rows, lambda some: attempt(_only(work, set(some)), [], trial=True)))
    return attempt(_quarantined(work, bad), sound, broken)


def _culprits(units: Sequence[Any], attempt: Callable[[list[Any]], object]) -> list[Any]:
    """Halve what fails until one unit is left."""
    if not units or _passes(list(units), attempt):
        return []
    if len(units) == 1:
        return list(units)
    middle = len(units) // 2
    return _culprits(units[:middle], attempt) + _culprits(units[middle:], attempt)


def _passes(units: list[Any], attempt: Callable[[list[Any]], object]) -> bool:
    try:
        attempt(units)
    except _OnTrialError:
        return True
    except (RetryError, StopError):
        raise
    except Exception:
        return False
    return True


def _only(work: Prepared, rows: set[tuple[int, int]]) -> Prepared:
    return work._replace(
        pages=tuple(
            page._replace(sealed=tuple(s for n, s in enumerate(page.sealed) if (page.id, n) in rows))
            for page in work.pages
        )
    )


def _quarantined(work: Prepared, bad: set[tuple[int, int]]) -> Prepared:
    """The batch with its defective records moved to the quarantine."""
    return work._replace(pages=tuple(_sorted_out(page, work, bad) for page in work.pages))


def _sorted_out(page: PreparedPage, work: Prepared, bad: set[tuple[int, int]]) -> PreparedPage:
    gone = [sealed for number, sealed in enumerate(page.sealed) if (page.id, number) in bad]
    if not gone:
        return page
    refused = list(page.refused)
    for sealed in gone:
        original = work.vault.open_body(sealed.uid, sealed.body)["original"] or b"{}"
        if sealed.reporter is not None:
            original = work.vault.open_reporter(sealed.uid, sealed.reporter)["original"]
        problem = Problem(
            sealed.row, sealed.event.key, "hub.defect", "", "report this as a defect of the hub", original
        )
        refused.append(refuse(problem, page.page, work.vault))
    kept = tuple(sealed for sealed in page.sealed if all(sealed is not one for one in gone))
    return page._replace(sealed=kept, refused=tuple(refused))
