"""Rulings, the month and override rates over HTTP, by a running hub: the coordinator's, by the commands' rules."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.cli.test_decisions import worker
from tests.cli.test_queue import family
from tests.cli.test_rulings import AT, complaint
from tests.daemon.test_work import ask, refused
from tests.edge.conftest import RunningHub, call
from tests.end_to_end.story import COMMUNITY, HUSBAND, WIFE
from tests.end_to_end.story import call as police_call

ROLES = {
    "coordinator": ("coordinator", True, ""),
    "reader": ("coordinator", False, ""),
    "police": ("unit:police", True, ""),
    "station": ("station", True, COMMUNITY),
    "elsewhere": ("station", False, "310101001009"),
}
WHY = {"reason": "电话核实", "by": "F1"}
MONTH = f"/communities/{COMMUNITY}/months/2026-11"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A red family of the register, a complaint of somebody with the wife's telephone and half a name; the daemon runs."""
    template = tmp_path_factory.mktemp("meeting") / "template"
    call(template, "init", str(template))
    for unit in ("police", "womens_federation", "community_grid"):
        call(template, "connectors", "enable", unit)
    half = complaint("C1", victim_name="苏某", victim_phone=WIFE.phone, abuser_name="林某")
    feeds: list[tuple[str, str, list[dict[str, Any]]]] = [
        ("police", "worker", [worker("P1", "公安")]),
        ("womens_federation", "worker", [worker("F1", "区妇联")]),
        ("community_grid", "household", family("H1", AT, HUSBAND, WIFE)),
        ("police", "incident", [police_call("J1", AT, intensity="2")]),
        ("womens_federation", "complaint", [half]),
    ]
    for number, (unit, stream, rows) in enumerate(feeds):
        file = template / f"{number}.ndjson"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        call(template, "ingest", unit, stream, str(file))
    tokens = ""
    for token, (role, acts, community) in ROLES.items():
        digest = hashlib.sha256(token.encode()).hexdigest()
        tokens += f'\n[[tokens]]\nhash = "{digest}"\nrole = "{role}"\nacts = {json.dumps(acts)}\n'
        tokens += f"communities = {json.dumps([community] if community else [])}\n"
    toml = template / "hub.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + tokens, encoding="utf-8")
    made = RunningHub(template, tmp_path_factory.mktemp("running") / "hub")
    made.start()
    yield made
    made.daemon.kill()
    made.daemon.client.close()


def homes(hub: RunningHub) -> dict[str, str]:
    rows = ask(hub, "coordinator", "GET", "/households").json()["households"]
    return {row["household"]: row["light"] for row in rows}


def review(hub: RunningHub) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(hub, "coordinator", "GET", "/identity/review").json()["review"]
    return found


def ruled(hub: RunningHub, path: str, body: dict[str, Any], key: str = "") -> str:
    told = ask(hub, "coordinator", "POST", path, body, key=key)
    assert (told.status_code, told.json()["state"]) == (200, "applied")
    (no,) = told.json()["decisions"]
    return str(no)


def undone(hub: RunningHub, no: str) -> None:
    ruled(hub, f"/identity/decisions/{no}/undo", {"by": "F1"})


def test_an_item_is_accepted_once_and_undone(hub: RunningHub) -> None:
    """The record moves to the candidate, a repeat under the key gives the same number, the undo gives everything back."""
    before, (item,) = homes(hub), review(hub)
    assert (item["kind"], item["key"], len(item["candidates"])) == ("identity", "C1", 1)
    path = f"/identity/review/{item['id']}/accept"
    no = ruled(hub, path, WHY, key="a1")

    assert list(homes(hub).values()) == ["red"]
    assert (review(hub), ruled(hub, path, WHY, key="a1")) == ([], no)
    (row,) = ask(hub, "reader", "GET", "/identity/decisions").json()["decisions"]
    assert (row["no"], row["act"], row["by"], row["reason"]) == (no, "accept", "F1", "电话核实")
    undone(hub, no)
    assert (homes(hub), review(hub)) == (before, [item])


def test_an_item_is_rejected_and_undone(hub: RunningHub) -> None:
    """It waits no longer, the households stay two; after the undo it waits again."""
    (item,) = review(hub)
    no = ruled(hub, f"/identity/review/{item['id']}/reject", {**WHY, "candidate": item["candidates"][0]})

    assert (review(hub), len(homes(hub))) == ([], 2)
    undone(hub, no)
    assert review(hub) == [item]


