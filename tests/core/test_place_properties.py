"""Properties of ``place``: what must hold for any set of records, in any order, cut into any batches."""

from __future__ import annotations

import random
import sys
from datetime import date, datetime, timedelta
from types import FrameType

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.hood import Entry, Index, Mention, Neighbourhood
from hub.core.place import place
from hub.core.records import SHANGHAI, Key
from tests.core.hood_builder import Archive, P, call, record, row

DAYS = [f"2026-0{m}-{d:02d}" for m in (1, 2, 3, 4) for d in (3, 17)]
days = st.sampled_from(DAYS)
# Few persons with clashing names, phones and sexes, so that every kind of link, veto and ambiguity comes up.
who = st.builds(
    P,
    role=st.just("party_a"),
    name=st.sampled_from(["", "li", "wang", "zhao"]),
    id=st.sampled_from(["", "", "1", "2", "3", "4"]),
    phone=st.sampled_from(["", "138", "139"]),
    sex=st.sampled_from([None, "male", "female"]),
    born=st.sampled_from([None, date(1990, 1, 1), date(2015, 1, 1)]),
)
relations = st.sampled_from([None, "spouse", "child", "sibling", "former_spouse", "cohabitant", "none"])
numbers = st.lists(st.sampled_from([f"N{i}" for i in range(6)]), max_size=1).map(tuple)
moments = st.one_of(st.none(), days.map(date.fromisoformat))


@st.composite
def drafts(draw: st.DrawFn, no: str) -> Entry:
    """One record of any kind that matters here."""
    kind = draw(st.sampled_from(["call", "call", "letter", "school", "row", "divorce", "shelter", "bare"]))
    a, b, when = draw(who), draw(who), draw(days)
    if kind == "row":
        return row(draw(st.sampled_from(["R1", "R2"])), no, a, draw(moments), draw(moments))
    if kind == "divorce":
        return record(no, "divorce_registration", when, a, b._replace(role="party_b"), unit="civil_affairs",
                      status=draw(st.sampled_from(["applied", "registered"])), status_on=draw(moments))  # fmt: skip
    if kind == "bare":
        return record(no, "forensic_result", when, unit="justice", related=draw(numbers))
    if kind == "school":
        return record(no, "concern_found", when, a._replace(role="victim"), b._replace(role="guardian"),
                      unit="education", kind="neglect")  # fmt: skip
    if kind == "shelter":
        return record(no, "shelter", when, a._replace(role="victim"), b._replace(role="child"), unit="civil_affairs")
    if kind == "letter":
        return record(no, "admonition_issued", when, a._replace(role="victim"), b._replace(role="alleged"),
                      related=draw(numbers), relation=draw(relations))  # fmt: skip
    return call(no, when, a, draw(st.sampled_from([None, b])), draw(relations), draw(numbers))


@st.composite
def archives(draw: st.DrawFn) -> list[Entry]:
    """Some records with different numbers."""
    return [draw(drafts(f"N{i}")) for i in range(draw(st.integers(1, 9)))]


def _fed(*batches: list[Entry]) -> Archive:
    archive = Archive()
    for batch in batches:
        archive.feed(*batch)
    return archive


@settings(max_examples=300, deadline=None)
@given(archives(), st.randoms(use_true_random=False))
def test_shuffling_records_never_changes_who_belongs_together(records: list[Entry], order: random.Random):
    """Persons and households are a function of the set of records."""
    shuffled = list(records)
    order.shuffle(shuffled)
    assert _fed(records).partition() == _fed(shuffled).partition()


@settings(max_examples=300, deadline=None)
@given(archives(), st.randoms(use_true_random=False))
def test_cutting_into_batches_never_changes_who_belongs_together(records: list[Entry], order: random.Random):
    """One by one in any order, with stored numbers fed back, comes to the same as all at once."""
    shuffled = list(records)
    order.shuffle(shuffled)
    assert _fed(*([r] for r in shuffled)).partition() == _fed(records).partition()


@settings(max_examples=200, deadline=None)
@given(archives(), st.randoms(use_true_random=False))
def test_a_retraction_is_as_if_the_record_had_never_been(records: list[Entry], order: random.Random):
    """Removing any record leaves persons and households as without it."""
    gone = order.choice(records)
    archive = _fed(*([r] for r in records))
    archive.retract(gone.key)
    assert archive.partition() == _fed([r for r in records if r is not gone]).partition()


@settings(max_examples=300, deadline=None)
@given(archives(), st.data())
def test_a_correction_moves_a_record_and_doubles_nothing(records: list[Entry], data: st.DataObject):
    """After a newer version everything is as if only that version had come, and what was left has a successor."""
    old = data.draw(st.sampled_from(records))
    new = data.draw(drafts(old.key.no))._replace(key=old.key)
    archive = _fed(records)
    before = archive.listed()
    placing = archive.feed(new)
    assert archive.partition() == _fed([r if r is not old else new for r in records]).partition()
    gone = before - archive.listed()
    assert gone == set(placing.successors)
    assert set(placing.successors.values()) <= archive.listed() | set(placing.homes)
    assert gone <= placing.touched


@settings(max_examples=200, deadline=None)
@given(archives())
def test_every_record_is_placed_and_every_change_is_touched(records: list[Entry]):
    """No record is dropped, two valid numbers are never one person, and numbers are given once."""
    archive = Archive()
    for fresh in records:
        before = {e.key: e.households for e in archive.entries.values()}
        placing = archive.feed(fresh)
        assert all(placing.households[key] for key in placing.households)
        assert {h for h, _ in placing.households[fresh.key]} <= placing.touched
        for key, was in before.items():
            now = {h for h, _ in placing.households.get(key, ())} or set(was)
            assert now == set(was) or now | set(was) <= placing.touched
        assert set(placing.members) == placing.touched
    numbers: dict[int | None, set[bytes]] = {}
    for entry in archive.entries.values():
        for mention in entry.mentions:
            numbers.setdefault(mention.person, set()).update(i.value for i in mention.indexes if i.kind == "id")
    assert all(len(found) <= 1 for found in numbers.values())


def _fresh_calls(count: int) -> Neighbourhood:
    """Calls of two new persons each, all with number, name and phone."""
    start = datetime(2026, 3, 1, tzinfo=SHANGHAI)
    facts = {"category": "domestic_violence", "relation": "spouse", "intensity": "fierce", "community": "310101001001"}

    def mention(call: int, idx: int) -> Mention:
        kinds = ("id", "name_phone", "name_born_area", "name_number", "phone")
        indexes = tuple(Index(kind, f"{kind[:6]}{call:07d}{idx}".encode()) for kind in kinds)
        return Mention(idx, ("party_a", "party_b")[idx], None, indexes, date(1990, 1, 1), None, ("male", "female")[idx])

    entries = tuple(
        Entry(Key("police", "incident", f"{n}"), "police_call", start + timedelta(minutes=n), facts, (),
              (mention(n, 0), mention(n, 1)), (), True)
        for n in range(count)
    )  # fmt: skip
    return Neighbourhood(entries, {}, {})


def test_the_common_batch_grows_in_a_straight_line():
    """Eight times the fresh calls are about eight times the calls of functions: nothing looks at pairs of records."""
    assert _calls(_fresh_calls(1_600)) < _calls(_fresh_calls(200)) * 9


def _calls(hood: Neighbourhood) -> int:
    count = 0

    def note(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        place(hood)
    finally:
        sys.setprofile(before)
    return count
