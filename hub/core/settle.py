"""What stands against what is owed → acts. The one place where a side effect is decided, and the only fence.

    stands \\ owed        live      not live   once, closed   not owed
    nothing              open      review     —              (nothing to say)
    same                 —         —          close          withdraw
    differs              amend     review     close          withdraw
    ended                renew     review     —              —

(* a row goes along to the household of its cause, and of its causes only those stay that it still has)

An owed thing is known by (what, to, slot) and the records that cause it, and matched by any cause in common; so a
move, merge, split, correction, retraction, redrive or replay needs no code of its own, and nothing is made twice.
Reports are one family (M1–M7): the rule a report was opened under stays, and only the police end one, so a report that
is no longer owed gives a request to cancel. D1–D5 stand once per unit *and household*. Linear in standing + owed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from hub.core.pairing import (
    BY_SLOT,
    CLOSED_STATE,
    ENDED,
    PER_HOUSEHOLD,
    Pair,
    is_duty,
    is_report,
    joined,
    pairs_of,
)
from hub.core.records import Closing, Key, Owed, Standing

__all__ = [
    "ENDED",
    "PER_HOUSEHOLD",
    "TABLE",
    "Act",
    "Amend",
    "Close",
    "Open",
    "Review",
    "Withdraw",
    "cancellation",
    "differences",
    "is_duty",
    "is_report",
    "settle",
]

TOLD = ("due", "reason", "repeat", "stage", "moved")
"""Differences the receiver hears of; the others only change the row."""

_REQUESTS = frozenset({"cancellation", "notice"})
_SILENT = frozenset({"notice", "escalation"})
"""Reminders and alarms: nobody is told that one no longer holds."""
_WHERE = frozenset({"moved", "causes"})
"""Differences that a row follows also without a live cause: a household is not shown what is another's."""
_TO_REVIEW = frozenset({"due", "reason", "rule", "cause", "repeat", "stage"})
"""Differences without a live cause that a person should see; the others are left as they are."""


class Open(NamedTuple):
    """Open it: a new number. ``replaces`` is the number of the ended one it is opened anew for, or ""."""

    owed: Owed
    replaces: str = ""


class Amend(NamedTuple):
    """Make the row equal to ``owed``; ``differs`` names what changed; the receiver is told if ``tell``.

    A report is never changed: only its causes, slot, household and step follow (new facts are addenda of their own).
    """

    no: str
    owed: Owed
    differs: tuple[str, ...]
    tell: bool


class Close(NamedTuple):
    """Close it: ``state`` done, returned or cancelled; when, by which record and how stand in ``owed.closed``."""

    no: str
    owed: Owed
    state: str


class Withdraw(NamedTuple):
    """Its cause is gone. Not sent: gone with it. Sent (``tell``): a notice to that receiver. The row is cancelled."""

    no: str
    owed: Owed
    tell: bool


class Review(NamedTuple):
    """The fence held it back: for the review list. ``no`` is the row it would have changed or withdrawn, or ""."""

    owed: Owed
    no: str = ""


Act = Open | Amend | Close | Withdraw | Review

TABLE: dict[tuple[str, str], str] = {
    ("nothing", "live"): "open",
    ("nothing", "fenced"): "review",
    ("nothing", "closed"): "keep",
    ("same", "live"): "keep",
    ("same", "fenced"): "keep",
    ("same", "closed"): "close",
    ("same", "none"): "withdraw",
    ("differs", "live"): "amend",
    ("differs", "fenced"): "review",
    ("differs", "closed"): "close",
    ("differs", "none"): "withdraw",
    ("ended", "live"): "renew",
    ("ended", "fenced"): "review",
    ("ended", "closed"): "keep",
    ("ended", "none"): "keep",
}
"""(how it stands, how it is owed) → what to do. ("nothing", "none") is no pair: there would be nothing to ask about."""


def settle(standing: Sequence[Standing], owed: Sequence[Owed], *, replayed: frozenset[Key] = frozenset()) -> list[Act]:
    """The acts that make what stands equal to what is owed.

    ``standing`` must hold every row, ended ones too, with a cause in common with ``owed`` or placed on a judged
    household; ``owed`` is chained from those households, and the same thing owed by several of them is one.
    ``replayed`` names records whose change came from no live page: what only they withdraw goes to the review list.
    """
    reports: list[Owed] = []
    requests: list[Owed] = []
    others: list[Owed] = []
    for one in joined(owed):
        what = one.what
        (reports if is_report(what) else requests if what in _REQUESTS else others).append(one)
    if not standing and not (reports and requests):
        return _new([*reports, *others, *requests])
    pairs = pairs_of([s for s in standing if is_report(s.owed.what)], reports)
    requests = list(_requests(pairs, reports, requests, standing))
    pairs += pairs_of([s for s in standing if not is_report(s.owed.what)], others + requests)
    acts: list[Act] = []
    for stands, owes in pairs:
        if stands is None and owes is not None:
            acts += _new((owes,))
        elif owes is not None or not (stands and is_report(stands.owed.what)):
            acts += _acts(stands, owes, replayed)  # else the request to cancel stands for it
    return acts


def _new(owed: Sequence[Owed]) -> list[Act]:
    """The acts for things of which nothing stands."""
    acts: list[Act] = []
    for one in owed:
        todo = TABLE["nothing", _how_it_is_owed(one)]
        if todo == "open":
            acts.append(Open(one))
        elif todo == "review":
            acts.append(Review(one))
    return acts


