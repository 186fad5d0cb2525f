"""Work over HTTP, by a running hub: tokens bound to units decide by the commands' rules, once, with coded refusals."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.cli.test_decisions import worker
from tests.cli.test_queue import family
from tests.edge.conftest import RunningHub, call, request
from tests.end_to_end.story import COMMUNITY, HUSBAND, WIFE
from tests.end_to_end.story import call as police_call

TOKENS = {
    "coordinator": ("coordinator", True, ()),
    "police": ("unit:police", True, ()),
    "federation": ("unit:womens_federation", True, ()),
    "grid": ("unit:community_grid", True, ()),
    "reader": ("unit:police", False, ()),
    "station": ("station", True, (COMMUNITY,)),
    "elsewhere": ("station", True, ("310101001009",)),
}
UNITS = ("police", "womens_federation", "community_grid", "education")


def hub_toml() -> str:
    rows = ""
    for token, (role, decides, communities) in TOKENS.items():
        digest = hashlib.sha256(token.encode()).hexdigest()
        rows += f'\n[[tokens]]\nhash = "{digest}"\nrole = "{role}"\nacts = {str(decides).lower()}\n'
        rows += f"communities = {json.dumps(communities)}\n"
    return rows


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A red household of the register, four workers of three units, and the daemon running."""
    template = tmp_path_factory.mktemp("work") / "template"
    call(template, "init", str(template))
    for unit in UNITS:
        call(template, "connectors", "enable", unit)
    at = "2026-03-01 20:00:00"
    feeds: list[tuple[str, str, list[dict[str, Any]]]] = [
        ("police", "worker", [worker("P1", "公安"), worker("P2", "公安")]),
        ("womens_federation", "worker", [worker("F1", "区妇联")]),
        ("community_grid", "worker", [worker("G1", "社区智慧大脑"), worker("G2", "社区智慧大脑")]),
        ("community_grid", "household", family("H1", at, HUSBAND, WIFE)),
        ("police", "incident", [police_call("J1", at, intensity="2")]),
    ]
    for number, (unit, stream, rows) in enumerate(feeds):
        file = template / f"{number}.ndjson"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        call(template, "ingest", unit, stream, str(file))
    toml = template / "hub.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + hub_toml(), encoding="utf-8")
    made = RunningHub(template, tmp_path_factory.mktemp("running") / "hub")
    made.start()
    yield made
    made.daemon.kill()
    made.daemon.client.close()


