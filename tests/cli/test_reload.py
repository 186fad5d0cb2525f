"""A running daemon takes its whole configuration anew: by SIGHUP, by `enable` and `disable`, by `policy adopt`."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.conftest import District, Hub
from tests.cli.test_beside_daemon import AT, Running
from tests.cli.test_policy import WITHOUT_PENALTIES, penalty, written
from tests.end_to_end.story import OTHER_MAN, OTHER_WOMAN
from tests.end_to_end.story import call as police_call
from tests.local_peer import until


@pytest.fixture
def running(district: District) -> Iterator[tuple[Running, str]]:
    """A daemon, and the police's push token."""
    token = district("connectors", "token", "police").out.strip()
    made = Running(district)
    yield made, token
    made.client.close()
    if made.process.poll() is None:
        made.process.kill()
    made.process.wait()


def issues(district: District) -> dict[str, str]:
    """The open issues and what to do, as `hub status` tells them beside the daemon."""
    return {row["cause"]: row["remedy"] for row in district("status", "--json").json["issues"]}


def pid(district: District) -> int | None:
    rows = {row["name"]: row for row in district("status", "--json").json["connectors"]}
    found: int | None = rows["police"]["pid"]
    return found


def test_limits_tokens_and_contacts_are_taken(running: tuple[Running, str]) -> None:
    """A limit counts for the next push and gives every connector a new process; a new read token opens; contacts move duties."""
    daemon, token = running
    district = daemon.district
    assert daemon.push(token, police_call("J1", AT), police_call("J2", AT)).status_code == 200
    before = pid(district)
    secret = "a-read-token-for-this-test"
    digest = hashlib.sha256(secret.encode()).hexdigest()
    district.append(
        "hub",
        f'\n[limits]\nrows_per_push = 1\nconnector_bytes = 900000000\n[contacts]\nit = "education"\n'
        f'[[tokens]]\nhash = "sha256:{digest}"\nrole = "exporter"\n',
    )
    daemon.process.send_signal(signal.SIGHUP)

    assert until(lambda: daemon.push(token, police_call("J1", AT), police_call("J2", AT)).status_code == 413)
    assert daemon.push(token, police_call("J3", AT)).json()["applied"] == 1
    assert before is not None
    assert pid(district) not in (None, before)
    asked = daemon.client.get("/v1/households", headers={"Authorization": f"Bearer {secret}"})
    assert (asked.status_code, bool(asked.json())) == (200, True)


def test_what_only_a_restart_can_take_is_said(running: tuple[Running, str]) -> None:
    """Another address is an open issue that names it, and the old one goes on answering; taken back, the issue is closed."""
    daemon, _ = running
    district, path = daemon.district, daemon.district.folder / "hub.toml"
    whole = path.read_text(encoding="utf-8")
    port = int(daemon.client.base_url.port or 0)
    path.write_text(whole.replace(f"127.0.0.1:{port}", "127.0.0.1:1"), encoding="utf-8")
    told = district("connectors", "disable", "court", "--json").json

    assert told["daemon"] == "the daemon has taken it, but for [http] listen: start it anew for that"
    assert "[http] listen" in issues(district)["configuration.restart"]
    assert daemon.ready()
    path.write_text(whole, encoding="utf-8")
    assert district("connectors", "enable", "court", "--json").json["daemon"] == "the daemon has taken it"
    assert "configuration.restart" not in issues(district)


def test_a_wrong_configuration_is_an_issue_with_file_and_line(running: tuple[Running, str]) -> None:
    """Every part is read before any is taken: settings, policy; the old ones go on, the issue says where."""
    daemon, token = running
    district, path = daemon.district, daemon.district.folder / "hub.toml"
    whole = path.read_text(encoding="utf-8")
    path.write_text(f"{whole}\n[limits]\nrows_per_push = 1\nrows_per_pull = 2\n", encoding="utf-8")
    line = path.read_text(encoding="utf-8").splitlines().index("rows_per_pull = 2") + 1
    daemon.process.send_signal(signal.SIGHUP)

    assert until(lambda: f"hub.toml:{line}" in issues(district).get("configuration.invalid", ""))
    assert daemon.push(token, police_call("J1", AT), police_call("J2", AT)).status_code == 200
    assert answers(district) == ([0] * 3, f"hub.toml:{line}")
    path.write_text(whole, encoding="utf-8")
    overlay = district.folder / "overlay.toml"
    overlay.write_text("[switches]\nR77 = false\n", encoding="utf-8")
    daemon.process.send_signal(signal.SIGHUP)
    assert until(lambda: "R77" in issues(district).get("configuration.invalid", ""))
    assert answers(district)[0] == [0] * 3
    assert daemon.push(token, police_call("J1", AT)).json()["unchanged"] == 1


def answers(district: District) -> tuple[list[int], str]:
    """What commands answer beside the daemon while the files are wrong, and where `hub check` sees the mistake."""
    codes = [district(*asked).code for asked in (("status",), ("reports", "list"), ("households", "list"))]
    told = district("check", "--json").json
    return codes, next((f"{wrong['file']}:{wrong['line']}" for wrong in told["mistakes"]), "")


def test_a_policy_is_adopted_beside_the_daemon(running: tuple[Running, str]) -> None:
    """The daemon takes the file at once and judges everybody again while it goes on taking records."""
    daemon, token = running
    district = daemon.district
    district.ingest("police", "penalty", penalty("P1", OTHER_MAN, OTHER_WOMAN))
    assert daemon.push(token, police_call("J1", AT, intensity="2")).json()["applied"] == 1
    assert lights(district) == ["red", "red"]
    told = district("policy", "adopt", written(district.folder, WITHOUT_PENALTIES), "--json").json

    assert told["daemon"] == "the daemon has taken it"
    assert until(lambda: lights(district) == ["red", "unlit"])
    assert daemon.push(token, police_call("J9", AT)).json()["applied"] == 1
    archive = district("policy", "show", "--json").json["archive"]
    assert archive == {"policy": told["version"], "waiting": 0}


def lights(district: District) -> list[str]:
    rows: list[dict[str, Any]] = district("households", "list", "--json").json
    return sorted(row["light"] for row in rows)


def test_several_connectors_are_switched_at_once(hub: Hub) -> None:
    """All names are looked at before any file is changed; --all is every installed one; one JSON document each time."""
    told = hub("connectors", "enable", "police", "court", "--json").json
    assert [(row["connector"], row["enabled"], row["changed"]) for row in told] == [
        ("police", True, True), ("court", True, True),
    ]  # fmt: skip
    wrong = hub("connectors", "disable", "police", "curt")
    assert wrong.code == 2
    assert 'did you mean "court"?' in wrong.err
    assert enabled(hub) == ["court", "police"]
    assert len(hub("connectors", "disable", "--all", "--json").json) == 10
    assert enabled(hub) == []
    assert hub("connectors", "enable").code == 2
    assert hub("connectors", "enable", "police", "--all").code == 2


def test_a_file_that_is_no_toml_stops_the_switch_of_all(hub: Hub, folder: Any) -> None:
    """Nothing is changed, and the file is named with its line."""
    (folder / "connectors.d" / "court.toml").write_text("[connector\n", encoding="utf-8")
    told = hub("connectors", "enable", "--all")

    assert told.code == 2
    assert "court.toml" in told.err
    assert "line 1" in told.err
    assert "enabled = true" not in (folder / "connectors.d" / "police.toml").read_text(encoding="utf-8")


def enabled(hub: Hub) -> list[str]:
    return [row["name"] for row in hub("connectors", "list", "--json").json if row["enabled"]]
