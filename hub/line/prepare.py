"""Prepare: map, normalise, seal. Outside any transaction, one batch ahead of the writer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple, Protocol

from hub.core.dates import as_instant
from hub.core.emergency import is_emergency
from hub.core.errors import HubError
from hub.core.freight import Drafts, Lease, Page, Sealed
from hub.core.normalise import normalise
from hub.core.policy import Policy
from hub.core.records import Draft, Problem, StreamKey
from hub.core.shapes import refused_value, shape_of
from hub.core.values import parse_when
from hub.line.ports import Vault, Worker
from hub.store.numbers import new_uid
from hub.store.times import to_us


class Refused(NamedTuple):
    """A row that waits for a fix; its original is sealed under ``uid``."""

    uid: str
    row: int
    no: str | None
    code: str
    field: str
    remedy: str
    original: bytes
    speaks_of_harm: bool  # unreadable, and speaks of violence or a child in danger: D26
    digest: bytes  # keyed, of stream, mode and original: the same bytes are the same item
    shape: str  # of the refused value
    updated_at: int | None  # the row's own, microseconds; None: empty or unreadable


class PreparedPage(NamedTuple):
    """One page ready to be applied: sealed rows and refused ones, together every row it received."""

    id: int
    page: Page  # without its body
    sealed: tuple[Sealed, ...]
    refused: tuple[Refused, ...]


class Prepared(NamedTuple):
    """A batch ready for its commit. ``held`` are pages whose connector could not map them now: they stay pending."""

    pages: tuple[PreparedPage, ...]
    vault: Vault
    lease: Lease | None = None
    held: tuple[tuple[int, str], ...] = ()  # (page id, coded reason)

    @property
    def records(self) -> int:
        """How many rows its pages have."""
        return sum(one.page.rows for one in self.pages)


class Terms(NamedTuple):
    """What preparing one page needs to know beside its drafts."""

    lenient: frozenset[str]  # kinds of this unit that can fall under a report rule (S23)
    since: date | None  # events before this day are backfill


class Elsewhere(Protocol):
    """Somebody who prepares pages beside us (``line/apart.py``); None: it is to be done here."""

    def prepare(self, number: int, page: Page, drafts: Drafts, terms: Terms) -> PreparedPage | None: ...


FULL = 2_000
"""Rows of a batch from which on it is worth preparing elsewhere, unless its writer takes fewer at once."""
WORTH = 250
"""Rows below which it is never worth it."""


def prepare(
    pages: Iterable[tuple[int, Page]],
    workers: Mapping[str, Worker],
    vault: Vault,
    policy: Policy,
    *,
    live_from: Mapping[StreamKey, date] | None = None,
    drafts: Mapping[str, Drafts] | None = None,
    lease: Lease | None = None,
    elsewhere: Elsewhere | None = None,
    full: int = FULL,
) -> Prepared:
    """Landed pages (id, sealed) → sealed records and refused rows.

    ``workers`` by unit; ``live_from`` says from which event day a stream's records are live (earlier: backfill);
    ``drafts`` are those a poll brought along, by page uid. A worker that fails holds its page back, nothing else.
    ``elsewhere`` takes pages of batches of ``full`` rows or more.
    """
    pages = list(pages)
    given = drafts or {}
    if sum(page.rows for _, page in pages) < max(WORTH, min(full, FULL)):
        elsewhere = None
    ready: list[PreparedPage] = []
    held: list[tuple[int, str]] = []
    for number, page in pages:
        terms = Terms(policy.reporting_kinds(page.stream.unit), (live_from or {}).get(page.stream))
        try:
            ready.append(_prepared(number, page, given, workers, vault, terms, elsewhere))
        except HubError as error:
            held.append((number, error.code))
        except Exception as error:  # foreign code: whatever it raises, the page stays landed
            held.append((number, f"connector.{type(error).__name__}"))
    return Prepared(tuple(ready), vault, lease, tuple(held))


def _prepared(
    number: int, page: Page, given: Mapping[str, Drafts], workers: Mapping[str, Worker], vault: Vault, terms: Terms,
    elsewhere: Elsewhere | None,
) -> PreparedPage:  # fmt: skip
    brought = given.get(page.uid)
    if elsewhere is not None and brought is not None:
        done = elsewhere.prepare(number, page, brought, terms)
        if done is not None:
            return done
    return prepare_page(number, page, _drafts(page, workers, vault, given), vault, terms)


def _drafts(page: Page, workers: Mapping[str, Worker], vault: Vault, given: Mapping[str, Drafts]) -> Drafts:
    if page.uid in given:
        return given[page.uid]
    if not page.rows:
        return []
    worker = workers.get(page.stream.unit)
    if worker is None:
        raise HubError("no connector maps this unit's pages", code="connector.missing")
    found = worker.map(page._replace(body=vault.open_blob(page.uid, page.body)))
    if len(found) != page.rows:
        raise HubError("the connector lost or invented rows", code="connector.miscounted")
    return found


def prepare_page(
    number: int, page: Page, drafts: Sequence[Draft | Problem], vault: Vault, terms: Terms
) -> PreparedPage:
    """Every row of a page normalised and sealed, or refused."""
    sealed: list[Sealed] = []
    refused: list[Refused] = []
    received_at = page.received_at
    for draft in drafts:
        if isinstance(draft, Draft):
            try:
                done = _seal(draft, page.mode, received_at, draft.kind in terms.lenient, vault, terms.since)
            except Exception as error:  # one row's defect is that row's alone
                done = _defect(draft, error)
        else:
            done = draft
        if isinstance(done, Sealed):
            sealed.append(done)
        else:
            refused.append(refuse(done, page, vault, draft if isinstance(draft, Draft) else None))
    return PreparedPage(number, page._replace(body=b""), tuple(sealed), tuple(refused))


def _seal(
    draft: Draft, mode: str, received_at: datetime, lenient: bool, vault: Vault, since: date | None
) -> Sealed | Problem:
    clean = normalise(draft, received_at=received_at, lenient=lenient)
    if isinstance(clean, Problem):
        if not clean.rejected or clean.draft is None:
            return clean
        return vault.seal(clean.draft, mode, received_at, clean)
    clean = as_feedback(clean)
    if since is not None and mode == "live" and clean.at is not None and clean.at.date() < since:
        mode = "backfill"
    return vault.seal(clean, mode, received_at)


def as_feedback(draft: Draft) -> Draft:
    """A receipt of a report's message is the step *received* of that report: one ladder, whatever door it came by."""
    number = draft.facts.get("message_no")
    if draft.kind != "receipt" or not isinstance(number, str) or not number.startswith("MR-"):
        return draft
    facts = {"report_no": number, "step": "received", "at": draft.facts.get("at")}
    if draft.facts.get("receipt_no"):
        facts["receipt_no"] = draft.facts["receipt_no"]
    return draft._replace(kind="report_feedback", facts=facts)


def _defect(draft: Draft, error: Exception) -> Problem:
    return Problem(
        draft.row, draft.key, "hub.defect", type(error).__name__, "report this as a defect of the hub", draft.original
    )


def refuse(problem: Problem, page: Page, vault: Vault, draft: Draft | None = None) -> Refused:
    """A problem with its original sealed. ``draft``: the row as far as it could be mapped."""
    uid = new_uid()
    no = problem.key.no if problem.key is not None else None
    original = problem.original
    return Refused(
        uid, problem.row, no, problem.code, problem.field, problem.remedy, vault.seal_blob(uid, original),
        is_emergency(original, draft), vault.mark_of(_named(page, original or uid.encode())),
        shape_of(refused_value(problem, draft)), _updated_at(draft),
    )  # fmt: skip


def _named(page: Page, original: bytes) -> bytes:
    """What makes two refused rows the same: stream, mode and bytes."""
    return b"\0".join((page.stream.unit.encode(), page.stream.stream.encode(), page.mode.encode(), original))


def _updated_at(draft: Draft | None) -> int | None:
    try:
        when = parse_when(draft.updated_at) if draft is not None else None
    except ValueError:
        return None
    return None if when is None else to_us(as_instant(when))
