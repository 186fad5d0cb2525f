"""What goes out: reports and their ladder, duties, light changes; the fence; withdrawal; delivery."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.line.deliver import Retry, deliver
from hub.line.letters import REPORT, Outward, way_missing
from hub.runtime.supervisor import ChildSpec, Supervisor
from hub.runtime.unit_worker import UnitWorker
from hub.security.handover import seal_again
from hub.settings import ConnectorConfig, DeliverConfig, SecretRef
from hub.store.claims import claim_parcels
from hub.store.engine import SqlStore
from tests.line.line_kit import VAULT, Line, call, mediation
from tests.loaded import worker_of
from tests.local_peer import Asked, LocalPeer


def plain(line: Line, kind: str) -> list[dict[str, Any]]:
    """The bodies of all messages of one kind, oldest first."""
    rows = line.rows("SELECT no, body FROM parcel WHERE kind = ? ORDER BY id", kind)
    return [orjson.loads(VAULT.open_blob(no, bytes(body))) for no, body in rows]


def states(line: Line, kind: str) -> list[str]:
    return [state for (state,) in line.rows("SELECT state FROM parcel WHERE kind = ? ORDER BY id", kind)]


def report_no(line: Line) -> str:
    ((no,),) = line.rows("SELECT no FROM owed WHERE what LIKE 'M_'")
    return str(no)


def test_a_report_is_sealed_with_its_cause(store: SqlStore) -> None:
    """The report's body stands in the outbox from its own commit: number, rule, victim, narrative; the copy has no narrative."""
    line = Line(store)
    line.send("justice", "mediation", mediation())
    (body,) = plain(line, "mandatory_report")
    assert body["report_no"] == report_no(line)
    assert body["report_no"].startswith("MR-20261124-")
    assert (body["rule"], body["kind"], body["victim"]["name"]) == ("M1", "dv", "林晓梅")
    assert body["narrative"] == "女方称被打"
    (copy,) = plain(line, "report_copy")
    assert copy["body"]["report_no"] == body["report_no"]
    assert "narrative" not in copy["body"]
    assert "reporter" not in copy["body"]
    assert copy["body"]["victim"]["name"] == "林晓梅"
    assert "address" not in copy["body"]["victim"]


def test_backfill_lights_and_sends_nothing(store: SqlStore) -> None:
    """Old history changes lights in the archive, leaves a review list, and nothing goes out."""
    line = Line(store)
    line.send("justice", "mediation", mediation(), mode="backfill")
    assert line.lights() == ["orange"]
    assert line.rows("SELECT COUNT(*) FROM parcel") == [(0,)]
    assert line.owed() == []
    assert line.rows("SELECT why, state FROM review_item WHERE kind = 'backfill'") == [("history", "open")]


def test_adopted_history_creates_its_duties(store: SqlStore) -> None:
    """After review a person adopts a household of the backfill: what waited is opened, once."""
    line = Line(store)
    line.send("justice", "mediation", mediation(), mode="backfill")
    ((household,),) = line.rows("SELECT uid FROM household")
    for _ in range(2):
        line.act("adoption", {"household": household, "at": line.now.isoformat(), "by": "W1"})
    assert line.owed("M") == [("M1", "police", "queued")]
    assert len(plain(line, "mandatory_report")) == 1
    assert line.rows("SELECT COUNT(*) FROM review_item WHERE state = 'open' AND kind = 'backfill'") == [(0,)]


def test_an_unknown_number_is_quarantined(store: SqlStore) -> None:
    """Feedback about a report that was never made waits for a person, and does not disturb its neighbours."""
    line = Line(store)
    row = {"feedback_no": "F1", "report_no": "MR-20261124-NOBODY00", "step": "2", "at": "2026-11-24 09:00"}
    receipt = line.send("police", "report_feedback", row)
    assert [r["code"] for r in receipt["rows"]] == ["report.unknown"]
    assert receipt["quarantined"] == 1


def test_feedback_climbs_the_ladder(store: SqlStore) -> None:
    """Steps that the police send move the report; not substantiated closes its concern and owes the reporter an answer."""
    line = Line(store)
    line.send("justice", "mediation", mediation())
    no = report_no(line)
    for number, step in enumerate(("1", "2", "6")):
        line.now += timedelta(minutes=1)
        row = {"feedback_no": f"F{number}", "report_no": no, "step": step, "at": line.now.isoformat()}
        assert line.send("police", "report_feedback", row)["applied"] == 1
    assert line.owed("M") == [("M1", "police", "decided")]
    assert line.lights() == ["unlit"]
    assert ("answer", "justice", "open") in line.owed("answer")
    assert states(line, "mandatory_report") == ["received"]