def cancellation(
    no: str, rule: str, causes: frozenset[Key], by_unit: str, why: str, opened: datetime, *, live: bool = True
) -> tuple[Owed, Owed]:
    """The request to the police to cancel report ``no``, and what the coordinator is told (policy 5).

    ``why`` is ``retracted`` or ``corrected``. The report keeps its clocks until the police acknowledge.
    """
    facts = {"report_no": no, "rule": rule, "by_unit": by_unit, "why": why}
    request = Owed("cancellation", "police", no, causes, opened, None, None, facts, live)
    told = Owed("notice", "coordinator", f"cancellation:{no}", causes, opened, None, None, {**facts, "kind": why}, live)
    return request, told


def _requests(
    pairs: Sequence[Pair],
    reports: Sequence[Owed],
    asked: Sequence[Owed],
    standing: Sequence[Standing],
) -> Iterator[Owed]:
    """Requests to cancel: those owed whose report is owed by nobody, and one for each report that nobody owes."""
    kept = {s.no for s, o in pairs if s is not None and o is not None}
    wanted = {key for o in reports if o.closed is None for key in o.causes}
    unowed = {s.no: s for s, o in pairs if s is not None and o is None and s.state not in ENDED}
    over = {s.no for s, o in pairs if s is not None and (s.state in ENDED or _is_cancelled(o))}
    named = set()
    for request in asked:
        no = str(request.facts.get("report_no", ""))
        if not no:
            yield request
        elif no in over:
            yield request._replace(closed=request.closed or Closing(request.opened, None, "granted"))
        elif no in unowed or (no not in kept and not request.causes & wanted):
            named.add(no)
            yield request
    for no, report in unowed.items():
        if no not in named:
            first = min(report.owed.causes, default=Key("", "", ""))
            yield from cancellation(
                no, report.owed.what, report.owed.causes, first.unit, "retracted", report.owed.opened
            )
    slots = {request.slot for request in asked}
    for row in standing if over else ():  # a granted request is over, not withdrawn
        no = str(row.owed.facts.get("report_no", ""))
        if row.owed.what in _REQUESTS and no in over and no not in slots:
            yield row.owed._replace(closed=Closing(row.owed.opened, None, "granted"))


def _is_cancelled(owes: Owed | None) -> bool:
    return owes is not None and owes.closed is not None and owes.closed.how == "cancelled"


def _acts(stands: Standing | None, owes: Owed | None, replayed: frozenset[Key]) -> Iterator[Act]:
    differs = differences(stands.owed, owes, stands.state) if stands and owes else ()
    if "moved" in differs and stands and owes and stands.state not in ENDED and not (owes.live or owes.closed):
        found = stands.owed._replace(household=owes.household, causes=owes.causes)
        yield Amend(stands.no, found, tuple(d for d in differs if d in _WHERE), False)
    if owes is not None and not owes.live and not set(differs) & _TO_REVIEW:
        differs = ()
    todo = TABLE[_how_it_stands(stands, differs), _how_it_is_owed(owes)]
    if todo == "renew" and stands and owes is not None:
        yield Open(owes, stands.no)
    elif todo == "review" and owes is not None:
        yield Review(owes, stands.no if stands and stands.state not in ENDED else "")
    elif todo == "amend" and stands and owes:
        yield Amend(stands.no, owes, differs, is_duty(owes.what) and any(d in TOLD for d in differs))
    elif todo == "close" and stands and owes and owes.closed:
        yield Close(stands.no, owes, CLOSED_STATE.get(owes.closed.how, "cancelled"))
    elif todo == "withdraw" and stands:
        if stands.owed.causes and stands.owed.causes <= replayed:
            yield Review(stands.owed, stands.no)
        else:
            yield Withdraw(stands.no, stands.owed, stands.sent and stands.owed.what not in _SILENT)


def _how_it_stands(stands: Standing | None, differs: tuple[str, ...]) -> str:
    if stands is None:
        return "nothing"
    if stands.state in ENDED:
        return "ended"
    return "differs" if differs else "same"


def _how_it_is_owed(owes: Owed | None) -> str:
    if owes is None:
        return "none"
    if owes.closed is not None:
        return "closed"
    return "live" if owes.live else "fenced"


def differences(stands: Owed, owes: Owed, state: str = "") -> tuple[str, ...]:
    """What differs between an open row and what is owed now; () if nothing does.

    Causes and household make a difference of their own; a household that changed says ``moved``. Messages (answer,
    copy, addendum …) and reports are fixed once opened: of them only causes, slot, place and step are compared.
    """
    found = []
    if stands.causes != owes.causes and owes.what not in BY_SLOT:
        found.append("causes")
    if stands.slot != owes.slot:
        found.append("slot")
    if owes.household is not None and stands.household != owes.household:
        found.append("moved" if stands.household is not None else "household")
    wanted = owes.facts.get("state")
    if wanted is not None and wanted != state:
        found.append("state")
    if is_duty(owes.what):
        if stands.due != owes.due:
            found.append("due")
        if stands.facts != owes.facts:
            found += _facts_that_differ(stands.facts, owes.facts)
    return tuple(found)


def _facts_that_differ(one: Mapping[str, object], other: Mapping[str, object]) -> list[str]:
    names = (one.keys() | other.keys()) - {"state", "report_no"}
    return sorted(n for n in names if _plain(one.get(n)) != _plain(other.get(n)))


def _plain(value: object) -> object:
    """As JSON would keep it, so that a stored fact equals a fresh one."""
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return value
