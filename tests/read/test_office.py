"""What each role may see through the web's port: least data, default deny, absent and forbidden alike."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub import bootstrap
from hub.cli import app
from hub.core.acts import ActError
from hub.core.sentences import render
from hub.office import HubOffice
from hub.speech import speak
from hub.store.issues import close_issues, open_issue
from hub.store.volume import THIN, THIN_PLACE
from hub.web.office import Caller
from tests.end_to_end.story import CHILD, COMMUNITY, HUSBAND, WIFE
from tests.end_to_end.story import call as police_call

AT = "2026-03-01 20:00:00"
ELSEWHERE = "310101001009"


def run(folder: Path, *arguments: str) -> Any:
    result = CliRunner().invoke(app, ["--config", str(folder), *arguments, "--json"], catch_exceptions=False)
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A red household with a penalty, and a reported child who is a girl victim, in one community."""
    made = tmp_path_factory.mktemp("office") / "district"
    CliRunner().invoke(app, ["init", str(made)], catch_exceptions=False)
    rows = {
        ("police", "incident"): police_call("J1", AT, intensity="2"),
        ("police", "penalty"): {
            "decision_no": "P1", "decided_on": "2026-03-02", "penalty": "2", "domestic_violence": "1", "relation": "配偶",
            "updated_at": AT, "community_code": COMMUNITY, **WIFE.block("victim"), **HUSBAND.block("abuser"),
        },
        ("education", "concern"): {
            "concern_no": "E1", "found_at": AT, "updated_at": AT, "kind": "1", "community_code": COMMUNITY,
            "reporter_name": "程老师", **CHILD.block("student"),
        },
        ("civil_affairs", "special_household"): {
            "register_no": "T1", "category": "girl_victim", "from": "2026-01-01", "updated_at": AT,
            "community_code": COMMUNITY, **CHILD.block("person"),
        },
    }  # fmt: skip
    for number, ((unit, stream), row) in enumerate(rows.items()):
        run(made, "connectors", "enable", unit)
        file = made / f"{number}.ndjson"
        file.write_text(json.dumps(row), encoding="utf-8")
        assert run(made, "ingest", unit, stream, str(file))["applied"] == 1
    return made


@pytest.fixture
def office(folder: Path) -> Iterator[HubOffice]:
    with bootstrap.open_hub(folder) as hub:
        yield HubOffice(
            hub.settings, bootstrap.manifests(), hub.store, hub.vault, hub.policy, lambda page: bootstrap.submit(hub, page)["batch"],
            lambda: {"intake": True}, bootstrap.now,
        )  # fmt: skip


def role(name: str, *communities: str) -> Caller:
    return Caller("role", name, communities)


def red(office: HubOffice) -> str:
    return str(next(row["household"] for row in office.households(role("exporter"), None, "red")))


def test_households_stay_in_their_communities(office: HubOffice) -> None:
    """A station sees its own communities; auditors and IT see no household; a foreign one is absent."""
    household = red(office)

    assert len(list(office.households(role("station", COMMUNITY), None, None))) == 2
    assert list(office.households(role("station", ELSEWHERE), None, None)) == []
    assert list(office.households(role("it"), None, None)) == []
    assert office.household(role("station", ELSEWHERE), household) is None
    assert office.explanation(role("auditor"), household, None) is None
    assert office.household(role("exporter"), "nobody") is None


def test_reasons_by_role(office: HubOffice) -> None:
    """A unit reads families, the coordinator all but the penalty, the prosecutor everything."""
    household = red(office)

    def rules(name: str) -> set[str]:
        told = office.explanation(role(name), household, None)
        assert told is not None
        return {concern["rule"] for concern in told["concerns"]}

    assert rules("prosecutor") == {"R2", "R6"}
    assert rules("coordinator") == {"police_measure", "R6"}
    assert rules("unit:education") == {"police_measure"}
    assert rules("station") == {"police_measure"}