def test_a_retracted_report_is_asked_to_be_cancelled(store: SqlStore) -> None:
    """Nobody but the police ends a report: a retraction is a request, the light follows at once."""
    line = Line(store)
    line.send("justice", "mediation", mediation())
    no = report_no(line)
    line.send("justice", "mediation", mediation(deleted="1", updated_at="2026-11-24 09:00"))
    assert line.lights() == []
    assert line.owed("M") == [("M1", "police", "queued")]
    assert line.owed("cancellation") == [("cancellation", "police", "open")]
    line.send(
        "police", "report_feedback", {"feedback_no": "F1", "report_no": no, "step": "9", "at": "2026-11-24 11:00"}
    )
    line.later(hours=2)
    assert line.owed("M") == [("M1", "police", "cancelled")]


def test_a_duty_not_sent_yet_is_gone_with_its_cause(store: SqlStore) -> None:
    """A retraction before anything was sent withdraws the messages; after it, each receiver gets a notice."""
    line = Line(store)
    line.send("police", "incident", call())
    line.send("police", "incident", call(deleted="1", updated_at="2026-11-24 09:00"))
    assert set(states(line, "duty")) == {"withdrawn"}
    assert plain(line, "notice") == []
    assert {state for _, _, state in line.owed("D")} == {"cancelled"}


def test_light_changes_go_to_the_grid(store: SqlStore) -> None:
    """A live change is told to the grid platform by a family of reasons, never by a rule."""
    line = Line(store)
    line.send("police", "incident", call(physical_conflict="是"))
    (change,) = plain(line, "light_change")
    assert (change["body"]["was"], change["body"]["light"]) == ("unlit", "red")
    assert change["body"]["reason"] == "police_measure"


def test_without_a_destination_it_waits_loudly(store: SqlStore) -> None:
    """With nobody to deliver to, the report is made all the same, and an issue says so."""
    line = Line(store, outward=Outward())
    line.send("justice", "mediation", mediation())
    assert line.rows("SELECT last FROM parcel WHERE kind = 'mandatory_report'") == [("no_destination",)]
    codes = line.rows("SELECT code, subject FROM issue WHERE closed_at IS NULL")
    assert ("delivery.missing", "police.mandatory_report") in codes


def test_a_missing_way_is_told_by_its_place_in_the_configuration() -> None:
    """The first way and the second have each their own section."""
    assert way_missing("police", "mandatory_report", "first") != way_missing("police", "mandatory_report", "second")
    assert "[deliver.mandatory_report.second] in connectors.d/police.toml" in way_missing("police", REPORT, "second")


# -- delivery ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def police() -> Iterator[LocalPeer]:
    """The police's intake: it gives a receipt number."""
    peer = LocalPeer(lambda asked: (200, {"Content-Type": "application/json"}, b'{"receipt_no": "R-77"}'))
    yield peer
    peer.close()


def courier(line: Line, **ways: Any) -> UnitWorker:
    """The police's worker with a delivery set."""
    deliver_to = {"mandatory_report": DeliverConfig(kind="mandatory_report", **ways)}
    config = ConnectorConfig(name="police", enabled=True, path=Path("none"), deliver=deliver_to)
    return worker_of("police", config, clock=line.clock)


def claimed(line: Line) -> int:
    (number,) = [
        number
        for number, *_ in claim_parcels(line.store, "n", line.now, timedelta(seconds=30))
        if line.rows("SELECT kind FROM parcel WHERE id = ?", number) == [("mandatory_report",)]
    ]
    return number


NO_JITTER = Retry(timedelta(seconds=1), timedelta(minutes=5), lambda n, base, longest: base.total_seconds() * 2**n)


