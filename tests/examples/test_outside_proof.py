"""A connector the hub has never seen: its own wheel, enabled by configuration only, and its records change lights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.examples.conftest import Installed
from tests.local_peer import Asked, LocalPeer

NOW = datetime.now(UTC) + timedelta(hours=8)
COMMUNITY = "310101001001"


def ago(**span: int) -> str:
    """A time in Shanghai, before now."""
    return f"{NOW - timedelta(**span):%Y-%m-%d %H:%M:%S}"


def couple(first: str, second: str, number: int) -> tuple[dict[str, str], dict[str, str]]:
    """Two invented persons by name and phone, under the columns of a call and of an order."""
    phones = f"139000010{number}1", f"139000010{number}2"
    call = {"甲方姓名": first, "甲方联系电话": phones[0], "乙方姓名": second, "乙方联系电话": phones[1]}
    order = {"被反映人姓名": first, "被反映人联系电话": phones[0], "诉求人姓名": second, "诉求人联系电话": phones[1]}
    return call, {**order, "诉求人身份": "当事人", "与对方关系": "配偶"}


def call(no: str, **columns: str) -> dict[str, str]:
    """A 110 call about blows between husband and wife."""
    return {
        "接警编号": no, "报警时间": ago(hours=5), "更新时间": ago(hours=5), "警情类别": "1", "肢体冲突": "是",
        "与对方关系": "配偶", "社区编码": COMMUNITY, **columns,
    }  # fmt: skip


def order(no: str, category: str, **columns: str) -> dict[str, str]:
    """A 12345 work order."""
    return {
        "工单编号": no, "来电时间": ago(hours=4), "更新时间": ago(hours=4), "诉求分类": category, "紧急程度": "1",
        "社区编码": COMMUNITY, "诉求内容": "虚构", **columns,
    }  # fmt: skip


LINKED, _ = couple("何建波", "唐秋霞", 1)
APART, APART_ORDER = couple("刘向明", "方晓岚", 2)
_, QUARREL = couple("罗启明", "沈若云", 3)
NEIGHBOUR = {"诉求人身份": "邻居", "诉求人姓名": "蒋邻居", "诉求人联系电话": "13900001049"}
ORDERS = [
    order("GD1", "060103", 关联接警编号="JJ1", **NEIGHBOUR),  # names nobody but the caller, and the call
    order("GD2", "060103", **APART_ORDER),  # names the parties, and no call
    order("GD3", "060101", **QUARREL),
    order("GD4", "060104", 受害人姓名="龚小满", 受害人出生日期="2016-03-09", **NEIGHBOUR),
    order("GD5", "990000", **NEIGHBOUR),  # a broken street lamp: a category nobody asked for
]


@pytest.fixture(scope="module")
def hotline() -> Iterator[LocalPeer]:
    """The hotline's own interface: two rows a page, wrapped, as such platforms answer."""

    def answer(asked: Asked) -> tuple[int, dict[str, str], Any]:
        start = (int(asked.query["pageNo"]) - 1) * 2
        data = {"list": ORDERS[start : start + 2], "total": len(ORDERS)}
        return 200, {}, json.dumps({"code": 0, "msg": "", "data": data}).encode()

    made = LocalPeer(answer)
    yield made
    made.close()


@pytest.fixture(scope="module")
def polled(installed: Installed, hotline: LocalPeer) -> Installed:
    """Two 110 calls are in; the hotline is enabled by configuration and has been polled once."""
    path = installed.folder / "connectors.d" / "hotline_12345.toml"
    text = path.read_text(encoding="utf-8")
    assert "[streams.order]" in text  # the sample that `hub init` wrote from the manifest
    path.write_text(
        text + f'\n[streams.order]\ntransport = "rest"\nurl = "{hotline.url}/orders"\nrecords = "data.list"\n'
        'total = "data.total"\npage = { size = 2, param = "pageNo" }\nschedule = { every = "5m" }\n'
        'cursor = { field = "更新时间", overlap = "10m" }\nparams = { categories = "060101,060102,060103,060104" }\n',
        encoding="utf-8",
    )
    calls = installed.folder / "calls.ndjson"
    rows = [call("JJ1", **LINKED), call("JJ2", **APART)]
    calls.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    installed.hub("connectors", "enable", "police")
    installed.hub("connectors", "enable", "hotline_12345")
    installed.hub("ingest", "police", "incident", str(calls))
    installed.hub("connectors", "poll", "hotline_12345", "order")
    return installed


class Told(NamedTuple):
    """What the hub says afterwards."""

    events: list[dict[str, Any]]
    households: list[dict[str, Any]]
    duties: list[dict[str, Any]]
    reports: list[dict[str, Any]]

    def home_of(self, no: str) -> dict[str, Any]:
        """The household on whose timeline the record ``no`` stands."""
        (event,) = (e for e in self.events if e["key"] == no)
        (home,) = (h for h in self.households if h["household"] in event["households"])
        return home

    def duties_of(self, no: str) -> dict[str, str]:
        """Duty → its unit, of that household."""
        return {d["duty"]: d["unit"] for d in self.duties if d["household"] == self.home_of(no)["household"]}


@pytest.fixture(scope="module")
def told(polled: Installed) -> Told:
    return Told(*map(polled.export, Told._fields))


def test_outside_records_change_lights(told: Told) -> None:
    """A quarrel lights yellow, suspected violence against a child orange, and a call stays red."""
    lights = {no: told.home_of(no)["light"] for no in ("GD3", "GD4", "JJ1")}

    assert lights == {"GD3": "yellow", "GD4": "orange", "JJ1": "red"}


def test_unknown_category_waits_for_a_person(polled: Installed) -> None:
    """What nobody asked for is held with its code, and stops no neighbour."""
    groups = polled.json("quarantine", "list")

    assert [(g["code"], g["stream"], g["count"]) for g in groups] == [("code.unknown", "order", 1)]


def test_order_that_names_a_call_is_the_same_incident(told: Told) -> None:
    """It comes to the call's household without a name and counts no second event; one without the number does count."""
    assert told.home_of("GD1") == told.home_of("JJ1")
    assert told.home_of("GD2") == told.home_of("JJ2")
    # D10: a second violent event within 30 days asks the court to help with a protection order
    assert "D10" not in told.duties_of("JJ1")
    assert "D10" in told.duties_of("JJ2")


def test_whom_it_stands_for_covers_it(told: Told) -> None:
    """A child's danger is reported to the police under the grid's rule, and the grid takes the mediation of a quarrel."""
    (report,) = (r for r in told.reports if any(e["key"] == "GD4" for e in r["evidence"]))

    assert (report["rule"], report["reporting_unit"]) == ("M6", "hotline_12345")
    assert told.duties_of("GD3")["D15"] == "community_grid"


def test_kit_and_scaffold_come_with_the_wheel(installed: Installed, tmp_path: Path) -> None:
    """The installed example reaches gold by the installed kit, and a stranger can write a package of their own."""
    assert installed.json("connectors", "test", "hotline_12345", "--level", "gold")["reached"] is True
    options = ("--unit", "shelter_line", "--stands-for", "womens_federation", "--into", str(tmp_path))
    written = installed.json("connectors", "new", "shelter_line", *options)
    assert "shelter_line/manifest.toml" in written["files"]
