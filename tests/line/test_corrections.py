"""Corrections travel to whoever was told: the difference, once, and never the reporter."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from hub.core.acts import Actor
from hub.line.deliver import deliver
from hub.line.letters import Outward
from hub.read.identity import merge
from hub.settings import ConnectorConfig, DeliverConfig
from hub.store.claims import claim_parcels
from hub.store.engine import SqlStore
from tests.line.line_kit import CHILD, EVERYWHERE, VAULT, Line, call, mediation
from tests.line.test_outward import report_no
from tests.loaded import worker_of


def notices(line: Line) -> list[dict[str, Any]]:
    """Every notice but reminders: to whom, and what it says."""
    rows = line.rows("SELECT no, body FROM parcel WHERE kind = 'notice' ORDER BY id")
    written = [orjson.loads(VAULT.open_blob(no, bytes(body))) for no, body in rows]
    return [{"unit": n["unit"], **n["body"]} for n in written if n["body"]["kind"] != "reminder"]


def send_duties(line: Line, folder: Path) -> None:
    """Hand over what waits for the women's federation, as files."""
    duty = DeliverConfig(kind="duty", folder=str(folder / "out"))
    config = ConnectorConfig(name="womens_federation", enabled=True, path=Path("none"), deliver={"duty": duty})
    worker = worker_of("womens_federation", config, clock=line.clock)
    for number, to, _ in claim_parcels(line.store, "n", line.now, timedelta(seconds=30)):
        if to == worker.unit:
            deliver(line.store, VAULT, number, worker, line.now)
    worker.close()


def test_a_corrected_record_corrects_the_report_and_its_copy(store: SqlStore) -> None:
    """The police hear the new phone and words, the copy's receiver not the words; the same again says nothing."""
    line = Line(store)
    line.send("justice", "mediation", mediation(reporter_name="程老师"))
    newer = mediation(
        reporter_name="何老师", victim_phone="13900001111", narrative="女方称昨晚被打", updated_at="2026-11-24 09:30:00"
    )
    line.send("justice", "mediation", newer)

    told = notices(line)
    assert [(n["unit"], n["kind"]) for n in told] == [("police", "corrected"), ("justice", "corrected")]
    police, copy = told
    assert police["corrects"] == report_no(line)
    assert set(police["body"]) == {"victim", "narrative"}
    assert police["body"]["victim"]["phone"] == "13900001111"
    assert set(copy["body"]) == {"victim"}
    assert "老师" not in str(told)
    line.send("justice", "mediation", newer | {"updated_at": "2026-11-24 09:40:00"})
    assert len(notices(line)) == 2


def test_history_corrects_nobody(store: SqlStore) -> None:
    """A newer version that comes as backfill changes the archive and sends nothing."""
    line = Line(store)
    line.send("justice", "mediation", mediation())
    line.send(
        "justice", "mediation", mediation(narrative="另有补充", updated_at="2026-11-24 09:30:00"), mode="backfill"
    )

    assert notices(line) == []


def test_a_sent_duty_hears_of_its_corrected_person(store: SqlStore, tmp_path: Path) -> None:
    """Whoever was sent a duty with a person's phone hears of the new one; a duty without persons is left in peace."""
    line = Line(store, outward=Outward(EVERYWHERE.destinations, fields={"womens_federation": ("name", "phone")}))
    line.send("justice", "mediation", mediation(victim_phone="13900001111"))
    send_duties(line, tmp_path)
    line.send("justice", "mediation", mediation(victim_phone="13900002222", updated_at="2026-11-24 09:30:00"))

    told = [n for n in notices(line) if n["unit"] == "womens_federation"]
    assert told
    assert all("13900002222" in str(n["body"]["members"]) for n in told)


