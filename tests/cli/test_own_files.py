"""A connector's process uses its own files and no others: what it tries all the same, and a kernel that cannot keep it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub import bootstrap
from hub.confinement import open_connectors, reach_of
from hub.core.errors import HubError
from hub.runtime.landlock import LEAST, version
from hub.runtime.specs import SourceSpec
from hub.runtime.supervisor import ChildSpec, Supervisor
from hub.sdk.strictjson import loads
from hub.settings import ConnectorConfig
from tests.cli.conftest import District
from tests.end_to_end.story import call as police_call
from tests.local_peer import until

closed = pytest.mark.skipif(version() < LEAST, reason="this kernel has no Landlock")

CONNECTOR = """
    import os, socket, tempfile
    from dataclasses import replace
    from pathlib import Path
    from connectors.police.mapping import CONNECTOR
    from hub.sdk import hookimpl

    def tried(act):
        try:
            return str(act())
        except OSError as error:
            return type(error).__name__

    def fetch(stream, cursor, context):
        found = {}
        for name in context.config["names"]:
            found[name] = tried(lambda: Path(name).read_bytes())
        door = socket.AF_UNIX
        found["socket"] = tried(lambda: socket.socket(door).connect(context.config["door"][0]))
        found["hub"] = tried(lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes())
        own = Path(context.config["own"])
        for name, folder in (("own", own), ("other", own.with_name("other"))):
            found[name] = tried(lambda: Path(folder, "made.txt").write_text("x"))
        found["temporary"] = tried(lambda: tempfile.TemporaryFile().write(b"x"))
        found["library"] = tried(lambda: len(Path(os.__file__).read_bytes()) > 0)
        yield [{"接警编号": name, "found": what} for name, what in found.items()], "c1"

    @hookimpl
    def hub_register_connectors(register):
        register(replace(CONNECTOR, fetch=fetch))
"""


@pytest.fixture
def curious(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, str]]:
    """What a police connector gets that asks for everything; its module lies in a folder above the hub's."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "curious.py").write_text(textwrap.dedent(CONNECTOR), encoding="utf-8")

    def ask(district: District, *names: Path) -> dict[str, str]:
        own, other = district.folder / "in", district.folder / "other"
        own.mkdir()
        other.mkdir()
        district.append("police", f'[streams.incident]\ntransport = "files"\nfolder = "{own}"\n')
        settings = bootstrap.read_settings(district.folder)
        config = settings.connectors["police"]
        spec = ChildSpec(name="police", entry="curious", unit="police", reach=reach_of(settings, config))
        told = {"names": [*map(str, names)], "own": str(own), "door": [f"{district.folder}/hub.sock"]}
        hands = Supervisor(spec)
        try:
            batches = hands.read(SourceSpec(stream="incident", transport="push", config=told), None, threading.Event())
            return {row["接警编号"]: row["found"] for batch in batches for row in loads(batch.body)}
        finally:
            hands.close()

    return ask


@closed
def test_keys_database_and_other_secrets_are_out_of_reach(
    curious: Callable[..., dict[str, str]], district: District
) -> None:
    """It reads no file of the hub, no other's folder, nothing of the hub's process and no door of this machine."""
    secret = district.folder / "secrets" / "court"
    secret.write_text("court's own", encoding="ascii")
    district("connectors", "token", "police")
    hubs = [
        district.folder / name
        for name in (
            "secrets/master.key",
            "hub.db",
            "hub.toml",
            "overlay.toml",
            "connectors.d/court.toml",
            "secrets/court",
        )
    ]
    assert all(path.read_bytes() for path in hubs)

    found = curious(district, *hubs, Path("/etc/passwd"))

    assert {name: found[str(name)] for name in hubs} == dict.fromkeys(hubs, "PermissionError")
    assert (found["/etc/passwd"], found["socket"], found["hub"]) == ("PermissionError",) * 3
    assert (found["other"], found["own"], found["temporary"]) == ("PermissionError", "1", "1")
    assert found["library"] == "True"


@closed
def test_a_folder_that_is_made_later_is_used(district: District) -> None:
    """A process is closed in to folders as they stand; after a failure it starts anew and finds the new one."""
    config = _police(district, 'transport = "files"\nfolder = "late"\n')
    worker = bootstrap.make_worker(bootstrap.read_settings(district.folder), config)
    try:
        with pytest.raises(HubError) as missing:
            worker.probe("incident")
        (district.folder / "late").mkdir()
        (district.folder / "late" / "a.ndjson").write_text(json.dumps(police_call("J1", "2026-03-01 20:00:00")))

        def found() -> bool:
            try:
                return worker.probe("incident") == 1
            except HubError:
                return False

        assert missing.value.code == "files.folder"
        assert until(found)
        assert worker.hands.starts == 2  # type: ignore[attr-defined]  # a Supervisor, behind its protocol
    finally:
        worker.close()


