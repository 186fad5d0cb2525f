"""Preparing in a process of the hub's own gives what preparing here gives."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.freight import Drafts, Page, Sealed
from hub.core.records import StreamKey
from hub.line import apart
from hub.line.apart import Apart, given_back, handed_over
from hub.line.prepare import PreparedPage, Terms, prepare_page
from hub.store.engine import SqlStore
from tests.line.line_kit import POLICY, VAULT, Line

TERMS = Terms(POLICY.reporting_kinds("police"), None)
ROWS: list[dict[str, Any]] = [
    {
        "call_no": "JJ1", "called_at": "2026-11-20 08:30:00", "updated_at": "2026-11-20 09:00:00", "category": "1",
        "physical_conflict": "是", "relation": "配偶", "party_a_name": "林晓梅", "party_a_id_number": "310101199005124527",
        "party_b_name": "赵大伟", "party_b_phone": "13900000001", "narrative": "女方称被打",
    },
    {"call_no": "JJ2", "called_at": "2026-11-20", "category": "1", "injury": "9"},
    {"call_no": "JJ3", "called_at": "不详", "category": "1"},
    {"call_no": "", "called_at": "2026-11-20"},
]  # fmt: skip


def page_and_drafts(store: SqlStore) -> tuple[Page, Drafts]:
    """A page of police calls, good and bad, as its connector maps it."""
    line = Line(store)
    page = line.page("police", "incident", ROWS)
    return page, line.workers["police"].map(page)


def plain(sealed: Sealed) -> Sealed:
    """Without what chance decides."""
    return sealed._replace(uid="", body=b"", reporter=None)


def same(one: PreparedPage, other: PreparedPage) -> bool:
    """Whether two preparations of a page differ only by chance."""
    refused = [[(row.row, row.code, row.field, row.digest) for row in page.refused] for page in (one, other)]
    return [plain(s) for s in one.sealed] == [plain(s) for s in other.sealed] and refused[0] == refused[1]


def test_a_record_comes_back_as_it_was(sqlite_store: SqlStore) -> None:
    """A sealed record handed over as plain values and given back is equal to itself, instants in the core's own zone."""
    page, drafts = page_and_drafts(sqlite_store)
    done = prepare_page(1, page, drafts, VAULT, TERMS)
    assert done.sealed
    for sealed in done.sealed:
        assert given_back(handed_over(sealed)) == sealed


def test_elsewhere_is_as_here(sqlite_store: SqlStore) -> None:
    """The process prepares the same records and refuses the same rows, and its seals open here."""
    page, drafts = page_and_drafts(sqlite_store)
    elsewhere = Apart(VAULT)
    try:
        done = elsewhere.prepare(1, page, drafts, TERMS)
    finally:
        elsewhere.rest()
    assert done is not None
    assert same(done, prepare_page(1, page, drafts, VAULT, TERMS))
    assert VAULT.open_body(done.sealed[0].uid, done.sealed[0].body)["texts"]["narrative"] == "女方称被打"


def test_a_dead_process_is_no_loss(sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that cannot run gives nothing, and the page is prepared here."""
    page, drafts = page_and_drafts(sqlite_store)
    monkeypatch.setattr(apart.sys, "executable", "/bin/false")
    assert Apart(VAULT).prepare(1, page, drafts, TERMS) is None
    assert page.stream == StreamKey("police", "incident")