def test_a_receipt_is_a_record(store: SqlStore, police: LocalPeer) -> None:
    """A 2xx with a receipt number lands as feedback in the commit of the attempt, and moves the ladder."""
    line = Line(store)
    line.send("justice", "mediation", mediation())
    worker = courier(line, url=police.url)
    answer = deliver(store, VAULT, claimed(line), worker, line.now, NO_JITTER)
    assert (answer.step, answer.number) == ("received", "R-77")
    assert line.rows("SELECT state, attempts, receipt_no FROM parcel WHERE kind = 'mandatory_report'") == [
        ("received", 1, "R-77")
    ]
    assert line.rows("SELECT state FROM page WHERE door = 'answer'") == [("landed",)]
    line.drain()
    assert line.owed("M") == [("M1", "police", "received")]
    assert police.asked[0].headers["Idempotency-Key"] == report_no(line)
    worker.close()


def test_a_resend_is_byte_identical(store: SqlStore) -> None:
    """A receiver in trouble is asked again later, under the same number, with the same bytes."""
    line = Line(store)
    line.send("justice", "mediation", mediation())
    replies: Iterator[tuple[int, bytes]] = iter([(503, b""), (200, b'{"receipt_no": "R-1"}')])

    def answer(asked: Asked) -> tuple[int, dict[str, str], bytes]:
        status, body = next(replies)
        return status, {"Content-Type": "application/json"}, body

    peer = LocalPeer(answer)
    worker = courier(line, url=peer.url)
    assert deliver(store, VAULT, claimed(line), worker, line.now, NO_JITTER).step == "later"
    assert "police" not in {to for _, to, _ in claim_parcels(store, "n", line.now, timedelta(seconds=30))}
    line.now += timedelta(seconds=2)
    assert deliver(store, VAULT, claimed(line), worker, line.now, NO_JITTER).step == "received"
    first, second = peer.asked
    assert first.body == second.body
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    worker.close()
    peer.close()


def test_a_connector_that_cannot_write_is_asked_again(store: SqlStore, police: LocalPeer) -> None:
    """A connector that is refused, resting or held leaves its message due, not leased, and stops nothing else."""
    line = Line(store)
    line.send("justice", "mediation", mediation())
    worker = courier(line, url=police.url)
    sound, worker.hands = worker.hands, Supervisor(ChildSpec(name="police", entry="no_such_package", unit="police"))
    answer = deliver(store, VAULT, claimed(line), worker, line.now, NO_JITTER)
    assert (answer.step, answer.detail) == ("later", "connector.refused")
    assert line.rows("SELECT state, last, lease_until FROM parcel WHERE kind = 'mandatory_report'") == [
        ("queued", "connector.refused", None)
    ]
    worker.hands = sound
    line.now += timedelta(seconds=2)
    assert deliver(store, VAULT, claimed(line), worker, line.now, NO_JITTER).step == "received"
    worker.close()


def test_a_message_nobody_could_write_is_gone_with_its_cause(store: SqlStore) -> None:
    """An attempt that ended before there were bytes told nobody: a retraction withdraws the message, and no notice goes."""
    line = Line(store)
    line.send("police", "incident", call())
    broken = worker_of("police", clock=line.clock)
    broken.hands = Supervisor(ChildSpec(name="police", entry="no_such_package", unit="police"))
    for number, *_ in claim_parcels(store, "n", line.now, timedelta(seconds=30)):
        assert deliver(store, VAULT, number, broken, line.now, NO_JITTER).step == "later"
    line.send("police", "incident", call(deleted="1", updated_at="2026-11-24 09:00"))
    assert set(states(line, "duty")) == {"withdrawn"}
    assert plain(line, "notice") == []


def test_a_refusal_stays_with_an_issue(store: SqlStore) -> None:
    """What a receiver refuses is never dropped: it stands as refused, and an issue names its number."""
    line = Line(store)
    line.send("justice", "mediation", mediation())
    peer = LocalPeer(lambda asked: (422, {}, b""))
    worker = courier(line, url=peer.url)
    assert deliver(store, VAULT, claimed(line), worker, line.now, NO_JITTER).step == "refused"
    assert states(line, "mandatory_report") == ["refused"]
    assert ("delivery.refused", report_no(line)) in line.rows("SELECT code, subject FROM issue")
    worker.close()
    peer.close()


