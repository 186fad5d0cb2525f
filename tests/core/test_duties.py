"""Duties by number, by answer, by district; and what must hold for every case."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from hub.core import duties
from hub.core.assess import amended, course
from hub.core.book import book_of, compile_book, term
from hub.core.clocks import Calendar, Moment, closing
from hub.core.errors import ConfigurationError
from hub.core.message import canonical
from hub.core.oversight import district_duties, unreadable
from hub.core.owing import ground
from hub.core.pairing import is_duty
from hub.core.records import SHANGHAI, Case, Event, Key, Owed, Standing
from hub.core.settle import Amend, Open, settle
from tests.core.owed_cases import case, event, owed_in, policy, read_cases, when

MONDAY = datetime(2026, 3, 2, 10, tzinfo=SHANGHAI)
CALL = {
    "from": "police.incident",
    "no": "J1",
    "at": datetime(2026, 3, 2, 10),
    "facts": {"category": "family_dispute", "intensity": "fierce"},
}
VISIT = {
    "from": "community_grid.visit",
    "no": "V1",
    "at": datetime(2026, 3, 2, 12),
    "facts": {"finding": "calm", "mode": "home"},
}


def answer(duty_no: str, status: str, hours: int = 3) -> Event:
    at = MONDAY + timedelta(hours=hours)
    facts = {"duty_no": duty_no, "status": status, "at": at}
    return Event(Key("community_grid", "duty_answer", f"A{hours}"), 1, "duty_answer", at, facts, (), (), True, at, at)


def owed_of(what: str, read: Case, as_of: datetime = MONDAY + timedelta(hours=8)) -> list[Owed]:
    moment = Moment(as_of)
    return [o for o in duties.owed(read, course(read, policy(), moment), policy(), moment) if o.what == what]


def opened(read: Case, what: str, to: str) -> Standing:
    """The first row of a duty, as it stands under the number N1."""
    row = next(o for o in owed_of(what, read) if o.to == to)
    return Standing("N1", row, "open", True)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("24h", datetime(2026, 3, 3, 10)), ("7d", datetime(2026, 3, 9, 10)), ("3wd", datetime(2026, 3, 5, 23, 59, 59)),
        ("5wd", datetime(2026, 3, 9, 23, 59, 59)), ("3mo", datetime(2026, 6, 2, 10)),
        ("month_end", datetime(2026, 3, 31, 23, 59, 59)), ("quarter_end", datetime(2026, 3, 31, 23, 59, 59)),
        ("now", datetime(2026, 3, 2, 10)), ("100ms", datetime(2026, 3, 2, 10, 0, 0, 100_000)),
    ],
)  # fmt: skip
def test_terms(text: str, due: datetime) -> None:
    """Each way of counting gives its date; days that end as days end at their last second."""
    assert term(text).due(MONDAY, Calendar()) == due.replace(tzinfo=SHANGHAI)


def test_unreadable_term() -> None:
    """A term nobody can read is refused with what to write."""
    with pytest.raises(ConfigurationError, match="3wd"):
        term("soon")


def test_three_months_end_at_months_end() -> None:
    """Three months from 30 November end on 28 February (Civil Code 202)."""
    assert term("3mo").due(datetime(2026, 11, 30, 9, tzinfo=SHANGHAI), Calendar()).date().isoformat() == "2027-02-28"


def test_an_answer_closes_by_its_number() -> None:
    """Done and returned close the row the number names and no other; the next row of a follow-up opens."""
    read = case({"event": [CALL]})
    stands = opened(read, "D2", "community_grid")
    told = read._replace(events=(*read.events, answer("N1", "done")), duties=(stands,))

    rows = owed_of("D2", told)
    grid = [(o.slot, o.closed.how if o.closed else "open") for o in rows if o.to == "community_grid"]
    assert grid == [("1", "done"), ("2", "open")]
    assert [o.closed for o in rows if o.to == "womens_federation"] == [None]


def test_returned_and_accepted() -> None:
    """Returned closes as returned; accepted is a state of an open row."""
    read = case({"event": [{**CALL, "facts": {**CALL["facts"], "injury": "slight"}}]})
    stands = opened(read, "D9", "justice")

    back = owed_of("D9", read._replace(events=(*read.events, answer("N1", "returned")), duties=(stands,)))
    taken = owed_of("D9", read._replace(events=(*read.events, answer("N1", "accepted")), duties=(stands,)))
    assert [o.closed.how for o in back if o.closed] == ["returned"]
    assert [(o.closed, o.facts["state"]) for o in taken] == [(None, "accepted")]


def test_only_a_newer_version_closes_a_classification() -> None:
    """An answer does not close D24: the record must carry the field."""
    read = case({"event": [{**CALL, "facts": {"category": "family_dispute"}}]})
    stands = opened(read, "D24", "police")

    assert [
        o.closed for o in owed_of("D24", read._replace(events=(*read.events, answer("N1", "done")), duties=(stands,)))
    ] == [None]


def test_a_visit_counts_for_the_duty_it_names() -> None:
    """A visit that names another duty by its number closes no follow-up."""
    read = case({"event": [CALL]})
    other = Standing("N9", opened(read, "D2", "community_grid").owed._replace(what="D7"), "open", True)
    named = event({**VISIT, "facts": {**VISIT["facts"], "duty_no": "N9"}})
    unnamed = event({**VISIT, "facts": {**VISIT["facts"], "duty_no": "somebody's own"}})

    for visit, rows in ((named, 1), (unnamed, 2)):
        told = read._replace(events=(*read.events, visit), duties=(other,))
        assert len([o for o in owed_of("D2", told) if o.to == "community_grid"]) == rows


def test_backfill_owes_nothing_live() -> None:
    """What only backfilled records cause is held back by the fence."""
    assert {o.live for o in owed_in({"as_of": MONDAY.date(), "event": [{**CALL, "live": False}]})} == {False}


def test_reminders() -> None:
    """At half time the unit is reminded, at due again, and then the coordinator is told."""
    read = case({"event": [CALL]})

    def told(hours: float) -> list[tuple[str, str, str]]:
        moment = Moment(MONDAY + timedelta(hours=hours))
        owed = duties.owed(read, course(read, policy(), moment), policy(), moment)
        return [
            (o.what, o.to, o.slot.rsplit(":", 1)[1])
            for o in owed
            if o.slot.startswith("D2:community_grid") and o.closed is None
        ]

    assert told(11) == []
    assert told(13) == [("notice", "community_grid", "half")]
    assert told(25) == [("notice", "community_grid", "due"), ("escalation", "coordinator", "overdue")]


def test_the_moment_remembers_the_next_due_date() -> None:
    """A household is judged again when its next duty is overdue or half its time is over."""
    read = case({"event": [CALL]})
    moment = Moment(MONDAY + timedelta(hours=1))
    duties.owed(read, course(read, policy(), moment), policy(), moment)

    assert moment.valid_until is not None
    assert moment.valid_until <= MONDAY + timedelta(hours=12)


def test_district_duties() -> None:
    """A month without class or meeting and a quarter without training are owed by the grid; an activity closes them."""
    at = datetime(2026, 3, 12, tzinfo=SHANGHAI)
    held = Event(
        Key("community_grid", "activity", "X1"),
        1,
        "activity",
        at,
        {"kind": "class", "at": at, "community": "C"},
        (),
        (),
        True,
        at,
        at,
    )
    rows = district_duties(
        [held], ["C"], policy(), Moment(datetime(2026, 4, 2, tzinfo=SHANGHAI)), datetime(2026, 3, 5, tzinfo=SHANGHAI)
    )

    assert [(o.slot, o.due.date().isoformat() if o.due else "", o.closed.how if o.closed else "") for o in rows] == [
        ("C/class/2026-03", "2026-03-31", "done"),
        ("C/class/2026-04", "2026-04-30", ""),
        ("C/meeting/2026-03", "2026-03-31", ""),
        ("C/meeting/2026-04", "2026-04-30", ""),
        ("C/training/2026-01", "2026-03-31", ""),
        ("C/training/2026-04", "2026-06-30", ""),
    ]


def test_an_unreadable_row() -> None:
    """A row nobody could read goes to the coordinator and the unit's head, within an hour; redriven it is done."""
    rows = unreadable(Key("education", "concern", "row:1"), MONDAY, policy())

    assert [(o.to, o.due) for o in rows] == [
        ("coordinator", MONDAY + timedelta(hours=1)), ("head:education", MONDAY + timedelta(hours=1)),
    ]  # fmt: skip
    standing = [
        Standing(f"N{n}", a.owed._replace(causes=frozenset()), "open", False)
        for n, a in enumerate(settle([], rows))
        if isinstance(a, Open)
    ]
    assert settle(standing, rows) == []


