"""What goes out: the fields of every body, what is withheld, and the same bytes each time."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

from hub.core.message import (
    PARTY_FIELDS,
    REPORT_FIELDS,
    Opened,
    addendum,
    cancellation,
    canonical,
    duty,
    envelope,
    light_change,
    member_fields,
    report,
    report_copy,
    without_reporter,
)
from hub.core.records import SHANGHAI, Event, Key, Owed, Party, Person

AT = datetime(2026, 3, 2, 9, 30, tzinfo=SHANGHAI)
KEY = Key("education", "concern", "E1")
CHILD = Person("victim", "林小舟", "111", None, born=date(2014, 5, 1), address="样例路 8 号 301 室")
FATHER = Person("alleged", "林大山", phone="13800000000")
TEACHER = Person("reporter", "程老师", phone="13711112222")
OWED = Owed(
    "M2", "police", "victim:5", frozenset({KEY}), AT, None,
    facts={"also": ["M7"], "kind": "dv", "urgency": "high", "situation": None,
           "cause": {"rule": "M2", "unit": "education", "stream": "concern", "key": "E1"}},
)  # fmt: skip


def opened(**changes: object) -> Opened:
    event = Event(
        KEY, 1, "concern_found", AT, {"kind": "suspected_dv", "relation": "child", "injury": "slight"},
        (Party("victim", 5, date(2014, 5, 1)), Party("alleged", 6)), (), True, AT, AT + timedelta(minutes=3),
    )  # fmt: skip
    one = Opened(event, (CHILD, FATHER), {"narrative": "右臂多处挫伤", "place": "教室"}, TEACHER)
    return one._replace(**changes)


def made(*records: Opened) -> dict[str, object]:
    return report(OWED, "MR-1", AT + timedelta(minutes=4), records or (opened(),), clause="五(七)", contact="区教育局")


def test_report_has_exactly_its_fields() -> None:
    """A mandatory report carries the fields of the contract, and the reporter for the police alone."""
    body = made()

    assert tuple(body) == REPORT_FIELDS
    assert body["victim"] == {
        "name": "林小舟", "id_type": "111", "birth_date": "2014-05-01", "address": "样例路 8 号 301 室", "age": 11,
        "capacity": "limited", "relation": "child",
    }  # fmt: skip
    assert body["alleged"] == {"name": "林大山", "phone": "13800000000"}
    assert body["reporter"] == {"name": "程老师", "phone": "13711112222"}
    assert body["evidence"] == [{"unit": "education", "stream": "concern", "key": "E1"}]
    assert (body["found_at"], body["received_at"]) == ("2026-03-02T09:30:00+08:00", "2026-03-02T09:33:00+08:00")


def test_bytes_are_the_same_each_time() -> None:
    """The same report gives the same bytes, in whatever order its records are opened."""
    other = opened()._replace(
        event=opened().event._replace(key=Key("health", "treatment", "H1"), at=AT + timedelta(hours=1)), reporter=None
    )

    assert canonical(made(opened(), other)) == canonical(made(other, opened()))
    assert json.loads(canonical(made()))["victim"]["name"] == "林小舟"


def test_copy_and_export_leave_out_what_is_secret() -> None:
    """The supervising department sees neither narrative nor reporter, an export no reporter."""
    assert set(REPORT_FIELDS) - set(report_copy(made(), PARTY_FIELDS)) == {"narrative", "reporter"}
    assert set(REPORT_FIELDS) - set(without_reporter(made())) == {"reporter"}


def test_copy_names_of_a_person_what_the_receiver_may_know() -> None:
    """A receiver whose manifest names no field of a person reads what is coded, and no name, number or address."""
    told = report_copy(made(), ())["victim"]
    assert not set(told) & (set(PARTY_FIELDS) - {"capacity"})
    assert report_copy(made(), ("name",))["victim"]["name"] == made()["victim"]["name"]


def test_no_protected_address_anywhere() -> None:
    """A protected person's address and the place stand nowhere, in a shelter record no address at all."""
    protected = made(opened(protected=frozenset({"victim"})))
    shelter = opened()._replace(event=opened().event._replace(kind="shelter"))

    assert "样例路" not in canonical(protected).decode()
    assert protected["place"] is None
    assert "样例路" not in canonical(made(shelter)).decode()
    assert "address" not in member_fields([CHILD], ["name", "address"], {"victim"})[0]


def test_unknown_victim_names_both_parties() -> None:
    """One report about two parties of a mediation names them both."""
    event = opened().event._replace(
        kind="mediation", key=Key("justice", "mediation", "J1"), facts={"violence": "suspected"},
        parties=(Party("party_a", 1), Party("party_b", 2)),
    )  # fmt: skip
    body = made(Opened(event, (Person("party_a", "甲"), Person("party_b", "乙"))))

    assert body["victim"] == {}
    assert [p["name"] for p in body["parties"]] == ["甲", "乙"]


def test_parties_of_a_visit() -> None:
    """Of a visit with parties only the minor is the victim, the other party the alleged person."""
    event = opened().event._replace(
        kind="visit_recorded", facts={"finding": "violence"},
        parties=(Party("party_a", 6, date(1980, 1, 1)), Party("party_b", 5, date(2014, 5, 1))),
    )  # fmt: skip
    body = made(Opened(event, (Person("party_a", "林大山"), Person("party_b", "林小舟"))))

    assert (body["victim"]["name"], body["alleged"]["name"]) == ("林小舟", "林大山")


def test_reason_of_a_duty() -> None:
    """Police, court, procuratorate and coordinator are told the rule, every other unit a family of reasons."""
    owed = Owed("D2", "community_grid", "1", frozenset({KEY}), AT, AT, facts={"rule": "R2", "reason": "police_measure"})

    assert duty(owed, "D-1", "H1")["reason"] == "police_measure"
    assert duty(owed._replace(to="police"), "D-1", "H1")["reason"] == "R2"
    assert set(duty(owed, "D-1", "H1")) == {
        "duty_no",
        "duty",
        "household",
        "members",
        "reason",
        "due",
        "repeat",
        "state",
    }


def test_small_bodies() -> None:
    """Addendum, cancellation, light change and envelope carry their fields and no more."""
    owed = Owed(
        "addendum",
        "police",
        "x",
        frozenset({KEY}),
        AT,
        None,
        facts={"facts": [{"code": "weapon"}], "by_unit": "education", "why": "retracted"},
    )

    assert addendum(owed, "MR-1", 2, AT) == {
        "report_no": "MR-1", "addendum": 2, "facts": [{"code": "weapon"}], "created_at": "2026-03-02T09:30:00+08:00",
    }  # fmt: skip
    assert cancellation(owed, "MR-1", AT)["why"] == "retracted"
    change = light_change("7", None, "h", "310101001001", "red", "unlit", AT, "police_measure")
    assert list(envelope("light_change", "7", "community_grid", "grid", AT, change)) == [
        "type", "message_no", "unit", "addressee", "created_at", "body",
    ]  # fmt: skip
