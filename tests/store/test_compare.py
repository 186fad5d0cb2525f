"""Versions of one key: the truth is a function of the set, whatever the order of arrival."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from hub.core.freight import Sealed
from hub.core.records import SHANGHAI, Event, Key
from hub.store.compare import Incoming, carried, take_in

START = datetime(2026, 11, 1, tzinfo=SHANGHAI)
KEY = Key("justice", "mediation", "J1")


def sealed(hour: int, status: str, *, deleted: bool = False, received: bool = False) -> Sealed:
    """A version of a mediation at an hour of the day, its digest made of its content."""
    at = START + timedelta(hours=hour)
    facts = {} if deleted else {"status": status, "closed_on": at.date() if status == "resolved" else None}
    event = Event(KEY, 0, "mediation", START, facts, (), (), True, at, at if received else START + timedelta(days=9))
    return Sealed(event, deleted, None, f"{status}{deleted}".encode(), (), f"u{hour}", b"", None, hour, ())


VERSIONS = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(["open", "resolved", "broken"]), st.booleans()),
    min_size=1, max_size=4, unique_by=lambda v: v[0],
)  # fmt: skip


@given(VERSIONS)
def test_order_of_arrival_never_matters(found: list[tuple[int, str, bool]]) -> None:
    """Any order of versions with different times gives the same facts, carried dates among them."""
    rows = [Incoming(1, sealed(hour, status, deleted=deleted)) for hour, status, deleted in found]
    facts = [carried(take_in([], list(order), "r")[1]) for order in permutations(rows)]
    assert all(one == facts[0] for one in facts)


def statuses(*rows: Sealed) -> list[str]:
    return [outcome.status for outcome in take_in([], [Incoming(1, row) for row in rows], "r")[0]]


def test_a_repeat_is_unchanged() -> None:
    """Same key, same content, same time: unchanged, also inside one batch and for an older version."""
    assert statuses(sealed(1, "open"), sealed(1, "open")) == ["applied", "unchanged"]
    assert statuses(sealed(1, "open"), sealed(2, "resolved"), sealed(1, "open")) == ["applied", "applied", "unchanged"]


def test_same_content_with_a_newer_time_is_unchanged() -> None:
    """Nothing new to tell; but its time stands against versions that come late."""
    outcomes, versions = take_in([], [Incoming(1, sealed(h, s)) for h, s in ((1, "open"), (3, "open"))], "r")
    assert [o.status for o in outcomes] == ["applied", "unchanged"]
    _, later = take_in(versions, [Incoming(2, sealed(2, "resolved"))], "r")
    assert carried(later)["status"] == "open"
    assert carried(later)["resolved_on"] is not None


def test_without_a_time_of_its_own_a_repeat_leaves_no_trace() -> None:
    """A stream that gives no time is read again and again: its repeats are not kept."""
    _, versions = take_in([], [Incoming(1, sealed(h, "open", received=True)) for h in (1, 2, 3)], "r")
    assert len(versions) == 1


def test_a_late_older_version_is_applied() -> None:
    """It is history, and counts as applied."""
    assert statuses(sealed(3, "broken"), sealed(2, "resolved")) == ["applied", "applied"]


def test_at_one_time_a_retraction_wins() -> None:
    """Equal times: the retraction, in whichever order they come."""
    for order in ((False, True), (True, False)):
        _, versions = take_in([], [Incoming(1, sealed(1, "open", deleted=deleted)) for deleted in order], "r")
        assert max(versions, key=lambda v: (v.updated_at, v.deleted, v.number)).deleted