def ask(hub: RunningHub, token: str, method: str, path: str, body: Any = None, key: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
    return request(hub.url, method, "/v1" + path, headers=headers, json=body)


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def decision(by: str, **fields: str) -> dict[str, str]:
    return {"light": "yellow", "reason": "两人当面核实，已分居", "until": "2027-12-31", "by": by, **fields}


def test_two_tokens_of_two_units_step_a_red_light_down(hub: RunningHub) -> None:
    """The first signature waits, a second of the same unit changes nothing, one of another unit takes effect; once by key."""
    path = "/households/H1/overrides"
    first = ask(hub, "police", "POST", path, decision("P1"), key="k1").json()
    assert (first["state"], first["explanation"]["light"], first["explanation"]["notes"]) == (
        "applied",
        "red",
        ["override_waits"],
    )
    again = ask(hub, "police", "POST", path, decision("P1"), key="k1")
    assert (again.status_code, again.json()["no"]) == (200, first["no"])
    assert len(again.json()["explanation"]["overrides"]) == 1
    assert refused(ask(hub, "police", "POST", path, decision("P2"), key="k1")) == (409, "idempotency.conflict")
    assert ask(hub, "police", "POST", path, decision("P2")).json()["explanation"]["light"] == "red"
    told = ask(hub, "federation", "POST", path, decision("F1"), key="k1").json()["explanation"]
    assert told["light"] == "yellow"

    assert ask(hub, "police", "POST", "/households/H1/overrides/release", {"by": "P1"}).status_code == 200
    assert ask(hub, "coordinator", "GET", "/households/H1").json()["light"] == "red"


@pytest.mark.parametrize(
    ("token", "body", "told"),
    [
        ("reader", decision("P1"), (403, "act.scope")),
        ("police", decision("F1"), (403, "act.foreign")),
        ("station", decision("G1"), (403, "act.foreign")),
        ("police", decision("P9"), (422, "act.nameless")),
        ("police", decision("P1", until="2020-01-01"), (422, "act.until")),
        ("police", decision("P1", until="morgen"), (422, "act.date")),
        ("police", decision("P1", recheck="2028-02-01"), (422, "act.recheck")),
        ("police", decision("P1", reason=""), (422, "request.invalid")),
        ("police", decision("P1", light="blue"), (422, "request.invalid")),
        ("police", decision("P1", wish="x"), (422, "request.invalid")),
        ("elsewhere", decision("G1"), (404, "not_found")),
        ("nobody", decision("P1"), (401, "credential.unknown")),
    ],
)  # fmt: skip
def test_what_is_against_the_rules_is_refused_by_code(
    hub: RunningHub, token: str, body: dict[str, str], told: tuple[int, str]
) -> None:
    """Each refusal has its status and code, quotes nothing that came in, and records nothing."""
    answer = ask(hub, token, "POST", "/households/H1/overrides", body)

    assert refused(answer) == told
    assert "分居" not in answer.text
    if token == "reader":
        assert refused(ask(hub, token, "POST", "/households/nobody/overrides", body)) == told  # and tells nothing else
    assert refused(ask(hub, "police", "POST", "/households/nobody/overrides", decision("P1"))) == (404, "not_found")


def test_the_family_is_heard_and_another_unit_answers(hub: RunningHub) -> None:
    """The station takes an objection down; the police may not answer for their own record, the federation may."""
    about = {"statement": "并无肢体冲突", "about": "police.incident/J1", "by": "G1"}
    no = ask(hub, "station", "POST", "/households/H1/objections", about, key="o1").json()["no"]
    path = f"/households/H1/objections/{no}/answers"
    answer = {"decision": "partly", "text": "已核对", "by": "P1"}

    assert refused(ask(hub, "police", "POST", path, answer)) == (403, "act.own")
    assert refused(ask(hub, "police", "POST", "/households/H1/objections/OB-0/answers", answer)) == (
        422,
        "act.objection",
    )
    assert ask(hub, "federation", "POST", path, {**answer, "by": "F1"}).status_code == 200
    (told,) = ask(hub, "coordinator", "GET", "/households/H1/explanation").json()["objections"]
    assert (told["no"], told["state"], told["answers"][0]["unit"]) == (no, "answered", "womens_federation")
    assert refused(
        ask(hub, "station", "POST", "/households/H1/objections", {**about, "about": "police.incident/J9"})
    ) == (422, "act.about")


def test_a_duty_is_taken_handed_over_refused_and_done(hub: RunningHub) -> None:
    """By its own unit alone; each step shows in the queue; a refusal needs its reason and ends it for the unit."""
    (visit,) = (d for d in ask(hub, "grid", "GET", "/duties").json()["duties"] if d["duty"] == "D2")
    path = f"/duties/{visit['duty_no']}/answers"
    assert (visit["cause"]["rule"], visit["records"]) == ("police_measure", [])  # the grid is told a family of reasons
    assert refused(ask(hub, "police", "POST", path, {"status": "accepted", "by": "P1"})) == (404, "not_found")
    assert refused(ask(hub, "grid", "POST", path, {"status": "accepted", "by": "F1"})) == (403, "act.foreign")

    def has_it() -> list[Any]:
        rows = ask(hub, "grid", "GET", "/queue").json()["queue"]
        return [one["worker"] for row in rows for one in row["owed"] if one["no"] == visit["duty_no"]]

    assert has_it() == [None]
    assert ask(hub, "grid", "POST", path, {"status": "accepted", "by": "G1"}).json()["duty"]["state"] == "accepted"
    assert has_it() == ["G1"]
    assert refused(ask(hub, "grid", "POST", path, {"status": "accepted", "by": "G1", "to": "P1"})) == (
        403,
        "act.foreign",
    )
    assert ask(hub, "station", "POST", path, {"status": "accepted", "by": "G1", "to": "G2"}).status_code == 200
    assert has_it() == ["G2"]
    assert refused(ask(hub, "grid", "POST", path, {"status": "returned", "by": "G2"})) == (422, "act.reason")
    given = ask(hub, "grid", "POST", path, {"status": "returned", "by": "G2", "outcome": "moved"}, key="r1").json()
    assert (given["duty"]["state"], given["duty"]["outcome"]) == ("returned", "moved")
    assert (
        ask(hub, "grid", "POST", path, {"status": "returned", "by": "G2", "outcome": "moved"}, key="r1").json()["no"]
        == given["no"]
    )
    assert refused(ask(hub, "grid", "POST", path, {"status": "done", "by": "G2", "outcome": "seen"})) == (
        409,
        "act.ended",
    )


def test_the_queue_and_loads_by_role(hub: RunningHub) -> None:
    """Each place with its sentence in both languages; a unit sees its own, the station its staff's, the coordinator all."""
    whole = ask(hub, "coordinator", "GET", "/queue").json()["queue"]
    assert whole[0]["why"]["zh"].startswith("排在此处：")
    assert whole[0]["why"]["en"].startswith("Here because: ")

    def units(token: str, **query: str) -> set[str]:
        rows = ask(hub, token, "GET", "/queue?" + "&".join(f"{k}={v}" for k, v in query.items())).json()["queue"]
        return {one["unit"] for row in rows for one in row["owed"]}

    assert units("grid") == {"community_grid"}
    assert units("station") == {"community_grid", "womens_federation"}
    assert units("station", community="310101001009") == units("station", unit="police") == units("elsewhere") == set()
    assert {"womens_federation", "community_grid"} <= units("coordinator")
    assert {row["unit"] for row in ask(hub, "grid", "GET", "/workers").json()["workers"]} == {"community_grid"}
    assert ask(hub, "coordinator", "GET", "/workers").json()["workers"][0]["name"] == "郑可欣"


def test_the_doors_are_described(hub: RunningHub) -> None:
    """OpenAPI names every route with its body, its refusals and the key that makes it happen once."""
    paths = request(hub.url, "GET", "/openapi.json").json()["paths"]
    for path in ("households/{household}/overrides", "households/{household}/objections", "duties/{number}/answers"):
        post = paths["/v1/" + path]["post"]
        assert {"200", "202", "401", "403", "404", "409", "422", "503"} <= set(post["responses"])
        assert "Idempotency-Key" in {one["name"] for one in post["parameters"]}
        assert "requestBody" in post