def test_by_file_is_sent_not_received(store: SqlStore, tmp_path: Path) -> None:
    """One way there is no answer: the report is *sent*; the receipt comes in by its own door and makes it *received*."""
    line = Line(store)
    line.send("justice", "mediation", mediation())
    worker = courier(line, folder=str(tmp_path / "out"))
    assert deliver(store, VAULT, claimed(line), worker, line.now, NO_JITTER).step == "sent"
    assert line.owed("M") == [("M1", "police", "sent")]
    line.act("receipt", {"message_no": report_no(line), "receipt_no": "R-9", "at": line.now.isoformat()})
    assert line.owed("M") == [("M1", "police", "received")]
    assert states(line, "mandatory_report") == ["received"]
    worker.close()


def test_a_sealed_file_is_opened_by_its_receiver_alone(store: SqlStore, tmp_path: Path) -> None:
    """With a passphrase the file is sealed, the same each time, and `hub reports open` gives the very message."""
    line = Line(store)
    line.send("justice", "mediation", mediation())
    (tmp_path / "secret").write_text("一个足够长的口令句子", encoding="utf-8")
    (tmp_path / "secret").chmod(0o600)
    secret = SecretRef(file=str(tmp_path / "secret"))
    worker = courier(line, folder=str(tmp_path / "out"), passphrase=secret)
    assert deliver(store, VAULT, claimed(line), worker, line.now, NO_JITTER).step == "sent"
    (file,) = (tmp_path / "out").glob("*.sealed")
    sealed = file.read_bytes()
    assert (file.with_suffix(".ok").read_text().strip(), list((tmp_path / "out").glob("*.json"))) == (
        hashlib.sha256(sealed).hexdigest(), [],
    )  # fmt: skip
    assert report_no(line).encode() not in sealed
    worker.close()

    opened = tmp_path / "opened.json"
    asked = ["reports", "open", str(file), "--passphrase-file", str(tmp_path / "secret"), "--to", str(opened)]
    assert CliRunner().invoke(app, asked).exit_code == 0
    assert orjson.loads(opened.read_bytes())["report_no"] == report_no(line)
    assert seal_again(opened.read_bytes(), "一个足够长的口令句子".encode()) == sealed
    (tmp_path / "secret").write_text("另一个足够长的口令", encoding="utf-8")
    assert CliRunner().invoke(app, asked).exit_code == 1


def test_after_sending_a_withdrawal_is_told(store: SqlStore, tmp_path: Path) -> None:
    """A duty that was sent is taken back by a notice to its receiver."""
    line = Line(store)
    line.send("police", "incident", call())
    duty = DeliverConfig(kind="duty", folder=str(tmp_path / "out"))
    config = ConnectorConfig(name="womens_federation", enabled=True, path=Path("none"), deliver={"duty": duty})
    worker = worker_of("womens_federation", config, clock=line.clock)
    for number, to, _ in claim_parcels(store, "n", line.now, timedelta(seconds=30)):
        if to != worker.unit or line.rows("SELECT kind FROM parcel WHERE id = ?", number) != [("duty",)]:
            continue
        assert deliver(store, VAULT, number, worker, line.now, NO_JITTER).step == "sent"
    line.send("police", "incident", call(deleted="1", updated_at="2026-11-24 09:00"))
    notices = plain(line, "notice")
    assert notices
    assert {n["body"]["kind"] for n in notices} == {"retracted"}
    assert {n["unit"] for n in notices} == {"womens_federation"}
    worker.close()


Check = Callable[[Line], None]


def test_a_late_report_is_escalated(store: SqlStore) -> None:
    """Five minutes without a receipt: the duty officer is told by the second channel, under the report's own number."""
    line = Line(store)
    line.send("justice", "mediation", mediation())
    line.later(minutes=6)
    assert line.rows("SELECT no, channel FROM parcel WHERE kind = 'mandatory_report' ORDER BY channel") == [
        (report_no(line), "first"), (report_no(line), "second")
    ]  # fmt: skip
    assert any(what == "escalation" for what, _, _ in line.owed("escalation"))


def test_a_duty_answer_closes_its_duty(store: SqlStore) -> None:
    """The unit's own answer by number closes the duty it names."""
    line = Line(store)
    line.send("police", "incident", call())
    ((no,),) = line.rows("SELECT no FROM owed WHERE what = 'D15'")
    answer = {"answer_no": "A1", "duty_no": no, "status": "2", "at": line.now.isoformat(), "outcome": "done"}
    assert line.send("police", "duty_answer", answer)["applied"] == 1
    assert line.rows("SELECT state FROM owed WHERE no = ?", no) == [("done",)]