def test_few_records_where_there_used_to_be_many_are_told_where_people_look(office: HubOffice) -> None:
    """A thin stream and a thin community stand in the explanation, in its sentences, and go when it is over."""
    store, household = office._store, red(office)
    open_issue(store, THIN, "police.incident", bootstrap.now())
    open_issue(store, THIN_PLACE, COMMUNITY, bootstrap.now())
    told = office.explanation(role("coordinator"), household, None)
    seen = office.explanation(role("unit:health"), household, None)
    assert told is not None
    assert seen is not None

    assert [row["subject"] for row in told["thin"]] == ["police.incident", COMMUNITY]
    assert [row["subject"] for row in seen["thin"]] == ["police", COMMUNITY]
    assert "记录远少于以往" in render(told, speak("zh"))
    for subject in ("police.incident", COMMUNITY):
        close_issues(store, subject, bootstrap.now())
    over = office.explanation(role("coordinator"), household, None)
    assert over is not None
    assert over["thin"] == []


def test_every_role_can_read_the_list_and_one_household(office: HubOffice) -> None:
    """Lists tell fewer fields of a concern than an explanation: whoever may read gets both, reasons withheld alike."""
    household = red(office)
    for name in ("coordinator", "prosecutor", "unit:education", "station", "police_duty"):
        listed = {row["household"]: row for row in office.households(role(name), None, None)}
        shown = office.household(role(name), household)
        assert shown is not None
        assert [c["rule"] for c in shown["concerns"]] == [c["rule"] for c in listed[household]["concerns"]]


def test_foresight_tells_other_units_no_way_and_no_record(office: HubOffice) -> None:
    """What is to come and what it rests on reaches a unit as lights, dates and units: no way, no proof, no record."""
    seen = {name: office.explanation(role(name), red(office), None) for name in ("unit:education", "prosecutor")}
    told, whole = (json.dumps(seen[name]) for name in ("unit:education", "prosecutor"))

    then = office.explanation(role("unit:education"), red(office), None, bootstrap.now())
    assert then is not None
    assert (then["recorded"]["light"], then["recorded"]["rule"]) == ("red", "")
    for word in ("review_red", "visit_since_violence", "P1", "J1", "penalty", '"why": "together"'):
        assert word not in told
        assert word in whole


def test_members_without_numbers_and_girl_victims_unseen(office: HubOffice) -> None:
    """A station sees who lives there but no ID number, and no category that tells of an assaulted girl."""
    of_child = next(
        row["household"] for row in office.households(role("exporter"), None, None) if row["household"] != red(office)
    )
    station = office.household(role("station", COMMUNITY), of_child)
    exporter = office.household(role("exporter"), of_child)

    assert station is not None
    assert exporter is not None
    assert {m["id_number"] for m in station["members"]} == {None}
    assert CHILD.id_number in {m["id_number"] for m in exporter["members"]}
    assert station["categories"] == []
    assert [c["category"] for c in exporter["categories"]] == ["girl_victim"]


def test_reports_are_for_police_coordinator_and_the_unit_that_found(office: HubOffice) -> None:
    """Others learn nothing of them, the station no narrative, and nobody the reporter."""
    seen = {
        name: list(office.reports(role(name, *places)))
        for name, places in {
            "police_duty": (), "coordinator": (), "unit:education": (), "unit:health": (), "prosecutor": (),
            "station": (COMMUNITY,),
        }.items()
    }  # fmt: skip

    assert {name: len(rows) for name, rows in seen.items()} == {
        "police_duty": 1, "coordinator": 1, "unit:education": 1, "unit:health": 0, "prosecutor": 0, "station": 1,
    }  # fmt: skip
    assert "程老师" not in json.dumps(seen, ensure_ascii=False)
    assert set(seen["station"][0]) == {"report_no", "household", "urgency", "created_at", "step", "due"}
    assert office.report(role("unit:health"), seen["police_duty"][0]["report_no"]) is None


def test_only_the_police_move_the_ladder(office: HubOffice) -> None:
    """A unit's acknowledgement of a step of the police is as if the report did not exist."""
    number = next(iter(office.reports(role("police_duty"))))["report_no"]

    assert office.acknowledge(role("unit:education"), number, {"step": "accepted"}) is None
    told = office.acknowledge(role("police_duty"), number, {"step": "received", "receipt_no": "HZ1", "by": "P007"})
    assert told is not None
    assert told["step"] == "received"


def test_feeds_continue_where_they_ended(office: HubOffice) -> None:
    """Light changes come in order, once each; a connector other than the grid's gets none."""
    grid = Caller("connector", "community_grid")
    first = office.light_changes(grid, "", 1)
    rest = office.light_changes(grid, first["next"], 500)

    assert [len(first["changes"]), len(rest["changes"])] == [1, 1]
    assert office.light_changes(grid, rest["next"], 500) == {"changes": [], "next": rest["next"]}
    assert office.light_changes(Caller("connector", "health"), "", 500)["changes"] == []
    assert {change["reason"] for change in (*first["changes"], *rest["changes"])} <= {"police_measure", "concern"}