@pytest.mark.parametrize("one", list(read_cases()), ids=lambda one: one["name"][:50])
def test_opening_what_is_owed_settles_it(one: dict[str, object]) -> None:
    """Once everything owed in a case is opened, nothing is left to do, and every fact of it is JSON."""
    owed = owed_in(one)
    acts = settle([], owed)
    standing = [Standing(f"N{n}", a.owed, "open", False) for n, a in enumerate(acts) if isinstance(a, Open)]

    again = [a for a in settle(standing, owed) if not (isinstance(a, Amend) and a.differs == ("state",))]
    assert again == []
    for one_owed in owed:
        assert json.loads(canonical(one_owed.facts)) == json.loads(json.dumps(one_owed.facts))


def test_table_is_the_policy() -> None:
    """Every duty of the policy file has its finder, and the other way round; each cites a clause or a law."""
    book = book_of(policy())

    assert set(book.duties) - {"D20", "D26"} == set(duties.TABLE)
    assert all(is_duty(rule.id) and (rule.clause or rule.law) for rule in book.duties.values())


def test_no_duty_is_left_unasked() -> None:
    """What a case shows picks the duties that are asked of it: all others would have found nothing."""
    asked_in_vain = 0
    for one in read_cases():
        moment, read = Moment(closing(when(one["as_of"]))), amended(case(one))
        g = ground(read, course(read, policy(), moment), policy(), moment)
        asked = {rule.id for _, rule in duties.asked(g)}
        for name, find in duties.TABLE.items():
            if name not in asked:
                asked_in_vain += 1

                assert list(find(g, g.book.duties[name])) == [], (one["name"], name)
    assert asked_in_vain > 1000


def test_a_district_may_leave_a_duty_out() -> None:
    """A duty switched off in an overlay is not in the book."""
    raw = {"duty": [{"id": "D9", "to": ["justice"], "due": ["5wd"], "clause": "x", "law": "", "enabled": False}]}

    assert compile_book(raw).duties == {}
