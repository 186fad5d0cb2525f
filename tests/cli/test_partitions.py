"""A stream in parts as IT staff configure it: polled, shown, compared and checked."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.cli.conftest import District
from tests.end_to_end.story import call as police_call
from tests.local_peer import LocalPeer

AT = "2026-03-01 20:00:00"


@pytest.fixture
def peer() -> Iterator[LocalPeer]:
    """One address for each community; ``/gone`` is none."""
    made = LocalPeer(
        lambda asked: (
            (404, {}, b"")
            if asked.path == "/gone"
            else (200, {}, json.dumps([police_call(asked.path[1:], AT)]).encode())
        )
    )
    yield made
    made.close()


def test_parts_are_polled_each_by_itself(district: District, peer: LocalPeer) -> None:
    """One that fails is told and the others are taken; `connectors show` names each."""
    district.append(
        "police",
        f'\n[streams.incident]\ntransport = "rest"\nurl = "{peer.url}/{{partition}}"\npartitions = ["gone", "J1", "J2"]\n'
        'schedule = { every = "1h" }\ncursor = { field = "updated_at" }\n',
    )

    told = district("connectors", "poll", "police", "incident")

    assert told.code != 0
    assert "404" in told.err or "http.404" in told.err
    assert district("status", "--json").json["counts"]["applied"] == 2
    parts = district("connectors", "show", "police", "--json").json["partitions"]
    assert [(p["partition"], p["result"], bool(p["last"])) for p in parts] == [
        ("J1", "", True), ("J2", "", True), ("gone", "http.404", False),
    ]  # fmt: skip
    assert "gone" in district("connectors", "show", "police").out


def test_check_names_parts_that_stand_nowhere(district: District) -> None:
    """Without {partition} each part would read the same; a name twice, and a transport that knows no parts, are mistakes."""
    district.append(
        "police",
        '\n[streams.incident]\ntransport = "rest"\nurl = "http://x/"\npartitions = ["a"]\n'
        '[streams.admonition]\ntransport = "rest"\nurl = "http://x/{partition}"\npartitions = ["a", "a"]\n'
        '[streams.penalty]\npartitions = ["a"]\n',
    )

    mistakes = [m for m in district("check", "--json").json["mistakes"] if m["key"].endswith("partitions")]

    assert [(m["key"].split(".")[1], m["line"] > 0) for m in mistakes] == [
        ("incident", True), ("admonition", True), ("penalty", True),
    ]  # fmt: skip