def test_messages_are_read_by_their_receiver_alone(office: HubOffice) -> None:
    """The police connector reads the report with its reporter; health reads nothing of it."""
    police = office.parcels(Caller("connector", "police"), "", 500)["parcels"]
    health = office.parcels(Caller("connector", "health"), "", 500)["parcels"]

    report = next(parcel for parcel in police if parcel["kind"] == "mandatory_report")
    assert report["message"]["reporter"]["name"] == "程老师"
    assert "程老师" not in json.dumps(health, ensure_ascii=False)


def test_unknown_credentials_are_nobody(office: HubOffice) -> None:
    """A token that was never given out has no caller; metrics hold counts only."""
    assert office.caller("fch_nothing") is None
    assert office.metrics()["hub_records_received"] == 4


def test_late_reports_on_one_page(office: HubOffice) -> None:
    """`late=true` gives the reports whose steps are late; a role that may not know of them gets none."""
    late = list(office.reports(role("police_duty"), late=True))

    assert [step["step"] for report in late for step in report["late"]] == [
        step["step"] for report in office.reports(role("police_duty")) for step in report["late"]
    ]
    assert list(office.reports(role("it"), late=True)) == []


def test_open_corrections_are_for_the_coordinator_and_their_receiver(office: HubOffice, folder: Path) -> None:
    """A retracted report's notices: all for the coordinator, its own for the police, none for the school."""
    file = folder / "retracted.ndjson"
    file.write_text(
        json.dumps({"concern_no": "E1", "updated_at": "2026-03-05 09:00:00", "deleted": "1"}), encoding="utf-8"
    )
    assert run(folder, "ingest", "education", "concern", str(file))["applied"] == 1

    seen = {
        name: [n["says"] for n in office.notices(role(name))]
        for name in ("coordinator", "unit:police", "unit:education", "it")
    }
    assert seen == {
        "coordinator": ["cancellation", "retracted"], "unit:police": ["cancellation"], "unit:education": [], "it": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "known"), [("bogus", False), ("unit:nobody", False), ("", False), ("unit:health", True)]
)
def test_a_credential_of_an_unknown_role_is_nobody_s(office: HubOffice, name: str, known: bool) -> None:
    """Default deny: such a token opens no door at all, whatever the configuration says."""
    hashed = hashlib.sha256(b"secret").hexdigest()
    settings = replace(office.settings, tokens=({"hash": hashed, "role": name, "communities": ""},))
    office.renew(settings, office.policy, bootstrap.manifests())

    assert (office.caller("secret") is not None) is known


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ({"step": "nonsense"}, "act.step"),
        ({}, "act.step"),
        ({"step": "filed", "at": 12345}, "act.step"),
        ({"step": "filed", "by": {"a": 1}}, "act.step"),
        ({"step": "filed", "at": "bad"}, "act.feedback"),
        ({"step": "filed", "at": "2099-01-01"}, "act.feedback"),
        ({"step": "extended", "until": "bad"}, "act.feedback"),
    ],
)
def test_a_wrong_acknowledgement_is_refused_and_not_swallowed(
    office: HubOffice, step: dict[str, Any], code: str
) -> None:
    """What is no step, or is refused by the line, is answered with its code; the report stands where it stood."""
    number = next(iter(office.reports(role("police_duty"))))["report_no"]
    before = office.report(role("police_duty"), number)

    with pytest.raises(ActError) as refused:
        office.acknowledge(role("police_duty"), number, step)
    assert refused.value.code == code
    assert any(word in refused.value.remedy for word in ("not_substantiated", "at (", "until ("))
    assert office.report(role("police_duty"), number) == before


def test_a_step_is_taken_by_its_chinese_word(office: HubOffice) -> None:
    """The police may say 移送 for *transferred*, as in their feedback."""
    number = next(iter(office.reports(role("police_duty"))))["report_no"]
    told = office.acknowledge(role("police_duty"), number, {"step": "移送", "note": ""})

    assert told is not None
    assert [step["step"] for step in told["steps"]].count("transferred") == 1