@closed
@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_an_sqlite_source_is_read_in_a_folder_of_its_own(district: District, tmp_path: Path, mode: str) -> None:
    """A front-end SQLite file is read, with the files beside it that write-ahead needs, and stays closed in."""
    base = tmp_path / "front" / "front.db"
    base.parent.mkdir()
    with sqlite3.connect(base) as there:
        there.execute(f"PRAGMA journal_mode = {mode}")
        there.execute("CREATE TABLE t (接警编号 TEXT)")
        there.execute("INSERT INTO t VALUES ('J1')")
    there.close()
    config = _police(district, f'transport = "table"\ntable = "t"\nurl = "sqlite:///{base}"\n')
    settings = bootstrap.read_settings(district.folder)
    worker = bootstrap.make_worker(settings, config)
    try:
        assert worker.probe("incident") == 1
        assert worker.hands.open == ""  # type: ignore[attr-defined]  # a Supervisor, behind its protocol
        assert open_connectors(settings) == []
    finally:
        worker.close()


@closed
@pytest.mark.parametrize("reads", [False, True])
def test_a_folder_above_the_hub_is_told_and_required_away(district: District, reads: bool) -> None:
    """A connector that is given a place where the hub's own files lie is named by check and status; "require" refuses it."""
    path = district.folder / "connectors.d" / "police.toml"
    if reads:
        path.write_text(path.read_text().replace("enabled = true", 'enabled = true\nreads = [".."]'), encoding="utf-8")
    else:
        _police(district, 'transport = "files"\nfolder = "."\n')

    assert any(one.startswith("police is not kept to its own files") for one in _check(district)["warnings"])
    assert any("police" in one for one in district("status", "--json").json["confinement"])
    district.append("hub", '\n[connectors]\nconfine = "require"\n')
    told = _check(district)
    assert [(wrong["file"], wrong["key"]) for wrong in told["mistakes"]] == [("hub.toml", "connectors.confine")]
    refused = district("connectors", "probe", "police")
    assert refused.code == 2 or "connector.refused" in refused.out + refused.err
    assert district("run").code == 2


def test_without_landlock_it_works_and_says_so_once(district: District) -> None:
    """On a kernel that has none everything runs; check and status say in one sentence what that means; "require" refuses."""
    file = district.file(police_call("J1", "2026-03-01 20:00:00"))

    receipt = _without(district, "ingest", "police", "incident", str(file), "--json")
    assert json.loads(receipt.stdout)["applied"] == 1
    told = json.loads(_without(district, "check", "--json").stdout)
    assert sum("Landlock" in warning for warning in told["warnings"]) == 1
    assert len(json.loads(_without(district, "status", "--json").stdout)["confinement"]) == 1
    district.append("hub", '\n[connectors]\nconfine = "require"\n')
    refused = _without(district, "run")
    assert refused.returncode == 2
    assert "Landlock" in refused.stderr
    asked = _without(district, "ingest", "police", "incident", str(file))
    assert asked.returncode == 2
    assert "its own files" in asked.stderr


def _police(district: District, stream: str) -> ConnectorConfig:
    district.append("police", f"[streams.incident]\n{stream}")
    return bootstrap.read_settings(district.folder).connectors["police"]


def _check(district: District) -> dict[str, Any]:
    return dict(district("check", "--json").json)


def _without(district: District, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.without_landlock", sys.executable, "-m", "hub.cli"]
    return subprocess.run(
        [*command, "--config", str(district.folder), *arguments], capture_output=True, text=True, check=False
    )


def test_nothing_is_left_of_a_hub_that_was_killed() -> None:
    """The folders of its connectors' processes, with whatever lay in them, go at the next start."""
    script = (
        "import os, signal, sys\nfrom hub.runtime.supervisor import ChildSpec, Supervisor\n"
        "one = Supervisor(ChildSpec(name='police', entry='connectors.police', unit='police'))\none.start()\n"
        "os.kill(one.pid, signal.SIGKILL) if sys.argv[1] == 'both' else None\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    folders = Path(tempfile.gettempdir())
    left = []
    for how in ("hub", "both"):
        hub = subprocess.Popen([sys.executable, "-c", script, how])
        assert hub.wait(120) == -9
        left += list(folders.glob(f"hub-police-{hub.pid}-*"))
    assert len(left) == 2
    bootstrap.described.cache_clear()
    bootstrap.described("police")

    assert not any(map(Path.exists, left))