def test_a_second_source_is_no_correction(store: SqlStore) -> None:
    """What a hospital adds to a school's report goes out as an addendum; only a newer school record corrects it."""
    line = Line(store)
    common = {"community_code": "310101001001", "updated_at": "2026-11-24 09:00:00"}
    school = {
        "concern_no": "E1", "found_at": "2026-11-24 08:00:00", "kind": "1", "student_id_number": CHILD,
        "student_name": "赵小满", **common,
    }  # fmt: skip
    hospital = {
        "visit_no": "H1", "at": "2026-11-24 08:30:00", "violence_suspected": "1", "related_no": "E1", "injury": "2",
        "patient_id_number": CHILD, "patient_name": "赵小满", **common,
    }  # fmt: skip
    line.send("education", "concern", school)
    line.send("health", "treatment", hospital)
    line.send("health", "treatment", hospital | {"injury": "3", "updated_at": "2026-11-24 09:30:00"})
    assert notices(line) == []
    line.send("education", "concern", school | {"student_phone": "13900003333", "updated_at": "2026-11-24 09:40:00"})

    assert [(n["unit"], set(n["body"])) for n in notices(line)] == [("police", {"victim"}), ("education", {"victim"})]


def test_a_record_that_moves_tells_who_was_told(store: SqlStore, tmp_path: Path) -> None:
    """A call about nameless people that turns out to be a known couple's: each duty that was sent is moved or taken back once."""
    line = Line(store)
    line.send("justice", "mediation", mediation(violence="0"))
    nobody = dict.fromkeys(
        ("party_a_id_number", "party_b_id_number", "victim_id_number", "party_a_name", "party_b_name"), ""
    )
    line.send("police", "incident", call(victim_name="林女士", intensity="2", **nobody))
    send_duties(line, tmp_path)
    sent = {no for (no,) in line.rows("SELECT no FROM parcel WHERE kind = 'duty' AND state = 'sent'")}
    assert sent
    line.send("police", "incident", call(intensity="2", updated_at="2026-11-24 09:30:00"))

    told = [(n["corrects"], n["kind"]) for n in notices(line) if n["unit"] == "womens_federation"]
    assert {"moved", "retracted"} <= {kind for _, kind in told}
    assert {no for no, _ in told} <= sent
    assert len({no for no, _ in told}) == len(told)


def test_a_ruling_about_who_is_meant_tells_who_was_told(store: SqlStore, tmp_path: Path) -> None:
    """Households that people merge, and part again by undo: each time every duty that was sent and moves is told once."""
    line = Line(store)
    line.send("justice", "mediation", mediation(violence="0"))
    nobody = dict.fromkeys(
        ("party_a_id_number", "party_b_id_number", "victim_id_number", "party_a_name", "party_b_name"), ""
    )
    line.send("police", "incident", call(victim_name="林女士", intensity="2", **nobody))
    send_duties(line, tmp_path)
    sent = {no for (no,) in line.rows("SELECT no FROM parcel WHERE kind = 'duty' AND state = 'sent'")}
    homes = [uid for (uid,) in line.rows("SELECT uid FROM household ORDER BY id")]
    lights = line.lights()

    def told() -> list[tuple[str, str]]:
        return [(n["corrects"], n["kind"]) for n in notices(line) if n["unit"] == "womens_federation"]

    with store.read() as sql:
        (row,) = merge(sql, Actor("F1", "womens_federation", line.now), "家访核实", homes[0], homes[1])
    line.act("identity", {"no": "ID-1", **row})
    assert line.lights() == ["red"]
    merged = told()
    assert {kind for _, kind in merged} & {"moved", "retracted"}
    assert {no for no, _ in merged} <= sent
    assert len({no for no, _ in merged}) == len(merged)

    line.now += timedelta(minutes=5)
    line.act("identity", {"no": "ID-1", "deleted": True})
    assert line.lights() == lights
    assert [uid for (uid,) in line.rows("SELECT uid FROM household WHERE successor_id IS NULL ORDER BY id")] == homes
    assert len(told()) > len(merged)
