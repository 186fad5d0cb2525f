"""A drop folder on an SFTP server, configured by files, read by the connector's own process, answered by the daemon."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import District
from tests.cli.test_beside_daemon import Running
from tests.end_to_end.story import call as police_call
from tests.local_peer import until
from tests.sftp_server import PASSWORD, SftpServer

AT = "2026-03-01 20:00:00"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SftpServer]:
    root = tmp_path / "there"
    (root / "in").mkdir(parents=True)
    made = SftpServer(root)
    yield made
    made.close()


def test_an_sftp_folder_is_polled_and_answered(district: District, server: SftpServer) -> None:
    """A first look names the host key; then the daemon takes the file, and receipt and faulty row are written there."""
    secret = district.folder / "secrets" / "sftp"
    secret.write_text(PASSWORD, encoding="utf-8")
    secret.chmod(0o600)
    stream = (
        f'\n[streams.incident]\ntransport = "files"\nfolder = "{server.url}//in"\nready = "rename"\n'
        'schedule = { every = "200ms" }\nauth = { kind = "basic", password = { file = "secrets/sftp" }'
    )
    path = district.folder / "connectors.d" / "police.toml"
    before = path.read_text(encoding="utf-8")
    rows = [police_call("J1", AT), police_call("J2", AT, category="77")]
    (server.root / "in" / "a.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    district.append("police", f"{stream} }}\n")
    unknown = district("connectors", "probe", "police", "--json")
    assert (unknown.code, "shows the host key SHA256:" in str(unknown.json)) == (1, True)
    path.write_text(f'{before}{stream}, host_key = "{server.host_key}" }}\n', encoding="utf-8")
    assert district("connectors", "probe", "police", "--json").json["streams"][0]["records"] == 2

    daemon = Running(district)
    try:
        receipt = server.root / "in" / "done" / "a.ndjson.receipt.json"
        until(receipt.is_file)
    finally:
        daemon.client.close()
        daemon.process.terminate()
        daemon.process.wait(120)

    told = json.loads(receipt.read_bytes())
    assert (told["received"], told["applied"], told["quarantined"]) == (2, 1, 1)
    assert (told["rows"][0]["code"], told["returned"]) == ("code.unknown", "a.returned.ndjson")
    assert (
        json.loads((server.root / "in" / "done" / "a.returned.ndjson").read_text(encoding="utf-8"))["call_no"] == "J2"
    )
    assert PASSWORD not in daemon.log.read_text(encoding="utf-8")
