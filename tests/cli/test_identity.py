"""`hub identity review`: what waits for a person, cries for help first, without a name."""

from __future__ import annotations

from tests.cli.conftest import District
from tests.end_to_end.story import HUSBAND
from tests.end_to_end.story import call as police_call

AT = "2026-03-01 20:00:00"


def test_the_review_list(district: District) -> None:
    """Doubtful persons, history and unreadable cries stand in the order in which they matter; adoption ends an item."""
    file = district.file(police_call("J1", AT, intensity="2"))
    district("ingest", "police", "incident", str(file), "--mode", "backfill")
    masked = HUSBAND.id_number[:6] + "*" * 8 + HUSBAND.id_number[-4:]
    district.ingest("police", "incident", police_call("J2", AT, party_a_id_number=masked, party_a_phone=""))
    district.ingest("police", "incident", police_call("J3", AT, category="77", narrative="丈夫持刀"))
    told = district("identity", "review", "--json")
    items = told.json

    assert [item["kind"] for item in items][:1] == ["emergency"]
    assert {item["kind"] for item in items} == {"emergency", "identity", "backfill"}
    doubts = [item for item in items if item["kind"] == "identity"]
    assert {item["key"] for item in doubts} == {"J2"}
    assert all(item["households"] and item["candidates"] for item in doubts)
    spots = [(item["key"], item["position"], item["why"]) for item in doubts]
    assert len(spots) == len(set(spots))
    assert HUSBAND.name not in told.out + district("identity", "review").out
    (history,) = district("identity", "review", "--kind", "backfill", "--json").json
    assert history["key"] == "J1"
    district("households", "adopt", *history["households"])
    assert district("identity", "review", "--kind", "backfill", "--json").json == []
    assert district("identity", "review", "--kind", "nothing").code == 2