def test_households_are_merged_and_records_set_apart(hub: RunningHub) -> None:
    """Two become one, a person of the call stands apart; each has its number, and the same households after the undo."""
    before = homes(hub)
    other = next(name for name, light in before.items() if light != "red")
    no = ruled(hub, "/identity/merges", {**WHY, "one": "H1", "other": other})
    assert list(homes(hub).values()) == ["red"]
    undone(hub, no)

    no = ruled(hub, "/identity/splits", {**WHY, "record": "police.incident/J1", "position": 1})
    (row,) = ask(hub, "coordinator", "GET", "/identity/decisions").json()["decisions"]
    assert (row["no"], row["act"], row["what"], row["record"]) == (no, "split", "alone", "police.incident/J1")
    undone(hub, no)
    assert homes(hub) == before
    assert ask(hub, "coordinator", "GET", "/identity/decisions").json() == {"decisions": []}


@pytest.mark.parametrize(
    ("token", "path", "body", "told"),
    [
        ("reader", "merges", {**WHY, "one": "a", "other": "b"}, (403, "act.scope")),
        ("police", "merges", {"one": "a", "other": "b", "reason": "x", "by": "P1"}, (404, "not_found")),
        ("station", "splits", {**WHY, "record": "police.incident/J1"}, (404, "not_found")),
        ("coordinator", "merges", {**WHY, "one": "a", "other": "b"}, (422, "identity.unknown")),
        ("coordinator", "merges", {**WHY, "one": "H1", "other": "H1"}, (422, "identity.one")),
        ("coordinator", "splits", {**WHY, "record": "police.incident/J9"}, (422, "identity.unknown")),
        ("coordinator", "splits", {**WHY, "record": "J1"}, (422, "identity.unknown")),
        ("coordinator", "review/none/accept", WHY, (422, "identity.item")),
        ("coordinator", "decisions/ID-0/undo", {"by": "F1"}, (422, "identity.decision")),
        ("coordinator", "decisions/ID-0/undo", {"by": "P1"}, (403, "act.foreign")),
        ("coordinator", "merges", {"one": "H1", "other": "x", "reason": "", "by": "F1"}, (422, "request.invalid")),
    ],
)  # fmt: skip
def test_rulings_against_the_rules_are_refused_by_code(
    hub: RunningHub, token: str, path: str, body: dict[str, Any], told: tuple[int, str]
) -> None:
    """Units and stations rule nothing, a person of another unit signs nothing; each refusal has its code."""
    assert refused(ask(hub, token, "POST", f"/identity/{path}", body)) == told


def test_doubts_are_the_coordinators_alone(hub: RunningHub) -> None:
    """To everybody else the lists are absent."""
    for token in ("police", "station"):
        for path in ("/identity/review", "/identity/decisions"):
            assert refused(ask(hub, token, "GET", path)) == (404, "not_found")


def test_the_month_is_read_as_document_page_and_workbook(hub: RunningHub) -> None:
    """The station reads its own community's; a foreign community is absent; a month that has not begun is no month."""
    told = ask(hub, "coordinator", "GET", MONTH).json()
    assert (told["community"], told["month"], told["lights"]["red"]) == (COMMUNITY, "2026-11", 1)
    page = ask(hub, "station", "GET", MONTH + "?form=html")
    assert page.headers["content-type"].startswith("text/html")
    assert "待研判家庭" in page.text
    assert "Households by light" in ask(hub, "station", "GET", MONTH + "?form=html&lang=en").text
    book = ask(hub, "reader", "GET", MONTH + "?form=xlsx")
    (sheet,) = load_workbook(io.BytesIO(book.content)).worksheets
    assert COMMUNITY in str(sheet["A1"].value)
    for token in ("elsewhere", "police"):
        assert refused(ask(hub, token, "GET", MONTH)) == (404, "not_found")
    for wrong in ("2999-01", "November"):
        path = f"/communities/{COMMUNITY}/months/{wrong}"
        assert refused(ask(hub, "coordinator", "GET", path)) == (422, "date.invalid")


def test_units_are_shown_their_own_rate(hub: RunningHub) -> None:
    """The coordinator sees every unit's decisions up and down, a unit its own row."""
    decision = {"light": "red", "reason": "当面核实", "until": "2027-12-31", "by": "P1"}
    other = next(name for name, light in homes(hub).items() if light != "red")
    ask(hub, "police", "POST", f"/households/{other}/overrides", decision)
    rows = {row["unit"]: row for row in ask(hub, "reader", "GET", "/overrides/rates").json()["rates"]}
    assert (rows["police"]["up"], rows["police"]["down"]) == (1, 0)
    own = ask(hub, "police", "GET", "/overrides/rates").json()["rates"]
    assert own == [rows["police"]]
